"""`flask.session` over a Store: one read a request, and a write only where something changed."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, cast

from flask import Flask, Request, Response, current_app
from flask import session as flask_session
from flask.json.tag import TaggedJSONSerializer
from flask_session.base import ServerSideSession, ServerSideSessionInterface

from config import Settings

from .encryption import Encryptor, base64url
from .store import Record, Store, StoreUnavailable

# 32 random bytes in base64url: a session id cannot be guessed (OWASP asks for 16 bytes).
SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")
# What is served without a session, and therefore at once while the store hangs.
NO_SESSION = ("/static/", "/healthz", "/readyz")
# What a visitor's session may hold, in bytes of its cookie: headers have to stay small.
VISITOR_BYTES = 2048
# A session's idle time is extended at most once in a twentieth of it: reading pages writes nothing.
TOUCH_FRACTION = 20
# How often a write that another request overtook is tried again on top of what that one wrote.
SWAP_ATTEMPTS = 20

# How long it is remembered that a session was ended, and not lost.
ENDED_SECONDS = 60

_REMOVED = object()
# Flask's own serializer: JSON with tags. Never Flask-Session's, which falls back to pickle.
_serializer = TaggedJSONSerializer()


class SessionEnded(Exception):
    """The session was ended (sign-out, back-channel logout, age) while this request ran."""


class Content(NamedTuple):
    """What a record encrypts. Times are seconds since the epoch, UTC; `refs` are the references
    that the session is found by. The store knows keyed hashes of them."""

    started_at: float
    ends_at: float
    refs: list[str]
    data: dict[str, Any]


class Session(ServerSideSession):  # type: ignore[misc]  # Flask-Session has no types
    """The session of a signed-in person, in the store; or of a visitor, in the visitor's cookie.

    `key` is None for a visitor. Changes inside a value (a list in the session) need
    `session.modified = True`, as everywhere in Flask.
    """

    def __init__(self, interface: SessionInterface) -> None:
        self.key: str | None = None
        self.new_id: str | None = None
        self.lost_key: str | None = None
        self.was_ended = False
        self.unavailable: StoreUnavailable | None = None
        self.record: Record
        self.content: Content
        self.has_old_encryption = False
        self._interface = interface
        super().__init__()

    @property
    def stored_key(self) -> str:
        """The key of a session that is in the store; raises SessionEnded for any other."""
        if self.key is None:
            raise SessionEnded
        return self.key

    def fill(self, data: Mapping[str, Any]) -> None:
        """Replace the content without marking the session as changed."""
        dict.clear(self)
        dict.update(self, data)
        self.modified = False

    def reload(self) -> None:
        """Take over what other requests have written; what this one changed stays changed.

        Raises SessionEnded where the session is gone, StoreUnavailable.
        """
        changes = {}
        if self.modified:
            before = self._interface.decode(self.stored_key, self.record)[0].data
            changed = {k: v for k, v in self.items() if k not in before or before[k] != v}
            changes = changed | {k: _REMOVED for k in before if k not in self}
        try:
            self._interface.load(self)
        except SessionEnded:
            self.forget()
            raise
        for name, value in changes.items():
            if value is _REMOVED:
                self.pop(name, None)
            else:
                self[name] = value

    def commit(self, *, refs: Iterable[str] = (), ends_at: float | None = None) -> None:
        """Write what this request changed, now, on top of what others have written meanwhile;
        add references, and an earlier end.

        Raises SessionEnded where the session is gone (it is not brought back), StoreUnavailable.
        """
        refs = list(refs)
        for _ in range(SWAP_ATTEMPTS):
            if self._interface.swap(self, refs, ends_at):
                return
            self.reload()
        raise StoreUnavailable("the session kept changing")

    def is_lost(self) -> bool:
        """Whether there is no session, though nobody ended it. Raises StoreUnavailable."""
        if self.key is not None:
            return False
        return not self.lost_key or self._interface.store.get(f"ended {self.lost_key}") is None

    def forget(self) -> None:
        """Become the session of a visitor; the store is not asked."""
        self.key = self.new_id = None
        self.has_old_encryption = False
        self.fill({})


def current_session() -> Session:
    """Return `flask.session` by its own type, and not the proxy."""
    return cast(Session, flask_session._get_current_object())  # type: ignore[attr-defined]


def session_interface() -> SessionInterface:
    """Return the session interface of the current app, by its own type."""
    return cast(SessionInterface, current_app.session_interface)


class SessionInterface(ServerSideSessionInterface):  # type: ignore[misc]  # has no types
    """Opens and saves sessions for Flask, and starts and ends them for `auth`."""

    ttl = False  # makes Flask-Session offer `flask session_cleanup`, which sweeps

    def __init__(self, app: Flask, store: Store, encryptor: Encryptor, settings: Settings) -> None:
        super().__init__(app)
        self.store, self.encryptor = store, encryptor
        self._idle = settings.session_idle_seconds
        self._absolute = settings.session_absolute_seconds
        app.config |= {
            "SESSION_COOKIE_NAME": settings.cookie_name("session"),
            "SESSION_COOKIE_SECURE": settings.is_https,
            "SESSION_COOKIE_HTTPONLY": True,
            "SESSION_COOKIE_SAMESITE": "Lax",
        }

    # ---------------------------------------------------------------- opening

    def open_session(self, app: Flask, request: Request) -> Session:
        """Read the visitor's session: one read of the store, and only where there can be one."""
        session = Session(self)
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        if request.path.startswith(NO_SESSION) or not cookie:
            return session
        if not SESSION_ID.fullmatch(cookie):
            plaintext = self.encryptor.decrypt_text(cookie, bound_to="visitor")
            session.fill(_serializer.loads(plaintext.decode()) if plaintext else {})
            return session
        session.key = key_of(cookie)
        try:
            self.load(session)
        except SessionEnded:
            session.lost_key = session.key
            session.forget()
        except StoreUnavailable as error:
            # Flask opens sessions before it knows the route; whoever needs this one raises it.
            session.forget()
            session.unavailable = error
        return session

    def load(self, session: Session) -> None:
        """Fill a session that has a key; raises SessionEnded, StoreUnavailable."""
        record = self.store.read(session.stored_key)
        if record is None:
            raise SessionEnded
        session.content, is_newest = self.decode(session.stored_key, record)
        session.record, session.has_old_encryption = record, not is_newest
        session.fill(session.content.data)

    def decode(self, key: str, record: Record) -> tuple[Content, bool]:
        """Return what a record holds, and whether the newest key encrypted it.

        Raises SessionEnded where that is no session: past its end, whatever the store says; changed
        by somebody; of a key that is no longer listed; of another version of this app.
        """
        decrypted = self.encryptor.decrypt(record.data, bound_to=f"session {key}")
        if decrypted is None:
            raise SessionEnded
        try:
            content = Content(*_serializer.loads(zlib.decompress(decrypted[0]).decode()))
        except (zlib.error, ValueError, TypeError):
            raise SessionEnded from None
        if time.time() >= content.ends_at:
            raise SessionEnded
        return content, decrypted[1]

    # ---------------------------------------------------------------- starting and ending

    def start(
        self,
        session: Session,
        data: Mapping[str, Any],
        refs: Iterable[str],
        ends_at: float | None = None,
    ) -> None:
        """Start a session with a new id (so session fixation gains nothing), stored at once.

        What this browser had before is deleted after the new session is safe. Raises
        StoreUnavailable, and the earlier session is untouched; SessionEnded where that one was
        ended meanwhile (a sign-out during the sign-in): then no session is left.
        """
        earlier = (session.key, session.content.refs) if session.key else None
        now = time.time()
        session_id = secrets.token_urlsafe(32)
        key = key_of(session_id)
        content = Content(now, min(now + self._absolute, ends_at or now * 2), [*refs], {**data})
        expires_at = min(now + self._idle, content.ends_at)
        record = Record(os.urandom(8), self._encrypt(key, content), now, expires_at)
        self.store.create(key, record, self._newest_digests(content.refs))
        if earlier:
            # Another tab's request may be under way with the earlier id: it was not lost, and if
            # it signs out, this session ends.
            self.store.add(f"ended {earlier[0]}", key, ENDED_SECONDS)
            if self._delete(*earlier) is None:
                self._delete(key, content.refs)
                session.forget()
                raise SessionEnded
        session.key, session.new_id = key, session_id
        session.record, session.content = record, content
        session.has_old_encryption = session.was_ended = False
        session.fill(content.data)

    def end(self, session: Session) -> Content | None:
        """Delete this session, at the store and in the browser, and the one that a sign-in in
        another tab has just put in its place; return what was held to the last. Raises
        StoreUnavailable."""
        content, key = None, session.key or session.lost_key
        if session.key is not None:
            content = session.content
            with suppress(SessionEnded):
                content = self.end_key(session.key, content) or content
            session.forget()
        while key and (key := self.store.get(f"ended {key}")):
            if record := self.store.read(key):
                with suppress(SessionEnded):
                    content = self.end_key(key, self.decode(key, record)[0]) or content
        session.was_ended = True
        return content

    def keys_with(self, ref: str) -> set[str]:
        """Return the keys of the sessions with a reference, also of some that have ended. Raises
        StoreUnavailable."""
        digests = self.encryptor.digests(ref)
        return {key for digest in digests for key in self.store.keys_with(digest)}

    def all_with(self, ref: str) -> dict[str, tuple[Record, Content]]:
        """Return the living sessions with a reference, by key. Raises StoreUnavailable."""
        found = {}
        for key in self.keys_with(ref):
            if record := self.store.read(key):
                with suppress(SessionEnded):
                    found[key] = record, self.decode(key, record)[0]
        return found

    def end_key(self, key: str, content: Content) -> Content | None:
        """End a session that `all_with` found; return what it held to the last (another request
        may have refreshed its tokens since), None if it was no longer there."""
        record = self._delete(key, content.refs)
        self.store.add(f"ended {key}", "1", ENDED_SECONDS)
        return self.decode(key, record)[0] if record else None

    def _delete(self, key: str, refs: Iterable[str]) -> Record | None:
        return self.store.delete(key, [d for ref in refs for d in self.encryptor.digests(ref)])

    def _newest_digests(self, refs: Iterable[str]) -> list[str]:
        return [self.encryptor.digests(ref)[0] for ref in refs]

    # ---------------------------------------------------------------- writing

    def swap(self, session: Session, refs: list[str], ends_at: float | None) -> bool:
        """Write the session if nobody else has since it was read; say whether."""
        key, content = session.stored_key, session.content
        added = [ref for ref in refs if ref not in content.refs]
        content = content._replace(
            data=dict(session),
            refs=[*content.refs, *added],
            ends_at=min(content.ends_at, ends_at or content.ends_at),
        )
        record = session.record._replace(version=os.urandom(8), data=self._encrypt(key, content))
        # When a secret is rotated, the session has to be found by the new one's digests as well.
        digests = self._newest_digests(content.refs if session.has_old_encryption else added)
        if not self.store.replace(key, session.record.version, record, digests):
            return False
        session.record, session.content = record, content
        session.modified = session.has_old_encryption = False
        return True

    def _encrypt(self, key: str, content: Content) -> bytes:
        # Compressed first: tokens are base64, a quarter of which is air.
        plaintext = zlib.compress(_serializer.dumps(list(content)).encode(), level=1)
        return self.encryptor.encrypt(plaintext, bound_to=f"session {key}")

    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        """Write what the request changed, keep an idle session alive, set or delete the cookie.

        Raises StoreUnavailable if a change could not be stored.
        """
        if session.unavailable:
            return  # nobody knows what this browser's session is: it stays as it is
        if session.key is not None:
            self._save(session)
        if session.new_id is not None:
            self._set_cookie(app, response, session.new_id, max_age=self._absolute)
        elif session.key is None and session.modified and session:
            self._set_cookie(app, response, self._visitor_cookie(session))
        elif session.was_ended or (session.key is None and session.modified):
            self._set_cookie(app, response, "", max_age=0)
        if session.accessed or "Set-Cookie" in response.headers:
            response.vary.add("Cookie")
            response.headers["Cache-Control"] = "no-store"

    def _save(self, session: Session) -> None:
        try:
            if session.modified or session.has_old_encryption:
                session.commit()
            now = time.time()
            if abs(now - session.record.seen_at) > self._idle / TOUCH_FRACTION:
                expires_at = min(now + self._idle, session.content.ends_at)
                self.store.touch(session.stored_key, now, expires_at)
        except SessionEnded:
            pass  # what this request wanted to store goes with the session
        except StoreUnavailable:
            session.forget()  # so that the error page does not try it again
            raise

    def _visitor_cookie(self, session: Session) -> str:
        plaintext = _serializer.dumps(dict(session)).encode()
        cookie = self.encryptor.encrypt_text(plaintext, bound_to="visitor")
        if len(cookie) > VISITOR_BYTES:
            names = ", ".join(session)
            session.forget()  # so that the error page does not try it again
            raise ValueError(
                f"flask.session of a visitor is a cookie of at most {VISITOR_BYTES} bytes; "
                f"this one has {len(cookie)}: {names}"
            )
        return cookie

    def _set_cookie(
        self, app: Flask, response: Response, value: str, max_age: int | None = None
    ) -> None:
        """Set the cookie, or with 0 seconds delete it; by the same attributes both times, since
        browsers ignore a `__Host-` cookie that comes without Secure, its deletion too."""
        response.set_cookie(
            self.get_cookie_name(app),
            value,
            max_age=max_age,
            secure=self.get_cookie_secure(app),
            httponly=self.get_cookie_httponly(app),
            samesite=self.get_cookie_samesite(app),
        )

    # ---------------------------------------------------------------- what Flask-Session calls

    def _delete_expired_sessions(self) -> None:
        self.store.sweep()

    def _not_used(self, *_: object) -> None:
        raise NotImplementedError("sessions are started by start() and written by commit()")

    _retrieve_session_data = _delete_session = _upsert_session = _not_used


def key_of(session_id: str) -> str:
    """Return the store's key of a session id: a hash, from which the id cannot be had."""
    # Half of SHA-256: finding another preimage still takes 2**128 tries.
    return base64url(hashlib.sha256(session_id.encode()).digest()[:16])
