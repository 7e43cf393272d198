"""Whoever signs out while a sign-in is under way stays signed out, and nothing gets mixed."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask

from sessions import StoreUnavailable
from tests.conftest import MakeApp
from tests.support.harness import (
    ADA,
    SESSION_COOKIE,
    YUKI,
    Api,
    Browser,
    Person,
    Provider,
    post_logout,
)
from tests.support.scripted_provider import ScriptedProvider, sign
from tests.support.session_store import (
    ref_of,
    same_browser,
    store_of,
    when_the_provider_has_answered,
)


def test_signing_out_during_a_sign_in_leaves_nobody_signed_in(
    engine: str, app: Flask, person: Person, provider: Provider
) -> None:
    person.signs_in()
    callback = person.provider.answers(person.begins())
    elsewhere = same_browser(person, app)

    with when_the_provider_has_answered(elsewhere.signs_out):
        response = person.comes_back(callback)
    person.comes_back(callback)

    assert f"{SESSION_COOKIE}=" not in str(response.headers.getlist("Set-Cookie"))
    assert len(provider.requests_to("/oauth/token")) == 2  # one for each sign-in
    assert not person.is_signed_in()
    assert app.session_interface.records.all_with(ref_of(app, ADA)) == []  # type: ignore[attr-defined]  # it is ours
    assert len(provider.requests_to("/oauth/revoke")) == 2


def test_signing_out_while_the_callback_is_being_answered_leaves_nobody_signed_in(
    engine: str, app: Flask, person: Person, provider: Provider
) -> None:
    """The new cookie is on its way: the sign-out in the other tab comes with the earlier one."""
    person.signs_in()
    callbacks = [person.provider.answers(person.begins()) for _ in range(2)]
    elsewhere = same_browser(person, app)
    for callback in callbacks:
        assert person.comes_back(callback).status_code == 303

    response = elsewhere.signs_out()

    assert response.status_code == 200
    assert not person.is_signed_in()
    assert len(provider.requests_to("/oauth/revoke")) == 1


def test_a_sign_in_that_cannot_be_kept_costs_nobody_the_session_they_have(
    engine: str, app: Flask, person: Person
) -> None:
    person.signs_in()

    def is_away(*_: object) -> None:
        raise StoreUnavailable

    store = store_of(app)
    create, store.create = store.create, is_away  # type: ignore[method-assign]
    response = person.signs_in()
    store.create = create  # type: ignore[method-assign]

    assert response.status_code == 503
    assert person.is_signed_in()


@pytest.mark.parametrize("later", [0, 5], ids=["in the same second", "later"])
@pytest.mark.parametrize("ahead", [-40, 0, 40], ids=["a clock behind", "ours", "a clock ahead"])
def test_a_back_channel_logout_during_a_sign_in_leaves_nobody_signed_in(
    engine: str,
    scripted_app: Flask,
    visitor: Person,
    scripted: ScriptedProvider,
    ahead: int,
    later: int,
) -> None:
    now = int(time.time()) + ahead
    scripted.claims = {"iat": now, "exp": now + 300}

    def logs_out_first(claims: dict[str, Any]) -> str:
        token = scripted.logout_token({"iat": now + later, "exp": now + 300})
        assert post_logout(scripted_app, token).status_code == 200
        return sign(claims, scripted.key)

    scripted.id_token = logs_out_first
    visitor.signs_in()

    assert not visitor.is_signed_in()
    assert scripted.asked["token"] == 1


@pytest.mark.parametrize("ahead", [-40, 0, 40], ids=["a clock behind", "ours", "a clock ahead"])
def test_a_sign_in_after_a_back_channel_logout_is_not_hindered(
    engine: str, scripted_app: Flask, visitor: Person, scripted: ScriptedProvider, ahead: int
) -> None:
    now = int(time.time()) + ahead
    scripted.claims = {"iat": now, "exp": now + 300}
    token = scripted.logout_token({"iat": now, "exp": now + 300})
    assert post_logout(scripted_app, token).status_code == 200

    visitor.signs_in()

    assert visitor.is_signed_in()


def test_a_logout_that_could_not_be_done_may_come_again(
    app: Flask, person: Person, provider: Provider
) -> None:
    person.signs_in()
    token = provider.logout_token(sub=ADA)
    store = store_of(app)
    keys_with = store.keys_with

    def is_away(ref: str) -> list[str]:
        store.keys_with = keys_with  # type: ignore[method-assign]
        raise StoreUnavailable

    store.keys_with = is_away  # type: ignore[method-assign]
    first = post_logout(app, token)
    second = post_logout(app, token)

    assert (first.status_code, second.status_code) == (503, 200)
    assert not person.is_signed_in()


def test_tokens_of_two_organizations_are_never_in_one_session(
    make_app: MakeApp, provider: Provider, contacts_api: Api
) -> None:
    app = make_app(
        CONTACTS_API_BASE_URL=contacts_api.base_url, CONTACTS_AUDIENCE=contacts_api.audience
    )
    provider.options(multi_resource=False)
    person = Person(Browser(app))
    person.signs_in(YUKI, "/login?organization=org_Yw73HdPnS0aJfE6u")
    one = person.begins("/contacts")
    person.signs_in(YUKI, "/login?organization=org_Qc5TgNvR9bXkM2oi")

    person.comes_back(person.provider.answers(one, YUKI))

    # The configured API's token set was another organization's: it is asked for anew.
    assert person.sees("/contacts").status_code == 200
    assert person.sees("/appointments").headers.get("Location", "").startswith("/login")
