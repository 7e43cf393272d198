"""A sign-in in progress, from `/login` to `/callback`: all of it is in `state`.

`state` is encrypted and authenticated, and bound to one cookie of fixed size that all tabs share.
Nonce and code verifier are derived from the cookie's secret, so nothing else is stored, neither
in the browser nor here: any number of sign-ins can be in progress, and nothing has to be swept.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from urllib.parse import quote, unquote

from flask import Request
from werkzeug.wrappers import Response

from config import Settings
from sessions import Encryptor, base64url

LIFETIME_SECONDS = 3600
# Clocks of several machines may differ by this much.
CLOCK_SKEW_SECONDS = 60
# Some providers refuse a long `state`, or query strings over 2,048 characters.
MAX_STATE_LENGTH = 1200
MAX_RETURN_TO_LENGTH = 750
# Two sign-ins of one browser within this time, the second without the session of the first, mean
# that the browser or the store loses sessions.
LOOP_SECONDS = 15
# The secret, and when this browser finished its last sign-in (hexadecimal seconds).
COOKIE = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9a-f]{8})")
# Signing in only to sign out, or to sign in again, is nobody's wish; the others are not pages.
NOT_A_PAGE = re.compile(r"/(login|callback|logout|backchannel-logout|language)(/|$)")


@dataclass(frozen=True, repr=False)
class BrowserSecret:
    """The sign-in cookie: 32 random bytes, and when this browser last finished a sign-in."""

    secret: str
    finished_at: int = 0

    @classmethod
    def from_request(cls, request: Request, settings: Settings) -> BrowserSecret | None:
        """Return that of the browser, None if it sent none."""
        match = COOKIE.fullmatch(request.cookies.get(settings.cookie_name("sign_in"), ""))
        return cls(match[1], int(match[2], 16)) if match else None

    @classmethod
    def new(cls) -> BrowserSecret:
        """Return a new one."""
        return cls(secrets.token_urlsafe(32))

    def set_cookie(self, response: Response, settings: Settings, finished_at: int) -> None:
        """Give it to the browser for an hour, with the time of the sign-in that was finished."""
        response.set_cookie(
            settings.cookie_name("sign_in"),
            f"{self.secret}.{finished_at & 0xFFFFFFFF:08x}",
            max_age=LIFETIME_SECONDS,
            **settings.cookie_attributes,
        )

    def derived(self, use: str, transaction_id: str) -> str:
        """Return what is derived for a use: 32 octets in base64url.

        RFC 7636 section 4.1: a code verifier has 43 characters at least; this gives exactly 43.
        """
        text = f"{use} {transaction_id}".encode()
        return base64url(hmac.digest(self.secret.encode(), text, "sha256"))

    def fingerprint(self) -> str:
        """Return a hash, by which a `state` names the browser that it belongs to."""
        return base64url(hashlib.sha256(self.secret.encode()).digest()[:12])

    def is_looping(self) -> bool:
        """Whether this browser finished another sign-in a moment ago."""
        return 0 <= time.time() - self.finished_at < LOOP_SECONDS


@dataclass(frozen=True, repr=False)
class LoginTransaction:
    """What `/callback` must know of the authorization request. `created_at` in seconds, UTC;
    `scope` are the scopes beyond the configured ones, separated by spaces."""

    id: str
    browser: str
    created_at: int
    return_to: str
    scope: str | None = None
    organization: str | None = None
    audience: str | None = None
    max_age: int | None = None
    acr_values: str | None = None

    def to_state(self, encryptor: Encryptor) -> str:
        """Return the value of `state`. RFC 6749 section 10.10: nobody can guess it."""
        values = list(vars(self).values())
        while values[-1] is None:
            values.pop()
        plaintext = json.dumps(values, separators=(",", ":"), ensure_ascii=False).encode()
        return encryptor.encrypt_text(plaintext, bound_to="state")

    @classmethod
    def from_state(cls, encryptor: Encryptor, state: str) -> LoginTransaction | None:
        """Return the transaction of a `state`, None if we did not make it."""
        plaintext = encryptor.decrypt_text(state, bound_to="state")
        if plaintext is None:
            return None
        try:
            return cls(*json.loads(plaintext))
        except (ValueError, TypeError):
            return None  # of another version of this app

    def belongs_to(self, browser: BrowserSecret) -> bool:
        """Whether it was begun in this browser, not long ago."""
        is_same = hmac.compare_digest(browser.fingerprint(), self.browser)
        return is_same and -CLOCK_SKEW_SECONDS < time.time() - self.created_at < LIFETIME_SECONDS


def safe_return_to(text: str | None) -> str | None:
    """Return `text` if it is a path (with query) inside this app, else None.

    RFC 9700 section 4.11: an open redirector would lend this app's name to a phishing page.
    Browsers read a backslash as a slash and drop tabs and line breaks, so nothing that any layer
    could read as a host passes, however often it is percent-encoded.
    """
    if not text or not text.isprintable():
        return None
    path = text.partition("#")[0].partition("?")[0]
    for _ in range(4):
        if not _is_plain_path(path):
            return None
        path, encoded = unquote(path), path
        if path == encoded:
            break
    else:
        return None
    if NOT_A_PAGE.match(path):
        return None
    # Characters beyond ASCII, as a browser would write them into the address.
    address = quote(text, safe="/?#[]@!$&'()*+,;=:%-._~")
    return address if len(address) <= MAX_RETURN_TO_LENGTH else None


def _is_plain_path(path: str) -> bool:
    if not path.startswith("/") or "//" in path or "\\" in path or not path.isprintable():
        return False
    return not any(segment in (".", "..") for segment in path.split("/"))
