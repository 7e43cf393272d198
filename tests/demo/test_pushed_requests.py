"""Pushed authorization requests at the demo's provider (RFC 9126)."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from tests.demo.conftest import DpopKey, RelyingParty
from tests.support.harness import SECRET, Provider, query_of, text_of

PAR = "pushed_authorization_request_endpoint"


def push(relying_party: RelyingParty, **changes: Any) -> Any:
    return relying_party.posts(PAR, **relying_party.parameters(**changes))


def test_a_pushed_request_signs_in_and_works_once(relying_party: RelyingParty) -> None:
    pushed = push(relying_party)
    in_browser = {"client_id": "demo-app", "request_uri": pushed.json()["request_uri"]}

    answer = relying_party.follows(in_browser)
    again = requests.get(
        relying_party.metadata["authorization_endpoint"], params=in_browser, timeout=10
    )

    assert (pushed.status_code, pushed.json()["expires_in"]) == (201, 60)
    assert pushed.headers["Cache-Control"] == "no-store"
    assert answer["state"] == "the-state"
    assert relying_party.redeems(answer["code"]).status_code == 200
    assert again.status_code == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"client_secret": "wrong"}, "invalid_client"),
        ({"redirect_uri": "https://elsewhere.example/"}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"audience": "nothing:api"}, "access_denied"),
        ({"request_uri": "urn:example"}, "request_uri_not_supported"),
    ],
    ids=["secret", "redirect URI", "PKCE", "response type", "audience", "request_uri"],
)
def test_a_wrong_request_is_refused_at_once(
    relying_party: RelyingParty, changes: dict[str, str], error: str
) -> None:
    refused = push(relying_party, **changes)

    assert refused.status_code in (400, 401)
    assert refused.json()["error"] == error


def test_another_client_cannot_use_it(provider: Provider, relying_party: RelyingParty) -> None:
    clients = [{"client_id": each, "client_secret": SECRET} for each in ("demo-app", "other")]
    clients[0]["redirect_uris"] = [relying_party.parameters()["redirect_uri"]]  # type: ignore[assignment]
    provider.options(clients=clients)
    name = push(relying_party).json()["request_uri"]

    page = requests.get(
        relying_party.metadata["authorization_endpoint"],
        params={"client_id": "other", "request_uri": name},
        timeout=10,
    )

    assert page.status_code == 400
    assert "pushed by another application" in text_of(page)


def test_where_pushing_is_required_the_metadata_says_so_and_others_are_refused(
    provider: Provider,
) -> None:
    provider.options(require_pushed_authorization_requests=True)
    relying_party = RelyingParty(provider)

    page = requests.get(
        relying_party.metadata["authorization_endpoint"],
        params=relying_party.parameters(),
        timeout=10,
    )
    name = push(relying_party).json()["request_uri"]

    assert relying_party.metadata["require_pushed_authorization_requests"] is True
    assert page.status_code == 400
    assert "code" in relying_party.follows({"client_id": "demo-app", "request_uri": name})


def test_a_proof_binds_the_code_to_its_key(relying_party: RelyingParty, key: DpopKey) -> None:
    proof = key.proof("POST", relying_party.metadata[PAR])
    pushed = relying_party.posts(PAR, proof, **relying_party.parameters()).json()
    in_browser = {"client_id": "demo-app", "request_uri": pushed["request_uri"]}
    code = relying_party.follows(in_browser)["code"]

    refused = relying_party.redeems(
        code, DpopKey().proof("POST", relying_party.metadata["token_endpoint"])
    )

    assert refused.json()["error"] == "invalid_grant"


def test_an_error_after_the_push_leads_back(relying_party: RelyingParty) -> None:
    name = push(relying_party, prompt="none").json()["request_uri"]

    response = requests.get(
        relying_party.metadata["authorization_endpoint"],
        params={"client_id": "demo-app", "request_uri": name},
        allow_redirects=False,
        timeout=10,
    )

    assert query_of(response.headers["Location"])["error"] == "login_required"
