"""The session: its cookie, its id, its life and its keys."""

from __future__ import annotations

import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import (
    ADA,
    BEN,
    SESSION_COOKIE,
    Browser,
    Gunicorn,
    Person,
    Provider,
    free_port,
    text_of,
)
from tests.support.in_chromium import is_signed_in, sign_in, sign_out
from tests.support.session_store import Counted, ref_of, session_cookie

SECURE_APP = "https://daybook.example"


def with_session_id(app: Flask, session_id: str) -> Person:
    browser = Browser(app)
    browser.client.set_cookie(SESSION_COOKIE, session_id)
    return Person(browser)


@pytest.fixture
def secure_person(make_app: MakeApp, provider: Provider) -> Person:
    provider.registers(SECURE_APP)
    return Person(Browser(make_app(APP_BASE_URL=SECURE_APP), SECURE_APP))


# The cookie


def test_the_session_cookie_over_http(person: Person) -> None:
    name, value, attributes = session_cookie(person.signs_in())

    assert name == SESSION_COOKIE
    assert len(value) == 43
    assert attributes == {"httponly", "samesite=lax", "path=/", "max-age=604800"}


def test_the_session_cookie_over_https(secure_person: Person) -> None:
    name, _, attributes = session_cookie(secure_person.signs_in())

    assert name == "__Host-app_session"
    assert attributes == {"secure", "httponly", "samesite=lax", "path=/", "max-age=604800"}


def test_every_cookie_over_https_is_tied_to_host_and_tls(secure_person: Person) -> None:
    lines = [
        *secure_person.sees("/login").headers.getlist("Set-Cookie"),
        *secure_person.signs_in().headers.getlist("Set-Cookie"),
        *secure_person.browser.post("/logout").headers.getlist("Set-Cookie"),
    ]

    assert len(lines) >= 4
    for line in lines:
        attributes = {part.strip().lower() for part in line.split(";")[1:]}
        assert line.startswith("__Host-")
        assert {"secure", "httponly", "path=/", "samesite=lax"} <= attributes
        assert not any(attribute.startswith("domain") for attribute in attributes)


def test_signing_out_deletes_the_cookie_by_the_attributes_it_was_set_with(
    secure_person: Person,
) -> None:
    set_name, _, set_with = session_cookie(secure_person.signs_in())

    name, value, attributes = session_cookie(secure_person.browser.post("/logout"))

    assert (name, value) == (set_name, "")
    assert attributes == (set_with - {"max-age=604800"}) | {"max-age=0"}


def test_pages_do_not_set_the_session_cookie_again(person: Person) -> None:
    person.signs_in()

    assert "Set-Cookie" not in person.sees("/profile").headers
    assert "Set-Cookie" not in person.sees("/").headers


def test_a_session_under_the_http_name_counts_for_nothing_over_https(
    secure_person: Person,
) -> None:
    secure_person.signs_in()
    browser, domain = secure_person.browser.client, "daybook.example"
    session_id = secure_person.browser.cookies()["__Host-app_session"]
    browser.delete_cookie("__Host-app_session", domain=domain)

    # A neighbour on a sibling host name or on plain http can set this one, but not the other.
    browser.set_cookie("app_session", session_id, domain=domain)

    assert not secure_person.is_signed_in()


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[Path, Path]:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


def test_chromium_keeps_the_cookies_over_https_and_really_deletes_them(
    chromium: Any,
    provider: Provider,
    settings: dict[str, str],
    redis_url: str,
    certificate: tuple[Path, Path],
) -> None:
    port = free_port()
    base_url = f"https://localhost:{port}"
    provider.registers(base_url)
    settings |= {"APP_BASE_URL": base_url, "SESSION_REDIS_URL": redis_url}
    tls = "--certfile {} --keyfile {}".format(*certificate)
    app = Gunicorn(settings, PORT=str(port), GUNICORN_CMD_ARGS=tls)
    app.ready = ""  # it does not answer over http

    with app, closing(chromium.new_context(ignore_https_errors=True)) as context:
        page = context.new_page()
        sign_in(page, base_url)
        found = {cookie["name"]: cookie for cookie in context.cookies(base_url)}
        sign_out(page, base_url)
        left = {cookie["name"] for cookie in context.cookies(base_url)}
        signed_in = is_signed_in(page, base_url)

    session = found[f"__Host-app_session_{port}"]
    assert (session["secure"], session["httpOnly"], session["sameSite"]) == (True, True, "Lax")
    assert not any("app_session" in name for name in left)
    assert not signed_in


