"""The flow, drawn: what is recorded, for whom, and what of it is left."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from extras.flow.messages import CHECKS, MESSAGES
from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.flow import CACHED, SHORT_LIVED, episodes, kinds, the
from tests.support.harness import APP, BEN, Api, Person, Provider, query_of, text_of

SIGN_IN = [
    "login_request", "login_response", "authorization_request", "authorization_response",
    "token_request", "token_response", "session_started",
]  # fmt: skip


def test_the_first_sign_in_of_a_process_shows_metadata_and_keys(person: Person) -> None:
    person.signs_in()

    messages = episodes(person)["sign_in"]

    assert {message["kind"] for message in messages} > CACHED
    assert the("metadata_response", messages)["parameters"]["token_endpoint"]
    assert the("keys_response", messages)["parameters"]["keys"].isdigit()


def test_each_message_has_method_and_url_or_status_and_its_parameters(person: Person) -> None:
    callback = person.provider.answers(person.begins("/login?return_to=/profile"))
    person.comes_back(callback)

    messages = episodes(person)["sign_in"]

    request = the("authorization_request", messages)
    assert request["method"] == "GET"
    assert request["url"].endswith("/authorize")
    assert request["parameters"]["redirect_uri"] == f"{APP}/callback"
    assert request["parameters"]["code_challenge_method"] == "S256"
    assert the("login_request", messages)["parameters"] == {"return_to": "/profile"}
    token_request = the("token_request", messages)
    assert token_request["method"] == "POST"
    assert token_request["headers"]["Content-Type"] == "application/x-www-form-urlencoded"
    response = the("authorization_response", messages)
    assert response["parameters"]["code"] == f"{query_of(callback)['code'][:3]}*****"
    assert the("token_response", messages)["status"] == 200
    assert the("session_started", messages)["headers"]["Location"] == "/profile"


def test_the_page_says_what_each_message_is_and_where_that_is_written(person: Person) -> None:
    person.signs_in()

    page = person.sees("/flow")

    assert page.status_code == 200
    assert "Step 2. The app exchanges the code" in page.text
    for kind in map(MESSAGES.__getitem__, SIGN_IN):
        assert f'href="{kind.specification.link}"' in page.text
        assert f'href="/flow/code/{kind.function}"' in page.text


def test_every_message_and_every_check_has_its_text(app: Flask) -> None:
    texts: Any = app.jinja_env.get_template("flow/texts.html").module

    assert texts.MESSAGES.keys() == MESSAGES.keys()
    assert texts.CHECKS.keys() == CHECKS.keys()


def test_claims_of_both_tokens_are_decoded_with_times_in_words(person: Person) -> None:
    person.signs_in(BEN)

    words = text_of(person.sees("/flow"))

    assert "Claims of the ID token" in words
    assert "Ben Okafor" in words
    assert "Claims of the access token" in words
    assert "in 60 minutes" in words or "in 59 minutes" in words


def test_an_access_token_that_is_no_jwt_is_shown_without_claims(
    person: Person, provider: Provider
) -> None:
    provider.lies(json={"access_token": "opaque-0123456789.abc.def"}, id_token={"at_hash": None})
    person.signs_in()

    messages = episodes(person)["sign_in"]

    assert list(the("token_response", messages)["tokens"]) == ["id_token"]
    assert the("token_response", messages)["parameters"]["access_token"] == "opa*****"


def test_an_api_call_is_drawn_without_the_apis_data(person: Person) -> None:
    person.signs_in()
    person.sees("/appointments")

    messages = episodes(person)["api_call"]

    assert kinds(messages) == ["page_request", "api_request", "api_response", "page_response"]
    assert the("api_request", messages)["headers"]["Authorization"] == "Bearer eyJ*****"
    assert the("api_request", messages)["url"].endswith("/appointments")
    assert the("api_response", messages)["parameters"] == {}
    assert the("api_response", messages)["status"] == 200


def test_a_refresh_is_drawn_with_the_api_call_that_needed_it(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(**SHORT_LIVED)
    person.signs_in()
    person.sees("/appointments")
    clock.moves(70)
    person.sees("/contacts")

    found = episodes(person)

    assert list(found) == ["sign_in", "api_call + refresh"]
    messages = found["api_call + refresh"]
    assert kinds(messages)[1:4] == ["refresh_request", "refresh_response", "api_request"]
    assert the("api_request", messages)["url"].endswith("/contacts")


def test_of_several_api_calls_the_last_is_kept(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(**SHORT_LIVED)
    person.signs_in()
    clock.moves(70)
    person.sees("/contacts")
    person.sees("/appointments")

    found = episodes(person)

    assert list(found) == ["sign_in", "refresh", "api_call"]
    assert the("api_request", found["api_call"])["url"].endswith("/appointments")


def test_signing_in_again_keeps_what_the_session_showed_before(person: Person) -> None:
    person.signs_in()
    person.sees("/appointments")
    person.signs_in(path="/login?return_to=/contacts")

    found = episodes(person)

    assert list(found) == ["api_call", "sign_in"]
    assert the("login_request", found["sign_in"])["parameters"] == {"return_to": "/contacts"}


def test_a_sign_out_is_shown_to_the_one_who_signed_out(person: Person) -> None:
    person.signs_in(BEN)
    person.signs_out()

    messages = episodes(person)["sign_out"]

    assert kinds(messages) == [
        "logout_request", "revocation_request", "revocation_response", "logout_response",
        "end_session_request",
    ]  # fmt: skip
    assert the("end_session_request", messages)["parameters"]["id_token_hint"] == "eyJ*****"
    assert the("revocation_request", messages)["parameters"]["token_type_hint"] == "refresh_token"


def test_after_a_sign_out_nothing_says_who_it_was(person: Person) -> None:
    person.signs_in(BEN)
    person.signs_out()

    page = person.sees("/flow")

    assert "End session request" in page.text
    assert "Okafor" not in page.text
    assert BEN not in page.text


def test_a_sign_out_is_forgotten_after_an_hour(person: Person, clock: Clock) -> None:
    person.signs_in()
    person.signs_out()
    assert list(episodes(person)) == ["sign_out"]

    clock.moves(3601)

    assert episodes(person) == {}


def test_a_failed_sign_in_is_shown_without_the_person(person: Person, provider: Provider) -> None:
    provider.lies("wrong_nonce")
    person.signs_in(BEN)

    messages = episodes(person)["sign_in"]

    assert kinds(messages) == [*SIGN_IN[:-1], "sign_in_failed"]
    assert the("sign_in_failed", messages)["status"] == 400
    assert the("token_response", messages)["tokens"] == {}
    assert the("token_response", messages)["failure"]["code"] == "wrong_nonce"


# Each lie, the message that it is in, and the check that stops it.
STOPPED = {
    "wrong_nonce": ("token_response", "check_nonce"),
    "foreign_aud": ("token_response", "check_audience"),
    "wrong_iss": ("token_response", "check_issuer"),
    "expired_id_token": ("token_response", "check_times"),
    "alg_none": ("token_response", "read_header"),
    "broken_signature": ("token_response", "verify_signature"),
    "wrong_at_hash": ("token_response", "check_at_hash"),
    "iss_parameter_wrong": ("authorization_response", "check_authorization_response"),
}


@pytest.mark.parametrize("lie", STOPPED)
def test_a_lie_ends_at_the_message_and_the_check_that_stopped_it(
    person: Person, provider: Provider, lie: str
) -> None:
    provider.lies(lie)
    error_page = person.signs_in()

    (failed,) = [each for each in episodes(person)["sign_in"] if each["failure"]]
    page = person.sees("/flow")

    kind, function = STOPPED[lie]
    assert 'href="/flow#failed"' in error_page.text
    assert failed["kind"] == kind
    assert f"{function} in auth/" in text_of(page).partition("It stopped here.")[2]
    assert page.text.count('id="failed"') == 1


@pytest.mark.parametrize(
    ("query", "function"),
    [("code=a&state=nonsense", "from_state"), ("code=a&code=b", "read_authorization_response")],
)
def test_a_callback_of_nobody_ends_at_the_check_that_refused_it(
    person: Person, query: str, function: str
) -> None:
    person.sees(f"/callback?{query}")

    (message, _) = episodes(person)["sign_in"]

    assert message["failure"]["check"].endswith(function)


def test_a_callback_in_another_browser_shows_nothing_of_the_first(
    app: Flask, person: Person, person_at: PersonAt
) -> None:
    callback = person.provider.answers(person.begins("/login?return_to=/profile"))

    other = person_at(app)
    other.comes_back(callback)

    messages = episodes(other)["sign_in"]
    assert kinds(messages) == ["authorization_response", "sign_in_failed"]
    assert messages[0]["failure"]["check"].endswith("belongs_to")


def test_what_the_provider_says_of_its_error_is_not_shown(
    person: Person, provider: Provider
) -> None:
    provider.lies(
        at="token", status=400, body='{"error": "x", "error_description": "of the tenant"}'
    )
    person.signs_in()

    (failed,) = [each for each in episodes(person)["sign_in"] if each["failure"]]

    assert failed["failure"]["check"].endswith("exchange_code")
    assert "of the tenant" not in person.sees("/flow").text


def test_an_api_that_refuses_is_drawn_up_to_its_response(person: Person, api: Api) -> None:
    person.signs_in()
    api.lies(at="api", status=500)
    error_page = person.sees("/appointments")

    (failed,) = [each for each in episodes(person)["api_call"] if each["failure"]]

    assert 'href="/flow#failed"' in error_page.text
    assert (failed["kind"], failed["failure"]["code"]) == ("api_response", "api_failed")


def test_a_refused_refresh_is_drawn_up_to_its_response(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(**SHORT_LIVED)
    person.signs_in()
    clock.moves(70)
    provider.lies(grant="refresh_token", status=400, json={"error": "invalid_grant"})
    person.sees("/appointments")

    (failed,) = [each for each in episodes(person)["refresh"] if each["failure"]]

    assert (failed["kind"], failed["failure"]["code"]) == ("refresh_response", "refused")


def test_a_sign_in_that_cannot_begin_is_drawn(make_app: MakeApp, person_at: PersonAt) -> None:
    person = person_at(make_app(SHOW_FLOW="1", AUTH0_DOMAIN="http://localhost:1"))
    person.sees("/login")

    messages = episodes(person)["sign_in"]

    assert [message["kind"] for message in messages] == [
        "login_request", "metadata_request", "metadata_response", "sign_in_failed",
    ]  # fmt: skip
    assert messages[2]["failure"]["code"] == "provider_unreachable"


def test_an_error_page_outside_the_flow_does_not_lead_there(person: Person) -> None:
    person.signs_in()

    assert "/flow#failed" not in person.sees("/nowhere").text


def test_a_pushed_request_is_drawn(make_app: MakeApp, person_at: PersonAt) -> None:
    person = person_at(make_app(SHOW_FLOW="1", AUTH0_PAR="1"))
    person.signs_in()

    messages = episodes(person)["sign_in"]

    assert kinds(messages)[1:3] == ["par_request", "par_response"]
    assert the("par_request", messages)["parameters"]["client_secret"].endswith("*****")
    assert "state" not in the("authorization_request", messages)["parameters"]


def test_userinfo_is_drawn_without_what_it_says(person: Person, provider: Provider) -> None:
    provider.options(claims_in_id_token=False)
    person.signs_in(BEN)

    messages = episodes(person)["sign_in"]

    assert kinds(messages)[6:8] == ["userinfo_request", "userinfo_response"]
    assert the("userinfo_response", messages)["parameters"] == {}


def test_of_two_sign_ins_side_by_side_each_shows_its_own_messages(person: Person) -> None:
    first = person.begins("/login?return_to=/profile")
    person.begins("/login?return_to=/contacts")
    person.comes_back(person.provider.answers(first))

    messages = episodes(person)["sign_in"]

    assert kinds(messages) == SIGN_IN
    assert the("login_request", messages)["parameters"] == {"return_to": "/profile"}


def test_nobody_sees_what_others_did(app: Flask, person_at: PersonAt) -> None:
    someone, other = person_at(app), person_at(app)
    someone.signs_in()
    someone.sees("/appointments")

    assert "Nothing was recorded yet" in text_of(other.sees("/flow"))
    other.signs_in(BEN)
    assert list(episodes(other)) == ["sign_in"]


def test_a_page_says_once_that_the_access_token_was_renewed_for_it(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(grant="authorization_code", json={"expires_in": 60})
    person.signs_in()
    clock.moves(60)

    first, second = person.sees("/appointments"), person.sees("/appointments")

    assert "The access token was renewed just now. See it in the flow" in text_of(first)
    assert '<a href="/flow#refresh">' in first.text
    assert "renewed" not in text_of(second)
