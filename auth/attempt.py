"""One attempt to sign in, from `/login` to `/callback`, kept in a cookie of its own.

Sealed, because it holds the code verifier; one cookie an attempt, so that any number of tabs can
sign in side by side; never in the session store, which visitors could otherwise fill.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
import time

import msgspec
from flask import Request
from werkzeug.wrappers import Response

from .errors import Problem
from .relying_party import RelyingParty

LIFETIME_SECONDS = 600
MOST_ATTEMPTS = 5
# Browsers drop a cookie that is larger than 4096 bytes with its name and attributes.
LARGEST_COOKIE = 3900
# Together they must leave room for other cookies in a header of 8 kB. Five fit whose `return_to` is
# of 600 characters; a longer one (return_to.py has the limit) may take the oldest ones' place.
MOST_BYTES = 6000
# Whoever filled the jar with cookies of such names gets no endless answer.
MOST_DELETED = 20
# Machines that share the work may differ by so much.
CLOCK_SKEW_SECONDS = 60

STATE = re.compile(r"[A-Za-z0-9_-]{43}")
COOKIE = re.compile(r"(?:__Host-)?app_sign_in_([0-9a-f]{8})_([A-Za-z0-9_-]{8})")


class Attempt(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """What `/callback` must know of the authorization request. `created_at` in seconds, UTC."""

    state: str
    nonce: str
    code_verifier: str
    created_at: int
    return_to: str
    scope: list[str]
    organization: str | None = None
    audience: str | None = None
    max_age: int | None = None
    acr_values: str | None = None

    def __repr__(self) -> str:
        """Without values: they are secrets."""
        return "<Attempt>"


# Made before there are threads: msgspec crashes where two of them use a class for the first time.
_decoder = msgspec.json.Decoder(Attempt)


def new_secret() -> str:
    """Return 32 random octets in base64url.

    RFC 7636 section 4.1: a code verifier has 43 characters at least; this gives exactly 43.
    RFC 6749 section 10.10: nobody must be able to guess a state (or nonce).
    """
    return secrets.token_urlsafe(32)


def remember_attempt(
    rp: RelyingParty, request: Request, response: Response, attempt: Attempt
) -> None:
    """Give the browser the attempt's cookie, and take away what is old or too much."""
    name = _cookie_name(rp, attempt)
    sealed = rp.sealer.seal(msgspec.json.encode(attempt), bound_to=name)
    value = base64.urlsafe_b64encode(sealed).decode().rstrip("=")
    if len(value) > LARGEST_COOKIE:
        raise Problem("bad_request", "the parameters of this sign-in do not fit into a cookie")
    _sweep(rp, request, response, room=MOST_BYTES - len(value))
    response.set_cookie(
        name,
        value,
        max_age=LIFETIME_SECONDS,
        secure=rp.settings.is_https,
        httponly=True,
        # Lax, not Strict: the provider's redirect to /callback comes from another site.
        samesite="Lax",
    )


def find_attempt(rp: RelyingParty, request: Request, state: str) -> Attempt | None:
    """Return this browser's living attempt with that state, None if there is none."""
    for name, value in request.cookies.items():
        match = COOKIE.fullmatch(name)
        if match is None or match[2] != state[:8]:
            continue
        attempt = _opened(rp, name, value)
        if attempt and hmac.compare_digest(attempt.state, state):
            return attempt if _is_living(attempt.created_at) else None
    return None


def forget_attempt(rp: RelyingParty, response: Response, attempt: Attempt) -> None:
    """Take the attempt's cookie away: each attempt works once."""
    _delete(rp, response, _cookie_name(rp, attempt))


def _is_living(created_at: int) -> bool:
    return -CLOCK_SKEW_SECONDS < time.time() - created_at < LIFETIME_SECONDS


def _opened(rp: RelyingParty, name: str, value: str) -> Attempt | None:
    try:
        sealed = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        opened = rp.sealer.open(sealed, bound_to=name)
        return _decoder.decode(opened[0]) if opened else None
    except (binascii.Error, ValueError):
        return None


def _sweep(rp: RelyingParty, request: Request, response: Response, room: int) -> None:
    """Delete the cookies of attempts that are over, and the oldest where there is no room.

    What cannot be opened takes nobody's place: another app at this host name made it, or somebody
    who wants to be in the way.
    """
    begins = _prefix(rp)
    names = sorted((name for name in request.cookies if name.startswith(begins)), reverse=True)
    kept, over = 1, []
    for name in names:  # the time of creation leads in the name: newest first
        match, value = COOKIE.fullmatch(name), request.cookies[name]
        if match is None or not _is_living(int(match[1], 16)):
            over.append(name)
        elif _opened(rp, name, value):
            room -= len(value)
            if room < 0 or kept >= MOST_ATTEMPTS:
                over.append(name)
            kept += 1
    for name in over[:MOST_DELETED]:
        _delete(rp, response, name)


def _delete(rp: RelyingParty, response: Response, name: str) -> None:
    # With Secure where it was set with Secure: browsers keep a __Host- cookie otherwise.
    response.delete_cookie(name, secure=rp.settings.is_https, httponly=True, samesite="Lax")


def _prefix(rp: RelyingParty) -> str:
    return "__Host-app_sign_in_" if rp.settings.is_https else "app_sign_in_"


def _cookie_name(rp: RelyingParty, attempt: Attempt) -> str:
    return f"{_prefix(rp)}{attempt.created_at:08x}_{attempt.state[:8]}"
