"""The page: what the recorder stored, as a diagram and as a list that says the same."""

from __future__ import annotations

import inspect
from pkgutil import resolve_name
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from auth import public, wants_json, without_session

from .messages import CHECKS, MESSAGES
from .record import Episode, Message, Recorder, new_message

bp = Blueprint("flow", __name__, template_folder="templates", static_folder="static")

FUNCTIONS = {kind.function for kind in MESSAGES.values() if kind.function} | CHECKS.keys()


@bp.get("/flow")
@public
def show() -> str | Response:
    """Show this session's last sign-in, API call, refresh and sign-out; signed out, the last
    sign-out or failed sign-in of this browser."""
    recorder: Recorder = current_app.extensions["flow"]
    episodes = recorder.episodes()
    if wants_json():
        return jsonify(episodes)
    drawn = [_drawn(episode) for episode in episodes]
    return render_template(
        "flow/flow.html",
        episodes=drawn,
        failures=[each["id"] for each in drawn if each["failed"]],
        places={part: each["id"] for each in drawn for part in each["parts"]},
        kinds=MESSAGES,
        checks=CHECKS,
    )


@bp.get("/flow/code/<name>")
@public
def code(name: str) -> str:
    """Show the source of a function that the page names, and of no other."""
    if name not in FUNCTIONS:
        abort(404)
    lines, first = inspect.getsourcelines(resolve_name(name))
    return render_template(
        "flow/code.html", where=place_of(name), first=first, source="".join(lines)
    )


@bp.get("/flow/flow.css")
@without_session
def stylesheet() -> Response:
    """Send the page's own stylesheet, which leaves with it."""
    return bp.send_static_file("flow.css")


@bp.app_template_filter("flow_place")
def place_of(name: str) -> str:
    """Return a function and its file: `exchange_code in auth/token_endpoint.py`."""
    module, _, path = name.partition(":")
    file = f"{module.replace('.', '/')}.py"
    return str(gettext("%(function)s in %(file)s", function=path.rpartition(".")[2], file=file))


def _drawn(episode: Episode) -> dict[str, Any]:
    """An episode for the template, with the messages that pass the app by."""
    messages: list[Message] = []
    for message in episode["messages"]:
        if message["kind"] == "authorization_response" and messages:
            messages += [new_message("person"), new_message("way_back")]
        if message["kind"] in MESSAGES:
            messages.append(message)
    return {
        **episode,
        "id": "-".join(episode["parts"]).replace("_", "-"),
        "messages": messages,
        "failed": any(message.get("failure") for message in messages),
    }
