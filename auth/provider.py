"""The OpenID provider: its metadata (OpenID Connect Discovery 1.0) and its keys (RFC 7517).

Both are fetched when first needed, kept for an hour, then fetched again in the background; the
last good copy serves while the provider is away.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from hosts import is_loopback

from .errors import Problem
from .outbound import AnswerTooLarge, AnswerTooSlow, NoAnswer, Outbound

LIFETIME_SECONDS = 3600
# After a failed attempt nobody tries again for so long.
RETRY_SECONDS = 1.0
# However many tokens with unknown keys come, the key set is fetched no more often because of them.
REFETCH_SECONDS = 10.0

# What a key must be to verify each algorithm (RFC 7518 section 3.1, RFC 9864). We fix the list:
# metadata and token headers can neither add `none` or HS256 to it nor choose from outside it.
KEY_OF_ALGORITHM: dict[str, tuple[type[Any], str | None]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), (RSAKey, None)),
    "ES256": (ECKey, "P-256"),
    "ES384": (ECKey, "P-384"),
    "ES512": (ECKey, "P-521"),
    "Ed25519": (OKPKey, "Ed25519"),
    "EdDSA": (OKPKey, "Ed25519"),
}

Key = RSAKey | ECKey | OKPKey
T = TypeVar("T")


@dataclass(frozen=True)
class Metadata:
    """The provider metadata that this app uses; absent endpoints are None."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str | None
    end_session_endpoint: str | None
    token_endpoint_auth_methods: tuple[str, ...]
    revocation_endpoint_auth_methods: tuple[str, ...]
    iss_parameter_promised: bool

    @classmethod
    def checked(cls, data: dict[str, Any], issuer: str) -> Metadata:
        """Check fetched metadata. Raises Problem("bad_metadata")."""
        # Discovery section 4.3: MUST be identical to the issuer the metadata was asked of.
        if data.get("issuer") != issuer:
            found = repr(data.get("issuer"))[:200]
            raise Problem("bad_metadata", f"issuer is {found}; AUTH0_DOMAIN means {issuer!r}")
        return cls(
            issuer=issuer,
            authorization_endpoint=_endpoint(data, "authorization_endpoint"),
            token_endpoint=_endpoint(data, "token_endpoint"),
            jwks_uri=_endpoint(data, "jwks_uri"),
            revocation_endpoint=_optional_endpoint(data, "revocation_endpoint"),
            end_session_endpoint=_optional_endpoint(data, "end_session_endpoint"),
            token_endpoint_auth_methods=_words(data, "token_endpoint_auth_methods_supported"),
            revocation_endpoint_auth_methods=_words(
                data, "revocation_endpoint_auth_methods_supported"
            ),
            # RFC 9207 section 3.
            iss_parameter_promised=data.get("authorization_response_iss_parameter_supported")
            is True,
        )


def _endpoint(data: dict[str, Any], name: str) -> str:
    url = _optional_endpoint(data, name)
    if url is None:
        raise Problem("bad_metadata", f"{name} is missing")
    return url


def _optional_endpoint(data: dict[str, Any], name: str) -> str | None:
    """An endpoint's URL: https, or on this machine http (RFC 9700 section 2.6)."""
    url = data.get(name)
    if url is None:
        return None
    try:
        parts = urlsplit(url) if isinstance(url, str) and url.isprintable() else None
        host = parts.hostname if parts else None
        _ = parts and parts.port  # raises ValueError for what is no port
    except ValueError:
        host = parts = None
    if not parts or not host or " " in url:
        raise Problem("bad_metadata", f"{name} is no URL")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise Problem("bad_metadata", f"{name} is not https")
    return str(url)


