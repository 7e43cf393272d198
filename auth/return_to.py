"""`return_to`: where a person wanted to go. Only ever a path inside this app."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote

MAX_LENGTH = 2000

# Signing in only to sign out, or to sign in again, is nobody's wish; the last two are no pages.
NOT_A_PAGE = re.compile(r"/(login|callback|logout|backchannel-logout|language)(/|$)")


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
    return address if len(address) <= MAX_LENGTH else None


def _is_plain_path(path: str) -> bool:
    if not path.startswith("/") or "//" in path or "\\" in path or not path.isprintable():
        return False
    return not any(segment in (".", "..") for segment in path.split("/"))
