"""What the demo's programs have in common as Flask apps: pages, headers, faults and the log."""

from __future__ import annotations

from flask import Flask, Response, request

from demo import control, language, misbehave
from demo.fault import Control

# Their responses hold tokens or what is personal: no cache ever sees them (RFC 6749 section 5.1).
NEVER_CACHED = ("api", "token")


def create_site(program: Control, *, switches_on: bool) -> Flask:
    """A Flask app for a program; without `switches_on` nobody can set a fault."""
    app = Flask("demo")
    app.extensions["demo"] = program
    misbehave.init_app(app, program, control.PATH)
    if switches_on:
        app.register_blueprint(control.bp)
    language.init_app(app)

    @app.after_request
    def set_headers(response: Response) -> Response:
        """No inline scripts or styles, no frames, no cached pages.

        Chrome also applies `form-action` to the redirect that follows a form, so it must name the
        origins of the clients that our forms lead back to.
        """
        form_action = " ".join(["'self'", *program.form_targets()])
        response.headers["Content-Security-Policy"] = (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; "
            f"frame-ancestors 'none'; form-action {form_action}"
        )
        response.headers["X-Content-Type-Options"] = "nosniff"
        # Not `no-referrer`, with which browsers send our own forms with `Origin: null`.
        response.headers["Referrer-Policy"] = "same-origin"
        if response.mimetype == "text/html" or request.blueprint in NEVER_CACHED:
            response.headers["Cache-Control"] = "no-store"
        return response

    return app
