"""Step 1, authorize the person: the authorization request and the authorization response.

OIDC Core section 3.1.2, RFC 6749 section 4.1, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import redirect, request
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from . import par
from .errors import Error
from .login_transaction import MAX_STATE_LENGTH, BrowserSecret, LoginTransaction
from .provider import Metadata
from .relying_party import RelyingParty, relying_party

DEFAULT_SCOPE = ("openid", "profile", "email", "offline_access")
MAX_CODE_LENGTH = 6000
# Proxies limit the headers of a response, often to 4,000 bytes together; this is one of ours.
MAX_URL_LENGTH = 2700

# What errors mean (RFC 6749 section 4.1.2.1, OIDC Core section 3.1.2.6). The app's request was at
# fault for those in REQUEST_ERRORS; any other is about the person.
REQUEST_ERRORS = frozenset((
    "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope",
    "invalid_target", "invalid_client", "invalid_request_uri", "invalid_request_object",
    "request_not_supported", "request_uri_not_supported", "registration_not_supported",
    "unsupported_response_mode", "invalid_dpop_proof",
))  # fmt: skip
CODE_OF_ERROR = {
    "access_denied": "sign_in_refused",
    "temporarily_unavailable": "provider_unreachable",
    "server_error": "provider_error",
    "login_required": "interaction_required",
    "consent_required": "interaction_required",
    "interaction_required": "interaction_required",
    "account_selection_required": "interaction_required",
    **dict.fromkeys(REQUEST_ERRORS, "request_refused"),
}


def configured_scope(rp: RelyingParty) -> tuple[str, ...]:
    """Return AUTH0_SCOPE, or the default without `offline_access` where the metadata says that
    the provider does not know it."""
    if rp.settings.scope is not None:
        return rp.settings.scope
    supported = rp.provider.metadata().strings("scopes_supported")
    if supported and "offline_access" not in supported:
        return DEFAULT_SCOPE[:-1]
    return DEFAULT_SCOPE


def begin_sign_in(
    *,
    return_to: str,
    scope: Iterable[str] = (),
    audience: str | None = None,
    organization: str | None = None,
    params: Mapping[str, str] | None = None,
) -> Response:
    """Return the redirect to the provider, with the sign-in cookie.

    `scope` adds to the configured ones; `audience` names another API than the configured one;
    `params` are those of this request alone (`prompt`, `login_hint` …).
    Raises Error where the provider's metadata cannot be had.
    """
    rp, params = relying_party(), params or {}
    browser = BrowserSecret.from_request(request, rp.settings) or BrowserSecret.new()
    configured = configured_scope(rp)
    further = " ".join(dict.fromkeys(each for each in scope if each not in configured))
    # A page's own may only be stricter than the configured one.
    ages = [each["max_age"] for each in (params, rp.settings.authorize_params) if "max_age" in each]
    if ages:
        params = {**params, "max_age": min(ages, key=int)}
    transaction = LoginTransaction(
        id=secrets.token_urlsafe(8),
        browser=browser.fingerprint(),
        created_at=int(time.time()),
        return_to=return_to,
        scope=further or None,
        # A configured organization is not the visitor's to choose.
        organization=rp.settings.organization or organization,
        audience=audience,
        max_age=int(params["max_age"]) if ages else None,
        # Configured ones are a wish (OIDC Core section 3.1.2.1); a page's own are its condition.
        acr_values=params.get("acr_values"),
    )
    response = redirect(authorization_url(rp, browser, transaction, params), 302)
    browser.set_cookie(response, rp.settings, browser.finished_at)
    return response


def authorization_url(
    rp: RelyingParty,
    browser: BrowserSecret,
    transaction: LoginTransaction,
    params: Mapping[str, str],
) -> str:
    """Return the URL of the authorization request. Raises Error."""
    settings, metadata = rp.settings, rp.provider.metadata()
    state = transaction.to_state(rp.encryptor)
    if len(state) > MAX_STATE_LENGTH:
        state = replace(transaction, return_to="/").to_state(rp.encryptor)
    if len(state) > MAX_STATE_LENGTH:
        raise Error("bad_request", f"the parameters of this sign-in need a state of {len(state)}")
    request_params = _request_params(rp, browser, transaction, state, params)
    if rp.dpop:
        key = rp.dpop.derive_key(browser.derived("DPoP", transaction.id))
        request_params["dpop_jkt"] = rp.dpop.thumbprint(key)
    if settings.par or metadata.raw.get("require_pushed_authorization_requests") is True:
        request_params = par.push(rp, request_params)
    sent = [(name, str(value)) for name, value in request_params.items() if value is not None]
    url = str(add_params_to_uri(metadata.authorization_endpoint, sent))
    if len(url) > MAX_URL_LENGTH:
        raise Error("bad_request", f"the authorization request has {len(url)} characters")
    return url


def _request_params(
    rp: RelyingParty,
    browser: BrowserSecret,
    transaction: LoginTransaction,
    state: str,
    params: Mapping[str, str],
) -> dict[str, Any]:
    """The parameters (OIDC Core section 3.1.2.1); what is None is left out."""
    settings = rp.settings
    api = {"audience": settings.audience}
    if transaction.audience:
        api = {settings.resource_parameter: transaction.audience}  # in the configured one's place
    code_verifier = browser.derived("code verifier", transaction.id)
    return {
        "client_id": settings.client_id,
        "response_type": "code",
        "redirect_uri": settings.redirect_uri,
        "scope": " ".join(scope_of(rp, transaction)),
        "state": state,
        "nonce": browser.derived("nonce", transaction.id),
        # RFC 9700 section 2.1.1: PKCE, by S256, for confidential clients too.
        "code_challenge": create_s256_code_challenge(code_verifier),
        "code_challenge_method": "S256",
        **chosen_language(),
        **settings.authorize_params,
        **params,
        **api,
        "organization": transaction.organization,
    }


def chosen_language() -> dict[str, str]:
    """Return `ui_locales` where the visitor chose a language here. The provider sees the browser's
    own languages itself."""
    chosen = request.cookies.get(relying_party().settings.cookie_name("language"), "")
    return {"ui_locales": chosen} if re.fullmatch(r"[A-Za-z]{2,8}", chosen) else {}


def scope_of(rp: RelyingParty, transaction: LoginTransaction) -> list[str]:
    """Return all scopes that a transaction asks for."""
    return [*configured_scope(rp), *(transaction.scope or "").split()]


class AuthorizationResponse(NamedTuple):
    """The parameters of an authorization response that we asked for; all else is ignored."""

    state: str | None
    code: str | None
    iss: str | None
    error: str | None
    error_description: str | None


def read_authorization_response(args: MultiDict[str, str]) -> AuthorizationResponse:
    """Read the query of `/callback`. Raises Error("malformed_callback")."""
    for name in AuthorizationResponse._fields:
        # RFC 6749 section 3.1: parameters MUST NOT be included more than once.
        if len(args.getlist(name)) > 1:
            raise Error("malformed_callback", f"{name} came more than once")
    return AuthorizationResponse(**{name: args.get(name) for name in AuthorizationResponse._fields})


def check_authorization_response(response: AuthorizationResponse, metadata: Metadata) -> str:
    """Return the authorization code of a response whose `state` was found to be this browser's.

    `iss` before `error`: an error from somebody else is not believed either. Raises Error.
    """
    # RFC 9207 section 2.4: compare if it is there; demand it where the metadata promises it.
    promised = metadata.raw.get("authorization_response_iss_parameter_supported") is True
    if response.iss is None and promised:
        raise Error("wrong_issuer", "iss is missing although the metadata promises it")
    if response.iss is not None and response.iss != metadata.issuer:
        raise Error("wrong_issuer", f"iss is {response.iss[:200]!r}")
    if response.error is not None:
        code = CODE_OF_ERROR.get(response.error, "account_refused")
        # The description is for the log and never for the page.
        detail = f"{response.error[:100]!r} {(response.error_description or '')[:300]!r}"
        raise Error(code, detail, retry_after=60 if code == "provider_unreachable" else None)
    if not response.code or len(response.code) > MAX_CODE_LENGTH or not response.code.isprintable():
        raise Error("malformed_callback", "code is missing or unusable")
    return response.code
