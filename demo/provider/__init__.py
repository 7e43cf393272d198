"""A small OpenID provider on Authlib and joserfc, to be read as the lesson of the other side.

    config.py          what can be chosen; the registered clients
    metadata.py        discovery and keys
    authorization.py   the authorization endpoint and its response
    authorization_request.py   the request, pushed or not, and its checks
    steps.py           what the person is asked before the response
    interaction.py     the pages of those steps: who are you, may it have this
    token.py           the token endpoint: codes and refresh tokens become token sets; userinfo
    client_authentication.py   how clients prove who they are
    issue.py           what is inside those tokens
    logout.py          RP-initiated and back-channel logout
    home.py pages.py   the start page, invitations, error pages
    state.py records.py keys.py   what is remembered, what is signed
    faults.py switches.py   how to make it lie, for people and tests

Its texts are in English here, in other languages in `demo/translations` (`make translations`).
The sign-in hook that a newcomer edits is `demo/action.py`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from flask import Flask

from demo import control
from demo.language import _
from demo.provider import (
    authorization,
    home,
    interaction,
    logout,
    metadata,
    pages,
    switches,
    token,
)
from demo.provider.config import ProviderConfig
from demo.provider.state import Provider
from demo.site import create_site

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


def create_app(config: ProviderConfig, *, switches_on: bool = True) -> Flask:
    """The provider as a WSGI app; the switches under `/demo` are for loopback only."""
    provider = Provider(config)
    app = create_site(provider, switches_on=switches_on)
    # Metadata and token responses in the order in which they are written, which reads better.
    app.json.sort_keys = False  # type: ignore[attr-defined]  # of Flask's own JSON provider
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    for part in (metadata, authorization, interaction, token, logout, home):
        app.register_blueprint(part.bp, url_prefix=f"{config.path}{part.bp.url_prefix or ''}")
    if switches_on:
        app.register_blueprint(switches.bp)
    serve_other_paths(app, provider)
    pages.init_app(app)

    @app.context_processor
    def common() -> dict[str, object]:
        return {
            "home": config.path + "/",
            "program": _("Demo provider"),
            "title": _("Demo provider"),
            "rotate_url": f"{control.PATH}/rotate-keys" if switches_on else None,
            "switches_on": switches_on,
        }

    return app


def serve_other_paths(app: Flask, provider: Provider) -> None:
    """Serve endpoints at other paths: option `paths`."""
    inner = app.wsgi_app

    def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        base, paths = provider.config.path, provider.config.paths
        asked = environ["PATH_INFO"]
        environ["demo.requested_path"] = asked
        for path, there in paths.items():
            if there and asked == base + there:
                environ["PATH_INFO"] = base + path
            elif there is None and asked == base + path:
                environ["PATH_INFO"] = "/not-here"
        return inner(environ, start_response)

    app.wsgi_app = wsgi_app  # type: ignore[method-assign]  # as Flask documents it
