"""The one function that hands out access tokens, and refreshes them: exactly once.

However many requests, threads, processes or machines meet an expired token, one of them takes the
session's lease and exchanges the refresh token; the others wait for what it stores. A refresh
token spent twice would make the provider revoke them all (RFC 9700 section 4.14.2).
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any, NoReturn, cast

from flask import current_app, g

from sessions import (
    PersonSession,
    SessionEnded,
    SessionInterface,
    StoreUnavailable,
    current_session,
)
from sessions.store import FAILED

from . import signals
from .errors import Problem
from .id_token import InvalidToken, verify_refreshed_id_token
from .relying_party import RelyingParty, relying_party
from .token_endpoint import (
    UNAVAILABLE,
    GrantRefused,
    TokenResponse,
    refresh_token_request,
    revoke,
)
from .token_set import SESSION_KEY, SignIn, TokenSet, claims_of

# The lease ends so long after its holder died; a living holder renews it until it is done.
LEASE_SECONDS = 10.0
RENEW_SECONDS = 3.0
# So long a new refresh token is tried to be kept when the store is away.
KEEP_LATER_SECONDS = 60.0
# Who waits, waits for a holder that died as well.
WAIT_SECONDS = 25.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.02, 0.25
# After a failure nobody tries again for so long: the others do not queue up for the same failure.
LOCK_OUT_SECONDS = 5.0
# Or for as long as the provider asked for, within reason.
LONGEST_LOCK_OUT_SECONDS = 60.0
# Who was refused with a token of a moment ago would be refused with the next one, too.
AT_ONCE_SECONDS = 10.0


class SignInNeeded(Problem):
    """Nobody is signed in, or not for this API, or not as the page demands (see step_up.py);
    leads to sign-in, with the missing scope and `params`, and back to the page."""

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "sign_in_needed",
        audience: str | None = None,
        scope: str | None = None,
        params: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code, detail, scope=scope)
        self.audience, self.params = audience, params


def session_interface() -> SessionInterface:
    """Return the session interface of the current app, by its own type."""
    return cast(SessionInterface, current_app.session_interface)


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
    Raises SignInNeeded; Problem where it cannot be refreshed now; StoreUnavailable.
    """
    session = current_session()
    name = audience or ""
    try:
        tokens = _stored_sign_in(session).token_sets.get(name)
        if tokens and tokens.is_fresh() and tokens.access_token != refused:
            return tokens.access_token
        if refused and tokens and tokens.access_token == refused and _was_in_vain(session, name):
            return refused
        return _Refresh(relying_party(), session, name, refused).access_token()
    except SessionEnded:
        raise SignInNeeded("the session was ended meanwhile", audience=audience) from None


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


def _came_just_now(tokens: TokenSet) -> bool:
    return time.time() < tokens.obtained_at + AT_ONCE_SECONDS


def _stored_sign_in(session: PersonSession) -> SignIn:
    sign_in = SignIn.of(session)
    if sign_in is None:
        raise SignInNeeded
    return sign_in


def taken_over(session: PersonSession) -> SignIn | None:
    """Return the sign-in of a session that a new one replaces, None if nobody is signed in.

    A refresh under way is waited for and no other begins: else the new session would be given a
    refresh token that is spent. Raises SessionEnded where the session ended, StoreUnavailable.
    """
    if session.key is None:
        return None
    store, owner = session_interface().store, secrets.token_hex(8)
    deadline = time.monotonic() + WAIT_SECONDS
    while store.acquire_lease(session.key, owner, LEASE_SECONDS) not in (owner, FAILED):
        if time.monotonic() > deadline:
            return None
        time.sleep(LONGEST_PAUSE_SECONDS)
    session.reload()
    return SignIn.of(session)


