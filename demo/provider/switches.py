"""The provider's own switches under `/demo`: keys, options, grants, back-channel logout.

JSON in and out; see `demo/control.py` for faults and the record, and for who may use this.
"""

from __future__ import annotations

import threading
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, redirect, request, url_for

from demo import control
from demo.control import read_json
from demo.fault import Fault
from demo.people import find_organization
from demo.provider.config import ConfigError
from demo.provider.keys import altered
from demo.provider.logout import invitation_link, logout_token_claims, send_logout_token
from demo.provider.metadata import build_metadata
from demo.provider.state import Provider, the_provider

bp = Blueprint("switches", __name__, url_prefix="/demo")
bp.before_request(control.only_from_here)


def init_app(app: Flask, provider: Provider) -> None:
    """Add the switches, and what the common ones need from us."""
    as_started = provider.config
    lock = threading.Lock()

    def reset() -> None:
        with lock:
            provider.config = as_started
            if provider.keys.alg != as_started.signing_alg:
                provider.keys.rotate(keep_old=True, alg=as_started.signing_alg)
        provider.store.reset()

    app.extensions["demo_reset"] = reset
    app.extensions["demo_stats"] = lambda: {
        "reuse_detections": provider.store.reuse_detections,
        "sso_sessions": len(provider.store.sso_sessions),
    }
    app.register_blueprint(bp)


@bp.post("/rotate-keys")
def rotate_keys() -> Any:
    """`{"keep_old": true}`: sign with a new key; without the old one, what it signed is void."""
    values = read_json() if request.is_json else dict(request.form)
    the_provider().keys.rotate(keep_old=bool(values.get("keep_old", True)))
    if request.form:
        return redirect(url_for("control.page"), 303)
    return jsonify(the_provider().keys.jwks())


@bp.post("/options")
def set_options() -> Response | tuple[Response, int]:
    """Any fields of ProviderConfig but the issuer, and `ask_organization`; answers the metadata."""
    provider = the_provider()
    try:
        config = provider.config.changed(read_json())
    except (ConfigError, TypeError, ValueError) as error:
        return jsonify(error=str(error)), 400
    if config.signing_alg != provider.keys.alg:
        provider.keys.rotate(keep_old=True, alg=config.signing_alg)
    provider.config = config
    return jsonify(build_metadata(config))


@bp.post("/revoke-grants")
def revoke_grants() -> Response:
    """`{"sub": "demo|ada"}`: end all token families of one person; of everyone without it."""
    return jsonify(revoked=the_provider().store.revoke_grants(read_json().get("sub")))


@bp.post("/invitations")
def create_invitation() -> Response | tuple[Response, int]:
    """`{"organization": id or name}`: an invitation link whose ticket is unspent."""
    organization = find_organization(str(read_json().get("organization")))
    if organization is None:
        return jsonify(error="unknown organization"), 400
    return jsonify(link=invitation_link(the_provider(), organization.id))


@bp.post("/backchannel-logout")
def backchannel_logout() -> Response | tuple[Response, int]:
    """Build a logout token, spoilt where asked; with `"send": true` post it to the client.

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
    token = provider.keys.sign_as_told(claims, fault, client.client_secret)
    answer: dict[str, object] = {"logout_token": token, "claims": altered(claims, fault.id_token)}
    if values.get("send") and client.backchannel_logout_uri:
        answer["status"] = send_logout_token(client.backchannel_logout_uri, token)
    return jsonify(answer)
