"""The switches: telling the provider and the API to misbehave, and seeing what they were asked.

Both have this under `/demo`, for a person (a page of buttons) and for tests (JSON). It exists only
where nobody but this machine can reach it, see `demo/server.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    jsonify,
    redirect,
    render_template,
    request,
    url_for,
)

from demo import misbehave
from demo.fault import Control, Fault, JsonObject

SWITCHES = "/demo"
bp = Blueprint("control", __name__, url_prefix=SWITCHES)


def the_control() -> Control:
    """The control of the program that is asked."""
    control: Control = current_app.extensions["demo_control"]
    return control


def init_app(app: Flask, control: Control, places: dict[str, str], *, switches: bool) -> None:
    """Record all requests, and apply faults; `places` names the endpoints that faults speak of.

    Without `switches` there is no way to set one.
    """
    app.extensions["demo_control"] = control
    misbehave.init_app(app, control, places, SWITCHES)
    if switches:
        app.register_blueprint(bp)


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
