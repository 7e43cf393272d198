"""Log lines on stdout: text for people at a terminal, JSON for machines. The audit stream among
them says who signed in and out, and why somebody could not.

No line holds a token, a code, a secret or a query string. What others wrote (an error's
description) is quoted and short.
"""

from __future__ import annotations

import json
import logging
import re
import sys
from datetime import UTC, datetime
from typing import Any

import click
from flask import g, has_request_context
from werkzeug.local import LocalProxy
from werkzeug.serving import WSGIRequestHandler

from auth import signals

audit = logging.getLogger("audit")

# What every record has; all else came by `extra` and is logged under its own name.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# In text they could forge a line, or rewrite the terminal; JSON escapes them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def init_app(log_format: str | None) -> None:
    """Write what the app, the audit stream and gunicorn log, once."""
    as_text = sys.stdout.isatty() if log_format is None else log_format == "text"
    # What no line says need not be found out for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    # What stdout is now, and not when the app was made.
    stream: Any = LocalProxy(lambda: sys.stderr if is_command() else sys.stdout)
    handler = logging.StreamHandler(stream)
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    handler.addFilter(_add_request)
    for name in ("app", "audit", "gunicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        if name != "gunicorn.error":  # --log-level sets that one's
            logger.setLevel(logging.INFO)
    # The server of `flask run` would log each query, with its codes and states.
    WSGIRequestHandler.log_request = lambda *_: None  # type: ignore[method-assign]


def is_command() -> bool:
    """Whether a command runs that is no server (`flask sessions`): stdout is its own then."""
    context = click.get_current_context(silent=True)
    return context is not None and context.info_name != "run"


def _add_request(record: logging.LogRecord) -> bool:
    followed = g.get("followed") if has_request_context() else None
    if followed:
        record.__dict__["request_id"] = followed.request_id
        record.__dict__["trace_id"] = followed.trace and followed.trace[0]
    return True


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {k: v for k, v in vars(record).items() if v is not None and k not in _STANDARD}


def _time(record: logging.LogRecord) -> str:
    moment = datetime.fromtimestamp(record.created, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **_extra(record),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class TextFormatter(logging.Formatter):
    """One line for people; a trace below it."""

    def format(self, record: logging.LogRecord) -> str:
        message = _CONTROL.sub(lambda match: ascii(match[0])[1:-1], record.getMessage())
        line = f"{_time(record)} {record.levelname:<7} {message}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


# ---------------------------------------------------------------- the audit stream


def _write(event: str, text: str, *, ok: bool = True, detail: str = "", **extra: object) -> None:
    """Write an event; what failed is a warning with its reason."""
    level, more = (logging.INFO, "") if ok else (logging.WARNING, f" ({detail or 'no reason'})")
    fields = {"event": event, **extra, "detail": detail or None}
    audit.log(level, "%s%s", text, more, extra=fields)


@signals.signed_in.connect
def _signed_in(rp: object, sub: str, **_: object) -> None:
    _write("signed_in", f"signed in: {sub!r}", sub=sub)


@signals.sign_in_failed.connect
def _sign_in_failed(rp: object, code: str, detail: str, **_: object) -> None:
    text = f"a sign-in failed: {code}"
    _write("sign_in_failed", text, ok=False, code=code, detail=detail)


@signals.refreshed.connect
def _refreshed(rp: object, outcome: str, audience: str, detail: str = "", **_: object) -> None:
    ok, text = outcome == "refreshed", f"refresh: {outcome}"
    _write("refresh", text, ok=ok, outcome=outcome, audience=audience or None, detail=detail)


@signals.revoked.connect
def _revoked(rp: object, ok: bool, detail: str, **_: object) -> None:
    text = "refresh token revoked" if ok else "a refresh token was not revoked"
    _write("revoked" if ok else "revocation_failed", text, ok=ok, detail=detail)


@signals.signed_out.connect
def _signed_out(rp: object, sub: str, **_: object) -> None:
    _write("signed_out", f"signed out: {sub!r}", sub=sub)


@signals.logged_out.connect
def _logged_out(rp: object, count: int, **_: object) -> None:
    _write("backchannel_logout", f"back-channel logout: {count} sessions", sessions=count)
