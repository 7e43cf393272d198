"""The token endpoint and the revocation endpoint, on Authlib's server.

Authlib brings the order of checks, PKCE (RFC 7636) and the error answers. Ours are the looking up,
rotation with reuse detection, and what the tokens contain (issue.py).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from authlib.integrations.flask_oauth2 import (
    AuthorizationServer,
)
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import (
    AccessDeniedError,
    InvalidClientError,
    InvalidGrantError,
    grants,
)
from authlib.oauth2.rfc7009 import (
    RevocationEndpoint,
)
from authlib.oauth2.rfc7523 import (
    JWTBearerClientAssertion,
)
from authlib.oauth2.rfc7636 import CodeChallenge
from flask import Blueprint, Response, jsonify, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from werkzeug.datastructures import Authorization

from demo.people import Person
from demo.provider.config import Client
from demo.provider.issue import issue_token_set
from demo.provider.metadata import ASSERTION_ALGORITHMS, AUTH_METHODS
from demo.provider.records import AccessToken, AuthorizationCode, RefreshToken
from demo.provider.state import Provider, the_provider

bp = Blueprint("token", __name__)


class InvalidTargetError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """RFC 8707 section 2: the resource is unknown, or not to be had with this grant."""

    error = "invalid_target"
    description = "The resource is unknown or not allowed."


@bp.post("/oauth/token")
def token() -> Response:
    """The token endpoint (RFC 6749 section 3.2)."""
    # "Request and response parameters MUST NOT be included more than once."
    if any(len(values) > 1 for _, values in request.form.lists()) or request.args:
        error = {"error": "invalid_request", "error_description": "repeated, or in the query"}
        return no_store(jsonify(error), 400)
    response: Response = the_provider().authorization_server.create_token_response()
    return no_store(response)


@bp.post("/oauth/revoke")
def revoke() -> Response:
    """The revocation endpoint (RFC 7009)."""
    server = the_provider().authorization_server
    response: Response = server.create_endpoint_response(Revocation.ENDPOINT_NAME)
    return no_store(response)


def no_store(response: Response, status: int | None = None) -> Response:
    """RFC 6749 section 5.1: no cache ever sees a token."""
    response.headers["Cache-Control"] = "no-store"
    response.status_code = status or response.status_code
    return response


def create_authorization_server(provider: Provider) -> Any:
    """Authlib's server with our grants."""
    server = AuthorizationServer()
    # Tokens are kept where they are made, so there is nothing left to save.
    server._query_client = lambda client_id: provider.config.client(client_id)
    server._save_token = lambda token, request: None
    server.register_client_auth_method("client_secret_basic", authenticate_basic)
    server.register_client_auth_method("private_key_jwt", ClientAssertion())
    server.register_grant(CodeGrant, [CodeChallenge(required=True)])
    server.register_grant(RefreshGrant)
    server.register_endpoint(Revocation)
    return server


# How clients prove who they are.


def authenticate_basic(query_client: Any, oauth2_request: Any) -> Client | None:
    """`client_secret_basic`: id and secret are form-encoded inside (RFC 6749 section 2.3.1).

    Authlib's own takes them as they are, and so refuses a correct client whose secret has a `+`.
    """
    credentials = Authorization.from_header(oauth2_request.headers.get("Authorization"))
    if credentials is None or credentials.type != "basic":
        return None
    client: Client | None = query_client(unquote_plus(credentials.username or ""))
    if client and client.check_client_secret(unquote_plus(credentials.password or "")):
        return client
    raise InvalidClientError(status_code=401, description="Wrong client id or secret.")


class ClientAssertion(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib has no types
    """`private_key_jwt` (RFC 7523 section 2.2, OIDC Core section 9)."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def get_audiences(self) -> list[str]:
        """RFC 7523 section 3: the token endpoint, or (what newer drafts prefer) the issuer."""
        config = the_provider().config
        base = config.base_url
        return [config.issuer, f"{base}/oauth/token", f"{base}/oauth/revoke"]

    def resolve_client_public_key(self, client: Client) -> KeySet:
        """The registered keys, never one that the assertion brings along."""
        if not client.jwks:
            raise InvalidClientError(status_code=401, description="No key is registered.")
        return KeySet.import_key_set(client.jwks)  # type: ignore[arg-type]  # a dict from a file

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """Verify with the algorithms of our metadata; Authlib would take joserfc's defaults."""
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=ASSERTION_ALGORITHMS)
        except (JoseError, ValueError):
            raise InvalidClientError(status_code=401, description="Bad signature.") from None
        self.verify_claims(token.claims)
        return token.claims

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """An assertion works once."""
        return the_provider().store.first_use(f"{claims['sub']} {jti}")


