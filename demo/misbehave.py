"""Applying faults: what a fault does to the answer of the request that it fits."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

from flask import Flask, Response, current_app, g, request

from demo.fault import Control, Fault
from demo.record import log_entry


def init_app(app: Flask, control: Control, places: dict[str, str], switches: str) -> None:
    """Record all requests but those below the path `switches`, and apply the faults that fit."""

    @app.before_request
    def apply_fault() -> Response | None:
        g.at = places.get(request.endpoint or "")
        g.fault = control.take(g.at, request.form.get("grant_type")) if g.at else None
        return _misbehave(g.fault) if g.fault else None

    @app.after_request
    def alter_answer(response: Response) -> Response:
        fault: Fault | None = g.get("fault")
        if fault and not fault.answers_instead:
            _alter(response, fault)
        at = g.get("at") or (request.endpoint or "unknown").rpartition(".")[2]
        # Whoever looks at the record should not see himself looking.
        if not f"{request.path}/".startswith(f"{switches}/"):
            control.note(log_entry(response.status_code), at)
        return response


def _misbehave(fault: Fault) -> Response | None:
    time.sleep(fault.delay_seconds)
    if fault.drop:
        _drop_connection()
        return Response(status=500)
    if not fault.answers_instead:
        return None
    body: str | Iterator[bytes] = fault.body or ""
    if fault.body_bytes is not None:
        body = _stream(fault.body_bytes)
    return Response(
        body, fault.status or 200, {"Content-Type": "application/json", **fault.headers}
    )


def _drop_connection() -> None:
    # Both servers put the connection's socket into the environment.
    names = ("gunicorn.socket", "werkzeug.socket")
    for connection in filter(None, map(request.environ.get, names)):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _stream(length: int) -> Iterator[bytes]:
    block = b" " * 65536
    while length > 0:
        yield block[:length]
        length -= len(block)


def _alter(response: Response, fault: Fault) -> None:
    if fault.json:
        values = {**(response.get_json(silent=True) or {}), **fault.json}
        response.data = current_app.json.dumps({k: v for k, v in values.items() if v is not None})
        response.content_type = "application/json"
        response.status_code = fault.status or response.status_code
    response.headers.update(fault.headers)
