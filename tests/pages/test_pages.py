"""The pages: what a person sees, what a program gets, and what neither ever sees: tokens."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask

from auth import current_sign_in
from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import (
    ADA,
    SESSION_COOKIE,
    Browser,
    Person,
    Provider,
    text_of,
)

JSON = {"Accept": "application/json"}
CLOSED = ("/profile", "/appointments", "/contacts", "/sessions")


def test_the_start_page_offers_to_sign_in(app: Flask) -> None:
    page = Browser(app).get("/")

    assert page.status_code == 200
    assert re.search(r'<a[^>]* href="/login">Sign In</a>', page.text)
    assert "Sign Out" not in page.text


def test_the_start_page_shows_who_is_signed_in_and_the_ways_on(person: Person) -> None:
    person.signs_in(ADA)

    page = person.sees("/")

    assert page.status_code == 200
    assert "Ada Marlow" in text_of(page)
    for path in ("/profile", "/sessions"):
        assert f'href="{path}"' in page.text
    form = re.search(r'<form[^>]*method="post" action="/logout">.*?</form>', page.text, re.DOTALL)
    assert form is not None
    assert re.search(r"<button[^>]*>Sign Out</button>", form[0])


def test_the_start_page_shows_how_much_is_left_of_the_access_tokens_life(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(grant="authorization_code", json={"expires_in": 60})
    person.signs_in()
    clock.moves(20)
    some = person.sees("/").text
    clock.moves(60)
    none = person.sees("/").text

    assert re.search(r'class="life" data-of="60" data-left="(39|40)"', some)
    assert 'class="life" data-of="60" data-left="0"' in none


def test_the_profile_shows_the_claims_custom_ones_included(
    person: Person, provider: Provider
) -> None:
    custom = {"https://example.com/roles": ["admin", "<b>boss</b>"], "https://example.com/n": 7}
    provider.lies(id_token=custom)
    person.signs_in(ADA)

    page = person.sees("/profile")

    text = text_of(page)
    for shown in (ADA, "Ada Marlow", "ada@example.com", "https://foo/bar", "value"):
        assert shown in text
    assert "https://example.com/roles" in text
    assert "admin" in text
    assert "&lt;b&gt;boss&lt;/b&gt;" in page.text
    assert "<b>boss" not in page.text
    assert "https://example.com/n" in text


def scopes_of(page_text: str) -> dict[str, tuple[str, str]]:
    """The profile's table: scope to (asked for, granted)."""
    rows = re.findall(
        r'<th scope="row">.*?<code>(.*?)</code>.*?<td.*?>([\w, ]+)</td>.*?<td.*?>([\w, ]+)</td>',
        page_text,
        re.DOTALL,
    )
    return {html.unescape(name): (asked, granted) for name, asked, granted in rows}


def test_the_profile_shows_granted_scopes_beside_the_asked_ones(
    person: Person, provider: Provider
) -> None:
    provider.options(skip_consent=False)
    person.signs_in(ADA, grant=["openid", "profile", "appointments", "offline_access"])

    scopes = scopes_of(person.sees("/profile").text)

    assert scopes["appointments"] == ("Yes", "Yes")
    assert scopes["contacts"] == ("Yes", "No")
    # The provider's hook adds these.
    assert scopes["foo"] == ("No, added by the provider", "Yes")
    assert scopes["bar"] == ("No, added by the provider", "Yes")


def test_where_the_answer_names_no_scope_all_that_was_asked_for_counts_as_granted(
    person: Person, provider: Provider
) -> None:
    provider.lies(json={"scope": None})
    person.signs_in()

    scopes = scopes_of(person.sees("/profile").text)

    assert set(scopes.values()) == {("Yes", "Yes")}
    assert "contacts" in scopes


def test_no_token_is_ever_on_a_page(person: Person, app: Flask) -> None:
    person.signs_in()
    with app.test_request_context(
        headers={"Cookie": f"{SESSION_COOKIE}={person.browser.cookie(SESSION_COOKIE)}"}
    ):
        sign_in = current_sign_in()
    assert sign_in
    tokens = sign_in.token_sets[""]
    secrets = [sign_in.id_token, tokens.access_token, str(tokens.refresh_token)]
    parts = [part for secret in secrets for part in secret.split(".") if len(part) > 20]
    # The header of a JWT is not secret by itself, but nothing else is shown of it either.
    assert len(parts) == 7

    for path in ("/", *CLOSED):
        for headers in ({}, JSON):
            answer = person.sees(path, headers=headers)
            seen = f"{answer.headers}{html.unescape(answer.text)}"
            assert not [part for part in parts if part in seen]


# JSON for programs.


@pytest.mark.parametrize("path", ["/appointments", "/contacts"])
def test_a_program_gets_the_apis_json(person: Person, path: str) -> None:
    person.signs_in()

    answer = person.sees(path, headers=JSON)

    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    assert list(answer.get_json()) == [path[1:]]


def test_a_program_gets_the_claims_as_json(person: Person) -> None:
    person.signs_in(ADA)

    answer = person.sees("/profile", headers=JSON)

    assert answer.mimetype == "application/json"
    assert answer.get_json()["sub"] == ADA
    assert answer.get_json()["https://foo/bar"] == "value"


# The API refuses, fails, or does not answer.


def test_without_an_api_its_pages_say_so_and_are_not_linked(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    person = person_at(make_app(API_BASE_URL=""))
    person.signs_in()

    page = person.sees("/appointments")

    assert page.status_code == 404
    assert "API_BASE_URL" in text_of(page)
    assert 'href="/appointments"' not in person.sees("/").text


@pytest.mark.parametrize(
    "path", ["/", "/profile", "/appointments", "/contacts", "/sessions", "/nowhere"]
)
def test_each_page_says_so_when_the_session_is_about_to_end(
    make_app: MakeApp, person_at: PersonAt, clock: Clock, path: str
) -> None:
    person = person_at(make_app(SESSION_ABSOLUTE_SECONDS="1000"))
    person.signs_in()
    before = text_of(person.sees(path))

    clock.moves(450)

    assert "ends soon" not in before
    assert "Your session here ends soon: " in text_of(person.sees(path))
