"""What the tests of the sessions share: a look into the store, and the moments of a request."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from flask import Flask, request, request_started

from auth import signals
from sessions.records import key_of
from sessions.store import Record, Store
from tests.support.harness import SESSION_COOKIE, Browser, Person

FIRST, SECOND, THIRD = (bytes([n]) * 8 for n in (1, 2, 3))
IDLE, ABSOLUTE = 1000.0, 5000
WRITES = ("create", "replace", "touch", "delete", "add", "swap", "remove")


def record(version: bytes = FIRST, data: bytes = b"data", seconds: float = IDLE) -> Record:
    """A record as stores see it: any bytes."""
    now = time.time()
    return Record(version, data, now, now + seconds)


def store_of(app: Flask) -> Store:
    store: Store = app.session_interface.records.store  # type: ignore[attr-defined]  # it is ours
    return store


def key_of_session(person: Person) -> str:
    """The key in the store of the session that a person's browser has."""
    return key_of(person.browser.cookie(SESSION_COOKIE))


def ref_of(app: Flask, sub: str) -> str:
    """The reference by which a person's sessions are found."""
    return str(app.extensions["relying_party"].ref("sub", sub))


def session_cookie(response: Any) -> tuple[str, str, set[str]]:
    """Name, value and attributes of the session's cookie that a response sets."""
    (line,) = [line for line in response.headers.getlist("Set-Cookie") if "app_session" in line]
    pair, *attributes = line.split(";")
    name, _, value = pair.partition("=")
    found = {attribute.strip().lower() for attribute in attributes}
    return name, value, {each for each in found if not each.startswith("expires=")}  # as max-age


def same_browser(person: Person, app: Flask) -> Person:
    """The browser of that person once more: for a second request at the same time, or in front of
    an app that was started again."""
    other = Person(Browser(app))
    for name, value in person.browser.cookies().items():
        other.browser.client.set_cookie(name, value)
    other.provider = person.provider
    return other


class Counted:
    """A store that counts what it is asked."""

    def __init__(self, app: Flask) -> None:
        self._store = store_of(app)
        self.calls: Counter[str] = Counter()
        app.session_interface.records.store = self  # type: ignore[attr-defined]  # it is ours

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._store, name)

        def counted(*args: Any) -> Any:
            self.calls[name] += 1
            return method(*args)

        return counted

    def writes(self) -> int:
        return sum(self.calls[name] for name in WRITES)


class When:
    """Does something once, in another thread, at the moment at which a signal is sent."""

    def __init__(self, signal: Any, fits: Callable[..., bool], action: Callable[[], Any]) -> None:
        self.signal, self.fits, self.action, self.done = signal, fits, action, False
        self.failure: Exception | None = None

    def receive(self, sender: Any, **facts: Any) -> None:
        if not self.done and self.fits(**facts):
            self.done = True
            thread = threading.Thread(target=self._act)
            thread.start()
            thread.join(60)

    def _act(self) -> None:
        try:
            self.action()
        except Exception as failure:
            self.failure = failure

    def __enter__(self) -> When:
        self.signal.connect(self.receive)
        return self

    def __exit__(self, *_: object) -> None:
        self.signal.disconnect(self.receive)
        assert self.done, "the moment did not come"
        if self.failure is not None:
            raise self.failure


def when_the_provider_has_answered(action: Callable[[], Any]) -> When:
    """The moment after a code or refresh token was spent and before what came is stored."""
    return When(signals.request_sent, lambda url, **_: url.endswith("/oauth/token"), action)


def when_a_request_has_begun(path: str, action: Callable[[], Any]) -> When:
    """The moment after the request has read its session."""
    return When(request_started, lambda **_: request.path == path, action)
