"""`flask.session`, kept on the server: Flask-Session's interface over a store of our own.

What Flask-Session's own back ends lack, and this one has: a session is written only by a
request that changed it, and then by compare-and-swap, so that a slow request restores no old
token and undoes no sign-out; the store holds hashes of session ids and encrypted records; a
visitor who is not signed in leaves nothing in it; nothing is ever unpickled.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

from flask import Flask

from config import Settings

from .interface import PersonSession, SessionEnded, SessionInterface, current_session, ref_of
from .sealing import Sealer
from .store import Store, StoreUnavailable

__all__ = [
    "PersonSession",
    "Sealer",
    "SessionEnded",
    "SessionInterface",
    "StoreUnavailable",
    "current_session",
    "ref_of",
]


def init_app(app: Flask, settings: Settings, sealer: Sealer) -> None:
    """Give the app its session interface, on SQLite or, where configured, on Redis."""
    store = _open_store(settings, Path(app.instance_path))
    app.session_interface = SessionInterface(app, store, sealer, settings)


def _open_store(settings: Settings, instance: Path) -> Store:
    if settings.session_redis_url:
        from .redis_store import RedisStore

        return RedisStore(settings.session_redis_url, settings.session_absolute_seconds)
    from .sqlite_store import SQLiteStore

    path = instance / "sessions.sqlite3"
    try:
        return SQLiteStore(path)
    except (OSError, sqlite3.Error) as error:
        sys.exit(
            f"The session store {path.name} cannot be written in {instance.name}/ "
            f"({type(error).__name__}). Let this process write there, or set SESSION_REDIS_URL."
        )
