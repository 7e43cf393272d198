"""Health for platforms: alive (`/healthz`), and able to serve (`/readyz`)."""

from __future__ import annotations

from flask import Blueprint, jsonify
from werkzeug.wrappers import Response

from auth import Problem, relying_party, without_session
from auth.access import session_interface
from sessions import StoreUnavailable

bp = Blueprint("health", __name__)


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
    except StoreUnavailable:
        unreachable.append("session store")
    try:
        relying_party().provider.reach()
    except Problem:
        unreachable.append("provider metadata")
    if unreachable:
        return jsonify(status="unavailable", unreachable=unreachable), 503
    return jsonify(status="ok"), 200
