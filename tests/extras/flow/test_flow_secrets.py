"""The flow, drawn: of secrets three characters are kept, of everything only so much."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from flask import Flask

from auth import signals
from extras.flow import record
from tests.conftest import Clock, PersonAt
from tests.support.flow import SHORT_LIVED, episodes, stored, the
from tests.support.harness import (
    APP,
    BEN,
    SESSION_COOKIE,
    SIGN_IN_COOKIE,
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


def test_a_copy_of_the_visitors_cookie_shows_nothing_of_who_signs_in(
    app: Flask, person: Person, person_at: PersonAt
) -> None:
    person.begins()
    copy = person.browser.cookie(SESSION_COOKIE)
    person.signs_in()
    somebody = person_at(app)
    somebody.browser.client.set_cookie(SESSION_COOKIE, str(copy))

    assert person.sees("/flow", headers={"Accept": "application/json"}).json
    assert not somebody.sees("/flow", headers={"Accept": "application/json"}).json


def test_another_sites_post_leaves_the_session_cookie_as_it_is(person: Person) -> None:
    # Browsers keep our cookies from it.
    begun = person.browser.request(
        "POST", "/login", data={}, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert begun.status_code == 302
    assert SESSION_COOKIE not in str(begun.headers.getlist("Set-Cookie"))


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

    assert len(kept) < record.MAX_BYTES
    assert "…" in kept
    assert person.is_signed_in()


def test_the_flow_needs_no_cookie_beside_those_of_the_app(person: Person) -> None:
    before = {SESSION_COOKIE, SIGN_IN_COOKIE}

    person.begins()
    assert person.browser.cookies().keys() == before
    assert len(str(person.browser.cookie(SESSION_COOKIE))) < 150  # headers stay small
    person.signs_in()
    person.signs_out()
    assert person.browser.cookies().keys() == before


def test_the_store_holds_the_record_encrypted(app: Flask, person: Person) -> None:
    person.signs_in(BEN)
    stored(app, person)

    database = Path(app.session_interface.records.store._path)  # type: ignore[attr-defined]
    files = [path.read_bytes() for path in database.parent.glob(f"{database.name}*")]

    assert any(b"flow " in content for content in files)
    assert not any(b"token_response" in content or b"Okafor" in content for content in files)


def test_a_redirect_of_our_own_is_no_authorization_request(person: Person) -> None:
    path = "/profile?response_type=code&state=something"

    response = person.browser.get(path, base_url="http://127.0.0.1:3000")

    assert response.headers["Location"] == APP + path
    assert "Set-Cookie" not in response.headers
