"""Access tokens as a protected resource reads them from a request (RFC 6750, RFC 9449).

With DPoP a client signs each request with a key of its own, and that signature is the proof. Its
access tokens are bound to that key, so that nobody else can use them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import Any

from flask import Response, jsonify, request
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key
from joserfc.util import urlsafe_b64encode

from demo.memory import UsedOnce

DPOP_ALGORITHMS = ["ES256", "PS256", "RS256"]
PROOF_SECONDS = 60
NONCE_SECONDS = 300


class TokenError(Exception):
    """The token or its proof was refused (RFC 6750 section 3.1, RFC 9449 section 7.1)."""

    def __init__(
        self, status: int, error: str = "", scope: str = "", scheme: str = "Bearer", nonce: str = ""
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.scope = status, error, scope
        self.scheme, self.nonce = scheme, nonce

    def response(self) -> Response:
        """RFC 6750 section 3: no error code where the request had no token at all.

        An authorization server refuses a proof with 400 (RFC 9449 section 5): no challenge then.
        """
        response = jsonify({"error": self.error} if self.error else {})
        response.status_code = self.status
        if self.status != 400:
            algorithms = " ".join(DPOP_ALGORITHMS) if self.scheme == "DPoP" else ""
            values = {"error": self.error, "scope": self.scope, "algs": algorithms}
            parts = ", ".join(f'{name}="{value}"' for name, value in values.items() if value)
            response.headers["WWW-Authenticate"] = f"{self.scheme} {parts}".strip()
        if self.nonce:
            response.headers["DPoP-Nonce"] = self.nonce
        return response


def read_access_token() -> str:
    """The access token. Only in the header: URLs end up in logs (RFC 6750 section 2.3)."""
    credentials = request.authorization
    if credentials is None or credentials.type not in ("bearer", "dpop"):
        raise TokenError(401)
    return credentials.token or ""


class ProofChecker:
    """Checks the DPoP proof of the current request."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes()
        self._used = UsedOnce()

    def check(self, access_token: str | None = None, *, needs_nonce: bool = False) -> str:
        """Return the thumbprint of the proof's key (RFC 9449 section 4.3). Raises TokenError."""
        status = 400 if access_token is None else 401
        path = request.environ.get("demo.requested_path", request.path)  # as the client wrote it
        expected = {"htm": request.method, "htu": request.root_url.rstrip("/") + path}
        if access_token is not None:
            digest = hashlib.sha256(access_token.encode()).digest()
            expected["ath"] = urlsafe_b64encode(digest).decode()
        try:
            claims, thumbprint = read_proof()
            if any(claims[name] != value for name, value in expected.items()):
                raise ValueError("of another request")
            if needs_nonce and claims.get("nonce") not in (self._nonce(), self._nonce(1)):
                nonce = self._nonce()
                raise TokenError(status, "use_dpop_nonce", scheme="DPoP", nonce=nonce)
            is_old = abs(time.time() - claims["iat"]) > PROOF_SECONDS
            if is_old or not self._used.is_first_use(str(claims["jti"])):
                raise ValueError("too old, or used before")
        except (JoseError, ValueError, KeyError, TypeError):
            raise TokenError(status, "invalid_dpop_proof", scheme="DPoP") from None
        return thumbprint

    def check_binding(
        self, token: str, thumbprint: str | None, *, needs_nonce: bool = False
    ) -> None:
        """A token that is bound to a key comes with that key's proof, any other one as Bearer."""
        scheme = "DPoP" if thumbprint else "Bearer"
        if request.authorization is None or request.authorization.type != scheme.lower():
            raise TokenError(401, "invalid_token", scheme=scheme)
        if thumbprint and self.check(token, needs_nonce=needs_nonce) != thumbprint:
            raise TokenError(401, "invalid_token", scheme="DPoP")

    def _nonce(self, age: int = 0) -> str:
        # RFC 9449 section 8: unpredictable, and it changes every few minutes.
        period = str(int(time.time()) // NONCE_SECONDS - age)
        return hmac.digest(self._secret, period.encode(), "sha256").hex()


def read_proof() -> tuple[dict[str, Any], str]:
    """The claims of the request's proof, whose signature is right, and its key's thumbprint."""
    (proof,) = request.headers.getlist("DPoP")
    header = jws.extract_compact(proof.encode()).headers()
    key = import_key(header["jwk"])
    if header["typ"] != "dpop+jwt" or key.is_private or not isinstance(key, ECKey | RSAKey):
        raise ValueError("not a proof, or not by a public key")
    return jwt.decode(proof, key, algorithms=DPOP_ALGORITHMS).claims, key.thumbprint()
