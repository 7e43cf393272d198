"""Sessions end in time, fifty a person, and survive what happens to a machine."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from flask import Flask

from auth.logout import MAX_SESSIONS
from tests.conftest import Clock, MakeApp
from tests.support.harness import APP, BEN, Api, Browser, Gunicorn, HttpBrowser, Person, Provider
from tests.support.session_store import key_of_session, store_of


def test_of_more_than_fifty_sessions_of_a_person_the_least_recently_used_ends(
    engine: str, make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    app = make_app(SESSION_IDLE_SECONDS="1000")
    other = Person(Browser(app))
    other.signs_in(BEN)
    people = [Person(Browser(app)) for _ in range(MAX_SESSIONS + 1)]

    for person in people[:MAX_SESSIONS]:
        person.signs_in()
    clock.moves(60)  # more than a twentieth of the idle time, so that this use is noted
    assert people[0].is_signed_in()
    people[MAX_SESSIONS].signs_in()

    assert MAX_SESSIONS == 50
    assert [number for number, each in enumerate(people) if not each.is_signed_in()] == [1]
    assert other.is_signed_in()
    assert len(provider.requests_to("/oauth/revoke")) == 1


def test_a_record_ends_at_its_own_time_whatever_the_store_says(
    engine: str, make_app: MakeApp, clock: Clock
) -> None:
    app = make_app(SESSION_ABSOLUTE_SECONDS="1000")
    person = Person(Browser(app))
    person.signs_in()
    now = time.time()
    store_of(app).touch(key_of_session(person), now, now + 1_000_000)

    clock.moves(1001)

    assert store_of(app).read(key_of_session(person))
    assert not person.is_signed_in()
    another = Person(Browser(app))
    another.signs_in()
    assert another.sees("/sessions").text.count("<h2") == 1


def test_a_clock_set_back_signs_nobody_out_and_stops_no_refresh(
    engine: str,
    app: Flask,
    person: Person,
    provider: Provider,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    person.signs_in()
    real = time.time

    monkeypatch.setattr(time, "time", lambda: real() - 86400)
    provider.lies("refreshed_no_id_token")  # its clock is right, and so its ID tokens too new
    api.lies("api_401")  # the token has expired, which this machine cannot know

    assert person.is_signed_in()
    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 1


def delete(files: Iterable[Path]) -> None:
    for path in list(files):
        path.unlink()


@pytest.mark.parametrize("names", ["sessions.sqlite3*", "sessions.sqlite3"])
def test_deleting_the_files_of_sqlite_needs_no_restart(
    settings: dict[str, str], tmp_path: Path, names: str
) -> None:
    with Gunicorn(settings, workers=2, folder=tmp_path) as app:
        browsers = [HttpBrowser(app.base_url, APP.removeprefix("http://")) for _ in range(4)]
        before, *after = [Person(browser) for browser in browsers]
        before.signs_in()
        assert [before.is_signed_in() for _ in range(10)] == [True] * 10

        delete((tmp_path / "instance").glob(names))

        assert before.sees("/readyz").status_code == 200
        assert [before.is_signed_in() for _ in range(10)] == [False] * 10
        for person in after:
            person.signs_in()
        assert [person.is_signed_in() for person in after * 5] == [True] * 15
