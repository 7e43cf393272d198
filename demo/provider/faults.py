"""The named faults: what each button of "Make it lie" does, as fields of `demo/fault.py`."""

from __future__ import annotations

from typing import Any

from demo.fault import Goals, NamedFault
from demo.language import N_

ELSEWHERE, SOMEONE = "https://provider.invalid/", "someone-elses"
BLOCKED = {"code": None, "error": "unauthorized", "error_description": "user is blocked"}
ON_FIRE = {"code": None, "error": "server_error", "error_description": "on <b>fire</b>"}
UNAVAILABLE = {"code": None, "error": "temporarily_unavailable"}
REVOKED = '{"error": "invalid_grant", "error_description": "the grant was revoked"}'
HTML = {"status": 200, "body": "<h1>Hello</h1>", "headers": {"Content-Type": "text/html"}}
BUSY = {"status": 429, "body": '{"error": "too_many_requests"}', "headers": {"Retry-After": "5"}}
LEADS_ELSEWHERE = {"status": 302, "headers": {"Location": ELSEWHERE}}
OTHER_ORGANIZATION = {"org_id": "org_someoneelses", "org_name": SOMEONE}


def fault(text: str, **fields: Any) -> NamedFault:
    """Something wrong with the next token response, unless `at` names another place."""
    return text, fields


def claims(text: str, **values: Any) -> NamedFault:
    """Other claims in the next ID token; None takes one out."""
    return fault(text, id_token=values)


def lifetime(text: str, begins: int, ends: int) -> NamedFault:
    """Another lifetime of the next ID token, in seconds from now."""
    return claims(text, iat={"in_seconds": begins}, exp={"in_seconds": ends})


def redirect(text: str, **parameters: Any) -> NamedFault:
    """Other parameters in the next authorization response."""
    return fault(text, at="authorize", redirect=parameters)


def members(text: str, at: str = "token", **values: Any) -> NamedFault:
    """Other members in the next JSON object."""
    return fault(text, at=at, json=values)


def refresh(text: str, **fields: Any) -> NamedFault:
    """Something wrong with the next refresh."""
    return fault(text, grant="refresh_token", **fields)


BEGIN_WITH: dict[str, NamedFault] = {
    "alg_none": fault(N_("ID token without signature"), id_token_sign="none"),
    "wrong_nonce": claims(N_("ID token with a foreign nonce"), nonce=SOMEONE),
    "foreign_aud": claims(N_("ID token for another client"), aud="another-client"),
    "refresh_500": refresh(N_("the next refresh answers 500"), status=500, body=""),
    "token_hang": fault(N_("token endpoint hangs"), delay_seconds=90, drop=True),
}
BE_SOMEBODY_ELSE: dict[str, NamedFault] = {
    "broken_signature": fault(N_("ID token with a broken signature"), id_token_sign="broken"),
    "unknown_key": fault(N_("ID token signed by an unknown key"), id_token_sign="unknown_key"),
    "hs256_public_key": fault(
        N_("ID token signed with HS256 and our public key"), id_token_sign="hs256_public_key"
    ),
    "hs256_client_secret": fault(
        N_("ID token signed with HS256 and the client secret"), id_token_sign="hs256_client_secret"
    ),
    "refreshed_other_sub": refresh(
        N_("the next refreshed ID token is someone else's"), id_token={"sub": SOMEONE}
    ),
    "wrong_iss": claims(N_("ID token of another issuer"), iss=ELSEWHERE),
    "missing_sub": claims(N_("ID token without sub"), sub=None),
    "wrong_organization": claims(N_("ID token of another organization"), **OTHER_ORGANIZATION),
    "iss_parameter_wrong": redirect(N_("authorization response of another issuer"), iss=ELSEWHERE),
    "iss_parameter_missing": redirect(N_("authorization response without iss"), iss=None),
    "userinfo_other_sub": members(N_("userinfo of somebody else"), "userinfo", sub="demo|mallory"),
    "metadata_wrong_issuer": fault(
        N_("metadata of another issuer. Takes effect when the app next fetches it."),
        at="metadata",
        json={"issuer": ELSEWHERE},
    ),
}
REPLAY: dict[str, NamedFault] = {
    "missing_nonce": claims(N_("ID token without nonce"), nonce=None),
    "expired_id_token": lifetime(N_("ID token that expired an hour ago"), -7200, -3600),
    "iat_in_future": lifetime(N_("ID token from tomorrow"), 86400, 90000),
    "wrong_at_hash": claims(N_("ID token with a wrong at_hash"), at_hash="A" * 22),
    "wrong_state": redirect(N_("authorization response with a wrong state"), state="wrong"),
    "missing_state": redirect(N_("authorization response without state"), state=None),
    "duplicated_code": redirect(N_("authorization response with two codes"), code=["one", "two"]),
    "refreshed_other_nonce": refresh(
        N_("the next refreshed ID token has another nonce"), id_token={"nonce": SOMEONE}
    ),
}
REFUSE: dict[str, NamedFault] = {
    "unauthorized": redirect(N_("authorization response with unauthorized"), **BLOCKED),
    "error_answer": redirect(N_("authorization response with an error"), **ON_FIRE),
    "temporarily_unavailable": redirect(
        N_("authorization response with temporarily_unavailable"), **UNAVAILABLE
    ),
    "revoked_grant": refresh(
        N_("the next refresh finds the grant revoked"), status=400, body=REVOKED
    ),
}
LEAVE_OUT: dict[str, NamedFault] = {
    "missing_id_token": members(N_("no ID token"), id_token=None),
    "token_type_mac": members(N_("token response of type mac"), token_type="mac"),
    "missing_access_token": members(N_("token response without access token"), access_token=None),
    "missing_expires_in": members(N_("token response without expires_in"), expires_in=None),
    "missing_refresh_token": members(
        N_("token response without refresh token"), refresh_token=None
    ),
    "refreshed_no_id_token": refresh(
        N_("the next refresh brings no ID token"), json={"id_token": None}
    ),
    "jwks_empty": members(
        N_("key set without keys. Takes effect when the app next fetches it."), "jwks", keys=[]
    ),
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
BREAK_DOWN: dict[str, NamedFault] = {
    "token_slow": fault(N_("token endpoint takes 3 seconds"), delay_seconds=3),
    "token_drop": fault(N_("token endpoint drops the connection"), drop=True),
    "token_500": fault(N_("token endpoint answers 500"), status=500, body='{"error": "oops"}'),
    "token_html": fault(N_("token endpoint answers HTML"), **HTML),
    "token_empty": fault(N_("token endpoint answers nothing"), status=200, body=""),
    "token_redirect": fault(N_("token endpoint redirects"), **LEADS_ELSEWHERE),
    "token_429": fault(N_("token endpoint answers 429"), **BUSY),
    **{f"{at}_500": fault(text, at=at, status=500, body="") for at, text in FAILURES.items()},
}
# What somebody who lies wants; the first group is the one to begin with.
GOALS: Goals = {
    N_("Five to begin with"): BEGIN_WITH,
    N_("Be somebody else"): BE_SOMEBODY_ELSE,
    N_("Replay what was used before"): REPLAY,
    N_("Refuse the person"): REFUSE,
    N_("Leave something out"): LEAVE_OUT,
    N_("Break down"): BREAK_DOWN,
}
