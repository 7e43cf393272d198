"""A value fetched when first needed, kept for an hour, then fetched again in the background; the
last good copy serves while its source is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from .errors import Problem

LIFETIME_SECONDS = 3600
# After a failed attempt nobody tries again for so long.
RETRY_SECONDS = 1.0
# However many tokens with unknown keys come, the key set is fetched no more often because of them.
REFETCH_SECONDS = 10.0

T = TypeVar("T")


class Kept(Generic[T]):
    """A value fetched when first needed and kept; one thread fetches while the others wait for
    the first copy, or go on with the old one."""

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._value: T | None = None
        self._fresh_until = 0.0
        self._problem: Problem | None = None
        self._retry_at = 0.0
        self._refetch_at = 0.0

    def get(self) -> T:
        """Return the value; raises Problem where there has never been one."""
        value = self._value
        if value is None:
            with self._lock:
                value = self._value if self._value is not None else self._load()
        elif time.time() >= self._fresh_until and self._lock.acquire(blocking=False):
            threading.Thread(target=self._load_in_background, daemon=True).start()
        return value

    def fetched_anew(self) -> None:
        """Fetch now, unless that was tried a moment ago; raises Problem where it failed."""
        with self._lock:
            if time.time() >= self._retry_at or self._problem is not None:
                self._load()

    def refetched(self, seen: T) -> bool:
        """Fetch again because the value that was seen is outdated; False if that was done too
        recently. Raises Problem where it failed."""
        with self._lock:
            if self._value is not seen:
                return True  # another request did that meanwhile
            if time.time() < self._refetch_at:
                if self._problem:
                    # Nobody knows yet: what is refused for that would be a good token.
                    raise Problem(self._problem.code, self._problem.detail, retry_after=5)
                return False
            self._refetch_at = time.time() + REFETCH_SECONDS
            self._load()
            return True

    def _load(self) -> T:
        """Fetch; the caller holds the lock. A failure is remembered for RETRY_SECONDS."""
        now = time.time()
        if self._problem and now < self._retry_at:
            raise Problem(self._problem.code, self._problem.detail, retry_after=5)
        self._retry_at = now + RETRY_SECONDS
        try:
            value = self._value = self._fetch()
        except Problem as problem:
            # A copy: who catches this one adds what is true of one request alone.
            self._problem = Problem(problem.code, problem.detail)
            # From now: whoever waited for this attempt does not wait for one more.
            self._retry_at = time.time() + RETRY_SECONDS
            raise
        self._problem = None
        self._fresh_until = now + LIFETIME_SECONDS
        self._retry_at = time.time() + RETRY_SECONDS
        return value

    def _load_in_background(self) -> None:
        try:
            self._load()
        except Problem:
            # The old copy serves on; not every request shall start another attempt.
            self._fresh_until = time.time() + 10 * RETRY_SECONDS
        finally:
            self._lock.release()