# Grants.


class CodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # Authlib has no types
    """A code becomes a token set (RFC 6749 section 4.1.3)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def query_authorization_code(self, code: str, client: Client) -> AuthorizationCode | None:
        """Taken at once, whatever follows: of two requests with one code only one may go on."""
        found = the_provider().store.take_code(code)
        if found is None or found.grant.client_id != client.client_id:
            return None
        return found

    def delete_authorization_code(self, authorization_code: AuthorizationCode) -> None:
        """It was taken already."""

    def authenticate_user(self, authorization_code: AuthorizationCode) -> Person:
        """Who signed in."""
        return authorization_code.grant.person

    def generate_token(self, **_: Any) -> dict[str, Any]:
        """The token response."""
        code: AuthorizationCode = self.request.authorization_code
        return issue_token_set(
            the_provider(),
            code.grant,
            grant_type=self.GRANT_TYPE,
            scope=code.grant.scope,
            audience=code.grant.audience,
            nonce=code.nonce,
            with_refresh_token="offline_access" in code.grant.scope,
        )


class RefreshGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # Authlib has no types
    """A refresh token becomes a new token set (RFC 6749 section 6)."""

    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def authenticate_refresh_token(self, refresh_token: str) -> RefreshToken | None:
        """The token, unless it is unknown, revoked, or was used before."""
        return the_provider().store.refresh_token(refresh_token)

    def authenticate_user(self, refresh_token: RefreshToken) -> Person:
        """Who signed in."""
        return refresh_token.grant.person

    def revoke_old_credential(self, refresh_token: RefreshToken) -> None:
        """It was spent already."""

    def issue_token(self, user: Person, refresh_token: RefreshToken) -> dict[str, Any]:
        """The token response; with rotation, the old refresh token is spent now."""
        provider, grant = the_provider(), refresh_token.grant
        audience = choose_audience(provider, grant.audience)
        asked = self.request.form.get("scope", "").split()
        if provider.config.rotation and not provider.store.spend(refresh_token):
            raise InvalidGrantError("The refresh token was used before.")
        return issue_token_set(
            provider,
            grant,
            grant_type=self.GRANT_TYPE,
            scope=tuple(each for each in grant.scope if not asked or each in asked),
            audience=audience,
            nonce=None,
            with_refresh_token=provider.config.rotation,
        )


def choose_audience(provider: Provider, granted: str | None) -> str | None:
    """The audience of a refresh: that of the sign-in, or another known one that is asked for.

    One refresh token for several APIs: RFC 8707 section 2.2, and Auth0's multi-resource refresh
    tokens, where the parameter is `audience`.
    """
    audience, resource = request.form.get("audience"), request.form.get("resource")
    wanted = audience or resource or granted
    if wanted == granted:
        return granted
    if not provider.config.multi_resource:
        raise InvalidTargetError()
    if wanted not in provider.config.audiences:
        if resource:
            raise InvalidTargetError()
        raise AccessDeniedError("Service not found.", status_code=403)
    return wanted


class Revocation(RevocationEndpoint):  # type: ignore[misc]  # Authlib has no types
    """Revoking any token ends its whole family (RFC 7009 section 2.1)."""

    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token: str, hint: str | None) -> RefreshToken | None:
        """The hint is only a hint: both kinds are looked up."""
        store = the_provider().store
        refresh_token = store.refresh_token(token)
        if refresh_token:
            return refresh_token
        access_token: AccessToken | None = store.access_token(token)
        return RefreshToken(access_token.grant) if access_token else None

    def revoke_token(self, token: RefreshToken, request: Any) -> None:
        """End the family."""
        token.grant.revoked = True
