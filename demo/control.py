"""Telling the provider and the API to misbehave, and seeing what they were asked.

Both have this under `/demo`, for a person (a page of buttons) and for tests (JSON). It exists only
where nobody but this machine can reach it, see `demo/server.py`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import socket
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import UnionType
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)

JsonObject = dict[str, Any]

# Shown in the log as digests only, which is enough to see whether two are the same.
SECRET_FIELDS = {
    "code", "code_verifier", "client_secret", "client_assertion", "refresh_token", "token",
    "id_token_hint", "logout_token", "access_token",
}  # fmt: skip
LOGGED_HEADERS = (
    "Authorization",
    "Accept",
    "Content-Type",
    "Content-Length",
    "Origin",
    "User-Agent",
    "traceparent",
)
LOG_LENGTH = 20_000
# Where a fault can be, with the heading of its group of buttons.
PLACES = {
    "token": "Token endpoint and ID token",
    "authorize": "Authorization response",
    "metadata": "Provider metadata",
    "jwks": "Key set",
    "userinfo": "Userinfo endpoint",
    "revoke": "Revocation endpoint",
    "logout": "End session endpoint",
    "api": "Every route of the API",
}


# The fields of a fault in JSON.
FAULT_TYPES: dict[str, type | UnionType] = {
    "at": str,
    "times": int,
    "name": str,
    "grant": str,
    "status": int,
    "body": str,
    "body_bytes": int,
    "drop": bool,
    "delay_seconds": int | float,
    "headers": dict,
    "json": dict,
    "redirect": dict,
    "id_token": dict,
    "id_token_header": dict,
    "id_token_sign": str,
}


@dataclass
class Fault:
    """One way to misbehave at one endpoint, for a number of requests (0: until cleared)."""

    at: str = "token"
    times: int = 1
    name: str | None = None
    grant: str | None = None
    # These answer instead of the endpoint, which then does not do its work:
    status: int | None = None
    body: str | None = None
    body_bytes: int | None = None
    drop: bool = False
    # These change what the endpoint answers:
    delay_seconds: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    json: JsonObject = field(default_factory=dict)
    redirect: JsonObject = field(default_factory=dict)
    id_token: JsonObject = field(default_factory=dict)
    id_token_header: JsonObject = field(default_factory=dict)
    id_token_sign: str | None = None

    def __post_init__(self) -> None:
        if self.at not in PLACES:
            raise ValueError(f"at: one of {', '.join(PLACES)}")
        ways = (None, "none", "hs256_public_key", "hs256_client_secret", "unknown_key", "broken")
        if self.id_token_sign not in ways:
            raise ValueError(f"id_token_sign: one of {', '.join(filter(None, ways))}")

    @classmethod
    def from_mapping(cls, values: JsonObject) -> Fault:
        """Read the JSON form. Raises ValueError for what it does not know."""
        unknown = set(values) - set(FAULT_TYPES)
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {list(FAULT_TYPES)}")
        for name, value in values.items():
            if not isinstance(value, FAULT_TYPES[name]):
                raise ValueError(f"{name} has the wrong type")
        return cls(**values)

    @property
    def answers_instead(self) -> bool:
        """Does the endpoint stay unasked? `json` together with a status means that it is asked."""
        instead = (self.status, self.body, self.body_bytes)
        return any(each is not None for each in instead) and not self.json

    @property
    def on_redirect(self) -> bool:
        """Does it wait for the authorization response, however many pages come before?"""
        return bool(self.redirect)


class Control:
    """The faults that are set, and the record of all requests, of one program."""

    def __init__(self, named_faults: dict[str, tuple[str, JsonObject]], title: str) -> None:
        self.named_faults = named_faults
        self.title = title
        self.links: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget faults and record."""
        with self._lock:
            self.faults: list[Fault] = []
            self.log: deque[JsonObject] = deque(maxlen=LOG_LENGTH)
            self.by_endpoint: Counter[str] = Counter()
            self.by_grant: Counter[str] = Counter()
            self.connections: set[str] = set()
            self.requests = 0

    def groups(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Heading, and name and text of each button below it."""
        for place, heading in PLACES.items():
            group = [
                (name, text)
                for name, (text, fault) in self.named_faults.items()
                if fault.get("at", "token") == place
            ]
            if group:
                yield heading, group

    def add(self, fault: Fault) -> None:
        """Set a fault, behind those that are set already."""
        with self._lock:
            self.faults.append(fault)

    def clear(self) -> None:
        """Be honest again."""
        with self._lock:
            self.faults.clear()

    def take(self, at: str, grant: str | None = None, *, on_redirect: bool = False) -> Fault | None:
        """The first fault that fits this request, counted down."""
        with self._lock:
            for fault in self.faults:
                fits = fault.at == at and fault.grant in (None, grant)
                if fits and fault.on_redirect == on_redirect:
                    if fault.times == 1:
                        self.faults.remove(fault)
                    fault.times -= fault.times > 0
                    return fault
        return None

    def note(self, entry: JsonObject, at: str) -> None:
        """Record one request."""
        with self._lock:
            self.requests += 1
            self.log.append({"n": self.requests, **entry})
            self.by_endpoint[at] += 1
            if entry["grant_type"]:
                self.by_grant[entry["grant_type"]] += 1
            self.connections.add(entry["connection"])


bp = Blueprint("control", __name__, url_prefix="/demo")


def the_control() -> Control:
    """The control of the program that is asked."""
    control: Control = current_app.extensions["demo_control"]
    return control


def init_app(app: Flask, control: Control, places: dict[str, str], *, switches: bool) -> None:
    """Record all requests, and apply faults; `places` names the endpoints that faults speak of.

    Without `switches` there is no way to set one.
    """
    app.extensions["demo_control"] = control

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
        if not is_switch(request.path):
            control.note(_log_entry(response.status_code), at)
        return response

    if switches:
        app.register_blueprint(bp)


def is_switch(path: str) -> bool:
    """Whoever looks at the record should not see himself looking."""
    return path == bp.url_prefix or path.startswith(f"{bp.url_prefix}/")


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


# The record


def _log_entry(status: int) -> JsonObject:
    environ = request.environ
    return {
        "time": time.time(),
        "method": request.method,
        "path": request.path,
        "query": _without_secrets(request.args.to_dict(flat=False)),
        "form": _without_secrets(request.form.to_dict(flat=False)),
        "grant_type": request.form.get("grant_type"),
        "status": status,
        "connection": f"{environ.get('REMOTE_ADDR')}:{environ.get('REMOTE_PORT')}",
        "headers": {
            name: _digest_authorization(request.headers[name]) if name == "Authorization"
            else request.headers[name]
            for name in LOGGED_HEADERS
            if name in request.headers
        },
    }  # fmt: skip


def _without_secrets(values: dict[str, list[str]]) -> JsonObject:
    # A parameter that came once, the usual case, is shown as a plain string.
    shown = {k: [digest(v) for v in vs] if k in SECRET_FIELDS else vs for k, vs in values.items()}
    return {name: each[0] if len(each) == 1 else each for name, each in shown.items()}


def _digest_authorization(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    return f"{scheme} {digest(credentials)}"


def digest(value: str) -> str:
    """How the log shows a secret."""
    return "sha256:" + hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:16]


# The switches


@bp.before_request
def only_from_here() -> None:
    """Refuse other sites' pages, and names that were rebound to this machine's address."""
    if urlsplit(f"//{request.host}").hostname not in ("localhost", "127.0.0.1", "::1"):
        abort(403)
    if request.method in ("GET", "HEAD"):
        return
    if request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        abort(403)
    if request.headers.get("Origin", f"http://{request.host}") != f"http://{request.host}":
        abort(403)


def read_json() -> JsonObject:
    """The request's JSON object; an empty body is an empty one. Raises 400."""
    if not request.data:
        return {}
    values = request.get_json(silent=True)
    if not isinstance(values, dict):
        abort(Response("send a JSON object\n", 400, {"Content-Type": "text/plain"}))
    return values


@bp.get("")
def page() -> str:
    """The page of buttons."""
    return render_template("demo/faults.html", control=the_control())


@bp.get("/faults")
def list_faults() -> Response:
    """The faults that are set, and the names that there are."""
    control = the_control()
    faults = [dataclasses.asdict(fault) for fault in control.faults]
    return jsonify(faults=faults, names=sorted(control.named_faults))


@bp.post("/faults")
def set_fault() -> Response | tuple[Response, int]:
    """Set a fault, by name or in detail; a form's answer is the page again."""
    control = the_control()
    from_form = bool(request.form)
    values = {"name": request.form.get("name")} if from_form else read_json()
    name = values.get("name")
    try:
        if name is not None:
            if not isinstance(name, str) or name not in control.named_faults:
                raise ValueError(f"name: one of {', '.join(sorted(control.named_faults))}")
            values = {**control.named_faults[name][1], **values}
        fault = Fault.from_mapping(values)
    except ValueError as error:
        return jsonify(error=str(error)), 400
    control.add(fault)
    if from_form:
        return redirect(url_for("control.page"), 303)  # type: ignore[return-value]  # it is Flask's
    return jsonify(dataclasses.asdict(fault)), 201


@bp.delete("/faults")
def clear_faults() -> tuple[str, int]:
    """Be honest again."""
    the_control().clear()
    return "", 204


@bp.post("/faults/clear")
def clear_faults_by_form() -> Any:
    """The same for a form, which can only post."""
    the_control().clear()
    return redirect(url_for("control.page"), 303)


@bp.get("/log")
def log() -> Response:
    """Every request since the start or the last reset, oldest first; `?after=n` skips."""
    after = request.args.get("after", 0, int)
    return jsonify([entry for entry in list(the_control().log) if entry["n"] > after])


@bp.get("/stats")
def stats() -> Response:
    """Counts."""
    control = the_control()
    return jsonify(
        requests=control.requests,
        by_endpoint=control.by_endpoint,
        by_grant=control.by_grant,
        connections=len(control.connections),
        **current_app.extensions.get("demo_stats", dict)(),
    )


@bp.post("/reset")
def reset() -> tuple[str, int]:
    """Forget faults and record, and whatever else the program remembers."""
    the_control().reset()
    current_app.extensions.get("demo_reset", lambda: None)()
    return "", 204
