"""What people see: the pages, the call to the protected API, errors, health, headers."""

from __future__ import annotations

from flask import Flask

from config import Settings

from . import errors, headers, health, host, language_switch, views, words

__all__ = ["init_app"]


def init_app(app: Flask, settings: Settings) -> None:
    """Add the pages and what surrounds every answer."""
    errors.init_app(app)
    host.init_app(app, settings)
    headers.init_app(app, settings)
    words.init_app(app)
    views.init_app(app, settings)
    language_switch.init_app(app)
    app.register_blueprint(health.bp)
    app.register_blueprint(views.bp)
