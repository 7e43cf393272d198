"""`POST /contacts` of the sample API."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.demo.conftest import RelyingParty, bearer
from tests.support.harness import ADA, BEN, Api

JO = {"name": "Jo Ødegård", "email": "jo@example.com", "phone": "+47 22 00 01 06"}


def add(api: Api, token: str, contact: Any, key: str | None = None) -> requests.Response:
    headers = bearer(token) | ({"Idempotency-Key": key} if key else {})
    return requests.post(f"{api.base_url}/contacts", json=contact, headers=headers, timeout=10)


def names(api: Api, token: str) -> list[str]:
    response = requests.get(f"{api.base_url}/contacts", headers=bearer(token), timeout=10)
    return [each["name"] for each in response.json()["contacts"]]


def test_a_contact_is_added_to_those_of_the_person_until_a_reset(
    api: Api, relying_party: RelyingParty
) -> None:
    adas = relying_party.signs_in(ADA)["access_token"]
    bens = relying_party.signs_in(BEN, prompt="login")["access_token"]

    added = add(api, adas, {**JO, "name": f"  {JO['name']} "})

    assert added.status_code == 201
    assert added.json() == {"id": "con_3", **JO}
    assert names(api, adas) == ["Ben Okafor", "Dr. Lindqvist", "Jo Ødegård"]
    assert names(api, bens) == ["Ada Marlow"]
    api.reset()
    assert names(api, adas) == ["Ben Okafor", "Dr. Lindqvist"]


def test_without_the_scope_the_api_names_it(api: Api, relying_party: RelyingParty) -> None:
    token = relying_party.signs_in(scope="openid contacts")["access_token"]

    refused = add(api, token, JO)

    assert refused.status_code == 403
    challenge = 'Bearer error="insufficient_scope", scope="contacts:write"'
    assert refused.headers["WWW-Authenticate"] == challenge


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"name": " "}, ["name"]),
        ({"name": "x" * 101}, ["name"]),
        ({"name": None, "email": "jo"}, ["name", "email"]),
        ({"name": ["Jo"]}, ["name"]),
        ({"email": "jo @example.com"}, ["email"]),
        ({"phone": "call me"}, ["phone"]),
        ({"phone": ""}, []),
    ],
    ids=["blank", "long", "two", "list", "space", "words", "no phone"],
)
def test_what_is_wrong_is_said_by_field(
    api: Api, relying_party: RelyingParty, changes: dict[str, Any], wrong: list[str]
) -> None:
    token = relying_party.signs_in()["access_token"]

    response = add(api, token, {**JO, **changes})

    assert response.status_code == (422 if wrong else 201)
    if wrong:
        assert response.headers["Content-Type"] == "application/problem+json"
        assert set(response.json()["errors"]) == set(wrong)


@pytest.mark.parametrize("body", ["[]", "no JSON", '"text"'])
def test_a_body_that_is_no_json_object_is_refused(
    api: Api, relying_party: RelyingParty, body: str
) -> None:
    headers = bearer(relying_party.signs_in()["access_token"])
    headers["Content-Type"] = "application/json"

    response = requests.post(f"{api.base_url}/contacts", body, headers=headers, timeout=10)

    assert response.status_code == 400


def test_a_repeated_idempotency_key_adds_once(api: Api, relying_party: RelyingParty) -> None:
    token = relying_party.signs_in()["access_token"]

    wrong = add(api, token, {**JO, "email": ""}, "key-1")
    first, again = (add(api, token, JO, "key-1") for _ in range(2))
    other = add(api, token, {**JO, "name": "Somebody else"}, "key-1")

    assert wrong.status_code == 422
    assert (first.status_code, again.status_code, other.status_code) == (201, 201, 422)
    assert again.json() == first.json()
    assert names(api, token).count(JO["name"]) == 1


def test_a_fault_reaches_the_post_too(api: Api, relying_party: RelyingParty) -> None:
    api.lies("api_503")

    assert add(api, relying_party.signs_in()["access_token"], JO).status_code == 503
