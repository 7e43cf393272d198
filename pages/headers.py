"""The headers of every answer. One policy for all pages: nothing inline, nothing from outside but
the pictures that PICTURE_HOSTS allows."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler

from auth import Problem, relying_party
from config import Settings
from sessions import current_session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
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


def init_app(app: Flask, settings: Settings) -> None:
    """Set the headers on every answer, errors included."""
    always = list(HEADERS.items())
    if settings.is_https:
        always.append(("Strict-Transport-Security", "max-age=63072000"))
    images = ("'self'", *settings.picture_origins)

    def add_headers(response: Response) -> Response:
        headers = response.headers
        headers["Content-Security-Policy"] = _policy(images, _form_targets(response))
        if request.endpoint != "static" and "Cache-Control" not in headers:
            headers["Cache-Control"] = "no-store"
        return response

    app.after_request(add_headers)
    app.wsgi_app = _adding(always, app.wsgi_app)  # type: ignore[assignment, method-assign]  # as Flask documents it
    # The server of `flask run` names its version and Python's, whatever the app's own header says.
    WSGIRequestHandler.version_string = lambda self: "app"  # type: ignore[method-assign]


def _adding(always: list[tuple[str, str]], app: WSGIApplication) -> WSGIApplication:
    """The app, with headers that are the same on every answer: here none is looked at twice."""

    def wsgi_app(environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            return start_response(status, headers + always, *exc_info)

        return app(environ, start)

    return wsgi_app


def _form_targets(response: Response) -> tuple[str, ...]:
    """The URLs that forms may lead to beside our own: the provider's logout.

    Chrome applies `form-action` to the redirect that answers a form too, and Sign Out is answered
    with a redirect to the provider.
    """
    if response.mimetype != "text/html":
        return ()
    provider = relying_party().provider
    # Only a signed-in person's page has the button; for others nothing is fetched.
    if current_session().key is not None:
        with suppress(Problem):
            return provider.issuer, provider.metadata().end_session_endpoint or provider.issuer
    return (provider.issuer,)


@lru_cache(maxsize=16)
def _policy(images: tuple[str, ...], form_targets: tuple[str, ...]) -> str:
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in form_targets}
    directives = {
        **POLICY,
        "img-src": " ".join(images),
        "form-action": " ".join(["'self'", *sorted(origins)]),
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
