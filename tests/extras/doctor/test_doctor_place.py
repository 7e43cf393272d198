"""The doctor on the API, the session store, and what has to be so before production."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from extras.doctor import place
from tests.conftest import Clock, MakeApp
from tests.support.doctor import Examined
from tests.support.harness import ADA, ROOT, SECRET, Api, Person, free_port
from tests.support.scripted_provider import ScriptedProvider, visitor_of, with_mac


@pytest.fixture
def server() -> Iterator[Callable[[Callable[[Any], tuple[int, str]]], str]]:
    """Serve what a function of the request answers (status, Location); returns the address."""
    servers = []

    def serve(answer: Callable[[Any], tuple[int, str]]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, location = answer(self)
                self.send_response(status)
                self.send_header("Location", location)
                self.end_headers()
                self.wfile.write(b'{"status": "ok"}')

            def log_message(self, *_: Any) -> None:
                pass

        made = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(made)
        threading.Thread(target=made.serve_forever, args=(0.02,)).start()
        return f"http://localhost:{made.server_port}"

    yield serve
    for each in servers:
        each.shutdown()
        each.server_close()


Serve = Callable[[Callable[[Any], tuple[int, str]]], str]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda asked: (200, ""), "answers 200 without an access token"),
        (
            lambda asked: (200 if asked.headers["Authorization"] else 401, ""),
            "and 200 to an invented one",
        ),
        (lambda asked: (500, ""), "answers 500 without an access token"),
    ],
    ids=["open to all", "open to every token", "broken"],
)
def test_an_api_that_does_not_demand_a_token_is_found(
    make_app: MakeApp, server: Serve, answer: Any, words: str
) -> None:
    examined = Examined(make_app(API_BASE_URL=server(answer)))

    assert "API" in examined.wrong()
    assert words in examined.of("API")


def test_a_session_store_that_is_away_is_found(make_app: MakeApp) -> None:
    examined = Examined(make_app(SESSION_REDIS_URL=f"redis://localhost:{free_port()}/0"))

    assert examined.wrong() == {"session store"}


def test_a_session_store_in_redis_is_asked(make_app: MakeApp, redis_url: str) -> None:
    examined = Examined(make_app(SESSION_REDIS_URL=redis_url))

    assert examined.of("session store").startswith("ok Redis answers")


def test_an_app_that_answers_at_its_address_is_recognized(make_app: MakeApp, base_url: str) -> None:
    examined = Examined(make_app(APP_BASE_URL=base_url))

    assert examined.of("reverse proxy").startswith(f"ok {base_url} leads here")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda asked: (302, f"http://{asked.headers['Host']}/"), "TRUSTED_PROXY_HOPS"),
        (lambda asked: (404, ""), "answered by something else"),
    ],
    ids=["a proxy that hides the host name", "another program"],
)
def test_an_address_that_does_not_lead_here_is_explained(
    make_app: MakeApp, server: Serve, answer: Any, words: str
) -> None:
    examined = Examined(make_app(APP_BASE_URL=server(answer)))

    assert words in examined.of("reverse proxy")


def test_a_readable_settings_file_is_found(make_app: MakeApp, tmp_path: Path) -> None:
    (tmp_path / ".env").touch()
    (tmp_path / ".env").chmod(0o644)
    app = make_app(APP_BASE_URL="https://app.invalid")
    app.root_path = str(tmp_path)

    assert "chmod 600 .env" in Examined(app).of("settings file")


@pytest.mark.parametrize("variable", ["FLASK_DEBUG", "SHOW_FLOW"])
def test_what_shows_the_inside_is_found(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    app = make_app(APP_BASE_URL="https://app.invalid")
    monkeypatch.setenv(variable, "1")

    assert f"wrong {variable}" in Examined(app).of("debugging")


def test_redis_without_tls_elsewhere_is_mentioned(
    make_app: MakeApp, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "is_loopback", lambda host: False)

    assert "rediss://" in Examined(make_app(SESSION_REDIS_URL=redis_url)).of("session store")


@pytest.mark.parametrize(
    ("changes", "subject", "said"),
    [
        ({"API_BASE_URL": ""}, "API", "note none"),
        ({"AUTH0_AUTHORIZE_PARAMS": "resource=appointments:api"}, "access token", ""),
        (
            {"APP_SECRET_KEY": f"{SECRET},{SECRET}2"},
            "secret key",
            "ok looks random, and is long enough \nnote 2: the old ones can go",
        ),
        ({"SESSION_ABSOLUTE_SECONDS": "9999999"}, "session lifetime", "note sessions end"),
        ({"APP_BASE_URL": "https://app.invalid"}, "public address", "ok https://app.invalid"),
        ({}, "public address", "note before production"),
        ({"APP_BASE_URL": "https://a.invalid"}, "reverse proxy", "TRUSTED_PROXY_HOPS=1, behind"),
        ({"AUTH0_SCOPE": "openid"}, "refresh token", "AUTH0_SCOPE: add offline_access"),
        ({"AUTH0_AUDIENCE": ""}, "access token", "good for /userinfo only"),
    ],
    ids=[
        *("no API", "a resource", "several keys", "long sessions", "https address"),
        *("on this machine", "no proxy", "no offline_access", "no audience"),
    ],
)
def test_what_is_no_fault_is_examined_too(
    make_app: MakeApp, changes: dict[str, str], subject: str, said: str
) -> None:
    examined = Examined(make_app(**changes))

    assert said in examined.of(subject)
    assert subject not in examined.wrong()


def test_the_checklist_of_the_documents_is_the_doctors() -> None:
    listed = re.findall(r"^\| \*\*(.+?)\*\* \|", (ROOT / "docs/production.md").read_text(), re.M)

    assert listed == [check.__name__.replace("_", " ") for check in place.PRODUCTION]


def test_a_signed_in_persons_access_token_is_tried(app: Flask, person: Person) -> None:
    person.signs_in()

    assert "answers 200 to it" in Examined(app, "--sub", ADA).of("access token")


def test_nobody_who_is_not_signed_in_has_one(app: Flask) -> None:
    assert Examined(app, "--sub", ADA).of("access token").startswith("note nobody")


def test_one_that_has_expired_is_not_blamed_on_the_api(
    app: Flask, person: Person, clock: Clock, api: Api
) -> None:
    person.signs_in()
    clock.moves(3700)

    assert Examined(app, "--sub", ADA).of("access token").startswith("note it has expired")


@pytest.mark.parametrize(
    ("audience", "access_token", "why"),
    [
        ("appointments:api", "opaque", "it is opaque, only the provider can read it "),
        ("", "opaque", "it is opaque, only the provider"),
        ("", {"aud": "demo-app"}, "its aud is 'demo-app', its iss"),
        ("appointments:api", {"aud": ["a", "b"]}, "'b']\", and not appointments:api"),
        ("appointments:api", {"aud": "appointments:api"}, "the API wants others"),
        ("appointments:api", ["no claims"], "it is opaque"),
    ],
    ids=["opaque", "opaque, no audience", "no audience", "wrong", "right", "nonsense"],
)
def test_an_api_that_refuses_it_gets_the_hint_that_fits(
    make_app: MakeApp, scripted: ScriptedProvider, server: Serve,
    audience: str, access_token: Any, why: str,
) -> None:  # fmt: skip
    is_jwt = not isinstance(access_token, str)
    scripted.token["access_token"] = with_mac(access_token, b"k") if is_jwt else access_token
    api = server(lambda asked: (401, ""))
    app = make_app(AUTH0_DOMAIN=scripted.issuer, API_BASE_URL=api, AUTH0_AUDIENCE=audience)
    visitor_of(app, scripted).signs_in()

    examined = Examined(app, "--sub", "scripted|ada")

    assert "access token" in examined.wrong()
    assert why in examined.of("access token")