def _words(data: dict[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name)
    return tuple(str(word) for word in value) if isinstance(value, list) else ()


@dataclass(frozen=True)
class PublishedKey:
    """A key of the provider's key set, with what it says it is for."""

    kid: str | None
    alg: str | None
    key: Key

    def fits(self, alg: str) -> bool:
        """Whether this key can verify that algorithm."""
        key_type, curve = KEY_OF_ALGORITHM[alg]
        return (
            isinstance(self.key, key_type)
            and self.alg in (None, alg)
            and (curve is None or self.key.curve_name == curve)
        )


def _published_keys(data: dict[str, Any]) -> list[PublishedKey]:
    """The keys that can verify signatures; others are passed over (RFC 7517 section 5)."""
    jwks = data.get("keys")
    if not isinstance(jwks, list):
        raise Problem("bad_metadata", "the key set has no keys")
    keys = []
    for jwk in jwks[:100]:
        if not isinstance(jwk, dict) or jwk.get("use", "sig") != "sig" or jwk.get("kty") == "oct":
            continue
        kid, alg = jwk.get("kid"), jwk.get("alg")
        if not (isinstance(kid, str | None) and isinstance(alg, str | None)):
            continue
        try:
            key = import_key(jwk)
        except (JoseError, ValueError, TypeError, KeyError, SecurityWarning):
            continue
        # RFC 7518 section 3.3: an RSA key has 2048 bits or more.
        strong = not isinstance(key, RSAKey) or key.public_key.key_size >= 2048
        if isinstance(key, Key) and strong:
            keys.append(PublishedKey(kid, alg, key))
    return keys


def key_for(keys: list[PublishedKey], alg: str, kid: str | None) -> PublishedKey | None:
    """The key that a signature was made with: by `kid` where one is named, else the only one that
    fits. OIDC Core section 10.1: with several keys, the header must say which by `kid`."""
    fitting = [key for key in keys if key.fits(alg)]
    named = [key for key in fitting if key.kid == kid] if kid is not None else []
    candidates = named or [key for key in fitting if kid is None or key.kid is None]
    return candidates[0] if len(candidates) == 1 else None


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


class Provider:
    """The provider that AUTH0_DOMAIN names."""

    def __init__(self, issuer: str, outbound: Outbound) -> None:
        self.issuer = issuer
        self._outbound = outbound
        self._metadata = Kept(self._fetch_metadata)
        self._keys = Kept(self._fetch_keys)

    def metadata(self) -> Metadata:
        """Return the checked metadata. Raises Problem where it has never been reached."""
        return self._metadata.get()

    def reach(self) -> None:
        """Return if the metadata can be fetched right now; raises Problem otherwise."""
        self._metadata.fetched_anew()

    def keys(self) -> list[PublishedKey]:
        """Return the key set. Raises Problem where it has never been reached."""
        return self._keys.get()

    def refetched_keys(self, seen: list[PublishedKey]) -> bool:
        """Fetch the key set again because a signature fits no key of the one that was seen;
        throttled for the whole process. Raises Problem."""
        return self._keys.refetched(seen)

    def _fetch_metadata(self) -> Metadata:
        url = self.issuer.rstrip("/") + "/.well-known/openid-configuration"
        return Metadata.checked(self._fetch_json(url), self.issuer)

    def _fetch_keys(self) -> list[PublishedKey]:
        return _published_keys(self._fetch_json(self.metadata().jwks_uri))

    def _fetch_json(self, url: str) -> dict[str, Any]:
        with asking_the_provider(too_large="bad_metadata"):
            answer = self._outbound.get(url, seconds=5.0)
        if answer.status == 429 or answer.status >= 500:
            raise Problem("provider_unreachable", f"{answer.status} at {url}", retry_after=5)
        data = answer.json_object()
        if answer.status != 200 or not data:
            raise Problem("bad_metadata", f"{answer.status} and no JSON object at {url}")
        return data


@contextmanager
def asking_the_provider(*, too_large: str) -> Iterator[None]:
    """Raise Problem where no answer comes; `too_large` is its code for one that is too large."""
    try:
        yield
    except AnswerTooSlow as error:
        raise Problem("provider_timeout", str(error), retry_after=10) from None
    except NoAnswer as error:
        raise Problem("provider_unreachable", str(error), retry_after=5) from None
    except AnswerTooLarge:
        raise Problem(too_large, "the answer was too large") from None
