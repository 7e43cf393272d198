"""The doctor on the settings, one fault at a time, and how it says what it found."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.harness import APP_SECRET_KEY, ROOT, SECRET, Api, Provider, environment

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


def test_scopes_without_offline_access_are_mentioned(make_app: MakeApp) -> None:
    told = Told(make_app(AUTH0_SCOPE="openid appointments contacts"))

    assert "AUTH0_SCOPE: add offline_access" in told.of("refresh token")


def test_no_audience_is_mentioned(make_app: MakeApp) -> None:
    assert "good for /userinfo only" in Told(make_app(AUTH0_AUDIENCE="")).of("audience")


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
