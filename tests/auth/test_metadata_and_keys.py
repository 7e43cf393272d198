"""The provider's metadata (OIDC Discovery 1.0) and its keys (RFC 7517): fetched and cached."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp, StillClock
from tests.support.harness import Person, session_records
from tests.support.scripted_provider import (
    GONE,
    Handler,
    Script,
    ScriptedProvider,
    says,
    send,
    visitor_of,
)

METADATA = "openid-configuration"
NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


BAD_METADATA: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://provider.invalid/"},
    "the issuer without its slash": {"issuer": "{base_url}"},
    "no issuer": {"issuer": GONE},
    "an issuer in a list": {"issuer": ["{base_url}/"]},
    **{
        f"{word} authorization_endpoint": {"authorization_endpoint": value}
        for word, value in {
            "a javascript": "javascript:alert(1)", "a relative": "/x", "a number as": 5,
            "a broken": "https://[x", "an ftp": "ftp://a/b", "a spaced": "https://a b/",
            "an impossible port": "https://a:99999/", "a lookalike": "http://localhost.example/",
        }.items()
    },
    **{f"no {name}": {name: GONE} for name in NEEDED},
    **{
        f"http {name}": {name: "http://provider.example/x"}
        for name in (*NEEDED, "end_session_endpoint", "revocation_endpoint")
    },
}  # fmt: skip


@pytest.mark.parametrize("metadata", BAD_METADATA.values(), ids=BAD_METADATA)
def test_bad_metadata_sends_nobody_anywhere(
    metadata: dict[str, Any], visitor: Person, scripted: ScriptedProvider
) -> None:
    def filled(value: Any) -> Any:
        if isinstance(value, list):
            return [filled(each) for each in value]
        return value.replace("{base_url}", scripted.base_url) if isinstance(value, str) else value

    scripted.metadata = {name: filled(value) for name, value in metadata.items()}

    response = visitor.sees("/login")

    assert response.status_code == 502
    assert "Location" not in response.headers


@pytest.mark.parametrize(
    ("issuer", "status"),
    [
        ("{base_url}/another/name", 303),
        ("https://provider.invalid/", 502),
        ("{base_url}.invalid/", 502),
        ("https://[half", 502),
    ],
    ids=["of the same origin", "of another", "of one that begins like it", "of none"],
)
def test_the_metadatas_own_address_is_good_for_an_issuer_of_the_same_origin(
    issuer: str, status: int, make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    app = make_app(AUTH0_DOMAIN=f"{scripted.base_url}/.well-known/openid-configuration")
    scripted.issuer = issuer.format(base_url=scripted.base_url)
    visitor = visitor_of(app, scripted)

    response = visitor.sees("/login") if status == 502 else visitor.signs_in()

    assert response.status_code == status


BAD_ANSWERS: dict[str, tuple[Script, int]] = {
    "404": (says(b"", 404), 502),
    "500": (says(b"", 500), 503),
    "429": (says(b"", 429), 503),
    "a redirect": (says(b"", 302, Location="/elsewhere"), 502),
    "HTML": (says(b"<h1>", 200, "text/html"), 502),
    "nothing": (says(b""), 502),
    "a list": (says(b"[]"), 502),
    "nested too deeply": (says(b"[" * 100_000), 502),
    "too much": (says(b" " * 5_000_000), 502),
    "a dropped connection": (lambda handler: handler.connection.close(), 503),
}


@pytest.mark.parametrize("place", [METADATA, "jwks"])
@pytest.mark.parametrize(("script", "status"), BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_bad_answer_is_a_page_and_signs_nobody_in(
    script: Script,
    status: int,
    place: str,
    visitor: Person,
    scripted_app: Flask,
    scripted: ScriptedProvider,
) -> None:
    scripted.scripts[place] = script

    response = visitor.sees("/login") if place == METADATA else visitor.signs_in()

    assert response.status_code == status
    assert scripted.asked["elsewhere"] == 0
    assert session_records(scripted_app) == 0


def test_metadata_that_does_not_come_keeps_one_request_waiting_and_the_others_not_long(
    scripted_app: Flask, scripted: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.provider.PATIENCE_SECONDS", 0.3)
    scripted.scripts[METADATA] = lambda handler: scripted.over.wait(60) and None
    visitors = [visitor_of(scripted_app, scripted) for _ in range(4)]

    with ThreadPoolExecutor(4) as people:
        waiting = [people.submit(visitor.sees, "/login") for visitor in visitors]
        statuses = [each.result().status_code for each in as_completed(waiting)]

    assert statuses == [503, 503, 503, 504]  # in the order in which they came
    assert scripted.asked[METADATA] == 1


def test_a_cold_start_with_eight_visitors_fetches_once(
    scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    together = threading.Barrier(8)

    def sign_in() -> int:
        person = visitor_of(scripted_app, scripted)
        together.wait()
        return int(person.signs_in().status_code)

    with ThreadPoolExecutor(8) as people:
        statuses = [each.result() for each in [people.submit(sign_in) for _ in range(8)]]

    assert statuses == [303] * 8
    assert (scripted.asked[METADATA], scripted.asked["jwks"]) == (1, 1)


def test_failures_are_throttled_and_then_tried_again(
    visitor: Person, scripted: ScriptedProvider, still: StillClock
) -> None:
    scripted.scripts[METADATA] = says(b"", 500)
    for _ in range(5):
        assert visitor.sees("/login").status_code == 503
    asked_while_away = scripted.asked[METADATA]
    scripted.scripts.clear()
    still.moves(2)

    response = visitor.sees("/login")

    assert asked_while_away == 1
    assert response.status_code == 302


def test_metadata_and_keys_are_cached_for_an_hour(
    visitor: Person, scripted: ScriptedProvider, clock: Clock
) -> None:
    visitor.signs_in()
    clock.moves(3590)

    visitor.signs_in()

    assert (scripted.asked[METADATA], scripted.asked["jwks"]) == (1, 1)


def test_after_an_hour_metadata_is_fetched_by_the_request_that_meets_it(
    visitor: Person, scripted_app: Flask, scripted: ScriptedProvider, clock: Clock
) -> None:
    visitor.begins()
    asked, over = threading.Event(), threading.Event()

    def answers_late(handler: Handler) -> None:
        asked.set()
        over.wait(4)
        moved = f"{scripted.base_url}/moved"
        send(handler, {**scripted.whole_metadata(), "authorization_endpoint": moved})

    scripted.scripts[METADATA] = answers_late
    clock.moves(3601)

    with ThreadPoolExecutor(1) as people:
        first = people.submit(visitor.begins)
        assert asked.wait(20)
        meanwhile = visitor_of(scripted_app, scripted).begins()
        over.set()

    assert meanwhile.startswith(f"{scripted.base_url}/authorize?")  # the last good copy
    assert first.result().startswith(f"{scripted.base_url}/moved?")
    assert scripted.asked[METADATA] == 2


@pytest.mark.parametrize(
    "script",
    [says(b"", 500), says(b"", 404), says({"issuer": "https://provider.invalid/"}), says(b"{")],
    ids=["away", "gone", "another's", "broken"],
)
def test_the_last_good_copy_serves_while_the_provider_is_away(
    script: Script, visitor: Person, scripted: ScriptedProvider, clock: Clock
) -> None:
    visitor.signs_in()
    scripted.scripts |= {METADATA: script, "jwks": script}
    clock.moves(86_400)

    for _ in range(5):
        assert visitor.signs_in().status_code == 303
        clock.moves(1.5)
    assert scripted.asked[METADATA] == 2  # and not one attempt a visitor


def test_a_fresh_copy_is_taken_when_the_provider_is_back(
    visitor: Person, scripted: ScriptedProvider, clock: Clock
) -> None:
    visitor.begins()
    scripted.scripts[METADATA] = says(b"", 500)
    clock.moves(3601)
    visitor.begins()
    scripted.scripts.clear()
    scripted.metadata = {"authorization_endpoint": f"{scripted.base_url}/moved"}
    clock.moves(60)

    assert visitor.begins().startswith(f"{scripted.base_url}/moved?")
