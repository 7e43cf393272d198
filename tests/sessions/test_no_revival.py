"""No request brings back what another one ended, and none undoes what another one wrote."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask, jsonify, request, session

from sessions import SessionEnded, StoreUnavailable, current_session
from tests.conftest import Clock, MakeApp
from tests.support.harness import ADA, BEN, AtProvider, Browser, Person, Provider, post_logout
from tests.support.session_store import (
    Counted,
    key_of_session,
    same_browser,
    store_of,
    when_a_request_has_begun,
)

pytestmark = pytest.mark.usefixtures("engine")

IDLE = 10_000


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    return settings | {"SESSION_IDLE_SECONDS": str(IDLE)}


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The app with two pages that use flask.session, as those of a real one would."""
    app = make_app()

    @app.get("/notes")
    def notes() -> Any:
        return jsonify({name: session[name] for name in session if name != "auth"})

    @app.get("/note")
    def note() -> Any:
        if removed := request.args.get("without"):
            session.pop(removed)
        else:
            session.update(request.args)
        return "noted"

    @app.get("/again")
    def again() -> Any:
        try:
            current_session().reload()
        except SessionEnded:
            return jsonify(list(session))
        return "goes on"

    @app.get("/twice")
    def twice() -> Any:
        session["color"] = "red"
        current_session().commit()
        app.config["BETWEEN"]()
        session["size"] = "XL"
        return "noted"

    return app


@pytest.fixture
def person(app: Flask) -> Person:
    person = Person(Browser(app))
    person.signs_in()
    return person


def back_channel_logout(app: Flask, provider: Provider) -> None:
    token = provider.logout_token(sub=ADA, claims={"exp": {"in_seconds": IDLE}})
    assert post_logout(app, token).status_code == 200


ENDS: dict[str, Callable[[Flask, Provider, Person], Any]] = {
    "sign-out": lambda app, provider, other: other.signs_out(),
    "back-channel logout": lambda app, provider, other: back_channel_logout(app, provider),
    "a new sign-in": lambda app, provider, other: other.signs_in(),
}


@pytest.mark.parametrize("path", ["/note?color=red", "/notes"], ids=["writes", "reads"])
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_slow_request_does_not_bring_back_a_session_that_ended(
    app: Flask,
    person: Person,
    provider: Provider,
    clock: Clock,
    path: str,
    end: Callable[[Flask, Provider, Person], Any],
) -> None:
    key = key_of_session(person)
    other = same_browser(person, app)
    clock.moves(IDLE / 19)  # so that a request that only reads wants to extend the session

    with when_a_request_has_begun(path.partition("?")[0], lambda: end(app, provider, other)):
        answer = person.sees(path)

    assert answer.status_code == 200
    assert store_of(app).read(key) is None
    assert not person.is_signed_in()


def test_a_request_that_learns_of_the_end_is_nobodys_from_there_on(
    app: Flask, person: Person
) -> None:
    other = same_browser(person, app)

    with when_a_request_has_begun("/again", other.signs_out):
        answer = person.sees("/again")

    assert answer.json == []


def test_a_slow_request_does_not_bring_back_spent_tokens(
    app: Flask, person: Person, provider: Provider, clock: Clock
) -> None:
    other = same_browser(person, app)
    clock.moves(3590)

    with when_a_request_has_begun("/note", lambda: other.sees("/appointments")):
        person.sees("/note?color=red")

    assert person.sees("/notes").json == {"color": "red"}
    clock.moves(3590)
    provider.lies("refreshed_no_id_token")  # the demo's clock did not move
    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 2
    assert provider.stats()["reuse_detections"] == 0


def test_requests_that_change_different_keys_at_once_are_all_stored(
    app: Flask, person: Person
) -> None:
    together = threading.Barrier(12)

    def notes(n: int) -> int:
        browser = same_browser(person, app)
        together.wait(30)
        return int(browser.sees(f"/note?n{n}={n}").status_code)

    with ThreadPoolExecutor(12) as pool:
        assert set(pool.map(notes, range(12))) == {200}

    assert person.sees("/notes").json == {f"n{n}": str(n) for n in range(12)}


def test_what_one_request_removes_and_what_another_adds_are_both_stored(
    app: Flask, person: Person
) -> None:
    person.sees("/note?old=1")
    other = same_browser(person, app)

    with when_a_request_has_begun("/note", lambda: other.sees("/note?new=1")):
        person.sees("/note?without=old")

    assert person.sees("/notes").json == {"new": "1"}


def test_what_was_written_once_is_not_written_again_over_what_others_wrote(
    app: Flask, person: Person
) -> None:
    other = same_browser(person, app)
    app.config["BETWEEN"] = lambda: other.sees("/note?color=blue")

    person.sees("/twice")

    assert person.sees("/notes").json == {"color": "blue", "size": "XL"}


def test_flask_session_stays_for_signed_in_people_and_goes_with_them(
    app: Flask, person: Person
) -> None:
    person.sees("/note?color=red")
    assert person.sees("/notes").json == {"color": "red"}

    person.signs_in()
    assert person.sees("/notes").json == {"color": "red"}

    person.provider = AtProvider()
    person.signs_in(BEN)
    assert person.sees("/notes").json == {}


def test_the_idle_time_is_extended_once_in_a_twentieth_of_it(
    app: Flask, person: Person, clock: Clock
) -> None:
    store = Counted(app)

    for _ in range(40):
        clock.moves(IDLE / 100)
        person.sees("/notes")

    assert 5 <= store.calls["touch"] <= 8  # 40 of 100 hundredths are 8 twentieths
    assert store.writes() == store.calls["touch"]


def test_a_change_that_cannot_be_stored_is_said_so_and_tried_once(
    app: Flask, person: Person
) -> None:
    tries: list[Any] = []

    def is_away(*call: Any) -> bool:
        tries.append(call)
        raise StoreUnavailable

    Counted(app).replace = is_away

    answer = person.sees("/note?color=red")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert len(tries) == 1


def test_a_request_that_meets_many_others_gives_up_in_words(
    app: Flask, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Counted(app)
    monkeypatch.setattr(store, "replace", lambda *_: False, raising=False)

    answer = person.sees("/note?color=red")

    assert answer.status_code == 503
    assert "Your session cannot be looked up right now" in answer.text
