"""What the demo's provider says and offers on its own pages."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.conftest import Clock
from tests.support.at_the_provider import REQUEST, open_page
from tests.support.harness import ADA, APP, BEN, CLARA, NUMBER, Api, Person, Provider, text_of


@pytest.fixture
def consent_page(provider: Provider, person: Person) -> Any:
    """Ada is signed in at the provider, and asked for her consent."""
    provider.options(skip_consent=False)
    page = person.provider.session.get(person.begins(), timeout=10)
    return person.provider.session.post(page.url, data={"person": ADA}, timeout=10)


def test_who_is_somebody_else_goes_back_from_consent_to_the_choice_of_person(
    consent_page: Any, person: Person
) -> None:
    session = person.provider.session
    assert "You are signed in as Ada Marlow. Not you?" in text_of(consent_page)

    choice = session.post(consent_page.url, data={"someone_else": "1"}, timeout=10)
    consent = session.post(choice.url, data={"person": BEN}, timeout=10)
    person.comes_back(person.provider.answers(consent.url))

    assert 'name="person"' in choice.text
    assert "You are signed in as Ben Okafor." in text_of(consent)
    assert "Ben Okafor" in text_of(person.sees("/profile"))


def test_who_is_somebody_else_answers_for_their_own_organization(
    provider: Provider, person: Person
) -> None:
    provider.options(skip_consent=False, ask_organization=True)
    session = person.provider.session
    page = session.get(person.begins(), timeout=10)
    page = session.post(page.url, data={"person": ADA}, timeout=10)
    assert "Not you?" in page.text
    page = session.post(page.url, data={"organization": "meadow-school"}, timeout=10)

    page = session.post(page.url, data={"someone_else": "1"}, timeout=10)
    page = session.post(page.url, data={"person": BEN}, timeout=10)

    assert "Enter your organization" in page.text


def test_who_is_somebody_else_confirms_it_for_themselves(provider: Provider) -> None:
    provider.options(skip_consent=False)
    session = requests.Session()
    asked = {**REQUEST, "acr_values": "urn:example:mfa"}
    page = session.get(f"{provider.issuer}authorize", params=asked, timeout=10)
    page = session.post(page.url, data={"person": ADA}, timeout=10)
    page = session.post(page.url, data={"stronger": "decline"}, timeout=10)
    assert "asks for access" in page.text

    page = session.post(page.url, data={"someone_else": "1"}, timeout=10)
    page = session.post(page.url, data={"person": BEN}, timeout=10)

    assert "asks for a stronger sign-in" in page.text


def test_who_is_somebody_else_gets_nothing_of_an_invitation_that_was_accepted(
    provider: Provider, person: Person
) -> None:
    provider.options(skip_consent=False)
    link = provider.control("invitations", {"organization": "harbour-clinic"})["link"]
    session = person.provider.session
    page = session.get(person.begins(link.removeprefix(APP)), timeout=10)
    page = session.post(page.url, data={"person": ADA}, timeout=10)

    choice = session.post(page.url, data={"someone_else": "1"}, timeout=10)
    refused = session.post(
        choice.url, data={"person": CLARA}, allow_redirects=False, timeout=10
    ).headers["Location"]

    assert "You are invited" not in choice.text
    assert "With Harbour Clinic." in choice.text
    assert "error=access_denied" in refused


def claims_of(person: Person) -> dict[str, Any]:
    claims: dict[str, Any] = person.sees("/profile", headers={"Accept": "application/json"}).json
    return claims


def test_the_picture_of_a_person_is_the_providers_own_and_the_same_after_a_refresh(
    provider: Provider, api: Api, person: Person, clock: Clock
) -> None:
    address = f"{provider.issuer}static/people/ada.svg"
    provider.lies(grant="authorization_code", json={"expires_in": 60})
    person.signs_in(ADA)
    at_sign_in = claims_of(person)["picture"]
    clock.moves(60)
    person.sees("/appointments")

    picture = requests.get(address, timeout=10)

    assert provider.refreshes() == 1
    assert at_sign_in == claims_of(person)["picture"] == address
    assert picture.headers["Content-Type"].partition(";")[0] == "image/svg+xml"
    assert picture.text.startswith("<svg ")


def test_a_person_without_a_picture_has_no_such_claim(person: Person) -> None:
    person.signs_in(NUMBER)

    assert "picture" not in claims_of(person)


UNKNOWN = {"client_id": "nobody"}
ELSEWHERE = {**REQUEST, "redirect_uri": "http://localhost:1/callback"}
LEAVING = {"client_id": "demo-app", "post_logout_redirect_uri": "http://localhost:1/"}


@pytest.mark.parametrize(
    ("path", "parameters", "sentence", "advice"),
    [
        ("authorize", UNKNOWN, "No application with this client_id", "such as demo-app."),
        ("authorize", ELSEWHERE, "This redirect_uri is not registered", f": {APP}/callback."),
        ("oidc/logout", LEAVING, "This post_logout_redirect_uri is not", f": {APP}/, {APP}."),
        ("interaction/spent", {}, "This sign-in was already finished", "start again."),
        ("nowhere", {}, "There is nothing at this address.", "links to all pages."),
        ("sign-out-everywhere", {}, "cannot be opened like a page", "links to all pages."),
    ],
    ids=["client", "redirect URI", "logout URI", "spent", "nowhere", "not a page"],
)
def test_an_error_page_says_what_happened_and_what_to_do(
    provider: Provider, path: str, parameters: dict[str, str], sentence: str, advice: str
) -> None:
    page = open_page(provider, path, **parameters)

    assert 400 <= page.status_code < 500
    assert sentence in text_of(page)
    assert advice in text_of(page)
    assert "This is a demo." in text_of(page)


def test_switches_refuse_other_sites_with_a_page_that_says_why(provider: Provider) -> None:
    url = f"{provider.issuer}demo/faults/clear"
    headers = {"Origin": "http://elsewhere.example", "Sec-Fetch-Site": "cross-site"}

    page = requests.post(url, headers=headers, timeout=10)

    assert page.status_code == 403
    assert "This came from another site" in text_of(page)


def test_an_address_that_is_no_page_names_the_methods_that_it_has(provider: Provider) -> None:
    answer = requests.get(f"{provider.issuer}sign-out-everywhere", timeout=10)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"POST", "OPTIONS"}


# "Make it lie"


def test_every_named_fault_has_a_button(provider: Provider) -> None:
    page = requests.get(f"{provider.issuer}demo", timeout=10).text
    names = provider.control("faults", method="GET")["names"]

    assert [name for name in names if f'value="{name}"' not in page] == []


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("alg_none", "/login?return_to=/profile"),
        ("wrong_organization", "/login?return_to=/profile&amp;organization=harbour-clinic"),
        ("revoked_grant", "/appointments"),
        ("revoke_500", "/logout"),
    ],
)
def test_an_armed_fault_links_to_what_meets_it(provider: Provider, name: str, link: str) -> None:
    provider.lies(name)

    page = requests.get(f"{provider.issuer}demo", timeout=10).text

    assert f'href="{APP}{link}"' in page
