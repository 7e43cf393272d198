"""Sign-ins in progress: all in `state` and one cookie of fixed size, any number at once."""

from __future__ import annotations

import threading
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from flask import Flask

from auth.login_transaction import LIFETIME_SECONDS
from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import (
    ADA,
    APP,
    BEN,
    SESSION_COOKIE,
    SIGN_IN_COOKIE,
    Person,
    Provider,
    query_of,
    session_records,
    text_of,
    way_on,
)


def set_cookies(response: Any) -> list[str]:
    return [str(line) for line in response.headers.getlist("Set-Cookie")]


# The cookie and the state


def test_the_sign_in_cookie_is_of_fixed_size_short_lived_and_out_of_reach_of_scripts(
    person: Person,
) -> None:
    [small] = set_cookies(person.sees("/login"))
    [large] = set_cookies(person.sees(f"/login?return_to=/{'x' * 700}"))

    attributes = {part.strip().lower() for part in small.split(";")[1:]}
    assert {"max-age=3600", "httponly", "samesite=lax", "path=/"} <= attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    assert small.partition("=")[0] == SIGN_IN_COOKIE
    assert len(small) == len(large)


def test_a_state_shows_nothing_of_the_sign_in_and_stays_short(app: Flask, person: Person) -> None:
    usual = query_of(person.begins("/login?return_to=/profile"))
    longest = query_of(person.begins(f"/login?return_to=/{quote('東' * 80)}"))

    assert 100 < len(usual["state"]) <= 300
    assert len(longest["state"]) <= 1200
    assert "profile" not in usual["state"]
    assert usual["nonce"] not in usual["state"]


def test_what_no_state_can_hold_is_refused_and_a_page_that_is_too_long_is_dropped(
    person: Person,
) -> None:
    refused = person.sees("/login?" + urlencode({"organization": "o" * 1900}))
    dropped = person.signs_in(path="/login?" + urlencode({"return_to": "/" + "x" * 751}))

    assert refused.status_code == 400
    assert dropped.headers["Location"] == "/"


# Some bits of the very last letter mean nothing.
@pytest.mark.parametrize("where", [0, 20, -2], ids=["first", "middle", "last"])
def test_a_changed_state_signs_nobody_in(person: Person, where: int) -> None:
    callback = person.provider.answers(person.begins())
    state = query_of(callback)["state"]
    letters = list(state)
    letters[where] = "A" if letters[where] != "A" else "B"

    response = person.comes_back(callback.replace(state, "".join(letters)))

    assert response.status_code == 400
    assert not person.is_signed_in()


def test_nonce_and_code_verifier_of_two_sign_ins_differ(person: Person) -> None:
    first, second = (query_of(person.begins()) for _ in range(2))

    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


def test_another_cookie_of_the_same_form_is_another_browser(person: Person) -> None:
    callback = person.provider.answers(person.begins("/login?return_to=/profile"))
    person.browser.client.set_cookie(SIGN_IN_COOKIE, f"{'A' * 43}.00000000")

    response = person.comes_back(callback)

    assert response.status_code == 400
    assert way_on(response.text) == "/login?return_to=/profile"
    assert not person.is_signed_in()


