"""Other providers' habits: nothing may depend on those of the demo's (Auth0-like) provider."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from joserfc import jws
from joserfc.jwk import ECKey, RSAKey

from auth import signals
from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import (
    APP,
    NUMBER,
    SECRET,
    Person,
    Provider,
    logout_url_of,
    text_of,
)
from tests.support.id_tokens import claims_in
from tests.support.scripted_provider import ScriptedProvider, segment, visitor_of, with_mac

CLIENT = {
    "client_id": "demo-app",
    "client_secret": SECRET,
    "redirect_uris": [f"{APP}/callback"],
    "post_logout_redirect_uris": [f"{APP}/"],
}


def goes_the_whole_way(person: Person, provider: Provider, clock: Clock, *refused: int) -> None:
    """Sign in, call the API, refresh, sign out; the provider must have agreed to all of it, but for
    the first requests that were `refused` by these statuses."""
    provider.lies(times=1 + len(refused), json={"expires_in": 5})
    person.signs_in()
    clock.moves(6)
    assert person.sees("/appointments").status_code == 200
    person.signs_out()
    assert not person.is_signed_in()

    asked = provider.requests_to("/oauth/token") + provider.requests_to("/oauth/revoke")
    assert [entry["status"] for entry in asked] == [*refused, 200, 200, 200]


# Client authentication is chosen for each endpoint.

METHODS = {
    "basic": (["client_secret_basic"], "Basic"),
    "post": (["client_secret_post"], None),
    "both": (["client_secret_basic", "client_secret_post"], None),
    "basic and others": (["private_key_jwt", "tls_client_auth", "client_secret_basic"], "Basic"),
    "none": (["none"], None),
    "nothing": ([], None),
    "not said": (None, None),
    "said in an odd way": ("client_secret_basic", None),
}


@pytest.mark.parametrize("endpoint", ["token", "revocation"])
@pytest.mark.parametrize(("methods", "scheme"), METHODS.values(), ids=METHODS)
def test_the_clients_secret_goes_where_each_endpoint_wants_it(
    person: Person,
    provider: Provider,
    clock: Clock,
    endpoint: str,
    methods: object,
    scheme: str | None,
) -> None:
    both = ["client_secret_post", "client_secret_basic"]
    provider.options(
        clients=[{**CLIENT, "token_endpoint_auth_methods": both}],
        metadata={
            "token_endpoint_auth_methods_supported": both,
            "revocation_endpoint_auth_methods_supported": both,
            f"{endpoint}_endpoint_auth_methods_supported": methods,
        },
    )

    goes_the_whole_way(person, provider, clock)

    for path, expected in (
        ("/oauth/token", scheme if endpoint == "token" else None),
        ("/oauth/revoke", scheme if endpoint == "revocation" else None),
    ):
        for entry in provider.requests_to(path):
            used = entry["headers"].get("Authorization", "").partition(" ")[0] or None
            assert used == expected
            assert ("client_secret" in entry["form"]) == (expected is None)


def test_id_and_secret_are_form_encoded_for_basic(
    make_app: MakeApp, person_at: PersonAt, provider: Provider, clock: Clock
) -> None:
    awkward = {"client_id": "app:1%2F+ä", "client_secret": "s:%cr+t&=/ü€"}
    basic = ["client_secret_basic"]
    provider.options(
        clients=[{**CLIENT, **awkward, "token_endpoint_auth_methods": basic}],
        metadata={
            "token_endpoint_auth_methods_supported": basic,
            "revocation_endpoint_auth_methods_supported": basic,
        },
    )
    app = make_app(
        AUTH0_CLIENT_ID=awkward["client_id"], AUTH0_CLIENT_SECRET=awkward["client_secret"]
    )

    goes_the_whole_way(person_at(app), provider, clock)


Key = RSAKey | ECKey
RSA, EC = RSAKey.generate_key(2048, private=True), ECKey.generate_key("P-256", private=True)
NAMED = {"kid": "the-key", "alg": "PS256"}


def pem(key: Key) -> bytes:
    return key.as_pem(private=True)


def certificate_of(key: Key) -> x509.Certificate:
    name, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "app")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key, x509.random_serial_number())
    builder = builder.not_valid_before(now).not_valid_after(now + timedelta(days=1))
    return builder.sign(key.private_key, hashes.SHA256())  # type: ignore[arg-type]  # there is one


CERTIFICATE = certificate_of(RSA)
THUMBPRINTS = {
    "x5t": segment(CERTIFICATE.fingerprint(hashes.SHA1())),  # noqa: S303  # as RFC 7515 has it
    "x5t#S256": segment(CERTIFICATE.fingerprint(hashes.SHA256())),
}
KEY_FILES: dict[str, tuple[Key, bytes, dict[str, str]]] = {
    "PEM, RSA": (RSA, pem(RSA), {"alg": "RS256"}),
    "PEM, EC": (EC, pem(EC), {"alg": "ES256"}),
    "PEM with its certificate": (
        RSA, pem(RSA) + CERTIFICATE.public_bytes(Encoding.PEM), {"alg": "RS256", **THUMBPRINTS},
    ),
    "JWK": (RSA, json.dumps(RSA.as_dict(private=True) | NAMED).encode(), NAMED),
}  # fmt: skip


@pytest.mark.parametrize(("key", "content", "header"), KEY_FILES.values(), ids=KEY_FILES)
def test_a_signed_assertion_instead_of_a_secret(
    make_app: MakeApp,
    person_at: PersonAt,
    provider: Provider,
    clock: Clock,
    tmp_path: Path,
    key: Key,
    content: bytes,
    header: dict[str, str],
) -> None:
    path = tmp_path / "key"
    path.write_bytes(content)
    provider.options(clients=[with_key(key)])
    # It goes before a secret.
    person = person_at(make_app(AUTH0_CLIENT_SIGNING_KEY=str(path)))
    forms: list[str] = []

    with signals.request_sent.connected_to(lambda _, form, **__: forms.append(form or "")):
        goes_the_whole_way(person, provider, clock)

    for entry in provider.requests_to("/oauth/token"):
        assert "client_secret" not in entry["form"]
        assert "Authorization" not in entry["headers"]
    assertions = [dict(parse_qsl(form))["client_assertion"] for form in forms if form]
    assert len(assertions) == 3
    for assertion in assertions:
        token = jws.extract_compact(assertion.encode())
        assert token.headers() == {**header, "typ": "JWT"}
        assert claims_in(assertion)["aud"] == provider.issuer


def with_key(key: Key) -> dict[str, Any]:
    jwks = {"keys": [key.as_dict(private=False) | {"kid": NAMED["kid"]}]}
    return {**CLIENT, "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}


def test_where_post_is_refused_basic_is_tried_once_and_remembered(
    person: Person, provider: Provider, clock: Clock
) -> None:
    provider.options(client_auth="client_secret_basic")  # the metadata lists both

    goes_the_whole_way(person, provider, clock, 401)


def test_where_the_issuer_is_no_audience_of_an_assertion_the_token_endpoint_is_one(
    make_app: MakeApp, person_at: PersonAt, provider: Provider, clock: Clock, tmp_path: Path
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(pem(EC))
    provider.options(clients=[with_key(EC)], assertion_audience="token_endpoint")
    person = person_at(make_app(AUTH0_CLIENT_SIGNING_KEY=str(path)))

    goes_the_whole_way(person, provider, clock, 400)


# ID tokens.

OTHER_SECRET = b"another-client's-secret-0123456789"
SIGNED: dict[str, tuple[Callable[[dict[str, Any]], str] | None, int]] = {
    "with the client secret": (lambda claims: with_mac(claims, SECRET.encode()), 303),
    "with another secret": (lambda claims: with_mac(claims, OTHER_SECRET), 502),
    "with HS512": (lambda claims: with_mac(claims, SECRET.encode(), "HS512"), 502),
    "with the provider's key": (None, 502),
}


@pytest.mark.parametrize(("signs", "status"), SIGNED.values(), ids=SIGNED)
def test_with_hs256_configured_nothing_else_is_accepted(
    make_app: MakeApp,
    scripted: ScriptedProvider,
    signs: Callable[[dict[str, Any]], str] | None,
    status: int,
) -> None:
    app = make_app(AUTH0_DOMAIN=scripted.issuer, AUTH0_ID_TOKEN_ALG="HS256")
    scripted.id_token = signs or scripted.id_token

    assert visitor_of(app, scripted).signs_in().status_code == status


@pytest.mark.parametrize(
    ("size", "status", "logged"),
    [(45_000, 303, ""), (60_000, 502, "id_token has 8")],
    ids=["60 KB encoded", "80 KB encoded"],
)
def test_a_large_id_token_is_good_and_a_limit_names_itself(
    visitor: Person,
    scripted: ScriptedProvider,
    caplog: pytest.LogCaptureFixture,
    size: int,
    status: int,
    logged: str,
) -> None:
    scripted.claims = {"groups": "x" * size}

    with caplog.at_level(logging.WARNING):
        assert visitor.signs_in().status_code == status

    assert logged in caplog.text


def test_an_id_token_with_hardly_a_claim(person: Person, provider: Provider) -> None:
    optional = ("sid", "auth_time", "at_hash", "azp", "https://foo/bar")
    provider.lies(id_token=dict.fromkeys(optional))

    person.signs_in(NUMBER)

    for path in ("/", "/profile", "/appointments", "/contacts", "/sessions"):
        assert NUMBER in text_of(person.sees(path))
    assert "Hello, demo" not in text_of(person.sees("/"))


# Scant metadata.

NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


def test_metadata_with_nothing_but_the_endpoints_that_are_needed(
    person: Person, provider: Provider
) -> None:
    url = f"{provider.issuer}.well-known/openid-configuration"
    rest = set(requests.get(url, timeout=10).json()) - set(NEEDED)
    provider.options(metadata=dict.fromkeys(rest), iss_parameter=False)

    person.signs_in()

    assert person.sees("/appointments").status_code == 200
    assert logout_url_of(person.signs_out()).startswith(f"{provider.issuer}v2/logout?")
    assert provider.requests_to("/oauth/revoke") == []


# Errors of a refresh.

# What a page then shows: the old access token is still good for a moment (200), or sign-in leads
# back to the page (302).
ERRORS: dict[str, tuple[dict[str, Any], int]] = {
    "empty 400": ({"status": 400, "body": ""}, 302),
    "HTML 400": ({"status": 400, "body": "<h1>No</h1>"}, 302),
    "a list": ({"status": 400, "body": "[]"}, 302),
    "invalid_client": ({"status": 401, "body": '{"error": "invalid_client"}'}, 200),
}


@pytest.mark.parametrize(("error", "status"), ERRORS.values(), ids=ERRORS)
def test_an_error_of_a_refresh_keeps_the_session(
    person: Person, provider: Provider, clock: Clock, error: dict[str, Any], status: int
) -> None:
    person.signs_in()
    provider.lies(grant="refresh_token", **error)
    clock.moves(3580)

    page = person.sees("/appointments")

    assert page.status_code == status
    assert person.is_signed_in()
