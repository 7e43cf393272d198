"""Signing in: the authorization request, the way back, and the session that it leads to."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask, session

from auth import SignInRefused, on_sign_in
from tests.conftest import MakeApp
from tests.support.harness import (
    ADA,
    APP,
    BEN,
    Browser,
    Person,
    Provider,
    query_of,
    session_records,
    text_of,
)


def test_signing_in_leads_back_to_the_page_and_shows_who_it_is(person: Person) -> None:
    response = person.signs_in(BEN, "/login?return_to=/profile")

    assert response.status_code in (302, 303)
    assert response.headers["Location"] == "/profile"
    assert "Ben Okafor" in text_of(person.sees("/profile"))


def test_without_return_to_signing_in_leads_to_the_start_page(person: Person) -> None:
    response = person.signs_in(ADA)

    assert response.status_code in (302, 303)
    assert response.headers["Location"] == "/"
    assert "Hello, Ada Marlow" in text_of(person.sees("/"))


# Step 1: the authorization request.


def test_the_authorization_request_has_every_parameter_of_the_flow(
    person: Person, provider: Provider
) -> None:
    url = person.begins()

    params = query_of(url)
    state, *derived = [params.pop(name) for name in ("state", "nonce", "code_challenge")]
    assert url.startswith(f"{provider.issuer}authorize?")
    assert params == {
        "response_type": "code",
        "client_id": "demo-app",
        "redirect_uri": "http://localhost:3000/callback",
        "scope": "openid profile email offline_access appointments contacts",
        "audience": "appointments:api",
        "code_challenge_method": "S256",
    }
    assert [len(secret) for secret in derived] == [43, 43]
    assert len({state, *derived}) == 3


def test_the_code_challenge_is_the_sha_256_of_the_verifier_that_is_sent(
    person: Person, provider: Provider
) -> None:
    url = person.begins()
    person.comes_back(person.provider.answers(url))

    [exchange] = provider.requests_to("/oauth/token", "authorization_code")
    digest = base64.urlsafe_b64decode(query_of(url)["code_challenge"] + "=")
    # The provider's log shows secrets as the first half of their SHA-256.
    assert exchange["form"]["code_verifier"] == f"sha256:{digest.hex()[:16]}"
    assert exchange["form"]["redirect_uri"] == query_of(url)["redirect_uri"]


PASSED_ON = {
    "prompt": "login consent",
    "login_hint": "ada@example.com",
    "screen_hint": "signup",
    "ui_locales": "ja de-CH",
    "organization": "harbour-clinic",
    "invitation": "a-ticket",
    "organization_name": "Harbour & Clinic",
    "connection": "google-oauth2",
}


@pytest.mark.parametrize(("name", "value"), PASSED_ON.items())
def test_the_contracts_parameters_of_login_go_on_to_the_provider(
    app: Flask, name: str, value: str
) -> None:
    response = Browser(app).get("/login", query_string={name: value})

    assert query_of(response.headers["Location"])[name] == value


@pytest.mark.parametrize(
    "name",
    [
        *("client_id", "redirect_uri", "response_type", "state", "nonce", "code_challenge"),
        *("code_challenge_method", "audience", "resource", "max_age", "acr_values", "request"),
        *("request_uri", "response_mode", "anything"),
    ],
)
def test_all_other_parameters_of_login_are_ignored(app: Flask, name: str) -> None:
    response = Browser(app).get("/login", query_string={name: "mine"})

    assert response.status_code == 302
    assert "mine" not in query_of(response.headers["Location"]).values()


def test_empty_parameters_of_login_are_not_sent_on(app: Flask) -> None:
    response = Browser(app).get("/login", query_string=dict.fromkeys(PASSED_ON, ""))

    assert not query_of(response.headers["Location"]).keys() & PASSED_ON.keys()


def test_scope_of_login_adds_to_the_configured_scopes(make_app: MakeApp) -> None:
    browser = Browser(make_app(AUTH0_SCOPE="openid profile"))

    response = browser.get("/login?scope=contacts+openid+read:more")

    scope = query_of(response.headers["Location"])["scope"]
    assert scope == "openid profile contacts read:more"


def test_asking_for_one_more_scope_keeps_those_asked_for_before(person: Person) -> None:
    person.signs_in(path="/login?scope=read:more")

    url = person.begins("/login?scope=read:most")

    assert query_of(url)["scope"].split()[-2:] == ["read:more", "read:most"]


def test_without_an_audience_none_is_sent(make_app: MakeApp) -> None:
    response = Browser(make_app(AUTH0_AUDIENCE="")).get("/login")

    assert "audience" not in query_of(response.headers["Location"])


def test_configured_parameters_are_sent_with_every_authorization_request(make_app: MakeApp) -> None:
    configured = "resource=https%3A%2F%2Fapi.example&access_type=offline&claims=%7B%22a%22%3A1%7D"
    browser = Browser(make_app(AUTH0_AUTHORIZE_PARAMS=configured))

    for _ in range(2):
        params = query_of(browser.get("/login").headers["Location"])

        assert params["resource"] == "https://api.example"
        assert params["access_type"] == "offline"
        assert params["claims"] == '{"a":1}'


def test_a_parameter_of_login_goes_before_the_configured_one(make_app: MakeApp) -> None:
    browser = Browser(make_app(AUTH0_AUTHORIZE_PARAMS="prompt=consent"))

    asked, configured = browser.get("/login?prompt=login"), browser.get("/login")

    assert query_of(asked.headers["Location"])["prompt"] == "login"
    assert query_of(configured.headers["Location"])["prompt"] == "consent"


# The host name: cookies belong to one, and the redirect URI is never built from what is sent.


def test_the_host_name_is_compared_without_case(app: Flask) -> None:
    response = Browser(app).get("/", headers={"Host": "LocalHost:3000"})

    assert response.status_code == 200


# The callback.


# A third party starts the sign-in (OIDC Core section 4), another site links to it


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_third_party_may_start_a_sign_in(person: Person, provider: Provider, method: str) -> None:
    given = {"iss": provider.issuer, "target_link_uri": f"{APP}/profile?x=1", "login_hint": "ada"}
    content = {"query_string": given} if method == "GET" else {"data": given}
    elsewhere = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}

    begun = person.browser.request(method, "/login", headers=elsewhere, **content)
    response = person.comes_back(person.provider.answers(begun.headers["Location"]))

    assert query_of(begun.headers["Location"])["login_hint"] == "ada"
    assert response.headers["Location"] == "/profile?x=1"


@pytest.mark.parametrize("iss", ["https://elsewhere.example/", "", "x" * 3000])
def test_a_third_party_names_no_other_provider(person: Person, iss: str) -> None:
    assert person.sees("/login", query_string={"iss": iss}).status_code == 400


@pytest.mark.parametrize(
    "target", ["https://elsewhere.example/", "//elsewhere.example", f"{APP}.elsewhere.example/"]
)
def test_a_target_elsewhere_is_dropped(person: Person, target: str) -> None:
    begun = person.begins("/login?target_link_uri=" + quote(target, safe=""))

    assert person.comes_back(person.provider.answers(begun)).headers["Location"] == "/"


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
     {"Referer": "https://elsewhere.example/"}],
    ids=["another site", "a sibling", "an older browser"],
)  # fmt: skip
def test_a_link_on_another_site_adds_no_scope(person: Person, headers: dict[str, str]) -> None:
    response = person.sees("/login?scope=strange", headers=headers)

    assert "strange" not in query_of(response.headers["Location"])["scope"]


# Functions of one's own between the checks and the session


def test_a_function_at_sign_in_sees_the_claims_and_adds_to_the_session(
    app: Flask, person: Person
) -> None:
    on_sign_in(app, lambda claims, data: data.update(row=f"row of {claims['sub']}"))
    app.add_url_rule("/row", view_func=lambda: session["row"])

    person.signs_in(ADA)

    assert person.sees("/row").text == f"row of {ADA}"


def test_a_function_at_sign_in_may_refuse_and_nothing_is_stored(
    app: Flask, person: Person, provider: Provider
) -> None:
    def refuse(claims: dict[str, Any], data: dict[str, Any]) -> None:
        raise SignInRefused("Please ask <b>reception</b> for an account.")

    on_sign_in(app, refuse)

    page = person.signs_in()

    assert page.status_code == 403
    assert "Please ask <b>reception</b> for an account." in text_of(page)
    assert session_records(app) == 0
    assert len(provider.requests_to("/oauth/revoke")) == 1
