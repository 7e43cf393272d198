"""What is logged: one line a request, who signed in and out, and never a secret."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import sys
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from auth import public
from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import (
    ADA,
    APP,
    SESSION_COOKIE,
    Browser,
    Gunicorn,
    HttpBrowser,
    Person,
    Provider,
    post_logout,
    wait_for,
    workers_of,
)

REVOKED = '{"error": "invalid_grant", "error_description": "revoked by ada"}'
Lines = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str], settings: dict[str, str]) -> Lines:
    """The JSON lines since the last look, of one logger or of all that log while it serves."""

    def read(logger: str = "") -> list[dict[str, Any]]:
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        found = [line for line in found if line["logger"] != "app.start" or logger == "app.start"]
        return [line for line in found if logger in ("", line["logger"])]

    return read


def test_a_request_is_one_line_that_names_the_rule_and_not_the_url(
    lines: Lines, app: Flask
) -> None:
    Browser(app).post("/sessions/some-reference/end?token=abc")

    [line] = lines("app.requests")
    assert line["method"] == "POST"
    assert line["route"] == "/sessions/<reference>/end"
    assert line["status"] == 401
    assert line["duration_ms"] > 0
    assert line["code"] == "sign_in_needed"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["time"])
    assert line["level"] == "info"


def test_an_unknown_address_is_not_repeated(lines: Lines, app: Flask) -> None:
    Browser(app).get("/reset/secret-of-a-link")

    [line] = lines("app.requests")
    assert "route" not in line
    assert line["status"] == 404


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/static/app.css"])
def test_probes_and_the_files_of_a_page_leave_no_line(path: str, lines: Lines, app: Flask) -> None:
    Browser(app).get(path)

    assert lines("app.requests") == []


def test_the_line_of_an_error_has_the_reference_that_the_page_shows(
    lines: Lines, app: Flask
) -> None:
    page = Browser(app).get("/callback?state=nonsense")

    [line] = lines("app.errors")
    assert line["code"] == "malformed_callback"
    assert line["detail"] == "state is not one of ours"
    assert line["reference"] in page.text


def test_all_lines_of_a_request_have_its_id(lines: Lines, app: Flask) -> None:
    answer = Browser(app).get("/callback?state=nonsense")

    found = lines()
    assert len(found) == 3
    assert {line["request_id"] for line in found} == {answer.headers["X-Request-ID"]}


def test_behind_a_proxy_the_request_id_is_the_proxys(lines: Lines, make_app: MakeApp) -> None:
    app = make_app(TRUSTED_PROXY_HOPS="1")

    answer = Browser(app).get("/", headers={"X-Request-ID": "0e0d5b3c-2f6e"})

    assert answer.headers["X-Request-ID"] == "0e0d5b3c-2f6e"
    assert lines("app.requests")[0]["request_id"] == "0e0d5b3c-2f6e"


def test_without_a_proxy_nobody_chooses_the_request_id(app: Flask) -> None:
    answer = Browser(app).get("/", headers={"X-Request-ID": "0e0d5b3c-2f6e"})

    assert answer.headers["X-Request-ID"] != "0e0d5b3c-2f6e"


@pytest.mark.parametrize(
    "given",
    ["short", "a" * 65, "has a space", 'a"quoted"one', "semi;colon", "täglich-eine"],
    ids=["short", "long", "space", "quotes", "semicolon", "beyond-ascii"],
)
def test_a_malformed_request_id_is_replaced(given: str, make_app: MakeApp) -> None:
    app = make_app(TRUSTED_PROXY_HOPS="1")

    answer = Browser(app).get("/", headers={"X-Request-ID": given})

    assert re.fullmatch(r"[0-9a-f]{16}", answer.headers["X-Request-ID"])


def test_a_sessions_lines_can_be_told_from_anothers(
    lines: Lines, app: Flask, person: Person, person_at: PersonAt
) -> None:
    somebody_else = person_at(app)
    for each in (person, somebody_else):
        each.signs_in()
    lines()

    for each in (person, person, somebody_else):
        each.sees("/profile")

    first, second, third = (line["session"] for line in lines("app.requests"))
    assert first == second != third
    assert first not in str(person.browser.cookie(SESSION_COOKIE))


def test_the_audit_stream_has_sign_in_refresh_and_sign_out(
    lines: Lines, person: Person, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(3590)
    person.sees("/appointments")
    person.signs_out()

    signed_in, refresh, revoked, signed_out = lines("audit")
    assert (signed_in["event"], signed_in["sub"]) == ("signed_in", "demo|ada")
    assert (refresh["event"], refresh["outcome"]) == ("refresh", "refreshed")
    assert revoked["event"] == "revoked"
    assert (signed_out["event"], signed_out["sub"]) == ("signed_out", "demo|ada")


def test_the_audit_stream_has_a_failed_sign_in_with_its_code(lines: Lines, person: Person) -> None:
    person.signs_in(refuse="sign-in")

    [line] = lines("audit")
    assert (line["event"], line["code"]) == ("sign_in_failed", "sign_in_refused")
    assert line["level"] == "warning"


def test_the_audit_stream_has_a_refused_refresh(
    lines: Lines, person: Person, provider: Provider, clock: Clock
) -> None:
    person.signs_in()
    provider.lies(at="token", status=400, body=REVOKED)
    clock.moves(3590)

    person.sees("/appointments")

    line = lines("audit")[-1]
    assert (line["event"], line["outcome"]) == ("refresh", "refused")
    assert line["detail"] == "status 400, 'invalid_grant', 'revoked by ada'"
    assert line["level"] == "warning"


def test_an_identity_that_was_swapped_by_a_refresh_can_be_told_from_a_revoked_grant(
    lines: Lines, person: Person, provider: Provider, clock: Clock
) -> None:
    provider.options(refreshed_id_token={"sub": "somebody-else"})
    person.signs_in()
    clock.moves(3590)

    person.sees("/appointments")

    [refused] = [line for line in lines("audit") if line.get("outcome") == "refused"]
    assert refused["detail"] == "refreshed ID token: sub is not that of the sign-in"


def test_the_audit_stream_has_a_revocation_that_was_refused(
    lines: Lines, person: Person, provider: Provider
) -> None:
    person.signs_in()
    provider.lies(at="revoke", status=503, body="")

    person.signs_out()

    [line] = [line for line in lines("audit") if line["event"] == "revocation_failed"]
    assert line["detail"] == "status 503, no error named"
    assert line["level"] == "warning"


def test_the_audit_stream_has_a_back_channel_logout(
    lines: Lines, app: Flask, person: Person, provider: Provider
) -> None:
    person.signs_in()
    lines()

    post_logout(app, provider.logout_token(sub=ADA))

    [line] = [line for line in lines("audit") if line["event"] == "backchannel_logout"]
    assert line["sessions"] == 1


@pytest.mark.parametrize("way", ["LOG_FORMAT", "a terminal"])
def test_people_get_text(
    way: str,
    capsys: pytest.CaptureFixture[str],
    make_app: MakeApp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: way == "a terminal")
    app = make_app(LOG_FORMAT="text") if way == "LOG_FORMAT" else make_app()
    capsys.readouterr()

    Browser(app).get("/")

    assert re.fullmatch(r"\S+Z INFO    GET / 200 in [0-9.]+ ms\n", capsys.readouterr().out)


def test_json_can_be_had_at_a_terminal_too(
    lines: Lines, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    app = make_app(LOG_FORMAT="json")

    Browser(app).get("/")

    assert lines("app.requests")[0]["status"] == 200


def test_nobody_forges_a_line_or_rewrites_the_terminal(
    capsys: pytest.CaptureFixture[str], make_app: MakeApp
) -> None:
    make_app(LOG_FORMAT="text")
    capsys.readouterr()

    logging.getLogger("app.errors").warning("%s", "a\nb\x1b[31m\u2028é")

    assert capsys.readouterr().out.endswith("WARNING a\\nb\\x1b[31m\\u2028é\n")


def test_one_line_at_the_start_says_what_was_started(
    lines: Lines, make_app: MakeApp, provider: Provider, redis_url: str
) -> None:
    make_app(SESSION_REDIS_URL=redis_url)

    [line] = lines("app.start")
    assert line["address"] == APP
    assert line["provider"] == provider.issuer
    assert line["store"] == "Redis"
    assert "operations" in line["extras"]
    assert redis_url not in str(line)


def test_a_commands_output_is_its_own(app: Flask) -> None:
    log = logging.getLogger("app.a_command")
    app.cli.command("speak")(lambda: (print("the output"), log.warning("a warning")))

    result = app.test_cli_runner().invoke(args=["speak"])

    assert result.stdout == "the output\n"
    assert "a warning" in result.stderr


def test_a_crash_is_one_line_with_its_trace(lines: Lines, app: Flask) -> None:
    app.view_functions["pages.home"] = public(lambda: 1 // 0)

    Browser(app).get("/")

    [line] = [line for line in lines() if "exception" in line]
    assert "ZeroDivisionError" in line["exception"]
    assert line["level"] == "error"


def test_gunicorns_own_lines_are_json_too(
    capfd: pytest.CaptureFixture[str], settings: dict[str, str]
) -> None:
    with Gunicorn(settings) as gunicorn:
        [worker] = workers_of(gunicorn)
        os.kill(worker, signal.SIGKILL)
        wait_for(lambda: workers_of(gunicorn) not in ([], [worker]))

    found = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert [line["level"] for line in found if line["logger"] == "gunicorn.error"] == ["error"]


def test_gunicorn_writes_no_access_log_of_its_own(
    capfd: pytest.CaptureFixture[str], settings: dict[str, str]
) -> None:
    with Gunicorn(settings) as gunicorn:
        HttpBrowser(gunicorn.base_url, host="localhost:3000").get("/?code=abc")

    logged = capfd.readouterr()
    assert logged.out.count("GET / 200") == 1
    assert "code=abc" not in logged.out + logged.err


@pytest.mark.parametrize("server", ["gunicorn", "flask run"])
def test_an_access_log_holds_no_code_and_no_state(
    server: str, capfd: pytest.CaptureFixture[str], settings: dict[str, str]
) -> None:
    gunicorn = Gunicorn(settings, GUNICORN_CMD_ARGS="--access-logfile -")
    if server == "flask run":
        run = f"flask --app app run --port {gunicorn.port}"
        gunicorn.command = [sys.executable, "-m", *run.split()]

    with gunicorn:
        browser = HttpBrowser(gunicorn.base_url, host="localhost:3000")
        browser.get("/callback?code=the-code&state=the-state", headers={"Referer": "/?code=it"})

    logged = "".join(capfd.readouterr())
    assert logged.count("GET /callback") >= 2
    assert not re.search("the-code|the-state|code=it", logged)
