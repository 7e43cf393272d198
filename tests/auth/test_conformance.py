"""What the OpenID Foundation's conformance suite found (docs/conformance.md), without the suite."""

from __future__ import annotations

import pytest

from tests.conftest import Clock, MakeApp
from tests.support.harness import post_logout
from tests.support.scripted_provider import ScriptedProvider, key_for_alg, public, visitor_of


@pytest.fixture
def two_algorithms(scripted: ScriptedProvider) -> ScriptedProvider:
    """A provider that publishes a key for ES256 and one for RS256."""
    scripted.keys.append(public(key_for_alg("RS256")))
    return scripted


def sign_by_rs256(provider: ScriptedProvider) -> None:
    provider.alg, provider.key = "RS256", key_for_alg("RS256")


@pytest.mark.parametrize(("configured", "status"), [("ES256", 502), ("RS256", 303), ("", 303)])
def test_an_id_token_of_another_algorithm_than_the_configured_one_is_refused(
    configured: str, status: int, make_app: MakeApp, two_algorithms: ScriptedProvider
) -> None:
    app = make_app(AUTH0_DOMAIN=two_algorithms.issuer, AUTH0_ID_TOKEN_ALG=configured)
    sign_by_rs256(two_algorithms)

    assert visitor_of(app, two_algorithms).signs_in().status_code == status


def test_a_logout_token_of_another_algorithm_than_the_configured_one_ends_no_session(
    make_app: MakeApp, two_algorithms: ScriptedProvider
) -> None:
    app = make_app(AUTH0_DOMAIN=two_algorithms.issuer, AUTH0_ID_TOKEN_ALG="ES256")
    person = visitor_of(app, two_algorithms)
    person.signs_in()
    sign_by_rs256(two_algorithms)

    response = post_logout(app, two_algorithms.logout_token())

    assert response.status_code == 400
    assert person.is_signed_in()


def test_a_refresh_token_may_have_any_visible_character_and_spaces(
    make_app: MakeApp, scripted: ScriptedProvider, clock: Clock
) -> None:
    every = "".join(map(chr, range(0x20, 0x7F)))
    scripted.token = {"refresh_token": every}
    app = make_app(AUTH0_DOMAIN=scripted.issuer, API_BASE_URL=scripted.base_url)
    person = visitor_of(app, scripted)
    person.signs_in()
    clock.moves(3600)

    person.browser.get("/appointments")

    assert scripted.forms[-1]["refresh_token"] == every
