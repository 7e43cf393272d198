"""Whether requests come as the settings say they do: by https or not, through proxies or not.

The settings alone cannot tell: with an https APP_BASE_URL and TRUSTED_PROXY_HOPS=0, TLS may end in
gunicorn, or in a load balancer that adds no header. So it is said at the first request that shows
a mismatch, once in each process, and the request goes on.
"""

from __future__ import annotations

import logging

from flask import Flask, Request, request, request_started
from pages.errors import PROBLEM

from config import Settings

from .requests import PROBES

log = logging.getLogger("app.proxies")


def init_app(app: Flask, settings: Settings) -> None:
    """Look at each request until one does not fit."""
    expected = "https" if settings.is_https else "http"

    def look(sender: Flask, **_: object) -> None:
        # A platform's probes come directly, whatever people come by; and of what the server could
        # not read nobody knows how it came.
        if request.scheme == expected or request.endpoint in PROBES or PROBLEM in request.environ:
            return
        if problem := mismatch(settings, request):
            request_started.disconnect(look, app)
            log.warning("%s", problem)

    request_started.connect(look, app, weak=False)


def mismatch(settings: Settings, request: Request) -> str | None:
    """Return what to change, for a request whose scheme is not APP_BASE_URL's; None where that may
    be right. Nothing of what the request says is repeated: anybody can send a header."""
    hops = settings.trusted_proxy_hops
    if not settings.is_https:
        return (
            "APP_BASE_URL is an http:// URL and people come by https: cookies are not Secure, and "
            "forms are refused. Write: APP_BASE_URL=https://…"
        )
    if hops:
        return (
            f"TRUSTED_PROXY_HOPS is {hops}, and a request came without X-Forwarded-Proto: https "
            "of so many proxies. Write: the number of reverse proxies that add to that header, or "
            "have them add it"
        )
    if "X-Forwarded-Proto" in request.headers:
        return (
            "TRUSTED_PROXY_HOPS is 0, and a request came by http with X-Forwarded-Proto. Write: "
            "TRUSTED_PROXY_HOPS=1 behind one reverse proxy; behind none, somebody made it up"
        )
    return None
