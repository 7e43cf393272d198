"""What a signed-in person's session holds: the ID token, and a token set for each API.

All of it lies under one key of `flask.session`, so that it is written as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import msgspec
from joserfc.util import urlsafe_b64decode

from sessions import PersonSession

SESSION_KEY = "auth"

# A token is renewed so long before it expires, or a tenth of its life where that is less.
EARLY_SECONDS = 30


@dataclass(frozen=True, repr=False)
class TokenSet:
    """The tokens for one API. Times in seconds since the epoch, UTC; `expires_at` is None where
    the provider did not say, and the token is then used until the API refuses it."""

    access_token: str
    obtained_at: float
    expires_at: float | None
    scope: list[str] | None
    refresh_token: str | None
    from_sign_in: bool

    def __repr__(self) -> str:
        """Without values: they are secrets."""
        return "<TokenSet>"

    def renewed(self, new: TokenSet) -> TokenSet:
        """Return what a refresh made of this set; what did not come stays (RFC 6749 section 6)."""
        return replace(
            new,
            scope=new.scope if new.scope is not None else self.scope,
            refresh_token=new.refresh_token or self.refresh_token,
            from_sign_in=self.from_sign_in,
        )

    def has_expired(self) -> bool:
        """Whether the access token's time is over."""
        return self.expires_at is not None and time.time() >= self.expires_at

    def is_fresh(self) -> bool:
        """Whether the access token is neither expired nor about to be."""
        if self.expires_at is None:
            return True
        early = min(EARLY_SECONDS, (self.expires_at - self.obtained_at) / 10)
        return time.time() < self.expires_at - early


@dataclass(frozen=True, repr=False)
class SignIn:
    """One person's sign-in: who, by which ID token, and the token sets by audience.

    The configured API's token set has the audience "". `kept_claims` are those of the sign-in that
    later ID tokens lack; `finished` are the last attempts, by state, with their `return_to`.
    """

    id_token: str
    scope_asked: list[str]
    browser: str
    token_sets: dict[str, TokenSet]
    kept_claims: dict[str, Any] = field(default_factory=dict)
    finished: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Without values: they are secrets."""
        return "<SignIn>"

    @classmethod
    def of(cls, session: Mapping[str, Any]) -> SignIn | None:
        """Return the sign-in that a session (or a record's data) holds, None if there is none."""
        stored = session.get(SESSION_KEY)
        if stored is None:
            return None
        try:
            return msgspec.convert(stored, cls)
        except msgspec.ValidationError:
            return None  # of another version of this app: whoever it was signs in again

    def store(self, session: PersonSession) -> None:
        """Put this sign-in into the session in the place of the one that was there."""
        session[SESSION_KEY] = self.as_stored()

    def as_stored(self) -> dict[str, Any]:
        """Return plain values, as a session record keeps them."""
        stored: dict[str, Any] = msgspec.to_builtins(self)
        return stored

    def claims(self) -> dict[str, Any]:
        """Return the claims of the ID token, which was verified before it was kept."""
        return self._claims

    @cached_property
    def _claims(self) -> dict[str, Any]:
        return self.kept_claims | claims_of(self.id_token)

    def with_tokens(self, audience: str, tokens: TokenSet | None) -> SignIn:
        """Return this sign-in with the token set of an audience replaced, or with None removed."""
        token_sets = {name: kept for name, kept in self.token_sets.items() if name != audience}
        if tokens is not None:
            token_sets[audience] = tokens
        return replace(self, token_sets=token_sets)

    def with_id_token(self, id_token: str, claims: Mapping[str, Any]) -> SignIn:
        """Return this sign-in with a newer ID token; claims that it lacks are kept."""
        kept = {name: value for name, value in self.claims().items() if name not in claims}
        return replace(self, id_token=id_token, kept_claims=kept)

    def scope_granted(self) -> list[str]:
        """Return the scopes granted for the configured API (RFC 6749 section 5.1: where the answer
        named none, all that was asked for)."""
        tokens = self.token_sets.get("")
        if tokens is None:
            return []  # what was granted is over
        granted = list(self.scope_asked if tokens.scope is None else tokens.scope)
        if tokens.refresh_token and "offline_access" not in granted:
            granted.append("offline_access")  # some answers leave it out, and bring what it means
        return granted

    def refresh_tokens(self) -> set[str]:
        """Return every refresh token there is, to revoke them."""
        return {tokens.refresh_token for tokens in self.token_sets.values() if tokens.refresh_token}


# msgspec learns a class at its first use, and crashes the process where two threads are first.
msgspec.json.Decoder(SignIn)


def claims_of(jwt: str) -> dict[str, Any]:
    """Return the claims of a JWT without any check: for one that was verified, or to show."""
    payload = urlsafe_b64decode(jwt.split(".")[1].encode())
    return msgspec.json.decode(payload, type=dict[str, Any])
