"""For tests of your own pages: somebody signed in without a provider, and an API that answers what
the test says. See docs/test-your-pages.md."""

from __future__ import annotations

import http.server
import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from flask import Flask

from app import create_app
from auth.token_set import SESSION_KEY, SignIn, TokenSet
from sessions import current_session
from sessions.sqlite_store import SQLiteStore
from tests.support.api_pages import with_api_pages
from tests.support.harness import APP, APP_SECRET_KEY, EVERY_SETTING, Browser, environment


class Request(NamedTuple):
    """A request that the fake API received."""

    method: str
    path: str
    headers: dict[str, str]
    json: Any


class FakeApi(http.server.ThreadingHTTPServer):
    """Answers what the test says, and 404 to everything else; `requests` are those it received."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[tuple[str, str], tuple[int, Any, dict[str, str]]] = {}
        self.requests: list[Request] = []
        self.base_url = f"http://127.0.0.1:{self.server_port}"

    def says(
        self, method: str, path: str, data: Any = None, status: int = 200, **headers: str
    ) -> None:
        """Answer a request with this JSON (None: no body), status and headers."""
        self.answers[method, path] = status, data, headers


class _Handler(http.server.BaseHTTPRequestHandler):
    server: FakeApi

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path = urlsplit(self.path).path
        request = Request(
            self.command, path, dict(self.headers), json.loads(body) if body else None
        )
        self.server.requests.append(request)
        status, data, headers = self.server.answers.get((self.command, path), (404, None, {}))
        content = b"" if data is None else json.dumps(data).encode()
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # as http.server calls them

    def log_message(self, *_: object) -> None:
        pass


class SignedIn(Browser):
    """The browser of somebody who is signed in."""

    def __init__(self, app: Flask, claims: dict[str, Any], scope: str, access_token: str) -> None:
        super().__init__(app)
        claims = {"sub": "somebody", "auth_time": int(time.time()), **claims}
        now = time.time()
        tokens = TokenSet(access_token, now, now + 3600, scope.split(), None, from_sign_in=True)
        sign_in = SignIn("e30.e30.", claims, scope.split(), "", {"": tokens})
        with app.test_request_context(base_url=APP):
            refs = [app.extensions["relying_party"].ref("sub", claims["sub"])]
            data = {SESSION_KEY: sign_in.to_session()}
            current_session().start(data, refs)
            session_id = current_session().new_id
        self.client.set_cookie(app.config["SESSION_COOKIE_NAME"], str(session_id))

    def post(self, url: str, **kwargs: Any) -> Any:
        """Send a form, as one of our own pages does."""
        return super().post(url, headers={"Origin": APP, **kwargs.pop("headers", {})}, **kwargs)


@pytest.fixture
def fake_api() -> Iterator[FakeApi]:
    """An API that answers what the test says."""
    with FakeApi() as api:
        thread = threading.Thread(target=api.serve_forever, daemon=True)
        thread.start()
        yield api
        api.shutdown()
        thread.join()


@pytest.fixture
def signed_in(fake_api: FakeApi, tmp_path: Path) -> Any:
    """Somebody who is signed in: `signed_in(claims={"name": "Ada"}, scope="openid contacts")`."""

    def sign_in(
        claims: dict[str, Any] | None = None,
        scope: str = "openid profile email appointments contacts",
        access_token: str = "an-access-token",
        **settings: str,
    ) -> SignedIn:
        values = dict.fromkeys(EVERY_SETTING, "") | {
            "AUTH0_DOMAIN": "http://localhost:1",  # nobody is asked
            "AUTH0_CLIENT_ID": "app",
            "AUTH0_CLIENT_SECRET": "secret",
            "API_BASE_URL": fake_api.base_url,
            "APP_SECRET_KEY": APP_SECRET_KEY,
        }
        with environment({**values, **settings}):
            app = with_api_pages(create_app(SQLiteStore(tmp_path / "own-pages.sqlite3")))
        return SignedIn(app, claims or {}, scope, access_token)

    return sign_in
