"""The page that writes: a contact is added, refused with reasons, or asked a scope for."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.support.harness import APP, Api, Person, Provider, text_of, way_on

CLEO = {"name": "Cleo Brandt", "email": "cleo@example.com", "phone": ""}


def key_in(page: Any) -> str:
    match = re.search(r'name="key" value="([^"]+)"', page.text)
    assert match
    return match[1]


@pytest.fixture
def writer(person: Person, api: Api) -> Person:
    """Somebody with the scope to add contacts."""
    person.signs_in(path="/login?scope=contacts:write")
    return person


def test_a_contact_is_added_and_shown(writer: Person) -> None:
    added = writer.browser.post("/contacts", data=CLEO)

    assert (added.status_code, added.headers["Location"]) == (303, "/contacts")
    assert "Cleo Brandt" in text_of(writer.sees("/contacts"))


def test_a_form_that_is_sent_twice_adds_one_contact(writer: Person) -> None:
    form = {**CLEO, "key": key_in(writer.sees("/contacts"))}

    for _ in range(2):
        assert writer.browser.post("/contacts", data=form).status_code == 303

    assert writer.sees("/contacts").text.count("cleo@example.com") == 1


def test_what_the_api_refuses_is_said_beside_the_field_and_nothing_is_lost(writer: Person) -> None:
    page = writer.browser.post("/contacts", data={**CLEO, "email": 'no "address'})

    assert page.status_code == 422
    assert 'value="Cleo Brandt"' in page.text
    assert 'value="no &#34;address"' in page.text
    assert 'id="email-error"' in page.text
    assert 'id="name-error"' not in page.text


REASONS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "by field": ({"errors": {"email": "Odd"}}, {"email": "Odd"}),
    "several for a field": ({"errors": {"email": ["Odd", "Long"]}}, {"email": "Odd Long"}),
    "by pointer": ({"errors": [{"detail": "Odd", "pointer": "#/email"}]}, {"email": "Odd"}),
    "by place": ({"detail": [{"loc": ["body", "email"], "msg": "Odd"}]}, {"email": "Odd"}),
    "several by place": (
        {"detail": [{"loc": ["body", "email"], "msg": each} for each in ("Odd", "Long")]},
        {"email": "Odd Long"},
    ),
    "a list of texts": ({"errors": ["Odd", "Long"]}, {"": "Odd Long"}),
    "for a field that the form lacks": ({"errors": {"city": "Where?"}}, {"": "city: Where?"}),
    "for the whole": ({"detail": "Not today"}, {"": "Not today"}),
    "none": ({}, {"": "The API refused this."}),
}


@pytest.mark.parametrize(("problem", "shown"), REASONS.values(), ids=REASONS)
def test_reasons_of_every_shape_are_shown_in_their_place(
    writer: Person, api: Api, problem: dict[str, Any], shown: dict[str, str]
) -> None:
    api.lies(at="api", status=422, body=json.dumps(problem))

    page = writer.browser.post("/contacts", data=CLEO).text

    found = dict(re.findall(r'class="error" id="(\w+)-error">([^<]+)<', page))
    assert found == {name: text for name, text in shown.items() if name}
    assert shown.get("", "Please look at the fields below.") in page


def test_what_was_typed_is_back_once_the_api_works_again(writer: Person, api: Api) -> None:
    api.lies(at="api", status=500, times=2)

    assert writer.browser.post("/contacts", data=CLEO).status_code == 502
    assert writer.browser.get("/contacts").status_code == 502
    assert 'value="Cleo Brandt"' in writer.sees("/contacts").text
    assert 'value="Cleo Brandt"' not in writer.sees("/contacts").text


def test_what_was_typed_is_back_where_the_page_with_the_reasons_fails(
    writer: Person, api: Api
) -> None:
    api.lies(at="api", status=422, body="{}")
    api.lies(at="api", status=500)

    assert writer.browser.post("/contacts", data=CLEO).status_code == 502
    assert 'value="Cleo Brandt"' in writer.sees("/contacts").text


def test_what_was_added_at_the_second_try_is_not_in_the_form_again(
    writer: Person, api: Api
) -> None:
    api.lies(at="api", status=500)

    writer.browser.post("/contacts", data=CLEO)
    writer.browser.post("/contacts", data=CLEO)

    assert 'value="Cleo Brandt"' not in writer.sees("/contacts").text


def test_without_the_scope_it_is_asked_for_and_the_form_is_filled_in_again(
    person: Person, api: Api, provider: Provider
) -> None:
    person.signs_in()

    refused = person.browser.post("/contacts", data=CLEO, headers={"Referer": f"{APP}/contacts"})
    person.signs_in(path=way_on(refused.text))

    assert refused.status_code == 403
    assert way_on(refused.text) == "/login?return_to=/contacts&scope=contacts%3Awrite"
    assert 'value="Cleo Brandt"' in person.sees("/contacts").text
    assert 'value="Cleo Brandt"' not in person.sees("/contacts").text
    assert person.browser.post("/contacts", data=CLEO).status_code == 303


def test_with_the_session_gone_nothing_is_added(person: Person, api: Api) -> None:
    answer = person.browser.post("/contacts", data=CLEO, headers={"Referer": f"{APP}/contacts"})

    assert answer.status_code == 401
    assert way_on(answer.text) == "/login?return_to=/contacts"
    assert api.log() == []


def test_a_script_adds_a_contact_by_json_back(writer: Person) -> None:
    answer = writer.browser.post("/contacts", data=CLEO, headers={"Accept": "application/json"})

    assert answer.status_code == 201
    assert answer.json["name"] == "Cleo Brandt"


def test_the_start_page_and_the_menu_lead_to_the_contacts(person: Person) -> None:
    person.signs_in()

    assert person.sees("/").text.count('href="/contacts"') == 2
