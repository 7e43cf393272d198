"""Attempts to sign in: one short-lived, sealed cookie each, and nothing in the session store."""

from __future__ import annotations

import base64
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import ADA, BEN, Person, Provider, query_of, session_records, text_of

ATTEMPT = re.compile(r"app_sign_in_[0-9a-f]{8}_[A-Za-z0-9_-]{8}")


def attempts_of(person: Person) -> dict[str, str]:
    cookies = person.browser.cookies()
    return {name: value for name, value in cookies.items() if "app_sign_in" in name}


def set_cookies(response: Any) -> list[str]:
    return [str(line) for line in response.headers.getlist("Set-Cookie")]


def test_the_cookie_of_an_attempt_is_short_lived_and_out_of_reach_of_scripts(
    person: Person,
) -> None:
    response = person.sees("/login")

    (cookie,) = set_cookies(response)
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"max-age=600", "httponly", "samesite=lax", "path=/"} <= attributes
    assert "secure" not in attributes
    assert not any(attribute.startswith("domain") for attribute in attributes)
    assert ATTEMPT.fullmatch(cookie.partition("=")[0])


def test_the_cookie_of_an_attempt_shows_nothing_of_it(person: Person) -> None:
    address = person.begins("/login?return_to=/profile")

    ((name, value),) = attempts_of(person).items()
    sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
    params = query_of(address)
    for secret in (params["state"], params["nonce"], "/profile", "code_verifier", "nonce"):
        assert secret.encode() not in sealed
        assert secret not in name + value


def test_a_changed_cookie_is_no_attempt(person: Person) -> None:
    callback = person.provider.answers(person.begins())
    ((name, value),) = attempts_of(person).items()
    middle = len(value) // 2
    other = "A" if value[middle] != "A" else "B"
    person.browser.client.set_cookie(name, value[:middle] + other + value[middle + 1 :])

    response = person.comes_back(callback)

    assert response.status_code == 400
    assert not person.is_signed_in()


def test_a_cookie_under_another_attempts_name_is_no_attempt(person: Person) -> None:
    callback = person.provider.answers(person.begins())
    ((name, value),) = attempts_of(person).items()
    person.browser.client.delete_cookie(name)
    # As somebody does who would have an old attempt pass for a new one.
    person.browser.client.set_cookie(f"app_sign_in_ffffffff_{name[-8:]}", value)

    response = person.comes_back(callback)

    assert response.status_code == 400
    assert not person.is_signed_in()


def test_a_state_that_only_begins_like_the_attempts_is_another_one(person: Person) -> None:
    callback = person.provider.answers(person.begins())
    state = query_of(callback)["state"]

    response = person.comes_back(callback.replace(state, state[:8] + "A" * 35))

    assert response.status_code == 400
    assert not person.is_signed_in()


def test_an_attempt_is_over_after_ten_minutes(person: Person, clock: Clock) -> None:
    callback = person.provider.answers(person.begins())
    ((name, value),) = attempts_of(person).items()

    clock.moves(601)
    person.browser.client.set_cookie(name, value)  # as a browser with a slow clock keeps it
    response = person.comes_back(callback)

    assert response.status_code == 400
    assert "This sign-in cannot be finished" in text_of(response)
    assert not person.is_signed_in()


def test_an_attempt_lasts_nearly_ten_minutes(person: Person, clock: Clock) -> None:
    clock.moves(-590)  # for the ID token the provider's time counts, which does not move
    address = person.begins()

    clock.moves(590)
    response = person.comes_back(person.provider.answers(address))

    assert response.status_code == 303


def test_a_visitor_who_only_begins_leaves_nothing_in_the_store(
    engine: str, app: Any, person: Person, request: pytest.FixtureRequest
) -> None:
    for _ in range(3):
        person.begins()
    person.sees("/")
    person.sees("/profile")
    person.sees("/callback?state=" + "a" * 43)
    person.browser.post("/logout")

    if engine == "redis":
        import redis

        with redis.Redis.from_url(request.getfixturevalue("redis_url")) as client:
            assert client.dbsize() == 0
    else:
        assert session_records(app) == 0


def test_a_refused_sign_in_leaves_nothing_in_the_store(
    app: Any, person: Person, provider: Provider
) -> None:
    provider.lies("wrong_nonce")

    person.signs_in()

    assert session_records(app) == 0


@pytest.mark.parametrize(
    "parameters",
    [
        {"return_to": "/" + "x" * 1999, "organization": "y" * 300},
        {"return_to": "/" + "東" * 1999},
        {"return_to": "/" + "x" * 1999, "organization": "y" * 2000},
        {"scope": " ".join(f"scope:{number}" for number in range(180)), "organization": "z" * 2000},
    ],
    ids=["a long page", "a page beyond ASCII", "a long organization", "many scopes"],
)
def test_one_attempt_is_never_larger_than_a_browser_keeps(
    person: Person, parameters: dict[str, str]
) -> None:
    response = person.sees(f"/login?{urlencode(parameters)}")

    assert response.status_code in (302, 400)
    assert all(len(cookie) < 4096 for cookie in set_cookies(response))


