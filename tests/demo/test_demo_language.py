"""The demo's pages in the language that was asked for, whoever asked."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import requests

from tests.support.at_the_provider import REQUEST, open_page
from tests.support.harness import ADA, Api, AtProvider, Provider, query_of

HEADINGS = {"en": "Sign in to Daybook", "ja": "Daybookにサインイン"}


def authorize(provider: Provider, languages: str = "", **parameters: str) -> Any:
    return open_page(provider, "authorize", languages, **REQUEST, **parameters)


def language_of(page: Any) -> str:
    """What the page says of itself, in its markup and in its header."""
    (language,) = (each for each in HEADINGS if f'<html lang="{each}">' in page.text)
    assert page.headers["Content-Language"] == language
    return language


@pytest.mark.parametrize(
    ("ui_locales", "languages", "expected"),
    [
        ("ja", "en", "ja"),
        ("en", "ja", "en"),
        ("ja-JP", "en", "ja"),
        ("JA-jp", "en", "ja"),
        ("de-CH ja en", "en", "ja"),
        ("de tlh", "ja", "ja"),
        ("de", "", "en"),
        ("", "ja-JP, en;q=0.5", "ja"),
        ("", "en-GB, ja;q=0.5", "en"),
        ("", "de", "en"),
        ("japanese - x", "de", "en"),
    ],
)
def test_the_applications_wish_counts_then_the_browsers_then_it_is_english(
    provider: Provider, ui_locales: str, languages: str, expected: str
) -> None:
    page = authorize(provider, languages, ui_locales=ui_locales)

    assert language_of(page) == expected
    assert f"<h1>{HEADINGS[expected]}</h1>" in page.text


def test_every_page_of_a_sign_in_is_in_the_language_that_the_application_asked_for(
    provider: Provider,
) -> None:
    provider.options(skip_consent=False, ask_organization=True)
    browser = requests.Session()
    asked = {**REQUEST, "ui_locales": "ja", "acr_values": "urn:example:mfa"}
    answers = [
        {"person": ADA},
        {"organization": "nowhere"},
        {"organization": "harbour-clinic"},
        {"stronger": "confirm"},
    ]

    page = browser.get(f"{provider.issuer}authorize", params=asked, timeout=10)
    headings = []
    for answer in answers:
        assert language_of(page) == "ja"
        headings += re.findall("<h1>(.*)</h1>", page.text)
        page = browser.post(page.url, data=answer, timeout=10)

    assert headings == [HEADINGS["ja"], *["組織を入力してください"] * 2, "ご本人であることの確認"]
    assert language_of(page) == "ja"
    assert "予定を読む（appointments:api）" in page.text


def test_the_language_link_of_a_page_outlives_the_applications_wish(provider: Provider) -> None:
    provider.options(skip_consent=False)
    browser = requests.Session()
    asked = {**REQUEST, "ui_locales": "en"}
    page = browser.get(f"{provider.issuer}authorize", params=asked, timeout=10)
    assert '<a href="?lang=ja" lang="ja" hreflang="ja">日本語</a>' in page.text

    chosen = browser.get(page.url, params={"lang": "ja"}, timeout=10)
    consent = browser.post(page.url, data={"person": ADA}, timeout=10)

    assert language_of(chosen) == language_of(consent) == "ja"
    assert language_of(browser.get(provider.issuer, timeout=10)) == "ja"


def test_the_language_link_keeps_what_was_asked_and_cannot_be_turned_against_the_page(
    provider: Provider,
) -> None:
    odd = {"client_id": "nobody", "endpoint": "x", "_external": "1", "lang": "en"}

    page = open_page(provider, "authorize", **odd, state='"><b>')

    query = "client_id=nobody&amp;endpoint=x&amp;_external=1&amp;lang=ja&amp;state=%22%3E%3Cb%3E"
    assert f'<a href="?{query}" lang="ja"' in page.text


def test_a_language_that_is_not_spoken_here_is_not_kept(provider: Provider) -> None:
    page = open_page(provider, "", lang="tlh")

    assert language_of(page) == "en"
    assert "Set-Cookie" not in page.headers


def test_error_pages_are_in_the_language_that_the_request_asked_for(provider: Provider) -> None:
    unknown = open_page(provider, "authorize", client_id="nobody", ui_locales="ja")
    nowhere = open_page(provider, "nowhere", "ja")

    assert (unknown.status_code, language_of(unknown)) == (400, "ja")
    assert "このclient_idのアプリは、ここに登録されていません。" in unknown.text
    assert (nowhere.status_code, language_of(nowhere)) == (404, "ja")


def test_signing_out_speaks_the_language_that_was_asked_for_to_the_end(provider: Provider) -> None:
    at_provider = AtProvider()
    at_provider.answers(f"{provider.issuer}authorize?{urlencode(REQUEST)}")
    logout = f"{provider.issuer}oidc/logout"

    asks = at_provider.session.get(logout, params={"ui_locales": "ja"}, timeout=10)
    hidden = {"ui_locales": "ja"} if 'name="ui_locales" value="ja"' in asks.text else {}
    done = at_provider.session.post(logout, data={"confirm": "1", **hidden}, timeout=10)

    assert "サインアウトしますか？" in asks.text
    assert language_of(done) == "ja"
    assert "サインアウトしました" in done.text


def test_the_pages_of_switches_are_in_both_languages(provider: Provider, api: Api) -> None:
    for program in (provider, api):
        url = f"http://localhost:{program.port}/demo"
        page = requests.get(url, headers={"Accept-Language": "ja"}, timeout=10)

        assert language_of(page) == "ja"
        assert "うそをつかせる" in page.text


def test_the_metadata_names_the_languages(provider: Provider) -> None:
    metadata = open_page(provider, ".well-known/openid-configuration").json()

    assert metadata["ui_locales_supported"] == ["en", "ja"]


def test_a_request_that_names_its_languages_twice_is_refused_at_the_application(
    provider: Provider,
) -> None:
    url = f"{provider.issuer}authorize"
    twice = [*REQUEST.items(), ("ui_locales", "ja"), ("ui_locales", "en")]

    answer = requests.get(url, params=twice, allow_redirects=False, timeout=10)

    assert urlsplit(answer.headers["Location"]).path == "/callback"
    assert query_of(answer.headers["Location"])["error"] == "invalid_request"
