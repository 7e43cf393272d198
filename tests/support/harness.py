"""The actors of the tests: real programs on loopback, and a person who uses them."""

from __future__ import annotations

import contextlib
import html
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from flask import Flask
from werkzeug.serving import make_server

from app import EXTRAS, create_app
from config import Settings, variables
from sessions.sqlite_store import SQLiteStore
from tests.support.api_pages import with_api_pages

ROOT = Path(__file__).resolve().parents[2]
SECRET = "the-tests-own-client-secret-0123456789"
APP = "http://localhost:3000"
# The names of the cookies at that address; under https without a port they are shorter.
SESSION_COOKIE, SIGN_IN_COOKIE, LANGUAGE_COOKIE = (
    f"app_{name}_3000" for name in ("session", "sign_in", "language")
)
APP_SECRET_KEY = "a-key-of-the-tests-that-is-long-enough-for-everybody"
START_SECONDS = 30

ADA, BEN, YUKI, CLARA, NUMBER = (
    f"demo|{name}" for name in ("ada", "ben", "yuki", "clara", "5f0c2e97")
)


def free_port() -> int:
    """A port that nothing listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


class Program:
    """A process that serves on a port; `with` starts and stops it."""

    cwd = ROOT

    def __init__(
        self, command: list[str], port: int, env: Mapping[str, str] | None = None, ready: str = ""
    ) -> None:
        self.command, self.port, self.ready = command, port, ready
        self.env = {**os.environ, **(env or {})}
        self.output: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, cwd=self.cwd, env=self.env, start_new_session=True, stdout=self.output
        )
        deadline = time.monotonic() + START_SECONDS
        while not self.is_up():
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command} ended with {self.process.returncode}")
            if time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{self.command} does not serve")
            time.sleep(0.02)

    def is_up(self) -> bool:
        if self.ready:
            try:
                return requests.get(f"http://localhost:{self.port}{self.ready}", timeout=2).ok
            except requests.RequestException:
                return False
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1):
                return True
        except OSError:
            return False

    def signal(self, number: int) -> None:
        """Send a signal to the process and its children."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def stop(self) -> None:
        if self.process is None:
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self.process.wait(5)
        self.process = None

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class Switches(Program):
    """The control surface that the demo provider and the sample APIs share."""

    def control(self, path: str, body: Any = None, method: str = "POST") -> Any:
        url = f"http://localhost:{self.port}/demo/{path}"
        response = requests.request(method, url, json=body, timeout=10)
        response.raise_for_status()
        return response.json() if response.content else None

    def lies(self, name: str | None = None, times: int = 1, **fault: Any) -> None:
        """Make the next answer (or `times` of them, 0: all) wrong in a certain way."""
        self.control("faults", {**({"name": name} if name else {}), "times": times, **fault})

    def wait_until_lied(self) -> None:
        """Wait until the requests have come that the faults are for, and are being answered."""
        deadline = time.monotonic() + START_SECONDS
        while self.control("faults", method="GET")["faults"]:
            assert time.monotonic() < deadline, "no such request came"
            time.sleep(0.02)

    def is_honest(self) -> None:
        self.control("faults", method="DELETE")

    def log(self) -> list[dict[str, Any]]:
        """Every request received since the last reset."""
        entries: list[dict[str, Any]] = self.control("log", method="GET")
        return entries

    def stats(self) -> dict[str, Any]:
        stats: dict[str, Any] = self.control("stats", method="GET")
        return stats

    def reset(self) -> None:
        self.control("reset")


def client_at(app_base_url: str) -> dict[str, Any]:
    return {
        "client_id": "demo-app",
        "client_secret": SECRET,
        "redirect_uris": [f"{app_base_url}/callback"],
        "post_logout_redirect_uris": [f"{app_base_url}/", app_base_url],
        "initiate_login_uri": f"{app_base_url}/login",
    }


