"""Discovery: where the endpoints are, and which keys sign (OIDC Discovery 1.0, RFC 8414)."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify

from demo.access_token import DPOP_ALGORITHMS
from demo.language import LANGUAGES
from demo.provider.client_authentication import METHODS
from demo.provider.config import ProviderConfig
from demo.provider.keys import ALGORITHMS
from demo.provider.state import the_provider

bp = Blueprint("metadata", __name__)

STRONGER_SIGN_IN = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"


@bp.get("/.well-known/openid-configuration")
def provider_metadata() -> Response:
    """OIDC Discovery section 4.2."""
    return jsonify(build_metadata(the_provider().config))


@bp.get("/.well-known/jwks.json")
def jwks() -> Response:
    """The public keys (RFC 7517)."""
    return jsonify(the_provider().keys.jwks())


def build_metadata(config: ProviderConfig) -> dict[str, Any]:
    """The metadata, with the configured differences."""
    api_scopes = sorted({scope for scopes in config.audiences.values() for scope in scopes})
    metadata: dict[str, Any] = {
        "issuer": config.issuer,
        "authorization_endpoint": config.url("/authorize"),
        "token_endpoint": config.url("/oauth/token"),
        "userinfo_endpoint": config.url("/userinfo"),
        "jwks_uri": config.url("/.well-known/jwks.json"),
        "revocation_endpoint": config.url("/oauth/revoke"),
        "end_session_endpoint": config.url("/oidc/logout"),
        "pushed_authorization_request_endpoint": config.url("/oauth/par"),
        "scopes_supported": [*config.oidc_scopes, *api_scopes],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "acr_values_supported": [STRONGER_SIGN_IN],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [config.id_token_alg or config.signing_alg],
        "token_endpoint_auth_methods_supported": METHODS,
        "token_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "revocation_endpoint_auth_methods_supported": METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": ALGORITHMS,
        "claims_supported": [
            *("sub", "name", "given_name", "family_name", "nickname", "locale", "zoneinfo"),
            *("picture", "email", "email_verified", "phone_number", "phone_number_verified"),
            "auth_time",
        ],
        "require_pushed_authorization_requests": config.require_pushed_authorization_requests,
        "dpop_signing_alg_values_supported": DPOP_ALGORITHMS,
        "code_challenge_methods_supported": ["S256"],
        "ui_locales_supported": list(LANGUAGES),
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "authorization_response_iss_parameter_supported": config.iss_parameter,
        "backchannel_logout_supported": True,
        "backchannel_logout_session_supported": True,
        **dict.fromkeys(("request_parameter_supported", "request_uri_parameter_supported"), False),
    }
    metadata |= config.metadata
    return {name: value for name, value in metadata.items() if value is not None}