def test_a_state_of_another_app_on_this_host_name_is_not_ours(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    ours, theirs = make_app(), make_app(APP_SECRET_KEY="another-app's-own-secret-0123456789abcdef")
    person, neighbour = person_at(ours), person_at(theirs)
    callback = neighbour.provider.answers(neighbour.begins())
    person.browser.client.set_cookie(SIGN_IN_COOKIE, neighbour.browser.cookie(SIGN_IN_COOKIE))

    assert person.comes_back(callback).status_code == 400
    assert not person.is_signed_in()


def test_a_state_survives_a_rotation_of_the_secret_key(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    old, new = "an-old-key-" + "o" * 32, "a-new-key-" + "n" * 32
    before, after = make_app(APP_SECRET_KEY=old), make_app(APP_SECRET_KEY=f"{new},{old}")
    person, later = person_at(before), person_at(after)
    callback = person.provider.answers(person.begins())
    later.browser.client.set_cookie(SIGN_IN_COOKIE, person.browser.cookie(SIGN_IN_COOKIE))

    assert later.comes_back(callback).status_code == 303


# Time


@pytest.mark.parametrize(
    ("seconds", "status"), [(LIFETIME_SECONDS - 5, 303), (LIFETIME_SECONDS + 5, 400)]
)
def test_a_sign_in_may_take_an_hour(
    person: Person, clock: Clock, seconds: int, status: int
) -> None:
    clock.moves(-seconds)  # for the ID token the provider's time counts, which does not move
    address = person.begins("/login?return_to=/profile")
    cookie = person.browser.cookie(SIGN_IN_COOKIE)
    clock.moves(seconds)
    person.browser.client.set_cookie(SIGN_IN_COOKIE, cookie)  # as a slow clock keeps it

    response = person.comes_back(person.provider.answers(address))

    assert response.status_code == status
    if status == 400:
        assert way_on(response.text) == "/login?return_to=/profile"


def test_a_state_from_the_future_is_refused(app: Flask, person: Person, clock: Clock) -> None:
    clock.moves(120)
    address = person.begins()
    clock.moves(-120)

    assert person.comes_back(person.provider.answers(address)).status_code == 400


# Many at once


def test_twenty_tabs_all_reach_their_pages_in_any_order(person: Person) -> None:
    pages = [f"/profile?tab={number}&{'x' * 600}" for number in range(20)]
    callbacks = [
        person.provider.answers(person.begins(f"/login?return_to={quote(page, safe='')}"))
        for page in pages
    ]

    led = [person.comes_back(callback).headers["Location"] for callback in reversed(callbacks)]

    assert led == pages[::-1]
    assert person.is_signed_in()
    assert len(person.browser.cookies()) == 2


def test_a_callback_loaded_several_times_at_once_signs_in_once(
    app: Flask, person: Person, provider: Provider
) -> None:
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

    assert locations == ["/profile"] * 6
    assert session_records(app) == 1
    assert len(provider.requests_to("/oauth/token")) == 1


def test_a_repeated_callback_leads_on_to_its_page_without_a_token_request(
    person: Person, provider: Provider, clock: Clock
) -> None:
    address = person.begins("/login?return_to=/appointments")
    callback = person.provider.answers(address)
    person.comes_back(callback)

    reloaded = person.comes_back(callback)
    back_at_provider = person.comes_back(person.provider.answers(address))
    person.signs_out()
    person.signs_in(BEN)
    clock.moves(60)
    by_another_person = person.comes_back(callback)

    for again in (reloaded, back_at_provider, by_another_person):
        assert (again.status_code, again.headers["Location"]) == (302, "/appointments")
    assert len(provider.requests_to("/oauth/token")) == 2


def test_a_callback_that_failed_may_be_loaded_again_and_fails_again(
    person: Person, provider: Provider
) -> None:
    provider.lies("wrong_nonce")
    callback = person.provider.answers(person.begins("/login?return_to=/profile"))
    person.comes_back(callback)

    again = person.comes_back(callback)

    assert again.status_code == 400
    assert "used before" in text_of(again)
    assert way_on(again.text) == "/login?return_to=/profile"


def test_a_reloaded_callback_after_signing_out_signs_nobody_in(person: Person) -> None:
    callback = person.provider.answers(person.begins())
    person.comes_back(callback)
    person.signs_out()

    person.comes_back(callback)

    assert not person.is_signed_in()


# Round and round


def test_a_second_sign_in_in_a_moment_that_finds_no_session_stops_and_says_why(
    person: Person, caplog: pytest.LogCaptureFixture
) -> None:
    name = person.browser.client.application.config["SESSION_COOKIE_NAME"]
    first = person.signs_in(path="/login?return_to=/profile")
    person.browser.client.delete_cookie(name)  # as a browser that drops it

    second = person.signs_in(path="/login?return_to=/profile")
    person.browser.client.delete_cookie(name)
    third = person.signs_in(path="/login?return_to=/profile")

    assert first.status_code == 303
    assert second.status_code == 400
    assert "it was not remembered" in text_of(second)
    assert all(word in caplog.text for word in ("SESSION_REDIS_URL", "cookie", "evicts"))
    assert third.status_code == 303  # who tries again is let try again


def test_signing_out_and_in_again_at_once_is_no_loop(person: Person) -> None:
    person.signs_in()
    person.signs_out()

    assert person.signs_in().status_code == 303


def test_a_tab_whose_request_was_under_way_while_another_tab_signed_in_is_no_loop(
    person: Person,
) -> None:
    callback = person.provider.answers(person.begins("/login?return_to=/profile"))
    person.signs_in()
    before = person.browser.cookie(SESSION_COOKIE)
    person.signs_in()
    person.browser.client.set_cookie(SESSION_COOKIE, before)

    assert person.comes_back(callback).headers["Location"] == "/profile"


def test_a_browser_without_cookies_is_told_so(person: Person) -> None:
    callback = person.provider.answers(person.begins())
    person.browser.client.delete_cookie(SIGN_IN_COOKIE)

    assert "allow cookies" in text_of(person.comes_back(callback))


# Who is signed in


def test_signing_in_as_another_person_is_the_other_person(app: Flask, person: Person) -> None:
    person.signs_in(ADA)
    person.provider.session.cookies.clear()

    person.signs_in(BEN)

    page = text_of(person.sees("/profile"))
    assert "Ben Okafor" in page
    assert "Ada" not in page
    assert session_records(app) == 1


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_a_callback_of_somebody_elses_sign_in_signs_nobody_in(
    app: Flask, person_at: PersonAt, provider: Provider, is_signed_in: bool
) -> None:
    attacker, victim = person_at(app), person_at(app)
    callback = attacker.provider.answers(attacker.begins("/login?return_to=/profile"), BEN)
    victim.signs_in(ADA) if is_signed_in else victim.begins()

    response = victim.comes_back(callback)

    assert response.status_code == (302 if is_signed_in else 400)
    assert response.headers.get("Location") == ("/profile" if is_signed_in else None)
    assert len(provider.requests_to("/oauth/token")) == is_signed_in  # the victim's own
    assert ("Ada Marlow" in text_of(victim.sees("/profile"))) == is_signed_in


def test_tabs_that_a_browser_opens_together_reach_their_pages_once_one_has_signed_in(
    person: Person,
) -> None:
    pages = ["/profile", "/appointments", "/sessions"]
    addresses = []
    for page in pages:  # each without the cookie of the others
        person.browser.client.delete_cookie(SIGN_IN_COOKIE)
        addresses.append(person.begins(f"/login?return_to={page}"))
    callbacks = [person.provider.answers(address) for address in addresses]

    led = [person.comes_back(callback).headers["Location"] for callback in reversed(callbacks)]

    assert led == pages[::-1]


def test_who_goes_on_to_another_sign_in_without_its_cookie_is_told_so_and_stays_signed_in(
    person: Person, clock: Clock
) -> None:
    person.signs_in()
    clock.moves(2)
    callback = person.provider.answers(person.begins("/login?prompt=login&return_to=/profile"))
    person.browser.client.delete_cookie(SIGN_IN_COOKIE)

    response = person.comes_back(callback)

    assert response.status_code == 400
    assert person.is_signed_in()


def test_a_session_that_is_planted_does_not_finish_somebody_elses_sign_in(
    app: Flask, person_at: PersonAt
) -> None:
    attacker, victim = person_at(app), person_at(app)
    callback = attacker.provider.answers(attacker.begins(), BEN)
    victim.browser.client.set_cookie(SIGN_IN_COOKIE, attacker.browser.cookie(SIGN_IN_COOKIE))
    attacker.comes_back(callback)

    # The code is spent and the sign-in done: a redirect at most, and no session.
    victim.comes_back(callback)

    assert not victim.is_signed_in()


def test_the_code_of_one_sign_in_is_of_no_use_in_another(person: Person) -> None:
    first = query_of(person.provider.answers(person.begins()))
    second = query_of(person.provider.answers(person.begins()))

    response = person.comes_back(f"/callback?code={first['code']}&state={second['state']}"
                                 f"&iss={quote(second['iss'], safe='')}")  # fmt: skip

    assert response.status_code == 400
    assert not person.is_signed_in()


# The store


def test_who_only_begins_or_fails_leaves_nothing_in_the_store(
    engine: str, app: Flask, person: Person, provider: Provider, request: pytest.FixtureRequest
) -> None:
    for _ in range(3):
        person.begins()
    for path in ("/", "/profile", "/callback?state=" + "a" * 43):
        person.sees(path)
    person.browser.post("/logout")
    provider.lies("wrong_nonce")
    person.signs_in()

    if engine == "redis":
        import redis

        with redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
            assert client.dbsize() == 0
    else:
        assert session_records(app) == 0


def test_a_state_of_another_version_is_not_ours(app: Flask, person: Person) -> None:
    encryptor = app.extensions["relying_party"].encryptor
    for text in (b"{}", b"[1]", b"not json"):
        state = encryptor.encrypt_text(text, bound_to="state")
        assert person.sees(f"/callback?state={state}&code=x").status_code == 400
