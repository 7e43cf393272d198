"""An API that refuses: the token (401), or the scope it has (403)."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import Api, Person, Provider, query_of, text_of, way_on
from tests.support.raw_api import answers, raw_api
from tests.support.session_store import same_browser

# 401


def test_a_refused_token_is_refreshed_once_and_the_call_made_once_more(
    person: Person, api: Api, provider: Provider
) -> None:
    person.signs_in()
    api.lies("api_401")

    page = person.sees("/appointments")

    assert page.status_code == 200
    assert provider.refreshes() == 1
    assert [entry["status"] for entry in api.log()] == [401, 200]


def test_a_refused_token_that_cannot_be_refreshed_now_is_not_sent_once_more(
    person: Person, api: Api, provider: Provider
) -> None:
    person.signs_in()
    api.lies("api_401")
    provider.lies("refresh_500")

    page = person.sees("/appointments")

    assert page.status_code == 503
    assert "Your access cannot be renewed right now" in text_of(page)
    assert len(api.log()) == 1


def test_an_api_that_refuses_every_token_costs_one_refresh_and_not_one_a_page(
    engine: str, app: Flask, person: Person, api: Api, provider: Provider
) -> None:
    person.signs_in()
    elsewhere = same_browser(person, app)
    api.lies("api_401", times=0)

    pages = [elsewhere.sees("/appointments"), *(person.sees("/appointments") for _ in range(4))]

    assert {page.status_code for page in pages} == {502}
    assert "though it was just renewed" in text_of(pages[-1])
    assert provider.refreshes() == 1
    assert len(api.log()) == 6
    api.is_honest()
    assert person.sees("/appointments").status_code == 200


def test_after_a_while_an_api_that_refused_every_token_is_tried_with_a_new_one(
    person: Person, api: Api, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    api.lies("api_401", times=0)
    person.sees("/appointments")
    api.is_honest()
    api.lies("api_401")

    clock.moves(11)

    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 2


def test_a_token_of_a_moment_ago_that_is_refused_is_refreshed_all_the_same(
    person: Person, api: Api, provider: Provider
) -> None:
    person.signs_in()

    for refreshes in (1, 2, 3):
        api.lies("api_401")
        assert person.sees("/appointments").status_code == 200
        assert provider.refreshes() == refreshes


# 403


@pytest.fixture
def modest(make_app: MakeApp, person_at: PersonAt, provider: Provider) -> Person:
    """A person whose app did not ask for the contacts, at a provider that asks for consent."""
    provider.options(skip_consent=False)
    return person_at(make_app(AUTH0_SCOPE="openid profile offline_access appointments"))


def test_a_missing_scope_is_named_asked_for_and_after_consent_leads_back(modest: Person) -> None:
    modest.signs_in()
    refused = modest.sees("/contacts")

    ask = way_on(refused.text)
    address = modest.begins(ask)
    back = modest.comes_back(modest.provider.answers(address))

    assert refused.status_code == 403
    assert "One more permission is needed" in text_of(refused)
    assert "“contacts”" in text_of(refused)
    assert "contacts" in query_of(address)["scope"].split()
    assert back.headers["Location"] == "/contacts"
    assert modest.sees("/contacts").status_code == 200
    assert modest.sees("/appointments").status_code == 200


SCOPES = {
    'Bearer error="insufficient_scope", scope="a:b c"': "a:b c",
    'Bearer realm="x", error=insufficient_scope': None,
    "Bearer error=insufficient_scope, scope=contacts:write": "contacts:write",
    "Bearer scope=contacts:write, error=insufficient_scope": "contacts:write",
    'Bearer error="insufficient_scope", error_description="no scope=x here", scope="y"': "y",
    'Bearer error="insufficient_scope", scope="<script>"': "<script>",
    'Bearer error="insufficient_scope", scope="\xe9"': None,
    f'Bearer error="insufficient_scope", scope="{"x" * 9000}"': None,
    'Bearer error="insufficient_scope", scope="a&return_to=//evil.example"': (
        "a&return_to=//evil.example"
    ),
}


@pytest.mark.parametrize(("challenge", "named"), SCOPES.items(), ids=lambda text: repr(text)[-40:])
def test_a_scope_is_shown_as_text_and_asked_for_as_a_scope(
    make_app: MakeApp, person_at: PersonAt, challenge: str, named: str | None
) -> None:
    answer = answers("HTTP/1.1 403 No", f"WWW-Authenticate: {challenge}")
    with raw_api(answer) as api:
        person = person_at(make_app(API_BASE_URL=api.base_url))
        person.signs_in()

        page = person.sees("/appointments")

    assert page.status_code == 403
    assert "One more permission is needed" in text_of(page)
    assert "<script>" not in page.text
    if named is None:
        assert way_on(page.text) == "/"
    else:
        assert way_on(page.text).startswith("/login?return_to=/appointments&scope=")
        assert way_on(page.text).count("&") == 1
        assert query_of(way_on(page.text))["scope"] == named
