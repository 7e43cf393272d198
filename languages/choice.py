"""The language of a request, and its texts in that language."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import flask_babel
from babel import Locale
from flask import Response, current_app, g, has_request_context, request


class Language(NamedTuple):
    """A language: its name in itself, and the locale that dates and numbers are written by."""

    name: str
    locale: Locale


# By BCP 47 tag, the one for everybody else first. Without the second there is no switch.
LANGUAGES = {
    "en": Language("English", Locale("en", "GB")),
    "ja": Language("日本語", Locale("ja")),
}
DEFAULT = next(iter(LANGUAGES))
# What the texts in code and templates are written in.
SOURCE = "en"


def N_(text: str) -> str:  # as gettext's tools call it
    """Mark a constant for translation; `gettext` translates it when it is shown."""
    return text


def gettext(text: str, /, **parameters: object) -> str:
    """Return a text in the language of the request, with its `%(parameters)s` filled in."""
    translated = _chosen().translate(text)
    return translated % parameters if parameters else translated


def language() -> str:
    """Return the tag of the language to answer in; outside of a request the default."""
    return _chosen().tag


def locale() -> Locale:
    """Return that language's locale, for Babel's functions."""
    return _chosen().locale


def stated_language() -> str | None:
    """Return the tag of the language that the visitor chose, by the switch or in the browser's
    settings; None where neither names one of ours."""
    chosen = request.cookies.get(current_app.config["LANGUAGE_COOKIE_NAME"])
    if chosen in LANGUAGES:
        return chosen
    # RFC 4647 section 3.4 (lookup): the best liked range whose primary subtag we have. Werkzeug's
    # best_match() prefers an exact one, however little it is liked.
    for tag, quality in request.accept_languages:
        primary = tag.partition("-")[0].lower()
        if quality > 0 and primary in LANGUAGES:
            return primary
    return None


class _Chosen(NamedTuple):
    tag: str
    locale: Locale
    translate: Callable[[str], str]


_NONE_CHOSEN = _Chosen(DEFAULT, LANGUAGES[DEFAULT].locale, str)


def _chosen() -> _Chosen:
    """The language of this request, chosen when it is first needed.

    A page asks for dozens of texts, and Flask-Babel takes longer to find out which catalogue to
    look into than to look: here it finds out once.
    """
    try:
        chosen: _Chosen = g.language
        return chosen
    except (AttributeError, RuntimeError):  # not chosen yet, or not within an app
        if not has_request_context():
            return _NONE_CHOSEN
    known: dict[str, _Chosen] = current_app.extensions["languages"]
    tag = stated_language() or DEFAULT
    g.language = known.get(tag) or _Chosen(tag, LANGUAGES[tag].locale, str)
    if tag not in known and tag != SOURCE:
        # Flask-Babel asks for the locale, and finds what was just said.
        g.language = g.language._replace(translate=flask_babel.get_translations().gettext)
    known[tag] = g.language
    return known[tag]


def say_language(response: Response) -> Response:
    """RFC 9110 section 12.5.5: an answer whose language was chosen depends on what chose it."""
    chosen: _Chosen | None = g.get("language")
    if chosen:
        if "Vary" in response.headers:
            response.vary.update(("Accept-Language", "Cookie"))
        else:
            response.headers["Vary"] = "Accept-Language, Cookie"
        if not 300 <= response.status_code < 400:
            response.headers["Content-Language"] = chosen.tag
    return response
