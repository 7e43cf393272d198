"""The page that reads: appointments, as the API has them."""

from __future__ import annotations

from tests.support.harness import ADA, CLARA, Person, text_of

JSON = {"Accept": "application/json"}


def test_the_page_shows_what_the_api_says(person: Person) -> None:
    person.signs_in(ADA)
    said = person.sees("/appointments", headers=JSON).get_json()["appointments"]

    page = person.sees("/appointments")

    assert len(said) > 0
    assert page.text.count("<tr") == len(said) + 1


def test_an_empty_calendar_is_said_in_words(person: Person) -> None:
    person.signs_in(CLARA)

    assert "You have no appointments." in text_of(person.sees("/appointments"))


def test_the_start_page_and_the_menu_lead_there(person: Person) -> None:
    person.signs_in()

    assert person.sees("/").text.count('href="/appointments"') == 3
