"""The provider's own pages: its start page, and invitations to an organization."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request, url_for

from demo.language import _
from demo.people import ORGANIZATIONS, Organization
from demo.provider.authorization import see_other, with_query
from demo.provider.logout import end_session_of_browser
from demo.provider.pages import PageError
from demo.provider.state import the_provider
from demo.provider.steps import current_session

bp = Blueprint("home", __name__)


@bp.get("/")
def start_page() -> str:
    """Who is signed in in this browser, and links to all pages."""
    config = the_provider().config
    return render_template("demo/start.html", session=current_session(), config=config)


@bp.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """The button of the start page."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        advice = _("Press the button on this provider's own page.")
        raise PageError(_("This came from another site."), advice)
    return end_session_of_browser(see_other(url_for("home.start_page")))


@bp.get("/invitation")
def invitation() -> str:
    """Invitation links to try, as an organization's administrator would send them."""
    links = [(each, invitation_link(each)) for each in ORGANIZATIONS.values()]
    return render_template("demo/invitation.html", invitations=links)


def invitation_link(organization: Organization) -> str:
    """The link of an unused ticket: the client's login route, as Auth0's invitations have it."""
    provider = the_provider()
    client = next((each for each in provider.config.clients if each.initiate_login_uri), None)
    parameters = {
        "invitation": provider.store.find_invitation(organization),
        "organization": organization.id,
        "organization_name": organization.name,
    }
    return with_query(client.initiate_login_uri or "" if client else "", parameters)