def test_a_finished_attempt_is_taken_out_of_the_browser(person: Person) -> None:
    person.signs_in()

    assert attempts_of(person) == {}


def test_a_failed_attempt_works_only_once_too(person: Person, provider: Provider) -> None:
    provider.lies("wrong_nonce")
    callback = person.provider.answers(person.begins())
    person.comes_back(callback)

    again = person.comes_back(callback)

    assert again.status_code == 400
    assert attempts_of(person) == {}
    assert len(provider.requests_to("/oauth/token")) == 1


def test_a_reloaded_callback_leads_on_to_the_same_page(person: Person, provider: Provider) -> None:
    callback = person.provider.answers(person.begins("/login?return_to=/appointments"))
    person.comes_back(callback)

    again = person.comes_back(callback)

    assert again.status_code == 302
    assert again.headers["Location"] == "/appointments"
    assert len(provider.requests_to("/oauth/token")) == 1
    assert person.is_signed_in()


def test_the_back_button_to_the_provider_leads_on(person: Person) -> None:
    address = person.begins("/login?return_to=/contacts")
    person.comes_back(person.provider.answers(address))

    again = person.comes_back(person.provider.answers(address))

    assert again.status_code == 302
    assert again.headers["Location"] == "/contacts"


def test_a_reloaded_callback_after_signing_out_signs_nobody_in(person: Person) -> None:
    callback = person.provider.answers(person.begins())
    person.comes_back(callback)
    person.signs_out()

    again = person.comes_back(callback)

    assert again.status_code == 400
    assert not person.is_signed_in()


def test_signing_in_while_signed_in_as_the_same_person_goes_on(person: Person) -> None:
    person.signs_in()

    response = person.signs_in(path="/login?return_to=/profile")

    assert response.headers["Location"] == "/profile"
    assert person.is_signed_in()


def test_signing_in_while_signed_in_as_another_person_is_the_other_person(
    app: Any, person: Person
) -> None:
    person.signs_in(ADA)
    person.provider.session.cookies.clear()

    person.signs_in(BEN)

    page = text_of(person.sees("/profile"))
    assert "Ben Okafor" in page
    assert "Ada" not in page
    assert session_records(app) == 1


def test_a_failed_sign_in_while_signed_in_keeps_the_session(
    person: Person, provider: Provider
) -> None:
    person.signs_in(ADA)
    provider.lies("wrong_nonce")

    failed = person.signs_in()

    assert failed.status_code == 400
    assert "Ada Marlow" in text_of(person.sees("/profile"))


def test_callback_with_someone_elses_state_signs_nobody_in(app: Any, person_at: PersonAt) -> None:
    attacker, victim = person_at(app), person_at(app)
    callback = attacker.provider.answers(attacker.begins(), BEN)
    victim.begins()

    response = victim.comes_back(callback)

    assert response.status_code == 400
    assert not victim.is_signed_in()


def test_a_signed_in_victim_of_a_forged_callback_stays_who_they_are(
    app: Any, person_at: PersonAt
) -> None:
    attacker, victim = person_at(app), person_at(app)
    callback = attacker.provider.answers(attacker.begins(), BEN)
    victim.signs_in(ADA)

    response = victim.comes_back(callback)

    assert response.headers["Location"] == "/"
    assert "Ada Marlow" in text_of(victim.sees("/profile"))


def test_the_code_of_one_attempt_is_of_no_use_in_another(person: Person) -> None:
    first = query_of(person.provider.answers(person.begins()))
    second = query_of(person.provider.answers(person.begins()))

    response = person.comes_back(f"/callback?code={first['code']}&state={second['state']}"
                                 f"&iss={quote(second['iss'], safe='')}")  # fmt: skip

    assert response.status_code == 400
    assert not person.is_signed_in()


def test_attempts_of_another_app_on_the_same_host_name_are_not_ours(
    make_app: MakeApp, person_at: PersonAt, clock: Clock
) -> None:
    ours, theirs = make_app(), make_app(APP_SECRET_KEY="another-app's-own-secret-0123456789abcdef")
    person, neighbour = person_at(ours), person_at(theirs)
    callback = neighbour.provider.answers(neighbour.begins())
    for name, value in attempts_of(neighbour).items():
        person.browser.client.set_cookie(name, value)  # cookies ignore ports

    response = person.comes_back(callback)

    assert response.status_code == 400
    assert not person.is_signed_in()
