"""The named faults: what each button of "Make it lie" does, as fields of `demo/fault.py`."""

from __future__ import annotations

from typing import Any

from demo.language import N_

Fields = dict[str, Any]
ELSEWHERE = "https://provider.invalid/"
EXPIRED = {"iat": {"in_seconds": -7200}, "exp": {"in_seconds": -3600}}
TOMORROW = {"iat": {"in_seconds": 86400}, "exp": {"in_seconds": 90000}}
OTHER_ORGANIZATION = {"org_id": "org_someoneelses", "org_name": "someone-elses"}
ON_FIRE = {"code": None, "error": "server_error", "error_description": "on <b>fire</b>"}
BLOCKED = {"code": None, "error": "unauthorized", "error_description": "user is blocked"}
UNAVAILABLE = {"code": None, "error": "temporarily_unavailable"}
HTML = {"status": 200, "body": "<h1>Hello</h1>", "headers": {"Content-Type": "text/html"}}
BUSY = {"status": 429, "body": '{"error": "too_many_requests"}', "headers": {"Retry-After": "5"}}
LEADS_ELSEWHERE = {"status": 302, "headers": {"Location": ELSEWHERE}}
REVOKED = '{"error": "invalid_grant", "error_description": "the grant was revoked"}'

# Claims of the next ID token.
CLAIMS: dict[str, tuple[str, Fields]] = {
    "wrong_nonce": (N_("ID token with a foreign nonce"), {"nonce": "someone-elses"}),
    "missing_nonce": (N_("ID token without nonce"), {"nonce": None}),
    "wrong_iss": (N_("ID token of another issuer"), {"iss": ELSEWHERE}),
    "foreign_aud": (N_("ID token for another client"), {"aud": "another-client"}),
    "expired_id_token": (N_("ID token that expired an hour ago"), EXPIRED),
    "iat_in_future": (N_("ID token from tomorrow"), TOMORROW),
    "missing_sub": (N_("ID token without sub"), {"sub": None}),
    "wrong_at_hash": (N_("ID token with a wrong at_hash"), {"at_hash": "A" * 22}),
    "wrong_organization": (N_("ID token of another organization"), OTHER_ORGANIZATION),
}
# How the next ID token is signed.
SIGNATURES = {
    "alg_none": (N_("ID token without signature"), "none"),
    "hs256_public_key": (N_("ID token signed with HS256 and our public key"), "hs256_public_key"),
    "unknown_key": (N_("ID token signed by an unknown key"), "unknown_key"),
    "broken_signature": (N_("ID token with a broken signature"), "broken"),
}
HS256_SECRET = {"id_token_sign": "hs256_client_secret"}
# Parameters of the authorization response.
REDIRECTS: dict[str, tuple[str, Fields]] = {
    "iss_parameter_wrong": (N_("authorization response of another issuer"), {"iss": ELSEWHERE}),
    "iss_parameter_missing": (N_("authorization response without iss"), {"iss": None}),
    "wrong_state": (N_("authorization response with a wrong state"), {"state": "wrong"}),
    "missing_state": (N_("authorization response without state"), {"state": None}),
    "duplicated_code": (N_("authorization response with two codes"), {"code": ["one", "two"]}),
    "unauthorized": (N_("authorization response with unauthorized"), BLOCKED),
    "error_answer": (N_("authorization response with an error"), ON_FIRE),
    "temporarily_unavailable": (
        N_("authorization response with temporarily_unavailable"),
        UNAVAILABLE,
    ),
}
# Members of the token response.
TOKEN_RESPONSES: dict[str, tuple[str, Fields]] = {
    "missing_id_token": (N_("no ID token"), {"id_token": None}),
    "token_type_mac": (N_("token response of type mac"), {"token_type": "mac"}),
    "missing_access_token": (N_("token response without access token"), {"access_token": None}),
    "missing_expires_in": (N_("token response without expires_in"), {"expires_in": None}),
    "missing_refresh_token": (N_("token response without refresh token"), {"refresh_token": None}),
}
TOKEN_ENDPOINT: dict[str, tuple[str, Fields]] = {
    "token_slow": (N_("token endpoint takes 3 seconds"), {"delay_seconds": 3}),
    "token_hang": (N_("token endpoint hangs"), {"delay_seconds": 90, "drop": True}),
    "token_drop": (N_("token endpoint drops the connection"), {"drop": True}),
    "token_500": (N_("token endpoint answers 500"), {"status": 500, "body": '{"error": "oops"}'}),
    "token_html": (N_("token endpoint answers HTML"), HTML),
    "token_empty": (N_("token endpoint answers nothing"), {"status": 200, "body": ""}),
    "token_redirect": (N_("token endpoint redirects"), LEADS_ELSEWHERE),
    "token_429": (N_("token endpoint answers 429"), BUSY),
}
OTHER_SUB, OTHER_NONCE = ({"id_token": {k: "someone-elses"}} for k in ("sub", "nonce"))
REFRESHES: dict[str, tuple[str, Fields]] = {
    "revoked_grant": (
        N_("the next refresh finds the grant revoked"),
        {"status": 400, "body": REVOKED},
    ),
    "refreshed_other_sub": (N_("the next refreshed ID token is someone else's"), OTHER_SUB),
    "refreshed_other_nonce": (N_("the next refreshed ID token has another nonce"), OTHER_NONCE),
    "refreshed_no_id_token": (
        N_("the next refresh brings no ID token"),
        {"json": {"id_token": None}},
    ),
    "refresh_500": (N_("the next refresh answers 500"), {"status": 500, "body": ""}),
}
# Other JSON of these endpoints.
JSON: dict[str, tuple[str, str, Fields]] = {
    "metadata_wrong_issuer": (
        N_("metadata of another issuer. Takes effect when the app next fetches it."),
        *("metadata", {"issuer": ELSEWHERE}),
    ),
    "jwks_empty": (
        N_("key set without keys. Takes effect when the app next fetches it."),
        *("jwks", {"keys": []}),
    ),
    "userinfo_other_sub": (N_("userinfo of somebody else"), "userinfo", {"sub": "demo|mallory"}),
}
# These endpoints respond with 500.
FAILURES = {
    "metadata": N_("metadata answers 500. Takes effect when the app next fetches it."),
    "jwks": N_("key set answers 500. Takes effect when the app next fetches it."),
    "userinfo": N_("userinfo endpoint answers 500"),
    "par": N_("pushed authorization request endpoint answers 500"),
    "revoke": N_("revocation endpoint answers 500"),
    "logout": N_("end session endpoint answers 500"),
}
# What somebody who lies wants; the first group is the one to begin with.
GOALS = (
    (
        N_("Five to begin with"),
        ("alg_none", "wrong_nonce", "foreign_aud", "refreshed_other_sub", "token_hang"),
    ),
    (
        N_("Be somebody else"),
        (
            *("broken_signature", "unknown_key", "hs256_public_key"),
            *("hs256_client_secret", "wrong_iss", "missing_sub"),
            *("wrong_organization", "iss_parameter_wrong", "iss_parameter_missing"),
            *("userinfo_other_sub", "metadata_wrong_issuer"),
        ),
    ),
    (
        N_("Replay what was used before"),
        (
            *("missing_nonce", "expired_id_token", "iat_in_future"),
            *("wrong_at_hash", "wrong_state", "missing_state", "duplicated_code"),
            "refreshed_other_nonce",
        ),
    ),
    (
        N_("Refuse the person"),
        ("unauthorized", "error_answer", "temporarily_unavailable", "revoked_grant"),
    ),
    (
        N_("Leave something out"),
        (*TOKEN_RESPONSES, "refreshed_no_id_token", "jwks_empty"),
    ),
    (
        N_("Break down"),
        (
            *(each for each in TOKEN_ENDPOINT if each != "token_hang"),
            "refresh_500",
            *(f"{at}_500" for at in FAILURES),
        ),
    ),
)
NAMED_FAULTS: dict[str, tuple[str, Fields]] = {
    **{k: (text, {"id_token": claims}) for k, (text, claims) in CLAIMS.items()},
    **{k: (text, {"id_token_sign": way}) for k, (text, way) in SIGNATURES.items()},
    "hs256_client_secret": (N_("ID token signed with HS256 and the client secret"), HS256_SECRET),
    **{k: (text, {"at": "authorize", "redirect": v}) for k, (text, v) in REDIRECTS.items()},
    **{k: (text, {"json": values}) for k, (text, values) in TOKEN_RESPONSES.items()},
    **TOKEN_ENDPOINT,
    **{k: (text, {"grant": "refresh_token", **f}) for k, (text, f) in REFRESHES.items()},
    **{k: (text, {"at": at, "json": values}) for k, (text, at, values) in JSON.items()},
    **{f"{at}_500": (text, {"at": at, "status": 500, "body": ""}) for at, text in FAILURES.items()},
}
