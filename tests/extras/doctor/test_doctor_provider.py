"""The doctor on the provider: what its metadata and its answers tell, one fault at a time."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp
from tests.extras.doctor.test_doctor import CALLBACK, Told
from tests.support.harness import Provider
from tests.support.scripted_provider import ScriptedProvider, says


@pytest.mark.parametrize(
    ("metadata", "subject", "verdict", "words"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE", "note", "lacks S256"),
        ({"code_challenge_methods_supported": None}, "PKCE", "note", "does not mention"),
        (
            {"end_session_endpoint": None},
            "logout endpoint",
            "note",
            "RP-Initiated Logout End Session Endpoint Discovery: on",
        ),
        (
            {"token_endpoint_auth_methods_supported": ["private_key_jwt"]},
            "client authentication",
            "wrong",
            "Authentication Method: client_secret_post",
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
            "JSON Web Token (JWT) Signature Algorithm: RS256",
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

    told = Told(app)

    assert told.of(subject).startswith(verdict)
    assert words in told.of(subject)


@pytest.mark.parametrize(
    "changed",
    [{"AUTH0_CLIENT_SECRET": "another-secret"}, {"AUTH0_CLIENT_ID": "nobody"}],
    ids=["the secret", "the id"],
)
def test_a_client_that_is_refused_is_the_one_thing_that_is_wrong(
    make_app: MakeApp, changed: dict[str, str]
) -> None:
    told = Told(make_app(**changed))

    assert told.wrong() == {"client authentication"}
    assert "come when the client is accepted" in told.of("more")


def test_a_refresh_that_the_client_may_not_do_is_found(app: Flask, provider: Provider) -> None:
    refused = '{"error": "unauthorized_client"}'
    provider.lies(grant="refresh_token", status=403, body=refused, times=0)

    assert "Grant Types: Refresh Token" in Told(app).of("refresh token")


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

    assert Told(app).of("refresh token").startswith(said)


def test_a_token_endpoint_that_is_broken_is_not_called_a_wrong_secret(
    app: Flask, provider: Provider
) -> None:
    provider.lies(grant="authorization_code", status=500, body="", times=0)

    assert Told(app).of("client authentication").startswith("note client_secret_post could not")


def test_an_endpoint_that_does_not_answer_is_found(app: Flask, provider: Provider) -> None:
    provider.lies(at="authorize", drop=True, times=0)

    assert Told(app).of("authorization").startswith("wrong no answer")


def test_a_provider_that_does_not_answer_is_asked_no_more(make_app: MakeApp) -> None:
    told = Told(make_app(AUTH0_DOMAIN="http://localhost:9"))

    assert told.of("redirect URI") == told.of("refresh token") == told.of("PKCE") == ""


def test_a_clock_that_is_wrong_is_found(app: Flask, clock: Clock) -> None:
    clock.moves(300)

    said = Told(app).of("clock")

    assert said.startswith("wrong this machine is ")
    assert "s ahead of the provider" in said


def test_a_clock_that_is_behind_is_called_so(app: Flask, clock: Clock) -> None:
    clock.moves(-300)

    assert "s behind the provider" in Told(app).of("clock")


def test_a_provider_that_does_not_say_what_time_it_is_is_no_fault(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    def without_date(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response_only(200)
        handler.end_headers()
        handler.wfile.write(json.dumps(scripted._metadata()).encode())

    scripted.scripts["openid-configuration"] = without_date

    assert (
        Told(make_app(AUTH0_DOMAIN=scripted.issuer))
        .of("clock")
        .startswith("note the provider does not say")
    )


def test_another_providers_logout_may_want_an_id_token_so_it_cannot_be_told(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    scripted.metadata["end_session_endpoint"] = f"{scripted.base_url}/end-session"
    scripted.scripts["end-session"] = says(b"", 400)

    told = Told(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert told.of("logout URI").startswith("note cannot be told (status 400)")


def test_another_provider_is_spoken_of_in_the_words_of_the_specifications(
    make_app: MakeApp, scripted: ScriptedProvider
) -> None:
    told = Told(make_app(AUTH0_DOMAIN=scripted.issuer))

    assert told.of("redirect URI").startswith("wrong")
    assert "the client's redirect URIs" in told.of("redirect URI")
    assert told.of("logout endpoint").startswith("wrong there is none RP-initiated logout")
    assert "Applications →" not in json.dumps(told.lines, ensure_ascii=False)


@pytest.mark.parametrize(
    ("location", "subject", "said"),
    [
        ("http://localhost:9/oops", "redirect URI", "note cannot be told"),
        (f"{CALLBACK}?error=invalid_scope", "authorization request", "AUTH0_SCOPE"),
        (f"{CALLBACK}?error=unauthorized_client", "authorization request", "grant types"),
        (f"{CALLBACK}?error=invalid_target", "audience", "is not known"),
        (f"{CALLBACK}?error=login_required", "audience", "note appointments:api was not refused"),
        (f"{CALLBACK}?error=x&error_description=%1b[31m", "authorization request", "\\x1b[31m"),
    ],
    ids=["elsewhere", "scope", "grant", "target", "not looked at", "control characters"],
)
def test_the_answer_to_the_authorization_request_is_explained(
    make_app: MakeApp, scripted: ScriptedProvider, location: str, subject: str, said: str
) -> None:
    scripted.scripts["authorize"] = says(b"", 302, Location=location)

    assert said in Told(make_app(AUTH0_DOMAIN=scripted.issuer)).of(subject)
