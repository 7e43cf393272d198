"""Shapes of real providers, as far as an app notices: `python -m demo --like zitadel`.

Imitated from their documentation and metadata. Each is a few options of the provider (see
demo/provider/config.py), and the settings that the app then needs. Left as they are: names of
claims, hosts of their own for endpoints, opaque access tokens (the sample API needs JWTs).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Shape:
    """One provider's habits. ORIGIN in an option stands for the demo provider's address."""

    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    # The issuer's path.
    path: str = ""


NOT_HERE: dict[str, str | None] = dict.fromkeys(("/v2/logout", "/oauth/par"))
# The API is chosen at these providers, not by a parameter of Auth0's.
NOT_AUTH0 = {"default_audience": "appointments:api", "iss_parameter": False}
NO_AUDIENCE = {"AUTH0_AUDIENCE": ""}
WITHOUT_OFFLINE_ACCESS = ("openid", "profile", "email", "phone")
SCOPE = "openid profile email appointments contacts"
TENANT = "11111111-2222-3333-4444-555555555555"
ENTRA: dict[str, Any] = {
    **NOT_AUTH0,
    "paths": {
        **NOT_HERE,
        "/authorize": "/oauth2/authorize",
        "/oauth/token": "/oauth2/token",
        "/oidc/logout": "/oauth2/logout",
        "/.well-known/jwks.json": "/discovery/keys",
        "/oauth/revoke": None,
    },
    "assertion_audience": "token_endpoint",
    # Its token response names the scopes of the API only.
    "scope_names": dict.fromkeys(("openid", "profile", "email", "offline_access"), ""),
}

SHAPES = {
    "auth0": Shape(path="/"),
    "google": Shape(
        {
            **NOT_AUTH0,
            "paths": {
                **NOT_HERE,
                "/authorize": "/o/oauth2/v2/auth",
                "/oauth/token": "/token",
                "/oauth/revoke": "/revoke",
                "/userinfo": "/v1/userinfo",
                "/.well-known/jwks.json": "/oauth2/v3/certs",
                "/oidc/logout": None,
            },
            "oidc_scopes": WITHOUT_OFFLINE_ACCESS,
            "refuse_unknown_scopes": True,
            "refresh_tokens": "access_type",
            "rotation": False,
            "scope_names": {
                "profile": "https://www.googleapis.com/auth/userinfo.profile",
                "email": "https://www.googleapis.com/auth/userinfo.email",
            },
            "metadata": {"backchannel_logout_supported": None},
        },
        {
            **NO_AUDIENCE,
            "AUTH0_SCOPE": SCOPE,
            "AUTH0_AUTHORIZE_PARAMS": "access_type=offline&prompt=consent",
        },
    ),
    "keycloak": Shape(
        {
            **NOT_AUTH0,
            "iss_parameter": True,
            "paths": {
                "/v2/logout": None,
                "/authorize": "/protocol/openid-connect/auth",
                "/oauth/token": "/protocol/openid-connect/token",
                "/oauth/revoke": "/protocol/openid-connect/revoke",
                "/oauth/par": "/protocol/openid-connect/ext/par/request",
                "/userinfo": "/protocol/openid-connect/userinfo",
                "/oidc/logout": "/protocol/openid-connect/logout",
                "/.well-known/jwks.json": "/protocol/openid-connect/certs",
            },
        },
        NO_AUDIENCE,
        "/realms/demo",
    ),
    "zitadel": Shape(
        {
            **NOT_AUTH0,
            "paths": {
                **NOT_HERE,
                "/authorize": "/oauth/v2/authorize",
                "/oauth/token": "/oauth/v2/token",
                "/oauth/revoke": "/oauth/v2/revoke",
                "/userinfo": "/oidc/v1/userinfo",
                "/oidc/logout": "/oidc/v1/end_session",
                "/.well-known/jwks.json": "/oauth/v2/keys",
            },
            # The project's id stands beside the client's.
            "id_token": {"aud": ["demo-app", "258741963258741963"], "azp": "demo-app"},
            "claims_in_id_token": False,
            "client_auth": "client_secret_basic",
        },
        NO_AUDIENCE,
    ),
    "okta": Shape(
        {
            **NOT_AUTH0,
            "paths": {
                "/v2/logout": None,
                "/authorize": "/v1/authorize",
                "/oauth/token": "/v1/token",
                "/oauth/revoke": "/v1/revoke",
                "/oauth/par": "/v1/par",
                "/userinfo": "/v1/userinfo",
                "/oidc/logout": "/v1/logout",
                "/.well-known/jwks.json": "/v1/keys",
            },
            "client_auth": "client_secret_basic",
            "assertion_audience": "token_endpoint",
        },
        NO_AUDIENCE,
        "/oauth2/default",
    ),
    "cognito": Shape(
        {
            **NOT_AUTH0,
            "paths": {
                **NOT_HERE,
                "/authorize": "/oauth2/authorize",
                "/oauth/token": "/oauth2/token",
                "/oauth/revoke": "/oauth2/revoke",
                "/userinfo": "/oauth2/userInfo",
                "/oidc/logout": "/logout",
            },
            "oidc_scopes": WITHOUT_OFFLINE_ACCESS,
            "refuse_unknown_scopes": True,
            "refresh_tokens": "always",
            "token_response": {"scope": None},
            "logout_redirect_parameter": "logout_uri",
        },
        {
            **NO_AUDIENCE,
            "AUTH0_SCOPE": SCOPE,
            "AUTH0_LOGOUT_PARAMS": "logout_uri={back}&post_logout_redirect_uri=",
        },
        "/eu-west-1_Demo12345",
    ),
    "line": Shape(
        {
            **NOT_AUTH0,
            "paths": {
                **NOT_HERE,
                "/authorize": "/oauth2/v2.1/authorize",
                "/oauth/token": "/oauth2/v2.1/token",
                "/oauth/revoke": None,
                "/userinfo": "/oauth2/v2.1/userinfo",
                "/oidc/logout": None,
                "/.well-known/jwks.json": "/oauth2/v2.1/certs",
            },
            "id_token_alg": "HS256",
            "oidc_scopes": ("openid", "profile", "email"),
            "refuse_unknown_scopes": True,
            "refresh_tokens": "always",
            "metadata": {"backchannel_logout_supported": None},
        },
        {**NO_AUDIENCE, "AUTH0_SCOPE": SCOPE, "AUTH0_ID_TOKEN_ALG": "HS256"},
    ),
    "entra": Shape(ENTRA, NO_AUDIENCE, f"/{TENANT}/v2.0"),
    # The address for everybody's tenants, which no app can check; it needs its tenant's own.
    "entra-common": Shape(
        {
            **ENTRA,
            "metadata": {"issuer": "ORIGIN/{tenantid}/v2.0"},
            "id_token": {"iss": f"ORIGIN/{TENANT}/v2.0"},
        },
        NO_AUDIENCE,
        "/common/v2.0",
    ),
}
