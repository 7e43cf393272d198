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
from sessions.store import FAILED, Record, Store
from tests.conftest import Clock

FIRST, SECOND, THIRD = (bytes([n]) * 8 for n in (1, 2, 3))
IDLE, ABSOLUTE = 1000.0, 5000


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return SQLiteStore(tmp_path / "sessions.sqlite3")
    return RedisStore(request.getfixturevalue("redis_url"), ABSOLUTE)


def record(version: bytes = FIRST, sealed: bytes = b"sealed", seconds: float = IDLE) -> Record:
    now = time.time()
    return Record(version, sealed, now, now + seconds)


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_what_was_created_is_read(store: Store) -> None:
    kept = record(sealed=bytes(range(256)))

    store.create("key", kept, ["ref"])

    assert store.read("key") == kept
    assert store.read("another") is None


def test_a_session_is_found_under_each_of_its_references(store: Store) -> None:
    store.create("one", record(), ["sub", "sid one"])
    store.create("two", record(), ["sub", "sid two"])

    assert sorted(store.keys_with("sub")) == ["one", "two"]
    assert store.keys_with("sid two") == ["two"]
    assert store.keys_with("nobody") == []


def test_replacing_needs_the_version_that_was_read(store: Store) -> None:
    store.create("key", record(FIRST), [])

    assert store.replace("key", FIRST, SECOND, b"new")
    assert not store.replace("key", FIRST, THIRD, b"too late")

    found = store.read("key")
    assert found
    assert (found.version, found.sealed) == (SECOND, b"new")


def test_replacing_creates_nothing(store: Store) -> None:
    assert not store.replace("key", FIRST, SECOND, b"new")
    assert store.read("key") is None


def test_replacing_leaves_the_times_as_they_were_touched(store: Store) -> None:
    store.create("key", record(), [])
    now = time.time()
    store.touch("key", now + 5, now + 2000)

    store.replace("key", FIRST, SECOND, b"new")

    assert store.read("key") == Record(SECOND, b"new", now + 5, now + 2000)


def test_touching_extends_the_life_and_changes_nothing_else(store: Store, clock: Clock) -> None:
    store.create("key", record(seconds=100), [])
    now = time.time()

    store.touch("key", now + 90, now + 190)

    clock.moves(150)
    assert store.read("key") == Record(FIRST, b"sealed", now + 90, now + 190)
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
    store.replace("key", FIRST, SECOND, b"new")

    assert store.read("key") is None


def test_deleting_returns_what_the_session_held_to_the_last(store: Store) -> None:
    store.create("key", record(), ["ref"])
    store.replace("key", FIRST, SECOND, b"new")

    deleted = store.delete("key", ["ref"])

    assert deleted
    assert (deleted.version, deleted.sealed) == (SECOND, b"new")
    assert store.delete("key", ["ref"]) is None


def test_nothing_is_left_of_a_deleted_session(store: Store) -> None:
    store.create("key", record(), ["ref"])

    store.delete("key", ["ref"])

    assert store.read("key") is None
    assert store.keys_with("ref") == []
    assert not store.replace("key", FIRST, SECOND, b"new")


def test_an_expired_session_is_gone(store: Store, clock: Clock) -> None:
    store.create("key", record(), ["ref"])

    clock.moves(IDLE + 1)

    assert store.read("key") is None
    assert store.delete("key", ["ref"]) is None


def test_a_lease_has_one_holder(store: Store) -> None:
    assert store.lease_holder("key") is None

    assert store.acquire_lease("key", "first", 60) == "first"
    assert store.acquire_lease("key", "second", 60) == "first"

    assert store.lease_holder("key") == "first"
    assert store.acquire_lease("another", "second", 60) == "second"


def test_a_lease_is_released_by_its_holder_alone(store: Store) -> None:
    store.acquire_lease("key", "first", 60)

    store.release_lease("key", "second")
    assert store.lease_holder("key") == "first"

    store.release_lease("key", "first")
    assert store.acquire_lease("key", "second", 60) == "second"


def test_a_lease_runs_out_by_itself(store: Store) -> None:
    store.acquire_lease("key", "first", 0.1)

    assert eventually(lambda: store.lease_holder("key") is None)
    assert store.acquire_lease("key", "second", 60) == "second"


def test_a_lease_is_renewed_by_its_holder(store: Store) -> None:
    store.acquire_lease("key", "first", 0.5)

    store.pass_lease("key", "first", "first", 60)
    time.sleep(0.7)

    assert store.lease_holder("key") == "first"


def test_a_lease_is_passed_on_by_its_holder_alone(store: Store) -> None:
    store.acquire_lease("key", "first", 60)

    store.pass_lease("key", "second", FAILED, 60)
    assert store.lease_holder("key") == "first"

    store.pass_lease("key", "first", FAILED, 1)
    assert store.lease_holder("key") == FAILED
    assert eventually(lambda: store.lease_holder("key") is None)


def test_of_many_at_once_one_gets_the_lease(store: Store) -> None:
    with ThreadPoolExecutor(16) as pool:
        holders = list(pool.map(lambda n: store.acquire_lease("key", str(n), 60), range(16)))

    assert len(set(holders)) == 1


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
            if store.replace("key", found.version, version, b"%d" % (int(found.sealed) + 1)):
                return

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(adds_one, range(80)))

    found = store.read("key")
    assert found
    assert found.sealed == b"80"


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
    holder = store.acquire_lease("key", "first", 60)

    assert store.read("key")
    assert store.keys_with("ref") == ["key"]
    assert store.lease_holder("key") == holder == "first"
