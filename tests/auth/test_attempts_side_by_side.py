"""Several attempts at once: other tabs, one callback twice, and cookies that somebody planted."""

from __future__ import annotations

import threading
import time
from typing import Any
from urllib.parse import quote

import pytest
from auth.attempt import CLOCK_SKEW_SECONDS

from tests.auth.test_attempts import attempts_of, set_cookies
from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import APP, Browser, Person, session_records


def test_any_number_of_tabs_finish_in_any_order(person: Person) -> None:
    pages = ["/profile", "/appointments", "/contacts", "/sessions", "/"]
    tabs = [(page, person.begins(f"/login?return_to={page}")) for page in pages]
    callbacks = [(page, person.provider.answers(address)) for page, address in tabs]

    led = [
        (page, person.comes_back(callback).headers["Location"])
        for page, callback in reversed(callbacks)
    ]

    assert all(page == location for page, location in led)
    assert person.is_signed_in()
    assert attempts_of(person) == {}


def test_a_sixth_tab_takes_the_oldest_attempts_place(person: Person, clock: Clock) -> None:
    callbacks = []
    for _ in range(6):
        callbacks.append(person.provider.answers(person.begins()))
        clock.moves(1)
    kept = attempts_of(person)

    oldest, *others = [person.comes_back(callback) for callback in callbacks]

    assert len(kept) == 5
    assert oldest.status_code == 400
    assert {response.status_code for response in others} == {303}


def test_old_attempts_are_swept_when_a_new_one_begins(person: Person, clock: Clock) -> None:
    person.begins()
    ((name, value),) = attempts_of(person).items()
    clock.moves(700)
    person.browser.client.set_cookie(name, value)  # whatever a browser does with its clock

    person.begins()

    assert name not in attempts_of(person)
    assert len(attempts_of(person)) == 1


def test_attempts_together_leave_room_in_the_cookie_header(person: Person, clock: Clock) -> None:
    long = quote("/" + "x" * 1900, safe="")

    for _ in range(6):
        person.begins(f"/login?return_to={long}")
        clock.moves(1)

    attempts = attempts_of(person)
    assert 1 <= len(attempts) <= 5
    assert sum(len(name) + len(value) for name, value in attempts.items()) < 6300


def test_a_callback_loaded_several_times_at_once_signs_in_once(app: Any, person: Person) -> None:
    callback = person.provider.answers(person.begins("/login?return_to=/profile"))
    cookies = "; ".join(f"{name}={value}" for name, value in person.browser.cookies().items())
    locations: list[str | None] = []

    def load() -> None:
        client = app.test_client(use_cookies=False)
        path = callback.removeprefix(APP)
        response = client.get(path, base_url=APP, headers={"Cookie": cookies})
        locations.append(response.headers.get("Location"))

    threads = [threading.Thread(target=load) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert locations.count("/profile") == 1
    assert locations.count(None) == 5
    assert session_records(app) == 1


@pytest.mark.parametrize("later", [0, 5000], ids=["as they are", "dated far ahead"])
def test_planted_attempts_do_not_keep_anybody_from_signing_in(person: Person, later: int) -> None:
    for number in range(8):
        name = f"app_sign_in_{int(time.time()) + later:08x}_{number:08d}"
        person.browser.client.set_cookie(name, "x" * 900)

    response = person.signs_in()

    assert response.status_code == 303
    assert person.is_signed_in()


def test_five_tabs_with_long_addresses_all_come_back_to_them(person: Person, clock: Clock) -> None:
    pages = [f"/profile?filter={number}{'x' * 580}" for number in range(5)]
    callbacks = []
    for page in pages:
        begun = person.begins(f"/login?return_to={quote(page, safe='')}")
        callbacks.append(person.provider.answers(begun))
        clock.moves(1)

    led = [person.comes_back(callback).headers["Location"] for callback in callbacks]

    assert led == pages


PLANTED = {
    "of another app": f"{{now:08x}}_{'a' * 8}",
    "dated ahead": f"{{ahead:08x}}_{'a' * 8}",
    "with more at the end": f"{{now:08x}}_{'a' * 8}-more",
}


@pytest.mark.parametrize("name", PLANTED.values(), ids=PLANTED)
def test_planted_cookies_take_no_attempts_place(person: Person, name: str) -> None:
    callback = person.provider.answers(person.begins())
    ahead = int(time.time()) + CLOCK_SKEW_SECONDS + 5
    for number in range(40):
        planted = f"app_sign_in_{name}".format(now=int(time.time()), ahead=ahead)
        person.browser.client.set_cookie(f"{planted[:-2]}{number:02d}", "x" * 300)

    answer = person.sees("/login")

    assert person.comes_back(callback).status_code == 303
    assert len(set_cookies(answer)) <= 21


def test_an_attempt_at_another_app_of_this_host_name_is_left_alone(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    ours, theirs = make_app(), make_app(APP_SECRET_KEY="another-app's-own-secret-0123456789abcdef")
    person = person_at(ours)
    callback = person.provider.answers(person.begins())
    at_theirs = Browser(theirs)
    at_theirs.client._cookies = person.browser.client._cookies  # cookies ignore ports

    at_theirs.get("/login")

    assert person.comes_back(callback).status_code == 303


def test_over_https_cookies_without_the_prefix_take_no_attempts_place(
    make_app: MakeApp,
) -> None:
    browser = Browser(make_app(APP_BASE_URL="https://app.example"), "https://app.example")
    browser.client.get("/login", base_url="https://app.example")
    own = set(browser.cookies())
    for number in range(8):
        # A neighbour can set these for all hosts of its domain, and no __Host- ones.
        name = f"app_sign_in_{int(time.time()) + 1:08x}_{number:08d}"
        browser.client.set_cookie(name, "x" * 900, domain="app.example")

    browser.client.get("/login", base_url="https://app.example")

    assert own <= set(browser.cookies())
