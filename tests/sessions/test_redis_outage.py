"""Redis away, slow or restarted: bounded answers, no error of ours, and everybody stays in."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
import requests

from auth import refresh
from tests.conftest import Clock, MakeApp
from tests.support.harness import (
    APP,
    Api,
    Browser,
    Gunicorn,
    HttpBrowser,
    Person,
    Provider,
    Redis,
    settings_at,
)
from tests.support.session_store import when_the_provider_has_answered

HOST = APP.removeprefix("http://")
# What a page may take while Redis is away: two seconds, and some for a machine that is busy.
LONGEST = 4.0


@pytest.fixture(scope="module")
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """A Redis of these tests' own that keeps what it has over a restart."""
    with Redis(tmp_path_factory.mktemp("redis"), "--appendonly", "yes") as redis:
        yield redis


@pytest.fixture
def redis(own_redis: Redis, settings: dict[str, str]) -> Iterator[Redis]:
    settings["SESSION_REDIS_URL"] = own_redis.url
    yield own_redis
    resume(own_redis)


@pytest.fixture(scope="module")
def served(own_redis: Redis, provider_process: Provider, api_process: Api) -> Iterator[str]:
    """The app on two processes."""
    settings = settings_at(provider_process, api_process, SESSION_REDIS_URL=own_redis.url)
    with Gunicorn(settings, workers=2) as app:
        yield app.base_url
        app.signal(signal.SIGKILL)


@pytest.fixture
def address(served: str, redis: Redis) -> str:
    return served


def comes_true(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.1)
    return condition()


class Answer(NamedTuple):
    status: int
    seconds: float


class Load:
    """Several people who look at pages all the time; `with` starts and ends it."""

    def __init__(self, address: str, people: list[Person]) -> None:
        self.address = address
        self.answers: list[Answer] = []
        self.enough = threading.Event()
        self.threads = [threading.Thread(target=self.looks, args=(person,)) for person in people]

    def looks(self, person: Person) -> None:
        cookies = dict(person.browser.session.cookies)
        while not self.enough.is_set():
            for path in ("/profile", "/appointments"):
                began = time.monotonic()
                response = requests.get(
                    self.address + path,
                    headers={"Host": HOST},
                    cookies=cookies,
                    allow_redirects=False,
                    timeout=30,
                )
                self.answers.append(Answer(response.status_code, time.monotonic() - began))
            time.sleep(0.05)

    def statuses(self) -> set[int]:
        return {answer.status for answer in self.answers}

    def __enter__(self) -> Load:
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.enough.set()
        for thread in self.threads:
            thread.join(60)


def people_at(address: str, count: int = 6) -> list[Person]:
    people = [Person(HttpBrowser(address, HOST)) for _ in range(count)]
    for person in people:
        person.signs_in()
    return people


def pause(redis: Redis) -> None:
    redis.signal(signal.SIGSTOP)


def resume(redis: Redis) -> None:
    redis.signal(signal.SIGCONT)


OUTAGES: dict[str, tuple[Callable[[Redis], None], Callable[[Redis], None]]] = {
    "paused": (pause, resume),
    "restarted": (Redis.stop, Redis.start),
}


@pytest.mark.parametrize(("away", "back"), OUTAGES.values(), ids=OUTAGES)
def test_no_session_is_lost_and_no_page_hangs_when_redis_is(
    address: str,
    redis: Redis,
    away: Callable[[Redis], None],
    back: Callable[[Redis], None],
) -> None:
    people = people_at(address)

    with Load(address, people) as load:
        assert comes_true(lambda: len(load.answers) > 50)
        assert load.statuses() == {200}
        away(redis)
        assert comes_true(lambda: 503 in load.statuses())
        time.sleep(2)
        ready = requests.get(f"{address}/readyz", timeout=30)
        back(redis)
        assert comes_true(lambda: requests.get(f"{address}/readyz", timeout=30).ok)
        at_recovery = len(load.answers) + len(people)
        assert comes_true(lambda: len(load.answers) > at_recovery + 50)

    assert load.statuses() == {200, 503}
    assert {answer.status for answer in load.answers[at_recovery:]} == {200}
    assert max(answer.seconds for answer in load.answers) < LONGEST
    assert (ready.status_code, ready.json()["unreachable"]) == (503, ["session store"])
    assert all(person.is_signed_in() for person in people)


def test_what_needs_no_session_is_served_without_redis(address: str, redis: Redis) -> None:
    pause(redis)
    visitor = HttpBrowser(address, HOST)

    statuses = {path: visitor.get(path).status_code for path in ("/", "/healthz", "/login")}

    assert statuses == {"/": 200, "/healthz": 200, "/login": 302}


def test_whoever_cannot_be_signed_out_now_is_told_so_and_is_still_signed_in(
    address: str, redis: Redis
) -> None:
    (person,) = people_at(address, 1)
    pause(redis)

    answer = person.signs_out()

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    resume(redis)
    assert person.is_signed_in()


def test_a_sign_in_without_redis_is_told_so_and_works_at_the_next_try(
    address: str, redis: Redis
) -> None:
    person = Person(HttpBrowser(address, HOST))
    callback = person.provider.answers(person.begins())
    pause(redis)

    answer = person.comes_back(callback)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    resume(redis)
    assert not person.is_signed_in()
    person.signs_in()
    assert person.is_signed_in()


@pytest.mark.parametrize(("away", "back"), OUTAGES.values(), ids=OUTAGES)
def test_tokens_that_come_while_redis_is_away_for_a_moment_are_stored_when_it_is_back(
    make_app: MakeApp,
    redis: Redis,
    provider: Provider,
    clock: Clock,
    api: Api,
    away: Callable[[Redis], None],
    back: Callable[[Redis], None],
) -> None:
    person = Person(Browser(make_app()))
    person.signs_in()
    clock.moves(3590)
    returns = threading.Timer(2.0, back, [redis])

    with when_the_provider_has_answered(lambda: (away(redis), returns.start())):
        page = person.sees("/appointments")
    returns.join()

    assert page.status_code == 200
    api.lies("api_401")
    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 2
    assert provider.stats()["reuse_detections"] == 0


def test_tokens_that_come_while_redis_stays_away_are_503_in_bounded_time(
    make_app: MakeApp, redis: Redis, clock: Clock
) -> None:
    person = Person(Browser(make_app()))
    person.signs_in()
    clock.moves(3590)

    with when_the_provider_has_answered(lambda: pause(redis)):
        began = time.monotonic()
        page = person.sees("/appointments")
        seconds = time.monotonic() - began

    assert (page.status_code, page.headers["Retry-After"]) == (503, "5")
    assert seconds < refresh.STORE_SECONDS + LONGEST
    resume(redis)
    assert comes_true(person.is_signed_in)
