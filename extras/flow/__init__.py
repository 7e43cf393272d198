"""The flow, drawn: `/flow` shows what browser, app, provider and API said to each other.

A lesson: without SHOW_FLOW nothing of it is connected. It listens to signals, stores masked copies,
and changes nothing of what the app does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from flask_babel import lazy_gettext as _

from auth import relying_party
from config import Settings as CoreSettings
from config import is_loopback, switch, variable
from pages import MenuEntry, add_translations

__all__ = ["Settings", "init_app"]


@dataclass(frozen=True)
class Settings:
    """Whether the flow is shown; and in public, which must be said twice."""

    show: bool = variable("SHOW_FLOW", switch, default="0")
    in_public: bool = variable("SHOW_FLOW_IN_PUBLIC", switch, default="0")


def init_app(app: Flask, settings: CoreSettings, own: Settings) -> None:
    """Record the flow from now on, and show it at `/flow`, where SHOW_FLOW says so."""
    if not own.show:
        return
    if not own.in_public and not is_loopback(urlsplit(settings.app_base_url).hostname):
        sys.exit(
            "SHOW_FLOW is on and APP_BASE_URL is public: everybody would see how their sign-in "
            "went. Write: SHOW_FLOW=0, or SHOW_FLOW_IN_PUBLIC=1 as well"
        )
    from .record import Recorder
    from .views import bp

    with app.app_context():
        # Stored here: signals hold their receivers weakly.
        app.extensions["flow"] = Recorder(app, relying_party())
    app.register_blueprint(bp)
    app.extensions["menu"].append(MenuEntry("/flow", _("The flow"), lambda: True))
    add_translations(app, Path(__file__).with_name("translations"))
