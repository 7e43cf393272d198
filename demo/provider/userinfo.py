"""The userinfo endpoint (OIDC Core section 5.3)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from demo.provider.issue import organization_claims
from demo.provider.state import the_provider

bp = Blueprint("userinfo", __name__)


@bp.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """The claims that the access token's scopes open. Errors as RFC 6750 section 3 has them."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        return Response(status=401, headers={"WWW-Authenticate": "Bearer"})
    token = the_provider().store.access_token(value.strip())
    if token is None:
        return Response(status=401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    if "openid" not in token.scope:
        challenge = 'Bearer error="insufficient_scope", scope="openid"'
        return Response(status=403, headers={"WWW-Authenticate": challenge})
    claims = token.grant.person.claims(token.scope, the_provider().config.origin)
    claims |= organization_claims(token.grant)
    response = jsonify(claims)
    response.headers["Cache-Control"] = "no-store"
    return response
