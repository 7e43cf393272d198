"""OpenID Connect Back-Channel Logout 1.0, as the provider meets it."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp
from tests.support.harness import (
    ADA,
    BEN,
    Browser,
    HttpBrowser,
    Person,
    Provider,
    client_at,
    logout_url_of,
    post_logout,
    serving,
    session_records,
    wait_for,
)
from tests.support.scripted_provider import (
    GONE,
    ScriptedProvider,
    says,
    visitor_of,
)

Claims = dict[str, Any]


def another(app: Flask, scripted: ScriptedProvider, **claims: Any) -> Person:
    """One more browser, signed in with other claims."""
    scripted.claims = claims
    person = visitor_of(app, scripted)
    assert person.signs_in().status_code == 303
    return person


@pytest.mark.parametrize("engine", ["sqlite", "redis"])
def test_the_demo_ends_the_session_that_it_names(
    engine: str, make_app: MakeApp, provider: Provider, request: pytest.FixtureRequest
) -> None:
    redis = {"SESSION_REDIS_URL": request.getfixturevalue("redis_url")} if engine == "redis" else {}
    app = make_app(**redis)
    here, elsewhere, ben = (Person(Browser(app)) for _ in range(3))
    for person in (here, elsewhere):
        person.signs_in()
    ben.signs_in(BEN)
    sid = here.sees("/profile", headers={"Accept": "application/json"}).get_json()["sid"]

    token = provider.logout_token(sub=ADA, sid=sid)
    response = post_logout(app, token)

    assert response.status_code == 200
    assert not here.is_signed_in()
    assert elsewhere.is_signed_in()
    assert ben.is_signed_in()


def test_the_demo_delivers_a_logout_token_when_somebody_signs_out_there(
    provider: Provider, settings: dict[str, str]
) -> None:
    with serving(provider, settings) as base_url:
        told_at = {"backchannel_logout_uri": f"{base_url}/backchannel-logout"}
        provider.options(clients=[client_at(base_url) | told_at])
        here, elsewhere = (Person(HttpBrowser(base_url)) for _ in range(2))
        elsewhere.provider = here.provider
        for person in (here, elsewhere):
            person.signs_in()
        assert elsewhere.is_signed_in()

        leads = here.browser.post("/logout", headers={"Origin": base_url})
        here.provider.session.get(logout_url_of(leads), allow_redirects=False, timeout=30)

        wait_for(lambda: not elsewhere.is_signed_in())


def test_the_answer_is_200_empty_and_not_cached(
    signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    response = post_logout(scripted_app, scripted.logout_token())

    assert response.status_code == 200
    assert response.data == b""
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    assert session_records(scripted_app) == 0


def test_a_sid_ends_only_its_own_session(
    signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    same = another(scripted_app, scripted)
    other = another(scripted_app, scripted, sid="sid-2")

    post_logout(scripted_app, scripted.logout_token({"sub": GONE}))

    assert not signed_in_visitor.is_signed_in()
    assert not same.is_signed_in()
    assert other.is_signed_in()


def test_a_sub_ends_all_sessions_of_that_person_and_of_nobody_else(
    signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    same = another(scripted_app, scripted, sid="sid-2")
    without_sid = another(scripted_app, scripted, sid=GONE)
    ben = another(scripted_app, scripted, sub="scripted|ben", sid="sid-3")

    post_logout(scripted_app, scripted.logout_token({"sid": GONE}))

    assert not any(person.is_signed_in() for person in (signed_in_visitor, same, without_sid))
    assert ben.is_signed_in()


@pytest.mark.parametrize(
    "claims",
    [
        {"sub": "scripted|ben"},
        {"sid": "sid-9"},
        {"sid": "scripted|ada", "sub": GONE},
        {"sid": GONE, "sub": "sid-1"},
        {"sub": "scripted|ada ", "sid": GONE},
    ],
    ids=["the sid of another's", "an unknown sid", "a sub as sid", "a sid as sub", "nearly"],
)
def test_a_logout_that_means_nobody_here_is_200_and_ends_nothing(
    claims: Claims, signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    response = post_logout(scripted_app, scripted.logout_token(claims))

    assert response.status_code == 200
    assert signed_in_visitor.is_signed_in()


def test_a_logout_token_works_once_and_in_one_process(
    signed_in_visitor: Person, scripted_app: Flask, make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    token = scripted.logout_token()
    post_logout(scripted_app, token)
    signed_in_visitor.signs_in()

    again = [
        post_logout(app, token) for app in (scripted_app, make_app(AUTH0_DOMAIN=scripted.issuer))
    ]

    assert [response.status_code for response in again] == [400, 400]
    assert signed_in_visitor.is_signed_in()


def test_a_jti_is_remembered_as_long_as_its_token_could_come_again(
    signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider, clock: Clock
) -> None:
    token = scripted.logout_token()  # good for 120 s, and 60 s of skew
    post_logout(scripted_app, token)
    signed_in_visitor.signs_in()
    clock.moves(178)

    again = post_logout(scripted_app, token)

    assert again.status_code == 400
    assert signed_in_visitor.is_signed_in()


def test_a_refused_token_does_not_use_up_the_jti_of_a_right_one(
    signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    wrong = scripted.logout_token({"jti": "one", "nonce": "x"})
    right = scripted.logout_token({"jti": "one"})

    assert post_logout(scripted_app, wrong).status_code == 400
    assert post_logout(scripted_app, right).status_code == 200


def test_only_a_form_with_one_token_in_its_body_counts(
    signed_in_visitor: Person, scripted_app: Flask, scripted: ScriptedProvider
) -> None:
    token = scripted.logout_token()
    provider = Browser(scripted_app)
    path = "/backchannel-logout"

    answers = [
        provider.post(f"{path}?logout_token={token}"),
        provider.post(path, json={"logout_token": token}),
        provider.post(path, data=f"logout_token={token}", content_type="text/plain"),
        provider.post(path, data={"logout_token": token}, content_type="multipart/form-data"),
        provider.post(path, data={"logout_token": [token, token]}),
        provider.post(path, data={"token": token}),
        provider.post(path),
    ]

    assert [answer.status_code for answer in answers] == [400] * 7
    assert signed_in_visitor.is_signed_in()


def test_a_token_that_cannot_be_checked_now_is_503_and_may_come_again(
    scripted_app: Flask, scripted: ScriptedProvider, clock: Clock
) -> None:
    scripted.scripts["jwks"] = says(b"", 500)
    token = scripted.logout_token()

    away = post_logout(scripted_app, token)
    scripted.scripts.clear()
    clock.moves(2)
    back = post_logout(scripted_app, token)

    assert (away.status_code, back.status_code) == (503, 200)


def test_a_store_that_is_away_is_503(make_app: MakeApp, scripted: ScriptedProvider) -> None:
    app = make_app(AUTH0_DOMAIN=scripted.issuer, SESSION_REDIS_URL="redis://localhost:1/0")

    response = post_logout(app, scripted.logout_token())

    assert response.status_code == 503
    assert response.headers["Cache-Control"] == "no-store"
