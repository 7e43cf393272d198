"""The one function that hands out access tokens, and has them refreshed (see `refresh.py`)."""

from __future__ import annotations

from typing import cast

from flask import g

from sessions import PersonSession, current_session
from sessions.store import FAILED

from .errors import SignInNeeded
from .refresh import AT_ONCE_SECONDS, Refresh
from .relying_party import relying_party, session_interface
from .token_set import SESSION_KEY, SignIn


def current_sign_in() -> SignIn | None:
    """Return the sign-in of the visitor, None if nobody is signed in."""
    session = current_session()
    stored, sign_in = g.get("sign_in", (None, None))
    # Every change puts another object there, so this is never what was before one.
    if stored is not session.get(SESSION_KEY):
        stored, sign_in = g.sign_in = session.get(SESSION_KEY), SignIn.of(session)
    return cast(SignIn | None, sign_in)


def access_token(audience: str | None = None, *, refused: str | None = None) -> str:
    """Return an access token that is good now, for the configured API or the one of `audience`.

    `refused` is a token that the API has just refused: it is refreshed though it looks good, or
    returned where that was in vain a moment ago (see `refreshed_in_vain`).
    Raises SignInNeeded, or SessionEnded where it ended meanwhile, which is answered like that;
    Problem where it cannot be refreshed now; StoreUnavailable.
    """
    session, sign_in, name = current_session(), current_sign_in(), audience or ""
    if sign_in is None:
        raise SignInNeeded
    tokens = sign_in.token_sets.get(name)
    if tokens and tokens.is_fresh() and tokens.access_token != refused:
        return tokens.access_token
    if refused and tokens and tokens.access_token == refused and _was_in_vain(session, name):
        return refused
    return Refresh(relying_party(), session, name, refused).access_token()


def refreshed_in_vain(audience: str | None) -> None:
    """Note that the API refused a token that was refreshed for it: an API that refuses every token
    then costs one refresh in AT_ONCE_SECONDS, and not one a page. Raises StoreUnavailable."""
    session = current_session()
    if session.key is not None:
        key = _in_vain(session, audience or "")
        session_interface().store.acquire_lease(key, FAILED, AT_ONCE_SECONDS)


def _was_in_vain(session: PersonSession, name: str) -> bool:
    return session_interface().store.lease_holder(_in_vain(session, name)) is not None


def _in_vain(session: PersonSession, name: str) -> str:
    return f"{session.stored_key} in vain {name}"
