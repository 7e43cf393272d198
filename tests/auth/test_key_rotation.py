"""APP_SECRET_KEY rotated: nobody is signed out while the old key is listed, and nobody breaks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp
from tests.support.harness import ADA, APP_SECRET_KEY, Browser, Person, Provider, post_logout
from tests.support.session_store import Counted, key_of_session, same_browser, store_of

# What depends on the session store is tried on each.
on_each_store = pytest.mark.usefixtures("engine")

NEW = "a-newer-key-of-the-tests-that-is-long-enough-as-well"
BOTH = f"{NEW},{APP_SECRET_KEY}"


@pytest.fixture
def before(make_app: MakeApp) -> Person:
    """Somebody who signed in under the old key."""
    person = Person(Browser(make_app()))
    person.signs_in()
    return person


def test_with_both_keys_nobody_is_signed_out_and_tokens_are_refreshed(
    before: Person, make_app: MakeApp, provider: Provider, clock: Clock
) -> None:
    person = same_browser(before, make_app(APP_SECRET_KEY=BOTH))

    assert person.is_signed_in()
    clock.moves(3590)
    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 1


@on_each_store
def test_the_first_request_encrypts_with_the_new_key_and_no_later_one_writes(
    before: Person, make_app: MakeApp
) -> None:
    app = make_app(APP_SECRET_KEY=BOTH)
    store = Counted(app)
    person = same_browser(before, app)

    person.sees("/profile")
    assert store.calls["replace"] == 1
    person.sees("/profile")
    assert store.writes() == 1

    assert same_browser(before, make_app(APP_SECRET_KEY=NEW)).is_signed_in()


def test_a_refresh_under_a_new_key_encrypts_and_writes_once(
    before: Person, make_app: MakeApp, clock: Clock
) -> None:
    app = make_app(APP_SECRET_KEY=BOTH)
    store = Counted(app)
    clock.moves(3590)

    assert same_browser(before, app).sees("/appointments").status_code == 200

    assert store.calls["replace"] == 1


def test_sessions_of_a_key_that_is_gone_are_not_listed(before: Person, make_app: MakeApp) -> None:
    person = Person(Browser(make_app(APP_SECRET_KEY=NEW)))
    person.signs_in()

    page = person.sees("/sessions")

    assert page.status_code == 200
    assert page.text.count("<h2") == 1


def test_processes_with_the_old_key_alone_end_when_the_new_one_is_used(
    before: Person, make_app: MakeApp
) -> None:
    """So the new key goes to every process before it is the first of the list."""
    same_browser(before, make_app(APP_SECRET_KEY=BOTH)).sees("/profile")

    behind = before.sees("/profile")
    listed = same_browser(before, make_app(APP_SECRET_KEY=f"{APP_SECRET_KEY},{NEW}"))

    assert behind.headers["Location"] == "/login?return_to=/profile"
    assert listed.is_signed_in()


def test_without_the_old_key_old_sessions_end_cleanly(before: Person, make_app: MakeApp) -> None:
    person = same_browser(before, make_app(APP_SECRET_KEY=NEW))

    assert person.sees("/").status_code == 200
    assert person.sees("/profile").headers["Location"] == "/login?return_to=/profile"
    assert person.signs_out().status_code == 302
    person.signs_in()
    assert person.is_signed_in()


@on_each_store
def test_sessions_are_found_by_person_after_the_key_they_began_under_is_gone(
    before: Person, make_app: MakeApp, provider: Provider
) -> None:
    same_browser(before, make_app(APP_SECRET_KEY=BOTH)).sees("/profile")
    app = make_app(APP_SECRET_KEY=NEW)

    assert post_logout(app, provider.logout_token(sub=ADA)).status_code == 200

    assert not same_browser(before, app).is_signed_in()


@on_each_store
def test_sessions_that_were_not_used_since_are_found_while_the_old_key_is_listed(
    before: Person, make_app: MakeApp, provider: Provider
) -> None:
    app = make_app(APP_SECRET_KEY=BOTH)

    assert post_logout(app, provider.logout_token(sub=ADA)).status_code == 200

    assert not same_browser(before, app).is_signed_in()


Spoil = Callable[[bytes], bytes]
SPOILT: dict[str, Spoil] = {
    "cut": lambda data: data[:-1],
    "empty": lambda data: b"",
    "one bit turned": lambda data: data[:-1] + bytes([data[-1] ^ 1]),
    "other bytes": lambda data: b"x" * len(data),
}


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT)
def test_a_record_that_somebody_changed_in_the_store_is_no_session(
    app: Flask, person: Person, spoil: Spoil
) -> None:
    person.signs_in()
    store, key = store_of(app), key_of_session(person)
    record = store.read(key)
    assert record

    spoilt = record._replace(data=spoil(record.data))

    assert store.replace(key, record.version, spoilt, [])

    assert person.sees("/profile").headers["Location"] == "/login?return_to=/profile"
