"""The page that reads: appointments, as the API has them."""

from __future__ import annotations

from typing import Any

from tests.support.harness import ADA, CLARA, Person, text_of
from tests.support.language import JA
from tests.support.own_pages import FakeApi

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


def test_an_answer_that_is_too_long_for_a_page_is_cut_and_says_so_in_each_language(
    signed_in: Any, fake_api: FakeApi
) -> None:
    fake_api.says("GET", "/appointments", {"today": ["too much"] * 20_000})
    somebody = signed_in()

    english, japanese = (somebody.get("/appointments", headers=each).text for each in ({}, JA))

    assert "(too long to show in full)" in english
    assert "（長いため、ここまでを表示しています）" in japanese
    assert len(english) < 100_000


def test_a_start_is_a_time_where_it_is_one_and_shown_as_it_came_elsewhere(
    signed_in: Any, fake_api: FakeApi
) -> None:
    starts = ["2026-11-30T09:00:00+01:00", "2026-11-30T08:00:00", 1_796_025_600, "in the morning"]
    fake_api.says("GET", "/appointments", [{"start": each} for each in starts])

    page = signed_in().get("/appointments").text

    assert page.count('<time datetime="2026-11-30T08:00:00+00:00">30 November 2026, 08:00 (') == 3
    assert "<bdi>in the morning</bdi>" in page
