"""A request may be overtaken at any moment: before each call of the store, after each token answer.

The model of sessions tries orders at random; here one request overtakes another wholly, at every
moment that there is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from auth import refresh, signals
from tests.conftest import Clock, MakeApp
from tests.support.harness import ADA, Browser, Person, Provider, post_logout
from tests.support.interleaving import SteppedStore, Worker
from tests.support.session_store import key_of_session, same_browser, store_of

LIFETIME = 60
MOST_MOMENTS = 40


@pytest.fixture
def apps(engine: str, make_app: MakeApp, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Flask]]:
    """Two apps that share a store, as two processes would, and whose requests stop at each call."""
    monkeypatch.setattr(refresh, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(refresh, "LONGEST_PAUSE_SECONDS", 0.002)
    apps = [make_app(), make_app()]
    for app in apps:
        SteppedStore(app)

    def stops_after_a_token_answer(sender: Any, url: str, **_: Any) -> None:
        if url.endswith("/oauth/token"):
            Worker.stops()

    with signals.request_sent.connected_to(stops_after_a_token_answer):
        yield apps


def page(person: Person, provider: Provider) -> int:
    return int(person.sees("/appointments").status_code)


def sign_out(person: Person, provider: Provider) -> int:
    return int(person.signs_out().status_code)


def logout(person: Person, provider: Provider) -> int:
    # Issued before the next sign-in of this test, which it must not end.
    times = {"iat": {"in_seconds": -30}, "exp": {"in_seconds": 7200}}
    token = provider.logout_token(sub=ADA, claims=times)
    return int(post_logout(person.browser.client.application, token).status_code)


Request = Callable[[Person, Provider], int]
RACES: dict[str, tuple[Request, Request]] = {
    "a page by a page": (page, page),
    "a page by a sign-out": (page, sign_out),
    "a sign-out by a page": (sign_out, page),
    "a page by a back-channel logout": (page, logout),
    "a back-channel logout by a page": (logout, page),
    "a sign-out by a sign-out": (sign_out, sign_out),
}


@pytest.mark.parametrize(("overtaken", "other"), RACES.values(), ids=RACES)
def test_at_no_moment_can_it_be_harmful_to_overtake(
    apps: list[Flask], provider: Provider, clock: Clock, overtaken: Request, other: Request
) -> None:
    for moment in range(MOST_MOMENTS):
        clock.ahead = 0.0
        provider.reset()
        provider.options(access_token_seconds=LIFETIME)
        person = Person(Browser(apps[0]))
        person.signs_in()
        key, elsewhere = key_of_session(person), same_browser(person, apps[1])
        clock.moves(LIFETIME + 1)

        slow = Worker(lambda person=person: overtaken(person, provider))
        for _ in range(moment):
            if not slow.done:
                slow.goes_on()
        if slow.done:
            break
        quick = Worker(lambda elsewhere=elsewhere: other(elsewhere, provider))
        to_the_end(quick, slow)

        answers = [slow.result(), quick.result()]
        spent = spent_tokens(provider)
        assert len(spent) == len(set(spent)) <= 1, f"spent twice when overtaken at {moment}"
        if overtaken is other is page:
            assert answers == [200, 200], f"lost when overtaken at {moment}"
            clock.moves(LIFETIME + 1)
            assert page(person, provider) == page(elsewhere, provider) == 200
            assert len(set(spent_tokens(provider))) == 2
        else:
            assert set(answers) <= {200, 302}
            assert store_of(apps[0]).read(key) is None, f"revived when overtaken at {moment}"
            assert page(person, provider) == 302
    assert 2 <= moment < MOST_MOMENTS - 1, "the moments were not tried"


def to_the_end(first: Worker, then: Worker) -> None:
    """Let one go on alone, as far as it gets without the other, and then both."""
    for _ in range(MOST_MOMENTS):
        if not first.done:
            first.goes_on()
    while not (first.done and then.done):
        for worker in (then, first):
            if not worker.done:
                worker.goes_on()


def spent_tokens(provider: Provider) -> list[str]:
    entries = provider.requests_to("/oauth/token", "refresh_token")
    return [entry["form"]["refresh_token"] for entry in entries]
