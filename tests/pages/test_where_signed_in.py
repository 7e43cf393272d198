"""The page "Where I am signed in": a person's own sessions, each of which can be ended there."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from tests.conftest import Clock
from tests.support.harness import (
    BEN,
    SESSION_COOKIE,
    Browser,
    Person,
    Provider,
    logout_url_of,
    text_of,
)
from tests.support.session_store import key_of_session

# What depends on the session store is tried on each.
on_each_store = pytest.mark.usefixtures("engine")

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)


def signed_in_with(app: Flask, user_agent: str, who: str | None = None) -> Person:
    browser = Browser(app)
    browser.client.environ_base["HTTP_USER_AGENT"] = user_agent
    person = Person(browser)
    if who:
        person.signs_in(who)
    else:
        person.signs_in()
    return person


@pytest.fixture
def laptop(app: Flask) -> Person:
    return signed_in_with(app, FIREFOX)


@pytest.fixture
def phone(app: Flask, laptop: Person) -> Person:
    return signed_in_with(app, SAFARI)


def posts(person: Person, path: str) -> int:
    headers = {"Origin": person.origin()}
    return int(person.browser.post(path, headers=headers).status_code)


def entries(person: Person) -> list[str]:
    page = person.sees("/sessions")
    assert page.status_code == 200
    return re.findall(r"<li[^>]*>\s*<h2.*?</li>", page.text, re.DOTALL)


def test_each_session_is_listed_with_its_browser_in_plain_words_this_one_first(
    laptop: Person, phone: Person
) -> None:
    here, there = entries(laptop)

    assert "Firefox" in here
    assert "Linux" in here
    assert "This browser" in here
    assert "Safari" in there
    assert "iPhone" in there
    assert "This browser" not in there


def test_each_session_says_when_it_began_and_was_last_used(
    laptop: Person, phone: Person, clock: Clock
) -> None:
    clock.moves(86400 / 10)
    laptop.sees("/profile")

    here, there = entries(laptop)

    moments = re.findall(r'<time datetime="([^"]+)"', here)
    assert len(moments) == 2
    assert moments[0] < moments[1]
    began, last_used = re.findall(r'<time datetime="([^"]+)"', there)
    assert began == last_used


@on_each_store
def test_one_session_can_be_ended_and_its_browser_is_signed_out(
    laptop: Person, phone: Person, provider: Provider
) -> None:
    (action,) = re.findall(r'action="(/sessions/[^"]+/end)"', entries(laptop)[1])

    assert posts(laptop, action) == 303

    assert not phone.is_signed_in()
    assert laptop.is_signed_in()
    assert len(entries(laptop)) == 1
    assert len(provider.requests_to("/oauth/revoke")) == 1


@on_each_store
def test_all_others_can_be_ended_at_once(app: Flask, laptop: Person, phone: Person) -> None:
    tablet = signed_in_with(app, SAFARI)
    somebody_else = signed_in_with(app, FIREFOX, BEN)

    assert posts(laptop, "/sessions/end-others") == 303

    page = text_of(laptop.sees("/sessions"))
    assert "All other sessions have ended." in page
    assert "You are signed in nowhere else." in page
    assert [each.is_signed_in() for each in (laptop, phone, tablet)] == [True, False, False]
    assert somebody_else.is_signed_in()


def test_nobody_elses_session_is_listed_or_can_be_named(app: Flask, laptop: Person) -> None:
    somebody_else = signed_in_with(app, FIREFOX, BEN)

    assert len(entries(laptop)) == 1
    assert posts(laptop, f"/sessions/{key_of_session(somebody_else)}/end") == 404
    assert somebody_else.is_signed_in()


def test_what_is_no_session_is_not_found(laptop: Person) -> None:
    assert posts(laptop, "/sessions/none-of-mine/end") == 404
    assert laptop.is_signed_in()


def test_ending_the_own_session_is_signing_out(laptop: Person, provider: Provider) -> None:
    answer = laptop.browser.post(
        f"/sessions/{key_of_session(laptop)}/end", headers={"Origin": laptop.origin()}
    )

    assert logout_url_of(answer).startswith(provider.issuer)
    assert not laptop.is_signed_in()


def test_no_session_id_and_no_cookie_is_on_the_page(laptop: Person, phone: Person) -> None:
    text = laptop.sees("/sessions").text

    for person in (laptop, phone):
        assert str(person.browser.cookie(SESSION_COOKIE)) not in text


@on_each_store
def test_sessions_that_ended_are_not_listed(laptop: Person, phone: Person, clock: Clock) -> None:
    phone.signs_out()
    assert len(entries(laptop)) == 1

    signed_in_with(laptop.browser.client.application, SAFARI)
    for _ in range(3):  # this one is used, and the other not
        clock.moves(86400 / 2)
        assert laptop.is_signed_in()

    assert len(entries(laptop)) == 1
