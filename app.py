"""The app: sign in with an OpenID provider, call a protected API, refresh, sign out for real."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path

from dotenv import load_dotenv
from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

import auth
import languages
import pages
import sessions
from config import Settings, SettingsError, likely_causes, misspelt

MAX_REQUEST_BYTES = 64 * 1024
ENV_FILE = Path(__file__).with_name(".env")

# Packages that nothing else needs: delete the folder and its line, and the app is the same without.
OPTIONAL: tuple[str, ...] = (
    "examples",
    "doctor",
    "flow",
    "operations",
)


def create_app() -> Flask:
    """Return the app, made from the environment and `.env`.

    Exits with one line for each problem where the settings cannot be used.
    """
    # Never overrides what is set already.
    load_dotenv(ENV_FILE)
    try:
        settings = Settings.from_environ(os.environ)
    except SettingsError as error:
        sys.exit("\n".join([*error.problems, *likely_causes(os.environ, ENV_FILE)]))

    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = MAX_REQUEST_BYTES
    languages.init_app(app, settings)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True

    sealer = sessions.Sealer(settings.secret_keys)
    sessions.init_app(app, settings, sealer)
    pages.init_app(app, settings)
    auth.init_app(app, settings, sealer)
    for name in OPTIONAL:
        import_module(name).init_app(app, settings)
    for line in misspelt(os.environ):
        app.logger.warning(line)

    if hops := settings.trusted_proxy_hops:
        # Port and prefix are passed on from visitors by usual proxies, and the app needs neither.
        trusted = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)
        app.wsgi_app = trusted  # type: ignore[method-assign]  # as Flask documents it
    return app
