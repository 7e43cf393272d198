"""The OpenID provider: its metadata (Discovery 1.0 section 3) and key set (RFC 7517), cached."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from config import ID_TOKEN_ALGORITHMS, METADATA_PATH, is_loopback

from .errors import Error
from .http_client import PROVIDER, HttpClient

FETCH_SECONDS = 5.0
LIFETIME_SECONDS = 3600
# How long other requests wait for the first fetch, counted from its start: where the provider
# hangs, they must not take every thread of the server, whose health is asked for as well.
PATIENCE_SECONDS = 1.5
# The pause after a failed fetch: without a cached copy, and with one.
RETRY_SECONDS, STALE_SECONDS = 1.0, 10.0
# However many tokens with unknown keys come, the key set is fetched no more often because of them.
REFETCH_SECONDS = 10.0

# What verifies signatures. We fix the list: metadata and token headers can neither add `none` or
# HS256 to it nor choose from outside it.
ALGORITHMS = tuple(alg for alg in ID_TOKEN_ALGORITHMS if alg != "HS256")

Key = RSAKey | ECKey | OKPKey
T = TypeVar("T")


@dataclass(frozen=True)
class Metadata:
    """The provider metadata that this app uses; absent endpoints are None. `raw` is all of it."""

    raw: dict[str, Any]
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    revocation_endpoint: str | None
    end_session_endpoint: str | None
    pushed_authorization_request_endpoint: str | None

    @property
    def is_auth0(self) -> bool:
        """Whether the endpoints are those of Auth0, maybe at a domain of one's own."""
        endpoints = (f"{self.issuer}authorize", f"{self.issuer}oauth/token")
        return (self.authorization_endpoint, self.token_endpoint) == endpoints

    def strings(self, name: str) -> list[str]:
        """Return a list of the metadata, empty where there is none."""
        value = self.raw.get(name)
        return [str(word) for word in value] if isinstance(value, list) else []

    @classmethod
    def checked(cls, raw: dict[str, Any], configured: str) -> Metadata:
        """Check fetched metadata against AUTH0_DOMAIN. Raises Error("bad_metadata")."""
        issuer = raw.get("issuer")
        if "{tenantid}" in str(issuer):
            detail = "AUTH0_DOMAIN is for all tenants. Write the issuer URL with your tenant's id"
            raise Error("metadata_of_all_tenants", detail)
        if configured.endswith(METADATA_PATH):
            # The document's address says where it lies, and not by which name the issuer goes.
            parts = urlsplit(configured)
            matches = f"{issuer}/".startswith(f"{parts.scheme}://{parts.netloc}/")
        else:
            # Discovery section 4.3: MUST be identical to the issuer the metadata was asked of.
            matches = issuer == configured
        if not matches:
            detail = f"issuer is {str(issuer)[:200]!r}; AUTH0_DOMAIN means {configured!r}"
            raise Error("bad_metadata", detail)
        issuer = str(issuer)
        endpoints: Any = {f.name: _endpoint(raw, f.name, issuer) for f in fields(cls)[2:]}
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if endpoints[name] is None:
                raise Error("bad_metadata", f"{name} is missing")
        return cls(raw, issuer, **endpoints)


def _endpoint(raw: dict[str, Any], name: str, issuer: str) -> str | None:
    """An endpoint's URL: https, or http where the issuer itself is http on this machine (RFC 9700
    section 2.6)."""
    url = raw.get(name)
    if url is None:
        return None
    with suppress(ValueError):  # half an address, or no number for a port
        parts = urlsplit(url if isinstance(url, str) and url.isprintable() else "")
        is_local = issuer.startswith("http://") and is_loopback(parts.hostname)
        is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_local)
        if is_safe and parts.hostname and parts.port != 0 and " " not in url:
            return str(url)
    raise Error("bad_metadata", f"{name} is not an https URL")


def signing_keys(raw: dict[str, Any]) -> list[Key]:
    """The keys that can verify signatures, each once; others are passed over (RFC 7517 section 5).

    Raises Error("bad_metadata").
    """
    if not isinstance(raw.get("keys"), list):
        raise Error("bad_metadata", "the key set has no keys")
    keys = {}
    for jwk in raw["keys"][:100]:
        try:
            key = import_key(jwk)
            key.check_use("sig")
            key.check_key_op("verify")
        except (JoseError, ValueError, TypeError, KeyError, SecurityWarning):
            continue
        # RFC 7518 section 3.3: an RSA key has 2048 bits or more. X25519 signs nothing.
        is_weak = isinstance(key, RSAKey) and key.public_key.key_size < 2048
        is_unknown = isinstance(key, OKPKey) and key.curve_name != "Ed25519"
        if isinstance(key, Key) and not is_weak and not is_unknown:
            keys[key.kid, key.alg, key.thumbprint()] = key
    return [*keys.values()]