class Provider(Switches):
    """The demo's OpenID provider as a process."""

    def __init__(self, *, path: str = "/", **config: Any) -> None:
        port = free_port()
        self.issuer = f"http://localhost:{port}{path}"
        command = [sys.executable, "-m", "demo.provider", "--port", str(port)]
        command += ["--issuer", self.issuer, "--client-secret", SECRET, "--app-base-url", APP]
        # Without a back-channel logout URI: nothing is sent to what listens at APP on this machine.
        for name, value in ({"clients": [client_at(APP)]} | config).items():
            command += ["--set", f"{name}={json.dumps(value)}"]
        super().__init__(command, port, ready="/demo/stats")

    def options(self, **options: Any) -> None:
        self.control("options", options)

    def registers(self, app_base_url: str) -> None:
        """Know the app under another address, until the next reset."""
        self.options(clients=[client_at(app_base_url)])

    def requests_to(self, path_end: str, grant: str | None = None) -> list[dict[str, Any]]:
        """The logged requests to an endpoint, of a grant type where one is named."""
        return [
            entry
            for entry in self.log()
            if entry["path"].endswith(path_end) and (grant is None or entry["grant_type"] == grant)
        ]

    def logout_token(self, **about: Any) -> str:
        """A logout token about a `sub`, a `sid`, or what else a test says."""
        token: str = self.control("backchannel-logout", about)["logout_token"]
        return token

    def refreshes(self) -> int:
        """How many refresh tokens were exchanged."""
        return len(self.requests_to("/oauth/token", "refresh_token"))


class Api(Switches):
    """A sample API as a process."""

    def __init__(self, issuer: str, audience: str, serves: str) -> None:
        port = free_port()
        self.base_url = f"http://localhost:{port}"
        self.audience = audience
        command = [sys.executable, "-m", "demo.api", "--port", str(port), "--issuer", issuer]
        command += ["--audience", audience, "--serves", serves]
        super().__init__(command, port, ready="/demo/stats")


class Redis(Program):
    """A Redis server of the tests' own."""

    def __init__(self, folder: Path, *options: str) -> None:
        port = free_port()
        self.url = f"redis://localhost:{port}/0"
        if shutil.which("redis-server") is None:
            raise RuntimeError("redis-server is missing; .ci/install-system-packages installs it")
        command = ["redis-server", "--port", str(port), "--dir", str(folder), "--bind"]
        command += ["127.0.0.1", "::1", "--save", "", "--loglevel", "warning", *options]
        super().__init__(command, port)


class Gunicorn(Program):
    """The app as production runs it; in a folder of its own it has an `instance/` of its own."""

    def __init__(
        self,
        settings: Mapping[str, str],
        *,
        workers: int = 1,
        folder: Path | None = None,
        **env: str,
    ) -> None:
        port = int(env.get("PORT", free_port()))
        self.base_url = f"http://localhost:{port}"
        command = [sys.executable, "-m", "gunicorn", "--log-level", "warning"]
        command += ["tests.support.api_pages:served()"]
        environment = {
            **settings,
            "PORT": str(port),
            "WEB_CONCURRENCY": str(workers),
            **env,
        }
        super().__init__(command, port, environment, ready="/healthz")
        if folder is not None:
            self.cwd = folder
            for path in ROOT.iterdir():
                if path.name not in ("instance", ".env") and not (folder / path.name).exists():
                    (folder / path.name).symlink_to(path)


@contextlib.contextmanager
def in_a_thread(app: Flask, port: int) -> Iterator[None]:
    """Serve an app there, where its server does not matter: a program takes seconds to start."""
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def serving(provider: Provider, settings: Mapping[str, str], **changes: str) -> Iterator[str]:
    """The app at an address that the provider knows, for real browsers."""
    port = free_port()
    base_url = f"http://localhost:{port}"
    provider.registers(base_url)
    with tempfile.TemporaryDirectory() as folder:
        with environment({**settings, "APP_BASE_URL": base_url, **changes}):
            app = with_api_pages(create_app(SQLiteStore(Path(folder, "sessions.sqlite3"))))
        with in_a_thread(app, port):
            yield base_url


