"""Steps 2 and 4: exchange the code, exchange the refresh token; and revoke it at the end.

RFC 6749 sections 4.1.3, 5 and 6; RFC 7009.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from typing import Any

from .attempt import Attempt
from .client_auth import client_authentication
from .errors import Problem
from .outbound import Answer, AnswerTooLarge, NoAnswer
from .provider import asking_the_provider
from .relying_party import RelyingParty
from .token_set import TokenSet

REVOCATION_SECONDS = 3.0
MAX_TOKEN_LENGTH = 16_384


# No answer, 429, or an error of the provider's own: the grant may still be good.
UNAVAILABLE = ("provider_unreachable", "provider_timeout", "provider_error")


class GrantRefused(Problem):
    """The provider will not give tokens for this code or refresh token (`invalid_grant`)."""

    def __init__(self, detail: str) -> None:
        super().__init__("code_refused", detail)


# A token set, and the ID token that came with it, None if none did. It is not verified.
Tokens = tuple[TokenSet, str | None]


def exchange_code(rp: RelyingParty, code: str, attempt: Attempt) -> Tokens:
    """Exchange an authorization code. Raises GrantRefused, Problem."""
    return _token_request(
        rp,
        {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": rp.settings.redirect_uri,
            "code_verifier": attempt.code_verifier,
        },
    )


def refresh_token_request(rp: RelyingParty, refresh_token: str, audience: str | None) -> Tokens:
    """Exchange a refresh token; `audience` names another API than the one it was issued for.

    Raises GrantRefused, Problem (of the codes in UNAVAILABLE where it may be tried again).
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if audience:
        form[rp.settings.resource_parameter] = audience
    return _token_request(rp, form)


def revoke(rp: RelyingParty, refresh_token: str) -> bool:
    """Revoke a refresh token (RFC 7009 section 2.1); say whether the provider confirmed it.

    Never raises: a sign-out goes on whatever the provider does.
    """
    try:
        metadata = rp.provider.metadata()
        if metadata.revocation_endpoint is None:
            return False
        form, headers = client_authentication(
            rp.settings, metadata.revocation_endpoint_auth_methods
        )
        form |= {"token": refresh_token, "token_type_hint": "refresh_token"}
        answer = rp.outbound.post(
            metadata.revocation_endpoint, form, headers, seconds=REVOCATION_SECONDS
        )
    except (Problem, NoAnswer, AnswerTooLarge):
        return False
    return answer.status == 200


def revoke_all(rp: RelyingParty, refresh_tokens: Iterable[str | None]) -> None:
    """Revoke those that there are."""
    for refresh_token in refresh_tokens:
        if refresh_token:
            revoke(rp, refresh_token)


def _token_request(rp: RelyingParty, form: dict[str, str]) -> Tokens:
    metadata = rp.provider.metadata()
    credentials, headers = client_authentication(rp.settings, metadata.token_endpoint_auth_methods)
    with asking_the_provider(too_large="bad_token_response"):
        answer = rp.outbound.post(metadata.token_endpoint, form | credentials, headers)
    if answer.status != 200:
        raise _refusal(answer)
    return _token_response(answer, from_sign_in=form["grant_type"] == "authorization_code")


def _refusal(answer: Answer) -> Problem:
    """What an error answer means (RFC 6749 section 5.2), be it empty, HTML or JSON."""
    error = answer.json_object().get("error")
    detail = f"status {answer.status}, error {str(error)[:100]!r}"
    if error == "invalid_grant":
        return GrantRefused(detail)
    if answer.status == 429:
        return Problem("provider_unreachable", detail, retry_after=retry_after_seconds(answer))
    if answer.status >= 500:
        return Problem("provider_error", detail, retry_after=retry_after_seconds(answer))
    if error in ("invalid_client", "unauthorized_client") or answer.status == 401:
        return Problem("request_refused", detail)
    if answer.status in (403, 404, 408) and error is None:
        # Not the provider's token endpoint speaks, but something in front of it.
        return Problem("provider_error", detail, retry_after=retry_after_seconds(answer))
    if 400 <= answer.status < 500 and error != "invalid_request":
        # `invalid_target` (RFC 8707), `invalid_scope`, or a refusal in no known words.
        return GrantRefused(detail)
    return Problem("bad_token_response", detail)


def _token_response(answer: Answer, *, from_sign_in: bool) -> Tokens:
    """The tokens of a successful answer (RFC 6749 section 5.1); what did not come, or made no sense
    where the flow can go on without it, is None."""
    media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise Problem("bad_token_response", f"content type {media_type[:100]!r}")
    data = answer.json_object()
    if data.get("error") == "invalid_grant":
        raise GrantRefused("status 200, error 'invalid_grant'")
    # RFC 6749 section 7.1: a token of a type that we do not know must not be used.
    if str(data.get("token_type", "")).lower() != "bearer":
        raise Problem("bad_token_response", f"token_type {str(data.get('token_type'))[:100]!r}")
    access_token = _token(data, "access_token")
    if access_token is None:
        raise Problem("bad_token_response", "no access token")
    now, seconds = time.time(), _expires_in(data.get("expires_in"))
    tokens = TokenSet(
        access_token=access_token,
        obtained_at=now,
        expires_at=now + seconds if seconds else None,
        scope=data["scope"].split() if isinstance(data.get("scope"), str) else None,
        refresh_token=_token(data, "refresh_token"),
        from_sign_in=from_sign_in,
    )
    return tokens, _token(data, "id_token")


def _token(data: dict[str, Any], name: str) -> str | None:
    """A token that can be stored and, as a header, sent (RFC 6750 section 2.1)."""
    token = data.get(name)
    if not isinstance(token, str) or not 0 < len(token) <= MAX_TOKEN_LENGTH:
        return None
    return token if token.isascii() and token.isprintable() and " " not in token else None


def _expires_in(value: object) -> float | None:
    """Seconds, where they make sense: some providers send a string, some a negative number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds < 10**10 else None


def retry_after_seconds(answer: Answer) -> int:
    """The seconds that `Retry-After` asks for, 1 to 300; 5 where it says nothing of use."""
    value = answer.headers.get("Retry-After", "").strip()
    # Python refuses to read a number of thousands of digits.
    return min(max(int(value[:9]), 1), 300) if value.isascii() and value.isdigit() else 5
