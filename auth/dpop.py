"""Sender-constrained tokens by DPoP (RFC 9449), where AUTH0_DPOP=1: a key for each session, and a
proof of it with each request that carries a code or a token of that session."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from joserfc import jwt
from joserfc.jwk import ECKey

from sessions import base64url

from .http_client import Response

Jwk = dict[str, Any]
Send = Callable[[Mapping[str, str]], Response]


class DPoP:
    """Makes keys and proofs; remembers the nonces that servers ask for (section 8), by origin."""

    def __init__(self) -> None:
        self._nonces: dict[str, str] = {}

    @staticmethod
    def derive_key(secret: str) -> Jwk:
        """Return the private key that is derived from a secret of the sign-in, which `/login` and
        `/callback` both know."""
        # Not by the library's own salt, which another version of it may change.
        return ECKey.derive_key(secret, kdf_options={"salt": b"DPoP"}).as_dict(private=True)

    @staticmethod
    def thumbprint(key: Jwk) -> str:
        """Return `dpop_jkt`, which binds the authorization code to the key (section 10)."""
        return ECKey.import_key(key).thumbprint()

    def send(
        self, key: Jwk, method: str, url: str, send: Send, access_token: str | None = None
    ) -> Response:
        """Call `send` with the headers of a proof; a second time where the server names a nonce
        for it (sections 8 and 9)."""
        parts = urlsplit(url)
        origin, htu = parts.netloc, urlunsplit((*parts[:3], "", ""))
        known = self._nonces.get(origin)
        response = send(self._headers(key, method, htu, access_token, known))
        nonce = response.headers.get("DPoP-Nonce")
        if not nonce or nonce == known:
            return response
        self._nonces[origin] = nonce
        asks = response.headers.get("WWW-Authenticate", "")
        if response.json_object().get("error") != "use_dpop_nonce" and "use_dpop_nonce" not in asks:
            return response
        return send(self._headers(key, method, htu, access_token, nonce))

    @staticmethod
    def _headers(
        key: Jwk, method: str, htu: str, access_token: str | None, nonce: str | None
    ) -> dict[str, str]:
        claims: Jwk = {"jti": secrets.token_urlsafe(12), "htm": method, "htu": htu}
        claims |= {"iat": int(time.time())} | ({"nonce": nonce} if nonce else {})
        if access_token:
            claims["ath"] = base64url(hashlib.sha256(access_token.encode()).digest())
        ec_key = ECKey.import_key(key)
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": ec_key.as_dict(private=False)}
        proof = jwt.encode(header, claims, ec_key, algorithms=["ES256"])
        authorization = {"Authorization": f"DPoP {access_token}"} if access_token else {}
        return {"DPoP": proof, **authorization}
