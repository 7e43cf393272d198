"""Which key of the provider's key set verifies a signature (RFC 7517, OIDC Core section 10.1)."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from joserfc.jwk import RSAKey

from tests.support.harness import Person, session_records
from tests.support.scripted_provider import GONE, ScriptedProvider, key_for_alg, public, sign

OLD, NEW, OTHER = (key_for_alg("ES256", number) for number in (0, 1, 2))


RSA_1024 = {"kty": "RSA", "n": "4" + "_" * 169 + "8", "e": "AQAB"}  # nobody's, and too short
BROKEN_KEYS: list[Any] = [
    5,
    None,
    {},
    {"kty": "oct", "k": "AAAA", "kid": "oct"},
    {"kty": "made-up"},
    {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"},
    {"kty": ["EC"]},
    {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
    {"kty": "EC", "crv": "P-999", "x": "AAAA", "y": "AAAA"},
    {"kty": "OKP", "crv": "Ed25519", "x": "AA"},
    {"kty": "RSA", "n": "é", "e": "AQAB"},
    {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    RSA_1024,
]


def test_keys_that_cannot_be_used_hinder_none_that_can(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    encryption = public(key_for_alg("ES256", 3), use="enc")
    odd_kid = public(key_for_alg("ES256", 4), kid=5)
    odd_alg = public(key_for_alg("ES256", 5), alg=["ES256"])
    scripted.keys = [*BROKEN_KEYS, encryption, odd_kid, odd_alg, *scripted.keys]
    scripted.id_token = lambda claims: sign(claims, OLD, header={"kid": GONE})

    response = visitor.signs_in()

    assert response.status_code == 303


ES, RS, ED = key_for_alg("ES256"), key_for_alg("RS256"), key_for_alg("EdDSA")
FITTING: dict[str, tuple[list[Any], Any, dict[str, Any]]] = {
    "one key, no kid in the header": ([public(ES)], ES, {"kid": GONE}),
    "one key, no kid anywhere": ([public(ES, kid=GONE)], ES, {"kid": GONE}),
    "a key without kid, a kid in the header": ([public(ES, kid=GONE)], ES, {"kid": "x"}),
    "keys of several types, no kid": ([public(RS), public(ES), public(ED)], ES, {"kid": GONE}),
    "keys of several curves, no kid": (
        [public(key_for_alg("ES384")), public(ES)], ES, {"kid": GONE},
    ),
    "the others are for another alg": (
        [public(OTHER, alg="ES512"), public(ES)], ES, {"kid": GONE},
    ),
    "the others are for encryption": ([public(OTHER, use="enc"), public(ES)], ES, {"kid": GONE}),
    "the same key twice": ([public(ES), public(ES)], ES, {}),
    "the same key twice, no kid": ([public(ES), public(ES)], ES, {"kid": GONE}),
    "several keys, told apart by kid": ([public(OTHER), public(NEW), public(ES)], ES, {}),
    "the same kid for two types": ([public(RS, kid="x"), public(ES, kid="x")], ES, {"kid": "x"}),
}  # fmt: skip


@pytest.mark.parametrize(("keys", "key", "header"), FITTING.values(), ids=FITTING)
def test_the_one_key_that_fits_is_found(
    keys: list[Any],
    key: Any,
    header: dict[str, Any],
    visitor: Person,
    scripted: ScriptedProvider,
) -> None:
    scripted.keys = keys
    scripted.id_token = lambda claims: sign(claims, key, header=header)

    response = visitor.signs_in()

    assert response.status_code == 303


UNFIT: dict[str, tuple[list[Any], dict[str, Any]]] = {
    "several keys fit and there is no kid": ([public(ES), public(OTHER)], {"kid": GONE}),
    "the kid is another key's": ([public(OTHER), public(ES)], {"kid": OTHER.kid}),
    "the kid is unknown": ([public(ES)], {"kid": "unknown"}),
    "the key is for encryption": ([public(ES, use="enc")], {}),
    "the key is for another alg": ([public(ES, alg="ES384")], {}),
    "there are no keys": ([], {}),
    "there are only other types": ([public(RS), public(ED)], {"kid": GONE}),
}


@pytest.mark.parametrize(("keys", "header"), UNFIT.values(), ids=UNFIT)
def test_no_key_that_fits_signs_nobody_in(
    keys: list[Any],
    header: dict[str, Any],
    visitor: Person,
    scripted_app: Flask,
    scripted: ScriptedProvider,
) -> None:
    scripted.keys = keys
    scripted.id_token = lambda claims: sign(claims, ES, header=header)

    response = visitor.signs_in()

    assert response.status_code == 502
    assert session_records(scripted_app) == 0
    assert scripted.asked["jwks"] == 2  # looked once more


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_a_short_rsa_key_verifies_nothing(
    visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    short = RSAKey.generate_key(1024, {"kid": "short"}, private=True)
    scripted.keys = [public(short)]
    scripted.id_token = lambda claims: sign(claims, short, "RS256")

    response = visitor.signs_in()

    assert response.status_code == 502
    assert session_records(scripted_app) == 0
