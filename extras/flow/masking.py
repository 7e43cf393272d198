"""What may be stored of a message: nothing of it is stored before it went through here.

A parameter or header is stored as it is only where it is listed; of any other value, a known secret
or not known at all, three characters are left.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError

from pages.words import pretty_json, printable

LONGEST_VALUE = 300
MOST_PAIRS = 40

Pairs = list[list[str]]

OPEN_PARAMETERS = frozenset((
    *("response_type", "client_id", "redirect_uri", "scope", "audience", "resource"),
    *("organization", "organization_name", "code_challenge", "code_challenge_method", "prompt"),
    *("max_age", "acr_values", "access_type", "screen_hint", "ui_locales", "return_to", "iss"),
    *("error", "grant_type", "client_assertion_type", "token_type_hint", "token_type"),
    *("expires_in", "post_logout_redirect_uri", "returnTo", "request_uri", "dpop_jkt"),
))  # fmt: skip
METADATA = (
    *("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint"),
    *("end_session_endpoint", "token_endpoint_auth_methods_supported"),
    *("code_challenge_methods_supported", "authorization_response_iss_parameter_supported"),
)
OPEN_HEADERS = frozenset((
    *("content-type", "origin", "sec-fetch-site", "retry-after", "www-authenticate"),
))  # fmt: skip
MASKED_CLAIMS = frozenset(("nonce",))


def mask(value: str) -> str:
    """The first three characters and five stars; fewer of what is so short that three tell much."""
    return printable(value[: min(3, len(value) // 4)]) + "*****" if value else ""


def shortened(value: Any) -> str:
    """A text as it is, all else as JSON on one line; cut where it is long."""
    text = value if isinstance(value, str) else " ".join(pretty_json(value).split())
    return printable(text, LONGEST_VALUE)


def parameters(values: Iterable[tuple[str, Any]]) -> Pairs:
    """Names and values as they may be stored."""
    return [[shortened(name), _parameter(name, value)] for name, value in [*values][:MOST_PAIRS]]


def _parameter(name: str, value: Any) -> str:
    text = shortened(value)
    # Where an address is stored, its query is not: it may carry anything.
    return re.sub(r"[?#].*", "?*****", text, flags=re.S) if name in OPEN_PARAMETERS else mask(text)


def headers(values: Iterable[tuple[str, str]]) -> Pairs:
    """The headers that matter, as they may be stored."""
    return [[name, text] for name, value in values for text in _header(name.lower(), value)]


def _header(name: str, value: str) -> list[str]:
    if name in OPEN_HEADERS:
        return [shortened(value)]
    if name == "authorization":
        scheme, _, credentials = value.partition(" ")
        return [f"{shortened(scheme)} {mask(credentials)}"]
    if name == "location":
        return [_parameter("redirect_uri", value)]
    if name in ("cookie", "set-cookie"):
        # Only the app's own: neighbours on the same host name have theirs.
        cookies = value.split("; ") if name == "cookie" else [value]
        return [_cookie(cookie) for cookie in cookies if re.match("(__Host-)?app_", cookie)]
    return []


def _cookie(text: str) -> str:
    name, _, rest = text.partition("=")
    value, semicolon, attributes = rest.partition(";")
    return shortened(f"{name}={mask(value)}{semicolon}{attributes}")


def token_claims(answer: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The claims of each token of a token response, as they may be stored, where it is a JWT."""
    found = {name: _claims(answer.get(name)) for name in ("id_token", "access_token")}
    return {name: claims for name, claims in found.items() if claims}


def _claims(token: Any) -> dict[str, Any]:
    try:
        items = list(json.loads(jws.extract_compact(token.encode()).payload).items())[:MOST_PAIRS]
    except (JoseError, ValueError, AttributeError, RecursionError):
        return {}  # opaque
    return {shortened(name): _claim(name, value) for name, value in items}


def _claim(name: str, value: Any) -> Any:
    if name in MASKED_CLAIMS:
        return mask(shortened(value))
    is_number = isinstance(value, int | float)
    return value if is_number else shortened(value)
