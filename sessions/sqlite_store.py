"""The session store of one machine: one SQLite file that several processes share."""

# ruff: noqa: S608  # the statements are put together of constants

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
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
        self._idle: list[tuple[int, sqlite3.Connection]] = []
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
        try:
            inode, connection = self._take()
            try:
                yield connection
            finally:
                connection.rollback()  # whatever went wrong must not go on holding the file
                self._idle.append((inode, connection))
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailable(str(error)) from error

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    def _ask(self, statement: str, **values: object) -> list[Any]:
        """Run a single statement; return its rows."""
        with self._connection() as connection:
            return connection.execute(statement, values | {"now": time.monotonic()}).fetchall()

    def create(self, key: str, record: Record, refs: Iterable[str]) -> None:
        with self._transaction() as connection:
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?, ?)", (key, *record))
            _add_refs(connection, key, refs)
            _sweep(connection)

    def read(self, key: str) -> Record | None:
        return _living(self._ask("SELECT * FROM sessions WHERE key = :key", key=key))

    def replace(self, key: str, old_version: bytes, record: Record, refs: Iterable[str]) -> bool:
        statement = "UPDATE sessions SET version = ?, data = ? WHERE key = ? AND version = ?"
        with self._transaction() as connection:
            values = (record.version, record.data, key, old_version)
            replaced = connection.execute(statement, values).rowcount == 1
            if replaced:
                _add_refs(connection, key, refs)
        return replaced

    def touch(self, key: str, seen_at: float, expires_at: float) -> None:
        times = "SET seen_at = :seen_at, expires_at = :expires_at"
        statement = f"UPDATE sessions {times} WHERE key = :key AND expires_at > :time"
        self._ask(statement, key=key, seen_at=seen_at, expires_at=expires_at, time=time.time())

    def delete(self, key: str, refs: Iterable[str] = ()) -> Record | None:
        with self._transaction() as connection:
            connection.execute("DELETE FROM refs WHERE key = ?", (key,))
            deleted = connection.execute("DELETE FROM sessions WHERE key = ? RETURNING *", (key,))
            return _living(deleted.fetchall())

    def keys_with(self, ref: str) -> list[str]:
        return [key for (key,) in self._ask("SELECT key FROM refs WHERE ref = :ref", ref=ref)]

    def add(self, name: str, value: str, seconds: float) -> bool:
        living = f"SELECT 1 FROM named WHERE name = :name AND {LIVING}"
        new = "SELECT :name, :value, :now + :seconds, :seconds"
        statement = f"INSERT OR REPLACE INTO named {new} WHERE NOT EXISTS ({living}) RETURNING 1"
        return bool(self._ask(statement, name=name, value=value, seconds=seconds))

    def get(self, name: str) -> str | None:
        rows = self._ask(f"SELECT value FROM named WHERE name = :name AND {LIVING}", name=name)
        return rows[0][0] if rows else None

    def swap(self, name: str, old: str, new: str, seconds: float) -> bool:
        change = "SET value = :new, until = :now + :seconds, seconds = :seconds"
        where = f"WHERE name = :name AND value = :old AND {LIVING}"
        statement = f"UPDATE named {change} {where} RETURNING 1"
        return bool(self._ask(statement, name=name, old=old, new=new, seconds=seconds))

    def remove(self, name: str, value: str) -> bool:
        where = f"WHERE name = :name AND value = :value AND {LIVING}"
        return bool(self._ask(f"DELETE FROM named {where} RETURNING 1", name=name, value=value))


def _add_refs(connection: sqlite3.Connection, key: str, refs: Iterable[str]) -> None:
    rows = [(ref, key) for ref in refs]
    connection.executemany("INSERT OR IGNORE INTO refs VALUES (?, ?)", rows)


def _sweep(connection: sqlite3.Connection) -> None:
    """Delete some of what has expired. Each sign-in does so: more goes than can come."""
    expired = "SELECT key FROM sessions WHERE expires_at <= ? LIMIT ?"
    rows = connection.execute(expired, (time.time(), SWEEP_AT_ONCE)).fetchall()
    connection.executemany("DELETE FROM refs WHERE key = ?", rows)
    connection.executemany("DELETE FROM sessions WHERE key = ?", rows)
    dead = f"DELETE FROM named WHERE NOT ({LIVING})"
    connection.execute(dead, {"now": time.monotonic()})


def _living(rows: Iterable[Any]) -> Record | None:
    """The record of a row, if there is one, unless it has expired and was not swept yet."""
    records = [Record(*row[1:]) for row in rows]
    return next((record for record in records if record.expires_at > time.time()), None)
