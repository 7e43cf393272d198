"""Times, scopes and browsers in words, in the language of the request; the templates' filters."""

from __future__ import annotations

import re
import time
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from babel.dates import format_date, format_time, format_timedelta
from flask import Flask
from jinja2 import pass_environment
from markupsafe import Markup, escape

from auth.browser import UNKNOWN_BROWSER
from languages import LANGUAGES, N_, Environment, gettext, language


def init_app(app: Flask) -> None:
    """Give the templates their filters."""
    app.add_template_filter(moment)
    app.add_template_filter(scope_words)
    app.add_template_filter(browser_words)


# Times


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_DATE_TIME = re.compile(_DATE.pattern + "[Tt ]" + _TIME + "([Zz]|[+-][0-9]{2}:?[0-9]{2})?")


@pass_environment
def moment(environment: Environment, at: datetime | None) -> Markup:
    """A moment as a `<time>` element: `23 November 2026, 14:05 UTC (in 5 minutes)`; nothing for
    None. Always UTC, and says so: the server cannot know where the person is."""
    if at is None:
        return Markup()
    tag = environment.language or language()
    at = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    words = _words_of_moment(tag, at.replace(second=0, microsecond=0))
    distance = _distance(tag, at.timestamp() - time.time())
    iso = at.isoformat(timespec="seconds")
    text = escape(_pattern(tag) % {"moment": words, "distance": distance})
    return Markup(f'<time datetime="{iso}">{text}</time>')  # noqa: S704  # escaped


@lru_cache
def _pattern(tag: str) -> str:
    """How the two stand side by side in the language of the request, which `tag` names."""
    return gettext("%(moment)s (%(distance)s)")


def moment_of(value: object) -> datetime | None:
    """The moment behind a NumericDate (RFC 7519 section 2) or an ISO 8601 text with a zone."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):  # NaN, infinity, years beyond the calendar
            return None
    moment = parsed(value) if isinstance(value, str) else None
    return moment if isinstance(moment, datetime) and moment.tzinfo else None


def parsed(text: str) -> datetime | date | None:
    """The date or date-time that the whole text is, or None; with a zone, it is given in UTC."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if not _DATE_TIME.fullmatch(text):
            return None
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # 30 February, and the edges of the calendar
        return None


def in_words(moment: datetime | date) -> str:
    """The day and, where there is one, the time; the zone only where one was given."""
    if not isinstance(moment, datetime):
        return _words_of_moment(language(), moment)
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return _words_of_moment(language(), moment.replace(second=0, microsecond=0))


# A person's pages name the same few moments again and again, and Babel takes its time.
@lru_cache(maxsize=2048)
def _words_of_moment(tag: str, moment: datetime | date) -> str:
    here = LANGUAGES[tag].locale
    day = format_date(moment, "long", here)
    if not isinstance(moment, datetime):
        return day
    clock = format_time(moment, "HH:mm", locale=here)
    both = here.datetime_formats["medium"].format(clock, day)
    return f"{both} UTC" if moment.tzinfo else both


def _distance(tag: str, seconds: float) -> str:
    """`in 5 minutes`, `3 days ago`. A unit counts from two of it on: 90 minutes stay minutes."""
    whole = round(seconds)
    # From two minutes on, ten seconds more or less are not said.
    return _words_of_span(tag, whole if abs(whole) < 120 else round(whole, -1))


@lru_cache(maxsize=2048)
def _words_of_span(tag: str, seconds: int) -> str:
    if seconds == 0:
        return gettext("now")
    span = timedelta(seconds=seconds)
    return format_timedelta(span, threshold=2, add_direction=True, locale=LANGUAGES[tag].locale)


# Scopes


_SCOPES = {
    "openid": N_("Sign in here with your account"),
    "profile": N_("Show your name and profile"),
    "email": N_("Show your e-mail address"),
    "address": N_("Show your postal address"),
    "phone": N_("Show your phone number"),
    "offline_access": N_("Stay signed in without being asked again"),
    "appointments": N_("See your appointments"),
    "contacts": N_("See your contacts"),
}


@pass_environment
def scope_words(environment: Environment, scope: str) -> str:
    """What a scope is good for; nothing for one that this app does not know."""
    return _scopes(environment.language or language()).get(scope, "")


@lru_cache
def _scopes(tag: str) -> dict[str, str]:
    """All of them in the language of the request, which `tag` names."""
    return {scope: gettext(text) for scope, text in _SCOPES.items()}


# Browsers


def browser_words(stored: str) -> str:
    """What `auth/browser.py` noted at sign-in, `Firefox on Windows`, in the page's language."""
    browser, on, system = stored.partition(" on ")
    if browser == UNKNOWN_BROWSER:
        browser = gettext(UNKNOWN_BROWSER)
    return gettext("%(browser)s on %(system)s", browser=browser, system=system) if on else browser
