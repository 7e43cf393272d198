"""The pages between authorization request and response: sign-in, organization, consent.

One address per interaction, `/interaction/{id}`: GET shows the page of the current step, POST takes
its answer. The id is unguessable and the cookie is SameSite=Lax, so no other site can answer.
"""

from __future__ import annotations

import time

from babel.lists import format_list
from flask import Blueprint, Response, render_template, request
from flask_babel import get_locale

from demo import language
from demo.language import N_, _
from demo.people import ORGANIZATIONS, PEOPLE, find_organization
from demo.provider.authorization import (
    code_response,
    error_response,
    interaction_url,
    see_other,
)
from demo.provider.authorization_request import OIDC_SCOPES, AuthorizationError
from demo.provider.pages import PageError
from demo.provider.records import SsoSession
from demo.provider.state import Provider, the_provider
from demo.provider.steps import (
    SSO_COOKIE,
    Interaction,
    check_member,
    current_session,
    next_page,
)

bp = Blueprint("interaction", __name__)

INTERACTION_SECONDS = 1800
OIDC_SCOPE_TEXTS = {
    "openid": N_("Know which account is yours"),
    "profile": N_("See your name"),
    "email": N_("See your email address"),
    "phone": N_("See your phone number"),
    "offline_access": N_("Stay signed in without asking you again"),
}
API_SCOPE_NAMES = {"appointments": N_("appointments"), "contacts": N_("contacts")}


@bp.get("/interaction/<interaction_id>")
def show(interaction_id: str) -> Response | str:
    """The page of the current step."""
    provider = the_provider()
    interaction = find_interaction(provider, interaction_id)
    try:
        session = current_session(provider)
        page = next_page(provider, interaction, session)
        if page is None:
            return finish(provider, interaction_id, interaction, session)
        return render_page(provider, page, interaction)
    except AuthorizationError as error:
        return give_up(provider, interaction_id, interaction, error)


@bp.post("/interaction/<interaction_id>")
def answer(interaction_id: str) -> Response | str:
    """Take the answer to a page, then on to the next one."""
    provider = the_provider()
    interaction = find_interaction(provider, interaction_id)
    try:
        if "refuse" in request.form:
            raise AuthorizationError("access_denied", "the person refused")
        if "person" in request.form:
            return sign_in(provider, interaction_id, interaction)
        if "someone_else" in request.form:
            interaction.begin_again()
            return see_other(interaction_url(interaction_id))
        if "organization" in request.form:
            complaint = choose_organization(provider, interaction)
            if complaint:
                return render_page(provider, "organization", interaction, complaint)
        elif "stronger" in request.form:
            answer_stronger_sign_in(provider, interaction)
        elif "allow" in request.form:
            give_consent(provider, interaction)
        return go_on(provider, interaction_id, interaction, current_session(provider))
    except AuthorizationError as error:
        return give_up(provider, interaction_id, interaction, error)


def find_interaction(provider: Provider, interaction_id: str) -> Interaction:
    """The interaction of that id, and with it the language. Raises PageError when it is over."""
    interaction = provider.store.interactions.get(interaction_id)
    if interaction is None or time.time() - interaction.started_at > INTERACTION_SECONDS:
        raise PageError(_("This sign-in was already finished, or it took too long."))
    if chosen := language.chosen_language():
        # The person's own wish replaces the application's, for the pages that follow.
        interaction.request.ui_locales = chosen
    language.prefer(interaction.request.ui_locales)
    return interaction


def go_on(
    provider: Provider, interaction_id: str, interaction: Interaction, session: SsoSession | None
) -> Response:
    """On to the next page, or back to the client. Raises AuthorizationError."""
    if next_page(provider, interaction, session) is None:
        return finish(provider, interaction_id, interaction, session)
    return see_other(interaction_url(interaction_id))


def finish(
    provider: Provider, interaction_id: str, interaction: Interaction, session: SsoSession | None
) -> Response:
    """Back to the client with a code; the pages of this interaction are over, once only."""
    if provider.store.interactions.pop(interaction_id, None) is None:
        raise PageError(_("This sign-in was already finished."))
    return code_response(provider, interaction, session)


