"""How clients prove who they are at the token endpoint and its neighbours."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from authlib.oauth2.rfc6749 import InvalidClientError
from authlib.oauth2.rfc7523 import JWTBearerClientAssertion
from flask import request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from demo.provider.config import Client
from demo.provider.keys import ALGORITHMS
from demo.provider.state import the_provider

ENDPOINTS = ("/oauth/token", "/oauth/revoke", "/oauth/par")
METHODS = ["client_secret_post", "client_secret_basic", "private_key_jwt"]


def authenticate_basic(query_client: Any, oauth2_request: Any) -> Client | None:
    """`client_secret_basic`: id and secret are form-encoded inside (RFC 6749 section 2.3.1).

    Authlib's own leaves a `+` as it is, and so refuses a correct client whose secret has a space.
    """
    credentials = request.authorization
    if credentials is None or credentials.type != "basic":
        return None
    client: Client | None = query_client(unquote_plus(credentials.username or ""))
    if client and client.check_client_secret(unquote_plus(credentials.password or "")):
        return client
    raise InvalidClientError(status_code=401, description="Wrong client id or secret.")


class ClientAssertion(JWTBearerClientAssertion):  # type: ignore[misc]  # Authlib has no types
    """`private_key_jwt` (RFC 7523 section 2.2, OIDC Core section 9)."""

    CLIENT_AUTH_METHOD = "private_key_jwt"

    def get_audiences(self) -> list[str | None]:
        """RFC 7523 section 3: the token endpoint, or (what newer drafts prefer) the issuer."""
        config = the_provider().config
        token_url, revoke_url, par_url = map(config.url, ENDPOINTS)
        accepted: dict[str, list[str | None]] = {
            "any": [config.issuer, token_url, revoke_url, par_url],
            "issuer": [config.issuer],
            "token_endpoint": [token_url],
        }
        return accepted[config.assertion_audience]

    def resolve_client_public_key(self, client: Client) -> KeySet:
        """The registered keys, never one that the assertion brings along."""
        if not client.jwks:
            raise InvalidClientError(status_code=401, description="No key is registered.")
        return KeySet.import_key_set(client.jwks)  # type: ignore[arg-type]  # a dict from a file

    def process_assertion_claims(self, assertion: str, resolve_key: KeySet) -> dict[str, Any]:
        """Verify with the algorithms of our metadata; Authlib would take joserfc's defaults."""
        try:
            token = jwt.decode(assertion, resolve_key, algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            raise InvalidClientError(status_code=401, description="Bad signature.") from None
        self.verify_claims(token.claims)
        return token.claims

    def validate_jti(self, claims: dict[str, Any], jti: str) -> bool:
        """An assertion works once."""
        return the_provider().store.assertion_ids.is_first_use(f"{claims['sub']} {jti}")
