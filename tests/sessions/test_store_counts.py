"""What a visit costs at the store: reads and writes, records left, bytes kept."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from redis import Redis as Client

from sessions.redis_store import RedisStore
from sessions.sqlite_store import SQLiteStore
from sessions.store import Record, Store
from tests.conftest import Clock, MakeApp
from tests.support.harness import SESSION_COOKIE, Browser, Person
from tests.support.session_store import Counted, record, store_of

# By hand: ANONYMOUS=100000 MANY=200000 pytest tests/sessions/test_store_counts.py
ANONYMOUS = int(os.environ.get("ANONYMOUS", "120"))
MANY = int(os.environ.get("MANY", "5000"))
VERSION = b"version1"


@pytest.mark.parametrize("path", ["/", "/profile", "/appointments"])
def test_a_page_costs_one_read_and_no_write(
    engine: str, app: Flask, person: Person, path: str
) -> None:
    person.signs_in()
    store = Counted(app)

    assert person.sees(path).status_code == 200

    assert store.calls == {"read": 1}


@pytest.mark.parametrize("path", ["/login", "/static/app.css", "/healthz"])
def test_what_needs_no_session_costs_nothing_without_one(
    engine: str, app: Flask, path: str
) -> None:
    store = Counted(app)

    assert Browser(app).get(path).status_code in (200, 302)

    assert store.calls == {}


def test_a_sign_in_costs_three_writes(engine: str, app: Flask, person: Person) -> None:
    store = Counted(app)

    person.signs_in()

    # Its lock, which then says that it is done, and the session. The reads: has a logout come while
    # the provider answered, and how many sessions does this person have?
    assert store.calls == {"add": 1, "create": 1, "swap": 1, "get": 2, "keys_with": 1}


def test_a_refresh_costs_one_write_of_the_session(
    engine: str, app: Flask, person: Person, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(3590)
    store = Counted(app)

    person.sees("/appointments")

    assert store.calls["replace"] == 1
    assert store.calls["add"] == store.calls["remove"] == 1
    assert sum(store.calls.values()) <= 8


def records(engine: str, redis_url: str, folder: Path) -> int:
    """How many records of any kind there are, seen from outside."""
    if engine == "redis":
        with Client.from_url(redis_url) as client:
            return int(client.dbsize())
    connection = sqlite3.connect(folder / "sessions.sqlite3")
    tables = [
        row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
    ]
    counts = [connection.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables]  # noqa: S608  # our names
    connection.close()
    return sum(counts)


def test_anonymous_visitors_leave_no_record(
    engine: str, app: Flask, redis_url: str, tmp_path: Path
) -> None:
    browser = Browser(app)
    paths = ("/", "/login", "/profile", "/appointments", "/callback?state=x&code=y", "/nowhere")
    for n in range(ANONYMOUS):
        if n % 2:  # cookies of nobody's, too
            browser.client.set_cookie(SESSION_COOKIE, f"{n:043d}", domain="localhost")
        browser.get(paths[n % len(paths)])
        browser = browser if n % 20 else Browser(app)

    assert records(engine, redis_url, tmp_path) == 0


def keep(store: Store, count: int, seconds: float) -> None:
    """Put sessions there as they are, each of a person of its own and all of one provider."""
    now = time.time()
    for n in range(count):
        record = Record(VERSION, b"x" * 1500, now, now + seconds)
        store.create(f"key{n}", record, [f"sub{n}", f"sid{n}"])


def steps_of_sqlite(store: SQLiteStore, call: Callable[[Store], Any]) -> int:
    """The virtual machine's steps: what SQLite does, whatever the machine is busy with."""
    steps = 0

    def step() -> int:
        nonlocal steps
        steps += 1
        return 0

    with store._connection() as connection:
        connection.set_progress_handler(step, 1)
    call(store)
    with store._connection() as connection:
        connection.set_progress_handler(None, 1)
    return steps


CALLS: dict[str, Callable[[Store], Any]] = {
    "read": lambda store: store.read("key7"),
    "keys_with": lambda store: store.keys_with("sub7"),
    "replace": lambda store: store.replace("key7", VERSION, record(VERSION), []),
    "touch": lambda store: store.touch("key7", time.time(), time.time() + 9000),
    "lock": lambda store: (store.add("lock", "owner", 60), store.remove("lock", "owner")),
    "create": lambda store: store.create("new", record(VERSION), ["sub7"]),
    "delete": lambda store: store.delete("new", ["sub7"]),
}


def test_every_call_of_sqlite_costs_the_same_with_ten_and_with_very_many_sessions(
    tmp_path: Path,
) -> None:
    # An index of very many is a level deeper; the steps are those of the statement's program.
    few, many = SQLiteStore(tmp_path / "few"), SQLiteStore(tmp_path / "many")
    keep(few, 10, 9000)
    keep(many, MANY, 9000)

    for name, call in CALLS.items():
        assert steps_of_sqlite(many, call) <= steps_of_sqlite(few, call) + 5, name


def test_every_call_of_redis_costs_the_same_with_ten_and_with_very_many_sessions(
    redis_url: str,
) -> None:
    store = RedisStore(redis_url, 9000)

    def commands(call: Callable[[Store], Any]) -> dict[str, int]:
        with Client.from_url(redis_url) as client:
            client.config_resetstat()
            call(store)
            stats = client.info("commandstats")
        ours = {name: values["calls"] for name, values in stats.items()}
        return {name: calls for name, calls in ours.items() if "client" not in name}

    keep(store, 10, 9000)
    with_ten = [commands(call) for call in CALLS.values()]
    with Client.from_url(redis_url) as client, client.pipeline(transaction=False) as pipeline:
        for n in range(10, MANY):
            pipeline.set(f"app:session:{{key{n}}}", b"x" * 1500)
        pipeline.execute()
    with_many = [commands(call) for call in CALLS.values()]

    assert with_many == with_ten
    linear = ("keys", "scan", "smembers", "hgetall")
    assert not any(word in name for names in with_many for name in names for word in linear)


def test_a_session_takes_at_most_2500_bytes_of_redis(
    make_app: MakeApp, redis_url: str, settings: dict[str, str]
) -> None:
    app = make_app(SESSION_REDIS_URL=redis_url)
    Person(Browser(app)).signs_in()

    with Client.from_url(redis_url) as client:
        sizes = {key: client.memory_usage(key, samples=0) for key in client.scan_iter()}

    # The session, where its sub and its sid are found, and for 30 seconds that it was begun.
    assert len(sizes) == 4
    print("bytes a session on Redis:", sizes)
    assert sum(sizes.values()) <= 2500


def test_a_session_takes_at_most_5000_bytes_of_sqlite(app: Flask, tmp_path: Path) -> None:
    path = tmp_path / "sessions.sqlite3"
    Person(Browser(app)).signs_in()
    connection = sqlite3.connect(path)
    (data,) = connection.execute("SELECT data FROM sessions").fetchone()
    store, now, count = store_of(app), time.time(), 500
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    before = path.stat().st_size
    for n in range(count):
        record = Record(VERSION, os.urandom(len(data)), now, now + 9000)
        store.create(f"{n:022d}", record, [f"sub{n:019d}", f"sid{n:019d}"])
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()

    each = (path.stat().st_size - before) / count

    print("bytes a session on SQLite:", each, "of which data:", len(data))
    assert each <= 5000
