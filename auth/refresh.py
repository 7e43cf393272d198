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

from sessions import Session, SessionEnded, StoreUnavailable, current_session, session_records

from . import signals
from .access_control import current_sign_in, needed_sign_in
from .errors import Error, SignInNeeded
from .id_token import Claims, InvalidToken, session_expiry, verify_refreshed_id_token
from .relying_party import relying_party
from .token_endpoint import UNAVAILABLE, GrantRefused, refresh_token_request, revoke_all
from .token_set import SESSION_KEY, SignIn, TokenSet

# Longer than a slow token request (10), a fetch of the keys (5) and storing what came (5) take. A
# holder that is slower still is overtaken (SECURITY.md); one that crashed blocks for so long.
LOCK_SECONDS = 20.0
# How long to retry storing a rotated refresh token while the session store is down.
STORE_SECONDS = 5.0
# Longer than the lock of a holder that crashed.
WAIT_SECONDS = 25.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.25
# The pause after a failure, so that waiting requests do not repeat it; or the one that the provider
# asks for, within reason.
PAUSE_SECONDS = 5.0
LONGEST_PROVIDER_PAUSE_SECONDS = 60.0
# The lock's value during that pause.
FAILED = "failed"


def access_token(audience: str | None = None, *, refused: str | None = None) -> str:
    """Return an access token that is good now, for the configured API or the one of `audience`;
    refreshed by this request or by another one where that is needed.

    `refused` is a token that the API has just refused: it is refreshed though it looks good, or
    returned where that was in vain a moment ago.
    Raises SignInNeeded, or SessionEnded where it ended meanwhile, which is answered like that;
    Error where it cannot be refreshed now; StoreUnavailable.
    """
    refresh = _Refresh(audience or "", refused)
    tokens = refresh.usable() or refresh.once()
    return tokens.access_token


def note_refusal(audience: str, refused: str) -> None:
    """Note that the API refused a token that was refreshed for it.

    Under the lock, so that no newer token is overwritten; not where another request has it, which
    is about to bring one. Raises SessionEnded, StoreUnavailable.
    """
    session = current_session()
    lock = _Lock(session)
    if not lock.take():
        return
    try:
        session.reload()
        sign_in = needed_sign_in()
        tokens = sign_in.token_sets.get(audience)
        if tokens and tokens.access_token == refused:
            tokens = replace(tokens, is_refused=True)
            session[SESSION_KEY] = sign_in.with_tokens(audience, tokens).to_session()
            session.commit()
    finally:
        lock.release()


def lock_and_read_sign_in() -> SignIn | None:
    """Return the sign-in of a session that a new one replaces, None if nobody is signed in.

    Keeps the lock until it runs out: a refresh in progress is waited for and no other begins, else
    the new session would be given a refresh token that is used. Raises SessionEnded,
    StoreUnavailable, Error.
    """
    session = current_session()
    if session.key is None:
        return None
    lock, deadline = _Lock(session), time.monotonic() + WAIT_SECONDS
    while not lock.take() and not lock.says_failed() and time.monotonic() < deadline:
        time.sleep(LONGEST_PAUSE_SECONDS)
    session.reload()
    return current_sign_in()


class _Lock:
    """The lock of a session, at the store. After a failure it is kept for a while."""

    def __init__(self, session: Session) -> None:
        self._store, self._name = session_records().store, f"refresh {session.stored.key}"
        self._owner = secrets.token_hex(8)

    def take(self) -> bool:
        return self._store.add(self._name, self._owner, LOCK_SECONDS)

    def release(self) -> None:
        self._store.remove(self._name, self._owner)

    def fail(self, seconds: float) -> None:
        """Hold it for this time, so that nobody tries again."""
        self._store.swap(self._name, self._owner, FAILED, seconds)

    def says_failed(self) -> bool:
        return self._store.get(self._name) == FAILED


