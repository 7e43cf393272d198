"""The steps between authorization request and response: sign-in, organization, consent.

Each step says whether it has something to ask; interaction.py has the pages that ask it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from flask import g, request

from demo.people import Organization
from demo.provider.authorization_request import AuthorizationError
from demo.provider.records import Interaction, SsoSession
from demo.provider.state import the_provider

SSO_COOKIE = "demo_provider"


def current_session() -> SsoSession | None:
    """This browser's single sign-on session."""
    if "sso_session" not in g:
        cookie = request.cookies.get(SSO_COOKIE)
        g.sso_session = the_provider().store.sso_sessions.get(cookie)
    session: SsoSession | None = g.sso_session
    return session


def needs_sign_in(interaction: Interaction) -> bool:
    """OIDC Core section 3.1.2.3: no session, or the request demands a fresh sign-in."""
    asked, session = interaction.request, current_session()
    if session is None or interaction.someone_else:
        return True
    if interaction.signed_in:
        return False
    too_old = asked.max_age is not None and time.time() - session.auth_time > asked.max_age
    fresh = asked.prompt & {"login", "select_account"} or asked.screen_hint == "signup"
    return bool(fresh or too_old or asked.invitation)


def needs_organization(interaction: Interaction) -> bool:
    """The client wants to know an organization, and the request names none."""
    return interaction.request.client.organizations == "ask" and interaction.organization is None


def needs_stronger_sign_in(interaction: Interaction) -> bool:
    """`acr_values`, a wish that the person may decline (OIDC Core section 3.1.2.1)."""
    wanted, session = interaction.request.acr_values, current_session()
    reached = session.acr if session else None
    return bool(wanted) and reached not in wanted and not interaction.stronger_answered


def needs_consent(interaction: Interaction) -> bool:
    """The request asks for a scope that was not granted before. A refused one is asked again."""
    asked, session, provider = interaction.request, current_session(), the_provider()
    if interaction.granted is not None or session is None:
        return False
    earlier = provider.store.consents.get((session.person.sub, asked.client.client_id), set())
    allowed = provider.config.skip_consent or earlier.issuperset({"openid", *asked.scope})
    if "consent" in asked.prompt or not allowed:
        return True
    interaction.granted = asked.scope
    return False


# Page, the step that asks for it, and the error where `prompt=none` forbids to ask.
STEPS: tuple[tuple[str, Callable[[Interaction], bool], str], ...] = (
    ("sign-in", needs_sign_in, "login_required"),
    ("organization", needs_organization, "interaction_required"),
    ("stronger", needs_stronger_sign_in, "interaction_required"),
    ("consent", needs_consent, "consent_required"),
)


def next_page(interaction: Interaction) -> str | None:
    """The page to show next, or None when all is answered. Raises AuthorizationError."""
    for page, is_needed, error in STEPS:
        if is_needed(interaction):
            if "none" in interaction.request.prompt:
                raise AuthorizationError(error, f"the {page} page is needed")
            return page
        if page == "organization":
            check_member(interaction.organization)
    return None


def check_member(organization: Organization | None) -> None:
    """Raises AuthorizationError where the person does not belong to the organization."""
    session, members = current_session(), the_provider().store.members
    if organization and session and session.person.sub not in members[organization.id]:
        raise AuthorizationError("access_denied", "user is not part of the organization")
