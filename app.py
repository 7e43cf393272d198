"""The app: sign in with an OpenID provider, call a protected API, refresh, sign out for real."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from dotenv import dotenv_values
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import auth
import pages
import sessions
from config import Settings, SettingsError, load, unknown_settings

ENV_FILE = Path(__file__).with_name(".env")

# Folders of extras/ that nothing else needs: delete the folder, its name here and its tests, and
# the app is the same without.
EXTRAS: tuple[str, ...] = ("operations", "doctor", "flow", "examples")


def create_app(store: sessions.Store | None = None) -> Flask:
    """Return the app, made from the environment and `.env`; `store` replaces the session store.

    Exits with one line for each problem where the settings cannot be used.

    A request passes, in this order: its size, our own address, same origin, signed in, its body
    (auth: CHECKS); its view; the session is saved; language and headers are added (pages).
    """
    extras = [import_module(f"extras.{name}") for name in EXTRAS]
    groups = [Settings, *(extra.Settings for extra in extras)]
    try:
        _load_env_file()
        settings, *extra_settings = load(os.environ, *groups)
        app = Flask(__name__)
        sessions.init_app(app, settings, store)
    except SettingsError as error:
        lines = [*error.args, *unknown_settings(os.environ, *groups)]
        if not (os.environ.get("AUTH0_DOMAIN") or ENV_FILE.exists()):
            lines.insert(0, ".env does not exist. Run: cp .env.example .env, and fill it in")
        sys.exit("\n".join(lines))

    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    auth.init_app(app, settings)
    pages.init_app(app, settings)
    app.extensions["extras"] = EXTRAS
    for extra, its_settings in zip(extras, extra_settings, strict=True):
        extra.init_app(app, settings, its_settings)
    for line in unknown_settings(os.environ, *groups):
        app.logger.warning(line)

    if hops := settings.trusted_proxy_hops:
        # Not port and prefix: many proxies pass on what visitors send, and the app needs neither.
        trusted = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = trusted  # type: ignore[method-assign]  # as Flask documents it
    return app


def _load_env_file() -> None:
    """Read `.env` without expanding `${…}`. Variables that are already set win, except those that
    `flask` read from this file with expansion. Raises SettingsError."""
    try:
        as_flask_reads = dotenv_values(ENV_FILE, encoding="utf-8-sig")
        as_written = dotenv_values(ENV_FILE, encoding="utf-8-sig", interpolate=False)
        for name, text in as_written.items():
            known = as_flask_reads[name]
            if text is not None and os.environ.get(name, known) == known:
                os.environ[name] = text
    except ValueError:  # UTF-16 without its mark decodes, and has zeros in it
        raise SettingsError(".env is not UTF-8 text. Write: the same, saved as UTF-8") from None
