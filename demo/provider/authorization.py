"""The authorization endpoint (RFC 6749 section 4.1.1, OIDC Core section 3.1.2).

A request is checked, then led through steps: sign-in, organization, stronger sign-in, consent. Each
step either has nothing to ask, or shows its page (see interaction.py). When no step is left, the
browser is sent back with an authorization code.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.datastructures import MultiDict

from demo.people import Organization, find_organization
from demo.provider.config import Client, ProviderConfig
from demo.provider.pages import PageError
from demo.provider.state import Provider, the_provider
from demo.provider.store import AuthorizationCode, Grant, SsoSession

bp = Blueprint("authorization", __name__)

SSO_COOKIE = "demo_provider"
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
    organization: Organization | None = None
    invitation: str | None = None


@dataclass
class Interaction:
    """A request on its way through the pages, and what the person has answered so far."""

    request: AuthorizationRequest
    signed_in: bool = False
    organization: Organization | None = None
    stronger_answered: bool = False
    # None: not answered yet.
    granted: tuple[str, ...] | None = None
    started_at: float = field(default_factory=time.time)


@bp.route("/authorize", methods=["GET", "POST"])
def authorize() -> Response:
    """The authorization endpoint. A client or redirect URI that is not known gets a page.

    Never a redirect then: it would make us an open redirector (RFC 6749 section 4.1.2.1).
    """
    provider = the_provider()
    parameters = request.form if request.method == "POST" else request.args
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


def identify_client(config: ProviderConfig, parameters: MultiDict[str, str]) -> tuple[Client, str]:
    """Who asks, and where the answer goes. Redirect URIs are compared as whole strings.

    RFC 9700 section 2.1: "exact string matching" is what stops most attacks on redirects.
    """
    for name in ("client_id", "redirect_uri"):
        if len(parameters.getlist(name)) > 1:
            raise PageError(f"The request has more than one {name}.")
    client = config.client(parameters.get("client_id"))
    if client is None:
        raise PageError("No application with this client_id is registered here.")
    redirect_uri = parameters.get("redirect_uri")
    if redirect_uri not in client.redirect_uris:
        raise PageError("This redirect_uri is not registered for the application.")
    return client, redirect_uri


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
    """The parameters of OIDC Core section 3.1.2.1. `ui_locales` is accepted and not used."""
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


# The steps. Each tells whether it has something to ask.


def needs_sign_in(interaction: Interaction, session: SsoSession | None) -> bool:
    """OIDC Core section 3.1.2.3: no session, or the request demands a fresh answer."""
    asked = interaction.request
    if session is None:
        return True
    if interaction.signed_in:
        return False
    too_old = asked.max_age is not None and time.time() - session.auth_time > asked.max_age
    fresh = asked.prompt & {"login", "select_account"} or asked.screen_hint == "signup"
    return bool(fresh or too_old or asked.invitation)


def needs_organization(interaction: Interaction, session: SsoSession | None) -> bool:
    """The client wants to know an organization, and none was named."""
    return interaction.request.client.organizations == "ask" and interaction.organization is None


def needs_stronger_sign_in(interaction: Interaction, session: SsoSession | None) -> bool:
    """`acr_values`, a wish that the person may decline (OIDC Core section 3.1.2.1)."""
    wanted = interaction.request.acr_values
    reached = session.acr if session else None
    return bool(wanted) and reached not in wanted and not interaction.stronger_answered


def needs_consent(interaction: Interaction, session: SsoSession | None) -> bool:
    """Asked for something that was not granted before; what was refused is asked again."""
    if interaction.granted is not None or session is None:
        return False
    asked = interaction.request
    provider = the_provider()
    before = provider.store.consents.get((session.person.sub, asked.client.client_id), set())
    if "consent" in asked.prompt or (
        not before.issuperset({"openid", *asked.scope}) and not provider.config.skip_consent
    ):
        return True
    interaction.granted = asked.scope
    return False


# Page, the step that asks for it, and the error where `prompt=none` forbids to ask.
STEPS: tuple[tuple[str, Callable[[Interaction, SsoSession | None], bool], str], ...] = (
    ("sign-in", needs_sign_in, "login_required"),
    ("organization", needs_organization, "interaction_required"),
    ("stronger", needs_stronger_sign_in, "interaction_required"),
    ("consent", needs_consent, "consent_required"),
)


def next_page(
    provider: Provider, interaction: Interaction, session: SsoSession | None
) -> str | None:
    """The page to show next, or None when all is answered. Raises AuthorizationError."""
    for page, needed, error in STEPS:
        if needed(interaction, session):
            if "none" in interaction.request.prompt:
                raise AuthorizationError(error, f"the {page} page is needed")
            return page
        if page == "organization":
            check_member(provider, interaction.organization, session)
    return None


def current_session(provider: Provider) -> SsoSession | None:
    """This browser's single sign-on session."""
    return provider.store.sso_session(request.cookies.get(SSO_COOKIE))


def check_member(
    provider: Provider, organization: Organization | None, session: SsoSession | None
) -> None:
    """Raises AuthorizationError where the person does not belong to the organization."""
    if not organization or not session:
        return
    if session.person.sub not in provider.store.members[organization.id]:
        raise AuthorizationError("access_denied", "user is not part of the organization")


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
