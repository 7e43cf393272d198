"""Apply faults to the requests that they fit, and log every request without its secrets."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import time
from collections.abc import Iterator

from flask import Flask, Response, current_app, g, request

from demo.fault import Control, Fault, JsonObject

# The log shows these as digests, which tell whether two values are the same.
SECRET_FIELDS = {
    *("code", "code_verifier", "client_secret", "client_assertion", "refresh_token", "token"),
    *("id_token_hint", "logout_token", "access_token"),
}
LOGGED_HEADERS = (
    *("Accept", "Content-Type", "Content-Length", "Origin", "User-Agent", "traceparent"),
    *("DPoP", "Idempotency-Key"),
)


def init_app(app: Flask, control: Control, hidden: str) -> None:
    """Apply faults, and log all requests except those below the path `hidden`."""

    @app.before_request
    def apply_fault() -> Response | None:
        g.at = control.places.get(request.endpoint or "")
        g.fault = control.take(g.at, request.form.get("grant_type")) if g.at else None
        return _replace_response(g.fault) if g.fault else None

    @app.after_request
    def change_response(response: Response) -> Response:
        fault: Fault | None = g.get("fault")
        if fault and not fault.replaces_response:
            _change(response, fault)
        at = g.get("at") or (request.endpoint or "unknown").rpartition(".")[2]
        if not f"{request.path}/".startswith(f"{hidden}/"):
            control.record(_log_entry(response.status_code), at)
        return response


def _replace_response(fault: Fault) -> Response | None:
    time.sleep(fault.delay_seconds)
    if fault.drop:
        _drop_connection()
        return Response(status=500)
    if not fault.replaces_response:
        return None
    body = fault.body or "" if fault.body_bytes is None else _blanks(fault.body_bytes)
    headers = {"Content-Type": "application/json", **fault.headers}
    return Response(body, fault.status or 200, headers)


def _drop_connection() -> None:
    # gunicorn and Werkzeug both put the connection's socket into the environment.
    names = ("gunicorn.socket", "werkzeug.socket")
    for connection in filter(None, map(request.environ.get, names)):
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)


def _blanks(length: int) -> Iterator[bytes]:
    block = b" " * 65536
    while length > 0:
        yield block[:length]
        length -= len(block)


def _change(response: Response, fault: Fault) -> None:
    if fault.json:
        values = {**(response.get_json(silent=True) or {}), **fault.json}
        response.data = current_app.json.dumps({k: v for k, v in values.items() if v is not None})
        response.content_type = "application/json"
        response.status_code = fault.status or response.status_code
    response.headers.update(fault.headers)


def _log_entry(status: int) -> JsonObject:
    environ = request.environ
    headers = {k: request.headers[k] for k in LOGGED_HEADERS if k in request.headers}
    if "Authorization" in request.headers:
        scheme, _, credentials = request.headers["Authorization"].partition(" ")
        headers["Authorization"] = f"{scheme} {_digest(credentials)}"
    return {
        "time": time.time(),
        "method": request.method,
        "path": request.path,
        "query": _without_secrets(request.args.to_dict(flat=False)),
        "form": _without_secrets(request.form.to_dict(flat=False)),
        "grant_type": request.form.get("grant_type"),
        "status": status,
        "connection": f"{environ.get('REMOTE_ADDR')}:{environ.get('REMOTE_PORT')}",
        "headers": headers,
    }


def _without_secrets(values: dict[str, list[str]]) -> JsonObject:
    # A parameter that came once is shown as a plain string.
    shown = {k: [_digest(v) for v in vs] if k in SECRET_FIELDS else vs for k, vs in values.items()}
    return {name: each[0] if len(each) == 1 else each for name, each in shown.items()}


def _digest(value: str) -> str:
    return "sha256:" + hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:16]
