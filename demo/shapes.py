"""Shapes of real providers, as far as an app notices: `python -m demo --like zitadel`.

Imitated from their documentation and metadata. Each is a few options of the provider (see
demo/provider/config.py), and the settings that the app then needs. Not imitated: names of claims,
endpoints on hosts of their own, opaque access tokens (the sample API needs JWTs).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Shape:
    """One provider's habits. ORIGIN in an option stands for the demo provider's address."""

    path: str  # of the issuer
    options: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)


ENDPOINTS = (
    *("/authorize", "/oauth/token", "/userinfo", "/.well-known/jwks.json", "/oauth/revoke"),
    *("/oidc/logout", "/oauth/par"),
)


def habits(paths: str, **options: Any) -> dict[str, Any]:
    """Options of a provider that is not Auth0, with its paths in the order of ENDPOINTS; - is none.

    These providers choose the API by other ways than a parameter of the request.
    """
    there = {"/v2/logout": None, **dict(zip(ENDPOINTS, paths.split(), strict=True))}
    defaults = {"default_audience": "appointments:api", "iss_parameter": False}
    return {"paths": {k: None if v == "-" else v for k, v in there.items()}, **defaults, **options}


NO_AUDIENCE = {"AUTH0_AUDIENCE": ""}
# No scope stands for a refresh token, and unknown scopes are an error.
STRICT_SCOPES: dict[str, Any] = {
    "oidc_scopes": ["openid", "profile", "email"],
    "refuse_unknown_scopes": True,
}
STRICT_SETTINGS = NO_AUDIENCE | {"AUTH0_SCOPE": "openid profile email appointments contacts"}
GOOGLE = "https://www.googleapis.com/auth/userinfo"
TENANT = "11111111-2222-3333-4444-555555555555"
ENTRA = habits(
    "/oauth2/authorize /oauth2/token /userinfo /discovery/keys - /oauth2/logout -",
    assertion_audience="token_endpoint",
    # Its token response names the scopes of the API only.
    scope_names=dict.fromkeys(("openid", "profile", "email", "offline_access"), ""),
)

SHAPES = {
    "auth0": Shape("/"),
    "google": Shape(
        "",
        habits(
            "/o/oauth2/v2/auth /token /v1/userinfo /oauth2/v3/certs /revoke - -",
            **STRICT_SCOPES,
            refresh_tokens="access_type",
            rotation=False,
            scope_names={"profile": f"{GOOGLE}.profile", "email": f"{GOOGLE}.email"},
        ),
        STRICT_SETTINGS | {"AUTH0_AUTHORIZE_PARAMS": "access_type=offline&prompt=consent"},
    ),
    "keycloak": Shape(
        "/realms/demo",
        habits(
            "/protocol/openid-connect/auth /protocol/openid-connect/token "
            "/protocol/openid-connect/userinfo /protocol/openid-connect/certs "
            "/protocol/openid-connect/revoke /protocol/openid-connect/logout "
            "/protocol/openid-connect/ext/par/request",
            iss_parameter=True,
        ),
        NO_AUDIENCE,
    ),
    "zitadel": Shape(
        "",
        habits(
            "/oauth/v2/authorize /oauth/v2/token /oidc/v1/userinfo /oauth/v2/keys /oauth/v2/revoke "
            "/oidc/v1/end_session -",
            # The project's id stands beside the client's.
            id_token={"aud": ["demo-app", "258741963258741963"], "azp": "demo-app"},
            claims_in_id_token=False,
            client_auth="client_secret_basic",
        ),
        NO_AUDIENCE,
    ),
    "okta": Shape(
        "/oauth2/default",
        habits(
            "/v1/authorize /v1/token /v1/userinfo /v1/keys /v1/revoke /v1/logout /v1/par",
            client_auth="client_secret_basic",
            assertion_audience="token_endpoint",
        ),
        NO_AUDIENCE,
    ),
    "cognito": Shape(
        "/eu-west-1_Demo12345",
        habits(
            "/oauth2/authorize /oauth2/token /oauth2/userInfo /.well-known/jwks.json "
            "/oauth2/revoke /logout -",
            **STRICT_SCOPES,
            refresh_tokens="always",
            token_response={"scope": None},
            logout_redirect_parameter="logout_uri",
        ),
        STRICT_SETTINGS | {"AUTH0_LOGOUT_PARAMS": "logout_uri={back}&post_logout_redirect_uri="},
    ),
    "line": Shape(
        "",
        habits(
            "/oauth2/v2.1/authorize /oauth2/v2.1/token /oauth2/v2.1/userinfo /oauth2/v2.1/certs "
            "- - -",
            **STRICT_SCOPES,
            refresh_tokens="always",
            id_token_alg="HS256",
        ),
        STRICT_SETTINGS | {"AUTH0_ID_TOKEN_ALG": "HS256"},
    ),
    "entra": Shape(f"/{TENANT}/v2.0", ENTRA, NO_AUDIENCE),
    # The address for all tenants: its issuer is a pattern. An app needs its own tenant's address.
    "entra-common": Shape(
        "/common/v2.0",
        {
            **ENTRA,
            "metadata": {"issuer": "ORIGIN/{tenantid}/v2.0"},
            "id_token": {"iss": f"ORIGIN/{TENANT}/v2.0"},
        },
        NO_AUDIENCE,
    ),
}
