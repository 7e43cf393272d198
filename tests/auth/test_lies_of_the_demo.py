"""Each lie that the demo offers at sign-in: a page with a way on, and nobody is signed in."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.support.harness import Person, Provider, session_records

LIES = {
    "metadata_wrong_issuer": 502, "metadata_500": 503,
    "iss_parameter_wrong": 400, "iss_parameter_missing": 400, "wrong_state": 400,
    "missing_state": 400, "duplicated_code": 400, "error_answer": 502,
    "temporarily_unavailable": 503,
    "token_drop": 503, "token_500": 502, "token_html": 502, "token_empty": 502,
    "token_redirect": 502, "token_429": 503, "token_type_mac": 502, "missing_access_token": 502,
    "wrong_nonce": 400, "missing_nonce": 400, "wrong_iss": 502, "foreign_aud": 502,
    "expired_id_token": 502, "iat_in_future": 502, "missing_sub": 502, "wrong_at_hash": 502,
    "alg_none": 502, "hs256_public_key": 502, "hs256_client_secret": 502, "unknown_key": 502,
    "broken_signature": 502, "missing_id_token": 502,
}  # fmt: skip
# Nobody knows then where the person wanted to go.
WITHOUT_STATE = ("wrong_state", "missing_state", "duplicated_code")


@pytest.mark.parametrize(("name", "status"), LIES.items())
def test_each_lie_of_the_demo_signs_nobody_in(
    name: str, status: int, person: Person, app: Flask, provider: Provider
) -> None:
    provider.lies(name)

    response = person.sees("/login?return_to=/profile")
    if response.status_code == 302:
        url = person.provider.answers(response.headers["Location"])
        response = person.comes_back(url)

    assert response.status_code == status
    assert "<h1" in response.text
    page = "/" if name in WITHOUT_STATE else "/profile"
    assert f"/login?return_to={page}" in response.text
    assert session_records(app) == 0
