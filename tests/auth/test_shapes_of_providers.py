"""Providers as their documentation describes them: each walks the whole way through the app.

A row is what the app notices of a provider (paths, metadata, habits) and the settings that
docs/other-providers.md names for it. The rows that the demo can be started in are demo/shapes.py's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from flask import Flask

from demo import api as demo_api
from demo import provider as demo_provider
from demo.provider.config import demo_config
from demo.shapes import NO_AUDIENCE, SHAPES, STRICT_SCOPES, STRICT_SETTINGS, Shape, habits
from tests.conftest import MakeApp
from tests.support.harness import (
    ADA,
    APP,
    SECRET,
    Api,
    Browser,
    Person,
    Provider,
    client_at,
    in_a_thread,
    logout_url_of,
    post_logout,
    query_of,
    text_of,
)

USUAL = "/authorize /token /userinfo /jwks /revoke /logout -"
WITHOUT_LOGOUT = "/authorize /token /userinfo /jwks /revoke - -"
BASIC = {"client_auth": "client_secret_basic"}

MORE_SHAPES = {
    "entra-external-id": Shape(
        "/tenant/v2.0", habits(USUAL, assertion_audience="token_endpoint"), NO_AUDIENCE
    ),
    "azure-ad-b2c": Shape(
        "/tenant/b2c_1_signin/v2.0",
        # No UserInfo, and times as floats.
        habits("/authorize /token - /keys - /logout -", id_token={"name": "Ada Marlow"}),
        NO_AUDIENCE,
    ),
    "authentik": Shape("/application/o/app/", habits(USUAL), NO_AUDIENCE),
    "authelia": Shape("", habits(USUAL, claims_in_id_token=False, **BASIC), NO_AUDIENCE),
    "hydra": Shape("/", habits(USUAL, assertion_audience="token_endpoint", **BASIC), NO_AUDIENCE),
    "gitlab": Shape(
        "",
        habits(WITHOUT_LOGOUT, **STRICT_SCOPES, refresh_tokens="always", claims_in_id_token=False),
        STRICT_SETTINGS,
    ),
    "yahoo-japan": Shape(
        "/yconnect/v2",
        habits(
            "/authorize /token /attribute /jwks - - -",
            **STRICT_SCOPES, **BASIC, refresh_tokens="always", claims_in_id_token=False,
        ),
        STRICT_SETTINGS,
    ),
    "slack": Shape(
        "",
        habits(
            "/openid/connect/authorize /api/openid.connect.token /api/openid.connect.userInfo "
            "/openid/connect/keys - - -",
            **STRICT_SCOPES, refresh_tokens="always", token_response={"scope": None},
        ),
        STRICT_SETTINGS,
    ),
    "logto": Shape(
        "/oidc",
        habits("/auth /token /me /jwks /token/revocation /session/end -", iss_parameter=True),
        {"AUTH0_AUDIENCE": "", "AUTH0_AUTHORIZE_PARAMS": "prompt=consent"},
    ),
    # FAPI 2.0's way, by the metadata and the nonces of a real one (docs/other-providers.md).
    "oidc-provider": Shape(
        "",
        habits(
            "/auth /token /me /jwks /token/revocation /session/end /request",
            iss_parameter=True, claims_in_id_token=False, dpop_nonce=True,
            require_pushed_authorization_requests=True, **BASIC,
        ),
        {"AUTH0_AUDIENCE": "", "AUTH0_AUTHORIZE_PARAMS": "prompt=consent", "AUTH0_DPOP": "1"},
    ),
    "duende": Shape(
        "",
        habits(
            "/connect/authorize /connect/token /connect/userinfo /jwks /connect/revocation "
            "/connect/endsession /connect/par",
            iss_parameter=True, userinfo_format="jwt", claims_in_id_token=False,
            require_pushed_authorization_requests=True,
        ),
        NO_AUDIENCE,
    ),
}  # fmt: skip
WALKED = {**SHAPES, **MORE_SHAPES}
# An app cannot sign in there; what it says instead is tested below.
del WALKED["entra-common"]


class Place(NamedTuple):
    """An app at a provider of some shape, with the sample API."""

    shape: Shape
    provider: Provider
    api: Api
    app: Flask
    person: Person


@pytest.fixture
def place(request: pytest.FixtureRequest, make_app: MakeApp) -> Iterator[Place]:
    shape: Shape = {**SHAPES, **MORE_SHAPES}[request.param]
    provider = Provider(path=shape.path)
    api = Api(provider.issuer, "appointments:api", "appointments,contacts")
    origin = f"http://localhost:{provider.port}"
    options = json.loads(json.dumps(shape.options).replace("ORIGIN", origin))
    config = demo_config(
        port=provider.port, app_base_url=APP, client_secret=SECRET, issuer=provider.issuer
    ).changed({"clients": [client_at(APP)], "skip_consent": True, **options})
    app = make_app(
        AUTH0_DOMAIN=provider.issuer, API_BASE_URL=api.base_url,
        **{"AUTH0_SCOPE": "openid profile email offline_access appointments", **shape.settings},
    )  # fmt: skip
    with (
        in_a_thread(demo_provider.create_app(config), provider.port),
        in_a_thread(demo_api.create_app(provider.issuer, api.audience), api.port),
    ):
        yield Place(shape, provider, api, app, Person(Browser(app)))


@pytest.mark.parametrize("place", WALKED, indirect=True)
def test_a_provider_of_this_shape_works_from_sign_in_to_sign_out(place: Place) -> None:
    person, provider, api = place.person, place.provider, place.api
    assert person.signs_in().status_code == 303
    assert "Ada Marlow" in text_of(person.sees("/profile"))
    assert person.sees("/appointments").status_code == 200

    api.lies("api_401")  # so that the access token is refreshed
    assert person.sees("/appointments").status_code == 200
    assert provider.refreshes() == 1

    # The provider ends the session (Back-Channel Logout; LINE has none)
    if "AUTH0_ID_TOKEN_ALG" not in place.shape.settings:
        assert post_logout(place.app, provider.logout_token(sub=ADA)).status_code == 200
        assert not person.is_signed_in()

    # Sign-out leads to the provider's logout where there is one, and home where there is none
    assert person.signs_in().status_code == 303
    response = person.signs_out()
    assert not person.is_signed_in()
    paths = place.shape.options.get("paths") or {}
    if paths.get("/oidc/logout", "there") is None:
        assert response.headers["Location"] == "/"
        assert "may still be open" in text_of(person.sees("/"))
    else:
        url = logout_url_of(response)
        back = place.shape.options.get("logout_redirect_parameter", "post_logout_redirect_uri")
        assert url.startswith(provider.issuer.rstrip("/"))
        assert query_of(url)[back] == f"{APP}/"


@pytest.mark.parametrize("place", ["entra-common"], indirect=True)
def test_an_issuer_for_all_tenants_is_a_page_that_asks_for_the_tenants_id(place: Place) -> None:
    page = place.person.sees("/login")

    assert page.status_code == 502
    assert "the id of your own tenant" in text_of(page)
