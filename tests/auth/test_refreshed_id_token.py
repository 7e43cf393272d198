"""The ID token that a refresh brings (OIDC Core section 12.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from auth.refresh import AT_ONCE_SECONDS
from tests.conftest import Clock, PersonAt
from tests.support.harness import Api, Person, Provider, query_of, session_records

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
    "a further aud": {"id_token": {"aud": ["demo-app", "another-app"]}},
    "another azp": {"id_token": {"azp": "another-app"}},
    "another nonce": {"id_token": {"nonce": "someone-elses"}},
    "another auth_time": {"id_token": {"auth_time": 1_000_000_000}},
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


def test_what_came_with_a_wrong_id_token_is_revoked(
    person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    person.signs_in()
    refused_once()
    provider.lies(grant="refresh_token", id_token={"sub": "demo|mallory"})

    person.sees("/appointments")

    revoked = provider.requests_to("/oauth/revoke")
    assert len({entry["form"]["token"] for entry in revoked}) == 2  # the old one and the new


RIGHT: dict[str, dict[str, Any]] = {
    "as it is": {},
    "without nonce": {"id_token": {"nonce": None}},
    "without auth_time": {"id_token": {"auth_time": None}},
    "without sid": {"id_token": {"sid": None}},
    "without at_hash": {"id_token": {"at_hash": None}},
    "aud in a list": {"id_token": {"aud": ["demo-app"]}},
    "another name": {"id_token": {"name": "Ada Married"}},
    "no ID token": {"json": {"id_token": None}},
    "an ID token that is null": {"json": {"id_token": False}},
}


@pytest.mark.parametrize("fault", RIGHT.values(), ids=RIGHT)
def test_a_right_refresh_goes_on_with_the_page(
    fault: dict[str, Any], person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    person.signs_in()
    before = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    refused_once()
    provider.lies(grant="refresh_token", **fault)

    page = person.sees("/appointments")

    after = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    assert page.status_code == 200
    assert provider.refreshes() == 1
    for name in ("iss", "sub", "sid", "nonce", "auth_time"):
        assert after[name] == before[name]


def test_the_nonce_of_the_sign_in_may_come_again(
    person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    url = person.begins()
    person.comes_back(person.provider.answers(url))
    refused_once()
    provider.lies(grant="refresh_token", id_token={"nonce": query_of(url)["nonce"]})

    page = person.sees("/appointments")

    assert page.status_code == 200


def test_the_name_of_a_refreshed_id_token_is_shown(
    person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    person.signs_in()
    refused_once()
    provider.lies(grant="refresh_token", id_token={"name": "Ada Married"})

    person.sees("/appointments")

    assert "Ada Married" in person.sees("/").text


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
    clock.moves(AT_ONCE_SECONDS + 1)
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


def test_a_rotated_key_is_followed_by_the_refresh(
    person: Person, provider: Provider, refused_once: Callable[[], None]
) -> None:
    person.signs_in()
    provider.control("rotate-keys", {"keep_old": True})
    refused_once()

    page = person.sees("/appointments")

    assert page.status_code == 200
    assert person.is_signed_in()
