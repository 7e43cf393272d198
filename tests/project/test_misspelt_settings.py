"""A variable that nobody reads is named when the app starts, so that a misspelt one is found."""

from __future__ import annotations

import pytest

from tests.conftest import MakeApp


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("AUTH0_CLIENTID", ". Meant: AUTH0_CLIENT_ID?"),
        ("AUTH0_CLIENT_SECRETS", ". Meant: AUTH0_CLIENT_SECRET?"),
        ("SESSION_REDIS_ULR", ". Meant: SESSION_REDIS_URL?"),
        ("AUTH0_OF_ANOTHER_TOOL", ""),
    ],
)
def test_a_variable_that_looks_like_a_setting_is_named_at_start(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture, name: str, said: str
) -> None:
    make_app(**{name: "a-secret"})

    [line] = warnings(caplog)
    assert line == f"Unknown setting {name}; ignored{said}"
    assert "a-secret" not in caplog.text


def test_nothing_is_said_of_settings_and_of_what_resembles_none(
    make_app: MakeApp, caplog: pytest.LogCaptureFixture
) -> None:
    make_app(REDIS_URL="x", BASE_URL="x", APP_NAME="x", LOG_LEVEL="x", SHOW_FLOW_IN_PUBLIC="1")

    assert warnings(caplog) == []


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
