"""The flow, drawn: `/flow` shows what browser, app, provider and API said to each other.

A lesson that nothing depends on: with SHOW_FLOW unset nothing of it is connected. To remove it,
delete this folder, its name in `app.py` and its tests. It listens to signals, stores masked copies,
and changes nothing of what the app does.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Flask, flash
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from markupsafe import Markup

from auth import on_sign_in, signals, wants_json
from config import Settings as CoreSettings
from config import is_loopback, switch, variable
from pages import MenuEntry


@dataclass(frozen=True)
class Settings:
    """Whether to show the flow, and whether to do so although others can reach the app."""

    is_on: bool = variable("SHOW_FLOW", switch, default="0")
    in_public: bool = variable("SHOW_FLOW_IN_PUBLIC", switch, default="0")


def init_app(app: Flask, settings: CoreSettings, own: Settings) -> None:
    """Record the flow from now on, and show it at `/flow`, where SHOW_FLOW says so. Exits where the
    app is public and SHOW_FLOW_IN_PUBLIC does not say so too."""
    if not own.is_on:
        return
    if not own.in_public and not is_loopback(urlsplit(settings.app_base_url).hostname):
        sys.exit(
            "SHOW_FLOW is on and APP_BASE_URL is public: everybody would see how this app speaks "
            "to its provider. Write: SHOW_FLOW=0, or SHOW_FLOW_IN_PUBLIC=1 if that is meant"
        )
    from .record import Recorder, has_heard, rename_record
    from .views import bp

    # Signals hold their receivers weakly.
    app.extensions["flow"] = Recorder(app, app.extensions["relying_party"])
    on_sign_in(app, rename_record)
    app.register_blueprint(bp)
    app.extensions["menu"].append(MenuEntry("/flow", _("The flow"), lambda: True))
    way = (_("See it in the flow"), "/flow#failed")
    app.context_processor(lambda: {"further_ways": [way] if has_heard() else []})

    def say_renewed(sender: object, outcome: str, **_: object) -> None:
        if outcome == "refreshed" and not wants_json():
            text = gettext("The access token was renewed just now.")
            link = gettext("See it in the flow")
            flash(Markup('{} <a href="/flow#refresh">{}</a>').format(text, link))

    signals.refreshed.connect(say_renewed, app.extensions["relying_party"], weak=False)
