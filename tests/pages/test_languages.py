"""English and Japanese: which one a visitor gets, that all of it is in that language, and what the
provider is told."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from auth import Error, public
from auth.errors import PAGES
from tests.conftest import MakeApp, PersonAt
from tests.support.harness import Browser, Person, Provider, logout_url_of, query_of, text_of
from tests.support.language import JA, language_of, switches

JSON = {"Accept": "application/json"}
# What is the same in every language: code, names of people, values.
QUOTED = re.compile(
    r"<(code|pre|bdi|svg|button[^>]*lang=\"en\")[^>]*>.*?</(code|pre|bdi|svg|button)>", re.S
)
ENGLISH = re.compile(r"[A-Za-z]+ [a-z]+ [a-z]+")


def english_in(page: Any) -> list[str]:
    """The runs of English words that are left in a Japanese page."""
    return ENGLISH.findall(re.sub(r"<[^>]*>", "\n", QUOTED.sub("", page.text)))


# Which language


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("ja", "ja"),
        ("ja-JP", "ja"),
        ("JA-jp", "ja"),
        ("en", "en"),
        ("en-US,en;q=0.9,ja;q=0.8", "en"),
        ("en;q=0.5, ja;q=0.6", "ja"),
        ("en-GB, ja;q=0.2", "en"),
        ("de-CH, ja;q=0.2, en-US;q=0.7", "en"),
        ("fr, de;q=0.9, ja;q=0.1", "ja"),
        ("ja;q=0, en;q=0.1", "en"),
        ("ja;q=0", "en"),
        ("de", "en"),
        ("*", "en"),
        ("*, ja;q=0.5", "ja"),
        ("jav, japanese", "en"),
    ],
)
def test_a_visitor_gets_the_best_liked_language_there_is(
    person: Person, header: str, language: str
) -> None:
    page = person.sees("/", headers={"Accept-Language": header})

    assert language_of(page) == page.headers["Content-Language"] == language


def test_without_a_wish_it_is_english(person: Person) -> None:
    page = person.sees("/")

    assert language_of(page) == page.headers["Content-Language"] == "en"
    assert "Sign In" in text_of(page)


def test_an_answer_says_what_its_language_depends_on(person: Person) -> None:
    for answer in (person.sees("/"), person.sees("/nowhere"), person.sees("/x", headers=JSON)):
        assert {"Accept-Language", "Cookie"} <= set(answer.headers["Vary"].split(", "))


def test_what_is_in_no_language_names_none(person: Person) -> None:
    for path in ("/healthz", "/static/app.css"):
        answer = person.sees(path, headers=JA)

        assert "Content-Language" not in answer.headers
    assert "Vary" not in person.sees("/static/app.css", headers=JA).headers


# All of it is in that language


def test_no_page_is_half_translated(make_app: MakeApp, person_at: PersonAt) -> None:
    person = person_at(make_app(SHOW_FLOW="1"))
    paths = ["/", "/profile", "/appointments", "/contacts", "/sessions", "/examples", "/flow"]
    pages = {"signed out": person.sees("/", headers=JA)}
    person.signs_in()
    pages |= {path: person.sees(path, headers=JA) for path in paths}

    for path, page in pages.items():
        assert page.status_code in (200, 404), path  # a project may have no examples and no flow
        assert language_of(page) == "ja", path
        assert english_in(page) == [], path


def test_every_error_is_told_in_japanese(app: Flask) -> None:
    def fails(code: str) -> None:
        raise Error(code, "a word for the log", scope="appointments")

    app.add_url_rule("/fails/<code>", "fails", public(fails))

    for code in PAGES:
        page = Browser(app).get(f"/fails/{code}", headers=JA)
        problem = Browser(app).get(f"/fails/{code}", headers=JA | JSON)

        assert english_in(page) == [], code
        assert page.headers["Content-Language"] == problem.headers["Content-Language"] == "ja", code
        assert not re.search("[a-z]{3}", problem.json["title"])
        assert not ENGLISH.search(problem.json["detail"])
        assert problem.json["code"] == code


def test_the_log_is_in_english_whatever_the_page_is(
    person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    person.sees("/nowhere", headers=JA)

    assert caplog.text.isascii()
    assert "not_found" in caplog.text


def test_times_and_numbers_are_written_as_the_language_does(person: Person) -> None:
    person.signs_in()

    english, japanese = person.sees("/profile"), person.sees("/profile", headers=JA)

    assert re.search(
        r">\d{1,2} [A-Z][a-z]+ 20\d\d, \d\d:\d\d \(<span>in \d+ \w+</span>\)<", english.text
    )
    assert re.search(
        r">20\d\d年\d{1,2}月\d{1,2}日 \d\d:\d\d（<span>\d+ [日時間分]+後</span>）<", japanese.text
    )


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../UTC", "", 9, None])
def test_times_are_in_utc_where_the_person_names_no_time_zone(
    person: Person, provider: Provider, zone: object
) -> None:
    provider.lies(id_token={"zoneinfo": zone, "updated_at": 0})
    person.signs_in()

    page = text_of(person.sees("/profile"))

    assert "1 January 1970, 00:00 (" in page
    assert "Times are in UTC." in page


def test_times_are_in_the_persons_time_zone(person: Person, provider: Provider) -> None:
    provider.lies(id_token={"zoneinfo": "Asia/Tokyo", "updated_at": 0})
    person.signs_in()

    page = person.sees("/profile")

    assert '<time datetime="1970-01-01T00:00:00+00:00">1 January 1970, 09:00 (' in page.text
    assert "Times are in Asia/Tokyo." in text_of(page)


@pytest.mark.parametrize(
    ("zone", "seconds"), [("Asia/Tokyo", 253_402_300_799), ("America/New_York", -62_135_596_800)]
)
def test_a_time_at_the_edge_of_the_calendar_is_shown_as_it_came(
    person: Person, provider: Provider, zone: str, seconds: int
) -> None:
    provider.lies(id_token={"zoneinfo": zone, "updated_at": seconds})
    person.signs_in()

    assert str(seconds) in text_of(person.sees("/profile"))


def test_a_name_is_escaped_in_a_translated_sentence(person: Person, provider: Provider) -> None:
    provider.lies(grant="authorization_code", id_token={"name": "<b>100%</b> %(name)s"})
    person.signs_in()

    page = person.sees("/", headers=JA)

    assert "こんにちは、<bdi>&lt;b&gt;100%&lt;/b&gt; %(name)s</bdi>さん" in page.text


# What the provider is told


@pytest.mark.parametrize("header", [None, "de", "*", "ja;q=0"])
def test_who_states_no_language_of_ours_leaves_it_to_the_provider(
    person: Person, header: str | None
) -> None:
    headers = {"Accept-Language": header} if header else {}

    assert "ui_locales" not in query_of(person.begins(headers=headers))


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_provider_is_asked_to_speak_the_language_that_was_chosen_here(
    person: Person, language: str
) -> None:
    by_the_browser = person.begins(headers={"Accept-Language": language})
    switches(person, language)
    by_switch = person.begins(headers={"Accept-Language": "fr"})

    # The provider sees what the browser says by itself.
    assert "ui_locales" not in query_of(by_the_browser)
    assert query_of(by_switch)["ui_locales"] == language


def test_the_requests_own_ui_locales_win_over_the_language_of_the_page(person: Person) -> None:
    switches(person, "ja")

    assert query_of(person.begins("/login?ui_locales=de-CH%20fr"))["ui_locales"] == "de-CH fr"


def test_configured_ui_locales_win_too_but_not_over_the_requests_own(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    person = person_at(make_app(AUTH0_AUTHORIZE_PARAMS="ui_locales=fr"))

    assert query_of(person.begins(headers=JA))["ui_locales"] == "fr"
    assert query_of(person.begins("/login?ui_locales=de", headers=JA))["ui_locales"] == "de"


def test_the_providers_sign_out_is_told_the_language_too(person: Person) -> None:
    person.signs_in()
    assert "ui_locales" not in query_of(logout_url_of(person.signs_out()))

    person.signs_in()
    switches(person, "ja")
    assert query_of(logout_url_of(person.signs_out()))["ui_locales"] == "ja"
