"""DPoP (RFC 9449) and pushed authorization requests (RFC 9126), at the demo's provider and API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from auth.dpop import DPoP
from auth.http_client import Response
from tests.conftest import MakeApp, PersonAt
from tests.support.harness import Api, Provider, query_of
from tests.support.id_tokens import claims_in
from tests.support.scripted_provider import (
    Handler,
    ScriptedProvider,
    key_for_alg,
    send,
    visitor_of,
)


@pytest.mark.parametrize("nonce", [False, True], ids=["without nonces", "with nonces"])
def test_tokens_are_bound_to_a_key_of_the_session_also_after_a_refresh(
    provider: Provider, make_app: MakeApp, person_at: PersonAt, api: Api, nonce: bool
) -> None:
    provider.options(dpop_nonce=nonce)
    person = person_at(make_app(AUTH0_DPOP="1"))

    assert len(query_of(person.begins())["dpop_jkt"]) == 43
    assert person.signs_in().status_code == 303
    assert person.sees("/appointments").status_code == 200
    api.lies("api_401")
    assert person.sees("/appointments").status_code == 200

    assert provider.refreshes() == 1
    schemes = {entry["headers"]["Authorization"].partition(" ")[0] for entry in api.log()}
    assert schemes == {"DPoP"}


def test_a_nonce_that_another_request_has_just_learnt_is_tried_as_well() -> None:
    dpop, key, proofs = DPoP(), DPoP.derive_key("secret"), list[str]()
    names_it, url = {"DPoP-Nonce": "newer"}, "https://provider.example/token"

    def send(headers: Mapping[str, str]) -> Response:
        proofs.append(headers["DPoP"])
        if len(proofs) > 1:
            return Response(200, {}, b"{}")
        dpop.send(key, "GET", url, lambda _: Response(200, names_it, b"{}"))
        return Response(400, names_it, b'{"error": "use_dpop_nonce"}')

    assert dpop.send(key, "POST", url, send).status == 200
    assert [claims_in(proof).get("nonce") for proof in proofs] == [None, "newer"]


def test_a_bearer_token_is_not_accepted_in_the_place_of_a_bound_one(
    scripted: ScriptedProvider, make_app: MakeApp
) -> None:
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

    assert set(parameters) == {"client_id", "request_uri"}
    assert person.signs_in().status_code == 303
    assert person.sees("/appointments").status_code == 200


def test_a_request_that_is_sent_again_for_a_nonce_has_another_assertion(
    scripted: ScriptedProvider, make_app: MakeApp, tmp_path: Path
) -> None:
    key = tmp_path / "key.json"
    key.write_text(json.dumps(key_for_alg("ES256", 7).as_dict(private=True)))
    app = make_app(
        AUTH0_DOMAIN=scripted.issuer, AUTH0_DPOP="1",
        AUTH0_CLIENT_SECRET="", AUTH0_CLIENT_SIGNING_KEY=str(key),
    )  # fmt: skip

    def asks_for_a_nonce(handler: Handler) -> None:
        send(handler, {"error": "use_dpop_nonce"}, 400, DPoP_Nonce="a-nonce")

    scripted.scripts["token"] = asks_for_a_nonce
    visitor_of(app, scripted).signs_in()

    first, second = (claims_in(form["client_assertion"])["jti"] for form in scripted.forms)
    assert first != second


def test_the_key_of_a_sign_in_is_the_same_in_every_version_of_the_library() -> None:
    key = DPoP.derive_key("a secret of the sign-in")

    assert DPoP.thumbprint(key) == "RCIl4Xb9LZmpeyNMRaSs2Q77GnwJYaBT9RqVgElFVt8"
