"""The password of Redis is in no log, whatever goes wrong with it: tracebacks are logged too."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import session
from redis import Redis as Client

from sessions import StoreUnavailable
from sessions.redis_store import RedisStore
from tests.conftest import MakeApp, PersonAt
from tests.support.harness import SESSION_COOKIE, Gunicorn, HttpBrowser, Redis, free_port

PASSWORD = "hunter2-of-redis"
OTHER = "another-password"

Changes = Callable[[Client], object]
WRONG: dict[str, Changes] = {
    "a password that was changed": lambda redis: redis.config_set("requirepass", OTHER),
    "a user who may do less": lambda redis: redis.acl_setuser("default", commands=["-eval"]),
    "a store that only reads": lambda redis: redis.config_set("min-replicas-to-write", 1),
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_the_password_is_not_logged_when_it_goes_wrong_meanwhile(
    make_app: MakeApp,
    person_at: PersonAt,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    changes: Changes,
) -> None:
    with Redis(tmp_path, "--requirepass", PASSWORD) as redis:
        url = redis.url.replace("localhost", f":{PASSWORD}@localhost")
        app = make_app(SESSION_REDIS_URL=url)
        app.add_url_rule("/note", view_func=lambda: session.update(note="x") or "noted")
        person = person_at(app)
        person.signs_in()
        with Client.from_url(url) as client:
            changes(client)
            client.client_kill_filter(_type="normal", skipme=True)

        pages = [person.sees(path).status_code for path in ("/note", "/profile", "/readyz")]

    assert pages[0] == 503
    logged = capsys.readouterr()
    assert "store_unavailable" in caplog.text
    assert PASSWORD not in logged.out + logged.err + caplog.text


def renamed(command: str) -> tuple[str, str, str]:
    return "--rename-command", command, f"{command}-OF-OURS"


def test_a_server_that_repeats_what_it_was_sent_is_not_quoted(tmp_path: Path) -> None:
    with Redis(tmp_path, *renamed("AUTH"), *renamed("HELLO")) as redis:
        store = RedisStore(redis.url.replace("localhost", f":{PASSWORD}@localhost"), 60)

        with pytest.raises(StoreUnavailable) as error:
            store.get("x")

    assert PASSWORD not in "".join(traceback.format_exception(error.value))


def test_the_password_is_not_logged_at_a_start_without_redis(
    settings: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    settings["SESSION_REDIS_URL"] = f"redis://somebody:{PASSWORD}@localhost:{free_port()}/0"
    with Gunicorn(settings) as app:
        browser = HttpBrowser(app.base_url, host="localhost:3000")
        browser.session.headers["Cookie"] = f"{SESSION_COOKIE}={'A' * 43}"
        pages = [browser.get(path).status_code for path in ("/profile", "/readyz", "/")]

    assert pages[:2] == [503, 503]
    logged = capfd.readouterr()
    assert "store_unavailable" in logged.out
    assert PASSWORD not in logged.out + logged.err
