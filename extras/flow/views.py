"""The page: what the recorder kept, as a diagram and as a list that says the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, NamedTuple

from auth.guard import wants_json
from flask import Blueprint, abort, current_app, jsonify, render_template
from werkzeug.wrappers import Response

from auth import open_to_all, without_session
from languages import gettext
from pages.claims import Claim, claims_list

from .record import Episode, Message, Recorder
from .texts import MESSAGES, PARAMETERS, PARTIES, PARTS, TOKENS, Text

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

    @property
    def middle(self) -> float:
        return (self.x + self.end) / 2

    @property
    def head(self) -> str:
        """The arrow's head, as a path."""
        back = -10 if self.end > self.x else 10
        return f"M{self.end} {self.y}l{back} -5v10Z"

    @property
    def is_answer(self) -> bool:
        return self.message["status"] is not None

    @property
    def label(self) -> str:
        """What goes under the arrow: method and path, or status."""
        if self.is_answer:
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
@open_to_all
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
        parts=[
            (gettext(title), gettext(hint), where.get(part))
            for part, (title, hint) in PARTS.items()
        ],
        parties={party: gettext(name) for party, name in PARTIES.items()},
        parameters=PARAMETERS,
    )


@bp.get("/flow/code/<name>")
@open_to_all
def code(name: str) -> str:
    """The source of a function that the page names, and of no other."""
    if name not in {text.function for text in MESSAGES.values()}:
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
    return gettext(
        "%(function)s in %(file)s",
        function=path.rpartition(".")[2],
        file=f"{module.replace('.', '/')}.py",
    )


def _drawn(episode: Episode) -> Drawn:
    known = [message for message in episode["messages"] if message["kind"] in MESSAGES]
    lines = [_line(number, message) for number, message in enumerate(known, 1)]
    parts = [part for part in PARTS if part in episode["parts"]]
    titles = [gettext(PARTS[part][0]) for part in parts]
    return Drawn(
        id="-".join(parts).replace("_", "-"),
        title=" + ".join(titles),
        at=datetime.fromtimestamp(episode["at"], UTC),
        lines=lines,
        parties=[(_lane(party), gettext(name)) for party, name in PARTIES.items()],
        height=TOP + ROW * len(lines) + 20,
    )


def _line(number: int, message: Message) -> Line:
    text = MESSAGES[message["kind"]]
    text = text._replace(title=gettext(text.title), explanation=gettext(text.explanation))
    claims = [
        (gettext(TOKENS[name]), claims_list(found)) for name, found in message["tokens"].items()
    ]
    start, end = _lane(text.sender), _lane(text.receiver)
    return Line(number, text, message, claims, start, end, TOP + ROW * number - 20)


def _lane(party: str) -> int:
    return LANE // 2 + LANE * list(PARTIES).index(party)
