"""One table of errors: what the person reads, what the log says, and the way on."""

from __future__ import annotations

import html
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from auth import Error, public
from auth.errors import PAGES
from auth.token_set import SignIn
from tests.conftest import MakeApp
from tests.support.harness import (
    ADA,
    APP_SECRET_KEY,
    ROOT,
    SECRET,
    Api,
    Browser,
    Person,
    Provider,
    query_of,
    text_of,
)

JSON = {"Accept": "application/json"}
JARGON = re.compile(
    r"oauth|openid|nonce|callback|invalid_|_|exception|traceback|http|json|null|token"
    r"|your (fault|mistake)|you (failed|forgot)|illegal|!",
    re.IGNORECASE,
)
# Read by the people who run the app, or by the provider's.
FOR_OPERATORS = {"api_not_configured", "metadata_of_all_tenants", "bad_logout_token"}


@pytest.fixture
def failing(make_app: MakeApp) -> Flask:
    """An app with a page that fails in each of the ways that the table knows."""
    app = make_app()

    @app.get("/fails/<code>")
    @public
    def fails(code: str) -> str:
        raise Error(code, "what the log has to know", scope="one:more", retry_after=7)

    return app


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """Everything that is logged, by whomever."""
    caplog.set_level(logging.DEBUG)
    return caplog


def test_a_page_says_what_happened_and_what_to_do(failing: Flask) -> None:
    for code, expected in PAGES.items():
        page = Browser(failing).get(f"/fails/{code}")

        words = text_of(page)
        assert page.status_code == expected.status, code
        assert page.mimetype == "text/html", code
        assert str(expected.title) in words
        assert str(expected.text) in words
        assert page.text.count("<h1>") == 1, code
        assert f"<title>{html.escape(str(expected.title), quote=False)}" in page.text
        shown = re.sub(r'(href|action)="[^"]*"', "", page.text)
        assert "what the log has to know" not in shown, code
        assert code not in shown


def test_the_words_are_plain() -> None:
    for code, expected in PAGES.items():
        assert 400 <= expected.status < 600, code
        assert str(expected.title) == str(expected.title).strip(".")
        assert str(expected.text).endswith(".")
        if code not in FOR_OPERATORS:
            assert not JARGON.search(f"{expected.title} {expected.text}")


def test_the_page_has_a_reference_that_the_log_has_too(
    failing: Flask, log: pytest.LogCaptureFixture
) -> None:
    for code, expected in PAGES.items():
        page = Browser(failing).get(f"/fails/{code}")

        reference = reference_in(page)
        (line,) = [record for record in log.records if reference in record.getMessage()]
        assert code in line.getMessage()
        assert "what the log has to know" in line.getMessage()
        assert line.levelno >= (logging.ERROR if expected.status >= 500 else logging.WARNING), code


def test_every_page_has_a_way_on_that_works(failing: Flask) -> None:
    browser = Browser(failing)
    for code in PAGES:
        page = browser.get(f"/fails/{code}")

        ways = re.findall(r'<li><a[^>]* href="([^"]*)"', page.text.partition("<main")[2])

        assert ways, code
        for way in map(html.unescape, ways):
            if way != f"/fails/{code}":  # "try again" of a page that always fails
                assert browser.get(way).status_code in (200, 302), (code, way)


def test_json_has_the_same_in_the_form_of_rfc_9457(failing: Flask) -> None:
    for code, expected in PAGES.items():
        answer = Browser(failing).get(f"/fails/{code}", headers=JSON)

        assert answer.status_code == answer.json["status"] == expected.status, code
        assert answer.mimetype == "application/problem+json", code
        assert answer.json["title"] == expected.title
        assert {"type", "detail"} <= set(answer.json), code
        assert answer.json["code"] == code
        assert re.fullmatch("[0-9a-f]{12}", answer.json["reference"]), code
        assert "what the log has to know" not in answer.text, code


