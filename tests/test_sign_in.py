"""Signing in, the whole way, with the real provider."""

from __future__ import annotations

from .harness import BEN, Person, Provider, query_of, text_of


def test_signing_in_leads_back_to_the_page_and_shows_who_it_is(person: Person) -> None:
    response = person.signs_in(BEN, "/login?return_to=/profile")

    assert response.status_code in (302, 303)
    assert response.headers["Location"] == "/profile"
    assert "Ben Okafor" in text_of(person.sees("/profile"))


def test_the_api_is_called_with_an_access_token(person: Person, provider: Provider) -> None:
    person.signs_in()

    page = person.sees("/appointments")

    assert page.status_code == 200, text_of(page)
    assert "<table" in page.text


def test_the_authorization_request_has_every_parameter_of_the_flow(person: Person) -> None:
    params = query_of(person.begins())

    assert params["response_type"] == "code"
    assert params["code_challenge_method"] == "S256"
    assert len(params["state"]) == len(params["nonce"]) == len(params["code_challenge"]) == 43
    assert params["redirect_uri"] == "http://localhost:3000/callback"
