"""Refreshing: only when the access token is over or about to be, and nothing is lost by it."""

from __future__ import annotations

import pytest
from flask import Flask

from auth import access_token, current_sign_in
from auth.token_set import claims_of

from .conftest import Clock, MakeApp, PersonAt
from .harness import BEN, Api, Person, Provider, query_of, text_of

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


def test_a_view_that_looked_before_the_refresh_sees_what_it_brought(
    app: Flask, person: Person, clock: Clock
) -> None:
    def look() -> dict[str, bool]:
        before = current_sign_in()
        token = access_token()
        after = current_sign_in()
        assert before
        assert after
        tokens = [sign_in.token_sets[""].access_token for sign_in in (before, after)]
        return {"before": token == tokens[0], "after": token == tokens[1]}

    app.add_url_rule("/look", view_func=look)
    person.signs_in()
    clock.moves(ABOUT_TO_EXPIRE)

    assert person.sees("/look").json == {"before": False, "after": True}


def test_what_was_granted_stays_so_when_the_refresh_does_not_name_it(
    app: Flask, person: Person, provider: Provider, clock: Clock
) -> None:
    app.add_url_rule("/granted", view_func=lambda: current_sign_in().scope_granted())  # type: ignore[union-attr]  # somebody is signed in
    provider.options(skip_consent=False)
    person.signs_in(grant=["openid", "offline_access", "appointments"])
    before = person.sees("/granted").json
    provider.lies(grant="refresh_token", json={"scope": None})
    clock.moves(ABOUT_TO_EXPIRE)

    assert person.sees("/appointments").status_code == 200

    assert "contacts" not in before
    assert person.sees("/granted").json == before


def test_a_rotated_refresh_token_takes_the_place_of_the_old_one(
    engine: str, person: Person, provider: Provider, clock: Clock
) -> None:
    provider.options(access_token_seconds=100)
    person.signs_in()

    for _ in range(3):
        clock.moves(95)
        assert person.sees("/appointments").status_code == 200

    tokens = {
        entry["form"]["refresh_token"]
        for entry in provider.requests_to("/oauth/token", "refresh_token")
    }
    assert len(tokens) == 3
    assert provider.stats()["reuse_detections"] == 0


def test_a_refresh_token_that_is_not_rotated_is_kept(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.options(rotation=False, access_token_seconds=100)
    person.signs_in()

    for _ in range(3):
        clock.moves(95)
        assert person.sees("/appointments").status_code == 200

    tokens = [
        entry["form"]["refresh_token"]
        for entry in provider.requests_to("/oauth/token", "refresh_token")
    ]
    assert len(tokens) == 3
    assert len(set(tokens)) == 1


def test_a_new_id_token_is_kept(person: Person, provider: Provider, clock: Clock) -> None:
    person.signs_in(BEN)
    provider.lies(grant="refresh_token", id_token={"name": "Ben Okafor-Lund"})
    clock.moves(ABOUT_TO_EXPIRE)

    person.sees("/appointments")

    assert "Ben Okafor-Lund" in text_of(person.sees("/profile"))
    hint = query_of(person.signs_out().headers["Location"])["id_token_hint"]
    assert claims_of(hint)["name"] == "Ben Okafor-Lund"


def test_without_a_new_id_token_the_first_is_kept(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in(BEN)
    before = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    provider.lies("refreshed_no_id_token")
    clock.moves(ABOUT_TO_EXPIRE)

    assert person.sees("/appointments").status_code == 200

    after = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    hint = query_of(person.signs_out().headers["Location"])["id_token_hint"]
    assert provider.refreshes() == 1
    assert after == before
    assert claims_of(hint)["sub"] == BEN


def test_claims_of_the_sign_in_that_a_later_id_token_lacks_are_kept(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    before = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    missing = {"nonce": None, "sid": None, "auth_time": None, "at_hash": None, "name": None}
    provider.lies(grant="refresh_token", id_token=missing)
    clock.moves(ABOUT_TO_EXPIRE)

    assert person.sees("/appointments").status_code == 200

    after = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    for name in ("nonce", "sid", "auth_time", "name"):
        assert after[name] == before[name]


def test_the_session_does_not_end_with_its_id_token(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(id_token={"exp": {"in_seconds": 5}})
    person.signs_in()
    clock.moves(1000)

    assert person.is_signed_in()


@pytest.mark.parametrize("scope", [None, "", "offline_access", 17, ["contacts"], "\u0000 <b>"])
def test_no_refresh_is_refused_because_of_its_scope(
    person: Person, provider: Provider, clock: Clock, scope: object
) -> None:
    person.signs_in()
    provider.lies(grant="refresh_token", json={"scope": scope})
    clock.moves(ABOUT_TO_EXPIRE)

    page = person.sees("/appointments")

    assert page.status_code == 200
    assert person.sees("/profile").status_code == 200
    assert provider.refreshes() == 1


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
    clock.moves(-3595)  # what the provider issues now must not seem to be an hour old
    response = person.comes_back(person.provider.answers(person.begins(led.headers["Location"])))
    assert response.headers["Location"] == path
    assert person.sees(path).status_code == 200
    assert provider.refreshes() == 0


def test_without_a_refresh_token_other_pages_stay_open(
    make_app: MakeApp, person_at: PersonAt, clock: Clock
) -> None:
    person = person_at(make_app(AUTH0_SCOPE="openid appointments"))
    person.signs_in()
    clock.moves(4000)

    assert person.sees("/appointments").status_code == 302
    assert person.is_signed_in()


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


def test_a_refused_refresh_token_leads_to_sign_in_and_back(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    provider.control("revoke-grants", {})
    clock.moves(ABOUT_TO_EXPIRE)

    led = person.sees("/contacts")

    assert led.status_code == 302
    assert led.headers["Location"] == "/login?return_to=/contacts"
    person.signs_in(path=led.headers["Location"])
    assert person.sees("/contacts").status_code == 200
