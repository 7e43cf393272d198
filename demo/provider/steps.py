"""The steps between authorization request and response: sign-in, organization, consent.

Each step tells whether it has something to ask; interaction.py has the pages that ask it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from flask import request

from demo.people import Organization
from demo.provider.authorization_request import AuthorizationError, AuthorizationRequest
from demo.provider.records import SsoSession
from demo.provider.state import Provider, the_provider

SSO_COOKIE = "demo_provider"


@dataclass
class Interaction:
    """A request on its way through the pages, and what the person has answered so far."""

    request: AuthorizationRequest
    signed_in: bool = False
    organization: Organization | None = None
    stronger_answered: bool = False
    # None: not answered yet.
    granted: tuple[str, ...] | None = None
    # The person on the pages is not the one in front of them.
    someone_else: bool = False
    started_at: float = field(default_factory=time.time)

    def begin_again(self) -> None:
        """Somebody else is to be chosen: what was answered until now was not theirs to answer."""
        self.someone_else, self.signed_in = True, False
        self.organization, self.stronger_answered = self.request.organization, False


def current_session(provider: Provider) -> SsoSession | None:
    """This browser's single sign-on session."""
    return provider.store.sso_session(request.cookies.get(SSO_COOKIE))


def needs_sign_in(interaction: Interaction, session: SsoSession | None) -> bool:
    """OIDC Core section 3.1.2.3: no session, or the request demands a fresh answer."""
    asked = interaction.request
    if session is None or interaction.someone_else:
        return True
    if interaction.signed_in:
        return False
    too_old = asked.max_age is not None and time.time() - session.auth_time > asked.max_age
    fresh = asked.prompt & {"login", "select_account"} or asked.screen_hint == "signup"
    return bool(fresh or too_old or asked.invitation)


def needs_organization(interaction: Interaction, session: SsoSession | None) -> bool:
    """The client wants to know an organization, and none was named."""
    return interaction.request.client.organizations == "ask" and interaction.organization is None


def needs_stronger_sign_in(interaction: Interaction, session: SsoSession | None) -> bool:
    """`acr_values`, a wish that the person may decline (OIDC Core section 3.1.2.1)."""
    wanted = interaction.request.acr_values
    reached = session.acr if session else None
    return bool(wanted) and reached not in wanted and not interaction.stronger_answered


def needs_consent(interaction: Interaction, session: SsoSession | None) -> bool:
    """Asked for something that was not granted before; what was refused is asked again."""
    if interaction.granted is not None or session is None:
        return False
    asked = interaction.request
    provider = the_provider()
    before = provider.store.consents.get((session.person.sub, asked.client.client_id), set())
    if "consent" in asked.prompt or (
        not before.issuperset({"openid", *asked.scope}) and not provider.config.skip_consent
    ):
        return True
    interaction.granted = asked.scope
    return False


# Page, the step that asks for it, and the error where `prompt=none` forbids to ask.
STEPS: tuple[tuple[str, Callable[[Interaction, SsoSession | None], bool], str], ...] = (
    ("sign-in", needs_sign_in, "login_required"),
    ("organization", needs_organization, "interaction_required"),
    ("stronger", needs_stronger_sign_in, "interaction_required"),
    ("consent", needs_consent, "consent_required"),
)


def next_page(
    provider: Provider, interaction: Interaction, session: SsoSession | None
) -> str | None:
    """The page to show next, or None when all is answered. Raises AuthorizationError."""
    for page, needed, error in STEPS:
        if needed(interaction, session):
            if "none" in interaction.request.prompt:
                raise AuthorizationError(error, f"the {page} page is needed")
            return page
        if page == "organization":
            check_member(provider, interaction.organization, session)
    return None


def check_member(
    provider: Provider, organization: Organization | None, session: SsoSession | None
) -> None:
    """Raises AuthorizationError where the person does not belong to the organization."""
    if not organization or not session:
        return
    if session.person.sub not in provider.store.members[organization.id]:
        raise AuthorizationError("access_denied", "user is not part of the organization")
