"""The authorization request: pushed before or not, and its checks.

RFC 6749 section 4.1.1, OIDC Core section 3.1.2.1; RFC 9126 for pushed requests.
"""

from __future__ import annotations

import re
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import TokenEndpoint
from flask import g, request
from werkzeug.datastructures import MultiDict

from demo.language import _
from demo.people import find_organization
from demo.provider.client_authentication import METHODS
from demo.provider.config import Client
from demo.provider.pages import PageError
from demo.provider.records import AuthorizationRequest
from demo.provider.state import the_provider

Parameters = MultiDict[str, str]
PREFIX = "urn:ietf:params:oauth:request_uri:"
PUSHED_SECONDS = 60


class AuthorizationError(OAuth2Error):  # type: ignore[misc]  # Authlib has no types
    """An error that the client is told by redirect (RFC 6749 section 4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        # Only these characters are allowed there, and the description may quote the request.
        allowed = re.sub(r"[^\x20-\x21\x23-\x5B\x5D-\x7E]", "?", description)
        super().__init__(error=error, description=allowed)


def identify_client(parameters: Parameters) -> tuple[Client, str]:
    """The client and its redirect URI. Raises PageError where one is not registered.

    RFC 9700 section 2.1: "exact string matching" is what stops most attacks on redirects.
    """
    config = the_provider().config
    for name in ("client_id", "redirect_uri"):
        if len(parameters.getlist(name)) > 1:
            raise PageError(_("The request has more than one %(name)s.", name=name))
    client = config.client(parameters.get("client_id"))
    if client is None:
        known = ", ".join(each.client_id for each in config.clients)
        raise PageError(
            _("No application with this client_id is registered here."),
            _(
                "If it is yours: write a client_id that is registered, such as %(known)s.",
                known=known,
            ),
        )
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri not in client.redirect_uris:
        raise PageError(
            _("This redirect_uri is not registered for the application."),
            advise_to_register(client.redirect_uris),
        )
    return client, redirect_uri


def advise_to_register(uris: tuple[str, ...]) -> str:
    """What to write instead of a URI that is not registered."""
    if not uris:
        return _("If it is yours: register it; there is none yet.")
    known = ", ".join(uris)
    return _("If it is yours: it must be exactly what is registered: %(uris)s.", uris=known)


def check_request(asked: AuthorizationRequest, parameters: Parameters) -> None:
    """Check everything else, in this order, and fill in `asked`. Raises AuthorizationError."""
    check_form(parameters)
    check_pkce(asked, parameters)
    check_openid(asked, parameters)
    check_audience(asked, parameters)
    check_organization(asked, parameters)


def check_form(parameters: Parameters) -> None:
    """RFC 6749 section 3.1: no parameter twice; and only what we support is asked for."""
    # `resource` alone may come several times (RFC 8707 section 2).
    repeated = [k for k, values in parameters.lists() if len(values) > 1 and k != "resource"]
    if repeated:
        raise AuthorizationError("invalid_request", f"more than one {repeated[0]}")
    if "request" in parameters:
        raise AuthorizationError("request_not_supported", "request objects are not supported")
    if "request_uri" in parameters:
        raise AuthorizationError("request_uri_not_supported", "request_uri is not supported")
    if not parameters.get("response_type"):
        raise AuthorizationError("invalid_request", "response_type is missing")
    if parameters["response_type"] != "code":
        raise AuthorizationError("unsupported_response_type", "only code is supported")
    if parameters.get("response_mode", "query") != "query":
        raise AuthorizationError("invalid_request", "only response_mode query is supported")


def check_pkce(asked: AuthorizationRequest, parameters: Parameters) -> None:
    """RFC 9700 section 2.1.1: PKCE for every client, and never `plain`, which hides nothing."""
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256":
        raise AuthorizationError("invalid_request", "code_challenge_method S256 is required")
    # RFC 7636 section 4.2: the Base64url form of a SHA-256 digest.
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge):
        raise AuthorizationError("invalid_request", "code_challenge is missing or malformed")
    asked.code_challenge = challenge


def check_openid(asked: AuthorizationRequest, parameters: Parameters) -> None:
    """The parameters of OIDC Core section 3.1.2.1."""
    asked.prompt = frozenset(parameters.get("prompt", "").split())
    if "none" in asked.prompt and len(asked.prompt) > 1:
        raise AuthorizationError("invalid_request", "prompt none stands alone")
    max_age = parameters.get("max_age")
    if max_age is not None and not re.fullmatch(r"\d{1,9}", max_age, re.ASCII):
        raise AuthorizationError("invalid_request", "max_age is not a number of seconds")
    asked.max_age = int(max_age) if max_age is not None else None
    for name in ("nonce", "login_hint", "screen_hint", "ui_locales", "access_type", "dpop_jkt"):
        setattr(asked, name, parameters.get(name))
    asked.acr_values = tuple(parameters.get("acr_values", "").split())


def check_audience(asked: AuthorizationRequest, parameters: Parameters) -> None:
    """Auth0's `audience`, or `resource` (RFC 8707); and the scopes that mean anything here."""
    config = the_provider().config
    audiences = config.audiences
    audience, resources = parameters.get("audience"), parameters.getlist("resource")
    if audience and audience not in audiences:
        raise AuthorizationError("access_denied", f"Service not found: {audience}")
    if any(resource not in audiences for resource in resources):
        raise AuthorizationError("invalid_target", "unknown resource")
    asked.audience = audience or next(iter(resources), config.default_audience)
    # Scopes of all APIs, because one refresh token may later serve several of them. Unknown ones
    # are left out (RFC 6749 section 3.3: "fully or partially ignore"), as Auth0 does.
    known = {*config.oidc_scopes, *(scope for scopes in audiences.values() for scope in scopes)}
    wanted = dict.fromkeys(parameters.get("scope", "").split())
    if config.refuse_unknown_scopes and not known.issuperset(wanted):
        raise AuthorizationError("invalid_scope", "unknown scope")
    asked.scope = tuple(scope for scope in wanted if scope in known)


