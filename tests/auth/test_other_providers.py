"""Other providers' habits: nothing may depend on those of the demo's (Auth0-like) provider."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import requests
from joserfc.jwk import ECKey, RSAKey

from tests.conftest import Clock, MakeApp, PersonAt
from tests.support.harness import APP, NUMBER, SECRET, Api, Browser, Person, Provider, text_of

CLIENT = {
    "client_id": "demo-app",
    "client_secret": SECRET,
    "redirect_uris": [f"{APP}/callback"],
    "post_logout_redirect_uris": [f"{APP}/"],
}


def goes_the_whole_way(person: Person, provider: Provider, clock: Clock) -> None:
    """Sign in, call the API, refresh, sign out; the provider must have agreed to all of it."""
    provider.lies(json={"expires_in": 5})
    person.signs_in()
    clock.moves(6)
    assert person.sees("/appointments").status_code == 200
    person.signs_out()
    assert not person.is_signed_in()

    asked = provider.requests_to("/oauth/token") + provider.requests_to("/oauth/revoke")
    assert [entry["status"] for entry in asked] == [200, 200, 200]


# 2. `audience` is Auth0's own.


def test_a_provider_that_knows_resource_and_not_audience(
    make_app: MakeApp, person_at: PersonAt, provider: Provider, clock: Clock
) -> None:
    params = "resource=appointments%3Aapi"
    person = person_at(make_app(AUTH0_AUDIENCE="", AUTH0_AUTHORIZE_PARAMS=params))

    goes_the_whole_way(person, provider, clock)


def test_an_access_token_that_is_no_jwt(
    make_app: MakeApp, person_at: PersonAt, provider: Provider, api: Api, clock: Clock
) -> None:
    # Without an audience the provider gives an opaque one; this API takes anything.
    api.lies(at="api", times=0, status=200, body='{"appointments": []}')

    goes_the_whole_way(person_at(make_app(AUTH0_AUDIENCE="")), provider, clock)


# 3. Client authentication is chosen for each endpoint.

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


@pytest.mark.parametrize(
    "key", [RSAKey.generate_key(2048), ECKey.generate_key("P-256")], ids=["RSA", "EC"]
)
@pytest.mark.parametrize("with_secret", [False, True], ids=["alone", "beside a secret"])
def test_a_signed_assertion_instead_of_a_secret(
    make_app: MakeApp,
    person_at: PersonAt,
    provider: Provider,
    clock: Clock,
    tmp_path: Path,
    key: RSAKey | ECKey,
    with_secret: bool,
) -> None:
    path = tmp_path / "key.pem"
    path.write_bytes(key.as_pem(private=True))
    jwks = {"keys": [key.as_dict(private=False)]}
    client = {**CLIENT, "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}
    provider.options(clients=[client])
    secret = SECRET if with_secret else ""
    app = make_app(AUTH0_CLIENT_SECRET=secret, AUTH0_CLIENT_SIGNING_KEY=str(path))

    goes_the_whole_way(person_at(app), provider, clock)

    for entry in provider.requests_to("/oauth/token"):
        assert "client_secret" not in entry["form"]
        assert "Authorization" not in entry["headers"]


# 4. Issuers are compared to the letter.


@pytest.mark.parametrize("path", ["", "/", "/realms/main", "/realms/main/"])
def test_an_issuer_with_and_without_path_and_slash(
    make_app: MakeApp, person_at: PersonAt, clock: Clock, path: str
) -> None:
    with (
        Provider(path=path, skip_consent=True, access_token_seconds=3600) as provider,
        Api(provider.issuer, "appointments:api", "appointments") as api,
    ):
        app = make_app(AUTH0_DOMAIN=provider.issuer, API_BASE_URL=api.base_url)

        goes_the_whole_way(person_at(app), provider, clock)


def test_an_issuer_that_differs_by_a_slash_is_another_one(
    make_app: MakeApp, provider: Provider
) -> None:
    browser = Browser(make_app(AUTH0_DOMAIN=provider.issuer.rstrip("/")))

    response = browser.get("/login")

    assert response.status_code == 502
    assert "not set up correctly" in text_of(response)


# 5. Scant metadata, and metadata that lists what is not acceptable.

NEEDED = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")


def test_metadata_with_nothing_but_the_endpoints_that_are_needed(
    person: Person, provider: Provider
) -> None:
    url = f"{provider.issuer}.well-known/openid-configuration"
    rest = set(requests.get(url, timeout=10).json()) - set(NEEDED)
    provider.options(metadata=dict.fromkeys(rest), iss_parameter=False)

    person.signs_in()

    assert person.sees("/appointments").status_code == 200
    assert person.signs_out().headers["Location"].startswith(f"{provider.issuer}v2/logout?")
    assert provider.requests_to("/oauth/revoke") == []


@pytest.mark.parametrize("lie", ["alg_none", "hs256_client_secret", "hs256_public_key"])
def test_algorithms_that_only_the_metadata_finds_acceptable(
    person: Person, provider: Provider, lie: str
) -> None:
    listed = ["none", "HS256", "RS256"]
    provider.options(metadata={"id_token_signing_alg_values_supported": listed})
    provider.lies(lie)

    response = person.signs_in()

    assert response.status_code == 502
    assert not person.is_signed_in()


# 6. Error answers of the token endpoint.

# The body and status, the app's status at sign-in, and what a page answers whose refresh it is: the
# old access token is still good for a moment (200), or sign-in leads back to the page (302).
ERRORS: dict[str, tuple[dict[str, Any], int, int]] = {
    "empty 400": ({"status": 400, "body": ""}, 400, 302),
    "HTML 400": ({"status": 400, "body": "<h1>No</h1>"}, 400, 302),
    "HTML 500": ({"status": 500, "body": "<h1>No</h1>"}, 502, 200),
    "empty 503": ({"status": 503, "body": ""}, 502, 200),
    "a list": ({"status": 400, "body": "[]"}, 400, 302),
    "invalid_grant": ({"status": 400, "body": '{"error": "invalid_grant"}'}, 400, 302),
    "invalid_client": ({"status": 401, "body": '{"error": "invalid_client"}'}, 502, 200),
}


@pytest.mark.parametrize(("error", "at_sign_in", "_"), ERRORS.values(), ids=ERRORS)
def test_an_error_of_the_token_endpoint_is_a_clear_page(
    person: Person, provider: Provider, error: dict[str, Any], at_sign_in: int, _: int
) -> None:
    provider.lies(**error)

    response = person.signs_in()

    assert response.status_code == at_sign_in
    assert "Sign in again" in text_of(response)
    assert not person.is_signed_in()


@pytest.mark.parametrize(("error", "_", "at_refresh"), ERRORS.values(), ids=ERRORS)
def test_an_error_of_a_refresh_keeps_the_session(
    person: Person, provider: Provider, clock: Clock, error: dict[str, Any], _: int, at_refresh: int
) -> None:
    person.signs_in()
    provider.lies(grant="refresh_token", **error)
    clock.moves(3580)

    page = person.sees("/appointments")

    assert page.status_code == at_refresh
    assert person.is_signed_in()


# 9. and 10. Parameters that nobody asked for; claims that nobody can count on.


def test_parameters_of_the_callback_that_nobody_asked_for_are_ignored(person: Person) -> None:
    callback = person.provider.answers(person.begins("/login?return_to=/contacts"))

    response = person.comes_back(
        f"{callback}&session_state=abc.def&scope=openid&authuser=0&hd=example.com"
        "&prompt=none&foo=1&foo=2&return_to=https://evil.example/"
    )

    assert response.headers["Location"] == "/contacts"
    assert person.is_signed_in()


def test_a_provider_that_sends_no_iss_and_promises_none(person: Person, provider: Provider) -> None:
    provider.options(iss_parameter=False)

    person.signs_in()

    assert person.is_signed_in()


def test_a_provider_that_promises_iss_must_send_it(person: Person, provider: Provider) -> None:
    provider.lies("iss_parameter_missing")

    response = person.signs_in()

    assert response.status_code == 400
    assert not person.is_signed_in()


def test_an_id_token_with_hardly_a_claim(person: Person, provider: Provider) -> None:
    optional = ("sid", "auth_time", "at_hash", "azp", "https://foo/bar")
    provider.lies(id_token=dict.fromkeys(optional))

    person.signs_in(NUMBER)

    for path in ("/", "/profile", "/appointments", "/sessions"):
        assert NUMBER in text_of(person.sees(path))


def test_times_that_are_not_whole_numbers(
    make_app: MakeApp, person_at: PersonAt, provider: Provider, clock: Clock
) -> None:
    person = person_at(make_app(AUTH0_AUTHORIZE_PARAMS="max_age=3600"))
    now = time.time()
    floats = {"auth_time": now - 0.25, "iat": now - 0.25, "exp": now + 600.5}
    provider.lies(id_token=floats)

    person.signs_in()

    assert person.sees("/profile").status_code == 200
