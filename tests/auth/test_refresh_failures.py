"""A refresh that fails: what ends the token set, what passes by, and who waits for whom."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from auth import refresh
from tests.conftest import Clock
from tests.support.harness import Browser, Person, Provider
from tests.support.session_store import (
    key_of_session,
    same_browser,
    store_of,
    when_a_request_has_begun,
    when_the_provider_has_answered,
)

# What depends on the session store is tried on each.
on_each_store = pytest.mark.usefixtures("engine")

LIFETIME = 200
DOWN: dict[str, dict[str, Any]] = {
    "answers 500": {"status": 500, "body": ""},
    "hangs up": {"drop": True},
    "does not answer": {"delay_seconds": 2, "drop": True},
}


@pytest.fixture
def signed_in(app: Flask, provider: Provider, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Somebody whose access token lives some minutes; the provider has a second to answer."""
    http = app.extensions["relying_party"].http
    send = http.send
    monkeypatch.setattr(http, "send", lambda *args, **kw: send(*args, **{**kw, "seconds": 1.0}))
    monkeypatch.setattr(refresh, "PAUSE_SECONDS", 60.0)
    provider.options(access_token_seconds=LIFETIME)
    person = Person(Browser(app))
    person.signs_in()
    return person


def at_once(person: Person, count: int) -> list[Any]:
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: person.sees("/appointments"), range(count)))


def comes_true(condition: Callable[[], bool]) -> bool:
    """Whether it does: the provider notes a request when it is done with it."""
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return condition()


@on_each_store
def test_invalid_grant_leads_to_sign_in_and_back_once(
    signed_in: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies("revoked_grant")
    clock.moves(LIFETIME + 1)

    pages = [*at_once(signed_in, 5), signed_in.sees("/appointments")]

    assert {page.headers["Location"] for page in pages} == {"/login?return_to=/appointments"}
    assert provider.refreshes() == 1
    assert signed_in.is_signed_in()
    back = signed_in.signs_in(path="/login?return_to=/appointments")
    assert back.headers["Location"] == "/appointments"
    assert signed_in.sees("/appointments").status_code == 200


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN)
def test_a_token_that_is_still_good_is_used_while_the_provider(
    signed_in: Person, provider: Provider, clock: Clock, fault: dict[str, Any]
) -> None:
    provider.lies(grant="refresh_token", **fault)
    clock.moves(LIFETIME - 15)

    assert signed_in.sees("/appointments").status_code == 200
    assert comes_true(lambda: provider.refreshes() == 1)


@pytest.mark.parametrize("fault", DOWN.values(), ids=DOWN)
def test_an_expired_token_is_503_and_the_session_stays_while_the_provider(
    signed_in: Person, provider: Provider, clock: Clock, fault: dict[str, Any]
) -> None:
    provider.lies(grant="refresh_token", **fault)
    clock.moves(LIFETIME + 1)

    page = signed_in.sees("/appointments")

    assert page.status_code == 503
    assert page.headers["Retry-After"] == ("10" if "delay_seconds" in fault else "5")
    assert signed_in.is_signed_in()
    assert comes_true(lambda: provider.refreshes() == 1)


