"""The example pages, each with the demand that it is an example of."""

from __future__ import annotations

import time

import pytest

from tests.support.harness import BEN, Person, Provider, query_of, text_of


def signs_in_an_hour_ago(person: Person, provider: Provider) -> None:
    provider.lies(id_token={"auth_time": int(time.time()) - 3600})
    person.signs_in()


@pytest.mark.parametrize(
    ("path", "name", "value"),
    [
        ("/examples/recent", "max_age", "60"),
        (
            "/examples/stronger",
            "acr_values",
            "http://schemas.openid.net/pape/policies/2007/06/multi-factor",
        ),
    ],
    ids=["recent", "stronger"],
)
def test_an_example_page_asks_for_what_it_demands(
    person: Person, provider: Provider, path: str, name: str, value: str
) -> None:
    signs_in_an_hour_ago(person, provider)

    assert query_of(person.begins(path))[name] == value


def test_the_phone_example_asks_for_the_scope_only_when_it_is_opened(person: Person) -> None:
    at_sign_in = query_of(person.begins())["scope"].split()
    person.signs_in()

    when_opened = query_of(person.begins("/examples/phone"))["scope"].split()

    assert "phone" not in at_sign_in
    assert "phone" in when_opened


@pytest.mark.parametrize(
    ("path", "shown"),
    [("recent", "auth_time"), ("stronger", "multi-factor"), ("phone", "+44 20 7946 0123")],
)
def test_an_example_page_shows_the_claim_that_opened_it(
    person: Person, provider: Provider, path: str, shown: str
) -> None:
    signs_in_an_hour_ago(person, provider)
    person.signs_in(path=f"/examples/{path}", stronger="confirm")

    page = person.sees(f"/examples/{path}")

    assert page.status_code == 200
    assert shown in text_of(page)


def test_an_account_without_a_phone_number_opens_the_page_too(person: Person) -> None:
    person.signs_in(BEN)
    person.signs_in(BEN, "/examples/phone")

    page = person.sees("/examples/phone")

    assert "your account has none" in text_of(page)


def test_the_examples_are_linked_from_the_pages_and_listed(person: Person) -> None:
    person.signs_in()

    assert 'href="/examples"' in person.sees("/").text
    assert all(
        f'href="/examples/{name}"' in person.sees("/examples").text
        for name in ("recent", "stronger", "phone")
    )
