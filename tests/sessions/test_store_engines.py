"""What each engine does in its own way: expiry, the sweep, and what fails."""

from __future__ import annotations

import os
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from sessions import sqlite_store
from sessions.redis_store import RedisStore
from sessions.sqlite_store import SQLiteStore
from sessions.store import Store, StoreUnavailable
from tests.conftest import Clock
from tests.support.session_store import ABSOLUTE, FIRST, IDLE, SECOND, record


def test_redis_lets_everything_expire_by_itself(redis_url: str) -> None:
    store = RedisStore(redis_url, ABSOLUTE)
    store.create("key", record(), ["ref"])
    store.add("lock", "first", 60)
    store.touch("key", time.time(), time.time() + 500)

    with Redis.from_url(redis_url) as client:
        lives = {name: client.pttl(name) for name in client.scan_iter()}

    assert len(lives) == 3
    assert all(0 < life <= ABSOLUTE * 1000 for life in lives.values()), lives
    assert 0 < lives[b"app:session:{key}"] <= 500_000


def test_what_was_written_anew_expires_by_itself_too(redis_url: str) -> None:
    store = RedisStore(redis_url, ABSOLUTE)
    store.create("key", record(), [])
    created = life(redis_url, "app:session:{key}")

    store.replace("key", FIRST, record(SECOND), [])
    replaced = life(redis_url, "app:session:{key}")
    store.touch("key", time.time(), time.time() + 500)
    touched = life(redis_url, "app:session:{key}")

    assert IDLE - 20 < replaced <= created <= IDLE
    assert 480 < touched <= 500


def test_the_index_of_redis_lasts_as_long_as_its_last_session(redis_url: str) -> None:
    RedisStore(redis_url, ABSOLUTE).create("old", record(), ["ref"])

    RedisStore(redis_url, 100).create("new", record(seconds=100), ["ref"])

    assert life(redis_url, "app:ref:{ref}") > ABSOLUTE - 20


def life(redis_url: str, name: str) -> float:
    """The seconds after which Redis forgets a key."""
    with Redis.from_url(redis_url) as client:
        return float(client.pttl(name)) / 1000


def test_the_index_of_redis_forgets_sessions_that_ended_unseen(
    redis_url: str, clock: Clock
) -> None:
    store = RedisStore(redis_url, ABSOLUTE)
    store.create("old", record(), ["ref"])
    clock.moves(ABSOLUTE + 1)

    store.create("new", record(), ["ref"])

    assert store.keys_with("ref") == ["new"]


def rows(path: Path) -> dict[str, int]:
    with sqlite3.connect(path) as connection:
        tables = ("sessions", "refs", "named")
        counts = {t: connection.execute(f"SELECT count(*) FROM {t}").fetchone()[0] for t in tables}  # noqa: S608  # our names
    connection.close()
    return counts


def test_nobody_else_on_the_machine_reads_the_file(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        SQLiteStore(tmp_path / "instance" / "db").create("key", record(), [])
    finally:
        os.umask(before)

    for path in (tmp_path / "instance", *(tmp_path / "instance").iterdir()):
        assert not path.stat().st_mode & 0o077, path


def test_no_connection_is_carried_over_a_fork(tmp_path: Path) -> None:
    SQLiteStore(tmp_path / "db")  # as the main process makes it, before it forks

    opened = [os.readlink(path) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]

    assert [path for path in opened if path.startswith(str(tmp_path))] == []


def test_each_sign_in_sweeps_more_than_it_adds_and_nothing_that_lives(
    tmp_path: Path, clock: Clock
) -> None:
    store = SQLiteStore(tmp_path / "db")
    for n in range(100):
        store.create(f"short {n}", record(seconds=100), [f"ref {n}"])
    store.create("long", record(seconds=900), ["ref"])
    store.add("lock", "first", 60)
    clock.moves(200)

    store.create("new", record(), ["ref"])

    assert rows(tmp_path / "db") == {"sessions": 2, "refs": 2, "named": 0}
    assert store.read("long")


CALLS: dict[str, Callable[[Store], object]] = {
    "create": lambda store: store.create("new", record(), ["ref"]),
    "read": lambda store: store.read("key"),
    "replace": lambda store: store.replace("key", FIRST, record(SECOND), []),
    "touch": lambda store: store.touch("key", time.time(), time.time() + 1),
    "delete": lambda store: store.delete("key", ["ref"]),
    "keys_with": lambda store: store.keys_with("ref"),
    "add": lambda store: store.add("lock", "first", 1),
    "get": lambda store: store.get("lock"),
    "swap": lambda store: store.swap("lock", "first", "second", 1),
    "remove": lambda store: store.remove("lock", "first"),
}


@pytest.fixture
def mute() -> Iterator[int]:
    """A port where connections are taken and nobody ever answers."""
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen(50)
        yield server.getsockname()[1]


def test_a_redis_that_never_answers_is_waited_for_two_seconds(mute: int) -> None:
    store = RedisStore(f"redis://127.0.0.1:{mute}/0", ABSOLUTE)
    before = time.monotonic()

    with ThreadPoolExecutor(20) as pool:
        calls = [pool.submit(call, store) for call in CALLS.values()]
        outcomes = [call.exception() for call in calls]

    assert [type(outcome) for outcome in outcomes] == [StoreUnavailable] * len(CALLS)
    assert time.monotonic() - before < 3.9  # and not once more for each of them


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_broken_file_is_a_store_that_is_unavailable(
    tmp_path: Path, call: Callable[[Store], object]
) -> None:
    store = SQLiteStore(tmp_path / "db")
    for path in tmp_path.iterdir():
        path.write_bytes(b"this is no database" * 1000)

    with pytest.raises(StoreUnavailable):
        call(store)


def test_a_file_that_another_program_locks_is_waited_for_and_then_works_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite_store, "BUSY_SECONDS", 0.2)
    store = SQLiteStore(tmp_path / "db")
    store.create("key", record(), [])
    other = sqlite3.connect(tmp_path / "db", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreUnavailable):
        store.create("new", record(), [])
    with pytest.raises(StoreUnavailable):
        store.replace("key", FIRST, record(SECOND), [])
    assert store.read("key")  # nobody who only reads waits for a writer

    other.execute("ROLLBACK")
    other.close()
    assert store.replace("key", FIRST, record(SECOND), [])


def test_a_transaction_that_was_broken_off_holds_up_nobody(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "db")

    def references() -> Any:
        yield "ref"
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store.create("key", record(), references())

    assert store.read("key") is None
    store.create("key", record(), ["ref"])
    other = SQLiteStore(tmp_path / "db")
    other.create("another", record(), ["ref"])
    assert sorted(other.keys_with("ref")) == ["another", "key"]
