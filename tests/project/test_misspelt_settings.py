"""A variable that nobody reads is named when the app starts, so that a misspelt one is found."""

from __future__ import annotations

import json

import pytest

from tests.conftest import MakeApp


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("AUTH0_CLIENTID", " Meant: AUTH0_CLIENT_ID?"),
        ("AUTH0_CLIENT_SECRETS", " Meant: AUTH0_CLIENT_SECRET?"),
        ("SESSION_REDIS_ULR", " Meant: SESSION_REDIS_URL?"),
        ("AUTH0_OF_ANOTHER_TOOL", ""),
    ],
)
def test_a_variable_that_looks_like_a_setting_is_named_at_start(
    make_app: MakeApp, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    make_app(**{name: "a-secret"})

    [line] = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert line["level"] == "warning"
    nearest = f".{said}" if said else ""
    assert line["message"] == f"{name} is no setting of this app and is ignored{nearest}"


def test_nothing_is_said_of_settings_and_of_what_resembles_none(
    make_app: MakeApp, capsys: pytest.CaptureFixture[str]
) -> None:
    make_app(REDIS_URL="x", BASE_URL="x", APP_NAME="x", LOG_LEVEL="x", SHOW_FLOW_IN_PUBLIC="1")

    assert capsys.readouterr().out == ""
