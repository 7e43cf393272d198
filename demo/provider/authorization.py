"""The authorization endpoint (RFC 6749 section 4.1.1, OIDC Core section 3.1.2), and its response.

A request is checked (authorization_request.py), then led through steps (steps.py). Each step that
has something to ask shows its page (interaction.py). After the last one the browser is sent back
to the client with an authorization code.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, g, request, url_for

from demo import language
from demo.language import _
from demo.provider.authorization_request import (
    AuthorizationError,
    check_request,
    identify_client,
    read_parameters,
)
from demo.provider.pages import PageError
from demo.provider.records import AuthorizationCode, AuthorizationRequest, Grant, Interaction
from demo.provider.state import the_provider
from demo.provider.steps import current_session, next_page

bp = Blueprint("authorization", __name__)

INTERACTION_SECONDS = 1800


@bp.route("/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """The authorization endpoint. An unknown client or redirect URI gets a page.

    Never a redirect then: it would make us an open redirector (RFC 6749 section 4.1.2.1).
    """
    parameters = read_parameters(request.form if request.method == "POST" else request.args)
    language.prefer(parameters.get("ui_locales"))
    client, redirect_uri = identify_client(parameters)
    asked = AuthorizationRequest(client, redirect_uri, parameters.get("state"))
    g.interaction = Interaction(asked, None)
    check_request(asked, parameters)
    g.interaction.organization = asked.organization
    return continue_interaction(g.interaction)


def continue_interaction(interaction: Interaction) -> Response:
    """On to the next page, or back to the client. Raises AuthorizationError."""
    if next_page(interaction) is None:
        return code_response(interaction)
    if not interaction.id:
        interactions = the_provider().store.interactions
        interaction.id = interactions.add(interaction, seconds=INTERACTION_SECONDS)
    return see_other(url_for("interaction.show", interaction_id=interaction.id))


def code_response(interaction: Interaction) -> Response:
    """RFC 6749 section 4.1.2: the browser takes the code to the client, once."""
    asked, session, provider = interaction.request, current_session(), the_provider()
    if interaction.id and provider.store.interactions.pop(interaction.id) is None:
        raise PageError(_("This sign-in was already finished."))
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
    code, seconds = AuthorizationCode(grant, asked), provider.config.code_seconds
    return authorization_response(asked, {"code": provider.store.codes.add(code, seconds=seconds)})


@bp.app_errorhandler(AuthorizationError)
def error_response(error: AuthorizationError) -> Response:
    """RFC 6749 section 4.1.2.1. The pages of the interaction are over."""
    the_provider().store.interactions.pop(g.interaction.id)
    parameters = {"error": error.error, "error_description": error.description}
    return authorization_response(g.interaction.request, parameters)


def authorization_response(asked: AuthorizationRequest, parameters: dict[str, str]) -> Response:
    """Send the browser back, with `state`, and `iss` for errors too (RFC 9207 section 2)."""
    provider = the_provider()
    if asked.state is not None:
        parameters["state"] = asked.state
    if provider.config.iss_parameter:
        parameters["iss"] = provider.config.issuer
    fault = provider.take("authorize", on_redirect=True)
    return see_other(with_query(asked.redirect_uri, parameters | (fault.redirect if fault else {})))


def with_query(uri: str, parameters: Mapping[str, str | None]) -> str:
    """`uri` with further parameters, except those that are None."""
    query = urlencode({k: v for k, v in parameters.items() if v is not None}, doseq=True)
    separator = "&" if urlsplit(uri).query else "?"
    return f"{uri}{separator}{query}" if query else uri


def see_other(location: str) -> Response:
    """303 after a form, so that the browser does not post it again; 302 as usual otherwise.

    RFC 9700 section 4.12: with 307 the browser would post this form's content to the client.
    """
    status = 303 if request.method == "POST" else 302
    return Response(status=status, headers={"Location": location})
