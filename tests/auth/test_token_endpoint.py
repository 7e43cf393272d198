"""The token endpoint's answers at sign-in: RFC 6749 section 5, and whatever else may come."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from flask import Flask

from tests.support.harness import APP, SECRET, Person, query_of, session_records
from tests.support.scripted_provider import (
    GONE,
    SECRETS,
    Script,
    ScriptedProvider,
    says,
)


def bad(error: str, status: int = 400, **kwargs: Any) -> Script:
    return says({"error": error, "error_description": "<b>secret</b>"}, status, **kwargs)


WRONG_ANSWERS: dict[str, tuple[Script, int]] = {
    "form-encoded": (says(b"access_token=a&token_type=bearer", content_type="text/html"), 502),
    "a list": (says(b"[]"), 502),
    "no JSON": (says(b"{"), 502),
    "no UTF-8": (says(b'{"access_token": "\xff"}'), 502),
    "nested too deeply": (says(b"[" * 100_000), 502),
    "nothing": (says(b""), 502),
    "204": (says(b"", 204), 502),
    "invalid_grant": (bad("invalid_grant"), 400),
    "invalid_grant by 200": (bad("invalid_grant", 200), 400),
    "invalid_grant by 500": (bad("invalid_grant", 500), 400),
    "invalid_client": (bad("invalid_client", 401), 502),
    "unauthorized_client": (bad("unauthorized_client"), 502),
    "invalid_request": (bad("invalid_request"), 502),
    "invalid_scope": (bad("invalid_scope"), 400),
    "an unknown error": (bad("<script>", 418), 400),
    "an error that is an object": (says({"error": {"a": []}}, 400), 400),
    "400 with HTML": (says(b"<h1>", 400, "text/html"), 400),
    "401 with nothing": (says(b"", 401), 502),
    "404": (says(b"", 404), 502),
    "500": (says(b"", 500), 502),
    "503 with HTML": (says(b"<h1>", 503, "text/html"), 502),
    "599": (says(b"", 599), 502),
}


@pytest.mark.parametrize(("script", "status"), WRONG_ANSWERS.values(), ids=WRONG_ANSWERS)
def test_an_unusable_answer_signs_nobody_in(
    script: Script, status: int, visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    scripted.scripts["token"] = script

    response = visitor.signs_in()

    assert response.status_code == status
    assert session_records(scripted_app) == 0
    assert "secret" not in response.text


@pytest.mark.parametrize(
    "sent_as",
    [
        {"content_type": "text/plain"},
        {"content_type": "text/html"},
        {"content_type": ""},
        {"content_type": "application/jwt"},
        {"status": 201},
        {"status": 400},
    ],
    ids=str,
)
def test_right_tokens_in_the_wrong_wrapping_sign_nobody_in(
    sent_as: dict[str, Any], visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    scripted.token_sent_as = sent_as

    response = visitor.signs_in()

    assert response.status_code in (400, 502)
    assert session_records(scripted_app) == 0


@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_a_content_type_may_say_more(
    content_type: str, visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.token_sent_as = {"content_type": content_type}

    response = visitor.signs_in()

    assert response.status_code == 303


@pytest.mark.parametrize(
    ("script", "code"),
    [(says(b"", 500), "provider_error"), (says(b""), "bad_token_response")],
    ids=["an error of its own", "an empty answer"],
)
def test_the_page_tells_an_error_of_the_provider_from_a_useless_answer(
    script: Script, code: str, visitor: Person, scripted: ScriptedProvider
) -> None:
    url = scripted.answers(visitor.begins())
    scripted.scripts["token"] = script

    response = visitor.sees(url.removeprefix(APP), headers={"Accept": "application/json"})

    assert response.get_json()["code"] == code


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(
    status: int, visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    scripted.scripts["token"] = says(b"", status, Location=f"{scripted.base_url}/elsewhere")

    response = visitor.signs_in()

    assert response.status_code == 502
    assert scripted.asked["elsewhere"] == 0
    assert session_records(scripted_app) == 0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("17", "17"),
        ("100000", "300"),
        ("0", "1"),
        ("soon", "5"),
        ("-3", "5"),
        ("²", "5"),
        ("", "5"),
    ],
)
def test_429_asks_the_person_to_wait_as_long_as_the_provider_says(
    header: str, seconds: str, visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.scripts["token"] = says(b"", 429, Retry_After=header)

    response = visitor.signs_in()

    assert response.status_code == 503
    assert response.headers["Retry-After"] == seconds


UNUSABLE: dict[str, dict[str, Any]] = {
    "token_type mac": {"token_type": "mac"},
    "token_type DPoP": {"token_type": "DPoP"},
    "token_type missing": {"token_type": GONE},
    "token_type null": {"token_type": None},
    "token_type a list": {"token_type": ["Bearer"]},
    "access token missing": {"access_token": GONE},
    "access token null": {"access_token": None},
    "access token empty": {"access_token": ""},
    "access token a number": {"access_token": 5},
    "access token with a space": {"access_token": "a b"},
    "access token with a line break": {"access_token": "a\r\nX: y"},
    "access token unicode": {"access_token": "é"},
    "access token of a megabyte": {"access_token": "a" * 1_000_000},
    "id token missing": {"id_token": GONE},
    "id token null": {"id_token": None},
    "id token of a megabyte": {"id_token": "a" * 1_000_000},
}


@pytest.mark.parametrize("changes", UNUSABLE.values(), ids=UNUSABLE)
def test_tokens_that_cannot_be_used_sign_nobody_in(
    changes: dict[str, Any], visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    scripted.token = changes

    response = visitor.signs_in()

    assert response.status_code == 502
    assert session_records(scripted_app) == 0


ODD: dict[str, dict[str, Any]] = {
    "token_type bearer": {"token_type": "bearer"},
    "token_type BEARER": {"token_type": "BEARER"},
    "scope missing": {"scope": GONE},
    "scope a list": {"scope": ["openid"]},
    "scope nonsense": {"scope": "\u0000 <b>"},
    "no refresh token": {"refresh_token": GONE},
    "refresh token null": {"refresh_token": None},
    "refresh token a number": {"refresh_token": 7},
    "more members": {"ext": {"a": 1}, "error": None},
}  # fmt: skip


@pytest.mark.parametrize("changes", ODD.values(), ids=ODD)
def test_odd_values_that_nothing_depends_on_are_no_error(
    changes: dict[str, Any], visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.token = changes

    response = visitor.signs_in()

    assert response.status_code == 303
    assert visitor.is_signed_in()


def test_the_request_is_sent_once_even_if_the_connection_drops(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.scripts["token"] = lambda handler: handler.connection.close()

    response = visitor.signs_in()

    assert response.status_code == 503
    assert scripted.asked["token"] == 1


@pytest.mark.parametrize(
    "changes",
    [{}, {"id_token": GONE}, {"access_token": "a b"}, {"token_type": "mac"}],
    ids=["signed in", "no ID token", "a bad access token", "a bad type"],
)
@pytest.mark.parametrize("claims", [{}, {"nonce": "x"}], ids=["right claims", "a wrong nonce"])
def test_no_secret_is_written_to_a_page_or_a_log(
    changes: dict[str, Any],
    claims: dict[str, Any],
    visitor: Person,
    scripted: ScriptedProvider,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    tokens: list[str] = []
    sign_honestly = scripted.id_token
    scripted.id_token = lambda claims: tokens.append(sign_honestly(claims)) or tokens[-1]
    scripted.token, scripted.claims = changes, claims
    url = scripted.answers(visitor.begins())

    response = visitor.comes_back(url)

    written = response.text + str(response.headers)
    written += "".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    form = scripted.forms[-1]
    secrets = [*SECRETS.values(), *tokens, form["code"], form["code_verifier"], SECRET]
    assert caplog.records
    assert not [secret for secret in [*secrets, query_of(url)["state"]] if secret in written]
