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


class PageError(HTTPException):
    """An error that is shown here. `sentence` says what happened, `advice` what to do about it."""

    code = 400

    def __init__(self, sentence: str, advice: str = "") -> None:
        super().__init__(sentence)
        advice = advice or _("Go back to the application and start again.")
        self.texts = _("This does not work"), sentence, advice


def init_app(app: Flask) -> None:
    """Register the error pages."""
    app.register_error_handler(PageError, show_error)
    for code in ERRORS:
        app.register_error_handler(code, show_error)


def show_error(error: HTTPException) -> tuple[str, int, list[tuple[str, str]]]:
    """What happened, and what to do."""
    code = error.code or 500
    texts = error.texts if isinstance(error, PageError) else map(_, ERRORS[code])
    shown = dict(zip(("heading", "sentence", "advice"), texts, strict=True))
    # RFC 9110 section 15.5.6: the response to a wrong method names the methods.
    headers = [each for each in error.get_headers() if each[0] == "Allow"]
    return render_template("demo/error.html", **shown), code, headers
