"""Health for platforms: alive (`/healthz`), and able to serve (`/readyz`)."""

from __future__ import annotations

import logging

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from auth import Problem, relying_party, without_session
from auth.relying_party import session_interface
from sessions import StoreUnavailable

bp = Blueprint("health", __name__)
log = logging.getLogger("app.health")


@bp.get("/healthz")
@without_session
def healthz() -> Response:
    """200 while the process serves."""
    return jsonify(status="ok")


@bp.get("/readyz")
@without_session
def readyz() -> tuple[Response, int]:
    """200 when session store and provider can be reached; 503 with the names of what cannot."""
    unreachable = []
    try:
        session_interface().store.ping()
    except StoreUnavailable as error:
        log.warning("the session store does not answer: %s", error)
        unreachable.append("session store")
    try:
        relying_party().provider.reach()
    except Problem as problem:
        log.warning("the provider's metadata cannot be had: %s", problem.detail)
        unreachable.append("provider metadata")
    if unreachable:
        return jsonify(status="unavailable", unreachable=unreachable), 503
    return jsonify(status="ok"), 200
