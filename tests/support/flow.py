"""What the tests of the flow share: what the page shows, and what the recorder stores."""

from __future__ import annotations

from typing import Any

from flask import Flask

from tests.support.harness import APP, SESSION_COOKIE, Person

# Fetched when first needed, and so not in every sign-in.
CACHED = {"metadata_request", "metadata_response", "keys_request", "keys_response"}
SHORT_LIVED = {"grant": "authorization_code", "json": {"expires_in": 60}}


def episodes(person: Person) -> dict[str, list[dict[str, Any]]]:
    """What the page shows: the messages by what they are part of."""
    found = person.sees("/flow", headers={"Accept": "application/json"}).json
    return {" + ".join(episode["parts"]): episode["messages"] for episode in found}


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["kind"] for message in messages if message["kind"] not in CACHED]


def the(kind: str, messages: list[dict[str, Any]]) -> dict[str, Any]:
    (message,) = [message for message in messages if message["kind"] == kind]
    return message | {
        "parameters": dict(message["parameters"]),
        "headers": dict(message["headers"]),
    }


def stored(app: Flask, person: Person) -> str:
    """All that the recorder stores for somebody, decrypted."""
    cookie = f"{SESSION_COOKIE}={person.browser.cookie(SESSION_COOKIE)}"
    with app.test_request_context("/", base_url=APP, headers={"Cookie": cookie}):
        return repr(app.extensions["flow"].episodes())
