"""Sign-in, pages, refresh, sign-out and back-channel logout, interleaved in every way.

Two apps share a store, as two processes would. Each request is a thread that stops before every
call of the store, and after every answer of the token endpoint; hypothesis says who goes on.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
from collections.abc import Callable, Iterator
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
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from redis import Redis

from auth import refresh, signals
from sessions import records
from sessions.records import key_of
from tests.conftest import Clock, MakeApp
from tests.support.harness import (
    ADA,
    SESSION_COOKIE,
    AtProvider,
    Browser,
    Person,
    Provider,
    post_logout,
)
from tests.support.interleaving import SteppedStore, Worker
from tests.support.session_store import store_of

# By hand, for an hour: EXAMPLES=1000 pytest tests/sessions/test_sessions_model.py
EXAMPLES = int(os.environ.get("EXAMPLES", "10"))
LIFETIME = 60
MOST_WORKERS = 4


class Names:
    """Session ids that are the same in each run."""

    count: Iterator[int]

    def token_urlsafe(self, length: int) -> str:
        return f"{next(self.count):043}"


class Sessions(RuleBasedStateMachine):
    """One person with two browsers; what is known of the sessions is in `alive` and `ended`."""

    apps: list[Flask]
    provider: Provider
    clock: Clock
    wipe: Callable[[], None]
    names: Names

    @initialize()
    def begin(self) -> None:
        self.clock.ahead = 0.0
        self.provider.reset()
        self.provider.options(access_token_seconds=LIFETIME)
        self.at_provider = AtProvider()
        self.workers: list[Worker] = []
        self.cookies: list[str | None] = [None, None]
        self.ended: set[str] = set()
        self.replaced: dict[str, str] = {}
        self.doubtful: set[str] = set()
        self.logouts = self.expirations = 0
        self.tokens = 0
        # The store gives keys in their order: with random ones no example could be run again.
        self.names.count = itertools.count()
        self.wipe()

    def browser(self, which: int, app: int) -> Browser:
        browser = Browser(self.apps[app])
        if cookie := self.cookies[which]:
            browser.client.set_cookie(SESSION_COOKIE, cookie, domain="localhost")
        return browser

    def alive(self) -> list[str]:
        keys = [key_of(cookie) for cookie in self.cookies if cookie]
        return [key for key in keys if key not in self.ended]

    def starts(self, does: Callable[[], Any]) -> None:
        self.workers.append(Worker(does))
        self.collect()

    def collect(self) -> None:
        for worker in [worker for worker in self.workers if worker.done]:
            self.workers.remove(worker)
            if worker.failure is not None:
                raise worker.failure

    @rule(which=st.integers(0, 1), app=st.integers(0, 1))
    def signs_in(self, which: int, app: int) -> None:
        earlier = self.cookies[which]
        was_there = earlier and self.in_store(key_of(earlier))
        person = Person(self.browser(which, app))
        person.provider = self.at_provider
        assert person.signs_in().status_code == 303
        self.cookies[which] = person.browser.cookie(SESSION_COOKIE)
        if earlier:
            self.ended.add(key_of(earlier))
        if earlier and was_there:
            self.replaced[key_of(earlier)] = key_of(self.cookies[which] or "")
        if self.logouts:
            # A logout that is under way may end a session that began after it, or may not.
            self.doubtful.add(key_of(self.cookies[which] or ""))

    # Locks go by the clock that this would move, so nobody must be holding one.
    @precondition(lambda self: not self.workers)
    @rule()
    def tokens_expire(self) -> None:
        self.clock.moves(LIFETIME + 1)
        self.expirations += 1

    @precondition(lambda self: len(self.workers) < MOST_WORKERS)
    @rule(which=st.integers(0, 1), app=st.integers(0, 1))
    def opens_a_page(self, which: int, app: int) -> None:
        browser, cookie = self.browser(which, app), self.cookies[which]
        over = cookie is None or key_of(cookie) in self.ended

        def does() -> None:
            status = browser.get("/appointments").status_code
            assert status in ((302,) if over else (200, 302)), status

        self.starts(does)

    @precondition(lambda self: len(self.workers) < MOST_WORKERS)
    @rule(which=st.integers(0, 1), app=st.integers(0, 1))
    def signs_out(self, which: int, app: int) -> None:
        person, cookie = Person(self.browser(which, app)), self.cookies[which]

        def does() -> None:
            assert person.signs_out().status_code in (200, 302)
            key = key_of(cookie) if cookie else None
            while key:  # also what a sign-in has put in its place meanwhile
                self.ended.add(key)
                key = self.replaced.get(key)

        self.starts(does)

    @precondition(lambda self: len(self.workers) < MOST_WORKERS)
    @rule(app=st.integers(0, 1))
    def the_provider_logs_out(self, app: int) -> None:
        # A time of its own each: what is the same for two of them would depend on the real clock.
        self.tokens += 1
        times = {"iat": {"in_seconds": self.tokens - 60}, "exp": {"in_seconds": 7200}}
        token = self.provider.logout_token(sub=ADA, claims=times)
        meant = self.alive()
        self.logouts += 1

        def does() -> None:
            assert post_logout(self.apps[app], token).status_code == 200
            self.ended.update(meant)
            self.logouts -= 1

        self.starts(does)

    @precondition(lambda self: self.workers)
    @rule(who=st.integers(0, MOST_WORKERS - 1), steps=st.integers(1, 6))
    def somebody_goes_on(self, who: int, steps: int) -> None:
        worker = self.workers[who % len(self.workers)]
        while steps and not worker.done:
            worker.goes_on()
            steps -= 1
        self.collect()

    def in_store(self, key: str) -> bool:
        store = store_of(self.apps[0])._store  # type: ignore[attr-defined]  # the real one
        return store.read(key) is not None

    @invariant()
    def no_session_is_revived(self) -> None:
        assert [key for key in self.ended if self.in_store(key)] == []

    def teardown(self) -> None:
        if not hasattr(self, "workers"):
            return
        while self.workers:
            for worker in self.workers:
                if not worker.done:
                    worker.goes_on()
            self.collect()
        self.no_session_is_revived()
        self.every_session_that_is_left_works()
        spent = [
            entry["form"]["refresh_token"]
            for entry in self.provider.requests_to("/oauth/token", "refresh_token")
        ]
        assert len(spent) == len(set(spent)), "a spent token was used"
        assert len(spent) <= self.expirations * len(self.sign_ins()), "two refreshes"

    def sign_ins(self) -> list[Any]:
        return self.provider.requests_to("/oauth/token", "authorization_code")

    def every_session_that_is_left_works(self) -> None:
        """Its tokens are the last ones, whatever happened: they can be refreshed."""
        self.clock.moves(LIFETIME + 1)
        self.expirations += 1
        for which, cookie in enumerate(self.cookies):
            key = key_of(cookie) if cookie else ""
            if not cookie or key in self.ended:
                continue
            if key in self.doubtful and not self.in_store(key):
                continue
            for app in (0, 1):
                assert self.browser(which, app).get("/appointments").status_code == 200


def wipe(engine: str, settings: dict[str, str], folder: Path) -> None:
    """Empty the store behind the apps: each example begins with nothing."""
    if engine == "redis":
        with Redis.from_url(settings["SESSION_REDIS_URL"]) as client:
            client.flushall()
        return
    connection = sqlite3.connect(folder / "sessions.sqlite3")
    with connection:
        for table in ("sessions", "refs", "named"):
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
    monkeypatch.setattr(refresh, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(refresh, "LONGEST_PAUSE_SECONDS", 0.002)
    Sessions.apps = [make_app(), make_app()]
    Sessions.provider, Sessions.clock, Sessions.names = provider, clock, Names()
    monkeypatch.setattr(records, "secrets", Sessions.names)
    Sessions.wipe = staticmethod(lambda: wipe(engine, settings, tmp_path))  # type: ignore[assignment]
    for app in Sessions.apps:
        SteppedStore(app)

    def stops_after_a_token_answer(sender: Any, url: str, **_: Any) -> None:
        if url.endswith("/oauth/token"):
            Worker.stops()

    examples = hypothesis_settings(
        max_examples=EXAMPLES,
        stateful_step_count=40,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    with signals.request_sent.connected_to(stops_after_a_token_answer):
        run_state_machine_as_test(Sessions, settings=examples)
