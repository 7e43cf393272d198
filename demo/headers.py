"""The headers of every answer here; the same lesson as the app's, in small."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response


def set_security_headers(response: Response, form_targets: Iterable[str] = ()) -> Response:
    """No inline anything, nobody's frame, no cached page.

    Chrome applies `form-action` to the redirect that answers a form as well, so it has to name the
    origins of the clients that our forms lead back to.
    """
    form_action = " ".join(["'self'", *form_targets])
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
        f"frame-ancestors 'none'; form-action {form_action}"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Not `no-referrer`, with which browsers send our own forms with `Origin: null`.
    response.headers["Referrer-Policy"] = "same-origin"
    if response.mimetype == "text/html":
        response.headers["Cache-Control"] = "no-store"
    return response
