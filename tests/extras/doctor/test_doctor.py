"""The doctor on the settings, one fault at a time, and how it says what it found."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.doctor import Examined
from tests.support.harness import APP_SECRET_KEY, ROOT, SECRET, Api, Provider, environment

CALLBACK = "http://localhost:3000/callback"


def test_nothing_is_wrong_with_the_demo(app: Flask) -> None:
    examined = Examined(app)

    assert examined.wrong() == set()
    assert examined.exit_code == 0
    assert f"ok {CALLBACK} is accepted" in examined.of("redirect URI")
    assert examined.of("audience").startswith("ok")
    assert "ok the client may exchange them" in examined.of("refresh token")
    assert examined.of("API").count("demands an access token") == 2


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
        ({"CONTACTS_AUDIENCE": "nothing:api"}, "audience", "nothing:api is refused"),
        (
            {"AUTH0_ORGANIZATION": "nobody"},
            "organization",
            "nobody is refused ('invalid_request unknown organization')",
        ),
        ({"API_BASE_URL": "http://localhost:9"}, "API", "does not answer"),
        ({"API_BASE_URL": "{api}/v7"}, "API", "/v7/appointments does not exist"),
        ({"AUTH0_DOMAIN": "http://localhost:9"}, "issuer", "HTTPS_PROXY, a firewall"),
        ({"AUTH0_DOMAIN": "{issuer}authorize"}, "issuer", "AUTH0_DOMAIN='{issuer}'"),
        ({"AUTH0_DOMAIN": "{issuer}a/b/"}, "issuer", "AUTH0_DOMAIN='{issuer}'"),
        ({"AUTH0_DOMAIN": "{unslashed}"}, "issuer", "AUTH0_DOMAIN='{issuer}'"),
        ({"APP_BASE_URL": "http://app.invalid"}, "public address", "APP_BASE_URL=https://"),
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

    examined = Examined(make_app(**changed))

    assert examined.exit_code == 1
    assert subject in examined.wrong()
    assert words.format(**known) in examined.of(subject)


def test_no_secret_is_ever_said(make_app: MakeApp) -> None:
    runner = make_app().test_cli_runner()

    results = [runner.invoke(args=["doctor", *options]) for options in ([], ["--json"])]
    said = "".join(result.stdout + result.stderr for result in results)

    assert "redirect URI" in said
    assert SECRET not in said
    assert APP_SECRET_KEY not in said


def test_a_person_reads_lines_with_a_sum_at_the_end(make_app: MakeApp) -> None:
    result = make_app(API_BASE_URL="http://localhost:9").test_cli_runner().invoke(args=["doctor"])

    assert re.search(r"^ok     redirect URI +http://localhost:3000/callback", result.stdout, re.M)
    assert re.search(r"^wrong  API .*\n +Change: API_BASE_URL$", result.stdout, re.M)
    assert re.search(r"\n\n2 to change, \d+ to know, \d+ right\.\n$", result.stdout)


def test_with_bad_settings_it_says_what_to_write(settings: dict[str, str]) -> None:
    with environment({**settings, "APP_SECRET_KEY": "short", "AUTH0_DOMAIN": ""}):
        result = subprocess.run(
            [sys.executable, "-m", "flask", "--app", "app", "doctor"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    said = result.stdout + result.stderr
    assert result.returncode == 1
    assert "APP_SECRET_KEY has a key of 5 characters; it needs at least 32" in said
    assert "AUTH0_DOMAIN is not set" in said
    assert "Traceback" not in said


def test_with_bad_settings_a_script_reads_json_all_the_same(settings: dict[str, str]) -> None:
    with environment({**settings, "APP_SECRET_KEY": "short"}):
        result = subprocess.run(
            [sys.executable, "-m", "extras.doctor", "--json"],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )

    line = json.loads(result.stdout)["findings"][0]
    assert (line["verdict"], line["subject"]) == ("wrong", "settings")
    assert line["change"].startswith("write the output of: python3 -c")


def test_json_is_all_that_a_script_reads(settings: dict[str, str]) -> None:
    with environment({**settings, "AUTH0_CLIENT_NAME": "no setting"}):
        result = subprocess.run(
            [sys.executable, "-m", "extras.doctor", "--json"],
            cwd=ROOT,
            capture_output=True,
            check=False,
        )

    assert json.loads(result.stdout)["ok"]
    assert b"AUTH0_CLIENT_NAME" in result.stderr


def test_somebody_who_reads_only_the_first_line_sees_no_traceback(
    settings: dict[str, str],
) -> None:
    with environment(settings):
        result = subprocess.run(
            ["sh", "-c", f"{sys.executable} -m extras.doctor | head -n 1"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    assert result.stdout == "ok     settings               every variable can be read\n"
    assert result.stderr == ""


def test_what_is_refused_on_the_way_is_no_line_of_the_log(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    app = make_app(AUTH0_CLIENT_SECRET="another-secret")
    caplog.clear()

    Examined(app)

    assert caplog.records == []
