"""The language of the demo's pages, English or Japanese, and where the wish for it comes from.

In this order: the page's own language link, the `ui_locales` of the request (OIDC Core section
3.1.2.1, RP-Initiated Logout section 2), what was chosen here before, the browser's languages.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Flask, Response, g, request
from flask_babel import Babel, get_locale, gettext

LANGUAGES = {"en": "English", "ja": "日本語"}
COOKIE = "demo_language"
COOKIE_SECONDS = 365 * 24 * 3600
PARAMETER = "lang"


def N_(text: str) -> str:
    """Marks a text for the catalogue that is translated where it is shown; gettext's own name."""
    return text


def _(text: str, **values: object) -> str:
    """The text in the language of this request, with `%(name)s` filled in."""
    return str(gettext(text, **values))


def init_app(app: Flask) -> None:
    """Translate the app's pages with the catalogue beside this file, and say in what language."""
    Babel(app, locale_selector=choose_language)

    @app.context_processor
    def in_templates() -> dict[str, object]:
        g.language = str(get_locale())
        return {"language": g.language, "other_language": other_language(g.language)}

    @app.after_request
    def say_language(response: Response) -> Response:
        if "language" in g and response.mimetype == "text/html":
            response.content_language.add(g.language)
        if chosen := chosen_language():
            response.set_cookie(
                COOKIE, chosen, COOKIE_SECONDS, httponly=True, samesite="Lax", path="/"
            )
        return response


def prefer(ui_locales: str | None) -> None:
    """Note what this request's `ui_locales` asks for; call it before anything is translated."""
    g.ui_locales = ui_locales


def choose_language() -> str:
    """The language of this request's pages."""
    before = request.cookies.get(COOKIE)
    return (
        chosen_language()
        or first_known(g.get("ui_locales"))
        or (before if before in LANGUAGES else None)
        or first_known(" ".join(tag for tag, liked in request.accept_languages if liked))
        or "en"
    )


def chosen_language() -> str | None:
    """The language of the link that was followed to this page."""
    chosen = request.args.get(PARAMETER)
    return chosen if chosen in LANGUAGES else None


def first_known(tags: str | None) -> str | None:
    """The first of these language tags, best liked first, that we speak.

    OIDC Core section 3.1.2.1: "An error SHOULD NOT result if some or all of the requested locales
    are not supported".
    """
    for tag in (tags or "").split():
        # `ja-JP` and `ja-Latn` are Japanese (RFC 4647 section 3.4 shortens tags from the right).
        language = tag.partition("-")[0].lower()
        if language in LANGUAGES:
            return language
    return None


def other_language(language: str) -> dict[str, str] | None:
    """The link to this page in the other language; none where it would lose what was posted."""
    if request.method not in ("GET", "HEAD"):
        return None
    other = next(each for each in LANGUAGES if each != language)
    query = urlencode({**request.args.to_dict(flat=False), PARAMETER: other}, doseq=True)
    # A reference of a query alone keeps the path (RFC 3986 section 5.2.2).
    return {"language": other, "name": LANGUAGES[other], "address": f"?{query}"}
