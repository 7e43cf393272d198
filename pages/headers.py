"""The headers of every answer. One policy for all pages: nothing inline, nothing from outside but
the pictures that PICTURE_HOSTS allows."""

from __future__ import annotations

from functools import lru_cache
from urllib.parse import urlsplit

from flask import Flask, Response, request
from werkzeug.serving import WSGIRequestHandler

from auth import Problem, relying_party
from config import Settings
from sessions import current_session

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
    headers = dict(HEADERS)
    if settings.is_https:
        headers["Strict-Transport-Security"] = "max-age=63072000"
    images = ("'self'", *settings.picture_origins)

    def add_headers(response: Response) -> Response:
        response.headers.extend(headers)
        response.headers["Content-Security-Policy"] = _policy(
            images, tuple(_form_targets(response))
        )
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(add_headers)
    # The server of `flask run` names its version and Python's, whatever the app's own header says.
    WSGIRequestHandler.version_string = lambda self: "app"  # type: ignore[method-assign]


def _form_targets(response: Response) -> list[str]:
    """The URLs that forms may lead to beside our own: the provider's logout.

    Chrome applies `form-action` to the redirect that answers a form too, and Sign Out is answered
    with a redirect to the provider.
    """
    if response.mimetype != "text/html":
        return []
    provider = relying_party().provider
    urls = [provider.issuer]
    try:
        # Only a signed-in person's page has the button; for others nothing is fetched.
        metadata = provider.metadata() if current_session().key else None
    except Problem:
        metadata = None
    if metadata and metadata.end_session_endpoint:
        urls.append(metadata.end_session_endpoint)
    return urls


@lru_cache(maxsize=16)
def _policy(images: tuple[str, ...], form_targets: tuple[str, ...]) -> str:
    origins = {"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in form_targets}
    directives = {
        **POLICY,
        "img-src": " ".join(images),
        "form-action": " ".join(["'self'", *sorted(origins)]),
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())
