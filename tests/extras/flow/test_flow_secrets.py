"""The flow, drawn: of secrets three characters are kept, of everything only so much."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask import Flask

from auth import signals
from extras.flow import record
from tests.conftest import Clock, MakeApp
from tests.support.flow import LAST_COOKIE, SHORT_LIVED, episodes, kinds, stored, the
from tests.support.harness import (
    APP,
    SESSION_COOKIE,
    Browser,
    Person,
    Provider,
    logout_url_of,
    query_of,
)

SECRETS = {
    *("code", "state", "nonce", "code_verifier", "client_secret", "access_token", "id_token"),
    *("refresh_token", "token", "id_token_hint"),
}


@pytest.fixture
def secrets_said(person: Person, provider: Provider, clock: Clock) -> set[str]:
    """Every secret of a sign-in, a refresh and an API call, as it was really sent."""
    said: list[tuple[str, str]] = []

    def listen(_: object, *, form: str | None, response: Any, **others: object) -> None:
        said.extend(parse_qsl(form or ""))
        said.extend((name, str(value)) for name, value in response.json_object().items())

    provider.lies(**SHORT_LIVED)
    with signals.request_sent.connected_to(listen):
        url = person.begins()
        said.extend(query_of(url).items())
        said.extend(("state", value) for value in person.browser.cookies().values())
        callback = person.provider.answers(url)
        said.extend(query_of(callback).items())
        person.comes_back(callback)
        said.append(("state", str(person.browser.cookie(SESSION_COOKIE))))
        clock.moves(70)
        person.sees("/appointments")
    found = {value for name, value in said if name in SECRETS}
    assert len(found) >= 13
    return found


def test_secrets_are_masked_before_they_are_kept(
    app: Flask, person: Person, secrets_said: set[str]
) -> None:
    kept = stored(app, person)

    for secret in secrets_said:
        assert secret not in kept
        assert secret[:8] not in kept, "more than the first three characters"


def test_no_secret_is_on_the_page_or_in_its_json(person: Person, secrets_said: set[str]) -> None:
    page = person.sees("/flow").text
    as_json = person.sees("/flow", headers={"Accept": "application/json"}).text

    for secret in secrets_said:
        assert secret[:8] not in page
        assert secret[:8] not in as_json


def test_of_a_secret_the_first_three_characters_are_shown(
    person: Person, secrets_said: set[str]
) -> None:
    page = person.sees("/flow").text

    masked = {f"{secret[:3]}*****" for secret in secrets_said}
    assert {mask for mask in masked if mask not in page} == set()


def test_no_secret_is_left_after_signing_out(person: Person, secrets_said: set[str]) -> None:
    location = logout_url_of(person.signs_out())

    page = person.sees("/flow").text

    for secret in secrets_said | {query_of(location)["id_token_hint"]}:
        assert secret[:8] not in page


def test_what_is_not_known_to_be_harmless_is_masked(person: Person, provider: Provider) -> None:
    provider.lies(json={"device_secret": "a-secret-of-another-specification"})
    person.signs_in(path="/login?login_hint=ada.marlow@example.com")

    messages = episodes(person)["sign_in"]

    assert the("token_response", messages)["parameters"]["device_secret"] == "a-s*****"
    assert the("login_request", messages)["parameters"]["login_hint"] == "ada*****"


def test_the_query_of_an_address_is_not_kept(person: Person) -> None:
    person.signs_in(path="/login?return_to=/profile%3Fkey%3Dsomething-private")

    messages = episodes(person)["sign_in"]

    assert the("login_request", messages)["parameters"]["return_to"] == "/profile?*****"
    assert "something-private" not in repr(messages)


def test_other_programs_cookies_on_the_same_host_are_not_recorded(person: Person) -> None:
    person.browser.client.set_cookie("session", "of-a-neighbour")
    person.signs_in()
    person.sees("/appointments")

    messages = [message for found in episodes(person).values() for message in found]

    cookies = [value for each in messages for name, value in each["headers"] if name == "Cookie"]
    assert {cookie.partition("_")[0] for cookie in cookies} == {"app"}
    assert "neighbour" not in person.sees("/flow").text


def test_what_is_kept_is_bounded(app: Flask, person: Person, provider: Provider) -> None:
    huge = {f"https://example.com/{number}": "long " * 70 for number in range(30)}
    provider.lies(id_token={"https://example.com/number": 2**70} | huge)
    person.signs_in()

    kept = stored(app, person)

    assert len(kept) < record.MOST_BYTES
    assert "more characters" in kept
    assert person.is_signed_in()


def test_the_cookies_are_for_the_server_alone(make_app: MakeApp) -> None:
    base_url = "https://localhost:3000"
    browser = Browser(make_app(SHOW_FLOW="1", APP_BASE_URL=base_url), base_url)

    response = browser.get("/login")

    (cookie,) = (text for text in response.headers.getlist("Set-Cookie") if "app_flow" in text)
    attributes = set(cookie.split("; ")[1:])
    assert attributes > {"Secure", "HttpOnly", "SameSite=Lax", "Path=/callback", "Max-Age=600"}


def test_a_redirect_of_our_own_is_no_authorization_request(person: Person) -> None:
    path = "/profile?response_type=code&state=something"

    response = person.browser.get(path, base_url="http://127.0.0.1:3000")

    assert response.headers["Location"] == APP + path
    assert "Set-Cookie" not in response.headers


def test_a_finished_sign_in_leaves_no_cookie_of_the_flow(person: Person) -> None:
    person.signs_in()

    assert not [name for name in person.browser.cookies() if name.startswith("app_flow")]


def test_the_oldest_goes_where_there_is_no_room() -> None:
    def episode(part: str) -> dict[str, Any]:
        return {"parts": [part], "at": 0.0, "messages": [{"url": "x" * 20_000}]}

    kept: list[dict[str, Any]] = []
    for part in ("sign_in", "api_call", "refresh"):
        kept = record._with(kept, episode(part))

    assert [each["parts"] for each in kept] == [["api_call"], ["refresh"]]


def test_a_cookie_that_would_be_too_long_keeps_what_the_browser_saw(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    person.signs_in()
    person.signs_out()
    whole = len(person.browser.client.get_cookie(LAST_COOKIE, path="/flow").value)
    monkeypatch.setattr(record, "LONGEST_COOKIE", whole - 100)

    person.signs_in()
    person.signs_out()

    assert kinds(episodes(person)["sign_out"]) == [
        "logout_request", "logout_response", "end_session_request",
    ]  # fmt: skip
