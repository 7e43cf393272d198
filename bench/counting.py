"""What an operation asks of the session store, counted in an app that runs in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask

import sessions
from app import create_app
from tests.support.harness import Browser, Person, environment

READS = ("read", "keys_with", "lease_holder")


class CountingStore:
    """A store that counts what is asked of it."""

    def __init__(self, store: Any) -> None:
        self._store, self.calls = store, Counter[str]()

    def __getattr__(self, name: str) -> Any:
        asked = getattr(self._store, name)

        def counted(*args: Any) -> Any:
            self.calls["reads" if name in READS else "writes"] += 1
            return asked(*args)

        return counted


def make_app(settings: Mapping[str, str], folder: Path) -> Flask:
    """The app, in this process."""
    open_store = sessions._open_store
    sessions._open_store = lambda settings, _: open_store(settings, folder)
    try:
        with environment(settings):
            return create_app()
    finally:
        sessions._open_store = open_store


def store_calls(settings: Mapping[str, str], folder: Path) -> dict[str, dict[str, int]]:
    """Reads and writes by operation; and the bytes of a session and of its cookie."""
    app = make_app(settings, folder)
    store = app.session_interface.store = CountingStore(app.session_interface.store)
    person = Person(Browser(app))
    found = {}
    for name, operation in {
        "sign-in": lambda: (person.signs_in(), person.sees("/")),
        "signed-in page": lambda: person.sees("/profile"),
        "API page": lambda: person.sees("/appointments"),
    }.items():
        store.calls.clear()
        operation()
        found[name] = {"reads": store.calls["reads"], "writes": store.calls["writes"]}
    cookie = str(person.browser.cookie("app_session"))
    record = store._store.read(sessions.interface.key_of(cookie))
    found["bytes"] = {"session": len(record.sealed), "cookie": len(f"app_session={cookie}")}
    return found
