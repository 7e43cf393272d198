"""`flask.session`, kept on the server: Flask-Session's interface over a store of our own.

Flask-Session is what Flask's users know. What its own back ends lack, and this one has: a session
is written only by a request that changed it, and then by compare-and-swap, so that a slow request
restores no old token and undoes no sign-out; the store holds hashes of session ids and encrypted
records; a visitor who is not signed in leaves nothing in it; nothing is ever unpickled.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from flask import Flask

from config import Settings, SettingsError

from .encryption import Encryptor, base64url
from .interface import PROBES, Session, SessionInterface, current_session, session_records
from .records import SessionEnded, SessionRecords, StoredSession
from .store import Store, StoreUnavailable

__all__ = [
    "PROBES",
    "Encryptor",
    "Session",
    "SessionEnded",
    "Store",
    "StoreUnavailable",
    "StoredSession",
    "base64url",
    "current_session",
    "init_app",
    "session_records",
]


def init_app(app: Flask, settings: Settings, store: Store | None = None) -> None:
    """Give the app its session interface, on the store given, on Redis where configured, or on
    SQLite. Raises SettingsError where the store cannot be used."""
    store = store or _open_store(settings, Path(app.instance_path))
    records = SessionRecords(store, Encryptor(settings.secret_keys), settings)
    app.session_interface = SessionInterface(app, records, settings)


def _open_store(settings: Settings, instance: Path) -> Store:
    if settings.session_redis_url:
        from .redis_store import RedisStore

        return RedisStore(settings.session_redis_url, settings.session_absolute_seconds)
    from .sqlite_store import SQLiteStore

    path = instance / "sessions.sqlite3"
    try:
        return SQLiteStore(path)
    except (OSError, sqlite3.Error) as error:
        wrong = f"cannot be written in {instance.name}/ ({type(error).__name__})"
        change = "Let this process write there, or set SESSION_REDIS_URL."
        raise SettingsError(f"The session store {path.name} {wrong}. {change}") from None
