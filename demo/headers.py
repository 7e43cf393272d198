"""The security headers of every response of the demo's programs."""

from __future__ import annotations

from collections.abc import Iterable

from flask import Response


def set_security_headers(response: Response, form_targets: Iterable[str] = ()) -> Response:
    """No inline scripts or styles, no frames, no cached pages.

    Chrome also applies `form-action` to the redirect that follows a form, so it must name the
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
