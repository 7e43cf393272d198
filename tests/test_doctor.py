"""The doctor on settings and provider: one fault at a time, and what is said of it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask import Flask

from .conftest import Clock, MakeApp
from .harness import APP_SECRET_KEY, ROOT, SECRET, Api, Provider, environment
from .scripted_provider import ScriptedProvider, says

CALLBACK = "http://localhost:3000/callback"


class Told:
    """What the doctor said of an app."""

    def __init__(self, app: Flask) -> None:
        result = app.test_cli_runner().invoke(args=["doctor", "--json"])
        assert result.exit_code in (0, 1), result.output
        said = json.loads(result.output)
        self.exit_code, self.lines = result.exit_code, said["lines"]
        assert said["ok"] is (self.exit_code == 0)

    def of(self, subject: str) -> str:
        """The lines on a subject, verdicts first."""
        said = [line for line in self.lines if line["subject"] == subject]
        return "\n".join(" ".join((each["verdict"], each["text"], each["change"])) for each in said)

    def wrong(self) -> set[str]:
        return {line["subject"] for line in self.lines if line["verdict"] == "wrong"}


def test_nothing_is_wrong_with_the_demo(app: Flask) -> None:
    told = Told(app)

    assert told.wrong() == set()
    assert told.exit_code == 0
    assert "S256" in told.of("PKCE")
    assert f"ok {CALLBACK} is accepted" in told.of("redirect URI")
    assert told.of("audience").startswith("ok")
    assert "ok the client may exchange them" in told.of("refresh token")
    assert told.of("API").count("demands an access token") == 2


@pytest.mark.parametrize(
    ("settings_changed", "subject", "words"),
    [
        (
            {"AUTH0_CLIENT_SECRET": "another-secret"},
            "client authentication",
            "Settings → Client ID and Client Secret",
        ),
        ({"AUTH0_CLIENT_ID": "nobody"}, "client authentication", "AUTH0_CLIENT_ID and"),
        (
            {"APP_BASE_URL": "http://localhost:3999"},
            "redirect URI",
            "Allowed Callback URLs: add http://localhost:3999/callback",
        ),
        (
            {"APP_BASE_URL": "http://localhost:3999"},
            "logout URI",
            "Allowed Logout URLs: add http://localhost:3999/",
        ),
        ({"AUTH0_AUDIENCE": "nothing:api"}, "audience", "APIs → Create API → Identifier"),
        ({"CONTACTS_AUDIENCE": "nothing:api"}, "audience", "nothing:api is not known"),
        (
            {"AUTH0_ORGANIZATION": "nobody"},
            "authorization request",
            "invalid_request unknown organization",
        ),
        ({"API_BASE_URL": "http://localhost:9"}, "API", "does not answer"),
        ({"API_BASE_URL": "{api}/v7"}, "API", "/v7/appointments does not exist"),
        ({"AUTH0_DOMAIN": "http://localhost:9"}, "issuer", "HTTPS_PROXY, a firewall"),
        ({"AUTH0_DOMAIN": "{issuer}elsewhere/"}, "issuer", "no provider metadata (status 404)"),
        ({"AUTH0_DOMAIN": "{unslashed}"}, "issuer", "Change this to: AUTH0_DOMAIN='{issuer}'"),
        ({"APP_BASE_URL": "http://app.invalid"}, "public address", "APP_BASE_URL=https://"),
        ({"APP_BASE_URL": "http://app.invalid"}, "cookies", "neither Secure nor __Host-"),
        ({"APP_BASE_URL": "https://app.invalid"}, "provider", "is on this machine"),
        (
            {"APP_BASE_URL": "https://app.invalid", "APP_SECRET_KEY": "secret" * 8},
            "secret key",
            "repeats few characters",
        ),
    ],
)
def test_a_wrong_setting_is_found_and_explained(
    make_app: MakeApp,
    provider: Provider,
    api: Api,
    settings_changed: dict[str, str],
    subject: str,
    words: str,
) -> None:
    known = {"api": api.base_url, "issuer": provider.issuer, "unslashed": provider.issuer[:-1]}
    changed = {name: value.format(**known) for name, value in settings_changed.items()}
    if "CONTACTS_AUDIENCE" in changed:
        changed["CONTACTS_API_BASE_URL"] = api.base_url

    told = Told(make_app(**changed))

    assert told.exit_code == 1
    assert subject in told.wrong()
    assert words.format(**known).removeprefix("Change this to: ") in told.of(subject)


@pytest.mark.parametrize(
    ("metadata", "subject", "verdict", "words"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE", "note", "lacks S256"),
        ({"code_challenge_methods_supported": None}, "PKCE", "note", "does not mention"),
        (
            {"end_session_endpoint": None},
            "logout endpoint",
            "note",
            "RP-Initiated Logout End Session Endpoint Discovery: on",
        ),
        (
            {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
            "client authentication",
            "wrong",
            "Authentication Method: client_secret_post",
        ),
        (
            {"grant_types_supported": ["authorization_code"]},
            "refresh token",
            "wrong",
            "Grant Types: Refresh Token",
        ),
        ({"scopes_supported": ["openid"]}, "refresh token", "note", "access_type=offline"),
        (
            {"id_token_signing_alg_values_supported": ["HS256"]},
            "signatures",
            "wrong",
            "JSON Web Token (JWT) Signature Algorithm: RS256",
        ),
        ({"jwks_uri": None}, "endpoints", "wrong", "jwks_uri is missing"),
        ({"backchannel_logout_supported": None}, "back-channel logout", "note", "not offered"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_the_metadata_says_is_read(
    app: Flask,
    provider: Provider,
    metadata: dict[str, Any],
    subject: str,
    verdict: str,
    words: str,
) -> None:
    provider.options(metadata=metadata)

    told = Told(app)

    assert told.of(subject).startswith(verdict)
    assert words in told.of(subject)


@pytest.mark.parametrize(
    "changed",
    [{"AUTH0_CLIENT_SECRET": "another-secret"}, {"AUTH0_CLIENT_ID": "nobody"}],
    ids=["the secret", "the id"],
)
def test_a_client_that_is_refused_is_the_one_thing_that_is_wrong(
    make_app: MakeApp, changed: dict[str, str]
) -> None:
    told = Told(make_app(**changed))

    assert told.wrong() == {"client authentication"}
    assert "come when the client is accepted" in told.of("more")


def test_a_refresh_that_the_client_may_not_do_is_found(app: Flask, provider: Provider) -> None:
    refused = '{"error": "unauthorized_client"}'
    provider.lies(grant="refresh_token", status=403, body=refused, times=0)

    assert "Grant Types: Refresh Token" in Told(app).of("refresh token")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 400, "body": '{"error": "unsupported_grant_type"}'}, "wrong the grant is"),
        ({"status": 500, "body": ""}, "note could not be tried"),
        ({"status": 200, "body": ""}, "note could not be tried"),
    ],
    ids=["not supported", "broken", "nonsense"],
)
def test_the_answer_to_the_refresh_is_explained(
    app: Flask, provider: Provider, fault: dict[str, Any], said: str
) -> None:
    provider.lies(grant="refresh_token", times=0, **fault)

    assert Told(app).of("refresh token").startswith(said)


def test_a_token_endpoint_that_is_broken_is_not_called_a_wrong_secret(
    app: Flask, provider: Provider
) -> None:
    provider.lies(grant="authorization_code", status=500, body="", times=0)

    assert Told(app).of("client authentication").startswith("note client_secret_post could not")


def test_an_endpoint_that_does_not_answer_is_found(app: Flask, provider: Provider) -> None:
    provider.lies(at="authorize", drop=True, times=0)

    assert Told(app).of("authorization").startswith("wrong no answer")


def test_a_provider_that_does_not_answer_is_asked_no_more(make_app: MakeApp) -> None:
    told = Told(make_app(AUTH0_DOMAIN="http://localhost:9"))

    assert told.of("redirect URI") == told.of("refresh token") == told.of("PKCE") == ""


def test_scopes_without_offline_access_are_mentioned(make_app: MakeApp) -> None:
    told = Told(make_app(AUTH0_SCOPE="openid appointments contacts"))

    assert "AUTH0_SCOPE: add offline_access" in told.of("refresh token")


def test_no_audience_is_mentioned(make_app: MakeApp) -> None:
    assert "good for /userinfo only" in Told(make_app(AUTH0_AUDIENCE="")).of("audience")


def test_a_clock_that_is_wrong_is_found(app: Flask, clock: Clock) -> None:
    clock.moves(300)

    said = Told(app).of("clock")

    assert said.startswith("wrong this machine is ")
    assert "s ahead of the provider" in said


def test_a_clock_that_is_behind_is_called_so(app: Flask, clock: Clock) -> None:
    clock.moves(-300)

    assert "s behind the provider" in Told(app).of("clock")


def test_a_provider_that_does_not_say_what_time_it_is_is_no_fault(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    def without_date(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        handler.end_headers()
        handler.wfile.write(json.dumps(scripted._metadata()).encode())

    scripted.scripts["openid-configuration"] = without_date

    assert (
        Told(make_app(AUTH0_DOMAIN=scripted.issuer))
        .of("clock")
        .startswith("note the provider does not say")
    )


def test_another_providers_logout_may_want_an_id_token_so_it_cannot_be_told(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    scripted.metadata["end_session_endpoint"] = f"{scripted.base_url}/end-session"
    scripted.scripts["end-session"] = says(b"", 400)

    told = Told(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert told.of("logout URI").startswith("note cannot be told (status 400)")


def test_another_provider_is_spoken_of_in_the_words_of_the_specifications(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    told = Told(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert told.of("redirect URI").startswith("wrong")
    assert "the client's redirect URIs" in told.of("redirect URI")
    assert told.of("logout endpoint").startswith("wrong there is none RP-initiated logout")
    assert "Applications →" not in json.dumps(told.lines, ensure_ascii=False)


@pytest.mark.parametrize(
    ("location", "subject", "said"),
    [
        ("http://localhost:9/oops", "redirect URI", "note cannot be told"),
        (f"{CALLBACK}?error=invalid_scope", "authorization request", "AUTH0_SCOPE"),
        (f"{CALLBACK}?error=unauthorized_client", "authorization request", "grant types"),
        (f"{CALLBACK}?error=invalid_target", "audience", "is not known"),
        (f"{CALLBACK}?error=login_required", "audience", "note appointments:api was not refused"),
        (f"{CALLBACK}?error=x&error_description=%1b[31m", "authorization request", "\\x1b[31m"),
    ],
    ids=["elsewhere", "scope", "grant", "target", "not looked at", "control characters"],
)
def test_the_answer_to_the_authorization_request_is_explained(
    make_app: MakeApp, scripted: ScriptedProvider, location: str, subject: str, said: str
) -> None:
    scripted.scripts["authorize"] = says(b"", 302, Location=location)

    assert said in Told(make_app(AUTH0_DOMAIN=scripted.issuer)).of(subject)


def test_no_secret_is_ever_said(make_app: MakeApp) -> None:
    runner = make_app().test_cli_runner()

    said = runner.invoke(args=["doctor"]).output + runner.invoke(args=["doctor", "--json"]).output

    assert "redirect URI" in said
    assert SECRET not in said
    assert APP_SECRET_KEY not in said


def test_a_person_is_told_in_lines_with_a_sum_at_the_end(make_app: MakeApp) -> None:
    result = make_app(API_BASE_URL="http://localhost:9").test_cli_runner().invoke(args=["doctor"])

    assert re.search(r"^ok     redirect URI +http://localhost:3000/callback", result.output, re.M)
    assert re.search(r"^wrong  API .*\n +Change: API_BASE_URL$", result.output, re.M)
    assert re.search(r"\n\n2 to change, \d+ to know, \d+ right\.\n$", result.output)


@pytest.mark.parametrize(
    "command",
    [["doctor"], ["flask", "--app", "app", "doctor"]],
    ids=["python -m doctor", "flask doctor"],
)
def test_with_bad_settings_it_says_what_to_write(
    settings: dict[str, str], command: list[str]
) -> None:
    with environment({**settings, "APP_SECRET_KEY": "short", "AUTH0_DOMAIN": ""}):
        result = subprocess.run(
            [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True, check=False
        )

    said = result.stdout + result.stderr
    assert result.returncode == 1
    assert "APP_SECRET_KEY has a key of 5 characters; it needs at least 32" in said
    assert "AUTH0_DOMAIN is not set" in said
    assert "Traceback" not in said


def test_with_bad_settings_a_script_reads_json_all_the_same(settings: dict[str, str]) -> None:
    with environment({**settings, "APP_SECRET_KEY": "short"}):
        result = subprocess.run(
            [sys.executable, "-m", "doctor", "--json"], cwd=ROOT, capture_output=True, check=False
        )

    line = json.loads(result.stdout)["lines"][0]
    assert (line["verdict"], line["subject"]) == ("wrong", "settings")
    assert line["change"].startswith("the output of: python3 -c")
