"""The exchange of a refresh token, exactly once.

However many requests, threads, processes or machines meet an expired token, one of them takes the
session's lock and exchanges the refresh token; the others wait for what it stores. A refresh
token used twice would make the provider revoke them all (RFC 9700 section 4.14.2).
"""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from dataclasses import replace

from sessions import Session, SessionEnded, StoreUnavailable, session_interface

from . import signals
from .errors import Error, SignInNeeded
from .id_token import Claims, InvalidToken, session_expiry, verify_refreshed_id_token
from .relying_party import RelyingParty
from .token_endpoint import UNAVAILABLE, GrantRefused, refresh_token_request, revoke_all
from .token_set import SESSION_KEY, SignIn, TokenSet

# The lock outlives all that its holder does: the token request (10), a fetch of the keys (5), and
# storing what came (5). It ends by itself where the holder crashed.
LOCK_SECONDS = 20.0
# How long to retry storing a rotated refresh token while the session store is down.
STORE_SECONDS = 5.0
# Waiters outlast the lock of a holder that crashed.
WAIT_SECONDS = 25.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.25
# After a failure nobody tries again for so long: the others do not queue up for the same failure.
PAUSE_SECONDS = 5.0
# Or for as long as the provider asked for, within reason.
LONGEST_PROVIDER_PAUSE_SECONDS = 60.0
# The lock's value for that time.
FAILED = "failed"


def refreshed_token(rp: RelyingParty, session: Session, name: str, refused: str | None) -> str:
    """Return an access token for the API of that audience ("" for the configured one), refreshed
    by this request or by another one; `refused` is one that the API has just refused.

    Raises SessionEnded, SignInNeeded, Error("refresh_unavailable"), StoreUnavailable.
    """
    owner = _wait_for_lock(session, name, refused)
    if owner is None:
        return _usable(session, name, refused, may_expire_soon=True).access_token
    lock, store = _lock(session), session_interface().store
    try:
        session.reload()  # what was read before the lock may be used by now
        tokens = _find_usable(session, name, refused)
        return (tokens or _exchange(rp, session, name, refused, owner)).access_token
    finally:
        with suppress(StoreUnavailable):  # then it runs out
            store.remove(lock, owner)


def note_refusal(session: Session, name: str, refused: str) -> None:
    """Note that the API refused a token that was refreshed for it.

    Under the lock, so that no newer token is overwritten; not where another request has it, which
    is about to bring one. Raises SessionEnded, StoreUnavailable.
    """
    store, lock, owner = session_interface().store, _lock(session), secrets.token_hex(8)
    if not store.add(lock, owner, LOCK_SECONDS):
        return
    try:
        session.reload()
        sign_in = _sign_in(session)
        tokens = sign_in.token_sets.get(name)
        if tokens and tokens.access_token == refused:
            tokens = replace(tokens, is_refused=True)
            session[SESSION_KEY] = sign_in.with_tokens(name, tokens).to_session()
            session.commit()
    finally:
        store.remove(lock, owner)


def sign_in_to_take_over(session: Session) -> SignIn | None:
    """Return the sign-in of a session that a new one replaces, None if nobody is signed in.

    Keeps the lock: a refresh in progress is waited for and no other begins, else the new session
    would be given a refresh token that is used. Raises SessionEnded, StoreUnavailable, Error.
    """
    if session.key is None:
        return None
    store, deadline = session_interface().store, time.monotonic() + WAIT_SECONDS
    while not store.add(_lock(session), secrets.token_hex(8), LOCK_SECONDS):
        if store.get(_lock(session)) == FAILED or time.monotonic() > deadline:
            break
        time.sleep(LONGEST_PAUSE_SECONDS)
    session.reload()
    return SignIn.from_session(session)


def _lock(session: Session) -> str:
    return f"refresh {session.stored_key}"


def _wait_for_lock(session: Session, name: str, refused: str | None) -> str | None:
    """Take the lock and return its value; None where another request brought a usable token."""
    store, owner = session_interface().store, secrets.token_hex(8)
    deadline, pause = time.monotonic() + WAIT_SECONDS, FIRST_PAUSE_SECONDS
    while not store.add(_lock(session), owner, LOCK_SECONDS):
        if _find_usable(session, name, refused, may_expire_soon=True):
            return None
        if store.get(_lock(session)) == FAILED:
            raise Error("refresh_unavailable", "it failed a moment ago", retry_after=5)
        if time.monotonic() > deadline:
            raise Error("refresh_unavailable", "the lock stayed taken", retry_after=5)
        time.sleep(pause)
        pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
        session.reload()
    return owner


def _find_usable(
    session: Session, name: str, refused: str | None, *, may_expire_soon: bool = False
) -> TokenSet | None:
    tokens = _sign_in(session).token_sets.get(name)
    if tokens is None or tokens.access_token == refused:
        return None
    is_good = tokens.is_fresh() or (may_expire_soon and not tokens.has_expired())
    return tokens if is_good else None


