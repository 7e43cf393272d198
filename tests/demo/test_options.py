"""The provider's options that imitate other providers."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from tests.demo.conftest import RelyingParty, bearer, claims_of
from tests.support.harness import APP, SECRET, Provider, query_of

CLIENT = {"client_id": "demo-app", "client_secret": SECRET, "redirect_uris": [f"{APP}/callback"]}


def id_token_of(tokens: dict[str, Any]) -> dict[str, Any]:
    return claims_of(tokens["id_token"])


def test_claims_of_the_id_token_can_be_set_and_taken_out(
    provider: Provider, relying_party: RelyingParty
) -> None:
    claims = {"aud": ["demo-app", "another"], "azp": "demo-app", "email": None}
    provider.options(id_token={**claims, "session_expiry": {"in_seconds": 60}})

    id_token = id_token_of(relying_party.signs_in())

    assert (id_token["aud"], id_token["azp"]) == (["demo-app", "another"], "demo-app")
    assert "email" not in id_token
    assert id_token["session_expiry"] == pytest.approx(time.time() + 60, abs=5)


def test_those_of_refreshed_ones_alone(provider: Provider, relying_party: RelyingParty) -> None:
    provider.options(refreshed_id_token={"sid": "another", "auth_time": {"in_seconds": 5}})
    tokens = relying_party.signs_in()

    refreshed = id_token_of(relying_party.refreshes(tokens["refresh_token"]).json())

    assert refreshed["sid"] == "another" != id_token_of(tokens)["sid"]
    assert refreshed["auth_time"] > id_token_of(tokens)["auth_time"]


def test_id_tokens_signed_with_the_client_secret(
    provider: Provider, relying_party: RelyingParty
) -> None:
    provider.options(id_token_alg="HS256")

    token = relying_party.signs_in()["id_token"]

    verified = jwt.decode(token, OctKey.import_key(SECRET), algorithms=["HS256"])
    assert verified.claims["nonce"] == "the-nonce"
    supported = RelyingParty(provider).metadata["id_token_signing_alg_values_supported"]
    assert supported == ["HS256"]


@pytest.mark.parametrize("userinfo_format", ["json", "jwt"])
def test_name_and_email_by_userinfo_alone(
    provider: Provider, relying_party: RelyingParty, userinfo_format: str
) -> None:
    provider.options(claims_in_id_token=False, userinfo_format=userinfo_format)
    tokens = relying_party.signs_in()

    url = relying_party.metadata["userinfo_endpoint"]
    response = requests.get(url, headers=bearer(tokens["access_token"]), timeout=10)

    assert not {"name", "email"} & set(id_token_of(tokens))
    if userinfo_format == "jwt":
        assert response.headers["Content-Type"] == "application/jwt"
        claims = claims_of(response.text)
        assert (claims["iss"], claims["aud"]) == (provider.issuer, "demo-app")
    else:
        claims = response.json()
    assert (claims["name"], claims["email"]) == ("Ada Marlow", "ada@example.com")


def test_scopes_that_are_renamed_or_left_out_of_the_token_response(
    provider: Provider, relying_party: RelyingParty
) -> None:
    provider.options(scope_names={"email": "https://example.com/email", "openid": ""})
    renamed = relying_party.signs_in(scope="openid email contacts")["scope"]
    provider.options(token_response={"scope": None})

    left_out = relying_party.signs_in()

    assert renamed.split()[:2] == ["https://example.com/email", "contacts"]
    assert "scope" not in left_out


def test_a_provider_without_offline_access(provider: Provider) -> None:
    provider.options(
        oidc_scopes=["openid", "email"], refuse_unknown_scopes=True, refresh_tokens="access_type"
    )
    relying_party = RelyingParty(provider)
    asked = relying_party.parameters(scope="openid offline_access")

    refused = requests.get(
        relying_party.metadata["authorization_endpoint"],
        params=asked,
        allow_redirects=False,
        timeout=10,
    )

    assert query_of(refused.headers["Location"])["error"] == "invalid_scope"
    assert "offline_access" not in relying_party.metadata["scopes_supported"]
    assert "refresh_token" not in relying_party.signs_in(scope="openid")
    assert "refresh_token" in relying_party.signs_in(scope="openid", access_type="offline")


def test_endpoints_elsewhere_or_nowhere(provider: Provider) -> None:
    provider.options(paths={"/oauth/token": "/token", "/oidc/logout": None, "/v2/logout": None})
    relying_party = RelyingParty(provider)

    gone = requests.get(f"{provider.issuer}v2/logout", timeout=10)

    assert relying_party.metadata["token_endpoint"] == f"{provider.issuer}token"
    assert "end_session_endpoint" not in relying_party.metadata
    assert gone.status_code == 404
    assert "access_token" in relying_party.signs_in()


def test_the_parameter_that_sign_out_takes(provider: Provider) -> None:
    provider.options(logout_redirect_parameter="logout_uri")
    relying_party = RelyingParty(provider)
    values = {"client_id": "demo-app", "logout_uri": f"{APP}/", "state": "x"}

    response = requests.get(
        relying_party.metadata["end_session_endpoint"],
        params=values,
        allow_redirects=False,
        timeout=10,
    )

    assert response.headers["Location"] == f"{APP}/?state=x"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_one_method_of_client_authentication_alone_whatever_the_metadata_lists(
    provider: Provider, relying_party: RelyingParty, method: str
) -> None:
    provider.options(client_auth=method)
    listed = relying_party.metadata["token_endpoint_auth_methods_supported"]
    code = relying_party.authorizes()["code"]
    if method == "client_secret_post":
        relying_party.auth, relying_party.credentials = {"auth": ("demo-app", SECRET)}, {}

    refused = relying_party.redeems(code)
    if method == "client_secret_basic":
        relying_party.auth, relying_party.credentials = {"auth": ("demo-app", SECRET)}, {}
    else:
        relying_party = RelyingParty(provider)

    assert {"client_secret_basic", "client_secret_post"} <= set(listed)
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")
    assert "access_token" in relying_party.signs_in()


@pytest.mark.parametrize("accepted", ["issuer", "token_endpoint"])
def test_the_audience_of_a_clients_assertion(provider: Provider, accepted: str) -> None:
    key = RSAKey.generate_key(2048)
    jwks = {"keys": [key.as_dict(private=False)]}
    client = {**CLIENT, "token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}
    provider.options(clients=[client], assertion_audience=accepted)
    relying_party = RelyingParty(provider)

    statuses = {}
    for audience in ("issuer", "token_endpoint"):
        claims = {"iss": "demo-app", "sub": "demo-app", "jti": audience, "exp": time.time() + 60}
        claims["aud"] = relying_party.metadata[audience]
        relying_party.credentials = {
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode({"alg": "RS256"}, claims, key),
        }
        code = relying_party.authorizes()["code"]
        statuses[audience] = relying_party.redeems(code).status_code

    assert {audience for audience, status in statuses.items() if status == 200} == {accepted}


def test_an_api_for_tokens_that_name_none(provider: Provider, relying_party: RelyingParty) -> None:
    provider.options(default_audience="appointments:api")

    token = relying_party.signs_in(audience=None)["access_token"]

    assert "appointments:api" in claims_of(token)["aud"]


def test_a_blocked_user_is_an_error_of_the_authorization_response(
    provider: Provider, relying_party: RelyingParty
) -> None:
    provider.lies("unauthorized")

    assert relying_party.authorizes()["error"] == "unauthorized"


@pytest.mark.parametrize(
    "options", [{"id_token_alg": "HS512"}, {"refresh_tokens": "x"}, {"nothing": 1}], ids=str
)
def test_an_option_that_does_not_exist_is_refused(
    provider: Provider, options: dict[str, Any]
) -> None:
    with pytest.raises(requests.HTTPError):
        provider.options(**options)
