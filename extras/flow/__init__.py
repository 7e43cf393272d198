"""The flow, drawn: `/flow` shows what browser, app, provider and API said to each other.

A lesson, and not needed by anything: with SHOW_FLOW unset nothing of it is connected. To remove it,
delete this folder, its line in app.py and tests/test_flow*.py.
It listens to signals, keeps masked copies, and changes nothing of what the app does.
"""

from __future__ import annotations

from pathlib import Path

from flask import Flask

from config import Settings
from languages import add_translations


def init_app(app: Flask, settings: Settings) -> None:
    """Record the flow from now on, and show it at `/flow`, where SHOW_FLOW says so."""
    if not settings.show_flow:
        return
    from .record import Recorder
    from .views import bp

    # Kept here: signals hold their receivers weakly.
    app.extensions["flow"] = Recorder(app, app.extensions["relying_party"])
    app.register_blueprint(bp)
    add_translations(app, Path(__file__).with_name("translations"))
    app.jinja_env.globals["flow_shown"] = True
