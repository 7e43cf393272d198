"""Each request: its id; its place in a trace, which is passed on; one log line at its end."""

from __future__ import annotations

import logging
import os
import re
import secrets
import time
from collections.abc import Mapping
from typing import NamedTuple

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
from sessions import PROBES, current_session

log = logging.getLogger("app.requests")

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
# W3C Trace Context section 3.2.2; an id of zeros is invalid.
TRACEPARENT = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})")


class Followed(NamedTuple):
    """What is known of a request from its beginning; `g.followed` holds it. `trace` is the W3C
    trace id and its flags; `started_at` is in seconds of `time.perf_counter()`."""

    started_at: float
    request_id: str
    trace: tuple[str, str] | None
    session_key: str | None


def init_app(app: Flask, *, behind_proxy: bool) -> None:
    """Follow each request; Flask's signals come whatever the app itself does with it."""

    def begin(sender: Flask, **_: object) -> None:
        started_at, headers = time.perf_counter(), request.headers
        given = headers.get("X-Request-ID", "") if behind_proxy else ""
        trace = TRACEPARENT.fullmatch(headers.get("traceparent", ""))
        g.followed = Followed(
            started_at,
            given if REQUEST_ID.fullmatch(given) else os.urandom(8).hex(),
            (trace[1], trace[2]) if trace else None,
            # Whoever looks at the session has the answer vary by cookie: static files do not.
            current_session().key if request.endpoint != "static" else None,
        )

    def end(sender: Flask, response: Response, **_: object) -> None:
        followed: Followed = g.followed
        response.headers.add("X-Request-ID", followed.request_id)
        _log(response, followed)

    request_started.connect(begin, app, weak=False)
    request_finished.connect(end, app, weak=False)
    with app.app_context():
        relying_party().http.further_headers = trace_headers


def _log(response: Response, followed: Followed) -> None:
    facts = {
        "method": request.method,
        # The rule and not the URL, whose path and query are the visitor's to choose.
        "route": request.url_rule.rule if request.url_rule else None,
        "status": response.status_code,
        "duration_ms": round((time.perf_counter() - followed.started_at) * 1000, 1),
        # The key is a hash of the session id already; a part of it tells sessions apart.
        "session": (current_session().key or followed.session_key or "")[:12] or None,
        "code": g.get("error_code"),
    }
    # Probes come all the time, and stylesheet and pictures with every page.
    is_file = request.endpoint == "static" and response.status_code < 400
    level = logging.DEBUG if is_file or request.path in PROBES else logging.INFO
    arguments = {**facts, "route": facts["route"] or "-"}
    log.log(level, "%(method)s %(route)s %(status)d in %(duration_ms)s ms", arguments, extra=facts)


def trace_headers() -> Mapping[str, str]:
    """Return the headers that tell the next server which trace its request belongs to."""
    followed: Followed | None = g.get("followed") if has_request_context() else None
    if followed is None or followed.trace is None:
        return {}
    trace_id, flags = followed.trace
    return {"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-{flags}"}
