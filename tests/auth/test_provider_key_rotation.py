"""The provider signs with another key: a new one is followed, a stranger's asks nothing more of it
(OIDC Core section 10.1.1)."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Clock, StillClock
from tests.support.harness import Person, post_logout
from tests.support.scripted_provider import (
    Handler,
    ScriptedProvider,
    key_for_alg,
    public,
    says,
    send,
    sign,
    visitor_of,
)

OLD, NEW, OTHER = (key_for_alg("ES256", number) for number in (0, 1, 2))


@pytest.mark.parametrize("keep_old", [True, False], ids=["beside the old", "instead of the old"])
def test_a_rotated_key_is_followed_without_a_restart(
    keep_old: bool, visitor: Person, scripted: ScriptedProvider
) -> None:
    visitor.signs_in()
    scripted.key = NEW
    scripted.keys = [public(NEW), *([public(OLD)] if keep_old else [])]

    response = visitor.signs_in()

    assert response.status_code == 303
    assert scripted.asked["jwks"] == 2


def test_another_key_under_the_same_kid_is_followed(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    visitor.signs_in()
    scripted.keys = [public(NEW, kid=OLD.kid)]
    scripted.id_token = lambda claims: sign(claims, NEW, header={"kid": OLD.kid})

    response = visitor.signs_in()

    assert response.status_code == 303


def test_a_key_that_was_withdrawn_signs_nobody_in(
    visitor: Person, scripted_app: Flask, scripted: ScriptedProvider, clock: Clock
) -> None:
    visitor.signs_in()
    visitor.signs_out()
    scripted.keys = [public(NEW)]
    clock.moves(3601)
    scripted.key = NEW
    assert visitor.signs_in().status_code == 303
    visitor.signs_out()
    scripted.key = OLD

    response = visitor.signs_in()

    assert response.status_code == 502


def test_everybody_who_meets_a_rotated_key_at_once_is_signed_in(
    visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    visitor.signs_in()
    scripted.key, scripted.keys = NEW, [public(NEW)]
    together = threading.Barrier(6)

    def sign_together(claims: dict[str, Any]) -> str:
        together.wait(20)
        return sign(claims, NEW)

    def answer_late(handler: Handler) -> None:
        time.sleep(0.3)  # so that all have met the unknown key
        send(handler, {"keys": scripted.keys})

    scripted.id_token = sign_together
    scripted.scripts["jwks"] = answer_late

    with ThreadPoolExecutor(6) as people:
        waiting = [people.submit(visitor_of(scripted_app, scripted).signs_in) for _ in range(6)]
        statuses = [each.result().status_code for each in waiting]

    assert statuses == [303] * 6
    assert scripted.asked["jwks"] == 2


def test_forged_tokens_do_not_make_us_hammer_the_provider(
    visitor: Person, scripted_app: Flask, scripted: ScriptedProvider, still: StillClock
) -> None:
    visitor.signs_in()
    scripted.key = OTHER
    for _ in range(10):
        assert visitor_of(scripted_app, scripted).signs_in().status_code == 502
    asked_within_ten_seconds = scripted.asked["jwks"]
    still.moves(11)

    visitor_of(scripted_app, scripted).signs_in()

    assert asked_within_ten_seconds == 2
    assert scripted.asked["jwks"] == 3


def test_forged_logout_tokens_count_as_well(
    scripted_app: Flask, scripted: ScriptedProvider, still: StillClock
) -> None:
    scripted.key = OTHER

    answers = [post_logout(scripted_app, scripted.logout_token()) for _ in range(10)]

    assert {answer.status_code for answer in answers} == {400}
    assert scripted.asked["jwks"] == 2


def test_a_forged_logout_token_does_not_wait_for_what_another_fetches(
    visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    visitor.signs_in()
    scripted.key = OTHER
    asked, over = threading.Event(), threading.Event()

    def answer_late(handler: Handler) -> None:
        asked.set()
        over.wait(4)
        send(handler, {"keys": scripted.keys})

    scripted.scripts["jwks"] = answer_late

    with ThreadPoolExecutor(1) as people:
        first = people.submit(post_logout, scripted_app, scripted.logout_token())
        assert asked.wait(20)
        second = post_logout(scripted_app, scripted.logout_token())
        is_waiting = not first.done()
        over.set()

    assert is_waiting
    assert (second.status_code, first.result().status_code) == (503, 400)


def test_keys_that_cannot_be_fetched_for_an_unknown_kid_are_no_forgery(
    visitor: Person, scripted: ScriptedProvider
) -> None:
    visitor.signs_in()
    scripted.key = NEW
    scripted.scripts["jwks"] = says(b"", 500)

    response = visitor.signs_in()

    assert response.status_code == 503
