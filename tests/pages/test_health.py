"""Health: alive, able to serve, and who is missing; and a handful of connections for everything."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from redis import Redis as Client

from tests.conftest import Clock, MakeApp
from tests.support.harness import (
    SESSION_COOKIE,
    Api,
    Browser,
    Gunicorn,
    Person,
    Provider,
    Redis,
)
from tests.support.scripted_provider import ScriptedProvider, says


def test_ready_when_session_store_and_provider_can_be_reached(engine: str, app: Flask) -> None:
    assert Browser(app).get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "whatever", "evil.example"])
def test_health_answers_under_every_name(app: Flask, path: str, host: str) -> None:
    response = Browser(app).get(path, headers={"Host": host})

    assert response.status_code == 200
    assert host.partition(":")[0] not in f"{response.headers}{response.text}"


def test_a_page_whose_address_begins_like_a_probe_has_its_session(
    app: Flask, person: Person
) -> None:
    app.add_url_rule("/readyz-report", view_func=lambda: "who is ready")
    person.signs_in()

    assert person.sees("/readyz-report").text == "who is ready"


def test_not_ready_until_the_providers_metadata_is_known(
    scripted_app: Flask, scripted: ScriptedProvider, clock: Clock
) -> None:
    browser, away = Browser(scripted_app), {"openid-configuration": says(b"", 500)}
    scripted.scripts = away
    before = browser.get("/readyz")

    scripted.scripts = {}
    clock.moves(2)
    known = browser.get("/readyz")
    scripted.scripts = away
    clock.moves(3601)
    later = browser.get("/readyz")

    assert (before.status_code, known.status_code, later.status_code) == (503, 200, 200)
    assert before.get_json()["unreachable"] == ["provider metadata"]


def test_not_ready_while_the_metadata_is_somebody_elses(app: Flask, provider: Provider) -> None:
    provider.lies("metadata_wrong_issuer", times=0)

    response = Browser(app).get("/readyz")

    assert response.status_code == 503
    assert "provider metadata" in response.text


Changes = Callable[[Client], object]
UNUSABLE: dict[str, Changes] = {
    "that only reads": lambda redis: redis.replicaof("localhost", 9),
    "that is full": lambda redis: redis.config_set("maxmemory", 1),
    "that runs no scripts": lambda redis: redis.acl_setuser("default", commands=["-@scripting"]),
    "that does not let us write": lambda redis: redis.acl_setuser("default", commands=["-set"]),
}


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE)
def test_not_ready_with_a_redis(make_app: MakeApp, tmp_path: Path, changes: Changes) -> None:
    with Redis(tmp_path) as redis, Client.from_url(redis.url) as client:
        browser = Browser(make_app(SESSION_REDIS_URL=redis.url))
        assert browser.get("/readyz").status_code == 200
        changes(client)

        response = browser.get("/readyz")

    assert response.status_code == 503
    assert response.get_json()["unreachable"] == ["session store"]


# What hangs.


@pytest.fixture
def mute() -> Iterator[int]:
    """A port where connections are taken and nobody ever answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(200)
        yield server.getsockname()[1]


def test_answers_within_two_seconds_and_without_queueing_while_redis_and_the_provider_hang(
    settings: dict[str, str], mute: int
) -> None:
    settings["AUTH0_DOMAIN"] = f"http://127.0.0.1:{mute}/"
    settings["SESSION_REDIS_URL"] = f"redis://127.0.0.1:{mute}"
    cookie = {"Cookie": f"{SESSION_COOKIE}={'a' * 43}"}

    def ask(path: str) -> tuple[Any, float]:
        began = time.monotonic()
        response = requests.get(f"{app.base_url}{path}", headers=cookie, timeout=30)
        return response, time.monotonic() - began

    with Gunicorn(settings) as app, ThreadPoolExecutor(13) as pool:
        asked = [pool.submit(ask, "/readyz") for _ in range(12)]
        alive, seconds = pool.submit(ask, "/healthz").result()
        answers = [each.result() for each in asked]
        later, _ = ask("/readyz")

    # Two seconds at most by the app; a busy machine adds its own.
    assert (alive.status_code, seconds < 1.7) == (200, True)
    for response, _ in [*answers, (later, 0)]:
        assert response.status_code == 503
        assert response.json()["unreachable"] == ["session store", "provider metadata"]
    assert max(seconds for _, seconds in answers) < 3.5


# Connections.


def connections_of_the_app(log: list[dict[str, object]]) -> set[object]:
    """Those on which the app itself asked; the tests' browsers have others."""
    paths = ("/oauth/token", "/jwks.json", "/openid-configuration", "/appointments", "/contacts")
    return {entry["connection"] for entry in log if str(entry["path"]).endswith(paths)}


def test_many_sign_ins_and_pages_use_a_handful_of_connections(
    person: Person, provider: Provider, api: Api
) -> None:
    for _ in range(30):
        person.signs_in()
        assert person.sees("/appointments").status_code == 200

    assert len(api.log()) == 30
    assert len(provider.requests_to("/oauth/token")) == 30
    assert len(connections_of_the_app(provider.log())) <= 5
    assert len(connections_of_the_app(api.log())) <= 5


def test_threads_share_a_pool_of_connections(app: Flask, api: Api) -> None:
    people = [Person(Browser(app)) for _ in range(4)]
    for each in people:
        each.signs_in()

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda n: people[n % 4].sees("/contacts").status_code, range(40)))

    assert pages == [200] * 40
    assert len(connections_of_the_app(api.log())) <= 8
