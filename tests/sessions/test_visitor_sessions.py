"""`flask.session` of somebody who is not signed in: an encrypted cookie, nothing at the store."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, flash, get_flashed_messages, jsonify, request, session

from auth import public, without_session
from tests.conftest import MakeApp
from tests.support.harness import SESSION_COOKIE, Browser, Person, free_port
from tests.support.session_store import Counted


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """The app with pages that use flask.session and that everybody may see."""
    app = make_app()

    @app.get("/notes")
    @public
    def notes() -> Any:
        return jsonify({name: session[name] for name in session if name != "auth"})

    @app.get("/note")
    @public
    def note() -> str:
        session.update(request.args)
        return "noted"

    @app.get("/forget")
    @public
    def forget() -> str:
        session.clear()
        return "forgotten"

    @app.get("/flash")
    @public
    def flashes() -> str:
        flash("Saved.")
        return "flashed"

    @app.get("/flashed")
    @public
    def flashed() -> Any:
        return jsonify(get_flashed_messages())

    @app.get("/long")
    @public
    def long() -> str:
        session["text"] = "x" * int(request.args["length"])
        return "noted"

    return app


def test_what_a_visitor_leaves_is_there_at_the_next_request(app: Flask, person: Person) -> None:
    store = Counted(app)

    person.sees("/note?color=red")
    person.sees("/note?size=XL")

    assert person.sees("/notes").json == {"color": "red", "size": "XL"}
    assert store.calls == {}


def test_a_message_is_flashed_once(app: Flask, person: Person) -> None:
    store = Counted(app)
    person.sees("/flash")

    assert person.sees("/flashed").json == ["Saved."]
    assert person.sees("/flashed").json == []
    assert store.calls == {}
    assert person.browser.cookie(SESSION_COOKIE) is None


def test_the_cookie_shows_nothing_and_is_protected(person: Person) -> None:
    response = person.sees("/note?color=vermilion")

    [line] = response.headers.getlist("Set-Cookie")
    assert "vermilion" not in line
    assert "color" not in line
    assert {"HttpOnly", "SameSite=Lax", "Path=/"} <= {part.strip() for part in line.split(";")}
    assert response.headers["Cache-Control"] == "no-store"


def test_an_emptied_session_takes_its_cookie_along(person: Person) -> None:
    person.sees("/note?color=red")

    person.sees("/forget")

    assert person.browser.cookie(SESSION_COOKIE) is None


def test_a_visitor_who_stores_nothing_gets_no_cookie(person: Person) -> None:
    assert "Set-Cookie" not in person.sees("/notes").headers
    assert "Set-Cookie" not in person.sees("/").headers


@pytest.mark.parametrize("change", ["cut", "one character changed", "of another key"])
def test_a_cookie_that_somebody_changed_is_an_empty_session(
    make_app: MakeApp, app: Flask, person: Person, change: str
) -> None:
    person.sees("/note?color=red")
    cookie = person.browser.cookie(SESSION_COOKIE)
    assert cookie
    changed = {
        "cut": cookie[:-4],
        "one character changed": cookie[:30] + ("A" if cookie[30] != "A" else "B") + cookie[31:],
        "of another key": cookie,
    }[change]
    if change == "of another key":
        app.session_interface = make_app(APP_SECRET_KEY="another-key-" * 4).session_interface
    person.browser.client.set_cookie(SESSION_COOKIE, changed)

    assert person.sees("/notes").json == {}


def test_more_than_two_kilobytes_are_an_error_that_says_so(
    app: Flask, person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    assert person.sees("/long?length=1400").status_code == 200
    assert len(person.browser.cookie(SESSION_COOKIE) or "") <= 2048
    person.sees("/forget")

    response = person.sees("/long?length=1600")

    assert response.status_code == 500
    assert "flask.session of a visitor is a cookie of at most 2048 bytes" in caplog.text
    assert "text" in caplog.text
    assert person.sees("/notes").json == {}


def test_what_a_visitor_left_stays_over_the_sign_in_and_goes_with_the_sign_out(
    engine: str, app: Flask, person: Person
) -> None:
    person.sees("/note?color=red")

    person.signs_in()
    assert person.sees("/notes").json == {"color": "red"}

    person.signs_out()
    assert person.sees("/notes").json == {}


def test_a_cookie_of_a_visitor_signs_nobody_in(app: Flask, person: Person) -> None:
    person.sees("/note?auth=x&color=red")

    assert person.sees("/profile").status_code == 302
    assert Browser(app).get("/notes").json == {}


def test_a_request_that_a_sign_in_overtook_leaves_the_newer_cookie(
    app: Flask, person: Person
) -> None:
    person.signs_in()
    earlier = Browser(app)
    earlier.client.set_cookie(SESSION_COOKIE, person.browser.cookies()[SESSION_COOKIE])
    person.signs_in()

    response = earlier.get("/note?color=red")

    assert response.text == "noted"
    assert "Set-Cookie" not in response.headers


def test_a_store_that_is_away_costs_nobody_their_cookie(make_app: MakeApp) -> None:
    app = make_app(SESSION_REDIS_URL=f"redis://localhost:{free_port()}")
    app.add_url_rule("/flashes", view_func=without_session(lambda: flash("x") or "done"))
    browser = Browser(app)
    browser.client.set_cookie(SESSION_COOKIE, "A" * 43)

    response = browser.get("/flashes")

    assert response.text == "done"
    assert browser.cookie(SESSION_COOKIE) == "A" * 43
