"""Signing out: here first, then at the provider (OIDC RP-Initiated Logout 1.0)."""

from __future__ import annotations

import time
from collections.abc import Iterable

from authlib.common.urls import add_params_to_uri
from flask import request

from sessions import StoredSession, current_session, session_records

from . import signals
from .access_control import needed_sign_in
from .authorization import chosen_language
from .errors import Error
from .relying_party import RelyingParty, relying_party
from .token_endpoint import revoke_all
from .token_set import SignIn

# In bytes. Longer URLs are refused by some servers; the provider then asks whom it shall sign out.
LONGEST_HINT = 6000
# How long a logout is remembered: as long as a sign-in can take, from the ID token's issue to the
# session.
SIGN_IN_SECONDS = 60
# How long the `state` of a logout is accepted.
COME_BACK_SECONDS = 600
# Most sessions that a person can have; a further sign-in ends the least recently used.
MAX_SESSIONS = 50


def sign_out() -> str | None:
    """End this session, revoke its refresh tokens, and return the URL of the provider's logout;
    None where it has none.

    The session is gone before anything is asked of the provider, which may never send the browser
    back. Raises StoreUnavailable, and the person is still signed in.
    """
    rp = relying_party()
    ended = current_session().end()
    sign_in = SignIn.from_session(ended.data) if ended else None
    if sign_in is None:
        return None
    revoke_all(rp, sign_in.refresh_tokens())
    signals.signed_out.send(rp, sub=sign_in.claims["sub"])
    return logout_url(rp, sign_in)


def logout_url(rp: RelyingParty, sign_in: SignIn) -> str | None:
    """Return the provider's logout with its parameters; None where it has none."""
    back = f"{rp.settings.app_base_url}/"
    try:
        metadata = rp.provider.metadata(wait=False)
    except Error:
        return None
    params: dict[str, str] = {"client_id": rp.settings.client_id}
    if endpoint := metadata.end_session_endpoint:
        now = str(int(time.time())).encode()
        state = rp.encryptor.encrypt_text(now, bound_to="logout")
        params |= {"post_logout_redirect_uri": back, "state": state}
        if len(sign_in.id_token) <= LONGEST_HINT:
            params = {"id_token_hint": sign_in.id_token, **params}
        params |= chosen_language()
    elif metadata.is_auth0:
        # Auth0 without the switch "RP-Initiated Logout End Session Endpoint Discovery".
        endpoint = f"{metadata.issuer.rstrip('/')}/v2/logout"
        params |= {"returnTo": back}
    else:
        return None
    params |= {n: v.replace("{back}", back) for n, v in rp.settings.logout_params.items()}
    return str(add_params_to_uri(endpoint, [(n, v) for n, v in params.items() if v]))


def has_come_back() -> bool:
    """Whether the provider has just sent this browser back from its logout, by the `state` that
    came with it (RP-Initiated Logout 1.0 section 3)."""
    state = request.args.get("state", "")
    began_at = relying_party().encryptor.decrypt_text(state, bound_to="logout")
    return began_at is not None and 0 <= time.time() - int(began_at) < COME_BACK_SECONDS


def my_sessions() -> list[StoredSession]:
    """Return this person's sessions. Raises SignInNeeded, StoreUnavailable."""
    return session_records().all_with(relying_party().ref("sub", needed_sign_in().claims["sub"]))


def end_sessions(sessions: Iterable[StoredSession]) -> int:
    """End sessions and revoke their refresh tokens; return how many there were.

    Raises StoreUnavailable.
    """
    ended: list[StoredSession] = []
    try:
        for session in sessions:
            if last := session_records().end(session):
                ended.append(last)
    finally:
        sign_ins = [SignIn.from_session(each.data) for each in ended]
        tokens = [token for each in sign_ins if each for token in each.refresh_tokens()]
        revoke_all(relying_party(), tokens)
    return len(ended)


def end_oldest_sessions(ref: str) -> None:
    """End those of a person's sessions that were used least recently, where there are too many.
    Raises StoreUnavailable."""
    records = session_records()
    keys = records.keys_with(ref)
    if len(keys) > MAX_SESSIONS:
        # When they were used is outside of what is encrypted, and some have ended by themselves.
        living = [(record.seen_at, key) for key in keys if (record := records.store.read(key))]
        end_sessions(records.living(key for _, key in sorted(living)[:-MAX_SESSIONS]))


def remember_logout(ref: str, issued_at: float) -> None:
    """Note when the provider issued a logout for a `sid` or `sub`, and when it came here. Raises
    StoreUnavailable."""
    store, now = session_records().store, time.time()
    for name in _logout_names(ref):
        while not store.add(name, f"{float(issued_at)} {now}", SIGN_IN_SECONDS):
            earlier = store.get(name)
            if earlier is None:
                continue
            latest = max((float(issued_at), now), _times(earlier))
            if store.swap(name, earlier, f"{latest[0]} {latest[1]}", SIGN_IN_SECONDS):
                break


def was_logged_out_since(refs: Iterable[str], issued_at: float, began_at: float) -> bool:
    """Whether the provider issued a logout for one of these after an ID token of that time: while
    its code was exchanged, there was no session yet to be ended. The provider's times are compared
    with each other; within one second, ours are: when the logout came, and when this exchange
    began. Raises StoreUnavailable."""
    names = [name for ref in refs for name in _logout_names(ref)]
    logouts = map(session_records().store.get, names)
    return any(logout and _times(logout) >= (issued_at, began_at) for logout in logouts)


def _logout_names(ref: str) -> list[str]:
    return [f"logout {digest}" for digest in session_records().encryptor.digests(ref)]


def _times(logout: str) -> tuple[float, float]:
    issued_at, _, arrived_at = logout.partition(" ")
    return float(issued_at), float(arrived_at)
