"""UserInfo (OIDC Core section 5.3): asked once at sign-in, where the ID token names nobody."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.conftest import MakeApp, PersonAt
from tests.support.harness import BEN, Person, Provider, text_of
from tests.support.scripted_provider import GONE, ScriptedProvider, says, send, sign, visitor_of


@pytest.mark.parametrize("form", ["json", "jwt"])
def test_the_name_comes_from_userinfo_where_the_id_token_has_none(
    person: Person, provider: Provider, form: str
) -> None:
    provider.options(claims_in_id_token=False, userinfo_format=form)

    person.signs_in(BEN)

    assert "Ben Okafor" in text_of(person.sees("/"))
    assert "Ben Okafor" in text_of(person.sees("/profile"))
    assert len(provider.requests_to("/userinfo")) == 1


def test_userinfo_is_not_asked_where_the_id_token_names_the_person(
    person: Person, provider: Provider
) -> None:
    person.signs_in(BEN)

    assert provider.requests_to("/userinfo") == []


def test_userinfo_is_not_asked_where_nobody_asked_for_a_name(
    make_app: MakeApp, person_at: PersonAt, provider: Provider
) -> None:
    provider.options(claims_in_id_token=False)
    person = person_at(make_app(AUTH0_SCOPE="openid"))

    assert person.signs_in().status_code == 303
    assert provider.requests_to("/userinfo") == []


ANSWERS: dict[str, Any] = {
    "another sub": ({"sub": "scripted|mallory", "name": "Mallory"}, 200),
    "no sub": ({"name": "Mallory"}, 200),
    "an error": ({"sub": "scripted|ada", "name": "Mallory"}, 500),
    "no object": (["Mallory"], 200),
}


@pytest.fixture
def nameless(scripted: ScriptedProvider) -> ScriptedProvider:
    """A provider whose ID token names nobody."""
    scripted.claims = {"name": GONE}
    scripted.metadata = {"userinfo_endpoint": f"{scripted.base_url}/userinfo"}
    return scripted


@pytest.mark.parametrize(("data", "status"), ANSWERS.values(), ids=ANSWERS)
def test_an_unusable_userinfo_is_ignored_and_logged(
    nameless: ScriptedProvider,
    visitor: Person,
    caplog: pytest.LogCaptureFixture,
    data: Any,
    status: int,
) -> None:
    nameless.scripts["userinfo"] = lambda handler: send(handler, data, status)

    assert visitor.signs_in().status_code == 303

    assert "Mallory" not in visitor.sees("/profile").text
    assert "UserInfo is not used" in caplog.text


@pytest.mark.parametrize(
    ("audience", "counts"),
    [("demo-app", True), (["another-app", "demo-app"], True), (["another-app"], False)],
    ids=["us", "us and another", "another"],
)
def test_a_signed_userinfo_counts_where_it_is_for_us(
    nameless: ScriptedProvider, visitor: Person, audience: Any, counts: bool
) -> None:
    claims = {"iss": nameless.issuer, "aud": audience, "sub": "scripted|ada", "name": "Ada Marlow"}
    token = sign(claims, nameless.key).encode()
    nameless.scripts["userinfo"] = says(token, content_type="application/jwt")

    visitor.signs_in()

    assert ("Ada Marlow" in visitor.sees("/profile").text) == counts


def test_a_userinfo_that_hangs_costs_three_seconds_and_no_sign_in(
    nameless: ScriptedProvider, visitor: Person
) -> None:
    nameless.scripts["userinfo"] = lambda handler: nameless.over.wait(20)
    began = time.monotonic()

    assert visitor.signs_in().status_code == 303
    assert time.monotonic() - began < 6


def test_a_claim_of_userinfo_replaces_none_of_the_id_token(
    nameless: ScriptedProvider, make_app: MakeApp
) -> None:
    nameless.claims |= {"role": "guest"}
    data = {"sub": "scripted|ada", "name": "Ada", "role": "admin", "iss": "https://elsewhere"}
    nameless.scripts["userinfo"] = lambda handler: send(handler, data)
    visitor = visitor_of(make_app(AUTH0_DOMAIN=nameless.issuer), nameless)
    visitor.signs_in()

    claims = visitor.sees("/profile", headers={"Accept": "application/json"}).json

    assert (claims["name"], claims["role"], claims["iss"]) == ("Ada", "guest", nameless.issuer)
