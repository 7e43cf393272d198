"""Text of others, times and scopes as pages show them; the templates' filters.

Whatever the JSON type, size or depth, it comes out as plain text that can be encoded as UTF-8, and
the templates escape it. Nothing of others is ever marked as safe HTML.
"""

from __future__ import annotations

import json
import time
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice

from flask import Flask, g
from flask_babel import format_date, format_time, format_timedelta, get_timezone, gettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup

LONGEST_TEXT = 50_000  # a claim's value, an API's answer
LONGEST_NAME = 120  # a person's name, a claim's name

# Control characters mean nothing in HTML, and NUL is an error there: show their pictures instead,
# which start at U+2400.
_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"}
_CONTROLS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)

_CLAIMS_OF_TIME = frozenset(("auth_time", "exp", "iat", "nbf", "updated_at", "session_expiry"))

_SCOPES = {
    "openid": _("Sign in here with your account"),
    "profile": _("Show your name and profile"),
    "email": _("Show your e-mail address"),
    "address": _("Show your postal address"),
    "phone": _("Show your phone number"),
    "offline_access": _("Stay signed in without being asked again"),
    "appointments": _("See your appointments"),
    "contacts": _("See your contacts"),
    "contacts:write": _("Add contacts"),
}

# The order matters: most browsers name their ancestors too.
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def init_app(app: Flask) -> None:
    """Give the templates their filters."""
    for template_filter in (browser_name, claim_time, moment, scope_words, shown):
        app.add_template_filter(template_filter)


def moment(value: object) -> Markup:
    """A moment as a `<time>` element, `23 November 2026, 14:05 (in 5 minutes)`, in the person's
    time zone, which the foot of the page then names; nothing for what is no moment."""
    at = parse_moment(value)
    if at is None:
        return Markup()
    g.time_zone = get_timezone()
    seconds = round(at.timestamp() - time.time())
    distance = gettext("now")
    if seconds:
        distance = format_timedelta(seconds, threshold=2, add_direction=True)
    text = gettext(
        "%(day)s, %(time)s (%(distance)s)",
        day=format_date(at, "long"),
        time=format_time(at, "HH:mm"),
        distance=Markup("<span>{}</span>").format(distance),  # on one line
    )
    iso = at.isoformat(timespec="seconds")
    return Markup(f'<time datetime="{iso}">{text}</time>')  # noqa: S704  # of Babel's words alone


def claim_time(value: object, name: str) -> Markup:
    """The moment that a claim of time names; nothing for any other claim."""
    return moment(value) if name in _CLAIMS_OF_TIME else Markup()


def parse_moment(value: object) -> datetime | None:
    """Return the moment behind a NumericDate (RFC 7519 section 2) or an ISO 8601 text; None where
    there is none, or at the edge of the calendar, which a time zone would push it over."""
    at = None
    with suppress(ValueError, OverflowError, OSError):  # NaN, years beyond the calendar
        if isinstance(value, int | float) and not isinstance(value, bool):
            at = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str) and "T" in value:
            at = datetime.fromisoformat(value)
            at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return at if at and 1 < at.year < 9999 else None


def scope_words(scope: str) -> str:
    """Return what a scope is good for; nothing for one that this app does not know."""
    return str(_SCOPES.get(scope, ""))


def shown(value: object) -> str:
    """Return any JSON value as text: a text as it is, all else as indented JSON."""
    if isinstance(value, str):
        return printable(value)
    pieces = json.JSONEncoder(ensure_ascii=False, indent=2, default=str).iterencode(value)
    return printable("".join(islice(pieces, LONGEST_TEXT + 1)))


def printable(text: str, limit: int = LONGEST_TEXT) -> str:
    """Return the text without control characters; what is too long is cut, and says so."""
    cut = text[:limit].translate(_CONTROLS)
    return cut if len(text) <= limit else cut + "… " + gettext("(too long to show in full)")


def browser_name(user_agent: str) -> str:
    """Return a browser in plain words, such as "Firefox on Windows"."""
    marked = (name for mark, name in _BROWSERS if mark in user_agent)
    browser = next(marked, str(gettext("Another browser")))
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    if system is None:
        return browser
    return str(gettext("%(browser)s on %(system)s", browser=browser, system=system))
