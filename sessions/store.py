"""What the app asks of a session store; two engines keep to it, and the same tests try both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class StoreUnavailable(Exception):
    """The session store did not answer, or not in time; nothing is known about what it holds."""


class Record(NamedTuple):
    """A stored session, encrypted. Times are seconds since the epoch, UTC."""

    version: bytes
    data: bytes
    seen_at: float
    expires_at: float


class Store(Protocol):
    """Sessions by key, found also by references (of a `sid` or `sub`), and small named values.

    Keys and references are hashes: what the store holds lets nobody sign in and names nobody.
    Every method raises StoreUnavailable, in bounded time, when the engine fails.
    """

    def create(self, key: str, record: Record, refs: Iterable[str]) -> None:
        """Store a new session until its `expires_at`, to be found under each of `refs`."""

    def read(self, key: str) -> Record | None:
        """Return the session, or None if there is none or it has expired."""

    def replace(self, key: str, old_version: bytes, record: Record, refs: Iterable[str]) -> bool:
        """Compare and swap: write version and data only if the session exists in `old_version`,
        and add references to it; say whether."""

    def touch(self, key: str, seen_at: float, expires_at: float) -> None:
        """Extend a session's life if it exists; never bring one back."""

    def delete(self, key: str, refs: Iterable[str] = ()) -> Record | None:
        """Delete a session; return what it held to the last, None if it was not there."""

    def keys_with(self, ref: str) -> list[str]:
        """Return the keys of the sessions stored under a reference, without scanning; some of them
        may have ended since."""

    def add(self, name: str, value: str, seconds: float) -> bool:
        """Set a named value that expires, if there is none; say whether."""

    def get(self, name: str) -> str | None:
        """Return a named value, None if there is none or it has expired."""

    def swap(self, name: str, old: str, new: str, seconds: float) -> bool:
        """Replace a named value, and its expiry, if it is `old`; say whether."""

    def remove(self, name: str, value: str) -> bool:
        """Remove a named value if it is `value`; say whether."""
