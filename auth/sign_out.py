"""Signing out: here first, then at the provider (OIDC RP-Initiated Logout 1.0)."""

from __future__ import annotations

from authlib.common.urls import add_params_to_uri

from sessions import PersonSession

from . import signals
from .access import session_interface
from .errors import Problem
from .relying_party import RelyingParty
from .token_endpoint import revoke
from .token_set import SignIn

# Longer URLs are refused by some servers; the provider then asks whom it shall sign out.
MAX_HINT_LENGTH = 6000


def sign_out(rp: RelyingParty, session: PersonSession) -> str:
    """End the session, revoke its refresh tokens, and return where to send the browser.

    The session is gone before anything is asked of the provider, which may never send the browser
    back. Raises StoreUnavailable, and the person is still signed in.
    """
    sign_in = SignIn.of(session)
    session_interface().end(session)
    if sign_in is None:
        return "/"
    for refresh_token in sign_in.refresh_tokens():
        revoke(rp, refresh_token)
    signals.signed_out.send(rp, sub=sign_in.claims()["sub"])
    return logout_url(rp, sign_in)


def logout_url(rp: RelyingParty, sign_in: SignIn) -> str:
    """Return the provider's logout with its parameters; `/` where the provider is unknown."""
    back = f"{rp.settings.app_base_url}/"
    try:
        end_session_endpoint = rp.provider.metadata().end_session_endpoint
    except Problem:
        return "/"
    if end_session_endpoint is None:
        # Auth0 without the switch "RP-Initiated Logout End Session Endpoint Discovery".
        auth0 = f"{rp.settings.issuer.rstrip('/')}/v2/logout"
        params = [("client_id", rp.settings.client_id), ("returnTo", back)]
        return str(add_params_to_uri(auth0, params))
    params = [("client_id", rp.settings.client_id), ("post_logout_redirect_uri", back)]
    if len(sign_in.id_token) <= MAX_HINT_LENGTH:
        params.insert(0, ("id_token_hint", sign_in.id_token))
    return str(add_params_to_uri(end_session_endpoint, params))
