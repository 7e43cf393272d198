"""Views that demand a scope which sign-in does not ask for: asked for once, when it is needed."""

from __future__ import annotations

import pytest

from auth.step_up import requires_recent_sign_in, requires_scope
from tests.auth.test_step_up import RECENT, SCOPE, is_refused_and_still_signed_in, signs_in_long_ago
from tests.conftest import WithPage
from tests.support.harness import Provider, query_of

CONFIGURED = "openid profile email offline_access appointments"
ASKED = [*CONFIGURED.split(), "phone"]


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """Neither `contacts` nor `phone` is asked for at sign-in."""
    return settings | {"AUTH0_SCOPE": CONFIGURED}


def test_a_scope_is_not_asked_for_at_sign_in(with_page: WithPage) -> None:
    person = with_page(*SCOPE)

    assert query_of(person.begins())["scope"] == CONFIGURED


def test_the_page_asks_for_its_scope_and_those_of_before(with_page: WithPage) -> None:
    person = with_page(*SCOPE)
    person.signs_in(path="/login?scope=contacts")

    asked = query_of(person.begins("/page"))

    assert asked["scope"] == f"{CONFIGURED} contacts phone"


def test_a_granted_scope_leads_back_and_opens_the_page(
    with_page: WithPage, provider: Provider
) -> None:
    provider.options(skip_consent=False)
    person = with_page(*SCOPE)
    person.signs_in()

    back = person.signs_in(path="/page", grant=ASKED)

    assert back.headers["Location"] == "/page"
    assert person.sees("/page").text == "the page"


def test_a_scope_left_out_ends_in_a_page_that_offers_to_ask_again(
    with_page: WithPage, provider: Provider
) -> None:
    provider.options(skip_consent=False)
    person = with_page(*SCOPE)
    person.signs_in()
    person.signs_in(path="/page", grant=CONFIGURED.split())

    refused = person.sees("/page")

    assert is_refused_and_still_signed_in(person, refused, "One more permission is needed")
    assert "/login?return_to=/page&amp;scope=phone" in refused.text


def test_asking_again_for_a_refused_scope_opens_the_page(
    with_page: WithPage, provider: Provider
) -> None:
    provider.options(skip_consent=False)
    person = with_page(*SCOPE)
    person.signs_in()
    person.signs_in(path="/page", grant=CONFIGURED.split())

    person.signs_in(path="/login?return_to=/page&scope=phone", grant=ASKED)

    assert person.sees("/page").text == "the page"


def test_refusing_everything_ends_in_an_error_page(with_page: WithPage, provider: Provider) -> None:
    provider.options(skip_consent=False)
    person = with_page(*SCOPE)
    person.signs_in()

    back = person.signs_in(path="/page", refuse="consent")

    assert is_refused_and_still_signed_in(person, back, "access was not granted")


def test_a_script_is_told_by_code_and_scope_what_is_missing(with_page: WithPage) -> None:
    person = with_page(*SCOPE)
    person.signs_in()

    told = person.sees("/page", headers={"Accept": "application/json"}).get_json()

    assert (told["code"], told["scope"]) == ("insufficient_scope", "phone")


def test_the_shortest_time_and_every_scope_count(with_page: WithPage, provider: Provider) -> None:
    demands = (requires_recent_sign_in(600), *RECENT, *SCOPE, requires_scope("contacts"))
    person = with_page(*demands)
    signs_in_long_ago(person, provider)

    asked = query_of(person.begins("/page"))

    assert asked["max_age"] == "60"
    assert asked["scope"] == f"{CONFIGURED} phone contacts"
