"""Sign-out: RP-Initiated Logout 1.0, Auth0's `/v2/logout`, and Back-Channel Logout 1.0.

Left out: front-channel logout and session management by iframe; `logout_hint` is accepted and not
used.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
from flask import Blueprint, Response, make_response, render_template, request, url_for
from joserfc.errors import JoseError

from demo import language
from demo.language import _
from demo.people import ORGANIZATIONS
from demo.provider.authorization import see_other
from demo.provider.authorization_request import registered_are
from demo.provider.config import Client
from demo.provider.pages import PageError
from demo.provider.records import SsoSession
from demo.provider.state import Provider, the_provider
from demo.provider.steps import SSO_COOKIE, current_session

bp = Blueprint("logout", __name__)
log = logging.getLogger(__name__)

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
BACKCHANNEL_SECONDS = 3


@bp.get("/")
def start_page() -> str:
    """The provider's own page: who is signed in in this browser, and out again."""
    provider = the_provider()
    session = current_session(provider)
    return render_template("demo/start.html", session=session, config=provider.config)


@bp.get("/invitation")
def invitation() -> str:
    """Invitation links to try, as an organization's administrator would send them."""
    provider = the_provider()
    invitations = [
        (organization, invitation_link(provider, organization.id))
        for organization in ORGANIZATIONS.values()
    ]
    return render_template("demo/invitation.html", invitations=invitations)


def invitation_link(provider: Provider, organization_id: str) -> str:
    """The link of an unspent ticket: the client's login route, as Auth0's invitations have it."""
    organization = ORGANIZATIONS[organization_id]
    with provider.store.lock:
        unspent = [k for k, v in provider.store.invitations.items() if v == organization]
        ticket = unspent[0] if unspent else provider.store.add_invitation(organization)
    client = next((each for each in provider.config.clients if each.initiate_login_uri), None)
    parameters = {
        "invitation": ticket,
        "organization": organization.id,
        "organization_name": organization.name,
    }
    return f"{client.initiate_login_uri if client else ''}?{urlencode(parameters)}"


@bp.post("/sign-out-everywhere")
def sign_out_everywhere() -> Response:
    """The button of the start page."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise PageError(
            _("This came from another site."), _("Press the button on this provider's own page.")
        )
    end_session_of_browser(the_provider())
    return without_cookie(see_other(url_for("logout.start_page")))


@bp.route("/oidc/logout", methods=["GET", "POST"])
def end_session() -> Response:
    """The end session endpoint (RP-Initiated Logout section 2)."""
    provider = the_provider()
    language.prefer(request.values.get("ui_locales"))
    hint = read_id_token_hint(provider, request.values.get("id_token_hint"))
    client = find_client(provider, hint, request.values.get("client_id"))
    uri = request.values.get("post_logout_redirect_uri")
    if uri and (client is None or uri not in client.post_logout_redirect_uris):
        raise PageError(
            _("This post_logout_redirect_uri is not registered for the application."),
            registered_are(client.post_logout_redirect_uris if client else ()),
        )
    session = current_session(provider)
    # Section 2: without a hint that fits, anyone's link could sign people out, so they are asked.
    sure = hint.get("sub") == session.person.sub if session else True
    if not sure and "confirm" not in request.form:
        return make_response(
            render_template("demo/sign-out.html", client=client, values=request.values)
        )
    end_session_of_browser(provider)
    return leave(uri, {"state": request.values.get("state")})


@bp.get("/v2/logout")
def auth0_logout() -> Response:
    """Auth0's own: `client_id`, `returnTo`. It does not ask."""
    provider = the_provider()
    client = find_client(provider, {}, request.args.get("client_id"))
    uri = request.args.get("returnTo")
    if uri and (client is None or uri not in client.post_logout_redirect_uris):
        raise PageError(
            _("This returnTo is not registered for the application."),
            registered_are(client.post_logout_redirect_uris if client else ()),
        )
    end_session_of_browser(provider)
    return leave(uri, {})


def read_id_token_hint(provider: Provider, token: str | None) -> dict[str, Any]:
    """The claims of an ID token that we issued, which may have expired by now."""
    if not token:
        return {}
    try:
        claims = provider.keys.verify(token)
    except (JoseError, ValueError):
        return {}
    return claims if claims.get("iss") == provider.config.issuer else {}


def find_client(provider: Provider, hint: dict[str, Any], client_id: str | None) -> Client | None:
    """Who wants the sign-out. Raises PageError where hint and client_id disagree (section 2)."""
    audience = hint.get("aud")
    if client_id and audience and client_id != audience:
        raise PageError(_("The id_token_hint was issued to another application."))
    return provider.config.client(client_id or audience)


def leave(uri: str | None, parameters: dict[str, str | None]) -> Response:
    """Back to the application, or a page that says that it is done."""
    if not uri:
        return without_cookie(make_response(render_template("demo/signed-out.html")))
    query = urlencode({k: v for k, v in parameters.items() if v is not None})
    separator = "&" if urlsplit(uri).query else "?"
    return without_cookie(see_other(f"{uri}{separator}{query}" if query else uri))


def without_cookie(response: Response) -> Response:
    """Take the single sign-on cookie away."""
    response.delete_cookie(
        SSO_COOKIE, path=the_provider().config.path or "/", httponly=True, samesite="Lax"
    )
    return response


def end_session_of_browser(provider: Provider) -> None:
    """Forget the session, and tell every client that took part in it."""
    session = provider.store.end_sso_session(request.cookies.get(SSO_COOKIE))
    if session:
        notify_clients(provider, session)


def notify_clients(provider: Provider, session: SsoSession) -> None:
    """Back-Channel Logout section 2.5, beside the answer: a dead client must hold up nobody."""
    for client_id in session.client_ids:
        client = provider.config.client(client_id)
        if client and client.backchannel_logout_uri:
            claims = logout_token_claims(provider, client_id, session.person.sub, session.sid)
            token = provider.keys.sign(claims, typ="logout+jwt")
            arguments = (client.backchannel_logout_uri, token)
            threading.Thread(target=send_logout_token, args=arguments, daemon=True).start()


def logout_token_claims(
    provider: Provider, client_id: str, sub: str | None, sid: str | None
) -> dict[str, Any]:
    """Back-Channel Logout section 2.4. Never a nonce, so that it cannot pass for an ID token."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": provider.config.issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(16),
        "events": {LOGOUT_EVENT: {}},
    }
    return claims | ({"sub": sub} if sub else {}) | ({"sid": sid} if sid else {})


def send_logout_token(uri: str, logout_token: str) -> int | None:
    """Post it; returns the status, or None where nobody answered."""
    try:
        response = requests.post(
            uri,
            data={"logout_token": logout_token},
            timeout=BACKCHANNEL_SECONDS,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        log.info("back-channel logout at %s failed: %s", uri, type(error).__name__)
        return None
    return response.status_code
