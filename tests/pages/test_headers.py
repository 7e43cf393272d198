"""The headers of every answer, whatever the route, the visitor and the error."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.harness import Api, Browser, Gunicorn, Person, Program, free_port
from tests.support.raw_api import sent

JSON = {"Accept": "application/json"}
ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
SECURE_APP = "https://daybook.example"
# What libraries and servers are called, and their versions.
SOFTWARE = re.compile(
    r"(werkzeug|python|gunicorn|flask)/|"
    + "|".join(re.escape(version(name)) for name in ("flask", "werkzeug", "gunicorn"))
    + "|" + re.escape(sys.version.split()[0]),
    re.IGNORECASE,
)  # fmt: skip


def directives_of(response: Any) -> dict[str, str]:
    policy = response.headers["Content-Security-Policy"]
    pairs = (directive.strip().partition(" ") for directive in policy.split(";"))
    return {name: value for name, _, value in pairs}


def every_answer(app: Flask, person: Person) -> Iterator[tuple[str, Any]]:
    """Each route by each usual method, as a page and as JSON; and answers without a route."""
    paths = {
        rule.rule.replace("<reference>", "A" * 22).replace("<path:filename>", "app.css")
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "auth.logout"  # it would end the person's session: see below
    }
    for path in sorted(paths | {"/nowhere", "/static/nowhere", "//profile"}):
        for method in ("GET", "POST", "HEAD", "OPTIONS", "DELETE"):
            yield f"{method} {path}", person.browser.request(method, path)
        yield f"JSON {path}", person.sees(path, headers=JSON)
    yield "cross-site", person.browser.post("/logout", headers={"Origin": "null"})
    yield "another host", person.sees("/", base_url="http://evil.example")
    yield "a file of another host", person.sees("/static/app.css", base_url="http://evil.example")
    yield "a post to another host", person.browser.post("/logout", base_url="http://evil.example")
    yield "too large", person.browser.post("/logout", data=b"x" * 100_000)
    yield "bad parameter", person.sees("/login?login_hint=%00")
    yield "sign-out", person.browser.post("/logout")


ASKED: dict[str, dict[str, Any]] = {}  # once for all tests


@pytest.fixture(params=["signed out", "signed in"])
def answers(request: pytest.FixtureRequest, app: Flask, person: Person) -> dict[str, Any]:
    if request.param not in ASKED:
        if request.param == "signed in":
            person.signs_in()
        ASKED[request.param] = dict(every_answer(app, person))
    return ASKED[request.param]


def test_every_answer_has_every_header(answers: dict[str, Any]) -> None:
    assert len(answers) > 60
    for name, answer in answers.items():
        for header, value in ALWAYS.items():
            assert answer.headers.getlist(header) == [value], f"{header} of {name}"
        assert "camera=()" in answer.headers["Permissions-Policy"], name
        assert "Strict-Transport-Security" not in answer.headers, name


def test_every_answer_has_a_strict_policy(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        policy = directives_of(answer)
        assert policy["default-src"] == "'none'", name
        assert policy["frame-ancestors"] == "'none'", name
        assert policy["base-uri"] == "'none'", name
        assert policy["form-action"] == "'self'", name
        text = answer.headers["Content-Security-Policy"]
        assert "unsafe-" not in text, name
        assert "*" not in text, name
        assert "data:" not in text, name


def test_no_answer_may_be_stored(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        if re.fullmatch(r"(GET|HEAD|JSON) /static/app.css|OPTIONS /static/.*", name):
            continue  # the same for everybody
        assert answer.headers.get("Cache-Control") == "no-store", name


def test_the_stylesheet_is_kept_and_depends_on_nobody(person: Person) -> None:
    person.signs_in()

    answer = person.sees("/static/app.css")

    assert answer.headers["Cache-Control"] != "no-store"
    assert "Vary" not in answer.headers
    assert "Set-Cookie" not in answer.headers


def test_no_answer_names_a_software_version(answers: dict[str, Any]) -> None:
    for name, answer in answers.items():
        assert not SOFTWARE.search(str(answer.headers)), name
        if not name.endswith("/static/app.css"):
            assert not SOFTWARE.search(answer.text), name


def test_no_page_needs_what_the_policy_forbids(answers: dict[str, Any]) -> None:
    pages = [answer.text for answer in answers.values() if answer.mimetype == "text/html"]

    assert len(pages) > 10
    for page in pages:
        assert not re.search(
            r"<script(?! src=)|<style|\sstyle=|\son[a-z]+=|javascript:|data:", page
        )


@pytest.mark.parametrize("path", ["/", "/profile", "/login", "/nowhere", "/healthz"])
def test_over_https_every_answer_asks_for_https_in_future(make_app: MakeApp, path: str) -> None:
    browser = Browser(make_app(APP_BASE_URL=SECURE_APP), SECURE_APP)

    value = browser.get(path).headers["Strict-Transport-Security"]

    assert int(value.partition("max-age=")[2].partition(";")[0]) >= 31536000


def test_headers_come_also_when_the_app_itself_fails(app: Flask, person: Person) -> None:
    def fails() -> None:
        raise RuntimeError("a secret of ours")

    app.add_url_rule("/fails", "fails", fails)
    person.signs_in()

    answer = person.sees("/fails")

    assert answer.status_code == 500
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert "secret" not in answer.text


# The servers


@pytest.fixture(params=["gunicorn", "flask run"])
def server(
    request: pytest.FixtureRequest, settings: dict[str, str], redis_url: str, api: Api
) -> Iterator[str]:
    settings["SESSION_REDIS_URL"] = redis_url
    program: Program = Gunicorn(settings)
    if request.param == "flask run":
        port = free_port()
        command = [sys.executable, "-m", "flask", "--app", "app", "run", "--port", str(port)]
        program = Program(command, port, {**os.environ, **settings}, ready="/healthz")
    with program:
        yield f"http://localhost:{program.port}"


BAD_REQUESTS = {
    "no request line": b"GARBAGE\r\n\r\n",
    "no known version": b"GET / HTTP/9.9\r\n\r\n",
    "a request line without end": b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n",
    "too many headers": b"GET / HTTP/1.1\r\n" + b"X-A: b\r\n" * 200 + b"\r\n",
    "a good one": b"GET / HTTP/1.1\r\nHost: localhost:3000\r\nConnection: close\r\n\r\n",
    "an unknown page": b"GET /x HTTP/1.1\r\nHost: localhost:3000\r\nConnection: close\r\n\r\n",
}


def test_no_server_names_its_version_or_says_a_header_twice(server: str) -> None:
    answers = {name: sent(server, request) for name, request in BAD_REQUESTS.items()}

    for name, answer in answers.items():
        assert answer, name
        assert not SOFTWARE.search(answer), (name, answer[:300])
    for header in (*ALWAYS, "Content-Security-Policy", "Cache-Control", "Server"):
        assert answers["a good one"].count(f"\r\n{header}: ") == 1, header
