"""Where an error becomes an answer: a page, or `application/problem+json` (RFC 9457)."""

from __future__ import annotations

import logging
import secrets
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Flask, g, json, make_response, render_template, request
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.wrappers import Response

from auth import Problem, SignInNeeded
from auth.guard import is_fetch, lead_to_sign_in, this_page, wants_json
from auth.return_to import safe_return_to
from languages import gettext
from sessions import SessionEnded, StoreUnavailable

log = logging.getLogger("app.errors")

# Where the server leaves, in the environ, what it refused to read (see gunicorn_worker.py).
PROBLEM = "app.problem"

CODE_OF_STATUS = {404: "not_found", 405: "wrong_method", 413: "too_large"}


class ErrorPage(NamedTuple):
    """What the template shows."""

    status: int
    title: str
    text: str
    reference: str


def init_app(app: Flask) -> None:
    """Answer every error in one place."""
    app.before_request(_refused_by_the_server)
    app.register_error_handler(SignInNeeded, _sign_in_needed)
    app.register_error_handler(Problem, _problem)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(SessionEnded, lambda error: _sign_in_needed(SignInNeeded()))
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(InternalServerError, _internal_error)


def _refused_by_the_server() -> None:
    problem = request.environ.get(PROBLEM)
    if problem is not None:
        raise problem


def _sign_in_needed(needed: SignInNeeded) -> Any:
    try:
        response = lead_to_sign_in(needed)
    except Problem as problem:
        return _problem(problem)
    return response if response is not None else _problem(needed)


def _store_unavailable(error: StoreUnavailable) -> Response:
    return _problem(Problem("store_unavailable", str(error), retry_after=5))


def _http_error(error: HTTPException) -> Any:
    status = error.code or 500
    if status < 400:
        return error  # a redirect of the router, such as for a missing slash
    code = CODE_OF_STATUS.get(status, "bad_request" if status < 500 else "internal_error")
    response = _problem(Problem(code, error.name))
    if error.code == 405:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def _internal_error(error: InternalServerError) -> Any:
    """What nobody caught. Flask has logged its trace; an error that came up outside of a view,
    while the session was saved, is still one of ours."""
    original = error.original_exception
    if isinstance(original, StoreUnavailable):
        return _store_unavailable(original)
    if isinstance(original, Problem):
        return _problem(original)
    return _problem(Problem("internal_error", type(original).__name__))


def _problem(problem: Problem) -> Response:
    """Log a problem with its reference, and answer with a page or JSON."""
    reference = secrets.token_hex(6)
    level = logging.ERROR if problem.kind.status >= 500 else logging.WARNING
    log.log(
        level,
        "%s at %s %s: %s (reference %s)",
        problem.code,
        request.method,
        request.url_rule or "an unknown address",
        problem.detail or "-",
        reference,
        extra={"code": problem.code, "detail": problem.detail, "reference": reference},
    )
    g.problem_code = problem.code
    kind = problem.kind
    if wants_json() or is_fetch():
        response = make_response(json.dumps(_problem_json(problem, reference)))
        response.mimetype = "application/problem+json"
    else:
        text = gettext(kind.text)
        if problem.scope:
            text = gettext("%(text)s It is called “%(scope)s”.", text=text, scope=problem.scope)
        error = ErrorPage(kind.status, gettext(kind.title), text, reference)
        response = make_response(render_template("error.html", error=error, ways=_ways(problem)))
    response.status_code = kind.status
    if problem.retry_after:
        response.headers["Retry-After"] = str(problem.retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def _problem_json(problem: Problem, reference: str) -> dict[str, Any]:
    members: dict[str, Any] = {
        "type": "about:blank",
        "title": gettext(problem.kind.title),
        "status": problem.kind.status,
        "detail": gettext(problem.kind.text),
        "code": problem.code,
        "reference": reference,
    }
    if problem.scope:
        members["scope"] = problem.scope
    return members


def _ways(problem: Problem) -> list[tuple[str, str]]:
    """The ways on, as the table names them. The callback's own URL, with its code, is never one:
    what can be tried again there is the sign-in."""
    in_flow = request.endpoint in ("auth.callback", "auth.login", "auth.logout")
    wanted = safe_return_to(request.args.get("return_to")) if in_flow else this_page()
    sign_in = f"/login?return_to={quote(problem.return_to or wanted or '/', safe='/')}"
    ways = []
    for way in problem.kind.ways:
        if way == "sign_in" or (way == "retry" and request.endpoint == "auth.callback"):
            ways.append((gettext("Sign in again"), sign_in))
        elif way == "retry" and request.method == "GET":
            ways.append((gettext("Try again"), sign_in if in_flow else this_page()))
        elif way == "ask_scope" and problem.scope:
            ask = f"{sign_in}&scope={quote(problem.scope, safe='')}"
            ways.append((gettext("Ask for this permission"), ask))
        elif way == "home":
            ways.append((gettext("Go to the start page"), "/"))
    return ways
