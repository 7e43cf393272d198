"""The named faults: what each button of "Make it lie" does, as fields of `demo/fault.py`."""

from __future__ import annotations

from typing import Any

from demo.language import N_

INVALID_GRANT = '{"error": "invalid_grant", "error_description": "the grant was revoked"}'
ELSEWHERE = "https://provider.invalid/"
HTML = {"status": 200, "body": "<h1>Hello</h1>", "headers": {"Content-Type": "text/html"}}
BUSY = {"status": 429, "body": '{"error": "too_many_requests"}', "headers": {"Retry-After": "5"}}
EXPIRED = {"iat": {"in_seconds": -7200}, "exp": {"in_seconds": -3600}}
TOMORROW = {"iat": {"in_seconds": 86400}, "exp": {"in_seconds": 90000}}
ON_FIRE = {"code": None, "error": "server_error", "error_description": "on <b>fire</b>"}

# Claims of the next ID token.
CLAIMS: dict[str, tuple[str, dict[str, Any]]] = {
    "wrong_nonce": (N_("ID token with a foreign nonce"), {"nonce": "someone-elses"}),
    "missing_nonce": (N_("ID token without nonce"), {"nonce": None}),
    "wrong_iss": (N_("ID token of another issuer"), {"iss": ELSEWHERE}),
    "foreign_aud": (N_("ID token for another client"), {"aud": "another-client"}),
    "expired_id_token": (N_("ID token that expired an hour ago"), EXPIRED),
    "iat_in_future": (N_("ID token from tomorrow"), TOMORROW),
    "missing_sub": (N_("ID token without sub"), {"sub": None}),
    "wrong_at_hash": (N_("ID token with a wrong at_hash"), {"at_hash": "A" * 22}),
    "wrong_organization": (
        N_("ID token of another organization"),
        {"org_id": "org_someoneelses", "org_name": "someone-elses"},
    ),
}
# How the next ID token is signed.
SIGNATURES = {
    "alg_none": (N_("ID token without signature"), "none"),
    "hs256_public_key": (N_("ID token signed with HS256 and our public key"), "hs256_public_key"),
    "hs256_client_secret": (
        N_("ID token signed with HS256 and the client secret"),
        "hs256_client_secret",
    ),
    "unknown_key": (N_("ID token signed by an unknown key"), "unknown_key"),
    "broken_signature": (N_("ID token with a broken signature"), "broken"),
}
# Parameters of the authorization response.
REDIRECTS: dict[str, tuple[str, dict[str, Any]]] = {
    "iss_parameter_wrong": (N_("authorization response of another issuer"), {"iss": ELSEWHERE}),
    "iss_parameter_missing": (N_("authorization response without iss"), {"iss": None}),
    "wrong_state": (N_("authorization response with a wrong state"), {"state": "wrong"}),
    "missing_state": (N_("authorization response without state"), {"state": None}),
    "duplicated_code": (N_("authorization response with two codes"), {"code": ["one", "two"]}),
    "unauthorized": (
        N_("authorization response with unauthorized"),
        {"code": None, "error": "unauthorized", "error_description": "user is blocked"},
    ),
    "error_answer": (N_("authorization response with an error"), ON_FIRE),
    "temporarily_unavailable": (
        N_("authorization response with temporarily_unavailable"),
        {"code": None, "error": "temporarily_unavailable"},
    ),
}
# Members of the token response.
TOKEN_RESPONSES: dict[str, tuple[str, dict[str, Any]]] = {
    "missing_id_token": (N_("no ID token"), {"id_token": None}),
    "token_type_mac": (N_("token response of type mac"), {"token_type": "mac"}),
    "missing_access_token": (N_("token response without access token"), {"access_token": None}),
    "missing_expires_in": (N_("token response without expires_in"), {"expires_in": None}),
    "missing_refresh_token": (N_("token response without refresh token"), {"refresh_token": None}),
}
TOKEN_ENDPOINT: dict[str, tuple[str, dict[str, Any]]] = {
    "token_slow": (N_("token endpoint takes 3 seconds"), {"delay_seconds": 3}),
    "token_hang": (N_("token endpoint hangs"), {"delay_seconds": 90, "drop": True}),
    "token_drop": (N_("token endpoint drops the connection"), {"drop": True}),
    "token_500": (N_("token endpoint answers 500"), {"status": 500, "body": '{"error": "oops"}'}),
    "token_html": (N_("token endpoint answers HTML"), HTML),
    "token_empty": (N_("token endpoint answers nothing"), {"status": 200, "body": ""}),
    "token_redirect": (
        N_("token endpoint redirects"),
        {"status": 302, "headers": {"Location": ELSEWHERE}},
    ),
    "token_429": (N_("token endpoint answers 429"), BUSY),
}
REFRESHES: dict[str, tuple[str, dict[str, Any]]] = {
    "revoked_grant": (
        N_("the next refresh finds the grant revoked"),
        {"status": 400, "body": INVALID_GRANT},
    ),
    "refreshed_other_sub": (
        N_("the next refreshed ID token is someone else's"),
        {"id_token": {"sub": "demo|mallory"}},
    ),
    "refreshed_other_nonce": (
        N_("the next refreshed ID token has another nonce"),
        {"id_token": {"nonce": "someone-elses"}},
    ),
    "refreshed_no_id_token": (
        N_("the next refresh brings no ID token"),
        {"json": {"id_token": None}},
    ),
    "refresh_500": (N_("the next refresh answers 500"), {"status": 500, "body": ""}),
}
ELSEWHERE_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "metadata_wrong_issuer": (
        N_("metadata of another issuer. Takes effect when the app next fetches it."),
        {"at": "metadata", "json": {"issuer": ELSEWHERE}},
    ),
    "metadata_500": (
        N_("metadata answers 500. Takes effect when the app next fetches it."),
        {"at": "metadata", "status": 500, "body": ""},
    ),
    "jwks_500": (
        N_("key set answers 500. Takes effect when the app next fetches it."),
        {"at": "jwks", "status": 500, "body": ""},
    ),
    "jwks_empty": (
        N_("key set without keys. Takes effect when the app next fetches it."),
        {"at": "jwks", "json": {"keys": []}},
    ),
    "userinfo_other_sub": (
        N_("userinfo of somebody else"),
        {"at": "userinfo", "json": {"sub": "demo|mallory"}},
    ),
    "userinfo_500": (
        N_("userinfo endpoint answers 500"),
        {"at": "userinfo", "status": 500, "body": ""},
    ),
    "par_500": (
        N_("pushed authorization request endpoint answers 500"),
        {"at": "par", "status": 500, "body": ""},
    ),
    "revoke_500": (
        N_("revocation endpoint answers 500"),
        {"at": "revoke", "status": 500, "body": ""},
    ),
    "logout_500": (
        N_("end session endpoint answers 500"),
        {"at": "logout", "status": 500, "body": ""},
    ),
}
NAMED_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    **{k: (text, {"id_token": claims}) for k, (text, claims) in CLAIMS.items()},
    **{k: (text, {"id_token_sign": way}) for k, (text, way) in SIGNATURES.items()},
    **{k: (text, {"at": "authorize", "redirect": v}) for k, (text, v) in REDIRECTS.items()},
    **{k: (text, {"json": values}) for k, (text, values) in TOKEN_RESPONSES.items()},
    **TOKEN_ENDPOINT,
    **{k: (text, {"grant": "refresh_token", **f}) for k, (text, f) in REFRESHES.items()},
    **ELSEWHERE_FAULTS,
}
