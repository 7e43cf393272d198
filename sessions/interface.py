"""`flask.session` over the stored sessions: one read a request, and a write only where something
changed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

from flask import Flask, Request, Response, current_app
from flask import session as flask_session
from flask_session.base import ServerSideSession, ServerSideSessionInterface

from config import Settings

from .records import SessionEnded, SessionRecords, StoredSession, key_of, serializer
from .store import StoreUnavailable

# 32 random bytes in base64url: a session id cannot be guessed (OWASP asks for 16 bytes).
SESSION_ID = re.compile(r"[A-Za-z0-9_-]{43}")
# What platforms ask, under whatever name or address they like, and while the store hangs.
PROBES = ("/healthz", "/readyz")
# What a visitor's session may hold, in bytes of its cookie: headers have to stay small.
VISITOR_BYTES = 2048
# How often a write that another request overtook is tried again on top of what that one wrote.
SWAP_ATTEMPTS = 20


class Session(ServerSideSession):  # type: ignore[misc]  # Flask-Session has no types
    """The session of a signed-in person, in the store; or of a visitor, in the visitor's cookie.

    Changes inside a value (a list in the session) need `session.modified = True`, as everywhere in
    Flask. Every method raises StoreUnavailable.
    """

    def __init__(self, records: SessionRecords) -> None:
        """Begin as a visitor's, empty."""
        self.new_id: str | None = None
        self.lost_key: str | None = None
        self.unavailable: StoreUnavailable | None = None
        self._records = records
        self._stored: StoredSession | None = None
        super().__init__()

    @property
    def key(self) -> str | None:
        """The key at the store; None for a visitor."""
        return self._stored.key if self._stored else None

    @property
    def stored(self) -> StoredSession:
        """The session as the store has it; raises SessionEnded for a visitor."""
        if self._stored is None:
            raise SessionEnded
        return self._stored

    def fill(self, data: Mapping[str, Any], stored: StoredSession | None = None) -> None:
        """Replace the content without marking the session as changed."""
        self._stored = stored
        dict.clear(self)
        dict.update(self, data)
        self.modified = False

    def load(self, key: str) -> None:
        """Become the stored session of a key. Raises SessionEnded, and is a visitor's then."""
        try:
            stored = self._records.read(key)
        except SessionEnded:
            self.forget()
            raise
        self.fill(stored.data, stored)

    def reload(self) -> None:
        """Take over what other requests have written; what this one changed stays changed.

        Raises SessionEnded where the session is gone.
        """
        stored, mine, has_changes = self.stored, dict(self), self.modified
        self.load(stored.key)
        if has_changes:
            before = self._records.decode(stored.key, stored.record).data
            for name in before.keys() - mine.keys():
                self.pop(name, None)
            self.update({k: v for k, v in mine.items() if k not in before or before[k] != v})

    def commit(self, *, refs: Sequence[str] = (), ends_at: float = math.inf) -> None:
        """Write what this request changed, now, on top of what others have written meanwhile;
        add references, and an earlier end.

        Raises SessionEnded where the session is gone (it is not brought back).
        """
        for _ in range(SWAP_ATTEMPTS):
            if stored := self._records.replace(self.stored, self, refs, ends_at):
                self._stored, self.modified = stored, False
                return
            self.reload()
        raise StoreUnavailable("the session kept changing")

    def start(
        self, data: Mapping[str, Any], refs: Iterable[str], ends_at: float = math.inf
    ) -> None:
        """Become a session with a new id (so session fixation gains nothing), stored at once.

        What this browser had before is deleted after the new session is safe: where the store
        fails, the earlier session is untouched. Raises SessionEnded where that one was ended
        meanwhile (a sign-out during the sign-in): then no session is left.
        """
        earlier = self._stored
        session_id, stored = self._records.create(data, refs, ends_at)
        # Another tab's request may be under way with the earlier id: it was not lost, and if it
        # signs out, this session ends.
        if earlier and self._records.end(earlier, stored) is None:
            self._records.end(stored)
            self.forget()
            raise SessionEnded
        self.fill(stored.data, stored)
        self.new_id = session_id

    def end(self) -> StoredSession | None:
        """Delete this session, at the store and in the browser, and the one that a sign-in in
        another tab has just put in its place; return what was held to the last."""
        ended, key = self._stored, self.key or self.lost_key
        if ended:
            ended = self._records.end(ended) or ended
        self.forget()
        while key and (key := self._records.successor_of(key)):
            with suppress(SessionEnded):
                ended = self._records.end(self._records.read(key)) or ended
        self.lost_key = None
        self.modified = True  # so that the browser's cookie is deleted, too
        return ended

    def is_lost(self) -> bool:
        """Whether there is no session, though nobody ended it."""
        if self.key is not None:
            return False
        return not self.lost_key or self._records.successor_of(self.lost_key) is None

    def forget(self) -> None:
        """Become the session of a visitor; the store is not asked."""
        self.new_id = None
        self.fill({})


