"""The relying party: sign-in, callback, token set, refresh, sign-out, back-channel logout.

Read in this order: `routes.py` (the story), `authorization.py` (step 1), `token_endpoint.py`
(steps 2 and 4), `id_token.py` (what is checked), `refresh.py` (exactly once).
"""

from __future__ import annotations

from flask import Flask

from config import Settings
from sessions import Sealer

from . import backchannel, guard, routes
from .access import access_token, current_sign_in
from .errors import Problem, SignInNeeded
from .guard import open_to_all, without_session
from .outbound import Outbound
from .provider import Provider
from .relying_party import RelyingParty, relying_party

__all__ = [
    "Problem",
    "SignInNeeded",
    "access_token",
    "backchannel",
    "current_sign_in",
    "open_to_all",
    "relying_party",
    "without_session",
]


def init_app(app: Flask, settings: Settings, sealer: Sealer) -> None:
    """Add the routes of the flow, and close every view that is not marked as open."""
    outbound = Outbound()
    provider = Provider(settings.issuer, outbound)
    app.extensions["relying_party"] = RelyingParty(settings, provider, outbound, sealer)
    app.before_request(guard.require_small_body)
    app.before_request(guard.require_same_origin)
    app.before_request(guard.require_sign_in)
    app.register_blueprint(routes.bp)
