"""Steps 2 and 4: exchange the code, exchange the refresh token; and revoke it at the end.

RFC 6749 sections 4.1.3, 5 and 6; RFC 7009.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from functools import partial
from typing import Any
from urllib.parse import urlencode

from . import signals
from .client_authentication import BASIC
from .dpop import Jwk
from .errors import Error
from .http_client import TOTAL_SECONDS, Response
from .relying_party import RelyingParty
from .token_set import TokenSet

REVOCATION_SECONDS = 3.0
# In bytes. Access tokens travel in headers, which few servers take above 16 KB.
LONGEST = {"access_token": 16_384, "refresh_token": 16_384, "id_token": 65_536}
# No response, 429, or an error of the provider's own: the grant may still be good.
UNAVAILABLE = ("provider_unreachable", "provider_timeout", "provider_error")


class GrantRefused(Error):
    """The provider will not give tokens for this code or refresh token (`invalid_grant`)."""

    def __init__(self, detail: str) -> None:
        super().__init__("code_refused", detail)


# A token set, and the ID token that came with it, None if none did. It is not verified.
Tokens = tuple[TokenSet, str | None]


def exchange_code(rp: RelyingParty, code: str, code_verifier: str, dpop_key: Jwk | None) -> Tokens:
    """Exchange an authorization code. Raises GrantRefused, Error."""
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": code_verifier}
    return _token_request(rp, form | {"redirect_uri": rp.settings.redirect_uri}, dpop_key)


def refresh_token_request(
    rp: RelyingParty, refresh_token: str, audience: str | None, dpop_key: Jwk | None
) -> Tokens:
    """Exchange a refresh token; `audience` names another API than the one it was issued for.

    Raises GrantRefused, Error (of the codes in UNAVAILABLE where it may be tried again).
    """
    form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    if audience:
        form[rp.settings.resource_parameter] = audience
    return _token_request(rp, form, dpop_key)


def authenticated_post(
    rp: RelyingParty,
    endpoint: str,
    form: dict[str, str],
    *,
    dpop_key: Jwk | None = None,
    seconds: float = TOTAL_SECONDS,
) -> Response:
    """POST a form to an endpoint of the provider, with client authentication. Where it refuses the
    client, the next method is tried; `seconds` are for all of it. Raises Error."""
    metadata = rp.provider.metadata()
    authentication = rp.client_authentication
    methods = authentication.methods(metadata, endpoint)
    deadline = time.monotonic() + seconds
    for method in methods:
        # The other methods bring it themselves.
        body = urlencode({k: v for k, v in form.items() if k != "client_id" or method == BASIC})
        prepare = partial(authentication.prepare, method, metadata, endpoint, body)
        left = deadline - time.monotonic()
        response = rp.send("POST", endpoint, prepare, dpop_key=dpop_key, seconds=left)
        if response.json_object().get("error") != "invalid_client":
            if method != methods[0]:
                authentication.accepted = method
            break
    return response


def revoke(rp: RelyingParty, refresh_token: str) -> bool:
    """Revoke a refresh token (RFC 7009 section 2.1); say whether the provider answered at all.

    Never raises: a sign-out goes on whatever the provider does. What it refuses is signalled.
    """
    ok, has_answered = False, False
    try:
        endpoint = rp.provider.metadata().revocation_endpoint
        if endpoint is None:
            return True
        form = {"token": refresh_token, "token_type_hint": "refresh_token"}
        response = authenticated_post(rp, endpoint, form, seconds=REVOCATION_SECONDS)
        ok, has_answered, detail = response.status == 200, True, error_of(response)
    except Error as error:
        detail = str(error)
    signals.revoked.send(rp, ok=ok, detail="" if ok else detail)
    return has_answered


def revoke_all(rp: RelyingParty, refresh_tokens: Iterable[str | None]) -> None:
    """Revoke those that there are. A provider that is away is waited for once."""
    for refresh_token in refresh_tokens:
        if refresh_token and not revoke(rp, refresh_token):
            return


def error_of(response: Response) -> str:
    """Return what an error response says, for the log (RFC 6749 section 5.2)."""
    data = response.json_object()
    said = [str(data[name])[:300] for name in ("error", "error_description") if name in data]
    return f"status {response.status}, {', '.join(map(repr, said)) or 'no error named'}"


def _token_request(rp: RelyingParty, form: dict[str, str], dpop_key: Jwk | None) -> Tokens:
    endpoint = rp.provider.metadata().token_endpoint
    response = authenticated_post(rp, endpoint, form, dpop_key=dpop_key)
    if response.status != 200:
        raise _refusal(response)
    from_sign_in = form["grant_type"] == "authorization_code"
    return _token_response(response, "dpop" if dpop_key else "bearer", from_sign_in=from_sign_in)


def _refusal(response: Response) -> Error:
    """What an error response means (RFC 6749 section 5.2), even an empty one, or HTML."""
    error, status, detail = response.json_object().get("error"), response.status, error_of(response)
    if error == "invalid_grant":
        return GrantRefused(detail)
    if status == 429:
        return Error("provider_unreachable", detail, retry_after=response.retry_after())
    # Without an error, something in front of the token endpoint speaks.
    if status >= 500 or (status in (403, 404, 408) and error is None):
        return Error("provider_error", detail, retry_after=response.retry_after())
    if error in ("invalid_client", "unauthorized_client") or status == 401:
        return Error("request_refused", detail)
    if 400 <= status < 500 and error != "invalid_request":
        # `invalid_target` (RFC 8707), `invalid_scope`, or a refusal in no known words.
        return GrantRefused(detail)
    return Error("bad_token_response", detail)


def _token_response(response: Response, token_type: str, *, from_sign_in: bool) -> Tokens:
    """The tokens of a successful response (RFC 6749 section 5.1); what did not come, or made no
    sense where the flow can go on without it, is None."""
    if response.media_type != "application/json":
        raise Error("bad_token_response", f"content type {response.media_type[:100]!r}")
    data = response.json_object()
    if data.get("error") == "invalid_grant":
        raise GrantRefused(error_of(response))
    # RFC 6749 section 7.1: a token of a type that we do not know must not be used.
    if str(data.get("token_type", "")).lower() != token_type:
        raise Error("bad_token_response", f"token_type {str(data.get('token_type'))[:100]!r}")
    access_token = _token(data, "access_token")
    if access_token is None:
        raise Error("bad_token_response", "no access token")
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
    """A token that can be stored and sent. A refresh token travels in forms and may have spaces
    (RFC 6749 appendix A.17), the others in headers (RFC 6750 section 2.1). Raises Error for one
    that is too large."""
    token = data.get(name)
    if not isinstance(token, str) or not token:
        return None
    if len(token) > LONGEST[name]:
        size = f"{len(token):,} bytes, more than {LONGEST[name]:,}"
        raise Error("bad_token_response", f"{name} has {size}")
    has_spaces = " " in token and name != "refresh_token"
    return token if token.isascii() and token.isprintable() and not has_spaces else None


def _expires_in(value: object) -> float | None:
    """Seconds, where they make sense: some providers send a string, some a negative number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        seconds = float(value)
    except (ValueError, OverflowError):
        return None
    return seconds if math.isfinite(seconds) and 0 < seconds < 10**10 else None
