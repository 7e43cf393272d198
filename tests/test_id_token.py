"""The ID token of a sign-in (OIDC Core sections 3.1.3.3 and 3.1.3.7), and what is tried on it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from .conftest import MakeApp, StillClock
from .harness import SECRET, Person, Provider, session_records
from .scripted_provider import (
    GONE,
    ScriptedProvider,
    key_for_alg,
    public,
    says,
    segment,
    sign,
    unsigned,
    visitor_of,
    with_mac,
)

Claims = dict[str, Any]
STRANGER = key_for_alg("ES256", 99)


def is_refused(person: Person, app: Flask, response: Any, status: int = 502) -> bool:
    assert response.status_code == status, response.text
    assert session_records(app) == 0
    return not person.is_signed_in()


NAMED_FAULTS = {
    "wrong_nonce": 400, "missing_nonce": 400, "wrong_iss": 502, "foreign_aud": 502,
    "expired_id_token": 502, "iat_in_future": 502, "missing_sub": 502, "wrong_at_hash": 502,
    "alg_none": 502, "hs256_public_key": 502, "hs256_client_secret": 502, "unknown_key": 502,
    "broken_signature": 502, "missing_id_token": 502,
}  # fmt: skip


@pytest.mark.parametrize("signing_alg", ["RS256", "ES256"])
@pytest.mark.parametrize(("name", "status"), NAMED_FAULTS.items())
def test_each_lie_of_the_demo_signs_nobody_in(
    name: str, status: int, signing_alg: str, person: Person, app: Flask, provider: Provider
) -> None:
    provider.options(signing_alg=signing_alg)
    provider.lies(name)

    response = person.signs_in()

    assert is_refused(person, app, response, status)


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
    "aud us and another, azp us": {"aud": ["demo-app", "another-app"], "azp": "demo-app"},
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


ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
)  # fmt: skip


def half_hash(alg: str) -> str:
    bits = "512" if alg.startswith("Ed") else alg[-3:]
    digest = hashlib.new(f"sha{bits}", b"the-access-token-1234567890").digest()
    return segment(digest[: len(digest) // 2])


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_each_asymmetric_algorithm_signs_in(
    alg: str, visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.alg, scripted.key = alg, key_for_alg(alg)
    scripted.keys = [public(scripted.key)]
    scripted.claims = {"at_hash": half_hash(alg)}

    response = visitor.signs_in()

    assert response.status_code == 303


def swapped_header(token: str, **header: Any) -> str:
    """The honest token's payload and signature under another header."""
    _, payload, signature = token.split(".")
    whole = {"alg": "ES256", "kid": "ES256-0", **header}
    return f"{segment(json.dumps(whole).encode())}.{payload}.{signature}"


def right(claims: Claims, **header: Any) -> str:
    return sign(claims, key_for_alg("ES256"), "ES256", header)


def by_stranger(claims: Claims, **header: Any) -> str:
    return sign(claims, STRANGER, "ES256", header)


