"""Organizations: whoever is asked to sign in to one is signed in to that one, or not at all."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import ADA, BEN, CLARA, YUKI, Person, Provider, query_of, text_of

HARBOUR, HARBOUR_NAME = "org_8Kq2LmZxW4tRvB1c", "harbour-clinic"
MEADOW = "org_Yw73HdPnS0aJfE6u"


@pytest.fixture
def invitation(provider: Provider) -> str:
    """The path of an invitation link to the harbour clinic."""
    link = urlsplit(provider.control("invitations", {"organization": HARBOUR})["link"])
    return f"{link.path}?{link.query}"


@pytest.mark.parametrize("asked", [HARBOUR, HARBOUR_NAME, "Harbour-CLINIC"])
def test_signing_in_to_an_organization_by_id_or_by_name_without_case(
    person: Person, asked: str
) -> None:
    person.signs_in(BEN, f"/login?organization={asked}")

    assert person.is_signed_in()
    assert HARBOUR in text_of(person.sees("/profile"))


def test_an_invitation_link_lands_in_a_working_sign_in(person: Person, invitation: str) -> None:
    url = person.begins(invitation)
    person.comes_back(person.provider.answers(url, CLARA))

    params = query_of(url)
    page = text_of(person.sees("/profile"))
    assert invitation.startswith("/login?invitation=")
    assert params["invitation"] == query_of(invitation)["invitation"]
    assert params["organization"] == HARBOUR
    assert params["organization_name"] == HARBOUR_NAME
    assert "Clara Whitfield" in page
    assert HARBOUR in page


def test_who_must_sign_in_again_does_so_to_the_same_organization(
    person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in(BEN, f"/login?organization={HARBOUR}")
    provider.lies("revoked_grant")
    clock.moves(86_000)

    page = person.sees("/appointments")

    assert query_of(page.headers["Location"]) == {
        "return_to": "/appointments",
        "organization": HARBOUR,
    }


OTHER_ANSWERS = {
    "another organization": (HARBOUR, {"org_id": MEADOW, "org_name": "meadow-school"}),
    "no organization": (HARBOUR, {"org_id": None, "org_name": None}),
    "an id in another case": (HARBOUR, {"org_id": HARBOUR.lower()}),
    "the id as the name": (HARBOUR, {"org_id": None, "org_name": HARBOUR}),
    "an id that only begins so": (HARBOUR, {"org_id": f"{HARBOUR}x"}),
    "several ids": (HARBOUR, {"org_id": [HARBOUR]}),
    "another name": (HARBOUR_NAME, {"org_name": "meadow-school"}),
    "no name": (HARBOUR_NAME, {"org_name": None}),
    "the name as the id": (HARBOUR_NAME, {"org_id": HARBOUR_NAME, "org_name": None}),
    "several names": (HARBOUR_NAME, {"org_name": [HARBOUR_NAME]}),
}


@pytest.mark.parametrize(("asked", "claims"), OTHER_ANSWERS.values(), ids=OTHER_ANSWERS)
def test_an_answer_for_something_else_signs_nobody_in(
    person: Person, provider: Provider, asked: str, claims: dict[str, object]
) -> None:
    provider.lies(id_token=claims)

    response = person.signs_in(ADA, f"/login?organization={asked}")

    assert response.status_code == 403
    assert "another organization" in text_of(response)
    assert not person.is_signed_in()


def test_the_configured_organization_is_asked_for(make_app: MakeApp, person_at: PersonAt) -> None:
    person = person_at(make_app(AUTH0_ORGANIZATION=HARBOUR))

    url = person.begins()
    person.comes_back(person.provider.answers(url, BEN))

    assert query_of(url)["organization"] == HARBOUR
    assert HARBOUR in text_of(person.sees("/profile"))


def test_the_configured_organization_is_not_the_visitors_to_choose(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    person = person_at(make_app(AUTH0_ORGANIZATION=HARBOUR))

    url = person.begins(f"/login?organization={MEADOW}")

    assert query_of(url)["organization"] == HARBOUR


def test_an_answer_for_another_than_the_configured_organization_signs_nobody_in(
    make_app: MakeApp, person_at: PersonAt, provider: Provider
) -> None:
    person = person_at(make_app(AUTH0_ORGANIZATION=HARBOUR_NAME))
    provider.lies("wrong_organization")

    response = person.signs_in(ADA)

    assert response.status_code == 403
    assert not person.is_signed_in()


def test_an_organization_that_only_the_provider_asked_for_is_accepted(
    person: Person, provider: Provider
) -> None:
    provider.options(ask_organization=True)

    person.signs_in(YUKI, organization="meadow-school")

    assert MEADOW in text_of(person.sees("/profile"))
