"""Step 3, call the API: base URL, access token and time limit are set here and nowhere else.

Every response becomes a value or one of a few errors; the token goes to the configured host only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from config import is_scope_token

from .access_control import needed_sign_in
from .errors import Error, SignInNeeded
from .http_client import API, Response, parse_json
from .refresh import access_token, note_refusal
from .relying_party import relying_party

API_SECONDS = 8.0
# What the view shows beside its form: the API says what is wrong with what was sent.
ABOUT_INPUT = (400, 409, 422)
# More than this is nothing that a page could show.
MAX_SCOPE_LENGTH = 300


class ApiResponse(NamedTuple):
    """The status, and the decoded JSON (None where there is no body)."""

    status: int
    data: Any

    @property
    def ok(self) -> bool:
        """Whether the API did what was asked; otherwise `data` says what is wrong with it."""
        return 200 <= self.status < 300


def call_api(
    method: str,
    path: str,
    *,
    json: Any = None,
    params: Mapping[str, str] | None = None,
    audience: str | None = None,
    base_url: str | None = None,
    idempotency_key: str | None = None,
) -> ApiResponse:
    """Call `{base_url}{path}` with an access token; return the response if its status is 2xx, or
    400, 409, 422, which are about the input.

    `base_url` and `audience` are the API's, where it is not the configured one. A refused token
    (401) is refreshed once, and the request sent again: the API has not acted on it. Raises Error,
    SignInNeeded; ValueError for a path without `/`, which could lead to another host.
    """
    if not path.startswith("/"):
        raise ValueError("path does not begin with /")
    rp = relying_party()
    url = base_url or rp.settings.api_base_url
    if url is None:
        raise Error("api_not_configured")
    headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
    content = {"json": json, "params": params, "codes": API}

    def send(token: str) -> Response:
        return rp.send(
            method, url + path, lambda: (headers, content),
            dpop_key=needed_sign_in().dpop_key, access_token=token, seconds=API_SECONDS,
        )  # fmt: skip

    token = access_token(audience)
    response = send(token)
    if response.status == 401 and (newer := access_token(audience, refused=token)) != token:
        response = send(newer)
        if response.status == 401:
            note_refusal(audience or "", newer)
    return _checked(response, audience, f"{method} {path.partition('?')[0]}")


def _checked(response: Response, audience: str | None, what: str) -> ApiResponse:
    status, detail = response.status, f"status {response.status} to {what}"
    if status == 401:
        tokens = needed_sign_in().token_sets.get(audience or "")
        if audience and tokens and not tokens.from_sign_in:
            # Some providers ignore `audience` in a refresh and give a token for another API. Only a
            # sign-in for this one helps; once.
            raise SignInNeeded("the API refused a token got by refresh", audience=audience)
        challenge = response.headers.get("WWW-Authenticate", "")[:300]
        raise Error("api_refused_token", f"{detail} with a fresh access token: {challenge!r}")
    if status == 403:
        raise _forbidden(response, detail)
    if status == 404:
        raise Error("not_found", detail)
    if status == 429 or (status == 503 and "Retry-After" in response.headers):
        raise Error("api_busy", detail, retry_after=response.retry_after())
    if status >= 500:
        raise Error("api_failed", detail)
    if not 200 <= status < 300 and status not in ABOUT_INPUT:
        # A redirect too: the token would go with it to who knows where.
        raise Error("api_bad_answer", detail)
    try:
        return ApiResponse(status, parse_json(response.body) if response.body else None)
    except ValueError:
        raise Error("api_bad_answer", f"{detail}: not JSON") from None


def _forbidden(response: Response, detail: str) -> Error:
    """RFC 6750 section 3.1: `insufficient_scope` may name the scope that is missing."""
    challenge = response.headers.get("WWW-Authenticate", "")
    # RFC 9110 section 11.2: the value of a parameter is a token, or a quoted string.
    values = re.findall(r'\b(\w++)\s*+=\s*+(?:"((?:[^"\\]|\\.)*+)"|([^\s",]++))', challenge)
    parameters = {name.lower(): quoted or token for name, quoted, token in values}
    if parameters.get("error") != "insufficient_scope":
        return Error("api_refused", detail)
    scope = parameters.get("scope", "").split()
    usable = all(map(is_scope_token, scope)) and len(" ".join(scope)) <= MAX_SCOPE_LENGTH
    return Error("insufficient_scope", detail, scope=" ".join(scope) if usable else None)
