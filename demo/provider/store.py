"""What the provider remembers, in memory, behind one lock."""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING, TypeVar

from demo.people import ORGANIZATIONS, Organization, Person
from demo.provider.records import AccessToken, AuthorizationCode, Grant, RefreshToken, SsoSession

if TYPE_CHECKING:
    from demo.provider.steps import Interaction

# Bounded, so that a load test of days does not eat the machine.
MAX_INTERACTIONS = 5000
MAX_REMEMBERED = 50_000

T = TypeVar("T")


class Store:
    """All state. Tokens and codes are looked up by digest, as a real store would keep them."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.interactions: OrderedDict[str, Interaction] = OrderedDict()
            self.sso_sessions: OrderedDict[str, SsoSession] = OrderedDict()
            self.consents: dict[tuple[str, str], set[str]] = {}
            self.codes: OrderedDict[str, AuthorizationCode] = OrderedDict()
            self.refresh_tokens: OrderedDict[str, RefreshToken] = OrderedDict()
            self.access_tokens: OrderedDict[str, AccessToken] = OrderedDict()
            self.assertion_ids: OrderedDict[str, None] = OrderedDict()
            self.invitations: OrderedDict[str, Organization] = OrderedDict()
            self.members = {each.id: set(each.members) for each in ORGANIZATIONS.values()}
            self.reuse_detections = 0

    # Single sign-on sessions

    def start_sso_session(self, person: Person) -> tuple[str, SsoSession]:
        """A new session and the secret for its cookie."""
        cookie, session = secrets.token_urlsafe(32), SsoSession(person, int(time.time()))
        with self.lock:
            _remember(self.sso_sessions, _digest(cookie), session)
        return cookie, session

    def sso_session(self, cookie: str | None) -> SsoSession | None:
        """The session that a cookie names."""
        return self.sso_sessions.get(_digest(cookie)) if cookie else None

    def end_sso_session(self, cookie: str | None) -> SsoSession | None:
        """Forget a session; returns it, for the back-channel logout calls."""
        with self.lock:
            return self.sso_sessions.pop(_digest(cookie), None) if cookie else None

    # Authorization codes

    def add_code(self, code: AuthorizationCode) -> str:
        """A new code, 256 bits that nobody guesses (RFC 6749 section 10.10)."""
        value = secrets.token_urlsafe(32)
        with self.lock:
            _remember(self.codes, _digest(value), code)
        return value

    def take_code(self, value: str) -> AuthorizationCode | None:
        """The code, exactly once. A second use revokes what the first gave.

        RFC 6749 section 4.1.2: "the authorization server MUST deny the request and SHOULD revoke
        (when possible) all tokens previously issued based on that authorization code".
        """
        with self.lock:
            code = self.codes.get(_digest(value))
            if code is None or code.expires_at < time.time():
                return None
            if code.used:
                code.grant.revoked = True
                self.reuse_detections += 1
                return None
            code.used = True
            return code

    # Tokens

    def add_refresh_token(self, grant: Grant) -> str:
        """A new refresh token of the family."""
        value = secrets.token_urlsafe(32)
        with self.lock:
            _remember(self.refresh_tokens, _digest(value), RefreshToken(grant))
        return value

    def refresh_token(self, value: str) -> RefreshToken | None:
        """A refresh token that may be used. Using a spent one revokes the family.

        RFC 9700 section 4.14.2: of two parties that hold the same refresh token one is a thief,
        and there is no telling which.
        """
        with self.lock:
            token = self.refresh_tokens.get(_digest(value))
            if token is None or token.grant.revoked:
                return None
            if token.used:
                token.grant.revoked = True
                self.reuse_detections += 1
                return None
            return token

    def spend(self, token: RefreshToken) -> bool:
        """Use up a refresh token. False if another request was faster, which is reuse too."""
        with self.lock:
            if token.used:
                token.grant.revoked = True
                self.reuse_detections += 1
                return False
            token.used = True
            return True

    def add_access_token(self, value: str, token: AccessToken) -> None:
        """Remember an access token for `/userinfo` and `/oauth/revoke`."""
        with self.lock:
            _remember(self.access_tokens, _digest(value), token)

    def access_token(self, value: str) -> AccessToken | None:
        """An access token that is still good."""
        token = self.access_tokens.get(_digest(value))
        if token is None or token.grant.revoked or token.expires_at <= time.time():
            return None
        return token

    def revoke_grants(self, sub: str | None = None) -> int:
        """End all families, or those of one person; returns how many."""
        with self.lock:
            grants = {
                id(token.grant): token.grant
                for token in self.refresh_tokens.values()
                if not token.grant.revoked and sub in (None, token.grant.person.sub)
            }
            for grant in grants.values():
                grant.revoked = True
            return len(grants)

    # Invitations and the rest

    def add_invitation(self, organization: Organization) -> str:
        """A new single-use ticket."""
        ticket = secrets.token_urlsafe(16)
        with self.lock:
            _remember(self.invitations, ticket, organization)
        return ticket

    def accept_invitation(self, ticket: str, sub: str) -> bool:
        """Make someone a member. False if the ticket is spent."""
        with self.lock:
            organization = self.invitations.pop(ticket, None)
            if organization is None:
                return False
            self.members[organization.id].add(sub)
            return True

    def add_interaction(self, interaction: Interaction) -> str:
        """A new interaction; its id is what protects its forms from forgery."""
        interaction_id = secrets.token_urlsafe(24)
        with self.lock:
            _remember(self.interactions, interaction_id, interaction, MAX_INTERACTIONS)
        return interaction_id

    def first_use(self, assertion_id: str) -> bool:
        """RFC 7523 section 3, point 7: a `jti` counts once."""
        with self.lock:
            if assertion_id in self.assertion_ids:
                return False
            _remember(self.assertion_ids, assertion_id, None)
            return True


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()


def _remember(
    where: OrderedDict[str, T], key: str, value: T, at_most: int = MAX_REMEMBERED
) -> None:
    where[key] = value
    while len(where) > at_most:
        where.popitem(last=False)
