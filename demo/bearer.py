"""Access tokens as a protected resource reads them from a request (RFC 6750, RFC 9449)."""

from __future__ import annotations

from flask import Response, jsonify, request

from demo.dpop import ALGORITHMS, ProofChecker, ProofError


class TokenError(Exception):
    """The token was refused (RFC 6750 section 3.1, RFC 9449 section 7.1)."""

    def __init__(
        self, status: int, error: str = "", scope: str = "", scheme: str = "Bearer", nonce: str = ""
    ) -> None:
        super().__init__(error)
        self.status, self.error, self.scope = status, error, scope
        self.scheme, self.nonce = scheme, nonce

    def response(self) -> Response:
        """RFC 6750 section 3: no error code where the request had no token at all."""
        algorithms = " ".join(ALGORITHMS) if self.scheme == "DPoP" else ""
        values = {"error": self.error, "scope": self.scope, "algs": algorithms}
        parts = ", ".join(f'{name}="{value}"' for name, value in values.items() if value)
        response = jsonify({"error": self.error} if self.error else {})
        response.status_code = self.status
        response.headers["WWW-Authenticate"] = f"{self.scheme} {parts}".strip()
        if self.nonce:
            response.headers["DPoP-Nonce"] = self.nonce
        return response


def read_access_token() -> str:
    """The access token. Only in the header: URLs end up in logs (RFC 6750 section 2.3)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() not in ("bearer", "dpop"):
        raise TokenError(401)
    return token.strip()


def check_binding(
    proofs: ProofChecker, token: str, thumbprint: str | None, *, needs_nonce: bool = False
) -> None:
    """A token that is bound to a key comes with that key's proof, any other one as Bearer."""
    scheme = request.headers["Authorization"].partition(" ")[0].lower()
    if scheme != ("dpop" if thumbprint else "bearer"):
        raise TokenError(401, "invalid_token", scheme="DPoP" if thumbprint else "Bearer")
    if thumbprint:
        try:
            found = proofs.check(token, needs_nonce=needs_nonce)
        except ProofError as error:
            raise TokenError(401, error.code, scheme="DPoP", nonce=error.nonce) from None
        if found != thumbprint:
            raise TokenError(401, "invalid_token", scheme="DPoP")