def give_up(
    provider: Provider, interaction_id: str, interaction: Interaction, error: AuthorizationError
) -> Response:
    """Back to the client with an error."""
    provider.store.interactions.pop(interaction_id, None)
    return error_response(provider, interaction.request, error)


# The answers.


def sign_in(provider: Provider, interaction_id: str, interaction: Interaction) -> Response:
    """Someone was chosen: start, or renew, the browser's single sign-on session."""
    person = PEOPLE.get(request.form["person"])
    if person is None:
        raise PageError(_("There is no such person here."))
    ticket = interaction.request.invitation
    if ticket and not provider.store.accept_invitation(ticket, person.sub):
        raise AuthorizationError("access_denied", "the invitation was used meanwhile")
    # It has made its member: whoever else is chosen after "Not you?" has none.
    interaction.request.invitation = None
    old = provider.store.end_sso_session(request.cookies.get(SSO_COOKIE))
    # A new cookie at each sign-in, so that one planted before is worth nothing (session fixation).
    cookie, session = provider.store.start_sso_session(person)
    if old and old.person == person:
        session.sid, session.client_ids = old.sid, old.client_ids
    interaction.signed_in, interaction.someone_else = True, False
    try:
        response = go_on(provider, interaction_id, interaction, session)
    except AuthorizationError as error:
        # Whoever may not go on with this application is signed in here all the same.
        response = give_up(provider, interaction_id, interaction, error)
    response.set_cookie(
        SSO_COOKIE, cookie, httponly=True, samesite="Lax", path=provider.config.path or "/"
    )
    return response


def choose_organization(provider: Provider, interaction: Interaction) -> str | None:
    """A name was typed; returns what is wrong with it. Raises AuthorizationError for a stranger."""
    organization = find_organization(request.form["organization"].strip())
    if organization is None:
        return _("There is no organization of that name.")
    check_member(provider, organization, current_session(provider))
    interaction.organization = organization
    return None


def answer_stronger_sign_in(provider: Provider, interaction: Interaction) -> None:
    """The person confirmed or declined; declining is allowed, the claim then stays away."""
    interaction.stronger_answered = True
    session = current_session(provider)
    if session and request.form["stronger"] == "confirm":
        session.acr = interaction.request.acr_values[0]


def give_consent(provider: Provider, interaction: Interaction) -> None:
    """Grant what was ticked. It is remembered, so that only something new is asked again."""
    session = current_session(provider)
    if session is None:
        return
    asked = interaction.request
    ticked = {"openid", *request.form.getlist("scope")}
    interaction.granted = tuple(scope for scope in asked.scope if scope in ticked)
    key = (session.person.sub, asked.client.client_id)
    with provider.store.lock:
        before = provider.store.consents.get(key, set())
        provider.store.consents[key] = (before - set(asked.scope)) | ticked & {
            "openid",
            *asked.scope,
        }


# The pages.


def render_page(
    provider: Provider, page: str, interaction: Interaction, complaint: str | None = None
) -> str:
    """One of the four pages."""
    asked, session = interaction.request, current_session(provider)
    return render_template(
        f"demo/{page}.html",
        action=request.path,
        asked=asked,
        person=session.person if session else None,
        people=hinted_first(asked.login_hint),
        organization=interaction.organization,
        organizations=ORGANIZATIONS.values(),
        scopes=[(scope, scope_text(provider, scope)) for scope in asked.scope],
        complaint=complaint,
    )


def hinted_first(login_hint: str | None) -> list[tuple[object, bool]]:
    """All people, the hinted one first (OIDC Core section 3.1.2.1, `login_hint`)."""
    hint = (login_hint or "").lower()
    people = [(each, bool(hint) and hint in (each.email, each.sub)) for each in PEOPLE.values()]
    return sorted(people, key=lambda each: not each[1])


def scope_text(provider: Provider, scope: str) -> str:
    """What a scope means, for the person who is asked."""
    if scope in OIDC_SCOPES:
        return _(OIDC_SCOPE_TEXTS[scope])
    apis = [name for name, scopes in provider.config.audiences.items() if scope in scopes]
    return _(
        "Read your %(scope)s, at %(apis)s",
        scope=_(API_SCOPE_NAMES.get(scope, scope)),
        apis=format_list(apis, style="or", locale=get_locale()),
    )
