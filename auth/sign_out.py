"""Signing out: here first, then at the provider (OIDC RP-Initiated Logout 1.0)."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from authlib.common.urls import add_params_to_uri

from languages import stated_language
from sessions import PersonSession
from sessions.interface import Content

from . import signals
from .errors import Problem
from .relying_party import RelyingParty, session_interface
from .token_endpoint import revoke, revoke_all
from .token_set import SignIn

# Longer URLs are refused by some servers; the provider then asks whom it shall sign out.
MAX_HINT_LENGTH = 6000

# So long a sign-in may be on its way, from the ID token's issue to the session.
SIGN_IN_SECONDS = 60


def sign_out(rp: RelyingParty, session: PersonSession) -> str:
    """End the session, revoke its refresh tokens, and return where to send the browser.

    The session is gone before anything is asked of the provider, which may never send the browser
    back. Raises StoreUnavailable, and the person is still signed in.
    """
    content = session_interface().end(session)
    sign_in = SignIn.of(content.data) if content else None
    if sign_in is None:
        return "/"
    revoke_all(rp, sign_in.refresh_tokens())
    signals.signed_out.send(rp, sub=sign_in.claims()["sub"])
    return logout_url(rp, sign_in)


def end_elsewhere(rp: RelyingParty, sessions: Mapping[str, Content]) -> None:
    """End other sessions of a person, by key, and revoke their refresh tokens.

    Raises StoreUnavailable.
    """
    provider_answers = True
    for key, content in sessions.items():
        ended = session_interface().end_key(key, content)
        sign_in = SignIn.of(ended.data) if ended else None
        if sign_in is None:
            continue
        for refresh_token in sign_in.refresh_tokens():
            # A provider that is away is waited for once, not once a session.
            provider_answers = provider_answers and revoke(rp, refresh_token)


def remember_logout(ref: str, issued_at: float) -> None:
    """Note when the provider issued a logout for a `sid` or `sub`. Raises StoreUnavailable."""
    store, name = session_interface().store, f"logout {ref}"
    # Never later than now: a provider's clock that is ahead must not hinder the next sign-in.
    moment = str(min(float(issued_at), int(time.time())))
    holder = store.acquire_lease(name, moment, SIGN_IN_SECONDS)
    if holder != moment:
        store.pass_lease(name, holder, moment, SIGN_IN_SECONDS)


def logged_out_since(refs: Iterable[str], issued_at: float) -> bool:
    """Whether the provider issued a logout for one of these after an ID token of that time: while
    its code was exchanged, there was no session yet to be ended. Raises StoreUnavailable."""
    store = session_interface().store
    logouts = (store.lease_holder(f"logout {ref}") for ref in refs)
    return any(logout is not None and issued_at < float(logout) for logout in logouts)


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
    if ui_locales := stated_language():
        params.append(("ui_locales", ui_locales))
    return str(add_params_to_uri(end_session_endpoint, params))
