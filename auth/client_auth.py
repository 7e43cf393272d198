"""How the app proves who it is at the token and revocation endpoints (RFC 6749 section 2.3)."""

from __future__ import annotations

import base64
from urllib.parse import quote_plus

from authlib.oauth2.rfc7523.assertion import sign_jwt_bearer_assertion

from config import Settings
from config_values import SigningKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_SECONDS = 60


def client_authentication(
    settings: Settings, supported_methods: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the form parameters and the headers that authenticate the client.

    `supported_methods` is what the metadata lists for the endpoint. With a secret:
    `client_secret_post`, or `client_secret_basic` where the endpoint lists that and not post;
    a list that is missing, or has `none` only, means post. With a signing key: `private_key_jwt`.
    """
    if settings.client_signing_key:
        return _private_key_jwt(settings, settings.client_signing_key), {}
    secret = settings.client_secret or ""
    if "client_secret_basic" in supported_methods and "client_secret_post" not in supported_methods:
        # RFC 6749 section 2.3.1: id and secret are form-encoded before they are joined. (Authlib
        # leaves that out, and a secret with a colon or a percent sign then fails.)
        credentials = f"{quote_plus(settings.client_id)}:{quote_plus(secret)}"
        return {}, {"Authorization": f"Basic {base64.b64encode(credentials.encode()).decode()}"}
    return {"client_id": settings.client_id, "client_secret": secret}, {}


def _private_key_jwt(settings: Settings, signing_key: SigningKey) -> dict[str, str]:
    assertion = sign_jwt_bearer_assertion(
        key=signing_key.key,
        alg=signing_key.alg,
        issuer=settings.client_id,
        subject=settings.client_id,
        # The issuer, and not an endpoint's URL: an endpoint named by a malicious provider would
        # receive an assertion that is good elsewhere (RFC 7523bis section 4).
        audience=settings.issuer,
        expires_in=ASSERTION_SECONDS,
    )
    return {
        "client_id": settings.client_id,
        "client_assertion_type": ASSERTION_TYPE,
        "client_assertion": assertion,
    }
