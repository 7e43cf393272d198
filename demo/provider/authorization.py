"""The authorization endpoint (RFC 6749 section 4.1.1, OIDC Core section 3.1.2), and its response.

A request is checked (authorization_request.py), then led through steps (steps.py). Each step either
has nothing to ask, or shows its page (interaction.py). When no step is left, the browser is sent
back with an authorization code.
"""

from __future__ import annotations

import re
import time
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, request, url_for

from demo import language
from demo.provider.authorization_request import (
    AuthorizationError,
    AuthorizationRequest,
    check_request,
    identify_client,
)
from demo.provider.records import AuthorizationCode, Grant, SsoSession
from demo.provider.state import Provider, the_provider
from demo.provider.steps import Interaction, current_session, next_page

bp = Blueprint("authorization", __name__)


@bp.route("/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """The authorization endpoint. A client or redirect URI that is not known gets a page.

    Never a redirect then: it would make us an open redirector (RFC 6749 section 4.1.2.1).
    """
    provider = the_provider()
    parameters = request.form if request.method == "POST" else request.args
    language.prefer(parameters.get("ui_locales"))
    client, redirect_uri = identify_client(provider.config, parameters)
    asked = AuthorizationRequest(client, redirect_uri, parameters.get("state"))
    try:
        check_request(provider, asked, parameters)
        interaction = Interaction(asked, organization=asked.organization)
        session = current_session(provider)
        if next_page(provider, interaction, session) is None:
            return code_response(provider, interaction, session)
        return see_other(interaction_url(provider.store.add_interaction(interaction)))
    except AuthorizationError as error:
        return error_response(provider, asked, error)


def interaction_url(interaction_id: str) -> str:
    """Where the pages of an interaction are."""
    return url_for("interaction.show", interaction_id=interaction_id)


# The authorization response.


def code_response(
    provider: Provider, interaction: Interaction, session: SsoSession | None
) -> Response:
    """RFC 6749 section 4.1.2: the browser takes the code to the client."""
    asked = interaction.request
    if session is None or interaction.granted is None:
        raise AuthorizationError("server_error", "the steps were not finished")
    session.client_ids.add(asked.client.client_id)
    grant = Grant(
        client_id=asked.client.client_id,
        person=session.person,
        scope=interaction.granted,
        audience=asked.audience,
        organization=interaction.organization,
        sid=session.sid,
        auth_time=session.auth_time,
        acr=session.acr if asked.acr_values else None,
    )
    code = AuthorizationCode(
        grant=grant,
        redirect_uri=asked.redirect_uri,
        nonce=asked.nonce,
        code_challenge=asked.code_challenge,
        expires_at=time.time() + provider.config.code_seconds,
    )
    return authorization_response(provider, asked, {"code": provider.store.add_code(code)})


def error_response(
    provider: Provider, asked: AuthorizationRequest, error: AuthorizationError
) -> Response:
    """RFC 6749 section 4.1.2.1."""
    # The characters that RFC 6749 section 4.1.2.1 allows: the description may quote the request.
    description = re.sub(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]", "?", error.description)
    parameters = {"error": error.error, "error_description": description}
    return authorization_response(provider, asked, parameters)


def authorization_response(
    provider: Provider, asked: AuthorizationRequest, parameters: dict[str, str]
) -> Response:
    """Send the browser back, with `state`, and `iss` for errors too (RFC 9207 section 2)."""
    if asked.state is not None:
        parameters["state"] = asked.state
    if provider.config.iss_parameter:
        parameters["iss"] = provider.config.issuer
    fault = provider.control.take("authorize", on_redirect=True)
    told = {**parameters, **(fault.redirect if fault else {})}
    query = urlencode({k: v for k, v in told.items() if v is not None}, doseq=True)
    separator = "&" if urlsplit(asked.redirect_uri).query else "?"
    return see_other(f"{asked.redirect_uri}{separator}{query}")


def see_other(location: str) -> Response:
    """303 after a form, so that the browser does not post it again; 302 as usual otherwise.

    RFC 9700 section 4.12: with 307 the browser would post what was typed here to the client.
    """
    status = 303 if request.method == "POST" else 302
    return redirect(location, status, Response)  # type: ignore[return-value]  # typed as Werkzeug's
