"""The session store of one machine: one SQLite file that several processes share."""

from __future__ import annotations

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
    key TEXT PRIMARY KEY, version BLOB NOT NULL, sealed BLOB NOT NULL,
    seen_at REAL NOT NULL, expires_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at);
CREATE TABLE IF NOT EXISTS refs (
    ref TEXT, key TEXT, PRIMARY KEY (ref, key)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS refs_by_key ON refs (key);
CREATE TABLE IF NOT EXISTS leases (
    key TEXT PRIMARY KEY, owner TEXT NOT NULL, until REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS leases_by_end ON leases (until);
"""

# How long one process waits for another's write, and how much a sign-in clears away at most.
BUSY_SECONDS = 2.0
SWEEP_AT_ONCE = 200


class SQLiteStore:
    """Keeps the promises of `Store` with single statements and short transactions."""

    def __init__(self, path: Path) -> None:
        """Create the file and its tables; raises OSError or sqlite3.Error if that cannot be."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
        self._path = path
        self._idle: deque[sqlite3.Connection] = deque()
        connection = self._connect()
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript(SCHEMA)
        # Closed and not pooled: a connection must not be carried over a fork.
        connection.close()

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        # In WAL mode NORMAL loses no consistency, and only what the last moment before a power
        # cut wrote: at worst somebody signs in again.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = None
        try:
            with suppress(IndexError):
                connection = self._idle.pop()
            connection = connection or self._connect()
            yield connection
        except sqlite3.Error as error:
            raise StoreUnavailable(str(error)) from error
        finally:
            if connection:
                connection.rollback()  # whatever went wrong must not go on holding the file
                self._idle.append(connection)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _changes(self, statement: str, *values: object) -> int:
        with self._connection() as connection:
            return connection.execute(statement, values).rowcount

    def create(self, key: str, record: Record, refs: Iterable[str]) -> None:
        with self._transaction() as connection:
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", (key, *record))
            connection.executemany("INSERT INTO refs VALUES (?, ?)", [(ref, key) for ref in refs])
            _sweep(connection)

    def read(self, key: str) -> Record | None:
        with self._connection() as connection:
            row = connection.execute(
                "SELECT version, sealed, seen_at, expires_at FROM sessions WHERE key = ?", (key,)
            ).fetchone()
        return _living(row)

    def replace(self, key: str, old_version: bytes, version: bytes, sealed: bytes) -> bool:
        statement = "UPDATE sessions SET version = ?, sealed = ? WHERE key = ? AND version = ?"
        return self._changes(statement, version, sealed, key, old_version) == 1

    def touch(self, key: str, seen_at: float, expires_at: float) -> None:
        statement = (
            "UPDATE sessions SET seen_at = ?, expires_at = ? WHERE key = ? AND expires_at > ?"
        )
        self._changes(statement, seen_at, expires_at, key, time.time())

    def delete(self, key: str, refs: Iterable[str] = ()) -> Record | None:
        statement = (
            "DELETE FROM sessions WHERE key = ? RETURNING version, sealed, seen_at, expires_at"
        )
        with self._transaction() as connection:
            connection.execute("DELETE FROM refs WHERE key = ?", (key,))
            row = connection.execute(statement, (key,)).fetchone()
        return _living(row)

    def keys_with(self, ref: str) -> list[str]:
        with self._connection() as connection:
            rows = connection.execute("SELECT key FROM refs WHERE ref = ?", (ref,)).fetchall()
        return [key for (key,) in rows]

    def acquire_lease(self, key: str, owner: str, seconds: float) -> str:
        now = time.time()
        taken = self._changes(
            "INSERT INTO leases VALUES (?, ?, ?) ON CONFLICT (key) DO UPDATE"
            " SET owner = excluded.owner, until = excluded.until WHERE until <= ?",
            *(key, owner, now + seconds, now),
        )
        # Freed between the two statements: nobody holds it, and the caller tries again.
        return owner if taken else self.lease_holder(key) or ""

    def lease_holder(self, key: str) -> str | None:
        with self._connection() as connection:
            row = connection.execute(
                "SELECT owner FROM leases WHERE key = ? AND until > ?", (key, time.time())
            ).fetchone()
        return row[0] if row else None

    def release_lease(self, key: str, owner: str) -> None:
        self._changes("DELETE FROM leases WHERE key = ? AND owner = ?", key, owner)

    def pass_lease(self, key: str, owner: str, to: str, seconds: float) -> None:
        statement = "UPDATE leases SET owner = ?, until = ? WHERE key = ? AND owner = ?"
        self._changes(statement, to, time.time() + seconds, key, owner)

    def ping(self) -> None:
        with self._connection() as connection:
            connection.execute("SELECT 1 FROM sessions LIMIT 1").fetchone()

    def sweep(self) -> int:
        """Delete all that has expired, in short transactions; return how many sessions."""
        swept = 0
        while True:
            with self._transaction() as connection:
                count = _sweep(connection)
            swept += count
            if count < SWEEP_AT_ONCE:
                return swept


def _sweep(connection: sqlite3.Connection) -> int:
    """Delete some of what has expired. Each sign-in does so: more goes than can come."""
    now = time.time()
    rows = connection.execute(
        "SELECT key FROM sessions WHERE expires_at <= ? LIMIT ?", (now, SWEEP_AT_ONCE)
    ).fetchall()
    connection.executemany("DELETE FROM refs WHERE key = ?", rows)
    connection.executemany("DELETE FROM sessions WHERE key = ?", rows)
    connection.execute("DELETE FROM leases WHERE until <= ?", (now,))
    return len(rows)


def _living(row: tuple[Any, ...] | None) -> Record | None:
    """The record of a row, unless it has expired and was not swept yet."""
    record = Record(*row) if row else None
    return record if record and record.expires_at > time.time() else None
