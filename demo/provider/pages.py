"""The page for requests that are not answered by redirect."""

from __future__ import annotations

from flask import Flask, render_template
from werkzeug.exceptions import HTTPException

from demo.language import _


class PageError(Exception):
    """Something the person should see here, because there is nobody safe to redirect to.

    `sentence` says what happened, `advice` what to do about it, both in the person's language.
    """

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice or _("Go back to the application and start again.")


def init_app(app: Flask) -> None:
    """A page for each way of going wrong, in the language of all others."""

    @app.errorhandler(PageError)
    def error_page(error: PageError) -> tuple[str, int]:
        return render(_("This does not work"), error.sentence, error.advice), 400

    @app.errorhandler(403)
    def refused(error: Exception) -> tuple[str, int]:
        sentence = _("This came from another site, or by another name than localhost.")
        advice = _("Open the page itself, at http://localhost, and press its own buttons.")
        return render(_("Refused"), sentence, advice), 403

    @app.errorhandler(404)
    def not_found(error: Exception) -> tuple[str, int]:
        sentence = _("There is nothing at this address.")
        return render(_("Not found"), sentence, _("The start page has links to all pages.")), 404

    @app.errorhandler(405)
    def wrong_method(error: HTTPException) -> tuple[str, int, list[tuple[str, str]]]:
        sentence = _("This address cannot be opened like a page.")
        page = render(_("Not a page"), sentence, _("The start page has links to all pages."))
        # RFC 9110 section 15.5.6: the answer names the methods that there are.
        return page, 405, [each for each in error.get_headers() if each[0] == "Allow"]


def render(heading: str, sentence: str, advice: str) -> str:
    """What happened, and what to do."""
    return render_template("demo/error.html", heading=heading, sentence=sentence, advice=advice)
