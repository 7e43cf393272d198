"""The exchange of a refresh token, exactly once.

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

from sessions import PersonSession, SessionEnded, StoreUnavailable
from sessions.store import FAILED

from . import signals
from .errors import Problem, SignInNeeded
from .id_token import Claims, InvalidToken, verify_refreshed_id_token
from .relying_party import RelyingParty, session_interface
from .token_endpoint import (
    UNAVAILABLE,
    GrantRefused,
    refresh_token_request,
    revoke_all,
)
from .token_set import SignIn, TokenSet, claims_of

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


class Refresh:
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
        tokens = self._sign_in().token_sets.get(self.name)
        if tokens is None or tokens.access_token == self.refused:
            return None
        if tokens.is_fresh() or (even_if_about_to_expire and not tokens.has_expired()):
            return tokens
        return None

    def _sign_in(self) -> SignIn:
        sign_in = SignIn.of(self.session)
        if sign_in is None:
            raise SignInNeeded
        return sign_in

    def _exchanged(self) -> TokenSet:
        """Exchange the refresh token and store what comes, before the lease is freed."""
        sign_in = self._sign_in()
        tokens = sign_in.token_sets.get(self.name)
        # An API that was added later shares the refresh token of the first.
        source = self.name if tokens and tokens.refresh_token else ""
        holder = sign_in.token_sets.get(source)
        if holder is None or holder.refresh_token is None:
            return self._without_refresh_token(tokens)
        audience = self.name if source != self.name else None
        try:
            new, id_token = refresh_token_request(self.rp, holder.refresh_token, audience)
        except GrantRefused as error:
            sign_in.with_tokens(self.name, None).store(self.session)
            self.session.commit()
            signals.refreshed.send(self.rp, outcome="refused", audience=self.name)
            raise SignInNeeded(error.detail, audience=self.name or None) from None
        except Problem as error:
            return self._failed(tokens, error)
        if id_token:
            sign_in = self._with_id_token(sign_in, new, id_token)
        renewed = self._renewed(sign_in, new, source)
        try:
            self._keep(self.session, renewed, new)
        except StoreUnavailable:
            self.kept_later = True
            threading.Thread(target=self._keep_later, args=(renewed, new), daemon=True).start()
            self.session.forget()  # so that this request does not try it once more
            raise
        signals.refreshed.send(self.rp, outcome="refreshed", audience=self.name)
        return renewed.token_sets[self.name]

    def _without_refresh_token(self, tokens: TokenSet | None) -> TokenSet:
        """Some providers give no refresh token: sign in again when the access token is over. One
        that is over, or refused, as soon as it came would lead round and round: use it."""
        if tokens and time.time() < tokens.obtained_at + AT_ONCE_SECONDS:
            return tokens
        raise SignInNeeded("there is no refresh token", audience=self.name or None)

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

    def _renewed(self, sign_in: SignIn, new: TokenSet, source: str) -> SignIn:
        """The sign-in with the new tokens."""
        if source == self.name:
            return sign_in.with_tokens(self.name, sign_in.token_sets[source].renewed(new))
        # The shared refresh token may have been rotated; the new API's set has none of its own.
        shared = sign_in.token_sets[source]
        rotated = replace(shared, refresh_token=new.refresh_token or shared.refresh_token)
        added = replace(new, refresh_token=None)
        return sign_in.with_tokens(source, rotated).with_tokens(self.name, added)

    def _with_id_token(self, sign_in: SignIn, new: TokenSet, id_token: str) -> SignIn:
        try:
            claims = self._verified(id_token, new.access_token, sign_in.claims())
        except (InvalidToken, ValueError) as error:
            # Somebody else's token, or a forged one: what came with it cannot be trusted either.
            self.interface.end(self.session)
            revoke_all(self.rp, {*sign_in.refresh_tokens(), new.refresh_token})
            signals.refreshed.send(self.rp, outcome="refused", audience=self.name)
            raise SignInNeeded(f"refreshed ID token: {error}") from None
        return sign_in.with_id_token(id_token, claims) if claims else sign_in

    def _verified(self, id_token: str, access_token: str, before: Claims) -> Claims | None:
        """The verified claims; None where the keys cannot be fetched. The rotated refresh token
        must not be lost for that: the tokens are kept, and the ID token that was verified before,
        unless this one does not even claim to be for the same person."""
        try:
            return verify_refreshed_id_token(self.rp, id_token, access_token, before)
        except Problem:
            if claims_of(id_token).get("sub") != before["sub"]:
                raise InvalidToken("sub is another one than at sign-in") from None
            return None

    def _keep(self, session: PersonSession, sign_in: SignIn, new: TokenSet) -> None:
        try:
            session.reload()
            sign_in.store(session)
            session.commit()
        except SessionEnded:
            # Signed out while the provider answered: the new refresh token must not live on.
            revoke_all(self.rp, [new.refresh_token])
            raise

    def _keep_later(self, sign_in: SignIn, new: TokenSet) -> None:
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
                    self._keep(session, sign_in, new)
                self.store.release_lease(self.key, self.owner)
                return
