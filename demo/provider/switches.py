"""The provider's own switches under `/demo`: keys, options, grants, back-channel logout.

JSON in and out; see `demo/control.py` for faults and the log, and for who may use this.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, request

from demo import control
from demo.control import read_json
from demo.fault import Fault
from demo.people import find_organization
from demo.provider.config import ConfigError
from demo.provider.home import invitation_link
from demo.provider.keys import altered
from demo.provider.logout import logout_token_claims, send_logout_token
from demo.provider.metadata import build_metadata
from demo.provider.state import the_provider

bp = Blueprint("switches", __name__, url_prefix=control.PATH)
bp.before_request(control.refuse_other_sites)


@bp.post("/rotate-keys")
def rotate_keys() -> Response:
    """`{"keep_old": true}`: sign with a new key. Without the old one, what it signed is void."""
    values = dict(request.form) or read_json()
    the_provider().keys.rotate(keep_old=bool(values.get("keep_old", True)))
    return control.back_to_page() if request.form else jsonify(the_provider().keys.jwks())


@bp.post("/options")
def set_options() -> Any:
    """Any fields of ProviderConfig but the issuer, and `ask_organization`. Returns the metadata."""
    provider = the_provider()
    try:
        provider.change(provider.config.changed(read_json()))
    except (ConfigError, TypeError, ValueError) as error:
        return jsonify(error=str(error)), 400
    return jsonify(build_metadata(provider.config))


@bp.post("/revoke-grants")
def revoke_grants() -> Response:
    """`{"sub": "demo|ada"}`: revoke all grants of one person; of everyone without it."""
    return jsonify(revoked=the_provider().store.revoke_grants(read_json().get("sub")))


@bp.post("/invitations")
def create_invitation() -> Any:
    """`{"organization": id or name}`: an invitation link whose ticket is unused."""
    organization = find_organization(str(read_json().get("organization")))
    if organization is None:
        return jsonify(error="unknown organization"), 400
    return jsonify(link=invitation_link(organization))


@bp.post("/backchannel-logout")
def backchannel_logout() -> Any:
    """Build a logout token, with faults where asked; with `"send": true` post it to the client.

    `{"sub", "sid", "client_id", "claims": {…}, "header": {…}, "sign": …, "send": bool}`.
    """
    provider, values = the_provider(), read_json()
    client = provider.config.client(values.get("client_id", provider.config.clients[0].client_id))
    if client is None:
        return jsonify(error="unknown client_id"), 400
    claims = logout_token_claims(provider, client.client_id, values.get("sub"), values.get("sid"))
    try:
        fault = Fault(
            id_token=values.get("claims", {}),
            id_token_header={"typ": "logout+jwt", **values.get("header", {})},
            id_token_sign=values.get("sign"),
        )
    except ValueError as error:
        return jsonify(error=str(error)), 400
    token = provider.keys.sign_with_fault(claims, fault, client.client_secret)
    answer: dict[str, object] = {"logout_token": token, "claims": altered(claims, fault.id_token)}
    if values.get("send") and client.backchannel_logout_uri:
        answer["status"] = send_logout_token(client.backchannel_logout_uri, token)
    return jsonify(answer)
