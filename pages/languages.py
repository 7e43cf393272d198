"""The languages and times of pages and errors: Flask-Babel, and the switch at every page's foot.

A text is written in English where it is used: `_()` or `{% trans %}` in a template, `gettext()` in
a view, `lazy_gettext()` in a constant. `make translations` takes new texts into the .po files.
"""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path

import flask_babel
from babel.dates import get_timezone
from flask import Blueprint, Flask, Response, g, has_request_context, redirect, request
from werkzeug.wrappers import Response as BaseResponse

from auth import Error, current_sign_in, relying_party, this_page, without_session
from config import Settings

# By BCP 47 tag, the one for everybody else first. Without the second there is no switch.
LANGUAGES = {"en": "English", "ja": "日本語"}
DEFAULT = next(iter(LANGUAGES))
# The locale that dates and numbers are written by.
LOCALES = {"en": "en_GB"}
COOKIE_SECONDS = 365 * 86400

bp = Blueprint("languages", __name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Choose a language for each request, and add the switch."""
    flask_babel.Babel(
        app,
        locale_selector=lambda: LOCALES.get(language(), language()),
        timezone_selector=_time_zone,
    )
    folders = sorted(Path(app.root_path).glob("extras/*/translations"))
    app.extensions["babel"].translation_directories += map(str, folders)
    app.context_processor(lambda: {"languages": LANGUAGES, "language": language()})
    app.after_request(_say_language)
    app.register_blueprint(bp)


def language() -> str:
    """Return the tag of the language to answer in: the one that the visitor chose by the switch or
    in the browser's settings, else the first."""
    if not has_request_context():
        return DEFAULT
    if "language" not in g:  # a page asks four times
        g.language = _language_of_visitor()
    return str(g.language)


def _language_of_visitor() -> str:
    chosen = request.cookies.get(relying_party().settings.cookie_name("language"))
    if chosen in LANGUAGES:
        return chosen
    # RFC 4647 section 3.4 (lookup): the best liked range whose primary subtag we have. Werkzeug's
    # best_match() prefers an exact one, however little it is liked.
    accept = request.accept_languages
    liked = (tag.partition("-")[0].lower() for tag, quality in accept if quality > 0)
    return next((tag for tag in liked if tag in LANGUAGES), DEFAULT)


def _time_zone() -> tzinfo:
    """That of the person's claim `zoneinfo` (OIDC Core section 5.1) where there is such a zone."""
    sign_in = current_sign_in()
    name = sign_in.all_claims().get("zoneinfo") if sign_in else None
    try:
        return get_timezone(name if isinstance(name, str) else "UTC")
    except LookupError:
        return get_timezone("UTC")


def _say_language(response: Response) -> Response:
    """RFC 9110 section 12.5.5: a page whose language was chosen depends on what chose it."""
    if response.mimetype in ("text/html", "application/problem+json"):
        response.vary.update(("Accept-Language", "Cookie"))
        response.headers["Content-Language"] = language()
    return response


@bp.post("/language")
@without_session
def choose() -> BaseResponse:
    """Store the chosen language in a cookie of its own, and go back to the page.

    Not signed: whoever could change it could change the browser's settings just as well.
    """
    chosen, settings = request.form.get("language"), relying_party().settings
    if chosen not in LANGUAGES:
        raise Error("bad_request", "no such language")
    response = redirect(this_page(), 303)
    name = settings.cookie_name("language")
    response.set_cookie(name, chosen, max_age=COOKIE_SECONDS, **settings.cookie_attributes)
    return response
