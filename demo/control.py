"""The control pages under `/demo`: set faults, and see what was asked.

The provider and the API both have them, for people (a page of buttons) and for tests (JSON). They
exist only where nobody but this machine can reach them, see `demo/server.py`.
"""

from __future__ import annotations

import dataclasses
from typing import Any
from urllib.parse import urlsplit

import flask
from flask import Blueprint, Response, abort, current_app, jsonify, request, url_for

from demo.fault import Control, Fault, JsonObject

PATH = "/demo"
bp = Blueprint("control", __name__, url_prefix=PATH)


def the_control() -> Control:
    """The program that is asked."""
    control: Control = current_app.extensions["demo"]
    return control


@bp.before_request
def refuse_other_sites() -> None:
    """Refuse other sites' pages, and names that were rebound to this machine's address."""
    if urlsplit(f"//{request.host}").hostname not in ("localhost", "127.0.0.1", "::1"):
        abort(403)
    if request.method in ("GET", "HEAD"):
        return
    own = f"http://{request.host}"
    same_site = request.headers.get("Sec-Fetch-Site", "none") in ("none", "same-origin")
    if not same_site or request.headers.get("Origin", own) != own:
        abort(403)


def read_json() -> JsonObject:
    """The request's JSON object; an empty body is an empty object. Raises 400."""
    values = request.get_json(silent=True) if request.data else {}
    if not isinstance(values, dict):
        abort(Response("send a JSON object\n", 400, {"Content-Type": "text/plain"}))
    return values


def back_to_page() -> Response:
    """The response to a form: the page of buttons again."""
    return Response(status=303, headers={"Location": url_for("control.page")})


@bp.get("")
def page() -> str:
    """The page of buttons."""
    return flask.render_template("demo/faults.html", control=the_control())


@bp.get("/faults")
def list_faults() -> Response:
    """The faults that are set, and the names of all named faults."""
    control = the_control()
    faults = [dataclasses.asdict(fault) for fault in control.faults]
    return jsonify(faults=faults, names=sorted(control.named_faults))


@bp.post("/faults")
def set_fault() -> Response | tuple[Response, int]:
    """Set a fault, by name or in detail, behind those that are set already."""
    control = the_control()
    values = {"name": request.form.get("name")} if request.form else read_json()
    name = values.get("name")
    try:
        if name is not None:
            if not isinstance(name, str) or name not in control.named_faults:
                raise ValueError(f"name: one of {', '.join(sorted(control.named_faults))}")
            values = {**control.named_faults[name][1], **values}
        known = [each.name for each in dataclasses.fields(Fault)]
        if unknown := set(values) - set(known):
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {known}")
        fault = Fault(**values)
    except ValueError as error:
        return jsonify(error=str(error)), 400
    control.faults.append(fault)
    return back_to_page() if request.form else (jsonify(dataclasses.asdict(fault)), 201)


@bp.delete("/faults")
@bp.post("/faults/clear")
def clear_faults() -> Any:
    """Be honest again. Forms can only post, so they have an address of their own."""
    the_control().faults.clear()
    return back_to_page() if request.method == "POST" else ("", 204)


@bp.get("/log")
def log() -> Response:
    """Every request since the start or the last reset, oldest first; `?after=n` skips."""
    after = request.args.get("after", 0, int)
    return jsonify([entry for entry in list(the_control().log) if entry["n"] > after])


@bp.get("/stats")
def stats() -> Response:
    """Counts."""
    return jsonify(the_control().stats())


@bp.post("/reset")
def reset() -> tuple[str, int]:
    """Forget faults, log and whatever else the program remembers."""
    the_control().reset()
    return "", 204
