"""How the app proves who it is at the provider's endpoints (RFC 6749 section 2.3, RFC 7523).

What the metadata lists is what the server can do, not what this client may: where one way is
refused (`invalid_client`), the next is tried once, and remembered while the process lives.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc7523 import PrivateKeyJWT

from config import Settings

from .provider import Metadata

POST, BASIC = "client_secret_post", "client_secret_basic"
ISSUER, TOKEN_ENDPOINT = "aud=issuer", "aud=token_endpoint"
ASSERTION_SECONDS = 60
FORM = "application/x-www-form-urlencoded"

# The headers and the content of a request.
Prepared = tuple[Mapping[str, str], dict[str, Any]]


class ClientAuthentication:
    """Chooses and applies the method of this client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # A method that an endpoint accepted after it had refused another one.
        self.accepted: str | None = None

    def methods(self, metadata: Metadata, endpoint: str) -> list[str]:
        """Return the methods to try at an endpoint, the best first, at most two.

        With a signing key: `private_key_jwt` for the issuer, then for the token endpoint. With a
        secret: `client_secret_post`, then `client_secret_basic` where it is listed; basic alone
        where post is not listed. A list that is missing, or has `none` only, means post.
        """
        if self._settings.client_signing_key:
            methods = [ISSUER, TOKEN_ENDPOINT]
        else:
            listed = metadata.strings("token_endpoint_auth_methods_supported")
            if endpoint == metadata.revocation_endpoint:
                # RFC 8414 section 2: a list of its own, else that of the token endpoint.
                listed = metadata.strings("revocation_endpoint_auth_methods_supported") or listed
            methods = [method for method in (POST, BASIC) if method in listed] or [POST]
        # The one that was accepted before comes first.
        return sorted(methods, key=lambda method: method != self.accepted)

    def prepare(self, method: str, metadata: Metadata, endpoint: str, body: str) -> Prepared:
        """Return a request with that form as its body, authenticated by a method. Each one is to be
        prepared anew: an assertion is good once (RFC 7523 section 3)."""
        settings = self._settings
        client_id, secret = settings.client_id, settings.client_secret or ""
        if key := settings.client_signing_key:
            # The issuer first: an endpoint named by a malicious provider would else receive an
            # assertion that is good elsewhere (RFC 7523bis section 4).
            audience = metadata.issuer if method == ISSUER else metadata.token_endpoint
            claims = {"exp": int(time.time()) + ASSERTION_SECONDS}
            sign: Any = PrivateKeyJWT(audience, claims, dict(key.header), key.alg)
            client = ClientAuth(client_id, key.key, sign)
            body += f"&client_id={quote_plus(client_id)}"
        elif method == BASIC:
            # RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. Authlib
            # leaves that out, and a secret with a colon or a percent sign then fails.
            client = ClientAuth(quote_plus(client_id), quote_plus(secret), BASIC)
        else:
            client = ClientAuth(client_id, secret, POST)
        _, headers, body = client.prepare("POST", endpoint, {"Content-Type": FORM}, body)
        return headers, {"data": body}
