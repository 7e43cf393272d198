"""What the people who run the app look at: log lines, the audit stream, metrics, traces.

It learns what happened from Flask's signals and those of `auth`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from flask import Flask

from config import Settings as CoreSettings
from config import number, one_of, variable
from sessions import session_records

from . import logs, metrics, requests

__all__ = ["Settings", "init_app"]

log = logging.getLogger("app.start")


@dataclass(frozen=True)
class Settings:
    """How to log, and where to serve metrics."""

    log_format: str | None = variable("LOG_FORMAT", one_of("json", "text"))
    metrics_port: int | None = variable(
        "METRICS_PORT", number(1, 65535, "9090, or leave it empty for no metrics")
    )


def init_app(app: Flask, settings: CoreSettings, own: Settings) -> None:
    """Log, count and trace what this app does."""
    logs.init_app(own.log_format)
    requests.init_app(app, behind_proxy=settings.trusted_proxy_hops > 0)
    if own.metrics_port:
        metrics.init_app(app, own.metrics_port)
    if not logs.is_command():
        _log_start(app, settings, own)


def _log_start(app: Flask, settings: CoreSettings, own: Settings) -> None:
    with app.app_context():
        store = type(session_records().store).__name__.removesuffix("Store")
    extras = ", ".join(app.extensions["extras"])
    facts: dict[str, Any] = {"address": settings.app_base_url, "provider": settings.issuer}
    facts |= {"store": store, "extras": extras, "metrics_port": own.metrics_port}
    text = "start: " + ", ".join(f"{name} {value}" for name, value in facts.items() if value)
    log.info("%s", text, extra=facts)
