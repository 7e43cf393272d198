"""The forms of SESSION_REDIS_URL, each tried against the real thing."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask

from sessions.redis_store import RedisStore
from sessions.store import Record, Store, StoreUnavailable
from tests.conftest import Clock, MakeApp
from tests.support.harness import Browser, Person, Provider, Redis
from tests.support.redis_topologies import (
    PASSWORD,
    Certificate,
    ClusterNode,
    TlsRedis,
    Watched,
    ask,
    running_cluster,
    running_sentinel,
    until,
)
from tests.support.session_store import store_of

QUOTED = quote(PASSWORD, safe="")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[ClusterNode]]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with running_sentinel(tmp_path) as watched:
        yield watched


def cluster_url(nodes: list[ClusterNode]) -> str:
    return "redis+cluster://" + ",".join(f"localhost:{node.port}" for node in nodes)


def sentinel_url(watched: Watched) -> str:
    # The first sentinel of the list is not there: the next one is asked.
    return f"redis+sentinel://:{QUOTED}@localhost:9,localhost:{watched.sentinel.port}/sessions/0"


def lives_a_session(app: Flask, provider: Provider, clock: Clock) -> None:
    """The whole of it: sign in, see a page, refresh, see where, end others, sign out."""
    provider.options(access_token_seconds=200)
    person, elsewhere = Person(Browser(app)), Person(Browser(app))
    elsewhere.signs_in()
    person.signs_in()
    assert person.sees("/appointments").status_code == 200
    clock.moves(190)
    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: person.sees("/appointments"), range(4)))
    assert [page.status_code for page in pages] == [200] * 4
    assert provider.refreshes() == 1
    assert person.sees("/sessions").text.count("<h2") == 2
    person.browser.post("/sessions/end-others", headers={"Origin": person.origin()})
    assert not elsewhere.is_signed_in()
    assert person.is_signed_in()
    assert person.signs_out().status_code == 200
    assert not person.is_signed_in()


def test_a_cluster(
    cluster: list[ClusterNode], make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    app = make_app(SESSION_REDIS_URL=cluster_url(cluster))

    for _ in range(3):  # sessions whose keys lie on different nodes
        provider.reset()
        clock.ahead = 0.0
        lives_a_session(app, provider, clock)


def fill(store: Store) -> list[str]:
    """Sessions enough that every node has some."""
    now = time.time()
    keys = [f"key{n}" for n in range(30)]
    for key in keys:
        store.create(key, Record(b"version1", b"data", now, now + 100), ["everybody", key])
    return keys


def test_the_keys_of_a_cluster_are_spread_and_every_call_finds_them(
    cluster: list[ClusterNode],
) -> None:
    store = RedisStore(cluster_url(cluster[:1]), 1000)
    keys = fill(store)

    assert all(int(ask(node.port, "dbsize")) > 0 for node in cluster)
    assert sorted(store.keys_with("everybody")) == sorted(keys)
    for key in keys:
        now = time.time()
        newer = Record(b"version2", b"new", now, now + 50)
        assert store.replace(key, b"version1", newer, ["more"])
        assert not store.replace(key, b"version1", newer, [])
        store.touch(key, now, now + 50)
        assert store.read(key) == newer
        assert store.add(f"lock {key}", "one", 60)
        assert not store.add(f"lock {key}", "two", 60)
        assert store.swap(f"lock {key}", "one", "two", 60)
        assert store.remove(f"lock {key}", "two")
        assert store.get(f"lock {key}") is None
        assert store.delete(key, ["everybody", key, "more"])
    assert store.keys_with("everybody") == store.keys_with("more") == []


def test_a_cluster_may_come_up_after_the_app(make_app: MakeApp, cluster: list[ClusterNode]) -> None:
    app = make_app(SESSION_REDIS_URL=cluster_url(cluster))
    for node in cluster:
        node.signal(signal.SIGSTOP)
    before = time.monotonic()
    assert Browser(app).get("/readyz").json["unreachable"] == ["session store"]
    assert time.monotonic() - before < 6

    for node in cluster:
        node.signal(signal.SIGCONT)

    until(lambda: Browser(app).get("/readyz").status_code == 200, "not ready again")
    person = Person(Browser(app))
    person.signs_in()
    assert person.is_signed_in()


def test_a_cluster_node_that_is_away_is_503_in_bounded_time_and_signs_nobody_out(
    make_app: MakeApp, cluster: list[ClusterNode]
) -> None:
    app = make_app(SESSION_REDIS_URL=cluster_url(cluster))
    people = [Person(Browser(app)) for _ in range(5)]
    for person in people:
        person.signs_in()

    cluster[0].signal(signal.SIGSTOP)
    answers = []
    for person in people:
        began = time.monotonic()
        answers.append((person.sees("/profile").status_code, time.monotonic() - began))
    cluster[0].signal(signal.SIGCONT)

    assert {status for status, _ in answers} <= {200, 503}
    assert max(seconds for _, seconds in answers) < 5
    for person in people:
        until(person.is_signed_in, "somebody was signed out")


def test_a_sentinel_that_never_answers_is_passed_over(watched: Watched) -> None:
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen(50)
        there = sentinel_url(watched).replace(":9,", f":{mute.getsockname()[1]},")
        nobody = there.replace(f":{watched.sentinel.port}", f":{mute.getsockname()[1]}")
        began = time.monotonic()

        RedisStore(there, 1000).get("x")
        with pytest.raises(StoreUnavailable):
            RedisStore(nobody, 1000).get("x")

        assert time.monotonic() - began < 4


def test_a_fail_over_of_sentinel_signs_nobody_out(
    watched: Watched, make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    app = make_app(SESSION_REDIS_URL=sentinel_url(watched))
    person = Person(Browser(app))
    person.signs_in()
    assert person.is_signed_in()
    until(
        lambda: watched.says(watched.master, "dbsize") == watched.says(watched.replica, "dbsize"),
        "the replica did not catch up",
    )

    watched.master.signal(signal.SIGKILL)
    statuses, longest = set(), 0.0
    while "role:master" not in watched.says(watched.replica, "info", "replication"):
        began = time.monotonic()
        statuses.add(person.sees("/profile").status_code)
        longest = max(longest, time.monotonic() - began)
        time.sleep(0.1)

    assert statuses <= {200, 503}
    assert longest < 5
    until(person.is_signed_in, "nobody is signed in at the new master")
    clock.moves(3590)  # scripts run there too
    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 1


def test_a_master_that_became_a_replica_is_left(watched: Watched, make_app: MakeApp) -> None:
    app = make_app(SESSION_REDIS_URL=sentinel_url(watched))
    person = Person(Browser(app))
    person.signs_in()

    until(
        lambda: "OK" in watched.sentinel_says("failover", "sessions"),
        "the sentinel knows no replica that will do",
    )
    until(
        lambda: "role:slave" in watched.says(watched.master, "info", "replication"),
        "the master did not step down",
    )

    until(lambda: bool(person.signs_in().status_code == 303), "no sign-in at the new master")
    assert person.is_signed_in()
    assert int(watched.says(watched.replica, "dbsize")) > 0


def test_tls_with_a_private_certificate_authority(
    tmp_path: Path, make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    with TlsRedis(tmp_path) as redis:
        url = f"rediss://:{QUOTED}@localhost:{redis.port}/0"
        app = make_app(SESSION_REDIS_URL=f"{url}?ssl_ca_certs={redis.certificate}")
        lives_a_session(app, provider, clock)

        # Whoever does not know the authority does not talk to it.
        strict = make_app(SESSION_REDIS_URL=url)
        assert Browser(strict).get("/readyz").json["unreachable"] == ["session store"]


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate(tmp_path)


def test_sentinel_by_tls(
    tmp_path: Path, certificate: Certificate, make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    with running_sentinel(tmp_path, certificate) as watched:
        url = sentinel_url(watched).replace("redis+", "rediss+")
        app = make_app(SESSION_REDIS_URL=f"{url}?ssl_ca_certs={certificate.path}")
        lives_a_session(app, provider, clock)

        for there in (url, sentinel_url(watched)):  # the authority is unknown; without TLS
            strict = Browser(make_app(SESSION_REDIS_URL=there))
            assert strict.get("/readyz").json["unreachable"] == ["session store"]


def test_a_cluster_by_tls(
    tmp_path: Path, certificate: Certificate, make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    with running_cluster(tmp_path, certificate) as nodes:
        url = cluster_url(nodes).replace("redis+", "rediss+")
        app = make_app(SESSION_REDIS_URL=f"{url}?ssl_ca_certs={certificate.path}")
        lives_a_session(app, provider, clock)

        strict = Browser(make_app(SESSION_REDIS_URL=url))
        assert strict.get("/readyz").json["unreachable"] == ["session store"]


@pytest.mark.parametrize(
    ("url", "option"),
    [
        ("redis://localhost:6379/0?socket_timeout=60", "socket_timeout"),
        ("redis://localhost:6379/0?ssl_ca_certs=ca.pem", "ssl_ca_certs"),
        ("rediss://localhost:6379/0?ssl_ca_cert=ca.pem", "ssl_ca_cert"),
        ("redis+sentinel://one:26379/sessions/0?password=x", "password"),
        ("rediss+cluster://one:6379?max_connections=1", "max_connections"),
        ("unix:///run/redis.sock?decode_responses=1", "decode_responses"),
    ],
)
def test_an_option_that_is_not_understood_is_refused_at_start_by_name(
    make_app: MakeApp, url: str, option: str
) -> None:
    with pytest.raises(SystemExit) as refused:
        make_app(SESSION_REDIS_URL=url)

    assert (
        str(refused.value)
        .splitlines()[0]
        .startswith(
            f"SESSION_REDIS_URL has an option that is not understood here: {option}. Write: "
        )
    )


def test_tls_by_the_variable_that_companies_set_for_everything(
    tmp_path: Path, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TlsRedis(tmp_path) as redis:
        monkeypatch.setenv("SSL_CERT_FILE", str(redis.certificate))
        app = make_app(SESSION_REDIS_URL=f"rediss://:{QUOTED}@localhost:{redis.port}/0")

        store_of(app).get("x")


def test_a_unix_socket(tmp_path: Path, make_app: MakeApp, provider: Provider, clock: Clock) -> None:
    path = tmp_path / "redis.sock"
    with Redis(tmp_path, "--unixsocket", str(path), "--requirepass", PASSWORD):
        app = make_app(SESSION_REDIS_URL=f"unix://:{QUOTED}@{path}?db=1")
        lives_a_session(app, provider, clock)


def test_a_name_and_a_password(
    tmp_path: Path, make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    with Redis(tmp_path) as redis:
        ask(redis.port, "acl", "setuser", "app", "on", f">{PASSWORD}", "~app:*", "+@all")
        ask(redis.port, "acl", "setuser", "default", "off")
        url = f"redis://app:{QUOTED}@localhost:{redis.port}/0"
        lives_a_session(make_app(SESSION_REDIS_URL=url), provider, clock)
        wrong = make_app(SESSION_REDIS_URL=url.replace(QUOTED, "wrong"))
        assert Browser(wrong).get("/readyz").json["unreachable"] == ["session store"]
