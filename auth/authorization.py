"""Step 1, authorize the person: the authorization request and the authorization response.

OIDC Core section 3.1.2, RFC 6749 section 4.1, RFC 7636, RFC 9207.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import NamedTuple

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from werkzeug.datastructures import MultiDict

from .attempt import STATE, Attempt, new_secret
from .errors import Problem
from .metadata import Metadata
from .relying_party import RelyingParty

MAX_CODE_LENGTH = 6000

# Errors by which the provider asks for the person (OIDC Core section 3.1.2.6).
INTERACTION_ERRORS = frozenset(
    ("login_required", "consent_required", "interaction_required", "account_selection_required")
)
# What errors mean (RFC 6749 section 4.1.2.1); any other: the app's request was at fault.
PROBLEM_OF_ERROR = {
    "access_denied": "sign_in_refused",
    "temporarily_unavailable": "provider_unreachable",
    "server_error": "provider_error",
    **dict.fromkeys(INTERACTION_ERRORS, "interaction_required"),
}


def build_authorization_request(
    rp: RelyingParty,
    *,
    return_to: str,
    scope: list[str],
    audience: str | None = None,
    organization: str | None = None,
    ui_locales: str | None = None,
    params: Mapping[str, str],
) -> tuple[str, Attempt]:
    """Return the URL to send the browser to, and the attempt to remember.

    `audience` names another API than the configured one; `params` are those of this request alone
    (`prompt`, `login_hint`, `invitation` …), the configured ones come beside them; both may name
    other `ui_locales` than those of the page that the person comes from.
    Raises Problem where the provider's metadata cannot be had.
    """
    language = {"ui_locales": ui_locales} if ui_locales else {}
    further = {**language, **rp.settings.authorize_params, **params}
    attempt = Attempt(
        state=new_secret(),
        nonce=new_secret(),
        code_verifier=new_secret(),
        created_at=int(time.time()),
        return_to=return_to,
        scope=scope,
        # A configured organization is not the visitor's to choose.
        organization=rp.settings.organization or organization,
        audience=audience,
        max_age=int(further["max_age"]) if "max_age" in further else None,
        # Configured ones are a wish (OIDC Core section 3.1.2.1); a page's own are its condition.
        acr_values=params.get("acr_values"),
    )
    return _url(rp, attempt, further), attempt


def _url(rp: RelyingParty, attempt: Attempt, further: Mapping[str, str]) -> str:
    settings = rp.settings
    api = {"audience": settings.audience}
    if attempt.audience:
        api = {settings.resource_parameter: attempt.audience}  # in the configured one's place
    url: str = prepare_grant_uri(
        rp.provider.metadata().authorization_endpoint,
        client_id=settings.client_id,
        response_type="code",
        redirect_uri=settings.redirect_uri,
        scope=" ".join(attempt.scope),
        state=attempt.state,
        nonce=attempt.nonce,
        # RFC 9700 section 2.1.1: PKCE, by S256, for confidential clients too.
        code_challenge=create_s256_code_challenge(attempt.code_verifier),
        code_challenge_method="S256",
        # What is None is left out.
        **{**further, **api, "organization": attempt.organization},
    )
    return url


class AuthorizationResponse(NamedTuple):
    """The parameters of an authorization response that we asked for; all else is ignored."""

    state: str
    code: str | None
    iss: str | None
    error: str | None
    error_description: str | None


def read_authorization_response(args: MultiDict[str, str]) -> AuthorizationResponse:
    """Read the query of `/callback`. Raises Problem("malformed_callback")."""
    for name in AuthorizationResponse._fields:
        # RFC 6749 section 3.1: parameters MUST NOT be included more than once.
        if len(args.getlist(name)) > 1:
            raise Problem("malformed_callback", f"{name} came more than once")
    response = AuthorizationResponse(
        args.get("state", ""), *(args.get(name) for name in AuthorizationResponse._fields[1:])
    )
    if not STATE.fullmatch(response.state):
        raise Problem("malformed_callback", "state is missing or not one of ours")
    return response


def check_authorization_response(response: AuthorizationResponse, metadata: Metadata) -> str:
    """Return the authorization code of a response whose `state` was found to be this browser's.

    `iss` before `error`: an error from somebody else is not believed either. Raises Problem.
    """
    # RFC 9207 section 2.4: compare if it is there; demand it where the metadata promises it.
    if response.iss is None and metadata.iss_parameter_promised:
        raise Problem("wrong_issuer", "iss is missing although the metadata promises it")
    if response.iss is not None and response.iss != metadata.issuer:
        raise Problem("wrong_issuer", f"iss is {response.iss[:200]!r}")
    if response.error is not None:
        code = PROBLEM_OF_ERROR.get(response.error, "request_refused")
        # The description is for the log and never for the page.
        detail = f"{response.error[:100]!r} {(response.error_description or '')[:300]!r}"
        raise Problem(code, detail, retry_after=60 if code == "provider_unreachable" else None)
    if not response.code or len(response.code) > MAX_CODE_LENGTH or not response.code.isprintable():
        raise Problem("malformed_callback", "code is missing or unusable")
    return response.code
