"""The page: what the recorder stored, as a diagram and as a list that says the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

from flask import Blueprint, abort, current_app, jsonify, render_template
from flask_babel import gettext
from werkzeug.wrappers import Response

from auth import public, wants_json, without_session
from pages.claims import Claim, claims_list

from .record import Episode, Message, Recorder
from .texts import CHECKS, MESSAGES, PARAMETERS, PARTIES, PARTS, TOKENS, Text

bp = Blueprint("flow", __name__, template_folder="templates", static_folder="static")

# The diagram's measures, in units of its view box.
LANE, ROW, TOP = 200, 54, 60


class Line(NamedTuple):
    """One message: its arrow from `x` to `end` at the height `y`, and what the list says of it."""

    number: int
    text: Text
    message: Message
    claims: list[tuple[str, list[Claim]]]
    x: int
    end: int
    y: int
    check: tuple[str, str, str] | None

    @property
    def middle(self) -> float:
        return (self.x + self.end) / 2

    @property
    def head(self) -> str:
        """The arrow's head, as a path."""
        back = -10 if self.end > self.x else 10
        return f"M{self.end} {self.y}l{back} -5v10Z"

    @property
    def is_response(self) -> bool:
        return self.message["status"] is not None

    @property
    def label(self) -> str:
        """What goes under the arrow: method and path, or status."""
        if self.is_response:
            return str(self.message["status"] or "")
        path = "/" + self.message["url"].partition("://")[2].partition("/")[2]
        path = path if "://" in self.message["url"] else self.message["url"]
        return f"{self.message['method']} {path if len(path) < 20 else '…' + path[-18:]}"


class Drawn(NamedTuple):
    """An episode, ready for the template."""

    id: str
    title: str
    at: datetime
    lines: list[Line]
    parties: list[tuple[int, str]]
    height: int


@bp.get("/flow")
@public
def show() -> str | Response:
    """This session's last sign-in, API call, refresh and sign-out; signed out, the last sign-out
    of this browser."""
    recorder: Recorder = current_app.extensions["flow"]
    episodes = recorder.episodes()
    if wants_json():
        return jsonify(episodes)
    drawn = [_drawn(episode) for episode in episodes]
    where = {
        part: each.id for each, of in zip(drawn, episodes, strict=True) for part in of["parts"]
    }
    return render_template(
        "flow/flow.html",
        episodes=drawn,
        parts=[(title, hint, where.get(part)) for part, (title, hint) in PARTS.items()],
        parties=PARTIES,
        parameters=PARAMETERS,
    )


@bp.get("/flow/code/<name>")
@public
def code(name: str) -> str:
    """The source of a function that the page names, and of no other."""
    named = {text.function for text in MESSAGES.values()} | {each[0] for each in CHECKS.values()}
    if name not in named:
        abort(404)
    lines, first = inspect.getsourcelines(function_of(name))
    return render_template(
        "flow/code.html", where=place_of(name), first=first, source="".join(lines)
    )


@bp.get("/flow/flow.css")
@without_session
def stylesheet() -> Response:
    """The page's own stylesheet, which leaves with it."""
    return bp.send_static_file("flow.css")


def function_of(name: str) -> Callable[..., Any]:
    """The function that `module:name` means."""
    module, _, path = name.partition(":")
    found: Any = import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return inspect.unwrap(found)  # type: ignore[no-any-return]


@bp.app_template_filter("flow_place")
def place_of(name: str) -> str:
    """The function and its file: `exchange_code in auth/token_endpoint.py`."""
    module, _, path = name.partition(":")
    function, file = path.rpartition(".")[2], f"{module.replace('.', '/')}.py"
    return str(gettext("%(function)s in %(file)s", function=function, file=file))


def _drawn(episode: Episode) -> Drawn:
    known = [message for message in episode["messages"] if message["kind"] in MESSAGES]
    lines = [_line(number, message) for number, message in enumerate(known, 1)]
    parts = [part for part in PARTS if part in episode["parts"]]
    titles = [str(PARTS[part][0]) for part in parts]
    return Drawn(
        id="-".join(parts).replace("_", "-"),
        title=" + ".join(titles),
        at=datetime.fromtimestamp(episode["at"], UTC),
        lines=lines,
        parties=[(_lane(party), str(name)) for party, name in PARTIES.items()],
        height=TOP + ROW * len(lines) + 20,
    )


def _line(number: int, message: Message) -> Line:
    text = MESSAGES[message["kind"]]
    claims = [(str(TOKENS[name]), claims_list(found)) for name, found in message["tokens"].items()]
    start, end = _lane(text.sender), _lane(text.receiver)
    check = _check(message.get("failure"))
    return Line(number, text, message, claims, start, end, TOP + ROW * number - 20, check)


def _check(failure: dict[str, str] | None) -> tuple[str, str, str] | None:
    """The function that stopped a sign-in or a refresh, the section of its rule, and its link."""
    if failure is None:
        return None
    code, detail = failure["code"], failure["detail"].removeprefix("refreshed ID token: ")
    claim = detail.partition(" ")[0] if code in ("bad_id_token", "refresh") else ""
    return CHECKS.get(claim) or CHECKS.get(code)


def _lane(party: str) -> int:
    return LANE // 2 + LANE * list(PARTIES).index(party)
