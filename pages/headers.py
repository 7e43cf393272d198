"""The headers of every answer. One policy for all pages: nothing inline, nothing from outside."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from auth import Problem, relying_party
from config import Settings
from sessions import current_session

POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "img-src": "'self'",
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
    # Says nothing about versions, whatever serves the app.
    "Server": "app",
}


def init_app(app: Flask, settings: Settings) -> None:
    """Set the headers on every answer, errors included."""
    headers = dict(HEADERS)
    if settings.is_https:
        headers["Strict-Transport-Security"] = "max-age=63072000; includeSubDomains"

    def add_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers[name] = value
        response.headers["Content-Security-Policy"] = _policy(_form_targets(response))
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        return response

    app.after_request(add_headers)


def _form_targets(response: Response) -> list[str]:
    """Where forms may lead: here, and to the provider's logout.

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
    return sorted({"{0.scheme}://{0.netloc}".format(urlsplit(url)) for url in urls})


def _policy(form_targets: list[str]) -> str:
    directives = {**POLICY, "form-action": " ".join(["'self'", *form_targets])}
    return "; ".join(f"{name} {value}" for name, value in directives.items())