def fits(key: Key, alg: str) -> bool:
    """Whether a key can verify that algorithm, and does not say that it is for another one."""
    try:
        JWSRegistry.algorithms[alg].check_key(key)
    except JoseError:
        return False
    return True


def key_for(keys: list[Key], alg: str, kid: str | None) -> Key | None:
    """Return the key that a signature was made with: by `kid` where one is named, else the only
    one that fits. OIDC Core section 10.1: with several keys, the header must say which by `kid`."""
    fitting = [key for key in keys if fits(key, alg)]
    named = [key for key in fitting if key.kid == kid] if kid is not None else []
    candidates = named or [key for key in fitting if kid is None or key.kid is None]
    return candidates[0] if len(candidates) == 1 else None


class Cached(Generic[T]):
    """A value fetched when first needed and cached for an hour. One request fetches; the others
    wait for the first copy, or go on with the last good one. Counts monotonic time."""

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._value: T | None = None
        self._began_at = self._fresh_until = self._retry_at = self._refetch_at = 0.0
        self._error: Error | None = None

    def __call__(self, *, wait: bool = True) -> T:
        """Return the value; raises Error where there has never been one, also where another request
        is fetching it: after PATIENCE_SECONDS, or at once without `wait`."""
        value, now = self._value, time.monotonic()
        if value is not None and now < self._fresh_until:
            return value
        patience = (self._began_at or now) + PATIENCE_SECONDS - now if wait else 0
        if not self._lock.acquire(timeout=max(patience, 0) if value is None else 0):
            if value is not None:
                return value
            raise Error("provider_unreachable", "another request is asking", retry_after=5)
        try:
            if self._value is not None and time.monotonic() < self._fresh_until:
                return self._value  # another request fetched it meanwhile
            return self._load()
        except Error:
            if value is None:
                raise
            self._fresh_until = time.monotonic() + STALE_SECONDS
            return value
        finally:
            self._lock.release()

    def refetch(self, seen: T, *, wait: bool) -> bool:
        """Fetch again because the value that was seen is outdated (a signature fits no key of it);
        False if that was done less than REFETCH_SECONDS ago. Raises Error where it failed; without
        `wait` also where another request is fetching."""
        if not self._lock.acquire(blocking=wait):
            raise Error("provider_unreachable", "another request is asking", retry_after=5)
        try:
            if self._value is not seen:
                return True  # another request did that meanwhile
            now = time.monotonic()
            if now < self._refetch_at:
                if self._error:
                    # The last fetch failed, so the key may be new. Do not reject a token that may
                    # be valid.
                    raise Error(self._error.code, self._error.detail, retry_after=5)
                return False
            self._refetch_at = now + REFETCH_SECONDS
            self._load()
            return True
        finally:
            self._lock.release()

    def _load(self) -> T:
        """Fetch; the caller holds the lock. A request that waited for a failed fetch does not fetch
        again."""
        if self._error and time.monotonic() < self._retry_at:
            raise Error(self._error.code, self._error.detail, retry_after=5)
        self._began_at = time.monotonic()
        try:
            value = self._value = self._fetch()
        except Error as error:
            self._error = error
            self._retry_at = time.monotonic() + RETRY_SECONDS
            raise
        self._error = None
        self._fresh_until = time.monotonic() + LIFETIME_SECONDS
        return value


class Provider:
    """The provider that AUTH0_DOMAIN names: `metadata()` and `keys()` raise Error where they have
    never been reached."""

    def __init__(self, configured: str, http: HttpClient) -> None:
        """Take AUTH0_DOMAIN; nothing is fetched yet."""
        self._configured, self._http = configured, http
        self.metadata = Cached(self._fetch_metadata)
        self.keys = Cached(self._fetch_keys)

    def _fetch_metadata(self) -> Metadata:
        url = self._configured.removesuffix(METADATA_PATH).rstrip("/") + METADATA_PATH
        return Metadata.checked(self._fetch_json(url), self._configured)

    def _fetch_keys(self) -> list[Key]:
        return signing_keys(self._fetch_json(self.metadata().jwks_uri))

    def _fetch_json(self, url: str) -> dict[str, Any]:
        codes = (*PROVIDER[:2], "bad_metadata")
        response = self._http.send("GET", url, seconds=FETCH_SECONDS, codes=codes)
        if response.status == 429 or response.status >= 500:
            raise Error("provider_unreachable", f"{response.status} at {url}", retry_after=5)
        data = response.json_object()
        if response.status != 200 or not data:
            raise Error("bad_metadata", f"{response.status} and no JSON object at {url}")
        return data