def workers_of(gunicorn: Gunicorn) -> list[int]:
    """The process ids of its workers, as Linux knows them."""
    assert gunicorn.process is not None
    pid = gunicorn.process.pid
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for each in threads for child in (each / "children").read_text().split()]


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so; an error where it does not become so."""
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


class Browser:
    """A cookie jar and an address bar for an app that runs in this process."""

    def __init__(self, app: Flask, base_url: str = APP) -> None:
        self.client = app.test_client()
        self.base_url = base_url

    def request(self, method: str, url: str, **kwargs: Any) -> Any:
        """Send a request; `url` is a path, or absolute and under the app's address."""
        path = url.removeprefix(self.base_url) or "/"
        base_url = kwargs.pop("base_url", self.base_url)
        kwargs.setdefault("buffered", True)  # files are closed
        return self.client.open(path, method=method, base_url=base_url, **kwargs)

    def get(self, url: str, **kwargs: Any) -> Any:
        return self.request("GET", url, **kwargs)

    def post(self, url: str, **kwargs: Any) -> Any:
        return self.request("POST", url, **kwargs)

    def cookie(self, name: str) -> str | None:
        cookie = self.client.get_cookie(name)
        return cookie.value if cookie else None

    def cookies(self) -> dict[str, str]:
        return {cookie.key: cookie.value for cookie in (self.client._cookies or {}).values()}


class HttpBrowser:
    """The same over HTTP, for an app that is a process (or several behind one address)."""

    def __init__(self, base_url: str, host: str | None = None) -> None:
        self.base_url, self.host = base_url, host
        self.session = requests.Session()

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        """Send a request to the app, under the host name `host` where one is given."""
        parts = urlsplit(url)
        target = self.base_url + (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        headers = {**({"Host": self.host} if self.host else {}), **kwargs.pop("headers", {})}
        kwargs.setdefault("timeout", 60)
        return self.session.request(
            method, target, headers=headers, allow_redirects=False, **kwargs
        )

    def get(self, url: str, **kwargs: Any) -> requests.Response:
        return self.request("GET", url, **kwargs)

    def post(self, url: str, **kwargs: Any) -> requests.Response:
        return self.request("POST", url, **kwargs)


class AtProvider:
    """A browser at the demo provider, with its single sign-on cookie."""

    def __init__(self) -> None:
        self.session = requests.Session()

    def answers(
        self,
        url: str,
        who: str = ADA,
        *,
        grant: list[str] | None = None,
        refuse: str = "",
        **form: str,
    ) -> str:
        """Follow an authorization request through the provider's pages; return where it leads.

        `grant` are the scopes to consent to (None: all); `refuse` is "sign-in" or "consent".
        """
        response = self.session.get(url, allow_redirects=False, timeout=30)
        for _ in range(10):
            location = response.headers.get("Location", "")
            if location and urlsplit(location).path.endswith("/callback"):
                return location
            if location:
                address = requests.compat.urljoin(response.url, location)
                response = self.session.get(address, allow_redirects=False, timeout=30)
                continue
            if response.status_code != 200:
                raise AssertionError(f"{response.status_code}: {text_of(response)[:300]}")
            fields = self._filled_in(response.text, who, grant, refuse, form)
            response = self.session.post(
                response.url, data=fields, allow_redirects=False, timeout=30
            )
        raise AssertionError("the provider leads nowhere")

    def _filled_in(
        self, page: str, who: str, grant: list[str] | None, refuse: str, form: dict[str, str]
    ) -> list[tuple[str, str]]:
        if 'name="person"' in page:
            return [("refuse", "1")] if refuse == "sign-in" else [("person", who)]
        if 'name="allow"' in page:
            if refuse == "consent":
                return [("refuse", "1")]
            offered = re.findall(r'name="scope"[^>]*value="([^"]*)"', page)
            chosen = offered if grant is None else [scope for scope in offered if scope in grant]
            return [("allow", "1"), *(("scope", html.unescape(scope)) for scope in chosen)]
        return [*form.items()]


class Person:
    """Somebody with a browser: signs in, looks at pages, signs out."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.provider = AtProvider()

    def begins(self, path: str = "/login", **kwargs: Any) -> str:
        """Follow "Sign In"; return the URL of the authorization request."""
        response = self.browser.get(path, **kwargs)
        assert response.status_code == 302, text_of(response)
        return str(response.headers["Location"])

    def signs_in(self, who: str = ADA, path: str = "/login", **answers: Any) -> Any:
        """Sign in the whole way; return the answer of `/callback`."""
        return self.comes_back(self.provider.answers(self.begins(path), who, **answers))

    def comes_back(self, callback_url: str) -> Any:
        """Load the callback URL that the provider leads to."""
        return self.browser.get(callback_url)

    def sees(self, path: str, **kwargs: Any) -> Any:
        return self.browser.get(path, **kwargs)

    def signs_out(self) -> Any:
        return self.browser.post("/logout", headers={"Origin": self.origin()})

    def origin(self) -> str:
        return getattr(self.browser, "host_origin", None) or APP

    def is_signed_in(self) -> bool:
        return bool(self.browser.get("/profile").status_code == 200)


def post_logout(app: Flask, token: str) -> Any:
    """Send a logout token to the app, as a provider does (Back-Channel Logout 1.0 section 2.5)."""
    return Browser(app).post("/backchannel-logout", data={"logout_token": token})


def text_of(response: Any) -> str:
    """A page's words, without its tags."""
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", response.text))).strip()


def logout_url_of(response: Any) -> str:
    """Where the page after Sign Out leads: the provider's logout."""
    match = re.search(r'http-equiv="refresh" content="0; url=([^"]*)"', response.text)
    assert match, text_of(response)
    return html.unescape(match[1])


def way_on(page: str) -> str:
    """Where an error page's first link leads."""
    main = page.partition("<main")[2]
    match = re.search(r'href="([^"]*)"', main)
    assert match, page
    return html.unescape(match[1])


def query_of(url: str) -> dict[str, str]:
    """The parameters of a URL; each must be there once."""
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True)
    assert len(dict(pairs)) == len(pairs), f"a parameter comes twice in {url}"
    return dict(pairs)


