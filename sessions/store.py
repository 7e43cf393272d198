"""What the app asks of a session store; two engines keep to it, and the same tests try both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class StoreUnavailable(Exception):
    """The session store did not answer, or not in time; nothing is known about what it holds."""


class Record(NamedTuple):
    """A stored session. Times are seconds since the epoch, UTC."""

    version: bytes
    sealed: bytes
    seen_at: float
    expires_at: float


# Who holds a lease after a failure: until it runs out nobody need try the same again.
FAILED = "failed"


class Store(Protocol):
    """Sessions by key, found also by references (of a `sid` or `sub`), and leases on keys.

    A key is the hash of a session id and a reference a hash too: what the store holds lets nobody
    sign in. Every method raises StoreUnavailable, in bounded time, when the engine fails.
    """

    def create(self, key: str, record: Record, refs: Iterable[str]) -> None:
        """Keep a new session until its `expires_at`, to be found under each of `refs`."""

    def read(self, key: str) -> Record | None:
        """Return the session, or None if there is none or it has expired."""

    def replace(self, key: str, old_version: bytes, version: bytes, sealed: bytes) -> bool:
        """Compare and swap: write only if the session exists in `old_version`; say whether."""

    def touch(self, key: str, seen_at: float, expires_at: float) -> None:
        """Extend a session's life if it exists; never bring one back."""

    def delete(self, key: str, refs: Iterable[str] = ()) -> Record | None:
        """Delete a session; return what it held to the last, None if it was not there."""

    def keys_with(self, ref: str) -> list[str]:
        """Return the keys of the sessions kept under a reference, without scanning; some of them
        may have ended since."""

    def acquire_lease(self, key: str, owner: str, seconds: float) -> str:
        """Take the lease on a key if nobody has it; return whoever holds it now.

        It runs out by itself after `seconds`, so a holder that dies frees it.
        """

    def lease_holder(self, key: str) -> str | None:
        """Return who holds the lease on a key, None if nobody does."""

    def release_lease(self, key: str, owner: str) -> None:
        """Give the lease up, if `owner` still holds it."""

    def pass_lease(self, key: str, owner: str, to: str, seconds: float) -> None:
        """Let `to` have the lease for `seconds` from now, if `owner` still holds it."""

    def ping(self) -> None:
        """Return if the store answers."""

    def sweep(self) -> int:
        """Delete what has expired, where the engine does not do so itself; return how much."""
