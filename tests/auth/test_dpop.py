"""DPoP (RFC 9449) and pushed authorization requests (RFC 9126), at the demo's provider and API."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import MakeApp, PersonAt
from tests.support.harness import Api, Provider, query_of


@pytest.fixture(params=["", "nonce"])
def dpop_provider(request: pytest.FixtureRequest, provider: Provider) -> Provider:
    """A provider that knows DPoP, without and with nonces of its own."""
    if request.param:
        provider.options(dpop_nonce=True)
    return provider


def test_tokens_are_bound_to_a_key_of_the_session_and_used_with_proofs(
    dpop_provider: Provider, make_app: MakeApp, person_at: PersonAt, api: Api
) -> None:
    person = person_at(make_app(AUTH0_DPOP="1"))

    assert person.signs_in().status_code == 303
    assert person.sees("/appointments").status_code == 200


def test_the_authorization_request_names_the_key(
    dpop_provider: Provider, make_app: MakeApp, person_at: PersonAt
) -> None:
    person = person_at(make_app(AUTH0_DPOP="1"))

    assert len(query_of(person.begins())["dpop_jkt"]) == 43


def test_a_refreshed_token_is_bound_to_the_same_key(
    dpop_provider: Provider, make_app: MakeApp, person_at: PersonAt, api: Api
) -> None:
    person = person_at(make_app(AUTH0_DPOP="1"))
    assert person.signs_in().status_code == 303
    api.lies("api_401")

    answer = person.sees("/appointments")

    assert answer.status_code == 200
    assert dpop_provider.refreshes() == 1


def test_a_bearer_token_is_not_accepted_in_the_place_of_a_bound_one(
    scripted: Any, make_app: MakeApp, person_at: PersonAt
) -> None:
    from tests.support.scripted_provider import visitor_of

    visitor = visitor_of(make_app(AUTH0_DOMAIN=scripted.issuer, AUTH0_DPOP="1"), scripted)

    assert visitor.signs_in().status_code == 502
    assert not visitor.is_signed_in()


@pytest.mark.parametrize("required", [False, True], ids=["asked for", "required by the metadata"])
def test_a_pushed_request_leaves_a_reference_in_the_url(
    provider: Provider, make_app: MakeApp, person_at: PersonAt, api: Api, required: bool
) -> None:
    provider.options(require_pushed_authorization_requests=required)
    person = person_at(make_app(AUTH0_PAR="0" if required else "1"))

    parameters = query_of(person.begins())

    assert set(parameters) == {"client_id", "response_type", "request_uri"}
    assert person.signs_in().status_code == 303
    assert person.sees("/appointments").status_code == 200
