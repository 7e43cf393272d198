"""What the provider remembers of a sign-in: the request, its pages, the session, codes, tokens."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field

from demo.people import Organization, Person
from demo.provider.config import Client


@dataclass
class AuthorizationRequest:
    """A checked authorization request; the fields are named after its parameters."""

    client: Client
    redirect_uri: str
    state: str | None
    scope: tuple[str, ...] = ()
    nonce: str | None = None
    code_challenge: str = ""
    audience: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str | None = None
    screen_hint: str | None = None
    acr_values: tuple[str, ...] = ()
    ui_locales: str | None = None
    organization: Organization | None = None
    invitation: str | None = None
    access_type: str | None = None
    dpop_jkt: str | None = None


@dataclass
class Interaction:
    """A request on its way through the pages, and what the person has answered so far."""

    request: AuthorizationRequest
    organization: Organization | None
    id: str = ""  # empty until a page is shown
    signed_in: bool = False
    stronger_answered: bool = False
    granted: tuple[str, ...] | None = None  # None: consent not answered yet
    someone_else: bool = False  # the signed-in person is not the one in front of the pages

    def begin_again(self) -> None:
        """Let somebody else sign in, and forget the first person's answers."""
        self.someone_else, self.signed_in = True, False
        self.organization, self.stronger_answered = self.request.organization, False


@dataclass
class SsoSession:
    """A browser's single sign-on session. The cookie is its secret, `sid` its public name."""

    person: Person
    auth_time: int = field(default_factory=lambda: int(time.time()))
    sid: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    acr: str | None = None
    client_ids: set[str] = field(default_factory=set)


@dataclass(eq=False)
class Grant:
    """What one person allowed one client at one sign-in. All tokens that follow belong to it."""

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
    """A code, with what the token request must match, as Authlib asks for it."""

    grant: Grant
    request: AuthorizationRequest
    code_challenge_method: str = "S256"
    used: bool = False

    @property
    def code_challenge(self) -> str:
        """RFC 7636 section 4.6."""
        return self.request.code_challenge

    def get_redirect_uri(self) -> str:
        """RFC 6749 section 4.1.3: the token request must repeat it."""
        return self.request.redirect_uri

    def get_scope(self) -> str:
        """The granted scopes."""
        return " ".join(self.grant.scope)


@dataclass
class RefreshToken:
    """A refresh token, as Authlib asks for it."""

    grant: Grant
    used: bool = False

    def check_client(self, client: Client) -> bool:
        """RFC 6749 section 10.4: bound to the client it was issued to."""
        return client.client_id == self.grant.client_id

    def get_scope(self) -> str:
        """The most that a refresh may ask for."""
        return " ".join(self.grant.scope)


@dataclass(frozen=True)
class AccessToken:
    """What an access token stands for, so that `/userinfo` need not parse it."""

    grant: Grant
    scope: tuple[str, ...]
    thumbprint: str | None = None
