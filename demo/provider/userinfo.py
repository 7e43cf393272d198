"""The userinfo endpoint (OIDC Core section 5.3)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from demo.bearer import TokenError, read_bearer_token
from demo.provider.issue import organization_claims
from demo.provider.state import the_provider

bp = Blueprint("userinfo", __name__)
bp.register_error_handler(TokenError, TokenError.response)


@bp.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """The claims that the access token's scopes open."""
    provider = the_provider()
    token = provider.store.access_token(read_bearer_token())
    if token is None:
        raise TokenError(401, "invalid_token")
    if "openid" not in token.scope:
        raise TokenError(403, "insufficient_scope", scope="openid")
    claims = token.grant.person.claims(token.scope, provider.config.origin)
    response = jsonify(claims | organization_claims(token.grant))
    response.headers["Cache-Control"] = "no-store"
    return response
