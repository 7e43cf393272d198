"""`return_to`: where a person wanted to go, and only ever a path inside this app."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.support.harness import Person, Provider, way_on

PAGES = {
    "a path": ("/profile", "/profile"),
    "with a query": ("/appointments?from=2026-11-23&to=2026-11-24", None),
    "with a fragment": ("/profile#sub", None),
    "a path that is no page (yet)": ("/some/day/", None),
    "a URL in the query": ("/profile?next=https://elsewhere.example//x", None),
    "characters beyond ASCII": ("/büro?von=東京", "/b%C3%BCro?von=%E6%9D%B1%E4%BA%AC"),
    "encoded once": ("/b%C3%BCro", "/b%C3%BCro"),
}

ELSEWHERE = {
    "another site": "https://evil.example/",
    "another site in capitals": "HTTPS://evil.example/",
    "no scheme": "//evil.example/",
    "three slashes": "///evil.example/",
    "scheme without slashes": "https:evil.example",
    "one slash and scheme": "/https://evil.example",
    "backslashes": r"\\evil.example",
    "slash and backslash": r"/\evil.example",
    "backslash and slash": r"\/evil.example",
    "encoded slash": "/%2Fevil.example",
    "encoded backslash": "/%5Cevil.example",
    "encoded twice": "/%252Fevil.example",
    "encoded three times": "/%25252Fevil.example",
    "encoded too often to tell": "/%2525252525252Fevil.example",
    "tab": "/\t/evil.example",
    "line break": "/\n/evil.example",
    "carriage return": "\r//evil.example",
    "encoded tab": "/%09/evil.example",
    "encoded line break": "/x%0d%0aLocation:%20https://evil.example",
    "line break in the query": "/profile?x=\r\nLocation: https://evil.example",
    "leading space": " //evil.example",
    "leading control character": "\x01//evil.example",
    "NUL": "/\x00/evil.example",
    "encoded NUL": "/%00/evil.example",
    "script": "javascript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "user name": "@evil.example",
    "port": ":80@evil.example",
    "dots back to the root": "/x/..//evil.example",
    "dots to another page": "/profile/../../evil",
    "encoded dots": "/%2e%2e//evil.example",
    "dot segment": "/./profile",
    "wide solidus": "／／evil.example",
    "no path at all": "evil.example",
    "a query only": "?next=/profile",
    "a fragment only": "#top",
    "empty": "",
    "too long": "/" + "x" * 2001,
    "invisible direction mark": "/\u202eprofile",
}

NOT_PAGES = [
    "/login", "/login?return_to=/x", "/callback", "/callback?code=a", "/logout", "/logout/",
    "/%6cogout", "/backchannel-logout",
]  # fmt: skip


@pytest.mark.parametrize(("wish", "location"), PAGES.values(), ids=PAGES)
def test_sign_in_leads_to_the_page_that_was_wanted(
    person: Person, wish: str, location: str | None
) -> None:
    response = person.signs_in(path=f"/login?return_to={quote(wish, safe='')}")

    assert response.status_code in (302, 303)
    assert response.headers["Location"] == (location or wish)


@pytest.mark.parametrize("wish", ELSEWHERE.values(), ids=ELSEWHERE)
def test_sign_in_leads_nowhere_outside_of_this_app(person: Person, wish: str) -> None:
    response = person.signs_in(path=f"/login?return_to={quote(wish, safe='')}")

    assert response.status_code in (302, 303)
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize("wish", NOT_PAGES)
def test_sign_in_leads_to_pages_and_not_to_the_next_sign_in_or_out(
    person: Person, wish: str
) -> None:
    response = person.signs_in(path=f"/login?return_to={quote(wish, safe='')}")

    assert response.headers["Location"] == "/"


def test_of_two_return_to_none_smuggles_the_other(person: Person) -> None:
    response = person.signs_in(path="/login?return_to=/profile&return_to=//evil.example")

    assert response.headers["Location"] == "/profile"


def test_a_closed_page_leads_to_sign_in_and_back_with_its_query(person: Person) -> None:
    to_login = person.sees("/appointments?day=1%2F2&x=%C3%BC").headers["Location"]

    back = person.signs_in(path=to_login).headers["Location"]

    assert back == "/appointments?day=1%2F2&x=%C3%BC"


@pytest.mark.parametrize("refusal", ["sign-in", "consent"])
def test_return_to_survives_a_refused_sign_in(
    person: Person, provider: Provider, refusal: str
) -> None:
    provider.options(skip_consent=False)
    refused = person.signs_in(path="/login?return_to=/profile%3Fx=1", refuse=refusal)
    again = way_on(refused.text)

    response = person.signs_in(path=again)

    assert refused.status_code == 403
    assert response.headers["Location"] == "/profile?x=1"


def test_return_to_survives_a_provider_that_is_away_when_sign_in_begins(
    person: Person, provider: Provider
) -> None:
    provider.lies("metadata_500", times=0)

    page = person.sees("/login?return_to=/profile")

    assert page.status_code == 503
    assert way_on(page.text) == "/login?return_to=/profile"
