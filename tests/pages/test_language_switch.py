"""The switch of the language: a choice that is kept, over what the browser says."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.conftest import MakeApp, PersonAt
from tests.support.harness import (
    LANGUAGE_COOKIE,
    SESSION_COOKIE,
    Browser,
    Person,
    free_port,
    query_of,
    text_of,
)
from tests.support.language import JA, language_of, switches

SECURE_APP = "https://daybook.example"


def test_the_switch_wins_over_the_browsers_settings(person: Person) -> None:
    answer = switches(person, "ja")

    assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert language_of(person.sees("/", headers={"Accept-Language": "en"})) == "ja"
    switches(person, "en")
    assert language_of(person.sees("/", headers=JA)) == "en"


def test_the_switch_is_on_every_page_and_names_each_language_in_itself(person: Person) -> None:
    pages = [person.sees("/"), person.sees("/nowhere"), person.browser.post("/nowhere")]
    person.signs_in()
    pages += [person.sees(path) for path in ("/", "/profile", "/appointments", "/sessions")]

    for page in pages:
        form = re.search(r'<form[^>]*action="/language".*?</form>', page.text, re.S)
        assert form
        assert '<button name="language" value="ja" lang="ja">日本語</button>' in form[0]
        assert 'value="en" lang="en" aria-current="true">English<' in form[0]


def test_the_choice_is_kept_for_a_year_in_a_cookie_of_its_own(person: Person) -> None:
    cookie = switches(person, "ja").headers.getlist("Set-Cookie")

    assert len(cookie) == 1
    attributes = cookie[0].split("; ")
    assert attributes[0] == f"{LANGUAGE_COOKIE}=ja"
    assert {"HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=31536000"} <= set(attributes)
    assert "Secure" not in attributes


def test_over_https_the_cookie_belongs_to_this_host_alone(
    make_app: MakeApp,
) -> None:
    person = Person(Browser(make_app(APP_BASE_URL=SECURE_APP), SECURE_APP))

    (cookie,) = switches(person, "ja", origin=SECURE_APP).headers.getlist("Set-Cookie")

    assert cookie.startswith("__Host-app_language=ja; ")
    assert "; Secure" in cookie
    assert "Domain" not in cookie
    assert language_of(person.sees("/")) == "ja"


@pytest.mark.parametrize(
    ("page", "lands_at"),
    [
        ("/profile", "/profile"),
        ("/flow?x=1&y=%2F", "/flow?x=1&y=%2F"),
        ("/nowhere", "/nowhere"),
        ("", "/"),
        ("/callback?code=a&state=b", "/"),
        ("/login?prompt=none", "/"),
        ("/language", "/"),
        ("/logout", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example", "/"),
        ("/%0d%0aSet-Cookie:x", "/"),
        (".evil.example/", "/"),
        ("@evil.example/", "/"),
    ],
)
def test_the_switch_leads_back_to_the_page_it_was_on(
    person: Person, page: str, lands_at: str
) -> None:
    assert switches(person, "ja", page).headers["Location"] == lands_at


@pytest.mark.parametrize("referer", [None, "", "x", "https://evil.example/a", "javascript:x"])
def test_without_a_page_of_ours_before_the_switch_leads_home(
    person: Person, referer: str | None
) -> None:
    headers = {} if referer is None else {"Referer": referer}

    answer = person.browser.post("/language", data={"language": "ja"}, headers=headers)

    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("language", ["", "de", "JA", "ja ", "ja\r\nSet-Cookie: x=y", "ja" * 9999])
def test_a_language_that_is_not_ours_changes_nothing(person: Person, language: str) -> None:
    answer = switches(person, language)

    assert answer.status_code == 400
    assert "Set-Cookie" not in answer.headers


def test_another_site_cannot_switch_the_language(person: Person) -> None:
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

    answer = person.browser.post("/language", data={"language": "ja"}, headers=headers)

    assert answer.status_code == 403
    assert person.browser.cookie(LANGUAGE_COOKIE) is None


@pytest.mark.parametrize(
    "value",
    ["", "de", "JA", "../ja", "ja/../en", "ja_JP", "x" * 4000, "%00", "{{7*7}}", '"', "\xff", "日"],
    ids=range(12),
)
def test_a_hostile_cookie_is_as_good_as_none(person: Person, value: str) -> None:
    cookie = f"{LANGUAGE_COOKIE}={value}".encode().decode("latin-1")
    headers = {**JA, "Cookie": cookie}

    assert language_of(person.sees("/", headers=headers)) == "ja"
    assert "ui_locales" not in query_of(person.begins(headers=headers))


def test_the_choice_outlives_sign_in_and_sign_out(person: Person) -> None:
    switches(person, "ja")

    person.signs_in()
    signed_in = person.sees("/")
    person.signs_out()
    signed_out = person.sees("/")

    assert "こんにちは" in text_of(signed_in)
    assert language_of(signed_in) == language_of(signed_out) == "ja"


def test_the_switch_asks_for_no_session_and_makes_none(person: Person, app: Flask) -> None:
    switches(person, "ja")
    switches(person, "en")

    assert set(person.browser.cookies()) == {LANGUAGE_COOKIE}


def test_the_switch_works_while_the_session_store_does_not(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    person = person_at(make_app(SESSION_REDIS_URL=f"redis://localhost:{free_port()}"))

    assert switches(person, "ja").status_code == 303
    person.browser.client.set_cookie(SESSION_COOKIE, "a" * 43)
    page = person.sees("/profile")
    assert page.status_code == 503
    assert "現在、セッションを確認できません" in text_of(page)
