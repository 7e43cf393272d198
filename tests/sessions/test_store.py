"""What a session store promises; the same tests for SQLite and for Redis."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sessions.redis_store import RedisStore
from sessions.sqlite_store import SQLiteStore
from sessions.store import Record, Store
from tests.conftest import Clock
from tests.support.session_store import ABSOLUTE, FIRST, IDLE, SECOND, THIRD, record


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "sessions.sqlite3")
    return RedisStore(request.getfixturevalue("redis_url"), ABSOLUTE)


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not (is_so := condition()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so


def test_what_was_created_is_read(store: Store) -> None:
    stored = record(data=bytes(range(256)))

    store.create("key", stored, ["ref"])

    assert store.read("key") == stored
    assert store.read("another") is None


def test_a_session_is_found_under_each_of_its_references(store: Store) -> None:
    store.create("one", record(), ["sub", "sid one"])
    store.create("two", record(), ["sub", "sid two"])

    assert sorted(store.keys_with("sub")) == ["one", "two"]
    assert store.keys_with("sid two") == ["two"]
    assert store.keys_with("nobody") == []


def test_replacing_needs_the_version_that_was_read(store: Store) -> None:
    store.create("key", record(FIRST), [])

    assert store.replace("key", FIRST, record(SECOND, b"new"), [])
    assert not store.replace("key", FIRST, record(THIRD, b"too late"), [])

    found = store.read("key")
    assert found
    assert (found.version, found.data) == (SECOND, b"new")


def test_replacing_leaves_the_times_as_they_were_touched(store: Store) -> None:
    store.create("key", record(), [])
    now = time.time()
    store.touch("key", now + 5, now + 2000)

    store.replace("key", FIRST, record(SECOND, b"new"), [])

    assert store.read("key") == Record(SECOND, b"new", now + 5, now + 2000)


def test_touching_extends_the_life_and_changes_nothing_else(store: Store, clock: Clock) -> None:
    store.create("key", record(seconds=100), [])
    now = time.time()

    store.touch("key", now + 90, now + 190)

    clock.moves(150)
    assert store.read("key") == Record(FIRST, b"data", now + 90, now + 190)
    clock.moves(50)
    assert store.read("key") is None


def test_touching_never_brings_a_session_back(store: Store) -> None:
    store.create("key", record(), ["ref"])
    store.delete("key", ["ref"])

    store.touch("key", time.time(), time.time() + IDLE)

    assert store.read("key") is None


def test_nothing_brings_an_expired_session_back(store: Store, clock: Clock) -> None:
    store.create("key", record(), [])
    clock.moves(IDLE + 1)  # this machine's clock; Redis still has it, and SQLite before a sweep

    store.touch("key", time.time(), time.time() + IDLE)
    store.replace("key", FIRST, record(SECOND, b"new"), [])

    assert store.read("key") is None
    assert store.delete("key", []) is None


def test_deleting_returns_what_the_session_held_to_the_last(store: Store) -> None:
    store.create("key", record(), ["ref"])
    store.replace("key", FIRST, record(SECOND, b"new"), [])

    deleted = store.delete("key", ["ref"])

    assert deleted
    assert (deleted.version, deleted.data) == (SECOND, b"new")
    assert store.delete("key", ["ref"]) is None


def test_nothing_is_left_of_a_deleted_session(store: Store) -> None:
    store.create("key", record(), ["ref"])

    store.delete("key", ["ref"])

    assert store.read("key") is None
    assert store.keys_with("ref") == []
    assert not store.replace("key", FIRST, record(SECOND, b"new"), [])


def test_replacing_adds_references(store: Store) -> None:
    store.create("key", record(), ["sub"])

    store.replace("key", FIRST, record(SECOND), ["sid"])

    assert store.keys_with("sub") == store.keys_with("sid") == ["key"]


def test_a_named_value_is_added_once(store: Store) -> None:
    assert store.get("lock") is None

    assert store.add("lock", "first", 60)
    assert not store.add("lock", "second", 60)

    assert store.get("lock") == "first"
    assert store.add("another", "second", 60)


def test_a_named_value_is_removed_only_by_who_knows_it(store: Store) -> None:
    store.add("lock", "first", 60)

    assert not store.remove("lock", "second")
    assert store.get("lock") == "first"

    assert store.remove("lock", "first")
    assert not store.remove("lock", "first")
    assert store.add("lock", "second", 60)


def test_a_named_value_expires_by_itself(store: Store) -> None:
    store.add("lock", "first", 0.1)

    assert eventually(lambda: store.get("lock") is None)
    assert not store.swap("lock", "first", "late", 60)
    assert not store.remove("lock", "first")
    assert store.add("lock", "second", 60)


def test_a_named_value_is_swapped_only_by_who_knows_it(store: Store) -> None:
    store.add("lock", "first", 60)

    assert not store.swap("lock", "second", "stolen", 60)
    assert store.get("lock") == "first"

    assert store.swap("lock", "first", "failed", 0.1)
    assert store.get("lock") == "failed"
    assert eventually(lambda: store.get("lock") is None)


def test_swapping_sets_the_expiry_anew(store: Store) -> None:
    store.add("lock", "first", 0.3)

    store.swap("lock", "first", "first", 60)
    time.sleep(0.5)

    assert store.get("lock") == "first"


def test_of_many_at_once_one_adds_a_named_value(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        added = list(pool.map(lambda n: store.add("lock", str(n), 60), range(16)))

    assert sum(added) == 1


def test_whoever_read_the_time_first_and_wrote_last_adds_no_named_value_that_is_there(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.add("lock", "first", 60)
    real = time.monotonic

    monkeypatch.setattr(time, "monotonic", lambda: real() - 0.5)

    assert not store.add("lock", "second", 60)
    assert store.get("lock") == "first"


def test_no_write_of_many_at_once_is_lost(store: Store) -> None:
    store.create("key", record(FIRST, b"0"), [])
    numbers = iter(range(10**6))
    lock = threading.Lock()

    def adds_one(_: int) -> None:
        while True:
            found = store.read("key")
            assert found
            with lock:
                version = next(numbers).to_bytes(8)
            newer = record(version, b"%d" % (int(found.data) + 1))
            if store.replace("key", found.version, newer, []):
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(adds_one, range(80)))

    found = store.read("key")
    assert found
    assert found.data == b"80"


def test_many_sign_ins_at_once_are_all_kept(store: Store) -> None:
    def signs_in(n: int) -> None:
        store.create(f"key{n}", record(), ["everybody"])
        store.touch(f"key{n}", time.time(), time.time() + IDLE)

    with ThreadPoolExecutor(32) as pool:
        list(pool.map(signs_in, range(320)))

    assert len(store.keys_with("everybody")) == 320


def test_a_clock_that_is_wrong_costs_no_session(store: Store, clock: Clock) -> None:
    clock.moves(-86400)  # this machine's clock; Redis has its own

    store.create("key", record(), ["ref"])
    store.touch("key", time.time(), time.time() + IDLE)

    assert store.read("key")
    assert store.keys_with("ref") == ["key"]


def test_a_clock_set_back_keeps_no_named_value_alive(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("lock", "first", 0.2)
    real = time.time

    monkeypatch.setattr(time, "time", lambda: real() - 86400)

    assert store.get("lock") == "first"
    assert eventually(lambda: store.add("lock", "second", 60))
