"""The one door to the protected API: base URL, access token and time limit are set here.

Every answer becomes data or one of a few problems; the token goes to the configured host only.
"""

from __future__ import annotations

import re
from typing import Any

from auth import Problem, SignInNeeded, access_token, current_sign_in, relying_party
from auth.access import refreshed_in_vain
from auth.outbound import Answer, AnswerTooLarge, AnswerTooSlow, NoAnswer
from auth.token_endpoint import retry_after_seconds

API_SECONDS = 8.0


def call_api(base_url: str | None, path: str, audience: str | None = None) -> Any:
    """Return the decoded JSON of `GET {base_url}{path}`, called with an access token.

    `audience` is the API's, where it is not the one configured as AUTH0_AUDIENCE. A refused token
    (401) is refreshed once, and the call made once more with the new one.

    Raises Problem, SignInNeeded.
    """
    if base_url is None:
        raise Problem("api_not_configured")
    try:
        token = access_token(audience)
        answer = _get(base_url + path, token)
        if answer.status == 401:
            renewed = access_token(audience, refused=token)
            if renewed != token:
                answer = _get(base_url + path, renewed)
                if answer.status == 401:
                    refreshed_in_vain(audience)
        return _data(answer, audience)
    except Problem as problem:
        problem.detail += f" for the API's {path.partition('?')[0]}"  # in the log
        raise


def _get(url: str, token: str) -> Answer:
    # RFC 6750 section 2.1: as a header; section 5.3: never in a URL.
    headers = {"Authorization": f"Bearer {token}"}
    try:
        return relying_party().outbound.get(url, headers, seconds=API_SECONDS)
    except AnswerTooSlow as error:
        raise Problem("api_timeout", str(error), retry_after=5) from None
    except NoAnswer as error:
        raise Problem("api_unreachable", str(error), retry_after=5) from None
    except AnswerTooLarge:
        raise Problem("api_bad_answer", "larger than this app reads") from None


def _data(answer: Answer, audience: str | None) -> Any:
    if answer.status == 401:
        _ask_again_for(audience)
        raise Problem("api_refused_token", "401 to a fresh access token")
    if answer.status == 403:
        raise _forbidden(answer)
    if answer.status == 429:
        raise Problem("api_busy", "429", retry_after=retry_after_seconds(answer))
    if answer.status >= 500:
        raise Problem("api_failed", f"status {answer.status}")
    if answer.status != 200:
        # A redirect too: the token would go with it to who knows where.
        raise Problem("api_bad_answer", f"status {answer.status}")
    try:
        return answer.json()
    except (ValueError, RecursionError):
        raise Problem("api_bad_answer", "not JSON") from None


def _ask_again_for(audience: str | None) -> None:
    """Where the provider gave a token for another API than it was asked for (some ignore
    `audience` in a refresh), only a sign-in for this API helps; once."""
    sign_in = current_sign_in()
    tokens = sign_in.token_sets.get(audience or "") if sign_in else None
    if audience and tokens and not tokens.from_sign_in:
        raise SignInNeeded("the API refused a token got by refresh", audience=audience)


def _forbidden(answer: Answer) -> Problem:
    """RFC 6750 section 3.1: `insufficient_scope` may name the scope that is missing."""
    challenge = answer.headers.get("WWW-Authenticate", "")
    if not re.search(r'error\s*=\s*"?insufficient_scope\b', challenge):
        return Problem("api_refused", "403")
    scope = re.search(r'\bscope\s*=\s*"([\x20\x21\x23-\x5B\x5D-\x7E]{1,300})"', challenge)
    return Problem("insufficient_scope", "403", scope=scope[1].strip() if scope else None)
