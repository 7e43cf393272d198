"""The languages of pages, errors and messages, and the one that a request is answered in.

A text is written in English where it is used: `_()` or `{% trans %}` in a template, `gettext()` in
a view, `N_()` where a constant is translated later. The translations lie in `translations/` beside
the code of an optional package, and those of all other code here; docs/languages.md says how to
add a text or a language, and how to go back to one.
"""

from __future__ import annotations

from pathlib import Path

import flask_babel
from flask import Flask

from config import Settings

from .choice import (
    DEFAULT,
    LANGUAGES,
    N_,
    gettext,
    language,
    locale,
    say_language,
    stated_language,
)
from .templates import Environment

__all__ = [
    "DEFAULT",
    "LANGUAGES",
    "N_",
    "Environment",
    "add_translations",
    "gettext",
    "language",
    "locale",
    "stated_language",
]


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
    flask_babel.Babel(app, default_translation_directories=str(here), locale_selector=locale)
    app.extensions["languages"] = {}
    app.after_request(say_language)


def add_translations(app: Flask, folder: Path) -> None:
    """Add the translations of an optional package."""
    app.extensions["babel"].translation_directories.append(str(folder))