def test_the_provider_says_how_long_to_wait(
    signed_in: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(grant="refresh_token", status=429, body="{}", headers={"Retry-After": "77"})
    clock.moves(LIFETIME + 1)

    assert signed_in.sees("/appointments").headers["Retry-After"] == "77"


@on_each_store
def test_after_a_failure_the_others_do_not_queue_up_for_the_same(
    signed_in: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(grant="refresh_token", times=0, status=500, delay_seconds=0.5)
    clock.moves(LIFETIME + 1)

    began = time.monotonic()
    pages = at_once(signed_in, 10)
    pages.append(signed_in.sees("/appointments"))
    assert time.monotonic() - began < refresh.WAIT_SECONDS / 2

    assert [page.status_code for page in pages] == [503] * 11
    assert all(page.headers["Retry-After"] for page in pages)
    assert provider.refreshes() == 1


def test_nonsense_is_called_so_and_not_asked_for_again_at_once(
    signed_in: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(grant="refresh_token", times=0, status=200, body="<h1>Hello</h1>")
    clock.moves(LIFETIME + 1)

    first, second = signed_in.sees("/appointments"), signed_in.sees("/appointments")

    assert (first.status_code, second.status_code) == (502, 503)
    assert "The sign-in service gave an unusable answer" in first.text
    assert provider.refreshes() == 1


@on_each_store
def test_during_the_pause_a_token_that_is_still_good_is_used(
    signed_in: Person, provider: Provider, clock: Clock
) -> None:
    provider.lies(grant="refresh_token", times=0, status=500)
    clock.moves(LIFETIME - 15)

    pages = [signed_in.sees("/appointments") for _ in range(5)]

    assert [page.status_code for page in pages] == [200] * 5
    assert provider.refreshes() == 1


@on_each_store
def test_the_pause_is_short(
    signed_in: Person, provider: Provider, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refresh, "LONGEST_PROVIDER_PAUSE_SECONDS", 0.5)
    provider.lies("refresh_500")
    clock.moves(LIFETIME + 1)
    assert signed_in.sees("/appointments").status_code == 503

    time.sleep(0.6)  # Redis's own time

    assert signed_in.sees("/appointments").status_code == 200
    assert provider.refreshes() == 2


@on_each_store
def test_the_lock_of_a_holder_that_died_runs_out(
    signed_in: Person, app: Flask, provider: Provider, clock: Clock
) -> None:
    clock.moves(LIFETIME + 1)
    assert store_of(app).add(f"refresh {key_of_session(signed_in)}", "killed", 1)

    assert signed_in.sees("/appointments").status_code == 200
    assert provider.refreshes() == 1


@on_each_store
def test_nobody_refreshes_without_the_lock(
    signed_in: Person,
    app: Flask,
    provider: Provider,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(refresh, "WAIT_SECONDS", 0.5)
    clock.moves(LIFETIME + 1)
    assert store_of(app).add(f"refresh {key_of_session(signed_in)}", "somebody else", 60)

    page = signed_in.sees("/appointments")

    assert page.status_code == 503
    assert page.headers["Retry-After"] == "5"
    assert provider.refreshes() == 0


def tokens_sent_to(provider: Provider, path: str, name: str) -> list[str]:
    return [entry["form"][name] for entry in provider.requests_to(path) if name in entry["form"]]


@on_each_store
def test_signing_out_during_a_refresh_brings_nothing_back_and_revokes_what_came(
    signed_in: Person, app: Flask, provider: Provider, clock: Clock
) -> None:
    elsewhere = same_browser(signed_in, app)
    key = key_of_session(signed_in)
    clock.moves(LIFETIME + 1)

    with when_the_provider_has_answered(elsewhere.signs_out):
        page = signed_in.sees("/appointments")

    assert page.headers["Location"].startswith("/login")
    assert store_of(app).read(key) is None
    assert not signed_in.is_signed_in()
    spent = tokens_sent_to(provider, "/oauth/token", "refresh_token")
    assert set(tokens_sent_to(provider, "/oauth/revoke", "token")) - set(spent)


@on_each_store
@pytest.mark.parametrize("path", ["/logout", "/sessions/end-others"])
def test_the_refresh_token_that_came_while_a_sign_out_began_is_the_one_that_is_revoked(
    signed_in: Person, app: Flask, provider: Provider, clock: Clock, path: str
) -> None:
    signing_out = same_browser(signed_in, app)
    if path == "/sessions/end-others":
        signing_out = Person(Browser(app))
        signing_out.signs_in()
    clock.moves(LIFETIME + 1)

    with when_a_request_has_begun(path, lambda: signed_in.sees("/appointments")):
        signing_out.browser.post(path, headers={"Origin": signing_out.origin()})

    assert provider.refreshes() == 1
    spent = tokens_sent_to(provider, "/oauth/token", "refresh_token")
    revoked = tokens_sent_to(provider, "/oauth/revoke", "token")
    assert len(revoked) == 1
    assert revoked != spent
