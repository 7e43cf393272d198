"""The doctor on the provider: what its metadata and its answers tell, one fault at a time."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp
from tests.support.doctor import Examined
from tests.support.harness import APP, Provider
from tests.support.scripted_provider import ScriptedProvider, says, send

CALLBACK = f"{APP}/callback"


@pytest.mark.parametrize(
    ("metadata", "subject", "verdict", "words"),
    [
        (
            {"end_session_endpoint": None},
            "logout endpoint",
            "note",
            "RP-Initiated Logout End Session Endpoint Discovery: on",
        ),
        (
            {"grant_types_supported": ["authorization_code"]},
            "refresh token",
            "wrong",
            "Grant Types: Refresh Token",
        ),
        ({"scopes_supported": ["openid"]}, "refresh token", "note", "access_type=offline"),
        (
            {"id_token_signing_alg_values_supported": ["HS256"]},
            "signatures",
            "wrong",
            "JSON Web Token (JWT) Signature Algorithm: RS256; or AUTH0_ID_TOKEN_ALG=HS256",
        ),
        ({"jwks_uri": None}, "endpoints", "wrong", "jwks_uri is missing"),
        ({"backchannel_logout_supported": None}, "back-channel logout", "note", "not offered"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_the_metadata_says_is_read(
    app: Flask,
    provider: Provider,
    metadata: dict[str, Any],
    subject: str,
    verdict: str,
    words: str,
) -> None:
    provider.options(metadata=metadata)

    examined = Examined(app)

    assert examined.of(subject).startswith(verdict)
    assert words in examined.of(subject)


def test_a_client_that_is_refused_is_the_one_thing_that_is_wrong(make_app: MakeApp) -> None:
    examined = Examined(make_app(AUTH0_CLIENT_ID="nobody"))

    assert examined.wrong() == {"client authentication"}
    assert "comes when this is right" in examined.of("more")


def test_a_refresh_that_the_client_may_not_do_is_found(app: Flask, provider: Provider) -> None:
    refused = '{"error": "unauthorized_client"}'
    provider.lies(grant="refresh_token", status=403, body=refused, times=0)

    assert "Grant Types: Refresh Token" in Examined(app).of("refresh token")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"status": 400, "body": '{"error": "unsupported_grant_type"}'}, "wrong the grant is"),
        ({"status": 500, "body": ""}, "note could not be tried"),
        ({"status": 200, "body": ""}, "note could not be tried"),
    ],
    ids=["not supported", "broken", "nonsense"],
)
def test_the_answer_to_the_refresh_is_explained(
    app: Flask, provider: Provider, fault: dict[str, Any], said: str
) -> None:
    provider.lies(grant="refresh_token", times=0, **fault)

    assert Examined(app).of("refresh token").startswith(said)


def test_a_token_endpoint_that_is_broken_is_not_called_a_wrong_secret(
    app: Flask, provider: Provider
) -> None:
    provider.lies(grant="authorization_code", status=500, body="", times=0)

    assert Examined(app).of("client authentication").startswith("note client_secret_post could not")


def test_an_endpoint_that_does_not_answer_is_found(app: Flask, provider: Provider) -> None:
    provider.lies(at="authorize", drop=True, times=0)

    assert Examined(app).of("authorization request").startswith("wrong The sign-in service")


def test_a_provider_that_does_not_answer_is_asked_no_more(make_app: MakeApp) -> None:
    examined = Examined(make_app(AUTH0_DOMAIN="http://localhost:9"))

    assert examined.of("redirect URI") == examined.of("refresh token") == examined.of("clock") == ""


def test_a_clock_that_is_wrong_is_found(app: Flask, clock: Clock) -> None:
    clock.moves(300)

    said = Examined(app).of("clock")

    assert said.startswith("wrong ")
    assert "s ahead of the provider" in said


def test_a_clock_that_is_behind_is_called_so(app: Flask, clock: Clock) -> None:
    clock.moves(-300)

    assert "s behind the provider" in Examined(app).of("clock")


def test_a_provider_that_does_not_say_what_time_it_is_is_no_fault(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    def without_date(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        handler.end_headers()
        handler.wfile.write(json.dumps(scripted.whole_metadata()).encode())

    scripted.scripts["openid-configuration"] = without_date

    assert (
        Examined(make_app(AUTH0_DOMAIN=scripted.issuer))
        .of("clock")
        .startswith("note the provider does not say")
    )


def test_another_providers_logout_may_want_an_id_token_so_it_cannot_be_told(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    scripted.metadata["end_session_endpoint"] = f"{scripted.base_url}/end-session"
    scripted.scripts["end-session"] = says(b"", 400)

    examined = Examined(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert examined.of("logout URI").startswith("note cannot be told (status 400)")


def test_another_provider_is_spoken_of_in_the_words_of_the_specifications(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    examined = Examined(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert examined.of("redirect URI").startswith("wrong")
    assert "the client's redirect URIs" in examined.of("redirect URI")
    assert examined.of("logout endpoint").startswith("note there is none")
    assert "Applications →" not in json.dumps(examined.findings, ensure_ascii=False)


@pytest.mark.parametrize(
    ("location", "subject", "said"),
    [
        ("http://localhost:9/oops", "redirect URI", "note cannot be told"),
        (f"{CALLBACK}?error=invalid_scope", "authorization request", "invalid_scope"),
        (f"{CALLBACK}?error=unauthorized_client", "authorization request", "grant types"),
        (f"{CALLBACK}?error=invalid_target", "authorization request", "invalid_target"),
        (f"{CALLBACK}?error=login_required", "audience", "note appointments:api was not refused"),
        (f"{CALLBACK}?error=x&error_description=%1b[31m", "authorization request", "\\x1b[31m"),
    ],
    ids=["elsewhere", "scope", "grant", "target", "not looked at", "control characters"],
)
def test_the_answer_to_the_authorization_request_is_explained(
    make_app: MakeApp, scripted: ScriptedProvider, location: str, subject: str, said: str
) -> None:
    scripted.scripts["authorize"] = says(b"", 302, Location=location)

    assert said in Examined(make_app(AUTH0_DOMAIN=scripted.issuer)).of(subject)


@pytest.mark.parametrize("is_told_by_redirect", [True, False], ids=["by redirect", "by a page"])
@pytest.mark.parametrize(
    ("changes", "refused", "subject", "said"),
    [
        (
            {"AUTH0_SCOPE": "openid profile wrong email"},
            "wrong",
            "scope",
            "AUTH0_SCOPE: without wrong",
        ),
        ({"AUTH0_AUDIENCE": "wrong:api"}, "wrong%3Aapi", "audience", "AUTH0_AUDIENCE"),
        ({"AUTH0_ORGANIZATION": "wrong"}, "wrong", "organization", "AUTH0_ORGANIZATION"),
        (
            {"AUTH0_AUTHORIZE_PARAMS": "a=1&b=wrong&prompt=login"},
            "wrong",
            "b",
            "AUTH0_AUTHORIZE_PARAMS: without b",
        ),
    ],
    ids=["a scope", "the audience", "the organization", "a further parameter"],
)
def test_what_is_refused_is_blamed_and_not_the_redirect_uri(
    make_app: MakeApp, scripted: ScriptedProvider, is_told_by_redirect: bool,
    changes: dict[str, str], refused: str, subject: str, said: str,
) -> None:  # fmt: skip
    def authorize(handler: BaseHTTPRequestHandler) -> None:
        if refused not in handler.path:
            send(handler, b"", 302, Location=f"{CALLBACK}?error=login_required")
        elif is_told_by_redirect:
            send(handler, b"", 302, Location=f"{CALLBACK}?error=invalid_request")
        else:
            send(handler, b"", 400)

    scripted.scripts["authorize"] = authorize

    examined = Examined(make_app(AUTH0_DOMAIN=scripted.issuer, **changes))

    assert examined.wrong() == {subject}
    assert said in examined.of(subject)
    assert examined.of("redirect URI").startswith("ok")


def test_an_unregistered_redirect_uri_that_is_refused_shows_that_ours_is_known(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    def authorize(handler: BaseHTTPRequestHandler) -> None:
        is_known = "no-such-app" not in handler.path
        send(handler, b"", 302 if is_known else 400, Location="/sign-in")

    scripted.scripts["authorize"] = authorize

    examined = Examined(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert examined.of("redirect URI").startswith("ok")


def test_pushed_requests_are_pushed(make_app: MakeApp, provider: Provider) -> None:
    provider.options(require_pushed_authorization_requests=True)

    assert Examined(make_app()).wrong() == set()
    assert Examined(make_app(AUTH0_AUDIENCE="nothing:api")).wrong() == {"audience"}


def test_with_dpop_a_proof_is_sent(make_app: MakeApp) -> None:
    assert Examined(make_app(AUTH0_DPOP="1")).wrong() == set()


@pytest.mark.parametrize(
    ("registered", "said"),
    [
        ("client_secret_post", "ok client_secret_post is accepted "),
        ("client_secret_basic", "ok client_secret_basic is accepted, and client_secret_post is r"),
        ("private_key_jwt", "wrong client_secret_post is refused"),
    ],
)
def test_the_client_authentication_that_works_is_named(
    app: Flask, provider: Provider, registered: str, said: str
) -> None:
    provider.options(client_auth=registered)

    assert Examined(app).of("client authentication").startswith(said)


def test_an_address_is_proposed_only_where_it_was_fetched_and_agrees(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    scripted.metadata["issuer"] = "http://localhost:9/elsewhere"

    examined = Examined(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert "http://localhost:9/elsewhere" in examined.of("issuer")
    assert "AUTH0_DOMAIN=" not in examined.of("issuer")


def test_metadata_that_does_not_lie_below_its_issuer_is_proposed_as_the_address(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    scripted.metadata["issuer"] = f"{scripted.base_url}/tenant"

    def only_below_a_policy(handler: BaseHTTPRequestHandler) -> None:
        is_there = handler.path.startswith("/policy/")
        send(handler, scripted.whole_metadata() if is_there else b"", 200 if is_there else 404)

    scripted.scripts["openid-configuration"] = only_below_a_policy

    examined = Examined(make_app(AUTH0_DOMAIN=f"{scripted.base_url}/policy"))

    address = f"{scripted.base_url}/policy/.well-known/openid-configuration"
    assert f"AUTH0_DOMAIN='{address}'" in examined.of("issuer")
    assert "issuer" not in Examined(make_app(AUTH0_DOMAIN=address)).wrong()


def test_an_address_for_all_tenants_asks_for_your_tenants_id(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    scripted.metadata["issuer"] = f"{scripted.base_url}/{{tenantid}}/v2.0"

    examined = Examined(make_app(AUTH0_DOMAIN=f"{scripted.base_url}/common/v2.0"))

    assert examined.wrong() == {"issuer"}
    assert f"{scripted.base_url}/{{your tenant's id}}/v2.0" in examined.of("issuer")


def test_auth0_is_taken_for_auth0_by_its_domain_where_it_does_not_answer(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://localhost:9")

    examined = Examined(make_app(AUTH0_DOMAIN="tenant.eu.auth0.com", AUTH0_AUDIENCE=""))

    assert "APIs → Create API" in examined.of("access token")
