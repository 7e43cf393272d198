"""The userinfo endpoint (OIDC Core section 5.3)."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify

from demo.access_token import TokenError, read_access_token
from demo.provider.issue import organization_claims
from demo.provider.state import the_provider

bp = Blueprint("userinfo", __name__)
bp.register_error_handler(TokenError, TokenError.response)


@bp.route("/userinfo", methods=["GET", "POST"])
def userinfo() -> Response:
    """The claims that the access token's scopes open: JSON, or a signed JWT (section 5.3.2)."""
    provider, value = the_provider(), read_access_token()
    token = provider.store.access_token(value)
    if token is None:
        raise TokenError(401, "invalid_token")
    provider.proofs.check_binding(value, token.thumbprint)
    if "openid" not in token.scope:
        raise TokenError(403, "insufficient_scope", scope="openid")
    claims = token.grant.person.claims(token.scope, provider.config.origin)
    claims |= organization_claims(token.grant)
    if provider.config.userinfo_format == "jwt":
        claims |= {"iss": provider.config.issuer, "aud": token.grant.client_id}
        return Response(provider.keys.sign(claims), mimetype="application/jwt")
    return jsonify(claims)
