"""What those who run the app look at: log lines, the audit stream, metrics, traces.

Optional: delete this folder and its line in `app.py`, and the app is the same without. It learns
what happened from Flask's signals and those of `auth/signals.py`.
"""

from __future__ import annotations

from flask import Flask

from config import Settings

from . import forwarded, logs, metrics, requests

__all__ = ["init_app"]


def init_app(app: Flask, settings: Settings) -> None:
    """Log, count and trace what this app does."""
    logs.init_app(settings)
    requests.init_app(app, settings)
    forwarded.init_app(app, settings)
    if settings.metrics_port:
        metrics.init_app(app, settings.metrics_port)
