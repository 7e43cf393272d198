"""Views that demand a recent sign-in, a stronger one or a scope: led through the provider once, and
never round and round."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from werkzeug.wrappers import Response

from auth import (
    public,
    requires_recent_sign_in,
    requires_scope,
    requires_stronger_sign_in,
)
from demo.people import ORGANIZATIONS
from tests.conftest import Clock, WithPage
from tests.support.harness import Api, Person, Provider, query_of, text_of

ACR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"

Decorators = tuple[Callable[[Any], Any], ...]

RECENT = (requires_recent_sign_in(60),)
STRONGER = (requires_stronger_sign_in(ACR),)
SCOPE = (requires_scope("phone"),)
EACH = pytest.mark.parametrize(
    "decorators", [RECENT, STRONGER, SCOPE], ids=["a recent sign-in", "a stronger one", "a scope"]
)


def hours_ago(hours: float) -> int:
    return int(time.time() - hours * 3600)


def signs_in_long_ago(person: Person, provider: Provider) -> None:
    provider.lies(id_token={"auth_time": hours_ago(2)})
    assert person.signs_in().status_code == 303


def is_refused_and_still_signed_in(person: Person, response: Response, words: str) -> bool:
    return response.status_code == 403 and words in text_of(response) and person.is_signed_in()


# A recent sign-in.


def test_a_fresh_sign_in_leads_back_and_opens_the_page(
    with_page: WithPage, provider: Provider
) -> None:
    person = with_page(*RECENT)
    signs_in_long_ago(person, provider)

    back = person.signs_in(path="/page?tab=2")

    assert back.headers["Location"] == "/page?tab=2"
    assert person.sees("/page").text == "the page"


def test_the_page_closes_again_when_the_sign_in_is_no_longer_recent(
    with_page: WithPage, clock: Clock
) -> None:
    person = with_page(*RECENT)
    person.signs_in()
    assert person.sees("/page").text == "the page"

    clock.moves(60 + 60 + 2)  # its seconds, and what clocks may differ by

    assert "max_age=60" in person.begins("/page")


def test_a_sign_in_without_auth_time_is_not_taken_for_recent(
    with_page: WithPage, provider: Provider
) -> None:
    person = with_page(*RECENT)
    provider.lies(id_token={"auth_time": None})
    person.signs_in()

    assert "max_age=60" in person.begins("/page")


def test_a_provider_that_does_not_ask_again_ends_in_an_error_page(
    with_page: WithPage, provider: Provider
) -> None:
    person = with_page(*RECENT)
    signs_in_long_ago(person, provider)
    provider.lies(id_token={"auth_time": hours_ago(2)})

    back = person.signs_in(path="/page")

    assert is_refused_and_still_signed_in(person, back, "A fresh sign-in is needed")
    assert "/login?return_to=/page" in back.text


# A stronger sign-in.


def test_a_stronger_sign_in_leads_back_and_opens_the_page(with_page: WithPage) -> None:
    person = with_page(*STRONGER)
    person.signs_in()

    back = person.signs_in(path="/page", stronger="confirm")

    assert back.headers["Location"] == "/page"
    assert person.sees("/page").text == "the page"


def test_declining_the_stronger_sign_in_ends_in_an_error_page(with_page: WithPage) -> None:
    person = with_page(*STRONGER)
    person.signs_in()

    back = person.signs_in(path="/page", stronger="decline")

    assert is_refused_and_still_signed_in(person, back, "A stronger sign-in is needed")
    assert "/login?return_to=/page" in back.text


def test_another_acr_than_the_one_demanded_ends_in_an_error_page(
    with_page: WithPage, provider: Provider
) -> None:
    person = with_page(*STRONGER)
    person.signs_in()
    provider.lies(id_token={"acr": "password"})

    back = person.signs_in(path="/page", stronger="confirm")

    assert is_refused_and_still_signed_in(person, back, "A stronger sign-in is needed")


def test_each_of_several_acr_values_opens_the_page(with_page: WithPage) -> None:
    person = with_page(requires_stronger_sign_in(f"security-key {ACR}"))
    person.signs_in()
    person.signs_in(path="/page", stronger="confirm")  # the provider takes the first

    assert person.sees("/page").text == "the page"


def test_configured_acr_values_stay_a_wish(with_page: WithPage) -> None:
    person = with_page(*STRONGER, AUTH0_AUTHORIZE_PARAMS="acr_values=gold")

    back = person.signs_in(stronger="decline")

    assert back.status_code == 303
    assert person.is_signed_in()


# How the person signed in is what the sign-in's ID token says, and none that a refresh brings.


@pytest.mark.parametrize("decorators", [RECENT, STRONGER], ids=["a recent sign-in", "a stronger"])
def test_a_refresh_makes_no_sign_in_recent_or_stronger(
    with_page: WithPage, provider: Provider, api: Api, decorators: Decorators
) -> None:
    person = with_page(*decorators)
    signs_in_long_ago(person, provider)
    provider.lies(grant="refresh_token", id_token={"auth_time": hours_ago(0), "acr": ACR})
    api.lies("api_401")
    assert person.sees("/appointments").status_code == 200

    assert person.begins("/page").startswith(f"{provider.issuer}authorize?")


# One more scope. At sign-in neither `contacts` nor `phone` is asked for.

CONFIGURED = "openid profile email offline_access appointments"
ASKED = [*CONFIGURED.split(), "phone"]


@pytest.fixture
def modest(with_page: WithPage, provider: Provider) -> WithPage:
    """An app that asks for little, at a provider that asks for consent."""
    provider.options(skip_consent=False)
    return lambda *decorators: with_page(*decorators, AUTH0_SCOPE=CONFIGURED)


def test_the_page_asks_for_its_scope_and_those_of_before(modest: WithPage) -> None:
    person = modest(*SCOPE)
    person.signs_in(path="/login?scope=contacts")

    asked = query_of(person.begins("/page"))

    assert asked["scope"] == f"{CONFIGURED} contacts phone"


def test_a_granted_scope_leads_back_and_opens_the_page(modest: WithPage) -> None:
    person = modest(*SCOPE)
    person.signs_in()

    back = person.signs_in(path="/page", grant=ASKED)

    assert back.headers["Location"] == "/page"
    assert person.sees("/page").text == "the page"


def test_a_scope_left_out_ends_in_a_page_and_asking_again_opens_it(modest: WithPage) -> None:
    person = modest(*SCOPE)
    person.signs_in()
    person.signs_in(path="/page", grant=CONFIGURED.split())
    refused = person.sees("/page")
    assert is_refused_and_still_signed_in(person, refused, "One more permission is needed")
    assert "/login?return_to=/page&amp;scope=phone" in refused.text

    person.signs_in(path="/login?return_to=/page&scope=phone", grant=ASKED)

    assert person.sees("/page").text == "the page"


def test_refusing_everything_ends_in_an_error_page(modest: WithPage) -> None:
    person = modest(*SCOPE)
    person.signs_in()

    back = person.signs_in(path="/page", refuse="consent")

    assert is_refused_and_still_signed_in(person, back, "access was not granted")


def test_a_script_is_told_by_code_and_scope_what_is_missing(modest: WithPage) -> None:
    person = modest(*SCOPE)
    person.signs_in()

    told = person.sees("/page", headers={"Accept": "application/json"}).get_json()

    assert (told["code"], told["scope"]) == ("insufficient_scope", "phone")


def test_the_shortest_time_and_every_scope_count(modest: WithPage, provider: Provider) -> None:
    demands = (requires_recent_sign_in(600), *RECENT, *SCOPE, requires_scope("contacts"))
    person = modest(*demands)
    signs_in_long_ago(person, provider)

    asked = query_of(person.begins("/page"))

    assert asked["max_age"] == "60"
    assert asked["scope"] == f"{CONFIGURED} phone contacts"


def test_a_configured_time_that_is_shorter_counts(with_page: WithPage, clock: Clock) -> None:
    person = with_page(*RECENT, AUTH0_AUTHORIZE_PARAMS="max_age=30")
    person.signs_in()
    clock.moves(150)

    assert query_of(person.begins("/page"))["max_age"] == "30"


def test_a_grant_that_is_over_is_asked_for_again_and_not_taken_for_refused(
    with_page: WithPage, provider: Provider, api: Api
) -> None:
    person = with_page(requires_scope("appointments"))
    person.signs_in()
    provider.control("revoke-grants", {})
    api.lies("api_401")
    assert person.sees("/appointments").status_code == 302

    back = person.signs_in(path="/page")

    assert back.headers["Location"] == "/page"
    assert person.sees("/page").text == "the page"


# All of them.


@EACH
@pytest.mark.parametrize(
    "kwargs",
    [{"method": "POST"}, {"method": "GET", "headers": {"Accept": "application/json"}}],
    ids=["a form", "a script"],
)
def test_what_cannot_be_led_to_the_provider_is_answered_with_403(
    with_page: WithPage, provider: Provider, decorators: Decorators, kwargs: dict[str, Any]
) -> None:
    person = with_page(*decorators)
    signs_in_long_ago(person, provider)

    assert person.browser.request(url="/page", **kwargs).status_code == 403


@pytest.mark.parametrize("order", [1, -1], ids=["one order", "the other"])
def test_demands_on_one_view_are_met_by_one_sign_in(
    with_page: WithPage, provider: Provider, order: int
) -> None:
    all_three = (*RECENT, *STRONGER, *SCOPE)[::order]
    person = with_page(*all_three)
    signs_in_long_ago(person, provider)

    person.signs_in(path="/page", stronger="confirm")

    assert person.sees("/page").text == "the page"


def test_two_demands_for_different_acr_values_are_an_error_of_the_view() -> None:
    with pytest.raises(ValueError, match="one acr"):
        requires_stronger_sign_in("gold")(requires_stronger_sign_in("silver")(lambda: "the page"))


@EACH
def test_a_provider_that_refuses_every_code_ends_in_an_error_page(
    with_page: WithPage, provider: Provider, decorators: Decorators
) -> None:
    person = with_page(*decorators)
    signs_in_long_ago(person, provider)
    provider.lies(grant="authorization_code", status=400, body='{"error": "invalid_grant"}')

    back = person.signs_in(path="/page", stronger="confirm")

    assert back.status_code == 400
    assert "cannot be finished" in text_of(back)


@EACH
def test_the_organization_is_kept(
    with_page: WithPage, provider: Provider, decorators: Decorators
) -> None:
    organization = next(iter(ORGANIZATIONS.values()))
    person = with_page(*decorators)
    provider.lies(id_token={"auth_time": hours_ago(2)})
    person.signs_in(organization.members[0], f"/login?organization={organization.name}")

    assert query_of(person.begins("/page"))["organization"] == organization.id


@EACH
def test_an_open_view_demands_it_too(with_page: WithPage, decorators: Decorators) -> None:
    person = with_page(public, *decorators)

    assert person.begins("/page") == "/login?return_to=/page"
