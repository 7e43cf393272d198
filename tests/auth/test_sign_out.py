"""Signing out: here first, the refresh token next, then at the provider."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest
from flask import Flask

from auth import signals
from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import (
    APP,
    BEN,
    SESSION_COOKIE,
    Person,
    Provider,
    logout_url_of,
    query_of,
    text_of,
)
from tests.support.id_tokens import claims_in
from tests.support.session_store import key_of_session, same_browser, store_of


def test_signing_out_ends_the_session_at_the_store(engine: str, app: Flask, person: Person) -> None:
    person.signs_in()
    thief, key = same_browser(person, app), key_of_session(person)

    person.signs_out()

    assert person.browser.cookie(SESSION_COOKIE) is None
    assert not thief.is_signed_in()
    assert store_of(app).read(key) is None


def test_signing_out_revokes_the_refresh_token_that_is_kept(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(3575)
    person.sees("/appointments")
    [refresh] = provider.requests_to("/oauth/token", "refresh_token")

    person.signs_out()

    [revocation] = provider.requests_to("/oauth/revoke")
    assert revocation["status"] == 200
    assert revocation["form"]["token_type_hint"] == "refresh_token"
    assert revocation["form"]["token"] != refresh["form"]["refresh_token"]  # it was rotated
    assert provider.control("revoke-grants", {})["revoked"] == 0  # nothing is left to revoke


def test_without_a_refresh_token_nothing_is_revoked(
    make_app: MakeApp, person_at: PersonAt, provider: Provider
) -> None:
    person = person_at(make_app(AUTH0_SCOPE="openid"))
    person.signs_in()

    assert logout_url_of(person.signs_out()).startswith(provider.issuer)
    assert provider.requests_to("/oauth/revoke") == []


@pytest.mark.parametrize(
    "failure",
    [
        {"status": 500, "body": ""},
        {"status": 400, "body": '{"error": "unsupported_token_type"}'},
        {"status": 200, "body": "<h1>Hello</h1>"},
        {"status": 302, "headers": {"Location": "https://provider.invalid/"}},
        {"drop": True},
        {"delay_seconds": 90, "drop": True},
        {"status": 200, "body_bytes": 20_000_000},
    ],
    ids=["500", "400", "html", "redirect", "dropped", "hanging", "endless"],
)
def test_a_failing_revocation_blocks_nothing(
    person: Person, provider: Provider, failure: dict[str, object]
) -> None:
    person.signs_in()
    provider.lies(at="revoke", times=0, **failure)

    before = time.monotonic()
    response = person.signs_out()

    assert logout_url_of(response).startswith(f"{provider.issuer}oidc/logout?")
    assert not person.is_signed_in()
    assert time.monotonic() - before < 15


def test_the_session_is_gone_before_the_provider_is_asked_anything(
    app: Flask, person: Person, provider: Provider
) -> None:
    person.signs_in()
    other_tab = same_browser(person, app)
    found = []

    def look(sender: object, *, url: str, **_: object) -> None:
        if url.endswith("/oauth/revoke"):
            found.append(other_tab.is_signed_in())

    with signals.request_sent.connected_to(look):
        person.signs_out()

    assert found == [False]


def test_the_provider_is_told_who_signs_out_and_where_to_return(
    person: Person, provider: Provider
) -> None:
    person.signs_in(BEN)

    url = logout_url_of(person.signs_out())

    params = query_of(url)
    assert url.startswith(f"{provider.issuer}oidc/logout?")
    assert claims_in(params.pop("id_token_hint"))["sub"] == BEN
    assert len(params.pop("state")) > 10
    assert params == {"client_id": "demo-app", "post_logout_redirect_uri": f"{APP}/"}


def test_without_an_end_session_endpoint_it_is_auth0s_logout(
    person: Person, provider: Provider
) -> None:
    provider.options(metadata={"end_session_endpoint": None})
    person.signs_in()

    logout = logout_url_of(person.signs_out())

    at_provider = person.provider.session.get(logout, allow_redirects=False, timeout=30)
    assert logout.startswith(f"{provider.issuer}v2/logout?")
    assert query_of(logout) == {"client_id": "demo-app", "returnTo": f"{APP}/"}
    assert at_provider.headers["Location"] == f"{APP}/"


def test_parameters_of_the_end_session_endpoint_are_kept(
    person: Person, provider: Provider
) -> None:
    endpoint = f"{provider.issuer}oidc/logout?tenant=a%26b"
    provider.options(metadata={"end_session_endpoint": endpoint})
    person.signs_in()

    params = query_of(logout_url_of(person.signs_out()))

    assert params["tenant"] == "a&b"
    assert params["post_logout_redirect_uri"] == f"{APP}/"


def test_an_id_token_that_would_make_too_long_a_url_is_not_sent_as_hint(
    person: Person, provider: Provider
) -> None:
    provider.lies(id_token={"https://foo/bar": "x" * 6000})
    person.signs_in()

    params = query_of(logout_url_of(person.signs_out()))

    assert set(params) == {"client_id", "post_logout_redirect_uri", "state"}


def test_signing_out_without_being_signed_in_leads_to_the_start_page(
    person: Person, provider: Provider
) -> None:
    response = person.signs_out()

    assert response.status_code == 302
    assert response.headers["Location"] == "/"
    assert provider.log() == []


def test_a_link_signs_nobody_out_and_offers_the_button(person: Person) -> None:
    before = person.sees("/logout")
    person.signs_in()

    response = person.sees("/logout")

    assert before.headers["Location"] == "/"
    assert response.status_code == 200
    assert '<form method="post" action="/logout">' in response.text
    assert person.is_signed_in()


def test_a_script_is_told_where_to_log_out(person: Person, provider: Provider) -> None:
    person.signs_in()

    headers = {"Origin": APP, "Accept": "application/json"}
    response = person.browser.post("/logout", headers=headers)

    assert response.status_code == 200
    assert response.json["logout_url"].startswith(f"{provider.issuer}oidc/logout?")
    assert not person.is_signed_in()


# Back from the provider


SIGNED_OUT = "You are signed out, here and at the sign-in service."


def test_who_comes_back_from_the_providers_logout_is_told_so_for_ten_minutes(
    person: Person, clock: Clock
) -> None:
    person.signs_in()
    way = logout_url_of(person.signs_out())
    back = person.provider.session.get(way, allow_redirects=False, timeout=10).headers["Location"]

    at_once = person.sees(back)
    clock.moves(601)
    later = person.sees(back)

    assert SIGNED_OUT in text_of(at_once)
    assert SIGNED_OUT not in text_of(later)


@pytest.mark.parametrize("state", ["", "x", "é", "A" * 64])
def test_a_state_that_is_not_ours_says_nothing(person: Person, state: str) -> None:
    assert SIGNED_OUT not in text_of(person.sees(f"/?state={quote(state)}"))
