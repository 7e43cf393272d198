"""The switch between languages: a form at the foot of every page, and the cookie it sets."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Flask, current_app, redirect, request
from markupsafe import Markup
from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.wrappers import Response

from auth import Problem, relying_party, without_session
from auth.return_to import safe_return_to
from languages import LANGUAGES, language

COOKIE_SECONDS = 365 * 86400

bp = Blueprint("language_switch", __name__)


def init_app(app: Flask) -> None:
    """Add the route, and what every page needs for the form."""

    switches: dict[str, Markup] = {}

    def every_page() -> dict[str, Any]:
        tag = language()
        return {"language": tag, "language_switch": switches.get(tag) or switch_in(tag)}

    def switch_in(tag: str) -> Markup:
        # The same on every page in a language, and on every page: made once.
        template = app.jinja_env.get_template("language_switch.html")
        switches[tag] = Markup(template.render(languages=LANGUAGES, language=tag))  # noqa: S704
        return switches[tag]

    app.context_processor(every_page)
    app.register_blueprint(bp)


@bp.post("/language")
@without_session
def choose() -> Response:
    """Keep the chosen language in a cookie of its own, and go back to the page.

    Not in the session, which visitors who are not signed in do not have; and not signed: whoever
    could change it could change the browser's settings just as well.
    """
    chosen = request.form.get("language")
    if chosen not in LANGUAGES:
        raise Problem("bad_request", "no such language")
    response = redirect(_page_before(), 303)
    response.set_cookie(
        current_app.config["LANGUAGE_COOKIE_NAME"],
        chosen,
        max_age=COOKIE_SECONDS,
        secure=relying_party().settings.is_https,
        httponly=True,
        samesite="Lax",
    )
    return response


def _page_before() -> str:
    """The page that the form was on, by `Referer`, which our own pages send in full; `/` where
    there is none, and where the page was the answer to another form."""
    origin, path = relying_party().settings.app_base_url, request.headers.get("Referer", "")
    if not path.startswith(f"{origin}/"):
        return "/"
    page = safe_return_to(path.removeprefix(origin)) or "/"
    try:
        current_app.url_map.bind("").match(unquote(urlsplit(page).path), method="GET")
    except MethodNotAllowed:
        return "/"
    except HTTPException:
        pass  # no page either, and the answer will say so in the language chosen
    return page
