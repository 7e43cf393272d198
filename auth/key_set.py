"""The provider's key set (RFC 7517): which key can have made a signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key

from .errors import Problem

Key = RSAKey | ECKey | OKPKey

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


def published_keys(data: dict[str, Any]) -> list[PublishedKey]:
    """Return the keys that can verify signatures; others are passed over (RFC 7517 section 5).

    Raises Problem("bad_metadata").
    """
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
    """Return the key that a signature was made with: by `kid` where one is named, else the only
    one that fits. OIDC Core section 10.1: with several keys, the header must say which by `kid`."""
    fitting = [key for key in keys if key.fits(alg)]
    named = [key for key in fitting if key.kid == kid] if kid is not None else []
    candidates = named or [key for key in fitting if kid is None or key.kid is None]
    return candidates[0] if len(candidates) == 1 else None
