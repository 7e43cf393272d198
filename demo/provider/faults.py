"""The named faults: what each button of "make me lie" does, in the form of `demo/control.py`."""

from __future__ import annotations

from typing import Any

from demo.language import N_

INVALID_GRANT = '{"error": "invalid_grant", "error_description": "the grant was revoked"}'
ELSEWHERE = "https://provider.invalid/"

NAMED_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    # The ID token of the next sign-in.
    "wrong_nonce": (N_("ID token with a foreign nonce"), {"id_token": {"nonce": "someone-elses"}}),
    "missing_nonce": (N_("ID token without nonce"), {"id_token": {"nonce": None}}),
    "wrong_iss": (N_("ID token of another issuer"), {"id_token": {"iss": ELSEWHERE}}),
    "foreign_aud": (N_("ID token for another client"), {"id_token": {"aud": "another-client"}}),
    "expired_id_token": (
        N_("ID token that expired an hour ago"),
        {"id_token": {"iat": {"in_seconds": -7200}, "exp": {"in_seconds": -3600}}},
    ),
    "iat_in_future": (
        N_("ID token from tomorrow"),
        {"id_token": {"iat": {"in_seconds": 86400}, "exp": {"in_seconds": 90000}}},
    ),
    "missing_sub": (N_("ID token without sub"), {"id_token": {"sub": None}}),
    "wrong_at_hash": (N_("ID token with a wrong at_hash"), {"id_token": {"at_hash": "A" * 22}}),
    "alg_none": (N_("ID token without signature"), {"id_token_sign": "none"}),
    "hs256_public_key": (
        N_("ID token signed with HS256 and our public key"),
        {"id_token_sign": "hs256_public_key"},
    ),
    "hs256_client_secret": (
        N_("ID token signed with HS256 and the client secret"),
        {"id_token_sign": "hs256_client_secret"},
    ),
    "unknown_key": (N_("ID token signed by an unknown key"), {"id_token_sign": "unknown_key"}),
    "broken_signature": (N_("ID token with a broken signature"), {"id_token_sign": "broken"}),
    "missing_id_token": (N_("no ID token"), {"json": {"id_token": None}}),
    "wrong_organization": (
        N_("ID token of another organization"),
        {"id_token": {"org_id": "org_someoneelses", "org_name": "someone-elses"}},
    ),
    # The authorization response.
    "iss_parameter_wrong": (
        N_("authorization response of another issuer"),
        {"at": "authorize", "redirect": {"iss": ELSEWHERE}},
    ),
    "iss_parameter_missing": (
        N_("authorization response without iss"),
        {"at": "authorize", "redirect": {"iss": None}},
    ),
    "wrong_state": (
        N_("authorization response with a wrong state"),
        {"at": "authorize", "redirect": {"state": "wrong"}},
    ),
    "missing_state": (
        N_("authorization response without state"),
        {"at": "authorize", "redirect": {"state": None}},
    ),
    "duplicated_code": (
        N_("authorization response with two codes"),
        {"at": "authorize", "redirect": {"code": ["one", "two"]}},
    ),
    "error_answer": (
        N_("authorization response with an error"),
        {
            "at": "authorize",
            "redirect": {
                "code": None,
                "error": "server_error",
                "error_description": "on <b>fire</b>",
            },
        },
    ),
    "temporarily_unavailable": (
        N_("authorization response with temporarily_unavailable"),
        {"at": "authorize", "redirect": {"code": None, "error": "temporarily_unavailable"}},
    ),
    # The token endpoint.
    "token_slow": (N_("token endpoint takes 3 seconds"), {"delay_seconds": 3}),
    "token_hang": (N_("token endpoint hangs"), {"delay_seconds": 90, "drop": True}),
    "token_drop": (N_("token endpoint drops the connection"), {"drop": True}),
    "token_500": (N_("token endpoint answers 500"), {"status": 500, "body": '{"error": "oops"}'}),
    "token_html": (
        N_("token endpoint answers HTML"),
        {"status": 200, "body": "<h1>Hello</h1>", "headers": {"Content-Type": "text/html"}},
    ),
    "token_empty": (N_("token endpoint answers nothing"), {"status": 200, "body": ""}),
    "token_redirect": (
        N_("token endpoint redirects"),
        {"status": 302, "headers": {"Location": ELSEWHERE}},
    ),
    "token_429": (
        N_("token endpoint answers 429"),
        {"status": 429, "body": '{"error": "too_many_requests"}', "headers": {"Retry-After": "5"}},
    ),
    "token_type_mac": (N_("token response of type mac"), {"json": {"token_type": "mac"}}),
    "missing_access_token": (
        N_("token response without access token"),
        {"json": {"access_token": None}},
    ),
    "missing_expires_in": (N_("token response without expires_in"), {"json": {"expires_in": None}}),
    "missing_refresh_token": (
        N_("token response without refresh token"),
        {"json": {"refresh_token": None}},
    ),
    # Refresh.
    "revoked_grant": (
        N_("the next refresh finds the grant revoked"),
        {"grant": "refresh_token", "status": 400, "body": INVALID_GRANT},
    ),
    "refreshed_other_sub": (
        N_("the next refreshed ID token is someone else's"),
        {"grant": "refresh_token", "id_token": {"sub": "demo|mallory"}},
    ),
    "refreshed_other_nonce": (
        N_("the next refreshed ID token has another nonce"),
        {"grant": "refresh_token", "id_token": {"nonce": "someone-elses"}},
    ),
    "refreshed_no_id_token": (
        N_("the next refresh brings no ID token"),
        {"grant": "refresh_token", "json": {"id_token": None}},
    ),
    "refresh_500": (
        N_("the next refresh answers 500"),
        {"grant": "refresh_token", "status": 500, "body": ""},
    ),
    # Metadata, keys and the rest.
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
    "revoke_500": (
        N_("revocation endpoint answers 500"),
        {"at": "revoke", "status": 500, "body": ""},
    ),
    "logout_500": (
        N_("end session endpoint answers 500"),
        {"at": "logout", "status": 500, "body": ""},
    ),
}
