"""The error pages: for people, where there is no safe redirect back to a client."""

from __future__ import annotations

from flask import Flask, render_template
from werkzeug.exceptions import HTTPException

from demo.language import N_, _

ERRORS = {
    403: (
        N_("Refused"),
        N_("This came from another site, or by another name than localhost."),
        N_("Open the page itself, at http://localhost, and press its own buttons."),
    ),
    404: (
        N_("Not found"),
        N_("There is nothing at this address."),
        N_("The start page has links to all pages."),
    ),
    405: (
        N_("Not a page"),
        N_("This address cannot be opened like a page."),
        N_("The start page has links to all pages."),
    ),
}


class PageError(Exception):
    """An error that is shown here. `sentence` says what happened, `advice` what to do about it."""

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.advice = advice or _("Go back to the application and start again.")


def init_app(app: Flask) -> None:
    """Register the error pages."""

    @app.errorhandler(PageError)
    def page_error(error: PageError) -> tuple[str, int]:
        return render(_("This does not work"), error.sentence, error.advice), 400

    def http_error(error: HTTPException) -> tuple[str, int, list[tuple[str, str]]]:
        code = error.code or 500
        # RFC 9110 section 15.5.6: the response to a wrong method names the methods.
        headers = [each for each in error.get_headers() if each[0] == "Allow"]
        return render(*map(_, ERRORS[code])), code, headers

    for code in ERRORS:
        app.register_error_handler(code, http_error)


def render(heading: str, sentence: str, advice: str) -> str:
    """What happened, and what to do."""
    return render_template("demo/error.html", heading=heading, sentence=sentence, advice=advice)
