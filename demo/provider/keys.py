"""Signing keys, and everything that is signed with them, faults included."""

from __future__ import annotations

import hmac
import secrets
import time
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, KeySet, RSAKey
from joserfc.util import json_b64encode, urlsafe_b64encode

from demo.fault import Fault

Claims = dict[str, Any]
ALGORITHMS = ["RS256", "PS256", "ES256"]


def generate_key(alg: str) -> RSAKey | ECKey:
    """A new private key for `alg`, with a random `kid`."""
    parameters: KeyParameters = {"kid": secrets.token_urlsafe(9), "use": "sig", "alg": alg}
    if alg == "ES256":
        return ECKey.generate_key("P-256", parameters)
    return RSAKey.generate_key(2048, parameters)


class KeyRing:
    """The current signing key, first, and those published beside it."""

    def __init__(self, alg: str) -> None:
        self.alg = alg
        self._keys = [generate_key(alg)]

    def rotate(self, *, keep_old: bool, alg: str | None = None) -> None:
        """Sign with a new key from now on. An honest provider keeps publishing the old one."""
        self.alg = alg or self.alg
        self._keys = [generate_key(self.alg), *(self._keys if keep_old else [])]

    def jwks(self) -> Claims:
        """The public keys (RFC 7517 section 5)."""
        return {"keys": [key.as_dict(private=False) for key in self._keys]}

    def sign(self, claims: Claims, typ: str = "JWT") -> str:
        """A JWT of ours."""
        key = self._keys[0]
        header = {"alg": str(key.alg), "typ": typ, "kid": key.kid}
        return jwt.encode(header, claims, key, algorithms=ALGORITHMS)

    def verify(self, token: str) -> Claims:
        """The claims of a JWT that we signed, expired or not. Raises JoseError or ValueError."""
        return jwt.decode(token, KeySet(list(self._keys)), algorithms=ALGORITHMS).claims

    def sign_with_fault(self, claims: Claims, fault: Fault | None, secret: str | None) -> str:
        """An ID token or logout token, changed in the way that `fault` asks for."""
        if fault is None:
            return self.sign(claims)
        claims, way, key = altered(claims, fault.id_token), fault.id_token_sign, self._keys[0]
        header = altered({"alg": self.alg, "typ": "JWT", "kid": key.kid}, fault.id_token_header)
        if way == "none":
            return _unsigned({**header, "alg": "none"}, claims)
        if way == "hs256_public_key":
            # Algorithm confusion: everybody has the public key and could forge this.
            return hs256({**header, "alg": "HS256"}, claims, key.as_pem(private=False))
        if way == "hs256_client_secret":
            return hs256({**header, "alg": "HS256"}, claims, (secret or "").encode())
        if way == "unknown_key":
            key = generate_key(self.alg)
            if "kid" not in fault.id_token_header:
                header["kid"] = key.kid
        if header.get("alg") != self.alg or "crit" in header:
            # No library would sign this header: sign the honest one and swap.
            signature = jwt.encode({"alg": self.alg}, claims, key).rpartition(".")[2]
            return f"{_unsigned(header, claims)}{signature}"
        token = jwt.encode(header, claims, key, algorithms=ALGORITHMS, default_type=None)
        return _with_broken_signature(token) if way == "broken" else token


def altered(values: Claims, changes: Claims) -> Claims:
    """`values` with `changes` merged in: None removes, {"in_seconds": n} is a time from now."""
    result = {**values, **changes}
    for name, value in changes.items():
        if value is None:
            del result[name]
        elif isinstance(value, dict) and set(value) == {"in_seconds"}:
            result[name] = int(time.time() + value["in_seconds"])
    return result


def hs256(header: Claims, claims: Claims, key: bytes) -> str:
    """Sign with HMAC, also with keys that joserfc would refuse."""
    signing_input = _unsigned(header, claims)[:-1]
    signature = hmac.digest(key, signing_input.encode(), "sha256")
    return f"{signing_input}.{urlsafe_b64encode(signature).decode()}"


def _unsigned(header: Claims, claims: Claims) -> str:
    return "".join(f"{json_b64encode(each).decode()}." for each in (header, claims))


def _with_broken_signature(token: str) -> str:
    # Not the last character, whose lowest bits may be padding.
    head, _, signature = token.rpartition(".")
    return f"{head}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"