def _usable(session: Session, name: str, refused: str | None, *, may_expire_soon: bool) -> TokenSet:
    tokens = _find_usable(session, name, refused, may_expire_soon=may_expire_soon)
    if tokens is None:  # it expired in this moment
        raise Error("refresh_unavailable", "the token has just expired", retry_after=5)
    return tokens


def _sign_in(session: Session) -> SignIn:
    sign_in = SignIn.from_session(session)
    if sign_in is None:
        raise SignInNeeded
    return sign_in


def _exchange(
    rp: RelyingParty, session: Session, name: str, refused: str | None, owner: str
) -> TokenSet:
    """Exchange the refresh token and store what comes, before the lock is released."""
    sign_in = _sign_in(session)
    tokens = sign_in.token_sets.get(name)
    # An API that was added later shares the refresh token of the first.
    source = name if tokens and tokens.refresh_token else ""
    holder = sign_in.token_sets.get(source)
    if holder is None or holder.refresh_token is None:
        # Some providers give no refresh token: sign in again when the access token is over. One
        # that is over, or refused, as soon as it came would lead round and round: use it.
        if tokens and tokens.is_new():
            return tokens
        raise SignInNeeded("there is no refresh token", audience=name or None)
    audience = name if source != name else None
    try:
        new, id_token = refresh_token_request(rp, holder.refresh_token, audience, sign_in.dpop_key)
    except GrantRefused as error:
        session[SESSION_KEY] = sign_in.with_tokens(name, None).to_session()
        session.commit()
        signals.refreshed.send(rp, outcome="refused", audience=name, detail=error.detail)
        raise SignInNeeded(error.detail, audience=name or None) from None
    except Error as error:
        return _after_failure(rp, session, name, refused, owner, error)
    claims: Claims = {}
    if id_token:
        sign_in, claims = _with_id_token(rp, session, sign_in, new, id_token)
    sign_in = _with_tokens(sign_in, new, source, name)
    _store(rp, session, sign_in, new, claims)
    signals.refreshed.send(rp, outcome="refreshed", audience=name, detail="")
    return sign_in.token_sets[name]


def _after_failure(
    rp: RelyingParty, session: Session, name: str, refused: str | None, owner: str, error: Error
) -> TokenSet:
    """The provider is away, or answers nonsense: the session stays, and a token that is still good
    is used; never one that the API has refused."""
    seconds = min(max(PAUSE_SECONDS, error.retry_after or 0), LONGEST_PROVIDER_PAUSE_SECONDS)
    session_interface().store.swap(_lock(session), owner, FAILED, seconds)
    signals.refreshed.send(rp, outcome="failed", audience=name, detail=str(error))
    tokens = _find_usable(session, name, refused, may_expire_soon=True)
    if tokens and not tokens.is_refused:
        return tokens
    if error.code not in UNAVAILABLE:
        raise error
    raise Error("refresh_unavailable", str(error), retry_after=error.retry_after or 5)


def _with_id_token(
    rp: RelyingParty, session: Session, sign_in: SignIn, new: TokenSet, id_token: str
) -> tuple[SignIn, Claims]:
    try:
        claims = verify_refreshed_id_token(rp, id_token, new.access_token, sign_in)
    except InvalidToken as error:
        # Somebody else's token, or a forged one: what came with it cannot be trusted either.
        session_interface().end(session)
        revoke_all(rp, {*sign_in.refresh_tokens(), new.refresh_token})
        detail = f"refreshed ID token: {error}"
        signals.refreshed.send(rp, outcome="refused", audience="", detail=detail)
        raise SignInNeeded(detail) from None
    except Error:
        # The keys cannot be fetched, and the rotated refresh token must not be lost for that: the
        # tokens are stored, and the ID token that was verified before stays.
        return sign_in, {}
    return sign_in.with_id_token(id_token, claims), claims


def _with_tokens(sign_in: SignIn, new: TokenSet, source: str, name: str) -> SignIn:
    if source == name:
        return sign_in.with_tokens(name, sign_in.token_sets[source].refreshed(new))
    # The shared refresh token may have been rotated; the new API's set has none of its own.
    shared = sign_in.token_sets[source]
    rotated = replace(shared, refresh_token=new.refresh_token or shared.refresh_token)
    added = replace(new, refresh_token=None)
    return sign_in.with_tokens(source, rotated).with_tokens(name, added)


def _store(
    rp: RelyingParty, session: Session, sign_in: SignIn, new: TokenSet, claims: Claims
) -> None:
    """Store the new tokens, on top of what other requests wrote. The old refresh token is used up:
    while the store is down, try for a few seconds."""
    deadline = time.monotonic() + STORE_SECONDS
    sid = claims.get("sid")
    refs = [rp.ref("sid", sid)] if isinstance(sid, str) else []
    while True:
        try:
            session.reload()
            session[SESSION_KEY] = sign_in.to_session()
            session.commit(refs=refs, ends_at=session_expiry(claims))
            return
        except SessionEnded:
            # Signed out while the provider answered: the new refresh token must not live on.
            revoke_all(rp, [new.refresh_token])
            raise
        except StoreUnavailable:
            if time.monotonic() > deadline:
                session.forget()  # so that this request does not try it again
                raise
            time.sleep(LONGEST_PAUSE_SECONDS)
