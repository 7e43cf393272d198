"""The authorization request (RFC 6749 section 4.1.1, OIDC Core section 3.1.2.1), and its checks."""

from __future__ import annotations

import re
from dataclasses import dataclass

from werkzeug.datastructures import MultiDict

from demo.language import _
from demo.people import Organization, find_organization
from demo.provider.config import Client, ProviderConfig
from demo.provider.pages import PageError
from demo.provider.state import Provider

OIDC_SCOPES = ("openid", "profile", "email", "phone", "offline_access")


class AuthorizationError(Exception):
    """To be told to the client by redirect (RFC 6749 section 4.1.2.1)."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@dataclass
class AuthorizationRequest:
    """A checked authorization request; the fields are named after its parameters."""

    client: Client
    redirect_uri: str
    state: str | None
    scope: tuple[str, ...] = ()
    nonce: str | None = None
    code_challenge: str = ""
    audience: str | None = None
    prompt: frozenset[str] = frozenset()
    max_age: int | None = None
    login_hint: str | None = None
    screen_hint: str | None = None
    acr_values: tuple[str, ...] = ()
    ui_locales: str | None = None
    organization: Organization | None = None
    invitation: str | None = None


def identify_client(config: ProviderConfig, parameters: MultiDict[str, str]) -> tuple[Client, str]:
    """Who asks, and where the answer goes. Redirect URIs are compared as whole strings.

    RFC 9700 section 2.1: "exact string matching" is what stops most attacks on redirects.
    """
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
            registered_are(client.redirect_uris),
        )
    return client, redirect_uri


def registered_are(uris: tuple[str, ...]) -> str:
    """What to write instead of a URI that is not registered."""
    if not uris:
        return _("If it is yours: register it; there is none yet.")
    return _(
        "If it is yours: it must be what is registered, to the letter: %(uris)s.",
        uris=", ".join(uris),
    )


# The checks, in the order in which they run.


def check_request(
    provider: Provider, asked: AuthorizationRequest, parameters: MultiDict[str, str]
) -> None:
    """Check everything else and fill in `asked`. Raises AuthorizationError."""
    check_form(parameters)
    check_pkce(asked, parameters)
    check_openid(asked, parameters)
    check_audience(provider, asked, parameters)
    check_organization(provider, asked, parameters)


def check_form(parameters: MultiDict[str, str]) -> None:
    """RFC 6749 section 3.1: no parameter twice; and only what we can do is asked for."""
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


def check_pkce(asked: AuthorizationRequest, parameters: MultiDict[str, str]) -> None:
    """RFC 9700 section 2.1.1: PKCE for every client, and never `plain`, which hides nothing."""
    challenge = parameters.get("code_challenge", "")
    if parameters.get("code_challenge_method") != "S256":
        raise AuthorizationError("invalid_request", "code_challenge_method S256 is required")
    # RFC 7636 section 4.2: the Base64url form of a SHA-256 digest.
    if not re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge):
        raise AuthorizationError("invalid_request", "code_challenge is missing or malformed")
    asked.code_challenge = challenge


def check_openid(asked: AuthorizationRequest, parameters: MultiDict[str, str]) -> None:
    """The parameters of OIDC Core section 3.1.2.1."""
    asked.nonce = parameters.get("nonce")
    asked.prompt = frozenset(parameters.get("prompt", "").split())
    if "none" in asked.prompt and len(asked.prompt) > 1:
        raise AuthorizationError("invalid_request", "prompt none stands alone")
    max_age = parameters.get("max_age")
    if max_age is not None and not re.fullmatch(r"\d{1,9}", max_age, re.ASCII):
        raise AuthorizationError("invalid_request", "max_age is not a number of seconds")
    asked.max_age = int(max_age) if max_age is not None else None
    asked.login_hint = parameters.get("login_hint")
    asked.screen_hint = parameters.get("screen_hint")
    asked.ui_locales = parameters.get("ui_locales")
    asked.acr_values = tuple(parameters.get("acr_values", "").split())


def check_audience(
    provider: Provider, asked: AuthorizationRequest, parameters: MultiDict[str, str]
) -> None:
    """Auth0's `audience`, or `resource` (RFC 8707); and the scopes that mean anything here."""
    audiences = provider.config.audiences
    audience, resources = parameters.get("audience"), parameters.getlist("resource")
    if audience and audience not in audiences:
        raise AuthorizationError("access_denied", f"Service not found: {audience}")
    if any(resource not in audiences for resource in resources):
        raise AuthorizationError("invalid_target", "unknown resource")
    asked.audience = audience or (resources[0] if resources else None)
    # Scopes of all APIs, since one refresh token may later serve several of them. Unknown ones are
    # left out (RFC 6749 section 3.3: "fully or partially ignore"), as Auth0 does.
    known = {*OIDC_SCOPES, *(scope for scopes in audiences.values() for scope in scopes)}
    wanted = dict.fromkeys(parameters.get("scope", "").split())
    asked.scope = tuple(scope for scope in wanted if scope in known)


def check_organization(
    provider: Provider, asked: AuthorizationRequest, parameters: MultiDict[str, str]
) -> None:
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
        invited_to = provider.store.invitations.get(ticket)
        if invited_to is None or asked.organization not in (None, invited_to):
            raise AuthorizationError("access_denied", "the invitation is unknown or was used")
        asked.organization, asked.invitation = invited_to, ticket