def check_organization(asked: AuthorizationRequest, parameters: Parameters) -> None:
    """Auth0's `organization` (id or name) and `invitation` (a ticket that works once)."""
    name, ticket = parameters.get("organization"), parameters.get("invitation")
    if not name and not ticket:
        return
    if asked.client.organizations == "none":
        raise AuthorizationError("invalid_request", "organizations are not enabled for this client")
    asked.organization = find_organization(name) if name else None
    if name and asked.organization is None:
        raise AuthorizationError("invalid_request", "unknown organization")
    if ticket:
        invited_to = the_provider().store.invitations.get(ticket)
        if invited_to is None or asked.organization not in (None, invited_to):
            raise AuthorizationError("access_denied", "the invitation is unknown or was used")
        asked.organization, asked.invitation = invited_to, ticket


# Pushed requests: the parameters come before the browser does.


class PushedAuthorization(TokenEndpoint):  # type: ignore[misc]  # Authlib has no types
    """The client authenticates itself and pushes the parameters; it gets a `request_uri`."""

    ENDPOINT_NAME = "pushed_authorization_request"
    CLIENT_AUTH_METHODS = METHODS

    def create_endpoint_response(self, oauth2_request: Any) -> tuple[int, dict[str, Any], Any]:
        """Check the request as the authorization endpoint would (section 2.1)."""
        client = self.authenticate_endpoint_client(oauth2_request)
        parameters: Parameters = MultiDict(request.form)
        if parameters.get("client_id", client.client_id) != client.client_id:
            raise AuthorizationError("invalid_request", "client_id is another client's")
        if parameters.get("redirect_uri") not in client.redirect_uris:
            raise AuthorizationError("invalid_request", "redirect_uri is not registered")
        parameters.setdefault("client_id", client.client_id)
        thumbprint = g.get("thumbprint")
        # RFC 9449 section 10.1: a proof says the same as `dpop_jkt`.
        if thumbprint and parameters.setdefault("dpop_jkt", thumbprint) != thumbprint:
            raise AuthorizationError("invalid_dpop_proof", "dpop_jkt is another key's")
        check_request(AuthorizationRequest(client, parameters["redirect_uri"], None), parameters)
        name = the_provider().store.pushed_requests.add(parameters, seconds=PUSHED_SECONDS)
        response = {"request_uri": f"{PREFIX}{name}", "expires_in": PUSHED_SECONDS}
        return 201, response, default_json_headers


def read_parameters(parameters: Parameters) -> Parameters:
    """The parameters of an authorization request, pushed or not. Raises PageError (section 4)."""
    request_uri = parameters.get("request_uri", "")
    if not request_uri.startswith(PREFIX):
        if the_provider().config.require_pushed_authorization_requests:
            raise PageError(_("The application has to push its request first (RFC 9126)."))
        return parameters
    pushed = the_provider().store.pushed_requests.pop(request_uri.removeprefix(PREFIX))
    if pushed is None:
        raise PageError(_("This sign-in was already finished, or it took too long."))
    if pushed["client_id"] != parameters.get("client_id"):
        raise PageError(_("The request was pushed by another application."))
    return pushed
