"""DPoP proofs (RFC 9449), as the provider and the sample API check them.

A client signs each request with a key of its own. Its access tokens are bound to that key, so that
nobody else can use them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from base64 import urlsafe_b64encode
from typing import Any

from flask import Response, jsonify, request
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey, import_key

from demo.memory import Secrets

ALGORITHMS = ["ES256", "PS256", "RS256"]
PROOF_SECONDS = 60
NONCE_SECONDS = 300


class ProofError(Exception):
    """The proof is wrong, or needs a nonce."""

    def __init__(self, code: str, nonce: str = "") -> None:
        super().__init__(code)
        self.code, self.nonce = code, nonce

    def response(self) -> Response:
        """The response of an authorization server (RFC 9449 sections 5 and 8)."""
        response = jsonify(error=self.code)
        response.status_code = 400
        if self.nonce:
            response.headers["DPoP-Nonce"] = self.nonce
        return response


class ProofChecker:
    """Checks the proof of the current request."""

    def __init__(self) -> None:
        self._secret = secrets.token_bytes()
        self._used: Secrets[bool] = Secrets()
        self._lock = threading.Lock()

    def check(self, access_token: str | None = None, *, needs_nonce: bool = False) -> str:
        """Return the thumbprint of the proof's key (RFC 9449 section 4.3). Raises ProofError."""
        claims, thumbprint = read_proof()
        expected = {"htm": request.method, "htu": requested_url()}
        if access_token is not None:
            expected["ath"] = _base64url(hashlib.sha256(access_token.encode()).digest())
        if any(claims.get(name) != value for name, value in expected.items()):
            raise ProofError("invalid_dpop_proof")
        if needs_nonce and claims.get("nonce") not in (self._nonce(), self._nonce(1)):
            raise ProofError("use_dpop_nonce", self._nonce())
        issued_at, jti = claims.get("iat"), claims.get("jti")
        if not isinstance(issued_at, int) or abs(time.time() - issued_at) > PROOF_SECONDS:
            raise ProofError("invalid_dpop_proof")
        with self._lock:
            if not isinstance(jti, str) or self._used.get(jti):
                raise ProofError("invalid_dpop_proof")
            self._used.add(True, jti)
        return thumbprint

    def _nonce(self, age: int = 0) -> str:
        # RFC 9449 section 8: unpredictable, and it changes every few minutes.
        period = str(int(time.time()) // NONCE_SECONDS - age)
        return _base64url(hmac.digest(self._secret, period.encode(), "sha256"))


def read_proof() -> tuple[dict[str, Any], str]:
    """The claims of the request's proof, whose signature is right, and its key's thumbprint."""
    proofs = request.headers.getlist("DPoP")
    try:
        (proof,) = proofs
        header = jws.extract_compact(proof.encode()).headers()
        key = import_key(header["jwk"])
        claims = jwt.decode(proof, key, algorithms=ALGORITHMS).claims
        if header["typ"] != "dpop+jwt" or key.is_private or not isinstance(key, ECKey | RSAKey):
            raise ProofError("invalid_dpop_proof")
    except (JoseError, ValueError, KeyError, TypeError):
        raise ProofError("invalid_dpop_proof") from None
    return claims, key.thumbprint()


def requested_url() -> str:
    """The request's URL without its query, as the client wrote it."""
    path = request.environ.get("demo.requested_path", request.path)
    return f"{request.root_url.rstrip('/')}{path}"


def _base64url(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
