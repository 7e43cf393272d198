"""The claims of the ID token of a sign-in: OIDC Core sections 3.1.3.3 and 3.1.3.7."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask

from tests.conftest import MakeApp, StillClock
from tests.support.harness import Person, session_records
from tests.support.id_tokens import Claims, is_refused
from tests.support.scripted_provider import (
    GONE,
    ScriptedProvider,
    visitor_of,
)

WRONG_CLAIMS: dict[str, Claims] = {
    "iss missing": {"iss": GONE},
    "iss null": {"iss": None},
    "iss in a list": {"iss": ["{issuer}"]},
    "iss without its slash": {"iss": "{base_url}"},
    "iss in capitals": {"iss": "{ISSUER}"},
    "iss with more behind": {"iss": "{issuer}x"},
    "aud missing": {"aud": GONE},
    "aud of another": {"aud": "another-app"},
    "aud a part of us": {"aud": "demo"},
    "aud empty": {"aud": []},
    "aud us and another": {"aud": ["demo-app", "another-app"]},
    "aud others, azp us": {"aud": ["another-app", "a-third"], "azp": "demo-app"},
    "aud an object": {"aud": {"demo-app": 1}},
    "aud true": {"aud": True},
    "azp of another": {"azp": "another-app"},
    "azp null": {"azp": None},
    "azp a list": {"azp": ["demo-app"]},
    "sub missing": {"sub": GONE},
    "sub empty": {"sub": ""},
    "sub null": {"sub": None},
    "sub a number": {"sub": 5},
    "sub no text": {"sub": "\ud800"},
    "name no text": {"name": "\ud800"},
    "NaN somewhere": {"more": float("nan")},
    "at_hash wrong": {"at_hash": "A" * 22},
    "at_hash empty": {"at_hash": ""},
    "at_hash null": {"at_hash": None},
    "at_hash a number": {"at_hash": 5},
    **{
        f"{name} {word}": {name: value}
        for name in ("exp", "iat")
        for word, value in {
            "missing": GONE, "null": None, "true": True, "a string": "{now}", "a list": [1],
            "NaN": float("nan"), "infinite": float("inf"), "huge": 10**400, "negative": -1,
            "zero": 0,
        }.items()
    },
    "nbf a string": {"nbf": "1"},
    "nbf true": {"nbf": True},
    "nbf null": {"nbf": None},
    "iat of last week": {"iat": 604800},
}  # fmt: skip


@pytest.mark.parametrize("claims", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_wrong_claim_signs_nobody_in(
    claims: Claims, visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    words = {
        "{issuer}": scripted.issuer,
        "{base_url}": scripted.base_url,
        "{ISSUER}": scripted.issuer.upper(),
        "{issuer}x": f"{scripted.issuer}x",
        "{now}": str(int(time.time())),
    }

    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        return words.get(value, value) if isinstance(value, str) else value

    scripted.claims = {name: filled(value) for name, value in claims.items()}

    response = visitor.signs_in()

    assert is_refused(visitor, scripted_app, response)


def test_a_token_for_others_too_is_good_where_azp_names_us(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.claims = {"aud": ["demo-app", "another-app"], "azp": "demo-app"}

    assert visitor.signs_in().status_code == 303


WRONG_NONCES = {
    "missing": GONE, "null": None, "empty": "", "another": "A" * 43, "a number": 5, "a list": ["a"],
    "unicode": "é" * 43,
}  # fmt: skip


@pytest.mark.parametrize("nonce", WRONG_NONCES.values(), ids=WRONG_NONCES)
def test_a_nonce_that_is_not_the_attempts_signs_nobody_in(
    nonce: Any, visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    scripted.claims = {"nonce": nonce}

    response = visitor.signs_in()

    assert is_refused(visitor, scripted_app, response, 400)


def test_the_nonce_of_another_tab_signs_nobody_in(
    visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    first = scripted.answers(visitor.begins())
    stolen_code = scripted.answers(visitor.begins()).partition("code=")[2].partition("&")[0]
    own_code = first.partition("code=")[2].partition("&")[0]

    response = visitor.comes_back(first.replace(own_code, stolen_code))

    assert is_refused(visitor, scripted_app, response, 400)


RIGHT_CLAIMS: dict[str, Claims] = {
    "aud in a list": {"aud": ["demo-app"]},
    "azp us": {"azp": "demo-app"},
    "no name": {"name": GONE, "sid": GONE},
    "sub unicode": {"sub": "person|日本語 é"},
    "auth_time a float": {"auth_time": 1e9 + 0.5},
    "auth_time odd, and nobody asked": {"auth_time": "yesterday"},
    "custom claims": {"https://foo/bar": {"a": [1, None, 2**80]}},
    "times as floats": {"iat": time.time() + 0.5, "exp": time.time() + 3000.25},
}


@pytest.mark.parametrize("claims", RIGHT_CLAIMS.values(), ids=RIGHT_CLAIMS)
def test_a_right_token_signs_in_whatever_else_it_claims(
    claims: Claims, visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.claims = claims

    response = visitor.signs_in()

    assert response.status_code == 303
    assert visitor.is_signed_in()


@pytest.mark.parametrize(
    ("name", "seconds", "status"),
    [
        ("exp", -59, 303), ("exp", -60, 502),
        ("iat", 59, 303), ("iat", 60, 502), ("iat", -3599, 303), ("iat", -3600, 502),
        ("nbf", 59, 303), ("nbf", 60, 502),
    ],
)  # fmt: skip
def test_clocks_may_differ_by_less_than_a_minute(
    name: str,
    seconds: int,
    status: int,
    still: StillClock,
    visitor: Person,
    scripted: ScriptedProvider,
) -> None:
    scripted.claims = {name: still.now + seconds}

    response = visitor.signs_in()

    assert response.status_code == status


@pytest.mark.parametrize(
    ("auth_time", "status"),
    [
        (-100, 303),
        (-359, 303),
        (-360, 403),
        (59, 303),
        (60, 502),
        (GONE, 502),
        ("now", 502),
        (True, 502),
        (None, 502),
    ],
)
def test_auth_time_is_looked_at_where_max_age_was_sent(
    auth_time: Any, status: int, still: StillClock, make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    app = make_app(AUTH0_DOMAIN=scripted.issuer, AUTH0_AUTHORIZE_PARAMS="max_age=300")
    visitor = visitor_of(app, scripted)
    relative = isinstance(auth_time, int) and not isinstance(auth_time, bool)
    scripted.claims = {"auth_time": still.now + auth_time if relative else auth_time}

    response = visitor.signs_in()

    assert response.status_code == status
    assert session_records(app) == (1 if status == 303 else 0)
