"""What clients call themselves: the token, revocation, PAR and userinfo endpoints.

The first three are on Authlib's server. It brings the order of checks, PKCE (RFC 7636) and the
error responses. Ours are the lookups, rotation with reuse detection, and what the tokens contain
(issue.py).
"""

from __future__ import annotations

from typing import Any

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import AccessDeniedError, InvalidGrantError, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Blueprint, Response, g, jsonify, request

from demo.access_token import TokenError, read_access_token
from demo.people import Person
from demo.provider.authorization_request import PushedAuthorization
from demo.provider.client_authentication import METHODS, ClientAssertion, authenticate_basic
from demo.provider.config import Client
from demo.provider.issue import issue_token_set, organization_claims
from demo.provider.records import AuthorizationCode, RefreshToken
from demo.provider.state import Provider, the_provider

bp = Blueprint("token", __name__)
bp.register_error_handler(TokenError, TokenError.response)
# Tokens are stored where they are made (issue.py).
server = AuthorizationServer(
    query_client=lambda client_id: the_provider().config.client(client_id),
    save_token=lambda token, request: None,
)


@bp.post("/oauth/token")
def token() -> Any:
    """The token endpoint (RFC 6749 section 3.2)."""
    # "Request and response parameters MUST NOT be included more than once."
    if any(len(values) > 1 for _, values in request.form.lists()) or request.args:
        error = {"error": "invalid_request", "error_description": "repeated, or in the query"}
        return jsonify(error), 400
    read_thumbprint()
    return server.create_token_response()


@bp.post("/oauth/revoke")
def revoke() -> Any:
    """The revocation endpoint (RFC 7009)."""
    return server.create_endpoint_response(Revocation.ENDPOINT_NAME)


@bp.post("/oauth/par")
def push_authorization_request() -> Any:
    """The pushed authorization request endpoint (RFC 9126)."""
    read_thumbprint()
    return server.create_endpoint_response(PushedAuthorization.ENDPOINT_NAME)


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


def read_thumbprint() -> None:
    """RFC 9449 section 5: where a proof comes, tokens are bound to its key. Raises TokenError."""
    provider = the_provider()
    if "DPoP" in request.headers:
        g.thumbprint = provider.proofs.check(needs_nonce=provider.config.dpop_nonce)


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """A code becomes a token set (RFC 6749 section 4.1.3)."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        """The code is used up at once: of two requests with one code only one may go on."""
        store = the_provider().store
        found = store.codes.get(code)
        if not found or not store.use(found) or found.grant.client_id != client.client_id:
            return None
        if found.request.dpop_jkt not in (None, g.get("thumbprint")):
            # RFC 9449 section 10.
            raise InvalidGrantError("The code is bound to another DPoP key.")
        return found

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """It is used up already."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Person:
        """The person who signed in."""
        return authorization_code.grant.person

    def generate_token(self, **_: Any) -> dict[str, Any]:
        """The token response."""
        code: AuthorizationCode = self.request.authorization_code
        grant, again = code.grant, gets_refresh_token(code)
        return issue_token_set(
            *(grant, self.GRANT_TYPE, grant.scope, grant.audience),
            nonce=code.request.nonce,
            with_refresh_token=again,
        )


def gets_refresh_token(code: AuthorizationCode) -> bool:
    """Providers differ in this: option `refresh_tokens`."""
    habit = the_provider().config.refresh_tokens
    if habit == "access_type":
        return code.request.access_type == "offline"
    return habit == "always" or "offline_access" in code.grant.scope


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    """A refresh token becomes a new token set (RFC 6749 section 6)."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        """The token, unless it is unknown, revoked, or was used before."""
        return the_provider().store.refresh_token(refresh_token)

    def authenticate_user(self, refresh_token: RefreshToken) -> Person:
        """The person who signed in."""
        return refresh_token.grant.person

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """It is used up already."""

    def issue_token(self, user: Person, refresh_token: RefreshToken) -> dict[str, Any]:
        """The token response; with rotation, the old refresh token is used up now."""
        provider, grant = the_provider(), refresh_token.grant
        audience = choose_audience(provider, grant.audience)
        asked = self.request.form.get("scope", "").split()
        if provider.config.rotation and not provider.store.use(refresh_token):
            raise InvalidGrantError("The refresh token was used before.")
        scope = tuple(each for each in grant.scope if not asked or each in asked)
        again = provider.config.rotation
        return issue_token_set(grant, self.GRANT_TYPE, scope, audience, with_refresh_token=again)


def choose_audience(provider: Provider, granted: str | None) -> str | None:
    """The audience of a refresh: that of the sign-in, or another known one that is asked for.

    One refresh token for several APIs: RFC 8707 section 2.2, and Auth0's multi-resource refresh
    tokens, where the parameter is `audience`.
    """
    audience, resource = request.form.get("audience"), request.form.get("resource")
    wanted = audience or resource or granted
    if wanted == granted:
        return granted
    is_known = wanted in provider.config.audiences
    if not provider.config.multi_resource or (resource and not is_known):
        raise OAuth2Error(error="invalid_target", description="Unknown or not allowed resource.")
    if not is_known:
        raise AccessDeniedError("Service not found.", status_code=403)
    return wanted


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Revoking any token revokes its grant, and so all of its tokens (RFC 7009 section 2.1)."""

    CLIENT_AUTH_METHODS = METHODS

    def query_token(self, token: str, hint: str | None) -> RefreshToken | None:
        """The hint is only a hint: both kinds are looked up."""
        store = the_provider().store
        access_token = store.access_token(token)
        return RefreshToken(access_token.grant) if access_token else store.refresh_token(token)

    def revoke_token(self, token: RefreshToken, request: Any) -> None:
        """Revoke the grant."""
        token.grant.revoked = True


server.register_client_auth_method("client_secret_basic", authenticate_basic)
server.register_client_auth_method("private_key_jwt", ClientAssertion())
server.register_grant(CodeGrant, [CodeChallenge(required=True)])
server.register_grant(RefreshGrant)
server.register_endpoint(Revocation)
server.register_endpoint(PushedAuthorization)
