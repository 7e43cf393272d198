"""A page is closed unless it says otherwise, so that the next person cannot forget."""

from __future__ import annotations

import pytest
from flask import Blueprint, Flask, session
from flask.views import MethodView

from auth import SignInNeeded, public
from tests.support.harness import Person

OPEN = {
    "/", "/login", "/callback", "/logout", "/healthz", "/readyz", "/language",
    "/backchannel-logout",
    "/static/<path:filename>",
}  # fmt: skip


def new_page() -> str:
    return "what only signed-in people may see"


def clear() -> str:
    session.clear()
    return "cleared"


class NewView(MethodView):
    def get(self) -> str:
        return new_page()

    def post(self) -> str:
        return new_page()


def add_to_app(app: Flask) -> None:
    app.add_url_rule("/new", "new", new_page)


def add_to_blueprint(app: Flask) -> None:
    bp = Blueprint("new", __name__, url_prefix="/new")
    bp.get("")(new_page)
    app.register_blueprint(bp)


def add_nested(app: Flask) -> None:
    outer, inner = Blueprint("outer", __name__), Blueprint("inner", __name__)
    inner.get("/new")(new_page)
    outer.register_blueprint(inner)
    app.register_blueprint(outer)


def add_class(app: Flask) -> None:
    app.add_url_rule("/new", view_func=NewView.as_view("new"))


def add_called_static(app: Flask) -> None:
    bp = Blueprint("static_pages", __name__)
    bp.get("/new", endpoint="static")(new_page)
    app.register_blueprint(bp)


def add_for_every_method(app: Flask) -> None:
    app.add_url_rule("/new", "new", new_page, methods=["GET", "POST", "PUT", "DELETE"])


WAYS = [
    add_to_app, add_to_blueprint, add_nested, add_class, add_called_static, add_for_every_method,
]  # fmt: skip


@pytest.mark.parametrize("add", WAYS, ids=lambda add: add.__name__)
def test_a_page_added_anywhere_is_closed(app: Flask, person: Person, add: object) -> None:
    add(app)  # type: ignore[operator]

    response = person.sees("/new")
    person.signs_in()

    assert response.status_code == 302
    assert response.headers["Location"] == "/login?return_to=/new"
    assert "only signed-in people" not in response.text
    assert "only signed-in people" in person.sees("/new").text


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PUT", "DELETE"])
def test_a_new_page_is_closed_for_every_method(app: Flask, person: Person, method: str) -> None:
    add_for_every_method(app)

    response = person.browser.request(method, "/new")

    assert response.status_code == (302 if method == "HEAD" else 401)
    assert "only signed-in people" not in response.text


def test_who_has_a_session_and_no_sign_in_in_it_sees_no_closed_page(
    app: Flask, person: Person
) -> None:
    add_to_app(app)
    app.add_url_rule("/clear", "clear", clear)
    person.signs_in()
    person.sees("/clear")

    assert person.sees("/new").headers["Location"] == "/login?return_to=/new"
    assert person.signs_in(path="/login?return_to=/new").headers["Location"] == "/new"


@pytest.mark.parametrize(
    ("change", "is_signed_in"),
    [({"finished": ["of 1.0.0"]}, True), ({"claims": None}, False), ({"token_sets": []}, False)],
)
def test_a_session_that_another_version_stored_is_a_sign_in_or_none_and_never_an_error(
    app: Flask, person: Person, change: dict[str, object], is_signed_in: bool
) -> None:
    def store() -> str:
        session["auth"] = {k: v for k, v in (session["auth"] | change).items() if v is not None}
        return "stored"

    add_to_app(app)
    app.add_url_rule("/store", "store", store)
    person.signs_in()
    person.sees("/store")

    assert person.sees("/new").status_code == (200 if is_signed_in else 302)
    assert person.sees("/").status_code == 200


def test_a_page_that_says_so_is_open(app: Flask, person: Person) -> None:
    app.add_url_rule("/new", "new", public(lambda: "for everybody"))

    assert person.sees("/new").text == "for everybody"


def test_the_open_pages_are_these_and_no_others(app: Flask, person: Person) -> None:
    open_ones = set()
    for rule in app.url_map.iter_rules():
        path = rule.rule.replace("<reference>", "A" * 22).replace("<path:filename>", "app.css")
        for method in (rule.methods or set()) & {"GET", "POST"}:
            response = person.browser.request(method, path)
            led_to_login = response.headers.get("Location", "").startswith("/login?")
            if response.status_code != 401 and not led_to_login:
                open_ones.add(rule.rule)

    assert open_ones == OPEN


def test_a_page_that_asks_for_a_sign_in_in_its_own_words_gets_one(
    app: Flask, person: Person
) -> None:
    @app.get("/new")
    def new() -> str:
        raise SignInNeeded("the invoices are another account's")

    person.signs_in()
    as_json = person.sees("/new", headers={"Accept": "application/json"})

    assert person.sees("/new").headers["Location"] == "/login?return_to=/new"
    assert (as_json.status_code, as_json.json["code"]) == (401, "sign_in_needed")
