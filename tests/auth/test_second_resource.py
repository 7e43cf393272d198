"""A second API with an audience of its own: its token is got with the refresh token there is."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp
from tests.support.harness import Api, Browser, Person, Provider, query_of
from tests.support.session_store import same_browser, when_the_provider_has_answered

# What depends on the session store is tried on each.
on_each_store = pytest.mark.usefixtures("engine")

LIFETIME = 200


@pytest.fixture
def settings(settings: dict[str, str], contacts_api: Api) -> dict[str, str]:
    return settings | {
        "CONTACTS_AUDIENCE": contacts_api.audience,
        "CONTACTS_API_BASE_URL": contacts_api.base_url,
    }


@pytest.fixture
def person(app: Flask, provider: Provider) -> Person:
    provider.options(access_token_seconds=LIFETIME)
    person = Person(Browser(app))
    person.signs_in()
    return person


def exchanges(provider: Provider) -> list[dict[str, str]]:
    return [entry["form"] for entry in provider.requests_to("/oauth/token", "refresh_token")]


def test_the_first_opening_exchanges_the_refresh_token_for_the_second_audience(
    person: Person, provider: Provider, contacts_api: Api
) -> None:
    pages = [person.sees("/contacts") for _ in range(3)]

    assert [page.status_code for page in pages] == [200] * 3
    (form,) = exchanges(provider)
    assert form["audience"] == contacts_api.audience
    assert "resource" not in form
    assert len(contacts_api.log()) == 3


def test_no_other_page_asks_for_the_second_audience(person: Person, provider: Provider) -> None:
    for path in ("/", "/profile", "/appointments", "/sessions"):
        assert person.sees(path).status_code == 200

    assert provider.refreshes() == 0


def test_the_second_audience_is_named_as_resource_where_the_settings_do_so(
    make_app: MakeApp, provider: Provider, contacts_api: Api, api: Api
) -> None:
    app = make_app(
        AUTH0_AUDIENCE="",
        AUTH0_AUTHORIZE_PARAMS="resource=appointments%3Aapi",
    )
    person = Person(Browser(app))
    person.signs_in()

    assert person.sees("/appointments").status_code == 200
    assert person.sees("/contacts").status_code == 200
    (form,) = exchanges(provider)
    assert form["resource"] == contacts_api.audience
    assert "audience" not in form


@on_each_store
def test_both_audiences_share_the_rotation_of_one_refresh_token(
    person: Person, provider: Provider, clock: Clock
) -> None:
    for _ in range(3):
        assert person.sees("/contacts").status_code == 200
        assert person.sees("/appointments").status_code == 200
        clock.moves(LIFETIME + 1)

    forms = exchanges(provider)
    assert len(forms) == 5
    assert len({form["refresh_token"] for form in forms}) == 5
    assert provider.stats()["reuse_detections"] == 0


@on_each_store
def test_both_pages_opened_at_once_spend_no_refresh_token_twice(
    person: Person, app: Flask, provider: Provider, clock: Clock
) -> None:
    clock.moves(LIFETIME + 1)
    paths = ["/contacts", "/appointments"] * 6
    browsers = [same_browser(person, app) for _ in paths]

    with ThreadPoolExecutor(len(paths)) as pool:
        pages = list(pool.map(lambda browser, path: browser.sees(path), browsers, paths))

    assert [page.status_code for page in pages] == [200] * len(paths)
    assert provider.refreshes() == 2
    assert provider.stats()["reuse_detections"] == 0


def test_where_the_provider_refuses_the_page_leads_to_sign_in_for_it_and_back(
    person: Person, provider: Provider, contacts_api: Api
) -> None:
    provider.options(multi_resource=False)

    page = person.sees("/contacts")
    request = query_of(page.headers["Location"])
    back = person.comes_back(person.provider.answers(page.headers["Location"]))

    assert page.status_code == 302
    assert request["audience"] == contacts_api.audience
    assert back.headers["Location"] == "/contacts"
    assert person.sees("/contacts").status_code == 200
    assert provider.refreshes() == 1


def test_the_tokens_of_the_first_audience_outlive_a_sign_in_for_the_second(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.options(multi_resource=False)
    page = person.sees("/contacts")
    person.comes_back(person.provider.answers(page.headers["Location"]))

    assert person.sees("/appointments").status_code == 200
    clock.moves(LIFETIME + 1)
    assert person.sees("/appointments").status_code == 200
    assert person.sees("/contacts").status_code == 200

    # From then on each has a refresh token of its own.
    refreshed = exchanges(provider)[1:]
    assert len({form["refresh_token"] for form in refreshed}) == 2
    assert all("audience" not in form for form in refreshed)
    assert provider.stats()["reuse_detections"] == 0


def test_signing_out_revokes_the_refresh_tokens_of_both_and_logs_a_refusal(
    person: Person, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.options(multi_resource=False)
    page = person.sees("/contacts")
    person.comes_back(person.provider.answers(page.headers["Location"]))
    provider.lies(at="revoke", status=400, body='{"error": "unsupported_token_type"}')

    with caplog.at_level(logging.INFO):
        person.signs_out()

    revoked = {entry["form"]["token"] for entry in provider.requests_to("/oauth/revoke")}
    assert len(revoked) == 2
    assert "not revoked (status 400, 'unsupported_token_type')" in caplog.text


@on_each_store
def test_a_refresh_during_a_sign_in_for_the_second_audience_is_carried_over(
    person: Person, app: Flask, provider: Provider, clock: Clock
) -> None:
    provider.options(multi_resource=False)
    page = person.sees("/contacts")
    callback = person.provider.answers(page.headers["Location"])
    clock.moves(LIFETIME + 1)
    other = same_browser(person, app)

    with when_the_provider_has_answered(lambda: other.sees("/appointments")):
        person.comes_back(callback)

    assert provider.refreshes() == 2  # one was the refused exchange
    clock.moves(LIFETIME + 1)
    assert person.sees("/appointments").status_code == 200
    assert provider.stats()["reuse_detections"] == 0


@on_each_store
def test_signing_out_during_a_sign_in_for_the_second_audience_leaves_nobody_signed_in(
    person: Person, app: Flask, provider: Provider
) -> None:
    provider.options(multi_resource=False)
    callback = person.provider.answers(person.sees("/contacts").headers["Location"])
    other = same_browser(person, app)

    with when_the_provider_has_answered(other.signs_out):
        person.comes_back(callback)

    assert not person.is_signed_in()
    assert len(provider.requests_to("/oauth/revoke")) == 2


@on_each_store
def test_a_refresh_under_way_is_waited_for_by_a_sign_in_for_the_second_audience(
    person: Person, app: Flask, provider: Provider, clock: Clock
) -> None:
    provider.options(multi_resource=False)
    page = person.sees("/contacts")
    callback = person.provider.answers(page.headers["Location"])
    clock.moves(LIFETIME + 1)
    other = same_browser(person, app)
    provider.lies(grant="refresh_token", delay_seconds=2)

    with ThreadPoolExecutor(1) as pool:
        refreshing = pool.submit(other.sees, "/appointments")
        provider.wait_until_lied()
        assert person.comes_back(callback).headers["Location"] == "/contacts"
        assert refreshing.result(30).status_code in (200, 302)

    clock.moves(LIFETIME + 1)
    assert person.sees("/appointments").status_code == 200
    assert provider.stats()["reuse_detections"] == 0


def test_a_provider_that_ignores_the_audience_leads_to_sign_in_once_and_never_in_a_circle(
    make_app: MakeApp, provider: Provider, contacts_api: Api
) -> None:
    # The second API wants a third audience, which this provider gives to nobody.
    contacts_api.lies("api_401", times=0)
    person = Person(Browser(make_app()))
    person.signs_in()

    page = person.sees("/contacts")
    assert page.status_code == 302
    assert query_of(page.headers["Location"])["audience"] == contacts_api.audience
    person.comes_back(person.provider.answers(page.headers["Location"]))
    again = person.sees("/contacts")

    assert again.status_code == 502
    assert "did not accept this app" in again.text
    assert person.sees("/appointments").status_code == 200


def test_a_provider_that_is_away_at_the_first_opening_ends_nothing(
    person: Person, provider: Provider
) -> None:
    provider.lies("refresh_500")

    page = person.sees("/contacts")

    assert page.status_code == 503
    assert page.headers["Retry-After"]
    assert person.sees("/appointments").status_code == 200
