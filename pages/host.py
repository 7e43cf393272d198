"""One address: a visitor under another host name is sent to the configured one.

The redirect URI is never built from request headers, and cookies belong to a host: who began on
127.0.0.1 would come back to localhost without the cookie of the attempt.
"""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from flask import Flask, redirect, request
from werkzeug.wrappers import Response

from auth import Problem
from config import Settings

# A platform's probes come under whatever name or address it likes.
ANY_HOST = ("/healthz", "/readyz")


def init_app(app: Flask, settings: Settings) -> None:
    """Check the host name before anything else looks at the request."""
    base = urlsplit(settings.app_base_url)
    default_port = 443 if settings.is_https else 80
    own_address = (base.hostname, base.port or default_port)

    def at_own_address() -> Response | None:
        if request.host == base.netloc or request.path in ANY_HOST:
            return None
        if _address(default_port) == own_address:
            return None
        if request.method not in ("GET", "HEAD"):
            raise Problem("wrong_host", f"{request.method} under another host name")
        query = request.query_string.decode("latin-1")
        path = quote(request.path) + (f"?{quote(query, safe=_QUERY_SAFE)}" if query else "")
        return redirect(settings.app_base_url + path, 302)

    app.before_request(at_own_address)


_QUERY_SAFE = "!$&'()*+,;=:@/?%-._~"


def _address(default_port: int) -> tuple[str | None, int] | None:
    """Host and port that the request names; a proxy may or may not have added the usual port."""
    try:
        parts = urlsplit(f"//{request.host}")
        return parts.hostname, parts.port or default_port
    except ValueError:
        return None
