"""What a refresh brings takes the place of the old, and what it leaves out is kept."""

from __future__ import annotations

import pytest
from flask import Flask

from auth import access_token, current_sign_in
from tests.conftest import Clock
from tests.support.harness import BEN, Person, Provider, logout_url_of, query_of, text_of
from tests.support.id_tokens import Claims, claims_in

ABOUT_TO_EXPIRE = 3575


def claims_of_hint(person: Person) -> Claims:
    """The claims of the ID token that signing out sends to the provider."""
    return claims_in(query_of(logout_url_of(person.signs_out()))["id_token_hint"])


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
    assert claims_of_hint(person)["name"] == "Ben Okafor-Lund"


def test_without_a_new_id_token_the_first_is_kept(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in(BEN)
    before = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    provider.lies("refreshed_no_id_token")
    clock.moves(ABOUT_TO_EXPIRE)

    assert person.sees("/appointments").status_code == 200

    after = person.sees("/profile", headers={"Accept": "application/json"}).get_json()
    assert provider.refreshes() == 1
    assert after == before
    assert claims_of_hint(person)["sub"] == BEN


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
