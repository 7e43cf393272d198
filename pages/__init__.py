"""What people see: the pages, their languages, health, and the headers of every response."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from flask import Flask, Response, request
from flask_babel import lazy_gettext as _
from werkzeug.serving import WSGIRequestHandler

from auth import current_sign_in, relying_party
from config import Settings

from . import health, languages, views, words

__all__ = ["MenuEntry", "init_app", "is_signed_in"]


# One policy for all pages: nothing inline, nothing from outside but the pictures that PICTURE_HOSTS
# allows.
POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # `same-origin` and not `no-referrer`, with which our own forms would send `Origin: null`.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class MenuEntry(NamedTuple):
    """A link of the menu; `is_shown` says whether this visitor sees it."""

    path: str
    text: Any
    is_shown: Callable[[], bool]


def is_signed_in() -> bool:
    """Whether somebody is signed in."""
    return current_sign_in() is not None


def _has_api() -> bool:
    return is_signed_in() and relying_party().settings.api_base_url is not None


def _has_contacts() -> bool:
    settings = relying_party().settings
    return is_signed_in() and bool(settings.contacts_api_base_url or settings.api_base_url)


def init_app(app: Flask, settings: Settings) -> None:
    """Add the pages and what surrounds every response."""
    # An extra appends its own.
    menu = app.extensions["menu"] = [
        MenuEntry("/", _("Home"), lambda: True),
        MenuEntry("/profile", _("Profile"), is_signed_in),
        MenuEntry("/appointments", _("Appointments"), _has_api),
        MenuEntry("/contacts", _("Contacts"), _has_contacts),
        MenuEntry("/sessions", _("Sessions"), is_signed_in),
    ]
    app.context_processor(lambda: {"menu": [entry for entry in menu if entry.is_shown()]})
    languages.init_app(app, settings)
    _init_headers(app, settings)
    words.init_app(app)
    app.register_blueprint(views.bp)
    app.register_blueprint(health.bp)


def _init_headers(app: Flask, settings: Settings) -> None:
    """Set the headers on every response, errors included."""
    images = " ".join(("'self'", *settings.picture_origins))
    policy = "; ".join(f"{name} {value}" for name, value in {**POLICY, "img-src": images}.items())
    always = {**HEADERS, "Content-Security-Policy": policy}
    if settings.is_https:
        always["Strict-Transport-Security"] = "max-age=63072000"

    @app.after_request
    def add_headers(response: Response) -> Response:
        response.headers.update(always)
        # A redirect of a file to our own address, too: a cache in front would lead everybody round.
        is_file = request.endpoint == "static" and response.status_code in (200, 206, 304)
        if not is_file and "Cache-Control" not in response.headers:
            response.headers["Cache-Control"] = "no-store"
        return response

    # The server of `flask run` names its version and Python's, whatever the app's own header says.
    WSGIRequestHandler.version_string = lambda self: "app"  # type: ignore[method-assign]
