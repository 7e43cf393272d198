"""The ID token that a refresh brings (OIDC Core section 12.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from auth.token_set import REFUSED_SECONDS
from tests.conftest import Clock, PersonAt
from tests.support.harness import (
    Api,
    Person,
    Provider,
    post_logout,
    query_of,
    session_records,
)

IN = "in_seconds"


@pytest.fixture
def refused_once(api: Api) -> Callable[[], None]:
    """Makes the API refuse the next access token: the app then refreshes."""
    return lambda: api.lies(at="api", status=401, body="{}")


WRONG: dict[str, dict[str, Any]] = {
    "another sub": {"id_token": {"sub": "demo|mallory"}},
    "no sub": {"id_token": {"sub": None}},
    "another iss": {"id_token": {"iss": "https://provider.invalid/"}},
    "another aud": {"id_token": {"aud": "another-app"}},
    "a further aud": {"id_token": {"aud": ["demo-app", "another-app"], "azp": None}},
    "another azp": {"id_token": {"azp": "another-app"}},
    "another nonce": {"id_token": {"nonce": "someone-elses"}},
    "an organization": {"id_token": {"org_id": "org_someoneelses"}},
    "expired": {"id_token": {"exp": {IN: -61}}},
    "no exp": {"id_token": {"exp": None}},
    "from tomorrow": {"id_token": {"iat": {IN: 86400}, "exp": {IN: 90000}}},
    "no iat": {"id_token": {"iat": None}},
    "another access token's": {"id_token": {"at_hash": "A" * 22}},
    "unsigned": {"id_token_sign": "none"},
    "signed with the public key": {"id_token_sign": "hs256_public_key"},
    "signed with the client secret": {"id_token_sign": "hs256_client_secret"},
    "signed by a stranger": {"id_token_sign": "unknown_key"},
    "with a broken signature": {"id_token_sign": "broken"},
    "with crit": {"id_token_header": {"crit": ["exp"]}},
    "no JWT": {"json": {"id_token": "x"}},
}


@pytest.mark.parametrize("fault", WRONG.values(), ids=WRONG)
def test_a_wrong_refreshed_id_token_ends_the_session(
    fault: dict[str, Any],
    app: Flask,
    person: Person,
    provider: Provider,
    refused_once: Callable[[], None],
) -> None:
    if "org_id" in fault.get("id_token", {}):
        provider.lies(grant="authorization_code", id_token={"org_id": "org_own"})
    person.signs_in()
    refused_once()
    provider.lies(grant="refresh_token", **fault)

    page = person.sees("/appointments")

    assert page.status_code == 302
    assert page.headers["Location"] == "/login?return_to=/appointments"
    assert not person.is_signed_in()
    assert session_records(app) == 0
    revoked = provider.requests_to("/oauth/revoke")
    assert len({entry["form"]["token"] for entry in revoked}) == 2  # the old one and the new


# The claims that the app then shows, where they differ from those of the sign-in.
RIGHT: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as it is": ({}, {}),
    "without claims of the sign-in": (
        {"id_token": dict.fromkeys(("nonce", "auth_time", "sid", "at_hash", "name"))}, {},
    ),
    "a sign-in elsewhere since": (
        {"id_token": {"auth_time": {IN: 0}, "acr": "gold", "amr": ["mfa"]}}, {},
    ),
    "a number beyond 64 bits": ({"id_token": {"big": 2**80}}, {"big": 2**80}),
    "a certificate in the header": ({"id_token_header": {"x5c": ["M" * 4000]}}, {}),
    "aud in a list": ({"id_token": {"aud": ["demo-app"]}}, {"aud": ["demo-app"]}),
    "an ID token that is false": ({"json": {"id_token": False}}, {}),
}  # fmt: skip
OF_THE_TOKEN = ("iat", "exp", "at_hash")


@pytest.mark.parametrize(("fault", "changes"), RIGHT.values(), ids=RIGHT)
def test_a_right_refresh_goes_on_with_the_page_and_says_nothing_of_the_sign_in(
    fault: dict[str, Any],
    changes: dict[str, Any],
    person: Person,
    provider: Provider,
    refused_once: Callable[[], None],
) -> None:
    person.signs_in()
    before = shown_claims(person)
    refused_once()
    provider.lies(grant="refresh_token", **fault)

    page = person.sees("/appointments")

    assert page.status_code == 200
    assert provider.refreshes() == 1
    assert shown_claims(person) == before | changes


def shown_claims(person: Person) -> dict[str, Any]:
    claims = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    return {name: value for name, value in claims.items() if name not in OF_THE_TOKEN}


def test_a_sid_that_a_refresh_brings_is_one_to_log_out_by(
    app: Flask, person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    person.signs_in()
    refused_once()
    provider.lies(grant="refresh_token", id_token={"sid": "another-sid"})
    person.sees("/appointments")

    token = provider.logout_token(sid="another-sid")

    assert post_logout(app, token).status_code == 200
    assert not person.is_signed_in()


@pytest.mark.parametrize("grant", ["authorization_code", "refresh_token"])
def test_a_session_ends_when_the_id_token_says_so(
    grant: str,
    person: Person,
    provider: Provider,
    clock: Clock,
    refused_once: Callable[[], None],
) -> None:
    provider.lies(grant=grant, id_token={"session_expiry": {IN: 100}})
    person.signs_in()
    refused_once()
    person.sees("/appointments")

    assert person.is_signed_in()
    clock.moves(101)
    assert not person.is_signed_in()


def test_the_nonce_of_the_sign_in_may_come_again(
    person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    url = person.begins()
    person.comes_back(person.provider.answers(url))
    refused_once()
    provider.lies(grant="refresh_token", id_token={"nonce": query_of(url)["nonce"]})

    page = person.sees("/appointments")

    assert page.status_code == 200


def test_keys_that_cannot_be_fetched_lose_no_refresh_token(
    app: Flask,
    person: Person,
    person_at: PersonAt,
    provider: Provider,
    clock: Clock,
    refused_once: Callable[[], None],
) -> None:
    another = person_at(app)
    for each in (person, another):
        each.signs_in()
    provider.control("rotate-keys", {"keep_old": True})
    provider.lies("jwks_500", times=0)

    for each in (person, another):  # the second time the keys are not asked for once more
        refused_once()
        each.sees("/appointments")  # the API cannot fetch the keys either

    provider.is_honest()
    assert provider.refreshes() == 2
    clock.moves(REFUSED_SECONDS + 1)
    for each in (person, another):
        refused_once()
        assert each.sees("/appointments").status_code == 200
    assert provider.refreshes() == 4
    assert provider.stats()["reuse_detections"] == 0


def test_keys_that_cannot_be_fetched_let_nobody_become_another_person(
    person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    person.signs_in()
    provider.control("rotate-keys", {"keep_old": True})
    provider.lies("jwks_500", times=0)
    provider.lies(grant="refresh_token", id_token={"sub": "demo|mallory"})
    refused_once()

    person.sees("/appointments")

    assert not person.is_signed_in()
