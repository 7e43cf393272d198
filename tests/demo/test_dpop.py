"""DPoP at the demo's provider and API (RFC 9449)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.demo.conftest import DpopKey, RelyingParty, bearer
from tests.support.harness import Api, Provider


@pytest.fixture
def token(relying_party: RelyingParty, key: DpopKey) -> str:
    """An access token that is bound to the key."""
    return str(tokens_for(relying_party, key)["access_token"])


def tokens_for(relying_party: RelyingParty, key: DpopKey, **changes: Any) -> dict[str, Any]:
    code = relying_party.authorizes(**changes)["code"]
    proof = key.proof("POST", relying_party.metadata["token_endpoint"])
    tokens: dict[str, Any] = relying_party.redeems(code, proof).json()
    return tokens


def call(api: Api, token: str, proof: dict[str, str], scheme: str = "DPoP") -> requests.Response:
    headers = {"Authorization": f"{scheme} {token}", **proof}
    return requests.get(f"{api.base_url}/appointments", headers=headers, timeout=10)


@pytest.mark.parametrize(
    "changes",
    [
        {"ath": "wrong"},
        {"ath": None},
        {"htm": "POST"},
        {"htu": "http://localhost:1/appointments"},
        {"iat": 1_700_000_000},
        {"iat": None},
        {"jti": None},
        {"header": {"typ": "JWT"}},
    ],
    ids=str,
)
def test_a_wrong_proof_is_refused(
    api: Api, token: str, key: DpopKey, changes: dict[str, Any]
) -> None:
    proof = key.proof("GET", f"{api.base_url}/appointments", token, **changes)

    refused = call(api, token, proof)

    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof"')


def test_a_proof_works_once(api: Api, token: str, key: DpopKey) -> None:
    proof = key.proof("GET", f"{api.base_url}/appointments", token)

    assert [call(api, token, proof).status_code for _ in range(2)] == [200, 401]


def test_a_stolen_token_is_worth_nothing(api: Api, token: str, relying_party: RelyingParty) -> None:
    url = f"{api.base_url}/appointments"
    unbound = relying_party.signs_in()["access_token"]

    as_bearer = call(api, token, {}, "Bearer")
    of_another_key = call(api, token, DpopKey().proof("GET", url, token))
    unbound_as_dpop = call(api, unbound, DpopKey().proof("GET", url, unbound))

    assert {as_bearer.status_code, of_another_key.status_code} == {401}
    assert as_bearer.headers["WWW-Authenticate"].startswith('DPoP error="invalid_token"')
    assert unbound_as_dpop.status_code == 401


def test_userinfo_asks_for_a_proof_too(
    relying_party: RelyingParty, token: str, key: DpopKey
) -> None:
    url = relying_party.metadata["userinfo_endpoint"]
    headers = {"Authorization": f"DPoP {token}", **key.proof("GET", url, token)}

    refused = requests.get(url, headers=bearer(token), timeout=10)
    allowed = requests.get(url, headers=headers, timeout=10)

    assert (refused.status_code, allowed.status_code) == (401, 200)


@pytest.mark.parametrize("with_proof", [True, False])
def test_a_code_that_is_bound_needs_the_key(
    relying_party: RelyingParty, key: DpopKey, with_proof: bool
) -> None:
    code = relying_party.authorizes(dpop_jkt=key.thumbprint)["code"]
    url = relying_party.metadata["token_endpoint"]

    refused = relying_party.redeems(code, DpopKey().proof("POST", url) if with_proof else None)

    assert refused.json()["error"] == "invalid_grant"
    assert tokens_for(relying_party, key, dpop_jkt=key.thumbprint)["token_type"] == "DPoP"


def test_the_api_can_demand_its_nonce(provider: Provider, token: str, key: DpopKey) -> None:
    api = Api(provider.issuer, "appointments:api", "appointments")
    api.command.append("--dpop-nonce")
    url = f"{api.base_url}/appointments"
    with api:
        asked = call(api, token, key.proof("GET", url, token))
        nonce = asked.headers["DPoP-Nonce"]
        done = call(api, token, key.proof("GET", url, token, nonce=nonce))

    assert (asked.status_code, done.status_code) == (401, 200)
    assert asked.headers["WWW-Authenticate"].startswith('DPoP error="use_dpop_nonce"')
