"""The end session endpoints: RP-Initiated Logout 1.0, and Auth0's `/v2/logout`.

Left out: front-channel logout and session management by iframe; `logout_hint` is accepted and not
used.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from joserfc.errors import JoseError

from demo import language
from demo.language import _
from demo.provider.authorization import see_other, with_query
from demo.provider.authorization_request import advise_to_register
from demo.provider.backchannel_logout import notify_clients
from demo.provider.config import Client
from demo.provider.pages import PageError
from demo.provider.state import the_provider
from demo.provider.steps import SSO_COOKIE, current_session

bp = Blueprint("logout", __name__)


@bp.route("/oidc/logout", methods=["GET", "POST"])
def end_session() -> Response:
    """The end session endpoint (RP-Initiated Logout section 2)."""
    values, session = request.values, current_session()
    language.prefer(values.get("ui_locales"))
    hint = read_id_token_hint(values.get("id_token_hint"))
    client = find_client(hint, values.get("client_id"))
    parameter = the_provider().config.logout_redirect_parameter
    uri = values.get(parameter)
    check_registered(
        uri, client, _("This post_logout_redirect_uri is not registered for the application.")
    )
    # Section 2: without a hint that fits, anyone's link could sign people out, so they are asked.
    if session and hint.get("sub") != session.person.sub and "confirm" not in request.form:
        return make_response(render_template("demo/sign-out.html", client=client, values=values))
    return end_session_of_browser(leave(uri, values.get("state")))


@bp.get("/v2/logout")
def auth0_logout() -> Response:
    """Auth0's own: `client_id`, `returnTo`. It does not ask."""
    client, uri = find_client({}, request.args.get("client_id")), request.args.get("returnTo")
    check_registered(uri, client, _("This returnTo is not registered for the application."))
    return end_session_of_browser(leave(uri, None))


def read_id_token_hint(token: str | None) -> dict[str, Any]:
    """The claims of an ID token that we issued, which may have expired by now."""
    provider = the_provider()
    try:
        claims = provider.keys.verify(token or "")
    except (JoseError, ValueError):
        return {}
    issuer = provider.config.id_token.get("iss", provider.config.issuer)
    return claims if claims.get("iss") == issuer else {}


def find_client(hint: dict[str, Any], client_id: str | None) -> Client | None:
    """Who wants the sign-out. Raises PageError where hint and client_id disagree (section 2)."""
    audience = hint.get("azp") or hint.get("aud")
    if client_id and audience and client_id != audience:
        raise PageError(_("The id_token_hint was issued to another application."))
    return the_provider().config.client(client_id or audience)


def check_registered(uri: str | None, client: Client | None, sentence: str) -> None:
    """Raises PageError where the browser must not be sent there."""
    registered = client.post_logout_redirect_uris if client else ()
    if uri and uri not in registered:
        raise PageError(sentence, advise_to_register(registered))


def leave(uri: str | None, state: str | None) -> Response:
    """Back to the application, or a page that says that it is done."""
    if not uri:
        return make_response(render_template("demo/signed-out.html"))
    return see_other(with_query(uri, {"state": state}))


def end_session_of_browser(response: Response) -> Response:
    """Forget the session and its cookie, and tell every client that took part in it."""
    provider = the_provider()
    if session := provider.store.sso_sessions.pop(request.cookies.get(SSO_COOKIE)):
        notify_clients(provider, session)
    path = provider.config.path or "/"
    response.delete_cookie(SSO_COOKIE, path=path, httponly=True, samesite="Lax")
    return response
