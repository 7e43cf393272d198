"""Sessions as the store has them: encrypted, under hashes of their ids, found by references.

Nothing here knows of requests or cookies: that is `interface.py`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
import zlib
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from flask.json.tag import TaggedJSONSerializer

from config import Settings

from .encryption import Encryptor, base64url
from .store import Record, Store

# A session's idle time is extended at most once in a twentieth of it: reading pages writes nothing.
TOUCH_FRACTION = 20
# How long it is remembered that a session was ended, and not lost.
ENDED_SECONDS = 60

# Flask's own serializer: JSON with tags. Never Flask-Session's, which falls back to pickle.
serializer = TaggedJSONSerializer()


class SessionEnded(Exception):
    """The session was ended (sign-out, back-channel logout, age) while this request ran."""


class StoredSession(NamedTuple):
    """A session as it was read or written. Times are seconds since the epoch, UTC; `refs` are the
    references that it is found by (the store knows keyed hashes of them); `is_newest` says whether
    the newest secret encrypted it."""

    key: str
    record: Record
    started_at: float
    ends_at: float
    refs: list[str]
    data: dict[str, Any]
    is_newest: bool = True


class SessionRecords:
    """Creates, reads, replaces and ends sessions in a store. All methods that ask the store raise
    StoreUnavailable."""

    def __init__(self, store: Store, encryptor: Encryptor, settings: Settings) -> None:
        """Take the store, what encrypts, and the settings that say how long a session lives."""
        self.store, self.encryptor = store, encryptor
        self.absolute_seconds = settings.session_absolute_seconds
        self._idle = settings.session_idle_seconds

    def create(
        self, data: Mapping[str, Any], refs: Iterable[str], ends_at: float
    ) -> tuple[str, StoredSession]:
        """Store a new session; return its id, which is known to nobody else, and the session."""
        now, session_id = time.time(), secrets.token_urlsafe(32)
        ends_at = min(now + self.absolute_seconds, ends_at)
        record = Record(b"", b"", now, min(now + self._idle, ends_at))
        session = StoredSession(key_of(session_id), record, now, ends_at, [*refs], {**data})
        session = self._encrypted(session)
        self.store.create(session.key, session.record, self._newest_digests(session.refs))
        return session_id, session

    def read(self, key: str) -> StoredSession:
        """Return a session. Raises SessionEnded where there is none."""
        return self.decode(key, self.store.read(key))

    def decode(self, key: str, record: Record | None) -> StoredSession:
        """Return what a record holds.

        Raises SessionEnded where that is no session: past its end, whatever the store says; changed
        by somebody; of a secret that is no longer listed; of another version of this app.
        """
        bound_to = f"session {key}"
        decrypted = self.encryptor.decrypt(record.data, bound_to=bound_to) if record else None
        if not record or not decrypted:
            raise SessionEnded
        try:
            values = serializer.loads(zlib.decompress(decrypted[0]).decode())
            started_at, ends_at, refs, data = values
        except (zlib.error, ValueError, TypeError):
            raise SessionEnded from None
        if time.time() >= ends_at:
            raise SessionEnded
        return StoredSession(key, record, started_at, ends_at, refs, data, decrypted[1])

    def replace(
        self,
        session: StoredSession,
        data: Mapping[str, Any],
        refs: Iterable[str],
        ends_at: float,
    ) -> StoredSession | None:
        """Write other data, further references and an earlier end, if nobody else has written since
        the session was read; return what is stored now, None where somebody has."""
        added = [ref for ref in refs if ref not in session.refs]
        refs, ends_at = [*session.refs, *added], min(session.ends_at, ends_at)
        new = self._encrypted(session._replace(data={**data}, refs=refs, ends_at=ends_at))
        # When a secret is rotated, the session has to be found by the new one's digests as well.
        digests = self._newest_digests(added if session.is_newest else new.refs)
        replaced = self.store.replace(session.key, session.record.version, new.record, digests)
        return new if replaced else None

    def touch(self, session: StoredSession) -> None:
        """Keep a session that is used from ending for idleness."""
        now = time.time()
        if abs(now - session.record.seen_at) > self._idle / TOUCH_FRACTION:
            self.store.touch(session.key, now, min(now + self._idle, session.ends_at))

    def end(
        self, session: StoredSession, successor: StoredSession | None = None
    ) -> StoredSession | None:
        """End a session, for good or because another one takes its place; return what it held to
        the last (another request may have refreshed its tokens since), None if it was gone."""
        key, note = session.key, f"ended {session.key}"
        if successor:
            # First: a sign-out that finds this session gone has to find what came in its place.
            self.store.add(note, successor.key, ENDED_SECONDS)
        digests = [digest for ref in session.refs for digest in self.encryptor.digests(ref)]
        record = self.store.delete(key, digests)
        if not successor:
            self.store.add(note, "", ENDED_SECONDS)
        with suppress(SessionEnded):
            return self.decode(key, record)
        return None

    def successor_of(self, key: str) -> str | None:
        """Return the key of the session that took the place of one that has just ended, "" where
        none did; None where nobody ended it."""
        return self.store.get(f"ended {key}")

    def keys_with(self, ref: str) -> set[str]:
        """Return the keys of the sessions with a reference, also of some that have ended."""
        digests = self.encryptor.digests(ref)
        return {key for digest in digests for key in self.store.keys_with(digest)}

    def all_with(self, ref: str) -> list[StoredSession]:
        """Return the living sessions with a reference."""
        return self.living(self.keys_with(ref))

    def living(self, keys: Iterable[str]) -> list[StoredSession]:
        """Return those of the sessions that have not ended."""
        found = []
        for key in keys:
            with suppress(SessionEnded):
                found.append(self.read(key))
        return found

    def _newest_digests(self, refs: Iterable[str]) -> list[str]:
        return [self.encryptor.digests(ref)[0] for ref in refs]

    def _encrypted(self, session: StoredSession) -> StoredSession:
        """The session with its record written anew."""
        values = [session.started_at, session.ends_at, session.refs, session.data]
        # Compressed first: tokens are base64, a quarter of which is air.
        plaintext = zlib.compress(serializer.dumps(values).encode(), level=1)
        data = self.encryptor.encrypt(plaintext, bound_to=f"session {session.key}")
        record = session.record._replace(version=os.urandom(8), data=data)
        return session._replace(record=record, is_newest=True)


def key_of(session_id: str) -> str:
    """Return the store's key of a session id: a hash, from which the id cannot be had."""
    # Half of SHA-256: finding another preimage still takes 2**128 tries.
    return base64url(hashlib.sha256(session_id.encode()).digest()[:16])
