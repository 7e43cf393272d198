"""The end session endpoints, and what they tell the clients of the session.

RP-Initiated Logout 1.0, Auth0's `/v2/logout`, Back-Channel Logout 1.0.

Left out: front-channel logout and session management by iframe; `logout_hint` is accepted and not
used.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import Any

import requests
from flask import Blueprint, Response, make_response, render_template, request
from joserfc.errors import JoseError

from demo import language
from demo.language import _
from demo.provider.authorization import see_other, with_query
from demo.provider.authorization_request import advise_to_register
from demo.provider.config import Client
from demo.provider.pages import PageError
from demo.provider.records import SsoSession
from demo.provider.state import Provider, the_provider
from demo.provider.steps import SSO_COOKIE, current_session

bp = Blueprint("logout", __name__)
log = logging.getLogger(__name__)

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
TIMEOUT = 3


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


# Back-Channel Logout 1.0.


def notify_clients(provider: Provider, session: SsoSession) -> None:
    """Section 2.5, in threads: a client that does not respond must not delay the sign-out."""
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
    """Section 2.4. Never a nonce, so that it cannot pass for an ID token."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": provider.config.issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(16),
        "events": {LOGOUT_EVENT: {}},
    }
    claims |= {k: v for k, v in provider.config.id_token.items() if k in ("iss", "aud", "azp")}
    return claims | ({"sub": sub} if sub else {}) | ({"sid": sid} if sid else {})


def send_logout_token(uri: str, logout_token: str) -> int | None:
    """Post it; returns the status, or None without a response."""
    form = {"logout_token": logout_token}
    try:
        return requests.post(uri, form, timeout=TIMEOUT, allow_redirects=False).status_code
    except requests.RequestException as error:
        log.info("back-channel logout at %s failed: %s", uri, type(error).__name__)
        return None
