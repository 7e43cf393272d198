"""What may be stored of a message: nothing of it is before it went through here.

A parameter or header is stored as it is only where it is listed; of any other value, a known secret
or not known at all, three characters are left.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any

from auth import http_client

LONGEST_VALUE = 300
MAX_PAIRS = 40

Pairs = list[list[str]]

OPEN_PARAMETERS = frozenset((
    "response_type", "client_id", "redirect_uri", "scope", "audience", "resource", "organization",
    "organization_name", "code_challenge", "code_challenge_method", "prompt", "max_age",
    "acr_values", "access_type", "screen_hint", "ui_locales", "return_to", "iss", "error",
    "grant_type", "client_assertion_type", "token_type_hint", "token_type", "expires_in",
    "post_logout_redirect_uri", "returnTo", "dpop_jkt", "connection",
))  # fmt: skip
METADATA = (
    "issuer", "authorization_endpoint", "token_endpoint", "jwks_uri", "revocation_endpoint",
    "end_session_endpoint", "pushed_authorization_request_endpoint",
    "token_endpoint_auth_methods_supported", "code_challenge_methods_supported",
    "authorization_response_iss_parameter_supported",
)  # fmt: skip
OPEN_HEADERS = ("content-type", "origin", "sec-fetch-site", "retry-after", "www-authenticate")


def mask(value: str) -> str:
    """Return the first three characters and five stars; fewer where three would tell much."""
    return value[: min(3, len(value) // 4)] + "*****" if value else ""


def shortened(value: Any) -> str:
    """Return a text as it is, all else as JSON; cut where it is long."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"


def parameters(values: Iterable[tuple[str, Any]]) -> Pairs:
    """Return names and values as they may be stored."""
    return [[shortened(name), _parameter(name, value)] for name, value in [*values][:MAX_PAIRS]]


def _parameter(name: str, value: Any) -> str:
    text = shortened(value)
    # Of an address the query is masked: it may carry anything.
    return re.sub(r"[?#].*", "?*****", text, flags=re.S) if name in OPEN_PARAMETERS else mask(text)


def headers(values: Iterable[tuple[str, str]]) -> Pairs:
    """Return the headers that matter, as they may be stored."""
    return [[name, text] for name, value in values for text in _header(name.lower(), value)]


def _header(name: str, value: str) -> list[str]:
    if name in OPEN_HEADERS:
        return [shortened(value)]
    if name == "authorization":
        scheme, _, credentials = value.partition(" ")
        return [f"{shortened(scheme)} {mask(credentials)}"]
    if name == "dpop":
        return [mask(value)]
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


def token_claims(response: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the claims of each token of a token response, as they may be stored, where it is a
    JWT. Nothing is verified: this is what came."""
    found = {}
    for name in ("id_token", "access_token"):
        with suppress(ValueError, IndexError):  # opaque
            payload = str(response.get(name)).split(".")[1]
            claims = http_client.parse_json(base64.urlsafe_b64decode(f"{payload}=="))
            if isinstance(claims, dict):
                found[name] = dict(_claim(*item) for item in [*claims.items()][:MAX_PAIRS])
    return found


def _claim(name: str, value: Any) -> tuple[str, Any]:
    if isinstance(value, int | float):
        return shortened(name), value
    return shortened(name), mask(shortened(value)) if name == "nonce" else shortened(value)
