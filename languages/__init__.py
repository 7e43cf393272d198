"""The languages of pages, errors and messages, and the one that a request is answered in.

A text is written in English where it is used: `_()` or `{% trans %}` in a template, `gettext()` in
a view, `N_()` where a constant is translated later. The translations lie in `translations/` beside
the code of an optional package, and those of all other code here; docs/languages.md says how to
add a text or a language, and how to go back to one.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import flask_babel
from babel import Locale
from flask import Flask, Response, current_app, g, has_request_context, request

from config import Settings

from .templates import Environment

__all__ = [
    "LANGUAGES",
    "N_",
    "add_translations",
    "gettext",
    "language",
    "stated_language",
]

COOKIE_SECONDS = 365 * 86400


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


def N_(text: str) -> str:  # as gettext's tools call it
    """Mark a constant for translation; `gettext` translates it when it is shown."""
    return text


def gettext(text: str, **parameters: object) -> str:
    """Return a text in the language of the request, with its `%(parameters)s` filled in."""
    return str(flask_babel.gettext(text, **parameters))


def init_app(app: Flask, settings: Settings) -> None:
    """Choose a language for each request, and give the templates their texts.

    Before anything touches `app.jinja_env`.
    """
    # RFC 6265bis section 4.1.3.2: __Host- ties the cookie to this host, https and all paths.
    app.config["LANGUAGE_COOKIE_NAME"] = (
        "__Host-app_language" if settings.is_https else "app_language"
    )
    app.jinja_environment = Environment
    here = Path(__file__).with_name("translations")
    flask_babel.Babel(app, default_translation_directories=str(here), locale_selector=_locale)
    app.after_request(_say_language)


def add_translations(app: Flask, folder: Path) -> None:
    """Add the translations of an optional package."""
    app.extensions["babel"].translation_directories.append(str(folder))


def language() -> str:
    """Return the tag of the language to answer in; outside of a request the default."""
    return locale().language


def locale() -> Locale:
    """Return that language's locale, for Babel's functions."""
    chosen = flask_babel.get_locale() if has_request_context() else None
    return chosen or LANGUAGES[DEFAULT].locale


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


def _locale() -> Locale:
    return LANGUAGES[stated_language() or DEFAULT].locale


def _say_language(response: Response) -> Response:
    """RFC 9110 section 12.5.5: an answer whose language was chosen depends on what chose it."""
    if "_flask_babel" in g:
        response.vary.update(("Accept-Language", "Cookie"))
        if not 300 <= response.status_code < 400:
            response.content_language.add(language())
    return response