class _Refresh:
    """One session's token set for one API: whether it can be used, and its exchange."""

    def __init__(self, audience: str, refused: str | None) -> None:
        self._rp, self._session = relying_party(), current_session()
        self._audience, self._refused = audience, refused

    def usable(self, *, may_expire_soon: bool = False) -> TokenSet | None:
        """The token set of the session as it was read last, if it can be used."""
        tokens = needed_sign_in().token_sets.get(self._audience)
        if tokens is None:
            return None
        was_refused_when_new = tokens.is_refused and tokens.is_new()
        if tokens.access_token == self._refused and not was_refused_when_new:
            return None
        is_good = tokens.is_fresh() or (may_expire_soon and not tokens.has_expired())
        return tokens if is_good else None

    def once(self) -> TokenSet:
        """Take the lock and exchange the refresh token, or wait for the request that does so."""
        lock = self._lock = _Lock(self._session)
        deadline, pause = time.monotonic() + WAIT_SECONDS, FIRST_PAUSE_SECONDS
        while not lock.take():
            if tokens := self.usable(may_expire_soon=True):
                return tokens
            if lock.says_failed():
                raise Error("refresh_unavailable", "it failed a moment ago", retry_after=5)
            if time.monotonic() > deadline:
                raise Error("refresh_unavailable", "the lock stayed taken", retry_after=5)
            time.sleep(pause)
            pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
            self._session.reload()
        try:
            self._session.reload()  # what was read before the lock may be used by now
            return self.usable() or self._exchange()
        finally:
            with suppress(StoreUnavailable):  # then it runs out
                lock.release()

    def _exchange(self) -> TokenSet:
        """Exchange the refresh token and store what comes, before the lock is released."""
        sign_in, audience = needed_sign_in(), self._audience
        tokens = sign_in.token_sets.get(audience)
        # An API that was added later shares the refresh token of the first.
        source = audience if tokens and tokens.refresh_token else ""
        holder = sign_in.token_sets.get(source)
        if holder is None or holder.refresh_token is None:
            # Some providers give no refresh token: sign in again when the access token is over. One
            # that is over, or refused, as soon as it came would lead round and round: use it.
            if tokens and tokens.is_new():
                return tokens
            raise SignInNeeded("there is no refresh token", audience=audience or None)
        other = audience if source != audience else None
        try:
            new, id_token = refresh_token_request(
                self._rp, holder.refresh_token, other, sign_in.dpop_key
            )
        except GrantRefused as error:
            self._session[SESSION_KEY] = sign_in.with_tokens(audience, None).to_session()
            self._session.commit()
            self._signal("refused", error.detail)
            raise SignInNeeded(error.detail, audience=audience or None) from None
        except Error as error:
            return self._after_failure(error)
        claims: Claims = {}
        if id_token:
            sign_in, claims = self._verify_id_token(sign_in, new, id_token)
        sign_in = _add_tokens(sign_in, new, source, audience)
        self._store(sign_in, new, claims)
        self._signal("refreshed")
        return sign_in.token_sets[audience]

    def _signal(self, outcome: str, detail: str = "") -> None:
        signals.refreshed.send(self._rp, outcome=outcome, audience=self._audience, detail=detail)

    def _after_failure(self, error: Error) -> TokenSet:
        """The provider is away, or answers nonsense: the session stays, and a token that is still
        good is used; never one that the API has refused."""
        pause = min(max(PAUSE_SECONDS, error.retry_after or 0), LONGEST_PROVIDER_PAUSE_SECONDS)
        self._lock.fail(pause)
        self._signal("failed", str(error))
        tokens = self.usable(may_expire_soon=True)
        if tokens and not tokens.is_refused:
            return tokens
        if error.code not in UNAVAILABLE:
            raise error
        raise Error("refresh_unavailable", str(error), retry_after=error.retry_after or 5)

    def _verify_id_token(
        self, sign_in: SignIn, new: TokenSet, id_token: str
    ) -> tuple[SignIn, Claims]:
        """The sign-in with the new ID token, and its claims. Ends the session where it is wrong."""
        try:
            claims = verify_refreshed_id_token(self._rp, id_token, new.access_token, sign_in)
        except InvalidToken as error:
            # Somebody else's token, or a forged one: what came with it cannot be trusted either.
            self._session.end()
            revoke_all(self._rp, {*sign_in.refresh_tokens(), new.refresh_token})
            self._signal("refused", f"refreshed ID token: {error}")
            raise SignInNeeded(f"refreshed ID token: {error}") from None
        except Error:
            # The keys cannot be fetched, and the rotated refresh token must not be lost for that:
            # the tokens are stored, and the ID token that was verified before stays.
            return sign_in, {}
        return sign_in.with_id_token(id_token, claims), claims

    def _store(self, sign_in: SignIn, new: TokenSet, claims: Claims) -> None:
        """Store the new tokens, on top of what other requests wrote. The old refresh token is used
        up: while the store is down, try for a few seconds."""
        deadline, sid = time.monotonic() + STORE_SECONDS, claims.get("sid")
        refs = [self._rp.ref("sid", sid)] if isinstance(sid, str) else []
        while True:
            try:
                self._session.reload()
                self._session[SESSION_KEY] = sign_in.to_session()
                self._session.commit(refs=refs, ends_at=session_expiry(claims))
                return
            except SessionEnded:
                # Signed out while the provider answered: the new refresh token must not live on.
                revoke_all(self._rp, [new.refresh_token])
                raise
            except StoreUnavailable:
                if time.monotonic() > deadline:
                    self._session.forget()  # so that this request does not try it again
                    raise
                time.sleep(LONGEST_PAUSE_SECONDS)


def _add_tokens(sign_in: SignIn, new: TokenSet, source: str, audience: str) -> SignIn:
    """The sign-in with what a refresh brought for an API, by the refresh token of `source`."""
    if source == audience:
        return sign_in.with_tokens(audience, sign_in.token_sets[source].refreshed(new))
    # The shared refresh token may have been rotated; the new API's set has none of its own.
    shared = sign_in.token_sets[source]
    rotated = replace(shared, refresh_token=new.refresh_token or shared.refresh_token)
    added = replace(new, refresh_token=None)
    return sign_in.with_tokens(source, rotated).with_tokens(audience, added)