# Its id


def test_each_sign_in_has_a_new_id_and_the_old_one_is_dead(app: Flask, person: Person) -> None:
    _, first, _ = session_cookie(person.signs_in())

    _, second, _ = session_cookie(person.signs_in())

    assert first != second
    assert not with_session_id(app, first).is_signed_in()
    assert with_session_id(app, second).is_signed_in()


def test_an_id_chosen_by_somebody_else_is_never_taken(app: Flask, person: Person) -> None:
    planted = "A" * 43
    person.browser.client.set_cookie(SESSION_COOKIE, planted)

    _, session_id, _ = session_cookie(person.signs_in())

    assert session_id != planted
    assert not with_session_id(app, planted).is_signed_in()


def test_an_attackers_own_session_planted_in_a_victim_learns_nothing(
    app: Flask, person_at: PersonAt
) -> None:
    attacker, victim = person_at(app), person_at(app)
    _, planted, _ = session_cookie(attacker.signs_in(BEN))
    victim.browser.client.set_cookie(SESSION_COOKIE, planted)

    victim.signs_in(ADA)

    assert "Ada" not in text_of(attacker.sees("/profile"))
    assert "Ben" not in text_of(victim.sees("/profile"))


@pytest.mark.parametrize(
    "value",
    [
        *("", "x", "A" * 42, "A" * 44, "A" * 4000, "../../etc/passwd", "A" * 42 + "*"),
        *('"' + "A" * 41, "é" * 43, "%00" * 14 + "A", "' OR 1=1 --" + "A" * 32),
    ],
    ids=repr,
)
def test_what_is_no_session_id_is_nobody_and_is_not_looked_up(app: Flask, value: str) -> None:
    store = Counted(app)

    response = with_session_id(app, value).sees("/profile")

    assert response.status_code == 302
    assert response.headers["Location"] == "/login?return_to=/profile"
    assert store.calls == {}


def test_the_stores_key_of_a_session_is_no_session_id(app: Flask, person: Person) -> None:
    person.signs_in()
    interface: Any = app.session_interface
    key = interface.records.all_with(ref_of(app, ADA))[0].key

    assert not with_session_id(app, key).is_signed_in()
    assert not with_session_id(app, key + "A" * (43 - len(key))).is_signed_in()


# Its life


def test_a_session_ends_when_it_is_not_used(
    engine: str, make_app: MakeApp, person_at: PersonAt, clock: Clock
) -> None:
    person = person_at(make_app(SESSION_IDLE_SECONDS="600"))
    person.signs_in()

    clock.moves(601)

    assert not person.is_signed_in()


def test_a_session_ends_at_the_latest_so_long_after_sign_in_however_much_it_is_used(
    engine: str, make_app: MakeApp, person_at: PersonAt, clock: Clock
) -> None:
    person = person_at(make_app(SESSION_IDLE_SECONDS="600", SESSION_ABSOLUTE_SECONDS="2000"))
    person.signs_in()

    for _ in range(3):
        clock.moves(500)
        assert person.is_signed_in()
    clock.moves(501)

    assert not person.is_signed_in()


def test_a_session_that_may_be_idle_for_longer_than_it_lives_ends_all_the_same(
    engine: str, make_app: MakeApp, person_at: PersonAt, clock: Clock
) -> None:
    person = person_at(make_app(SESSION_IDLE_SECONDS="5000", SESSION_ABSOLUTE_SECONDS="2000"))
    person.signs_in()

    clock.moves(2001)

    assert not person.is_signed_in()


# Its keys
