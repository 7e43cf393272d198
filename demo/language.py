"""The language of the demo's pages, English or Japanese.

The first of these decides: the page's own language link, `ui_locales` of the request (OIDC Core
section 3.1.2.1, RP-Initiated Logout section 2), the earlier choice, the browser's languages.
"""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Flask, Response, g, request
from flask_babel import Babel, get_locale, gettext

LANGUAGES = {"en": "English", "ja": "日本語"}
COOKIE = "demo_language"
COOKIE_SECONDS = 365 * 24 * 3600


def N_(text: str) -> str:
    """Mark a text for the catalogue that is translated where it is shown; gettext's own name."""
    return text


def _(text: str, **values: object) -> str:
    """The text in the language of this request, with `%(name)s` filled in."""
    return str(gettext(text, **values))


def init_app(app: Flask) -> None:
    """Translate the app's pages with the catalogue beside this file, and name the language."""
    Babel(app, locale_selector=choose_language)

    @app.context_processor
    def in_templates() -> dict[str, object]:
        g.language = str(get_locale())
        return {"language": g.language, "other_language": other_language(g.language)}

    @app.after_request
    def name_language(response: Response) -> Response:
        if "language" in g and response.mimetype == "text/html":
            response.content_language.add(g.language)
        if chosen := chosen_language():
            response.set_cookie(COOKIE, chosen, COOKIE_SECONDS, httponly=True, samesite="Lax")
        return response


def prefer(ui_locales: str | None) -> None:
    """Note the request's `ui_locales`; call it before anything is translated."""
    g.ui_locales = ui_locales


def choose_language() -> str:
    """The language of this request's pages."""
    earlier = request.cookies.get(COOKIE)
    return (
        chosen_language()
        or first_known(g.get("ui_locales"))
        or (earlier if earlier in LANGUAGES else None)
        or first_known(" ".join(tag for tag, quality in request.accept_languages if quality))
        or "en"
    )


def chosen_language() -> str | None:
    """The language of the link that led to this page."""
    chosen = request.args.get("lang")
    return chosen if chosen in LANGUAGES else None


def first_known(tags: str | None) -> str | None:
    """The first language that we have of these tags, most wanted first.

    OIDC Core section 3.1.2.1: "An error SHOULD NOT result if some or all of the requested locales
    are not supported". `ja-JP` means Japanese here (RFC 4647 section 3.4).
    """
    languages = (tag.partition("-")[0].lower() for tag in (tags or "").split())
    return next((language for language in languages if language in LANGUAGES), None)


def other_language(language: str) -> dict[str, str] | None:
    """The link to this page in the other language; None where it would lose a posted form."""
    if request.method not in ("GET", "HEAD"):
        return None
    other = next(each for each in LANGUAGES if each != language)
    query = urlencode({**request.args.to_dict(flat=False), "lang": other}, doseq=True)
    # A reference that is only a query keeps the path (RFC 3986 section 5.2.2).
    return {"language": other, "name": LANGUAGES[other], "address": f"?{query}"}
