"""Which logout tokens are right: Back-Channel Logout 1.0 sections 2.4 and 2.6."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.harness import Person, post_logout
from tests.support.scripted_provider import (
    GONE,
    LOGOUT_EVENT,
    ScriptedProvider,
    key_for_alg,
    sign,
    unsigned,
    with_mac,
)

Claims = dict[str, Any]
STRANGER = key_for_alg("ES256", 99)


WRONG: dict[str, Claims] = {
    "iss missing": {"iss": GONE},
    "iss of another": {"iss": "https://provider.invalid/"},
    "aud missing": {"aud": GONE},
    "aud of another": {"aud": "another-app"},
    "aud us and another": {"aud": ["demo-app", "another-app"]},
    "iat missing": {"iat": GONE},
    "iat tomorrow": {"iat": 86400.0},
    "iat yesterday": {"iat": -86400.0},
    "iat true": {"iat": True},
    "exp missing": {"exp": GONE},
    "exp over": {"exp": -61.0},
    "exp NaN": {"exp": float("nan")},
    "exp a string": {"exp": "99999999999"},
    "neither sub nor sid": {"sub": GONE, "sid": GONE},
    "sub empty": {"sub": "", "sid": GONE},
    "sub a number": {"sub": 5},
    "sub null": {"sub": None},
    "sid empty": {"sid": ""},
    "sid a list": {"sid": ["sid-1"]},
    "sid null beside a sub": {"sid": None},
    "sub no text": {"sub": "\ud800", "sid": GONE},
    "events missing": {"events": GONE},
    "events null": {"events": None},
    "events a list": {"events": [LOGOUT_EVENT]},
    "events a string": {"events": LOGOUT_EVENT},
    "another event": {"events": {"http://schemas.openid.net/event/other": {}}},
    "the event null": {"events": {LOGOUT_EVENT: None}},
    "the event a string": {"events": {LOGOUT_EVENT: "yes"}},
    "a nonce": {"nonce": "x"},
    "an empty nonce": {"nonce": ""},
    "a nonce that is null": {"nonce": None},
    "jti missing": {"jti": GONE},
    "jti empty": {"jti": ""},
    "jti a number": {"jti": 5},
    "jti too long": {"jti": "x" * 1001},
}


@pytest.mark.parametrize("claims", WRONG.values(), ids=WRONG)
def test_a_wrong_claim_ends_nothing(
    claims: Claims, signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    # Floats are seconds from now.
    claims = {
        name: int(time.time() + value) if isinstance(value, float) and value == value else value
        for name, value in claims.items()
    }

    response = post_logout(scripted_app, scripted.logout_token(claims))

    assert response.status_code == 400
    assert response.headers["Cache-Control"] == "no-store"
    assert signed_in_visitor.is_signed_in()


@pytest.mark.parametrize(
    ("claims", "header"),
    [
        ({"events": {LOGOUT_EVENT: {"more": 1}, "other": {}}}, {}),
        ({"aud": ["demo-app"]}, {}),
        ({"trace_id": "x", "toe": 1}, {}),
        ({}, {"typ": GONE}),
        ({}, {"typ": "JWT"}),
        ({}, {"typ": "LOGOUT+JWT"}),
        ({}, {"x5c": ["M" * 4000]}),
    ],
    ids=[
        "more events",
        "aud in a list",
        "more claims",
        "no typ",
        "typ JWT",
        "typ in capitals",
        "a certificate",
    ],
)
def test_a_right_token_may_say_more(
    claims: Claims,
    header: Claims,
    signed_in_visitor: Person,
    scripted_app: Flask,
    scripted: ScriptedProvider,
) -> None:
    response = post_logout(scripted_app, scripted.logout_token(claims, header))

    assert response.status_code == 200
    assert not signed_in_visitor.is_signed_in()


def claims_of_a_logout(scripted: ScriptedProvider) -> Claims:
    claims = scripted.id_token_claims() | {"jti": "j", "events": {LOGOUT_EVENT: {}}}
    del claims["nonce"]
    return claims


FORGERIES: dict[str, Callable[[ScriptedProvider, Claims], str]] = {
    "unsigned": lambda s, c: unsigned({"alg": "none"}, c),
    "HS256 with the public key": lambda s, c: with_mac(c, s.key.as_pem(private=False)),
    "a stranger's": lambda s, c: sign(c, STRANGER),
    "typ of an access token": lambda s, c: sign(c, s.key, header={"typ": "at+jwt"}),
    "typ a number": lambda s, c: sign(c, s.key, header={"typ": 5}),
    "an ID token": lambda s, c: sign(s.id_token_claims("nonce"), s.key),
    "an ID token without nonce": lambda s, c: sign({**c, "events": None}, s.key),
    "a changed payload": lambda s, c: ".".join(
        [sign(c, s.key).split(".")[0], "e30", sign(c, s.key).split(".")[2]]
    ),
    "nothing": lambda s, c: "",
    "dots": lambda s, c: "..",
    "a word": lambda s, c: "token",
    "NUL": lambda s, c: f"{sign(c, s.key)}\0",
}


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_forgery_ends_nothing(
    forged: Callable[[ScriptedProvider, Claims], str],
    signed_in_visitor: Person,
    scripted_app: Flask,
    scripted: ScriptedProvider,
) -> None:
    response = post_logout(scripted_app, forged(scripted, claims_of_a_logout(scripted)))

    assert response.status_code == 400
    assert response.headers["Cache-Control"] == "no-store"
    assert signed_in_visitor.is_signed_in()
