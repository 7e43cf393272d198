"""What comes to `/callback`: RFC 6749 section 4.1.2, RFC 9207, OIDC Core section 3.1.2.5."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from tests.support.harness import APP, Person, query_of, session_records, text_of
from tests.support.scripted_provider import GONE, ScriptedProvider

UNBELIEVED: dict[str, dict[str, Any]] = {
    "no state": {"state": GONE},
    "an empty state": {"state": ""},
    "an unknown state": {"state": "A" * 43},
    "a state that is too long": {"state": "A" * 44},
    "a state of a megabyte": {"state": "A" * 8000},
    "a state of other letters": {"state": "é" * 43},
    "a state with NUL": {"state": "A" * 42 + "\0"},
    "the iss twice": {"iss": ["https://a/", "https://a/"]},
    "the code twice": {"code": ["a", "a"]},
    "the error twice": {"error": ["access_denied", "access_denied"]},
    "the error_description twice": {"error_description": ["a", "a"]},
    "no iss": {"iss": GONE},
    "an empty iss": {"iss": ""},
    "another iss": {"iss": "https://provider.invalid/"},
    "no code": {"code": GONE},
    "an empty code": {"code": ""},
    "a code that is too long": {"code": "A" * 6001},
    "a code with a line break": {"code": "a\r\nb"},
    "a code with NUL": {"code": "a\0"},
}


@pytest.mark.parametrize("parameters", UNBELIEVED.values(), ids=UNBELIEVED)
def test_a_response_that_is_not_believed_is_not_used(
    parameters: dict[str, Any], visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    url = scripted.answers(visitor.begins("/login?return_to=/profile"), **parameters)

    response = visitor.comes_back(url)

    assert response.status_code == 400
    assert "<h1" in response.text
    assert scripted.asked["token"] == 0
    assert session_records(scripted_app) == 0


def test_our_own_state_twice_is_not_believed(visitor: Person, scripted: ScriptedProvider) -> None:
    url = visitor.begins()
    state = query_of(url)["state"]

    response = visitor.comes_back(scripted.answers(url, state=[state, state]))

    assert response.status_code == 400
    assert scripted.asked["token"] == 0


@pytest.mark.parametrize("state", [GONE, "A" * 42], ids=["missing", "cut"])
def test_a_state_that_cannot_be_ours_is_called_damaged(
    state: Any, visitor: Person, scripted: ScriptedProvider
) -> None:
    url = scripted.answers(visitor.begins(), state=state).removeprefix(APP)

    response = visitor.sees(url, headers={"Accept": "application/json"})

    assert response.get_json()["code"] == "malformed_callback"


@pytest.mark.parametrize("ending", ["", "x"], ids=["without its slash", "with more behind"])
def test_iss_is_compared_exactly(ending: str, visitor: Person, scripted: ScriptedProvider) -> None:
    url = scripted.answers(visitor.begins(), iss=scripted.base_url + ending)

    response = visitor.comes_back(url)

    assert response.status_code == 400
    assert scripted.asked["token"] == 0


@pytest.mark.parametrize("promise", [GONE, False, "true", None], ids=str)
def test_iss_may_be_missing_where_nobody_promised_it(
    promise: Any, visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.metadata = {"authorization_response_iss_parameter_supported": promise}

    response = visitor.signs_in(iss=GONE)

    assert response.status_code == 303


def test_a_wrong_iss_is_refused_where_nobody_promised_it(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    scripted.metadata = {"authorization_response_iss_parameter_supported": GONE}

    response = visitor.signs_in(iss="https://provider.invalid/")

    assert response.status_code == 400
    assert scripted.asked["token"] == 0


ERRORS = {
    "access_denied": 403, "login_required": 401, "consent_required": 401,
    "interaction_required": 401, "account_selection_required": 401, "server_error": 502,
    "temporarily_unavailable": 503, "invalid_request": 502, "unauthorized_client": 502,
    "unsupported_response_type": 502, "invalid_scope": 502, "unauthorized": 403, "": 403,
    "<script>": 403,
}  # fmt: skip


@pytest.mark.parametrize(("error", "status"), ERRORS.items())
def test_an_error_is_a_page_that_leads_back_to_where_they_wanted_to_go(
    error: str, status: int, visitor: Person, scripted: ScriptedProvider
) -> None:
    url = visitor.begins("/login?return_to=/appointments")

    response = visitor.comes_back(scripted.answers(url, code=GONE, error=error))

    assert response.status_code == status
    assert "/login?return_to=/appointments" in response.text
    assert scripted.asked["token"] == 0


def test_an_error_beside_a_code_is_an_error(visitor: Person, scripted: ScriptedProvider) -> None:
    response = visitor.signs_in(error="access_denied")

    assert response.status_code == 403
    assert scripted.asked["token"] == 0


@pytest.mark.parametrize("state", ["A" * 43, "", GONE], ids=["unknown", "empty", "missing"])
def test_an_error_is_believed_only_after_the_state(
    state: Any, visitor: Person, scripted: ScriptedProvider
) -> None:
    url = visitor.begins()
    forged = scripted.answers(url, code=GONE, error="access_denied", state=state)

    page = visitor.comes_back(forged)

    assert page.status_code == 400
    assert visitor.comes_back(scripted.answers(url)).status_code == 303  # still open


def test_an_error_is_believed_only_after_the_issuer(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    response = visitor.signs_in(code=GONE, error="access_denied", iss="https://provider.invalid/")

    assert response.status_code == 400


def test_parameters_that_nobody_asked_for_are_ignored(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    response = visitor.signs_in(session_state="x", id_token=["x", "y"], scope="root", token="t")

    assert response.status_code == 303
    assert response.headers["Location"] == "/"


@pytest.mark.parametrize(
    ("headers", "status"),
    [({}, 405), ({"Origin": "https://provider.invalid", "Sec-Fetch-Site": "cross-site"}, None)],
    ids=["by a program", "by a browser"],
)
def test_a_response_by_form_post_is_a_page(
    headers: dict[str, str],
    status: int | None,
    visitor: Person,
    scripted_app: Flask,
    scripted: ScriptedProvider,
) -> None:
    url = urlsplit(scripted.answers(visitor.begins()))

    response = visitor.browser.post(
        "/callback",
        data=url.query,
        content_type="application/x-www-form-urlencoded",
        headers=headers,
    )

    assert response.status_code in ((status,) if status else (403, 405))
    assert "<h1" in response.text
    assert scripted.asked["token"] == 0
    assert session_records(scripted_app) == 0


def test_a_refused_person_is_offered_another_account(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    url = visitor.begins("/login?return_to=/profile")

    page = visitor.comes_back(scripted.answers(url, code=GONE, error="unauthorized"))

    assert "This account cannot be used here" in text_of(page)
    assert "/login?return_to=/profile&amp;prompt=login" in page.text


@pytest.mark.parametrize(
    "parameters",
    [{"iss": "https://provider.invalid/"}, {"code": GONE, "error": "server_error"}],
    ids=["a wrong iss", "an error"],
)
def test_a_failed_sign_in_loses_no_earlier_session(
    parameters: dict[str, Any], visitor: Person, scripted: ScriptedProvider
) -> None:
    visitor.signs_in()

    visitor.comes_back(scripted.answers(visitor.begins(), **parameters))

    assert visitor.is_signed_in()