class _Refresh:
    """One request's wish for a new access token."""

    def __init__(
        self, rp: RelyingParty, session: PersonSession, name: str, refused: str | None
    ) -> None:
        self.rp, self.session, self.name, self.refused = rp, session, name, refused
        self.interface = session_interface()
        self.store = self.interface.store
        self.key = session.stored_key
        self.owner = secrets.token_hex(8)
        self.kept_later = False

    def access_token(self) -> str:
        """Take the lease, or wait for whoever has it; SessionEnded, SignInNeeded, Problem."""
        deadline = time.monotonic() + WAIT_SECONDS
        pause = FIRST_PAUSE_SECONDS
        while not self._took_lease():
            tokens = self._usable(even_if_about_to_expire=True)
            if tokens is None and time.monotonic() > deadline:
                raise Problem("refresh_unavailable", "the lease stayed taken", retry_after=5)
            if tokens is None:
                time.sleep(pause)
                pause = min(pause * 1.5, LONGEST_PAUSE_SECONDS)
                self.session.reload()
                tokens = self._usable()
            if tokens is not None:
                return tokens.access_token
        with self._lease_kept():
            # What was read before the lease may be spent by now.
            self.session.reload()
            tokens = self._usable() or self._exchanged()
        return tokens.access_token

    @contextmanager
    def _lease_kept(self) -> Iterator[None]:
        """Renew the lease until it is given up: no time limit covers a slow look-up of the host
        name, a trickle of headers, or all of it together."""
        done = threading.Event()

        def renew() -> None:
            while not done.wait(RENEW_SECONDS):
                with suppress(StoreUnavailable):
                    self.store.pass_lease(self.key, self.owner, self.owner, LEASE_SECONDS)

        threading.Thread(target=renew, daemon=True).start()
        try:
            yield
        finally:
            done.set()
            if not self.kept_later:
                with suppress(StoreUnavailable):  # it runs out
                    self.store.release_lease(self.key, self.owner)

    def _took_lease(self) -> bool:
        holder = self.store.lease_holder(self.key)
        if holder is None:
            holder = self.store.acquire_lease(self.key, self.owner, LEASE_SECONDS)
        if holder == FAILED and self._usable(even_if_about_to_expire=True) is None:
            raise Problem("refresh_unavailable", "it failed a moment ago", retry_after=5)
        return holder == self.owner

    def _usable(self, *, even_if_about_to_expire: bool = False) -> TokenSet | None:
        tokens = _stored_sign_in(self.session).token_sets.get(self.name)
        if tokens is None or tokens.access_token == self.refused:
            return None
        if tokens.is_fresh() or (even_if_about_to_expire and not tokens.has_expired()):
            return tokens
        return None

    def _exchanged(self) -> TokenSet:
        """Exchange the refresh token and store what comes, before the lease is freed."""
        sign_in = _stored_sign_in(self.session)
        tokens = sign_in.token_sets.get(self.name)
        # An API that was added later shares the refresh token of the first.
        source = self.name if tokens and tokens.refresh_token else ""
        holder = sign_in.token_sets.get(source)
        if holder is None or holder.refresh_token is None:
            return self._without_refresh_token(tokens)
        audience = self.name if source != self.name else None
        try:
            response = refresh_token_request(self.rp, holder.refresh_token, audience)
        except GrantRefused as error:
            self._end_token_set(sign_in, error.detail)
        except Problem as error:
            return self._failed(tokens, error)
        renewed = self._renewed(sign_in, response, source)
        try:
            self._keep(self.session, renewed, response)
        except StoreUnavailable:
            self.kept_later = True
            threading.Thread(target=self._keep_later, args=(renewed, response), daemon=True).start()
            self.session.forget()  # so that this request does not try it once more
            raise
        signals.refreshed.send(self.rp, outcome="refreshed", audience=self.name)
        return renewed.token_sets[self.name]

    def _without_refresh_token(self, tokens: TokenSet | None) -> TokenSet:
        """Some providers give no refresh token: sign in again when the access token is over. One
        that is over, or refused, as soon as it came would lead round and round: use it."""
        if tokens and _came_just_now(tokens):
            return tokens
        raise SignInNeeded("there is no refresh token", audience=self.name or None)

    def _end_token_set(self, sign_in: SignIn, detail: str) -> NoReturn:
        sign_in.with_tokens(self.name, None).store(self.session)
        self.session.commit()
        signals.refreshed.send(self.rp, outcome="refused", audience=self.name)
        raise SignInNeeded(detail, audience=self.name or None)

    def _failed(self, tokens: TokenSet | None, error: Problem) -> TokenSet:
        """The provider is away, or answers nonsense: the session stays, a good token is used."""
        pause = min(max(LOCK_OUT_SECONDS, error.retry_after or 0), LONGEST_LOCK_OUT_SECONDS)
        self.store.pass_lease(self.key, self.owner, FAILED, pause)
        signals.refreshed.send(self.rp, outcome="failed", audience=self.name)
        if tokens and not tokens.has_expired() and tokens.access_token != self.refused:
            return tokens
        if error.code not in UNAVAILABLE:
            raise error
        raise Problem("refresh_unavailable", str(error), retry_after=error.retry_after or 5)

    def _renewed(self, sign_in: SignIn, response: TokenResponse, source: str) -> SignIn:
        """The sign-in with what the response brought, all of it checked."""
        claims = self._checked_claims(sign_in, response)
        if claims is not None and response.id_token is not None:
            sign_in = sign_in.with_id_token(response.id_token, claims)
        if source == self.name:
            return sign_in.with_tokens(self.name, sign_in.token_sets[source].renewed(response))
        # The shared refresh token may have been rotated; the new API's set has none of its own.
        shared = sign_in.token_sets[source]
        rotated = replace(shared, refresh_token=response.refresh_token or shared.refresh_token)
        added = replace(TokenSet.of(response, from_sign_in=False), refresh_token=None)
        return sign_in.with_tokens(source, rotated).with_tokens(self.name, added)

    def _checked_claims(self, sign_in: SignIn, response: TokenResponse) -> dict[str, Any] | None:
        if response.id_token is None:
            return None
        try:
            return self._verified(response.id_token, response.access_token, sign_in.claims())
        except (InvalidToken, ValueError) as error:
            # Somebody else's token, or a forged one: what came with it cannot be trusted either.
            self.interface.end(self.session)
            for refresh_token in sign_in.refresh_tokens() | {response.refresh_token or ""}:
                if refresh_token:
                    revoke(self.rp, refresh_token)
            signals.refreshed.send(self.rp, outcome="refused", audience=self.name)
            raise SignInNeeded(f"refreshed ID token: {error}") from None

    def _verified(
        self, id_token: str, access_token: str, before: dict[str, Any]
    ) -> dict[str, Any] | None:
        """The verified claims; None where the keys cannot be fetched. The rotated refresh token
        must not be lost for that: the tokens are kept, and the ID token that was verified before,
        unless this one does not even claim to be for the same person."""
        try:
            return verify_refreshed_id_token(self.rp, id_token, access_token, before)
        except Problem:
            if claims_of(id_token).get("sub") != before["sub"]:
                raise InvalidToken("sub is another one than at sign-in") from None
            return None

    def _keep(self, session: PersonSession, sign_in: SignIn, response: TokenResponse) -> None:
        try:
            session.reload()
            sign_in.store(session)
            session.commit()
        except SessionEnded:
            # Signed out while the provider answered: the new refresh token must not live on.
            if response.refresh_token:
                revoke(self.rp, response.refresh_token)
            raise

    def _keep_later(self, sign_in: SignIn, response: TokenResponse) -> None:
        """The store went away with a refresh token in it that is spent: keep trying to put the
        new one there, with the lease, else the next refresh would lose the session."""
        session = PersonSession(self.interface)
        session.key = self.key
        deadline = time.monotonic() + KEEP_LATER_SECONDS
        while time.monotonic() < deadline:
            time.sleep(LONGEST_PAUSE_SECONDS)
            with suppress(StoreUnavailable):
                self.store.pass_lease(self.key, self.owner, self.owner, LEASE_SECONDS)
                with suppress(SessionEnded):
                    self._keep(session, sign_in, response)
                self.store.release_lease(self.key, self.owner)
                return
