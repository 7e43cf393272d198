"""Whoever signs out while a sign-in is under way stays signed out, and nothing gets mixed."""

from __future__ import annotations

import time

from flask import Flask

from sessions import StoreUnavailable, ref_of
from tests.conftest import MakeApp
from tests.support.harness import ADA, YUKI, Api, Browser, Person, Provider, post_logout
from tests.support.session_store import same_browser, store_of, when_the_provider_has_answered


def test_signing_out_during_a_sign_in_leaves_nobody_signed_in(
    engine: str, app: Flask, person: Person, provider: Provider
) -> None:
    person.signs_in()
    callback = person.provider.answers(person.begins())
    elsewhere = same_browser(person, app)

    with when_the_provider_has_answered(elsewhere.signs_out):
        response = person.comes_back(callback)

    assert "app_session" not in str(response.headers.getlist("Set-Cookie"))
    assert not person.is_signed_in()
    assert app.session_interface.all_with(ref_of(provider.issuer, "sub", ADA)) == {}  # type: ignore[attr-defined]  # it is ours
    assert len(provider.requests_to("/oauth/revoke")) == 2


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


def logout_token(provider: Provider, seconds: int) -> str:
    claims = {"iat": {"in_seconds": seconds}, "exp": {"in_seconds": 120}}
    return provider.logout_token(sub=ADA, claims=claims)


def test_a_back_channel_logout_during_a_sign_in_leaves_nobody_signed_in(
    engine: str, app: Flask, person: Person, provider: Provider
) -> None:
    callback = person.provider.answers(person.begins())
    token = logout_token(provider, 0)
    provider.lies(id_token={"iat": {"in_seconds": -5}})

    def the_provider_logs_out() -> None:
        assert post_logout(app, token).status_code == 200

    with when_the_provider_has_answered(the_provider_logs_out):
        person.comes_back(callback)

    assert not person.is_signed_in()


def test_a_sign_in_after_a_back_channel_logout_is_not_hindered(
    engine: str, app: Flask, person: Person, provider: Provider
) -> None:
    token = logout_token(provider, -5)
    assert post_logout(app, token).status_code == 200

    person.signs_in()

    assert person.is_signed_in()


def test_a_logout_from_a_clock_that_is_ahead_hinders_no_sign_in(
    app: Flask, person: Person, provider: Provider
) -> None:
    token = logout_token(provider, 50)
    assert post_logout(app, token).status_code == 200

    person.signs_in()

    assert person.is_signed_in()


def test_a_logout_that_could_not_be_done_may_come_again(
    app: Flask, person: Person, provider: Provider
) -> None:
    person.signs_in()
    token = logout_token(provider, 0)
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


def test_no_scope_counts_as_granted_when_the_grant_is_over(
    person: Person, provider: Provider, api: Api
) -> None:
    provider.options(skip_consent=False)
    person.signs_in(grant=["appointments"])
    assert person.sees("/examples/phone").status_code != 200
    provider.control("revoke-grants", {})
    api.lies("api_401")
    person.sees("/appointments")

    page = person.sees("/examples/phone")

    assert page.status_code == 302


def test_readiness_is_asked_once_by_all_who_wait(
    app: Flask, person: Person, provider: Provider
) -> None:
    person.sees("/readyz")
    provider.lies(at="metadata", times=0, delay_seconds=1.2)
    time.sleep(1.1)  # what was fetched counts for a second
    before = len(provider.requests_to("/openid-configuration"))

    answers = [person.sees("/readyz").status_code for _ in range(5)]

    provider.is_honest()
    assert answers == [200] * 5
    assert len(provider.requests_to("/openid-configuration")) - before == 1