def test_every_error_that_the_code_raises_is_in_the_table_and_the_other_way_round() -> None:
    files = [path for name in ("auth", "pages") for path in Path(ROOT / name).glob("*.py")]
    table = re.compile(r"^PAGES = \{.*?^\}", re.MULTILINE | re.DOTALL)
    text = table.sub("", "".join(path.read_text() for path in files))
    raised = set(re.findall(r'\b(?:Error|SignInNeeded)\(\s*"([a-z_]+)"', text))

    assert raised <= set(PAGES)
    assert [code for code in PAGES if f'"{code}"' not in text] == []


# What is said by others


def test_error_description_is_in_the_log_and_nowhere_else(
    person: Person, provider: Provider, log: pytest.LogCaptureFixture
) -> None:
    provider.lies("error_answer")

    page = person.signs_in()

    assert page.status_code == 502
    assert "fire" not in page.text
    assert any("on <b>fire</b>" in record.getMessage() for record in log.records)


def test_what_others_say_cannot_write_log_lines_of_its_own(
    person: Person, log: pytest.LogCaptureFixture
) -> None:
    state = query_of(person.begins())["state"]
    iss = person.browser.client.application.extensions["relying_party"].settings.issuer
    answer = {"state": state, "iss": iss, "error": "x\nERROR forged", "error_description": "a\r\nb"}

    person.sees("/callback", query_string=answer)

    lines = [record.getMessage() for record in log.records if record.name == "app.errors"]
    assert lines
    assert not any("\n" in line or "\r" in line for line in lines)


# What nobody expected


@pytest.fixture
def broken(make_app: MakeApp) -> Flask:
    app = make_app()

    @app.get("/broken")
    @public
    def broken() -> str:
        raise RuntimeError("a secret of ours")

    return app


@pytest.mark.parametrize("headers", [{}, JSON], ids=["page", "JSON"])
def test_an_unexpected_failure_is_a_page_too_and_its_trace_is_in_the_log(
    broken: Flask, log: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    page = Browser(broken).get("/broken", headers=headers)

    assert page.status_code == 500
    assert "Something went wrong here" in page.text
    for inside in ("secret", "Traceback", "RuntimeError", ".py"):
        assert inside not in page.text
    assert any(record.exc_info for record in log.records)


# Secrets


def test_the_whole_flow_and_its_failures_log_no_secret(
    app: Flask, person: Person, provider: Provider, api: Api, log: pytest.LogCaptureFixture
) -> None:
    address = person.begins("/login?return_to=/profile&login_hint=ada@example.com")
    callback = person.provider.answers(address)
    cookies = list(person.browser.cookies().values())
    person.comes_back(callback)
    cookies += person.browser.cookies().values()
    tokens = stored_tokens(app)
    api.lies("api_401")
    person.sees("/appointments")
    tokens |= stored_tokens(app)
    person.comes_back(callback)
    provider.lies("token_500")
    failed = person.signs_in()
    api.lies("api_500")
    person.sees("/appointments")
    person.signs_out()

    logged = "\n".join(
        f"{record.getMessage()} {record.__dict__}"
        for record in log.records
        if "/authorize?" not in record.getMessage()  # the person's own request, in this process
    )
    assert failed.status_code == 502
    assert len(tokens) == 6
    secrets = {query_of(address)[name] for name in ("state", "nonce", "login_hint")}
    for secret in (*cookies, *tokens, *secrets, query_of(callback)["code"], SECRET, APP_SECRET_KEY):
        assert secret not in logged


def stored_tokens(app: Flask) -> set[str]:
    interface: Any = app.session_interface
    found = interface.records.all_with(app.extensions["relying_party"].ref("sub", ADA))
    return {
        token
        for session in found
        if (sign_in := SignIn.from_session(session.data))
        for tokens in sign_in.token_sets.values()
        for token in (tokens.access_token, str(tokens.refresh_token), sign_in.id_token)
    }


def reference_in(page: Any) -> str:
    match = re.search(r"<code>([0-9a-f]{12})</code>", page.text)
    assert match, page.text
    return match[1]
