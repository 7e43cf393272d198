"""English and Japanese: which one a visitor gets, and what all of it is in that language."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from auth import Problem, open_to_all
from auth.errors import KINDS

from .conftest import MakeApp, PersonAt
from .harness import APP, Browser, Gunicorn, Person, Provider, free_port, query_of, text_of
from .in_chromium import is_signed_in, sign_in

JA = {"Accept-Language": "ja"}
JSON = {"Accept": "application/json"}
SECURE_APP = "https://daybook.example"
COOKIE = "app_language"
# What is the same in every language: code, names of people, values.
QUOTED = re.compile(
    r"<(code|pre|bdi|svg|button[^>]*lang=\"en\")[^>]*>.*?</(code|pre|bdi|svg|button)>", re.S
)
ENGLISH = re.compile(r"[A-Za-z]+ [a-z]+ [a-z]+")


def language_of(page: Any) -> str:
    found = re.search(r'<html lang="(\w+)">', page.text)
    assert found, page.text[:200]
    return found[1]


def english_in(page: Any) -> list[str]:
    """The runs of English words that are left in a Japanese page."""
    return ENGLISH.findall(re.sub(r"<[^>]*>", "\n", QUOTED.sub("", page.text)))


def switches(person: Person, language: str, page: str = "/", origin: str = APP) -> Any:
    headers = {"Origin": origin, "Referer": origin + page, "Sec-Fetch-Site": "same-origin"}
    return person.browser.post("/language", data={"language": language}, headers=headers)


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


@pytest.mark.parametrize(
    "header",
    ["", ";", ",,,", "q=1", "ja;q=x", "ja;q=", "ja;q=-1", "ja;q=99", "\xff\xfe", "-", "--,-;q=-",
     "../../etc/passwd", "ja" * 3000, "ja," * 2000, "x_y_z-1;q=0.5", '"ja"', "%(name)s", "{{1}}"],
    ids=range(18),
)  # fmt: skip
def test_a_malformed_wish_is_no_error(person: Person, header: str) -> None:
    page = person.sees("/", headers={"Accept-Language": header})

    assert page.status_code == 200
    assert language_of(page) in ("en", "ja")


def test_without_a_wish_it_is_english(person: Person) -> None:
    page = person.sees("/")

    assert language_of(page) == page.headers["Content-Language"] == "en"
    assert "Sign In" in text_of(page)


def test_an_answer_says_what_its_language_depends_on(person: Person) -> None:
    for answer in (person.sees("/"), person.sees("/nowhere"), person.sees("/x", headers=JSON)):
        assert {"Accept-Language", "Cookie"} <= set(answer.headers["Vary"].split(", "))


def test_what_is_in_no_language_names_none(person: Person) -> None:
    for path in ("/healthz", "/static/app.css", "/login"):
        answer = person.sees(path, headers=JA)

        assert "Content-Language" not in answer.headers
    assert "Vary" not in person.sees("/static/app.css", headers=JA).headers


# The switch


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
    assert attributes[0] == f"{COOKIE}=ja"
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
        ("/sessions/end-others", "/"),
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
    assert person.browser.cookie(COOKIE) is None


@pytest.mark.parametrize(
    "value",
    ["", "de", "JA", "../ja", "ja/../en", "ja_JP", "x" * 4000, "%00", "{{7*7}}", '"', "\xff", "日"],
    ids=range(12),
)
@pytest.mark.parametrize("path", ["/", "/nowhere", "/login"])
def test_a_hostile_cookie_is_as_good_as_none(person: Person, value: str, path: str) -> None:
    cookie = f"{COOKIE}={value}".encode().decode("latin-1")

    answer = person.sees(path, headers={**JA, "Cookie": cookie})

    assert answer.status_code in (200, 404, 302)
    if answer.status_code == 302:
        assert query_of(answer.headers["Location"])["ui_locales"] == "ja"
    else:
        assert language_of(answer) == "ja"


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

    assert set(person.browser.cookies()) == {COOKIE}


def test_the_switch_works_while_the_session_store_does_not(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    person = person_at(make_app(SESSION_REDIS_URL=f"redis://localhost:{free_port()}"))

    assert switches(person, "ja").status_code == 303
    person.browser.client.set_cookie("app_session", "a" * 43)
    page = person.sees("/profile")
    assert page.status_code == 503
    assert "現在、セッションを確認できません" in text_of(page)


def test_the_switch_works_without_javascript_in_a_browser(
    provider: Provider, settings: dict[str, str], chromium: Any
) -> None:
    port = free_port()
    base_url = f"http://localhost:{port}"
    provider.registers(base_url)
    with Gunicorn({**settings, "APP_BASE_URL": base_url}, PORT=str(port)):
        context = chromium.new_context(java_script_enabled=False, locale="en-US")
        page = context.new_page()
        sign_in(page, base_url)
        page.goto(f"{base_url}/profile")

        page.get_by_role("button", name="日本語").click()

        page.get_by_role("heading", name="プロフィール", level=1).wait_for()
        assert page.url == f"{base_url}/profile"
        assert page.locator("html").get_attribute("lang") == "ja"
        page.get_by_role("button", name="English").click()
        page.get_by_role("heading", name="Profile", level=1).wait_for()
        assert is_signed_in(page, base_url)
        context.close()


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


@pytest.mark.parametrize("code", KINDS)
def test_every_error_is_told_in_japanese(app: Flask, code: str) -> None:
    def fails() -> None:
        raise Problem(code, "a word for the log", scope="appointments")

    app.add_url_rule("/fails", "fails", open_to_all(fails))

    page = Browser(app).get("/fails", headers=JA)
    problem = Browser(app).get("/fails", headers=JA | JSON)

    assert english_in(page) == []
    assert page.headers["Content-Language"] == problem.headers["Content-Language"] == "ja"
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

    assert re.search(r">\d{1,2} [A-Z][a-z]+ 20\d\d, \d\d:\d\d UTC \(in \d+ \w+\)<", english.text)
    assert re.search(
        r">20\d\d年\d{1,2}月\d{1,2}日 \d\d:\d\d UTC（\d+ [日時間分]+後）<", japanese.text
    )


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
def test_the_provider_is_asked_to_speak_the_language_of_the_page(
    person: Person, language: str
) -> None:
    by_settings = person.begins(headers={"Accept-Language": f"{language}-XX, fr;q=0.5"})
    switches(person, language)
    by_switch = person.begins(headers={"Accept-Language": "fr"})

    assert query_of(by_settings)["ui_locales"] == language
    assert query_of(by_switch)["ui_locales"] == language


def test_a_page_that_asks_for_more_is_in_the_same_language_at_the_provider(person: Person) -> None:
    switches(person, "ja")
    person.signs_in()

    url = person.begins("/login?scope=phone")

    assert query_of(url)["ui_locales"] == "ja"


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
    assert "ui_locales" not in query_of(person.signs_out().headers["Location"])

    person.signs_in()
    switches(person, "ja")
    assert query_of(person.signs_out().headers["Location"])["ui_locales"] == "ja"
