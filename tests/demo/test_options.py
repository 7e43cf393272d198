"""The provider's options that imitate other providers."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.demo.conftest import RelyingParty, claims_of
from tests.support.harness import Provider, query_of


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


def test_an_api_for_tokens_that_name_none(provider: Provider, relying_party: RelyingParty) -> None:
    provider.options(default_audience="appointments:api")

    token = relying_party.signs_in(audience=None)["access_token"]

    assert "appointments:api" in claims_of(token)["aud"]


@pytest.mark.parametrize(
    "options", [{"id_token_alg": "HS512"}, {"refresh_tokens": "x"}, {"nothing": 1}], ids=str
)
def test_an_option_that_does_not_exist_is_refused(
    provider: Provider, options: dict[str, Any]
) -> None:
    with pytest.raises(requests.HTTPError):
        provider.options(**options)
