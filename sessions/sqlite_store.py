"""The session store of one machine: one SQLite file that several processes share."""

# ruff: noqa: S608  # the statements are put together of constants

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .store import Record, StoreUnavailable

SCHEMA = """
CREATE TABLE IF NOT EXISTS sessions (
    key TEXT PRIMARY KEY, version BLOB NOT NULL, data BLOB NOT NULL,
    seen_at REAL NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at);
CREATE TABLE IF NOT EXISTS refs (
    ref TEXT, key TEXT, PRIMARY KEY (ref, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refs_by_key ON refs (key);
CREATE TABLE IF NOT EXISTS named (
    name TEXT PRIMARY KEY, value TEXT NOT NULL, until REAL NOT NULL, seconds REAL NOT NULL
    ) WITHOUT ROWID;
"""
# How long one process waits for another's write, and how much a sign-in clears away at most.
BUSY_SECONDS = 1.0
SWEEP_AT_ONCE = 200
# A named value counts monotonic time, which no change of the clock touches. That time begins anew
# with the machine: an end further away than the value was given to live is of an earlier start.
# (Not by a moment: a request reads the time, and waits for another's write that read it later.)
LIVING = "until > :now AND until <= :now + seconds + 10"


class SQLiteStore:
    """Keeps the promises of `Store` with single statements and short transactions."""

    def __init__(self, path: Path) -> None:
        """Create the file and its tables; raises OSError or sqlite3.Error if that cannot be."""
        self._path = path
        self._idle: deque[tuple[int, sqlite3.Connection]] = deque()
        # Closed and not pooled: a connection must not be carried over a fork.
        self._connect()[1].close()

    def _connect(self) -> tuple[int, sqlite3.Connection]:
        """A connection, with the inode of the file that it is to."""
        if not self._path.exists():
            self._create()
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        connection.execute("PRAGMA journal_mode = WAL")
        # In WAL mode NORMAL loses no consistency, and only what the last moment before a power
        # cut wrote: at worst somebody signs in again.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.executescript(SCHEMA)
        return self._path.stat().st_ino, connection

    def _create(self) -> None:
        """Make the file, which nobody else reads; or make it anew, where somebody deleted it."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            # One process at a time: it must not delete the log that another one has just begun.
            fcntl.flock(folder, fcntl.LOCK_EX)
            if not self._path.exists():
                for left_over in ("-wal", "-shm"):
                    Path(f"{self._path}{left_over}").unlink(missing_ok=True)
                self._path.touch(mode=0o600)
        finally:
            os.close(folder)

    def _take(self) -> tuple[int, sqlite3.Connection]:
        with suppress(IndexError, FileNotFoundError):
            while True:
                inode, connection = self._idle.pop()
                if inode == self._path.stat().st_ino:
                    return inode, connection
                connection.close()  # somebody deleted the file
        return self._connect()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        taken = None
        try:
            taken = self._take()
            yield taken[1]
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            if taken:
                taken[1].rollback()  # whatever went wrong must not go on holding the file
                self._idle.append(taken)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def create(self, key: str, record: Record, refs: Iterable[str]) -> None:
        with self._transaction() as connection:
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", (key, *record))
            _add_refs(connection, key, refs)
            _sweep(connection)

    def read(self, key: str) -> Record | None:
        with self._connection() as connection:
            row = connection.execute(
                "SELECT version, data, seen_at, expires_at FROM sessions WHERE key = ?", (key,)
            ).fetchone()
        return _living(row)

    def replace(self, key: str, old_version: bytes, record: Record, refs: Iterable[str]) -> bool:
        statement = "UPDATE sessions SET version = ?, data = ? WHERE key = ? AND version = ?"
        with self._transaction() as connection:
            values = (record.version, record.data, key, old_version)
            replaced = connection.execute(statement, values).rowcount == 1
            if replaced:
                _add_refs(connection, key, refs)
        return replaced

    def touch(self, key: str, seen_at: float, expires_at: float) -> None:
        statement = (
            "UPDATE sessions SET seen_at = ?, expires_at = ? WHERE key = ? AND expires_at > ?"
        )
        with self._connection() as connection:
            connection.execute(statement, (seen_at, expires_at, key, time.time()))

    def delete(self, key: str, refs: Iterable[str] = ()) -> Record | None:
        statement = (
            "DELETE FROM sessions WHERE key = ? RETURNING version, data, seen_at, expires_at"
        )
        with self._transaction() as connection:
            connection.execute("DELETE FROM refs WHERE key = ?", (key,))
            row = connection.execute(statement, (key,)).fetchone()
        return _living(row)

    def keys_with(self, ref: str) -> list[str]:
        with self._connection() as connection:
            rows = connection.execute("SELECT key FROM refs WHERE ref = ?", (ref,)).fetchall()
        return [key for (key,) in rows]

    def add(self, name: str, value: str, seconds: float) -> bool:
        statement = (
            "INSERT INTO named VALUES (:name, :new, :now + :seconds, :seconds)"
            " ON CONFLICT (name) DO UPDATE SET value = excluded.value, until = excluded.until,"
            f" seconds = excluded.seconds WHERE NOT ({LIVING})"
        )
        return self._changed(statement, {"name": name, "new": value, "seconds": seconds})

    def get(self, name: str) -> str | None:
        statement = f"SELECT value FROM named WHERE name = :name AND {LIVING}"
        with self._connection() as connection:
            values = {"name": name, "now": time.monotonic()}
            row = connection.execute(statement, values).fetchone()
        return row[0] if row else None

    def swap(self, name: str, old: str, new: str, seconds: float) -> bool:
        statement = (
            "UPDATE named SET value = :new, until = :now + :seconds, seconds = :seconds"
            f" WHERE name = :name AND value = :old AND {LIVING}"
        )
        values = {"name": name, "old": old, "new": new, "seconds": seconds}
        return self._changed(statement, values)

    def remove(self, name: str, value: str) -> bool:
        statement = f"DELETE FROM named WHERE name = :name AND value = :old AND {LIVING}"
        return self._changed(statement, {"name": name, "old": value})

    def _changed(self, statement: str, values: dict[str, object]) -> bool:
        with self._connection() as connection:
            changed = connection.execute(statement, values | {"now": time.monotonic()})
        return changed.rowcount == 1


def _add_refs(connection: sqlite3.Connection, key: str, refs: Iterable[str]) -> None:
    rows = [(ref, key) for ref in refs]
    connection.executemany("INSERT OR IGNORE INTO refs VALUES (?, ?)", rows)


def _sweep(connection: sqlite3.Connection) -> None:
    """Delete some of what has expired. Each sign-in does so: more goes than can come."""
    rows = connection.execute(
        "SELECT key FROM sessions WHERE expires_at <= ? LIMIT ?", (time.time(), SWEEP_AT_ONCE)
    ).fetchall()
    connection.executemany("DELETE FROM refs WHERE key = ?", rows)
    connection.executemany("DELETE FROM sessions WHERE key = ?", rows)
    dead = f"DELETE FROM named WHERE NOT ({LIVING})"
    connection.execute(dead, {"now": time.monotonic()})


def _living(row: tuple[Any, ...] | None) -> Record | None:
    """The record of a row, unless it has expired and was not swept yet."""
    record = Record(*row) if row else None
    return record if record and record.expires_at > time.time() else None
