"""The relying party: sign-in, callback, token set, refresh, sign-out, back-channel logout.

Read in this order: `routes.py` (the story), `authorization.py` (step 1), `token_endpoint.py`
(steps 2 and 4), `id_token.py` (what is checked), `api.py` (step 3), `refresh.py` (exactly once).
Values are in `login_transaction.py` and `token_set.py`, what all steps share in `relying_party.py`;
every other feature has a file of its own. Pages and extras use the names below; only an extra that
examines the app looks deeper.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask

from config import Settings
from sessions import SessionEnded

from . import backchannel_logout, commands, errors, http_client, routes, signals
from .access_control import (
    CHECKS,
    current_sign_in,
    from_anywhere,
    max_request_bytes,
    needed_sign_in,
    public,
    without_session,
)
from .api import ApiResponse, call_api
from .errors import Error, SignInNeeded, this_page, wants_json
from .logout import end_sessions, has_come_back, my_sessions, sign_out
from .refresh import access_token
from .relying_party import RelyingParty, relying_party
from .routes import logout_response
from .step_up import (
    requires_claim,
    requires_recent_sign_in,
    requires_scope,
    requires_stronger_sign_in,
)
from .token_set import SignIn

__all__ = [
    "ApiResponse",
    "Error",
    "RelyingParty",
    "SignIn",
    "SignInNeeded",
    "SignInRefused",
    "access_token",
    "call_api",
    "current_sign_in",
    "end_sessions",
    "from_anywhere",
    "has_come_back",
    "http_client",
    "init_app",
    "logout_response",
    "max_request_bytes",
    "my_sessions",
    "needed_sign_in",
    "on_sign_in",
    "public",
    "relying_party",
    "requires_claim",
    "requires_recent_sign_in",
    "requires_scope",
    "requires_stronger_sign_in",
    "sign_out",
    "signals",
    "this_page",
    "wants_json",
    "without_session",
]

SignInHook = Callable[[dict[str, Any], dict[str, Any]], None]


class SignInRefused(Error):
    """Raise it from an `on_sign_in` function to refuse the person; the page shows `text`."""

    def __init__(self, text: str) -> None:
        """Take the sentence for the page."""
        super().__init__("refused_by_app", text, text=text)


def on_sign_in(app: Flask, hook: SignInHook) -> None:
    """Call `hook(claims, data)` at each sign-in, after all checks and before anything is stored:
    with the verified claims, and the session's own data to add to. It may raise SignInRefused."""
    app.extensions["relying_party"].sign_in_hooks.append(hook)


def init_app(app: Flask, settings: Settings) -> None:
    """Add the routes of the flow and the pages of its errors, and close every view that is not
    marked as public."""
    app.extensions["relying_party"] = RelyingParty(settings)
    for check in CHECKS:
        app.before_request(check)
    errors.init_app(app)
    app.register_error_handler(SignInNeeded, routes.lead_to_sign_in)
    app.register_error_handler(SessionEnded, lambda _: routes.lead_to_sign_in(SignInNeeded()))
    app.register_blueprint(routes.bp)
    app.register_blueprint(backchannel_logout.bp)
    app.cli.add_command(commands.commands)
