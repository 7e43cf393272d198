"""Each request: its id; its place in a trace, which is passed on; one log line at its end."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Mapping

from flask import (
    Flask,
    Response,
    g,
    has_request_context,
    request,
    request_finished,
    request_started,
)

from auth import relying_party
from config import Settings
from sessions import current_session

log = logging.getLogger("app.requests")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# W3C Trace Context section 3.2.2; an id of zeros is invalid.
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")
PROBES = ("health.healthz", "health.readyz")


def init_app(app: Flask, settings: Settings) -> None:
    """Follow each request; Flask's signals come whatever the app itself does with it."""
    behind_proxy = settings.trusted_proxy_hops > 0

    def begin(sender: Flask, **_: object) -> None:
        g.started_at = time.perf_counter()
        given = request.headers.get("X-Request-ID", "") if behind_proxy else ""
        trace = TRACEPARENT.fullmatch(request.headers.get("traceparent", ""))
        g.trace = trace.groups() if trace else None
        g.about_request = {
            "request_id": given if REQUEST_ID.fullmatch(given) else secrets.token_hex(8),
            **({"trace_id": trace[1]} if trace else {}),
        }
        # Whoever looks at the session has the answer vary by cookie, which static files do not.
        g.session_key = current_session().key if request.endpoint != "static" else None

    def end(sender: Flask, response: Response, **_: object) -> None:
        response.headers["X-Request-ID"] = g.about_request["request_id"]
        level = _level(response)
        if log.isEnabledFor(level):
            _log(level, response)

    request_started.connect(begin, app, weak=False)
    request_finished.connect(end, app, weak=False)
    with app.app_context():
        relying_party().outbound.further_headers = trace_headers


def _level(response: Response) -> int:
    # Probes come all the time, and stylesheet and pictures with every page.
    served = request.endpoint == "static" and response.status_code < 400
    return logging.DEBUG if served or request.endpoint in PROBES else logging.INFO


def _log(level: int, response: Response) -> None:
    # The rule and not the URL, whose path and query are the visitor's to choose.
    route = request.url_rule.rule if request.url_rule else None
    milliseconds = round((time.perf_counter() - g.started_at) * 1000, 1)
    # The key is a hash of the session id already; a part of it is enough to tell sessions apart.
    session = (current_session().key or g.session_key or "")[:12] or None
    status = response.status_code
    text = "%s %s %d in %s ms"
    arguments = (request.method, route or "-", status, milliseconds)
    # Without `log.log`, which looks for the caller's file and line: they are always these.
    record = logging.LogRecord(log.name, level, __file__, 0, text, arguments, None)
    record.__dict__.update(
        method=request.method,
        route=route,
        status=status,
        duration_ms=milliseconds,
        session=session,
        problem=g.get("problem_code"),
    )
    log.handle(record)


def trace_headers() -> Mapping[str, str]:
    """Return the headers that tell the next server which trace its request belongs to."""
    trace = g.get("trace") if has_request_context() else None
    if trace is None:
        return {}
    trace_id, flags = trace
    return {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"}
