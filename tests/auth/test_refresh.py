"""Refreshing: only when the access token is over or about to be."""

from __future__ import annotations

import pytest

from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import Api, Person, Provider

# The provider's access tokens live an hour, and its clock stays where it is: at 3575 seconds a
# token is about to expire for the app, and what the provider issues then is not yet an hour old.
ABOUT_TO_EXPIRE = 3575


def test_no_refresh_while_the_access_token_is_good(
    engine: str, person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(3560)

    for path in ("/appointments", "/contacts", "/profile", "/"):
        assert person.sees(path).status_code == 200

    assert provider.refreshes() == 0


def test_a_refresh_thirty_seconds_before_the_access_token_expires(
    engine: str, person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(ABOUT_TO_EXPIRE)

    pages = [person.sees(path).status_code for path in ("/appointments", "/contacts")]

    assert pages == [200, 200]
    assert provider.refreshes() == 1


@pytest.mark.parametrize(("age", "refreshes"), [(85, 0), (92, 1), (101, 1)])
def test_a_short_lived_access_token_is_refreshed_in_the_last_tenth_of_its_life(
    person: Person, provider: Provider, clock: Clock, age: float, refreshes: int
) -> None:
    provider.lies(json={"expires_in": 100})
    person.signs_in()
    clock.moves(age)

    page = person.sees("/appointments")

    assert page.status_code == 200
    assert provider.refreshes() == refreshes


def test_pages_that_call_no_api_refresh_nothing(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(3700)

    for path in ("/", "/profile", "/sessions"):
        assert person.sees(path).status_code == 200

    assert provider.refreshes() == 0


def test_the_refresh_request_has_the_grant_the_token_and_the_clients_authentication(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(ABOUT_TO_EXPIRE)

    person.sees("/appointments")

    [refresh] = provider.requests_to("/oauth/token", "refresh_token")
    assert set(refresh["form"]) == {"grant_type", "refresh_token", "client_id", "client_secret"}
    assert refresh["query"] == {}
    assert refresh["headers"]["Content-Type"] == "application/x-www-form-urlencoded"


def test_the_refreshed_access_token_is_the_one_that_the_api_gets(
    person: Person, api: Api, clock: Clock
) -> None:
    person.signs_in()
    person.sees("/appointments")
    clock.moves(ABOUT_TO_EXPIRE)

    person.sees("/appointments")
    person.sees("/appointments")

    first, second, third = (call["headers"]["Authorization"] for call in api.log())
    assert first != second
    assert second == third


def test_the_session_does_not_end_with_its_id_token(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(id_token={"exp": {"in_seconds": 5}})
    person.signs_in()
    clock.moves(1000)

    assert person.is_signed_in()


ODD_LIFETIMES = {
    "missing": None,
    "negative": -5,
    "zero": 0,
    "words": "an hour",
    "boolean": True,
    "list": [3600],
    "object": {"in_seconds": 3600},
    "infinite": "inf",
    "not a number": "nan",
    "beyond all numbers": "9" * 400,
    "an integer beyond all numbers": 10**400,
}


@pytest.mark.parametrize("expires_in", ODD_LIFETIMES.values(), ids=ODD_LIFETIMES)
def test_without_a_lifetime_the_access_token_is_used_until_the_api_refuses_it(
    person: Person, provider: Provider, api: Api, clock: Clock, expires_in: object
) -> None:
    provider.lies(json={"expires_in": expires_in})
    person.signs_in()
    clock.moves(3590)

    first = person.sees("/appointments").status_code
    before = provider.refreshes()
    api.lies("api_401")
    second = person.sees("/appointments").status_code

    assert (first, before) == (200, 0)
    assert (second, provider.refreshes()) == (200, 1)


@pytest.mark.parametrize("expires_in", ["3600", 3600.5, "3600.0"])
def test_a_lifetime_that_is_not_quite_a_number_is_understood(
    person: Person, provider: Provider, clock: Clock, expires_in: object
) -> None:
    provider.lies(json={"expires_in": expires_in})
    person.signs_in()
    clock.moves(ABOUT_TO_EXPIRE)

    person.sees("/appointments")

    assert provider.refreshes() == 1


# Some providers give no refresh token.


@pytest.mark.parametrize("path", ["/appointments", "/contacts?page=2&sort=name"])
def test_without_a_refresh_token_an_expired_access_token_leads_to_sign_in_and_back(
    make_app: MakeApp, person_at: PersonAt, provider: Provider, clock: Clock, path: str
) -> None:
    person = person_at(make_app(AUTH0_SCOPE="openid appointments contacts"))
    person.signs_in()
    clock.moves(3595)

    led = person.sees(path)

    assert led.status_code == 302
    assert led.headers["Location"].startswith("/login?return_to=/")
    assert person.is_signed_in()
    clock.moves(-3595)  # what the provider issues now must not seem to be an hour old
    response = person.comes_back(person.provider.answers(person.begins(led.headers["Location"])))
    assert response.headers["Location"] == path
    assert person.sees(path).status_code == 200
    assert provider.refreshes() == 0


def test_without_a_refresh_token_a_token_that_is_over_at_once_leads_round_no_circle(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(json={"expires_in": 1, "refresh_token": None})
    person.signs_in()
    clock.moves(2)

    page = person.sees("/appointments")

    assert page.status_code == 200


def test_without_a_refresh_token_an_api_that_refuses_leads_round_no_circle(
    person: Person, provider: Provider, api: Api
) -> None:
    provider.lies("missing_refresh_token")
    person.signs_in()
    api.lies("api_401", times=0)

    page = person.sees("/appointments")

    assert page.status_code == 502
    assert person.is_signed_in()
