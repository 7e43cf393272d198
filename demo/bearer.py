"""Access tokens as a protected resource reads them from a request (RFC 6750)."""

from __future__ import annotations

from flask import Response, jsonify, request


class TokenError(Exception):
    """The token was refused (RFC 6750 section 3.1)."""

    def __init__(self, status: int, error: str = "", scope: str = "") -> None:
        super().__init__(error)
        self.status, self.error, self.scope = status, error, scope

    def response(self) -> Response:
        """RFC 6750 section 3: no error code where the request had no token at all."""
        values = {"error": self.error, "scope": self.scope}
        parts = ", ".join(f'{name}="{value}"' for name, value in values.items() if value)
        response = jsonify({"error": self.error} if self.error else {})
        response.status_code = self.status
        response.headers["WWW-Authenticate"] = f"Bearer {parts}".strip()
        return response


def read_bearer_token() -> str:
    """The access token. Only in the header: URLs end up in logs (RFC 6750 section 2.3)."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise TokenError(401)
    return token.strip()