PUBLIC = key_for_alg("ES256")
FORGERIES: dict[str, Callable[[Claims], Any]] = {
    "alg none": lambda c: unsigned({"alg": "none", "kid": "ES256-0"}, c),
    "alg nOnE": lambda c: unsigned({"alg": "nOnE"}, c),
    "alg none with a signature": lambda c: swapped_header(right(c), alg="none"),
    "alg empty": lambda c: unsigned({"alg": ""}, c),
    "alg missing": lambda c: unsigned({"kid": "ES256-0"}, c),
    "alg null": lambda c: unsigned({"alg": None}, c),
    "alg a list": lambda c: unsigned({"alg": ["ES256"]}, c),
    "alg an object": lambda c: unsigned({"alg": {}}, c),
    "alg in small letters": lambda c: right(c, alg="es256"),
    "HS256 with the public key": lambda c: with_mac(c, PUBLIC.as_pem(private=False)),
    "HS256 with the public key in DER": lambda c: with_mac(c, PUBLIC.as_der(private=False)),
    "HS256 with the public JWK": lambda c: with_mac(c, json.dumps(public(PUBLIC)).encode()),
    "HS512 with the public key": lambda c: with_mac(c, PUBLIC.as_pem(private=False), "HS512"),
    "HS256 with the client secret": lambda c: with_mac(c, SECRET.encode()),
    "HS256 with nothing": lambda c: with_mac(c, b""),
    "a stranger's key": lambda c: by_stranger(c),
    "a stranger's key by our kid": lambda c: by_stranger(c, kid="ES256-0"),
    "a stranger's key without kid": lambda c: by_stranger(c, kid=GONE),
    "a stranger's jwk": lambda c: by_stranger(c, jwk=public(STRANGER), kid="ES256-0"),
    "a stranger's jwk alone": lambda c: by_stranger(c, jwk=public(STRANGER), kid=GONE),
    "a stranger's jku": lambda c: by_stranger(c, jku="http://127.0.0.1:1/evil"),
    "a stranger's x5u": lambda c: by_stranger(c, x5u="http://127.0.0.1:1/evil", kid=GONE),
    "a stranger's x5c": lambda c: by_stranger(c, x5c=["MIIB"], kid="ES256-0"),
    "crit": lambda c: right(c, crit=["exp"], exp=1),
    "crit empty": lambda c: right(c, crit=[]),
    "crit null": lambda c: right(c, crit=None),
    "crit b64": lambda c: right(c, crit=["b64"], b64=False),
    "kid a number": lambda c: right(c, kid=5),
    "kid a list": lambda c: right(c, kid=["ES256-0"]),
    "kid of 100 kB": lambda c: right(c, kid="x" * 100_000),
    "a signature of zeros": lambda c: f"{right(c).rpartition('.')[0]}.{segment(bytes(64))}",
    "no signature": lambda c: f"{right(c).rpartition('.')[0]}.",
    "half a signature": lambda c: right(c)[:-40],
    "a changed payload": lambda c: ".".join(
        [right(c).split(".")[0], segment(json.dumps({**c, "sub": "root"}).encode()),
         right(c).split(".")[2]]
    ),
    "an algorithm of another key type": lambda c: swapped_header(right(c), alg="RS256"),
    "a header that is a list": lambda c: unsigned(["ES256"], c),
    "a header that is no JSON": lambda c: f"{segment(b'{')}.e30.AAAA",
    "two parts": lambda c: right(c).rpartition(".")[0],
    "four parts": lambda c: f"{right(c)}.AAAA",
    "five parts, a JWE": lambda c: "e30.AAAA.AAAA.AAAA.AAAA",
    "a space in front": lambda c: f" {right(c)}",
    "a line break behind": lambda c: f"{right(c)}\n",
    "unicode": lambda c: f"{right(c)}é",
    "a megabyte of claims": lambda c: right({**c, "more": "x" * 1_000_000}),
    "a megabyte of nothing": lambda c: "A" * 1_000_000,
    "a million dots": lambda c: "." * 1_000_000,
    "empty": lambda c: "",
    "a number": lambda c: 5,
    "an object": lambda c: c,
    "null": lambda c: None,
    "claims that are a list": lambda c: sign(b"[]", PUBLIC),
    "claims that are no JSON": lambda c: sign(b"{", PUBLIC),
    "claims that are empty": lambda c: sign(b"", PUBLIC),
    "claims in UTF-16": lambda c: sign(json.dumps(c).encode("utf-16"), PUBLIC),
    "claims in no UTF-8": lambda c: sign(b'{"sub": "\xff"}', PUBLIC),
    "claims nested too deeply": lambda c: sign(b'{"a":' + b"[" * 5000, PUBLIC),
    "a number of 5000 digits": lambda c: sign(b'{"exp":' + b"9" * 5000 + b"}", PUBLIC),
}  # fmt: skip


@pytest.mark.parametrize("forged", FORGERIES.values(), ids=FORGERIES)
def test_a_forgery_signs_nobody_in(
    forged: Callable[[Claims], Any],
    visitor: Person,
    scripted_app: Flask,
    scripted: ScriptedProvider,
) -> None:
    scripted.metadata = {"id_token_signing_alg_values_supported": ["none", "HS256", "ES256"]}
    scripted.scripts["evil"] = says({"keys": [public(STRANGER)]})
    scripted.id_token = forged

    response = visitor.signs_in()

    assert is_refused(visitor, scripted_app, response)
    assert scripted.asked["evil"] == 0


def test_userinfo_is_never_asked(visitor: Person, scripted: ScriptedProvider) -> None:
    scripted.metadata = {"userinfo_endpoint": f"{scripted.base_url}/userinfo"}

    visitor.signs_in()
    visitor.sees("/profile")

    assert set(scripted.asked) == {"openid-configuration", "jwks", "token"}


@pytest.mark.parametrize(
    "header",
    [{"typ": "anything"}, {"typ": GONE}, {"x5c": ["MIIB"]}, {"b64": True}, {"more": {"a": 1}}],
    ids=["another typ", "no typ", "a certificate", "b64 true", "an unknown parameter"],
)
def test_header_parameters_that_change_nothing_are_ignored(
    header: Claims, visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.id_token = lambda claims: right(claims, **header)

    response = visitor.signs_in()

    assert response.status_code == 303
