"""What a signed-in person's session holds: the ID token, its claims, and a token set for each API.

All of it lies under one key of `flask.session`, so that it is written as a whole.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

SESSION_KEY = "auth"

# Refresh a token this long before it expires, or at nine tenths of its life where that is later.
EARLY_SECONDS = 30
# The pause before a token is refreshed again that the API refused though it was new: an API that
# refuses every token costs one refresh in this time, and not one a page.
REFUSED_SECONDS = 10.0
# These are about how the person signed in; a refresh says nothing of that (OIDC Core section 12.2).
SIGN_IN_CLAIMS = ("auth_time", "acr", "amr", "nonce")


@dataclass(frozen=True, repr=False)
class TokenSet:
    """The tokens for one API. Times in seconds since the epoch, UTC; `expires_at` is None where
    the provider did not say, and the token is then used until the API refuses it. `is_refused`
    notes that the API refused the access token though it was new."""

    access_token: str
    obtained_at: float
    expires_at: float | None
    scope: list[str] | None
    refresh_token: str | None
    from_sign_in: bool
    is_refused: bool = False

    def __repr__(self) -> str:
        """Without values: they are secrets."""
        return "<TokenSet>"

    def refreshed(self, new: TokenSet) -> TokenSet:
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

    def is_new(self) -> bool:
        """Whether the access token came a moment ago."""
        return abs(time.time() - self.obtained_at) < REFUSED_SECONDS


@dataclass(frozen=True, repr=False)
class SignIn:
    """One person's sign-in: who, by which ID token, and the token sets by audience.

    The configured API's token set has the audience "". `claims` are those of the ID token,
    verified; `userinfo` those that only UserInfo brought; `dpop_key` is the session's private key
    as JWK, where tokens are bound to one.
    """

    id_token: str
    claims: dict[str, Any]
    scope_asked: list[str]
    browser: str
    token_sets: dict[str, TokenSet]
    userinfo: dict[str, Any] = field(default_factory=dict)
    dpop_key: dict[str, Any] | None = None

    def __repr__(self) -> str:
        """Without values: they are secrets."""
        return "<SignIn>"

    @classmethod
    def from_session(cls, session: Mapping[str, Any]) -> SignIn | None:
        """Return the sign-in that a session (or a record's data) holds, None if there is none."""
        stored = session.get(SESSION_KEY)
        if stored is None:
            return None
        try:
            sets = {name: TokenSet(**values) for name, values in stored["token_sets"].items()}
            known = {name: stored[name] for name in stored.keys() & cls.__dataclass_fields__.keys()}
            return cls(**{**known, "token_sets": sets})
        except (TypeError, KeyError, AttributeError):
            return None  # of another version of this app: this person signs in again

    def to_session(self) -> dict[str, Any]:
        """Return plain values, as a session stores them."""
        return asdict(self)

    def all_claims(self) -> dict[str, Any]:
        """Return the claims of UserInfo and, before those, of the ID token."""
        return self.userinfo | self.claims

    def with_tokens(self, audience: str, tokens: TokenSet | None) -> SignIn:
        """Return this sign-in with the token set of an audience replaced, or with None removed."""
        token_sets = {name: each for name, each in self.token_sets.items() if name != audience}
        if tokens is not None:
            token_sets[audience] = tokens
        return replace(self, token_sets=token_sets)

    def with_id_token(self, id_token: str, claims: Mapping[str, Any]) -> SignIn:
        """Return this sign-in with a newer ID token; claims that it lacks stay, and those about
        how the person signed in, too."""
        newer = {name: value for name, value in claims.items() if name not in SIGN_IN_CLAIMS}
        return replace(self, id_token=id_token, claims=self.claims | newer)

    def scope_granted(self) -> list[str]:
        """Return the scopes granted for the configured API (RFC 6749 section 5.1: where the
        response named none, all that was asked for).

        Some providers rename the scopes of OpenID or leave them out. What they stand for came, so
        they are not taken for refused.
        """
        tokens = self.token_sets.get("")
        if tokens is None:
            return []  # what was granted is over
        granted = list(self.scope_asked if tokens.scope is None else tokens.scope)
        implied = {"openid", "profile", "email"}
        if tokens.refresh_token:
            implied.add("offline_access")
        return [*granted, *(s for s in self.scope_asked if s in implied and s not in granted)]

    def refresh_tokens(self) -> set[str]:
        """Return every refresh token there is, to revoke them."""
        return {tokens.refresh_token for tokens in self.token_sets.values() if tokens.refresh_token}
