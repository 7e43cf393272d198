"""However many processes meet an expired access token, the refresh token is spent once."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests
from flask import Flask

from auth import signals
from tests.conftest import Clock
from tests.support.harness import APP, Api, Browser, Gunicorn, HttpBrowser, Person, Provider
from tests.support.session_store import When, same_browser

AT_ONCE = 200
PROCESSES = 4
TOKEN_SECONDS = 1
# By hand, for a night: REPETITIONS=20 pytest tests/auth/test_refresh_once.py
REPETITIONS = range(int(os.environ.get("REPETITIONS", "1")))
HOST = APP.removeprefix("http://")


@pytest.fixture
def addresses(engine: str, settings: dict[str, str], tmp_path: Path) -> Iterator[list[str]]:
    """The app as it runs in production: on SQLite 4 processes, on Redis twice 4, on two ports."""
    with contextlib.ExitStack() as running:
        instances = []
        for n in range(2 if engine == "redis" else 1):
            folder = tmp_path / str(n)
            folder.mkdir()
            app = Gunicorn(settings, workers=PROCESSES, folder=folder)
            instances.append(running.enter_context(app).base_url)
            running.callback(app.signal, signal.SIGKILL)  # nothing is left to finish
        yield instances


def person_at(address: str) -> Person:
    return Person(HttpBrowser(address, HOST))


def all_at_once(person: Person, addresses: list[str]) -> Counter[int]:
    """Send 200 requests of one browser, each on a connection of its own; count the answers."""
    cookies = dict(person.browser.session.cookies)
    ready = threading.Barrier(AT_ONCE)

    def request(n: int) -> int:
        url = addresses[n % len(addresses)] + "/appointments"
        ready.wait(60)
        response = requests.get(
            url, headers={"Host": HOST}, cookies=cookies, allow_redirects=False, timeout=120
        )
        return response.status_code

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return Counter(pool.map(request, range(AT_ONCE)))


@pytest.mark.parametrize("repetition", REPETITIONS)
def test_of_200_requests_with_an_expired_token_one_refreshes_and_all_are_answered(
    addresses: list[str], provider: Provider, api: Api, repetition: int
) -> None:
    provider.options(access_token_seconds=TOKEN_SECONDS)
    person = person_at(addresses[0])
    person.signs_in()
    time.sleep(TOKEN_SECONDS + 0.5)  # the provider's own time, which the API goes by
    provider.options(access_token_seconds=3600)

    answers = all_at_once(person, addresses)

    assert answers == {200: AT_ONCE}
    assert provider.refreshes() == 1
    assert provider.stats()["reuse_detections"] == 0

    # The next refresh works too: what was stored is what the provider gave last.
    api.lies("api_401")
    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 2
    assert provider.stats()["reuse_detections"] == 0


def test_refreshes_of_different_sessions_do_not_wait_for_each_other(
    engine: str, app: Flask, provider: Provider, clock: Clock
) -> None:
    people = [Person(Browser(app)) for _ in range(2)]
    for person in people:
        person.signs_in()
    clock.moves(3590)
    provider.lies(grant="refresh_token", delay_seconds=3)

    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(people[0].sees, "/appointments")
        provider.wait_until_lied()
        quick = people[1].sees("/appointments")

        assert quick.status_code == 200
        assert not slow.done()
        assert slow.result(60).status_code == 200
    assert provider.refreshes() == 2


def test_a_refusal_that_one_request_notes_undoes_no_refresh_of_another(
    engine: str, app: Flask, person: Person, provider: Provider, api: Api, clock: Clock
) -> None:
    person.signs_in()
    elsewhere = same_browser(person, app)
    api.lies("api_401", times=3)  # the token of the sign-in; a new one, here and elsewhere
    refused_twice = When(
        signals.request_sent,
        lambda url, **_: url.startswith(api.base_url) and provider.refreshes() == 1,
        lambda: elsewhere.sees("/appointments"),
    )

    with refused_twice:
        assert person.sees("/appointments").status_code == 502

    assert provider.refreshes() == 2
    clock.moves(3590)
    assert person.sees("/appointments").status_code == 200
    assert provider.stats()["reuse_detections"] == 0


SEEN, SPENT = "the provider never answered", "the provider had spent the token"


@pytest.mark.parametrize(
    ("engine", "outcome"),
    [("sqlite", SPENT), ("redis", SEEN)],
    indirect=["engine"],
    ids=[f"sqlite, {SPENT}", f"redis, {SEEN}"],
)
def test_others_go_on_when_the_process_that_refreshes_is_killed(
    engine: str, settings: dict[str, str], provider: Provider, tmp_path: Path, outcome: str
) -> None:
    provider.options(access_token_seconds=TOKEN_SECONDS)
    doomed = Gunicorn(settings, folder=tmp_path, LOCK_SECONDS="3")  # which others wait for
    with doomed, Gunicorn(settings, folder=tmp_path) as app:
        person = person_at(doomed.base_url)
        person.signs_in()
        time.sleep(TOKEN_SECONDS + 0.5)
        provider.options(access_token_seconds=3600)
        provider.lies(grant="refresh_token", delay_seconds=2, drop=outcome == SEEN)

        with ThreadPoolExecutor(1) as pool:
            refreshing = pool.submit(person.sees, "/appointments")
            provider.wait_until_lied()
            doomed.signal(signal.SIGKILL)
            with pytest.raises(requests.ConnectionError):
                refreshing.result(60)
        elsewhere = person_at(app.base_url)
        elsewhere.browser.session.cookies = person.browser.session.cookies
        page = elsewhere.sees("/appointments", timeout=40)

        if outcome == SPENT:
            # The new tokens died with the process: one clean sign-in, not two.
            assert page.headers.get("Location") == "/login?return_to=/appointments"
            elsewhere.signs_in(path="/login?return_to=/appointments")
            page = elsewhere.sees("/appointments")
    assert page.status_code == 200
