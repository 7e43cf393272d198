"""Who signed the ID token of a sign-in, and how (OIDC Core section 3.1.3.7, RFC 8725)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.support.harness import SECRET, Person
from tests.support.id_tokens import Claims, is_refused
from tests.support.scripted_provider import (
    GONE,
    ScriptedProvider,
    key_for_alg,
    public,
    says,
    segment,
    sign,
    unsigned,
    with_mac,
)

STRANGER = key_for_alg("ES256", 99)


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
    "alg none with a signature": lambda c: swapped_header(right(c), alg="none"),
    "alg empty": lambda c: unsigned({"alg": ""}, c),
    "alg missing": lambda c: unsigned({"kid": "ES256-0"}, c),
    "alg null": lambda c: unsigned({"alg": None}, c),
    "alg a list": lambda c: unsigned({"alg": ["ES256"]}, c),
    "alg in small letters": lambda c: right(c, alg="es256"),
    "HS256 with the public key": lambda c: with_mac(c, PUBLIC.as_pem(private=False)),
    "HS512 with the public key": lambda c: with_mac(c, PUBLIC.as_pem(private=False), "HS512"),
    "HS256 with the client secret": lambda c: with_mac(c, SECRET.encode()),
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
    "claims nested deeply": lambda c: right({**c, "a": json.loads("[" * 400 + "]" * 400)}),
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


@pytest.mark.parametrize(
    "header",
    [{"typ": "anything"}, {"typ": GONE}, {"x5c": ["M" * 4000]}, {"b64": True}, {"more": {"a": 1}}],
    ids=["another typ", "no typ", "a certificate", "b64 true", "an unknown parameter"],
)
def test_header_parameters_that_change_nothing_are_ignored(
    header: Claims, visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.id_token = lambda claims: right(claims, **header)

    response = visitor.signs_in()

    assert response.status_code == 303
