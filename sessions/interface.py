"""`flask.session` over a Store: one read a request, and a write only where something changed."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import secrets
import time
import zlib
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import msgspec
from flask import Flask, Request, Response
from flask import session as flask_session
from flask_session.base import ServerSideSession, ServerSideSessionInterface
from werkzeug.http import dump_cookie

from config import Settings

from .sealing import Sealer
from .store import Record, Store, StoreUnavailable

# 32 random bytes in base64url: a session id cannot be guessed (OWASP asks for 16 bytes).
SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")

# A session's idle time is extended at most once in a twentieth of it: reading pages writes nothing.
TOUCH_FRACTION = 20

# How often a write that another request overtook is tried again on top of what that one wrote.
SWAP_ATTEMPTS = 20


class SessionEnded(Exception):
    """The session was ended (sign-out, back-channel logout, age) while this request ran."""


class Content(NamedTuple):
    """What a record seals. Times are seconds since the epoch, UTC; `refs` as `ref_of` gives."""

    started_at: float
    ends_at: float
    refs: list[str]
    data: dict[str, Any]


class PersonSession(ServerSideSession):  # type: ignore[misc]  # Flask-Session has no types
    """The session of a signed-in person; for any other visitor it is empty and cannot be written.

    `key` is None unless somebody is signed in. Changes inside a value (a list in the session) need
    `session.modified = True`, as everywhere in Flask.
    """

    def __init__(self, interface: SessionInterface) -> None:
        self.key: str | None = None
        self.id_for_cookie: str | None = None
        self.ended = False
        self.unavailable: StoreUnavailable | None = None
        self.record: Record
        self.content: Content
        self.plaintext = b""
        self.seal_again = False
        self._interface = interface
        super().__init__()

    @property
    def modified(self) -> bool:
        """Whether this request changed the session."""
        return self._modified

    @modified.setter
    def modified(self, modified: bool) -> None:
        if modified and self.key is None:
            raise RuntimeError(
                "flask.session is kept for signed-in people only: a visitor who is not signed in "
                "must leave nothing in the store. Keep what you want to keep in a cookie."
            )
        self._modified = modified

    @property
    def stored_key(self) -> str:
        """The key of a session that is in the store; raises SessionEnded for any other."""
        if self.key is None:
            raise SessionEnded
        return self.key

    def reload(self) -> None:
        """Take over what other requests have written; what this one changed stays changed.

        Raises SessionEnded where the session is gone, StoreUnavailable.
        """
        changes = self._changes()
        try:
            self._interface.load(self)
        except SessionEnded:
            self.forget()
            raise
        for name, value in changes.items():
            if value is msgspec.UNSET:
                self.pop(name, None)
            else:
                self[name] = value

    def commit(self) -> None:
        """Write what this request changed, now, on top of what others have written meanwhile.

        Raises SessionEnded where the session is gone (it is not brought back), StoreUnavailable.
        """
        for _ in range(SWAP_ATTEMPTS):
            if self._interface.swap(self):
                self.modified = self.seal_again = False
                return
            self.reload()
        raise StoreUnavailable("the session kept changing")

    def forget(self) -> None:
        """Be the session of a visitor who is not signed in; the store is not asked."""
        self.modified = self.seal_again = False
        self.key = self.id_for_cookie = None
        _fill(self, {})

    def _changes(self) -> dict[str, Any]:
        """The values this request changed; UNSET stands for one that it removed."""
        if not self.modified:
            return {}
        before = _decode(self.plaintext).data
        changed = {k: v for k, v in self.items() if k not in before or before[k] != v}
        return changed | {k: msgspec.UNSET for k in before if k not in self}


def current_session() -> PersonSession:
    """`flask.session` by its own type, and not the proxy."""
    return cast(PersonSession, flask_session._get_current_object())  # type: ignore[attr-defined]


class SessionInterface(ServerSideSessionInterface):  # type: ignore[misc]  # has no types
    """Opens and saves sessions for Flask, and starts and ends them for `auth`."""

    ttl = False  # makes Flask-Session offer `flask session_cleanup`, which sweeps

    def __init__(self, app: Flask, store: Store, sealer: Sealer, settings: Settings) -> None:
        super().__init__(app)
        self.store = store
        self._sealer = sealer
        self._idle = settings.session_idle_seconds
        self._absolute = settings.session_absolute_seconds
        self._secure = settings.is_https
        # RFC 6265bis section 4.1.3.2: __Host- ties the cookie to this host, https and all paths.
        # Not called `session`: cookies ignore ports, and neighbours use that name.
        self.cookie_name = "__Host-app_session" if self._secure else "app_session"
        app.config["SESSION_COOKIE_NAME"] = self.cookie_name

    # ---------------------------------------------------------------- opening

    def open_session(self, app: Flask, request: Request) -> PersonSession:
        """Read the visitor's session, with one read and only where there can be one."""
        session = PersonSession(self)
        session_id = request.cookies.get(self.cookie_name, "")
        if not SESSION_ID.fullmatch(session_id) or request.path.startswith("/static/"):
            return session
        session.key = key_of(session_id)
        try:
            self.load(session)
        except SessionEnded:
            session.forget()
        except StoreUnavailable as error:
            # Flask opens sessions before it knows the route; whoever needs this one raises it.
            session.forget()
            session.unavailable = error
        return session

    def load(self, session: PersonSession) -> None:
        """Fill a session that has a key; raises SessionEnded, StoreUnavailable."""
        record = self.store.read(session.stored_key)
        opened = self._open(session.stored_key, record)
        if record is None or opened is None:
            raise SessionEnded
        session.record = record
        session.plaintext, session.seal_again = opened
        try:
            session.content = _decode(session.plaintext)
        except (msgspec.MsgspecError, TypeError):
            raise SessionEnded from None  # written by another version of this app
        _fill(session, session.content.data)

    def _open(self, key: str, record: Record | None) -> tuple[bytes, bool] | None:
        """The plaintext, and whether it must be sealed again; None if there is no session."""
        opened = record and self._sealer.open(record.sealed, bound_to=f"session {key}")
        if not opened:
            return None  # gone, or sealed with a secret that is no longer listed
        plaintext, newest = opened
        return zlib.decompress(plaintext), not newest

    # ---------------------------------------------------------------- starting and ending

    def start(self, session: PersonSession, data: Mapping[str, Any], refs: Iterable[str]) -> None:
        """Start a session with a new id (so session fixation gains nothing), stored at once.

        What this browser had before is deleted after the new session is safe. Raises
        StoreUnavailable, and the earlier session is untouched; SessionEnded where that one was
        ended meanwhile (a sign-out during the sign-in): then no session is left.
        """
        earlier = (session.key, session.content.refs) if session.key else None
        now = time.time()
        session_id = secrets.token_urlsafe(32)
        key = key_of(session_id)
        content = Content(now, now + self._absolute, list(refs), dict(data))
        plaintext = _encoder.encode(content)
        expires_at = min(now + self._idle, content.ends_at)
        record = Record(os.urandom(8), self._seal(key, plaintext), now, expires_at)
        self.store.create(key, record, content.refs)
        if earlier and self.store.delete(*earlier) is None:
            self.store.delete(key, content.refs)
            session.forget()
            raise SessionEnded
        session.key, session.id_for_cookie = key, session_id
        session.record, session.content, session.plaintext = record, content, plaintext
        session.modified = session.seal_again = session.ended = False
        _fill(session, content.data)

    def end(self, session: PersonSession) -> Content | None:
        """Delete this session, at the store and in the browser; return what it held to the last.
        Raises StoreUnavailable."""
        content = None
        if session.key is not None:
            content = self.end_key(session.key, session.content) or session.content
            session.forget()
        session.ended = True
        return content

    def all_with(self, ref: str) -> dict[str, tuple[Record, Content]]:
        """Return the living sessions with a reference, by key. Raises StoreUnavailable."""
        found = {}
        for key in self.store.keys_with(ref):
            record = self.store.read(key)
            opened = self._open(key, record)
            if record and opened:
                found[key] = record, _decode(opened[0])
        return found

    def end_key(self, key: str, content: Content) -> Content | None:
        """End a session that `all_with` found; return what it held to the last (another request
        may have refreshed its tokens since), None if it was no longer there."""
        opened = self._open(key, self.store.delete(key, content.refs))
        return _decode(opened[0]) if opened else None

    # ---------------------------------------------------------------- writing

    def swap(self, session: PersonSession) -> bool:
        """Write the session if nobody else has since it was read; say whether."""
        key = session.stored_key
        plaintext = _encoder.encode(session.content._replace(data=dict(session)))
        record = session.record._replace(version=os.urandom(8), sealed=self._seal(key, plaintext))
        if not self.store.replace(key, session.record.version, record.version, record.sealed):
            return False
        session.record, session.plaintext = record, plaintext
        return True

    def _seal(self, key: str, plaintext: bytes) -> bytes:
        # Compressed first: tokens are base64, a quarter of which is air.
        return self._sealer.seal(zlib.compress(plaintext, level=1), bound_to=f"session {key}")

    def save_session(self, app: Flask, session: PersonSession, response: Response) -> None:
        """Write what the request changed, keep an idle session alive, set or delete the cookie.

        Raises StoreUnavailable if a change could not be kept.
        """
        if session.key is not None:
            self._save(session)
        if session.id_for_cookie is not None:
            self._set_cookie(response, session.id_for_cookie, self._absolute)
        elif session.ended:
            self._set_cookie(response, "", 0)
        if session.accessed or session.ended or "Set-Cookie" in response.headers:
            if "Cookie" not in response.headers.get("Vary", ""):
                response.vary.add("Cookie")
            response.headers["Cache-Control"] = "no-store"

    def _save(self, session: PersonSession) -> None:
        try:
            if session.modified or session.seal_again:
                session.commit()
            now = time.time()
            if now - session.record.seen_at > self._idle / TOUCH_FRACTION:
                expires_at = min(now + self._idle, session.content.ends_at)
                self.store.touch(session.stored_key, now, expires_at)
        except SessionEnded:
            pass  # what this request wanted to keep goes with the session
        except StoreUnavailable:
            session.forget()  # so that the error page does not try it once more
            raise

    def _set_cookie(self, response: Response, value: str, max_age: int) -> None:
        """Set the cookie, or with 0 seconds delete it; by the same attributes both times, since
        browsers ignore a `__Host-` cookie that comes without Secure, its deletion too."""
        cookie = dump_cookie(
            self.cookie_name,
            value,
            max_age=max_age,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
            sync_expires=False,
        )
        response.headers.add("Set-Cookie", cookie)

    # ---------------------------------------------------------------- what Flask-Session calls

    def _delete_expired_sessions(self) -> None:
        self.store.sweep()

    def _retrieve_session_data(self, store_id: str) -> dict[str, Any] | None:
        opened = self._open(store_id, self.store.read(store_id))
        return _decode(opened[0]).data if opened else None

    def _delete_session(self, store_id: str) -> None:
        self.store.delete(store_id)

    def _upsert_session(self, session_lifetime: Any, session: Any, store_id: str) -> None:
        raise NotImplementedError("sessions are created by start() and written by commit()")


def key_of(session_id: str) -> str:
    """Return the store's key of a session id: a hash, from which the id cannot be had."""
    return _hash(session_id)


def ref_of(issuer: str, kind: str, value: str) -> str:
    """Return the reference of a `sid` or `sub` (the `kind`) of an issuer: a hash too."""
    return _hash(msgspec.json.encode([issuer, kind, value]).decode())


def _hash(text: str) -> str:
    # Half of SHA-256: finding another preimage still takes 2**128 tries.
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode()[:22]


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder()


def _decode(plaintext: bytes) -> Content:
    # msgspec alone, not Flask-Session's serializer, which falls back to pickle.
    return Content(*_decoder.decode(plaintext))


def _fill(session: PersonSession, data: Mapping[str, Any]) -> None:
    """Replace the content without marking the session as changed."""
    dict.clear(session)
    dict.update(session, data)
