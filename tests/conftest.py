"""What the tests share. The provider, the API and Redis are real programs; time is movable."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket

from app import create_app
from sessions.sqlite_store import SQLiteStore
from tests.support.api_pages import with_api_pages
from tests.support.harness import (
    Api,
    Browser,
    Person,
    Provider,
    Redis,
    environment,
    serving,
    settings_at,
)
from tests.support.own_pages import fake_api, signed_in
from tests.support.scripted_provider import ScriptedProvider, visitor_of

__all__ = ["fake_api", "signed_in"]  # fixtures


class Clock:
    """Moves this process's time; the programs beside it keep the real one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ahead = 0.0
        real = time.time
        monkeypatch.setattr(time, "time", lambda: real() + self.ahead)
        monotonic = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: monotonic() + self.ahead)

    def moves(self, seconds: float) -> None:
        self.ahead += seconds


class StillClock:
    """Time that passes only when told to, however busy the machine is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = int(time.time())
        monkeypatch.setattr(time, "time", lambda: float(self.now))
        monkeypatch.setattr(time, "monotonic", lambda: float(self.now))

    def moves(self, seconds: int) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Time that moves when told to."""
    return Clock(monkeypatch)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> StillClock:
    """Time that stands still until then, to look at both sides of a limit."""
    return StillClock(monkeypatch)


@pytest.fixture(scope="session")
def provider_process() -> Iterator[Provider]:
    """The demo provider; access tokens that live an hour, consent given beforehand."""
    with Provider(access_token_seconds=3600, skip_consent=True) as provider:
        yield provider


@pytest.fixture(scope="session")
def api_process(provider_process: Provider) -> Iterator[Api]:
    with Api(provider_process.issuer, "appointments:api", "appointments,contacts") as api:
        yield api


@pytest.fixture(scope="session")
def contacts_api_process(provider_process: Provider) -> Iterator[Api]:
    with Api(provider_process.issuer, "contacts:api", "contacts") as api:
        yield api


@pytest.fixture
def provider(provider_process: Provider) -> Provider:
    """The provider, having forgotten everything and telling the truth."""
    provider_process.reset()
    return provider_process


@pytest.fixture
def api(api_process: Api) -> Api:
    api_process.reset()
    return api_process


@pytest.fixture
def contacts_api(contacts_api_process: Api) -> Api:
    contacts_api_process.reset()
    return contacts_api_process


@pytest.fixture
def scripted() -> Iterator[ScriptedProvider]:
    """A provider in a thread that shares this process's clock and does what it is told."""
    with ScriptedProvider() as provider:
        yield provider


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The system's Chromium; open a context of its own for each test."""
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    names = ("chromium", "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, names)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    with Redis(tmp_path_factory.mktemp("redis")) as redis:
        yield redis


@pytest.fixture
def redis_url(redis_process: Redis) -> str:
    """An empty Redis."""
    from redis import Redis as Client

    with Client.from_url(redis_process.url) as client:
        client.flushall()
    return redis_process.url


@pytest.fixture
def settings(provider: Provider, api: Api) -> dict[str, str]:
    """The environment of an app at the demo provider; change it before `make_app`."""
    return settings_at(provider, api)


@pytest.fixture
def base_url(provider: Provider, settings: dict[str, str]) -> Iterator[str]:
    """Where the app serves, for real browsers."""
    with serving(provider, settings) as base_url:
        yield base_url


MakeApp = Callable[..., Flask]
PersonAt = Callable[[Flask], Person]


@pytest.fixture
def make_app(settings: dict[str, str], tmp_path: Path) -> MakeApp:
    """Make an app in this process; keywords are settings that differ. Two apps that are made in
    one test share their session store, as two processes would."""

    def make(**changes: str) -> Flask:
        values = {**settings, **changes}
        with environment(values):
            if values.get("SESSION_REDIS_URL"):
                return with_api_pages(create_app())
            return with_api_pages(create_app(SQLiteStore(tmp_path / "sessions.sqlite3")))

    return make


@pytest.fixture(params=["sqlite", "redis"])
def engine(request: pytest.FixtureRequest, settings: dict[str, str]) -> str:
    """Each session store in turn; put it before `app` to run a test on both."""
    name = str(request.param)
    if name == "redis":
        settings["SESSION_REDIS_URL"] = request.getfixturevalue("redis_url")
    return name


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    return make_app()


@pytest.fixture
def scripted_app(make_app: MakeApp, scripted: ScriptedProvider) -> Flask:
    """An app at the scripted provider."""
    return make_app(AUTH0_DOMAIN=scripted.issuer)


@pytest.fixture
def visitor(scripted_app: Flask, scripted: ScriptedProvider) -> Person:
    """Somebody in front of the app at the scripted provider."""
    return visitor_of(scripted_app, scripted)


@pytest.fixture
def signed_in_visitor(visitor: Person) -> Person:
    """The same, signed in."""
    assert visitor.signs_in().status_code == 303
    return visitor


@pytest.fixture
def person(app: Flask) -> Person:
    """Somebody in front of the app."""
    return Person(Browser(app))


@pytest.fixture
def person_at() -> PersonAt:
    """Somebody in front of an app that the test made itself."""
    return lambda app: Person(Browser(app))


WithPage = Callable[..., Person]


@pytest.fixture
def with_page(make_app: MakeApp, person_at: PersonAt) -> WithPage:
    """Somebody in front of an app that has one more page, at `/page`, under these decorators."""

    def make(*decorators: Callable[[Any], Any], **changes: str) -> Person:
        app = make_app(**changes)

        def view() -> str:
            return "the page"

        for decorator in reversed(decorators):
            view = decorator(view)
        app.add_url_rule("/page", view_func=view, methods=["GET", "POST"])
        return person_at(app)

    return make


class CompiledTemplates(BytecodeCache):
    """What one app of this process compiled, for the next: each test makes an app of its own."""

    def __init__(self) -> None:
        self.code: dict[tuple[str, str], Any] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self.code.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.code[bucket.key, bucket.checksum] = bucket.code


def pytest_configure(config: Any) -> None:
    Flask.jinja_options = {"bytecode_cache": CompiledTemplates()}
    # Proxies of the machine must not see what goes to loopback.
    os.environ.setdefault("NO_PROXY", "localhost,127.0.0.1")