def session_records(app: Flask) -> int:
    """How many sessions lie in the app's SQLite store."""
    path = app.session_interface.records.store._path  # type: ignore[attr-defined]
    with contextlib.closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("SELECT count(*) FROM sessions").fetchone()[0])


@contextlib.contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set the app's variables, and nothing but these, for as long as it lasts."""
    names = [name for name in os.environ if name.startswith(SETTING_PREFIXES)]
    before = {name: os.environ.pop(name) for name in names}
    os.environ.update(values)
    try:
        yield
    finally:
        for name in values:
            os.environ.pop(name, None)
        os.environ.update(before)


SETTING_PREFIXES = (
    "AUTH0_", "APP_", "API_", "CONTACTS_", "SESSION_", "TRUSTED_", "SHOW_", "PICTURE_",
    "LOG_", "METRICS_", "PROMETHEUS_",
)  # fmt: skip
EXTRAS_SETTINGS = [extra.Settings for extra in (import_module(f"extras.{name}") for name in EXTRAS)]
EVERY_SETTING = [
    name for name in variables(Settings, *EXTRAS_SETTINGS) if not name.endswith("_FILE")
]


def settings_at(provider: Provider, api: Api, **changes: str) -> dict[str, str]:
    """The environment of an app at the demo provider, every other setting empty."""
    return dict.fromkeys(EVERY_SETTING, "") | {
        "AUTH0_DOMAIN": provider.issuer,
        "AUTH0_CLIENT_ID": "demo-app",
        "AUTH0_CLIENT_SECRET": SECRET,
        "AUTH0_AUDIENCE": api.audience,
        "AUTH0_SCOPE": "openid profile email offline_access appointments contacts",
        "API_BASE_URL": api.base_url,
        "APP_BASE_URL": APP,
        "APP_SECRET_KEY": APP_SECRET_KEY,
        **changes,
    }
