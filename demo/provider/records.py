"""What one entry of the store is: a session, a grant, and the codes and tokens made from it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from demo.people import Organization, Person


@dataclass
class SsoSession:
    """A browser's single sign-on session. The cookie is its secret, `sid` its public name."""

    person: Person
    auth_time: int
    sid: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    acr: str | None = None
    client_ids: set[str] = field(default_factory=set)


@dataclass
class Grant:
    """What one person allowed one client at one sign-in: the family of all tokens that follow."""

    client_id: str
    person: Person
    scope: tuple[str, ...]
    audience: str | None
    organization: Organization | None
    sid: str
    auth_time: int
    acr: str | None
    revoked: bool = False


@dataclass
class AuthorizationCode:
    """A code, with what the token request must match. Its methods are those Authlib calls."""

    grant: Grant
    redirect_uri: str
    nonce: str | None
    code_challenge: str
    expires_at: float
    code_challenge_method: str = "S256"
    used: bool = False

    def get_redirect_uri(self) -> str:
        """RFC 6749 section 4.1.3: the token request must repeat it."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """What was granted."""
        return " ".join(self.grant.scope)


@dataclass
class RefreshToken:
    """A refresh token of a family. Its methods are those Authlib calls."""

    grant: Grant
    used: bool = False

    def check_client(self, client: object) -> bool:
        """RFC 6749 section 10.4: bound to the client it was issued to."""
        return bool(getattr(client, "client_id", None) == self.grant.client_id)

    def get_scope(self) -> str:
        """The most that a refresh may ask for."""
        return " ".join(self.grant.scope)


@dataclass(frozen=True)
class AccessToken:
    """What an access token stands for, so that `/userinfo` need not parse it."""

    grant: Grant
    scope: tuple[str, ...]
    expires_at: float
