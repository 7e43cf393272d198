"""The parts of one running provider; what it remembers, in memory, is behind one lock."""

from __future__ import annotations

import secrets
import threading

from flask import current_app
from werkzeug.datastructures import MultiDict

from demo.access_token import ProofChecker
from demo.fault import Control, JsonObject
from demo.memory import Secrets, UsedOnce
from demo.people import ORGANIZATIONS, Organization
from demo.provider.config import ProviderConfig
from demo.provider.faults import GOALS
from demo.provider.keys import KeyRing
from demo.provider.records import (
    AccessToken,
    AuthorizationCode,
    Interaction,
    RefreshToken,
    SsoSession,
)


class Store:
    """All state."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.reset()

    def reset(self) -> None:
        """Forget everything."""
        with self.lock:
            self.interactions: Secrets[Interaction] = Secrets(5000)
            self.sso_sessions: Secrets[SsoSession] = Secrets()
            self.consents: dict[tuple[str, str], set[str]] = {}
            self.codes: Secrets[AuthorizationCode] = Secrets()
            self.refresh_tokens: Secrets[RefreshToken] = Secrets()
            self.access_tokens: Secrets[AccessToken] = Secrets()
            self.pushed_requests: Secrets[MultiDict[str, str]] = Secrets(5000)
            self.assertion_ids = UsedOnce()
            self.invitations: dict[str, Organization] = {}
            self.members = {each.id: set(each.members) for each in ORGANIZATIONS.values()}
            self.reuse_detections = 0

    def use(self, token: AuthorizationCode | RefreshToken) -> bool:
        """Use up a code or refresh token. At the second use, revoke all tokens of its grant.

        RFC 6749 section 4.1.2: "the authorization server MUST deny the request and SHOULD revoke
        (when possible) all tokens previously issued based on that authorization code".
        RFC 9700 section 4.14.2: one of two parties with the same refresh token is a thief, and
        the server cannot tell which.
        """
        with self.lock:
            if token.used:
                token.grant.revoked = True
                self.reuse_detections += 1
                return False
            token.used = True
            return True

    def refresh_token(self, value: str) -> RefreshToken | None:
        """A refresh token that may be used."""
        token = self.refresh_tokens.get(value)
        if token is None or token.grant.revoked or (token.used and not self.use(token)):
            return None
        return token

    def access_token(self, value: str) -> AccessToken | None:
        """An access token that is still valid."""
        token = self.access_tokens.get(value)
        return None if token is None or token.grant.revoked else token

    def revoke_grants(self, sub: str | None = None) -> int:
        """Revoke all grants, or those of one person; returns how many."""
        with self.lock:
            grants = {token.grant for token in self.refresh_tokens if not token.grant.revoked}
            found = [grant for grant in grants if sub in (None, grant.person.sub)]
            for grant in found:
                grant.revoked = True
            return len(found)

    def find_invitation(self, organization: Organization) -> str:
        """The unused ticket for an organization; a new one where there is none."""
        with self.lock:
            unused = [ticket for ticket, each in self.invitations.items() if each == organization]
            ticket = unused[0] if unused else secrets.token_urlsafe(16)
            self.invitations[ticket] = organization
            return ticket

    def accept_invitation(self, ticket: str, sub: str) -> bool:
        """Make someone a member. False if the ticket was used."""
        with self.lock:
            organization = self.invitations.pop(ticket, None)
            if organization:
                self.members[organization.id].add(sub)
            return organization is not None


class Provider(Control):
    """One provider. Its configuration may be replaced while it runs."""

    places = {  # noqa: RUF012  # never changed
        "metadata.provider_metadata": "metadata",
        "metadata.jwks": "jwks",
        "authorization.authorize": "authorize",
        "token.token": "token",
        "token.revoke": "revoke",
        "token.push_authorization_request": "par",
        "token.userinfo": "userinfo",
        "logout.end_session": "logout",
        "logout.auth0_logout": "logout",
    }

    def __init__(self, config: ProviderConfig) -> None:
        self.config = self._as_started = config
        self.keys = KeyRing(config.signing_alg)
        self.store = Store()
        self.proofs = ProofChecker()
        self.links, self.app_base_url = config.api_urls, config.app_base_url
        super().__init__(GOALS)

    def change(self, config: ProviderConfig) -> None:
        """Continue with another configuration."""
        if config.signing_alg != self.keys.alg:
            self.keys.rotate(keep_old=True, alg=config.signing_alg)
        self.config = config

    def reset(self) -> None:
        """Forget everything, and continue with the configuration of the start."""
        super().reset()
        self.change(self._as_started)
        self.store.reset()

    def stats(self) -> JsonObject:
        """Counts, also of the store."""
        own = {
            "reuse_detections": self.store.reuse_detections,
            "sso_sessions": len(self.store.sso_sessions),
        }
        return super().stats() | own

    def form_targets(self) -> list[str]:
        """The clients that our forms lead back to."""
        return self.config.client_origins()


def the_provider() -> Provider:
    """The provider that this request is for."""
    provider: Provider = current_app.extensions["demo"]
    return provider
