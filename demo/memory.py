"""Values in memory by a secret name: sessions, codes, tokens, and identifiers that work once."""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Secrets(Generic[T]):
    """Values by an unguessable name. Only digests of the names are kept, as a real store would.

    Bounded, so that a load test of days does not fill the memory.
    """

    def __init__(self, at_most: int = 50_000) -> None:
        self._values: OrderedDict[str, tuple[T, float]] = OrderedDict()
        self._at_most = at_most

    def add(self, value: T, name: str | None = None, seconds: float = math.inf) -> str:
        """Keep a value for so long; returns its name, by default a new one of 256 bits."""
        name = name or secrets.token_urlsafe(32)
        self._values[_digest(name)] = value, time.time() + seconds
        while len(self._values) > self._at_most:
            self._values.popitem(last=False)
        return name

    def get(self, name: str | None) -> T | None:
        """The value of that name, unless it has expired."""
        value, expires_at = self._values.get(_digest(name or ""), (None, 0.0))
        return value if time.time() < expires_at else None

    def pop(self, name: str | None) -> T | None:
        """The value of that name, which is forgotten."""
        value, expires_at = self._values.pop(_digest(name or ""), (None, 0.0))
        return value if time.time() < expires_at else None

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[T]:
        return iter([value for value, _ in list(self._values.values())])


class UsedOnce:
    """Identifiers that work once, such as the `jti` of a JWT."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._used: Secrets[bool] = Secrets()

    def is_first_use(self, name: str) -> bool:
        """False from the second time on."""
        with self._lock:
            is_first = not self._used.get(name)
            self._used.add(True, name)
            return is_first


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()
