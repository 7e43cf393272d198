"""The pages between authorization request and response: sign-in, organization, consent.

One address per interaction, `/interaction/{id}`: GET shows the page of the current step, POST takes
its answer. The id is unguessable and the cookie is SameSite=Lax, so no other site can answer.
"""

from __future__ import annotations

from babel.lists import format_list
from flask import Blueprint, Response, after_this_request, g, render_template, request
from flask_babel import get_locale

from demo import language
from demo.language import N_, _
from demo.people import ORGANIZATIONS, PEOPLE, find_organization
from demo.provider.authorization import code_response, continue_interaction
from demo.provider.authorization_request import AuthorizationError
from demo.provider.pages import PageError
from demo.provider.records import Interaction, SsoSession
from demo.provider.state import the_provider
from demo.provider.steps import SSO_COOKIE, current_session, next_page

bp = Blueprint("interaction", __name__, url_prefix="/interaction/<interaction_id>")

OIDC_SCOPE_TEXTS = {
    "openid": N_("Know which account is yours"),
    "profile": N_("See your name"),
    "email": N_("See your email address"),
    "phone": N_("See your phone number"),
    "offline_access": N_("Stay signed in without asking you again"),
}
API_SCOPE_TEXTS = {
    "appointments": N_("Read your appointments, at %(apis)s"),
    "contacts": N_("Read your contacts, at %(apis)s"),
    "contacts:write": N_("Add to your contacts, at %(apis)s"),
}


@bp.get("")
def show(interaction_id: str) -> Response | str:
    """The page of the current step."""
    interaction = find_interaction(interaction_id)
    page = next_page(interaction)
    return render_page(page, interaction) if page else code_response(interaction)


@bp.post("")
def answer(interaction_id: str) -> Response | str:
    """Take the answer to a page, then on to the next one."""
    interaction, form = find_interaction(interaction_id), request.form
    if "refuse" in form:
        raise AuthorizationError("access_denied", "the person refused")
    if "person" in form:
        sign_in(interaction)
    elif "someone_else" in form:
        interaction.begin_again()
    elif "organization" in form:
        interaction.organization = find_organization(form["organization"].strip())
        if interaction.organization is None:
            complaint = _("There is no organization of that name.")
            return render_page("organization", interaction, complaint)
    elif "stronger" in form:
        answer_stronger_sign_in(interaction)
    elif "allow" in form:
        give_consent(interaction)
    return continue_interaction(interaction)


def find_interaction(interaction_id: str) -> Interaction:
    """The interaction of that id, and with it the language. Raises PageError when it is over."""
    interaction = the_provider().store.interactions.get(interaction_id)
    if interaction is None:
        raise PageError(_("This sign-in was already finished, or it took too long."))
    if chosen := language.chosen_language():
        # The person's own choice replaces the application's, for the pages that follow.
        interaction.request.ui_locales = chosen
    language.prefer(interaction.request.ui_locales)
    g.interaction = interaction
    return interaction


# The answers.


def sign_in(interaction: Interaction) -> None:
    """Start, or renew, the browser's single sign-on session. Raises AuthorizationError."""
    person, store = PEOPLE.get(request.form["person"]), the_provider().store
    if person is None:
        raise PageError(_("There is no such person here."))
    ticket = interaction.request.invitation
    if ticket and not store.accept_invitation(ticket, person.sub):
        raise AuthorizationError("access_denied", "the invitation was used meanwhile")
    # The ticket is used: somebody else who is chosen after "Not you?" has none.
    interaction.request.invitation = None
    old = store.sso_sessions.pop(request.cookies.get(SSO_COOKIE))
    session = SsoSession(person)
    if old and old.person == person:
        session.sid, session.client_ids = old.sid, old.client_ids
    g.sso_session = session
    interaction.signed_in, interaction.someone_else = True, False
    # A new cookie at each sign-in, so that one planted before is worth nothing (session fixation).
    cookie = store.sso_sessions.add(session)

    @after_this_request
    def set_cookie(response: Response) -> Response:
        path = the_provider().config.path or "/"
        response.set_cookie(SSO_COOKIE, cookie, httponly=True, samesite="Lax", path=path)
        return response


def answer_stronger_sign_in(interaction: Interaction) -> None:
    """The person confirmed or declined. Declining is allowed: then there is no `acr` claim."""
    interaction.stronger_answered = True
    session = current_session()
    if session and request.form["stronger"] == "confirm":
        session.acr = interaction.request.acr_values[0]


def give_consent(interaction: Interaction) -> None:
    """Grant what was ticked, and remember it, so that only new scopes are asked for again."""
    session, store, asked = current_session(), the_provider().store, interaction.request
    if session is None:
        return
    ticked = {"openid", *request.form.getlist("scope")} & {"openid", *asked.scope}
    interaction.granted = tuple(scope for scope in asked.scope if scope in ticked)
    key = (session.person.sub, asked.client.client_id)
    with store.lock:
        store.consents[key] = (store.consents.get(key, set()) - set(asked.scope)) | ticked


# The pages.


def render_page(page: str, interaction: Interaction, complaint: str | None = None) -> str:
    """One of the four pages."""
    asked, session = interaction.request, current_session()
    return render_template(
        f"demo/{page}.html",
        action=request.path,
        asked=asked,
        person=session.person if session else None,
        people=people_for(asked.login_hint),
        organization=interaction.organization,
        organizations=ORGANIZATIONS.values(),
        scopes=[(scope, describe_scope(scope)) for scope in asked.scope],
        complaint=complaint,
    )


def people_for(login_hint: str | None) -> list[tuple[object, bool]]:
    """All people, the hinted one first (OIDC Core section 3.1.2.1, `login_hint`)."""
    hint = (login_hint or "").lower()
    people = [(each, bool(hint) and hint in (each.email, each.sub)) for each in PEOPLE.values()]
    return sorted(people, key=lambda each: not each[1])


def describe_scope(scope: str) -> str:
    """What a scope means, for the person who is asked."""
    if scope in OIDC_SCOPE_TEXTS:
        return _(OIDC_SCOPE_TEXTS[scope])
    audiences = the_provider().config.audiences
    apis = format_list(
        [name for name, scopes in audiences.items() if scope in scopes],
        style="or",
        locale=get_locale(),
    )
    if scope in API_SCOPE_TEXTS:
        return _(API_SCOPE_TEXTS[scope], apis=apis)
    return _("Use %(scope)s, at %(apis)s", scope=scope, apis=apis)
