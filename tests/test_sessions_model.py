"""Sign-in, pages, refresh, sign-out and back-channel logout, interleaved in every way.

Two apps share a store, as two processes would. Each request is a thread that stops before every
call of the store, and after every answer of the token endpoint; hypothesis says who goes on.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from auth import access, signals
from sessions.interface import key_of

from .conftest import Clock, MakeApp
from .harness import ADA, AtProvider, Browser, Person, Provider
from .session_store import store_of

# By hand, for an hour: EXAMPLES=1000 pytest tests/test_sessions_model.py
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
LIFETIME = 60
# What takes part in a race: a request, of which browser, at which app. Pages are most of it.
REQUESTS = [
    *[("page", which, app) for which in (0, 0, 1) for app in (0, 1)],
    *[(kind, 0, app) for kind in ("sign_out", "logout", "sign_in") for app in (0, 1)],
]


class Worker(threading.Thread):
    """A request that goes from stop to stop when it is told to."""

    def __init__(self, does: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.does = does
        self.goes, self.stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.answer: Any = None
        self.failure: BaseException | None = None
        self.done = False
        self.start()
        self.is_waited_for()

    def run(self) -> None:
        try:
            self.answer = self.does()
        except BaseException as failure:
            self.failure = failure
        self.done = True
        self.stopped.release()

    def is_waited_for(self) -> None:
        assert self.stopped.acquire(timeout=60), "a request hangs"

    def goes_on(self) -> None:
        self.goes.release()
        self.is_waited_for()

    @staticmethod
    def stops(*_: Any, **__: Any) -> None:
        """Called where a request may be overtaken; other threads pass."""
        worker = threading.current_thread()
        if isinstance(worker, Worker):
            worker.stopped.release()
            worker.goes.acquire()


class SteppedStore:
    """A store before which every request stops."""

    def __init__(self, app: Flask) -> None:
        self._store = store_of(app)
        app.session_interface.store = self  # type: ignore[attr-defined]  # it is ours

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def stepped(*args: Any) -> Any:
            Worker.stops()
            return method(*args)

        return stepped


class Sessions(RuleBasedStateMachine):
    """One person in two browsers, whose requests race at one app and another."""

    apps: list[Flask]
    provider: Provider
    clock: Clock
    wipe: Callable[[], None]

    @initialize()
    def begin(self) -> None:
        self.wipe()
        self.clock.ahead = 0.0
        self.provider.reset()
        self.provider.options(access_token_seconds=LIFETIME)
        self.at_provider = AtProvider()
        self.cookies: list[str | None] = [None, None]
        self.ended: set[str] = set()
        self.logouts = 0

    @rule(
        requests=st.lists(st.sampled_from(REQUESTS), min_size=2, max_size=4),
        turns=st.lists(st.integers(0, 3), max_size=40),
        expired=st.booleans(),
    )
    def race(self, requests: list[tuple[str, int, int]], turns: list[int], expired: bool) -> None:
        kinds = [kind for kind, _, _ in requests]
        self.kinds, self.sign_ins = set(kinds), kinds.count("sign_in")
        self.doubtful: set[str] = set()
        for which, cookie in enumerate(self.cookies):
            if cookie is None or key_of(cookie) in self.ended:
                self.signs_in(which, app=which)
                assert self.cookies[which] != cookie
        if expired:
            self.clock.moves(LIFETIME + 1)
        before = len(self.spent())
        workers = [Worker(getattr(self, kind)(*rest)) for kind, *rest in requests]
        for turn in turns:
            waiting = [worker for worker in workers if not worker.done]
            if waiting:
                waiting[turn % len(waiting)].goes_on()
        while not all(worker.done for worker in workers):
            for worker in workers:
                if not worker.done:
                    worker.goes_on()

        for worker in workers:
            if worker.failure is not None:
                raise worker.failure
        in_browsers = {which for kind, which, _ in requests if kind == "page"}
        assert len(self.spent()) - before <= len(in_browsers) * expired, "two refreshes"
        self.what_is_left_works()

    # The requests. Each reads its cookie at once, and is carried out as the race goes.

    def browser(self, which: int, app: int) -> Browser:
        browser = Browser(self.apps[app])
        if cookie := self.cookies[which]:
            browser.client.set_cookie("app_session", cookie, domain="localhost")
        return browser

    def page(self, which: int, app: int) -> Callable[[], None]:
        browser = self.browser(which, app)

        def opens() -> None:
            status = browser.get("/appointments").status_code
            assert status in ((200,) if self.kinds == {"page"} else (200, 302)), status

        return opens

    def sign_out(self, which: int, app: int) -> Callable[[], None]:
        person, cookie = Person(self.browser(which, app)), self.cookies[which]

        def signs_out() -> None:
            assert person.signs_out().status_code == 302
            self.ended.add(key_of(cookie or ""))

        return signs_out

    def logout(self, which: int, app: int) -> Callable[[], None]:
        # A time of its own each: what is the same for two of them would depend on the real clock.
        self.logouts += 1
        times = {"iat": {"in_seconds": self.logouts - 60}, "exp": {"in_seconds": 7200}}
        values = {"sub": ADA, "claims": times}
        token = self.provider.control("backchannel-logout", values)["logout_token"]
        browser, meant = Browser(self.apps[app]), [key_of(cookie or "") for cookie in self.cookies]

        def is_told() -> None:
            form = {"logout_token": token}
            assert browser.post("/backchannel-logout", data=form).status_code == 200
            self.ended.update(meant)

        return is_told

    def sign_in(self, which: int, app: int) -> Callable[[], None]:
        return lambda: self.signs_in(which, app)

    def signs_in(self, which: int, app: int) -> None:
        earlier = self.cookies[which]
        person = Person(self.browser(which, app))
        person.provider = self.at_provider
        if person.signs_in().status_code != 303:
            # Another one ended the session that this sign-in was to replace: this one counts not.
            assert self.kinds & {"sign_out", "logout"} or self.sign_ins > 1
            return
        self.cookies[which] = cookie = person.browser.cookie("app_session")
        if earlier:
            self.ended.add(key_of(earlier))
        # A logout that is under way may end a session that began after it, or may not.
        self.doubtful.add(key_of(cookie or ""))

    # What must be true after each race.

    def spent(self) -> list[str]:
        entries = self.provider.requests_to("/oauth/token", "refresh_token")
        return [entry["form"]["refresh_token"] for entry in entries]

    def what_is_left_works(self) -> None:
        store = store_of(self.apps[0])
        assert [key for key in self.ended if store.read(key)] == [], "revived"
        self.clock.moves(LIFETIME + 1)
        for which, cookie in enumerate(self.cookies):
            key = key_of(cookie or "")
            lost = key in self.doubtful and "logout" in self.kinds and not store.read(key)
            if key in self.ended or lost:
                self.ended.add(key)
                continue
            # Its tokens are the last ones, whatever happened: they can be refreshed.
            assert self.browser(which, 0).get("/appointments").status_code == 200, "lost"
            assert self.browser(which, 1).get("/appointments").status_code == 200, "lost"
        spent = self.spent()
        assert len(spent) == len(set(spent)), "a spent token was used"


def wipe(engine: str, settings: dict[str, str], folder: Path) -> None:
    """Empty the store behind the apps: each example begins with nothing."""
    if engine == "redis":
        with Redis.from_url(settings["SESSION_REDIS_URL"]) as client:
            client.flushall()
        return
    connection = sqlite3.connect(folder / "sessions.sqlite3")
    with connection:
        for table in ("sessions", "refs", "leases"):
            connection.execute(f"DELETE FROM {table}")  # noqa: S608  # our names
    connection.close()


def test_no_interleaving_revives_a_session_spends_a_token_twice_or_loses_one(
    engine: str,
    make_app: MakeApp,
    provider: Provider,
    clock: Clock,
    settings: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(access, "LONGEST_PAUSE_SECONDS", 0.002)
    Sessions.apps = [make_app(), make_app()]
    Sessions.provider, Sessions.clock = provider, clock
    Sessions.wipe = staticmethod(lambda: wipe(engine, settings, tmp_path))  # type: ignore[assignment]
    for app in Sessions.apps:
        SteppedStore(app)

    def stops_after_a_token_answer(sender: Any, url: str, **_: Any) -> None:
        if url.endswith("/oauth/token"):
            Worker.stops()

    examples = hypothesis_settings(
        max_examples=EXAMPLES,
        stateful_step_count=8,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with signals.request_sent.connected_to(stops_after_a_token_answer):
        run_state_machine_as_test(Sessions, settings=examples)