def current_session() -> Session:
    """Return `flask.session` by its own type, and not the proxy."""
    return cast(Session, flask_session._get_current_object())  # type: ignore[attr-defined]


def session_records() -> SessionRecords:
    """Return the stored sessions of the current app."""
    return cast(SessionInterface, current_app.session_interface).records


class SessionInterface(ServerSideSessionInterface):  # type: ignore[misc]  # has no types
    """Opens and saves sessions for Flask, and tells them to the browser by a cookie."""

    def __init__(self, app: Flask, records: SessionRecords, settings: Settings) -> None:
        """Take the stored sessions, and the settings that the cookie follows."""
        super().__init__(app)
        self.records = records
        self._cookie_attributes = settings.cookie_attributes
        app.config["SESSION_COOKIE_NAME"] = settings.cookie_name("session")

    def open_session(self, app: Flask, request: Request) -> Session:
        """Read the visitor's session: one read of the store, and only where there can be one."""
        session = Session(self.records)
        cookie = request.cookies.get(self.get_cookie_name(app), "")
        if not cookie or request.path in PROBES or request.path.startswith("/static/"):
            return session  # without the store, which may hang
        if not SESSION_ID.fullmatch(cookie):
            plaintext = self.records.encryptor.decrypt_text(cookie, bound_to="visitor")
            session.fill(serializer.loads(plaintext.decode()) if plaintext else {})
            return session
        try:
            session.load(key_of(cookie))
        except SessionEnded:
            session.lost_key = key_of(cookie)
        except StoreUnavailable as error:
            # Flask opens sessions before it knows the route: a request that needs it raises this.
            session.unavailable = error
        return session

    def save_session(self, app: Flask, session: Session, response: Response) -> None:
        """Write what the request changed, keep an idle session alive, set or delete the cookie.

        Raises StoreUnavailable if a change could not be stored.
        """
        if session.unavailable:
            return  # nobody knows what this browser's session is: it stays as it is
        if session.key is not None:
            self._save(session)
        if session.new_id is not None:
            self._set_cookie(app, response, session.new_id, self.records.absolute_seconds)
        elif session.key is None and session.modified and not self._was_replaced(session):
            cookie, max_age = (self._visitor_cookie(session), None) if session else ("", 0)
            self._set_cookie(app, response, cookie, max_age)
        if session.accessed or "Set-Cookie" in response.headers:
            response.vary.add("Cookie")
            response.headers["Cache-Control"] = "no-store"

    def _save(self, session: Session) -> None:
        try:
            if session.modified or not session.stored.is_newest:
                session.commit()
            self.records.touch(session.stored)
        except SessionEnded:
            pass  # what this request wanted to store goes with the session
        except StoreUnavailable:
            session.forget()  # so that the error page does not try it again
            raise

    def _was_replaced(self, session: Session) -> bool:
        """Whether a sign-in in another tab replaced the session that this request came with: the
        browser has a newer cookie, which must stay."""
        return bool(session.lost_key and self.records.successor_of(session.lost_key))

    def _visitor_cookie(self, session: Session) -> str:
        plaintext = serializer.dumps(dict(session)).encode()
        cookie = self.records.encryptor.encrypt_text(plaintext, bound_to="visitor")
        if len(cookie) > VISITOR_BYTES:
            names = ", ".join(session)
            session.forget()  # so that the error page does not try it again
            raise ValueError(
                f"flask.session of a visitor is a cookie of at most {VISITOR_BYTES} bytes; "
                f"this one has {len(cookie)}: {names}"
            )
        return cookie

    def _set_cookie(self, app: Flask, response: Response, value: str, max_age: int | None) -> None:
        """Set the cookie, or with 0 seconds delete it; by the same attributes both times, since
        browsers ignore a `__Host-` cookie that comes without Secure, its deletion too."""
        name = self.get_cookie_name(app)
        response.set_cookie(name, value, max_age=max_age, **self._cookie_attributes)

    # ---------------------------------------------------------------- what Flask-Session asks for

    def _not_used(self, *_: object) -> None:
        raise NotImplementedError("sessions are started by start() and written by commit()")

    _retrieve_session_data = _delete_session = _upsert_session = _not_used
