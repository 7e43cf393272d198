"""Log lines on stdout: JSON for machines, or text for people; and who signed in and out.

No line holds a token, a code, a secret or a query string: what is logged are names and numbers, and
what others wrote (an error's description) is quoted and short.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from datetime import UTC, datetime
from typing import Any

from flask import g, has_request_context

from auth import signals
from config import Settings

audit = logging.getLogger("audit")
_encode = json.JSONEncoder(default=str).encode

# What every record has; all else came by `extra` and is logged under its own name.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


def init_app(settings: Settings) -> None:
    """Write what the app, the audit stream and gunicorn log to stdout, once."""
    # `flask run` is for people; Flask says by this variable that it is that.
    by_hand = os.environ.get("FLASK_RUN_FROM_CLI") == "true"
    as_text = settings.log_format == "text" or (settings.log_format is None and by_hand)
    # What no line says need not be found out for each.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = StdoutHandler()
    handler.setFormatter(TextFormatter() if as_text else JsonFormatter())
    handler.addFilter(_add_request)
    for name in ("app", "audit", "gunicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        if name != "gunicorn.error":  # --log-level sets that one's
            logger.setLevel(logging.INFO)
    for signal, receiver in RECEIVERS:
        signal.connect(receiver)


class StdoutHandler(logging.Handler):
    """Writes to what stdout is now, and not when the app was made; each line at once."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stdout.write(self.format(record) + "\n")
            sys.stdout.flush()
        except Exception:
            self.handleError(record)


def _add_request(record: logging.LogRecord) -> bool:
    followed = g.get("followed") if has_request_context() else None
    if followed:
        record.__dict__["request_id"] = followed.request_id
        record.__dict__["trace_id"] = followed.trace and followed.trace[0]
    return True


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {
        name: value
        for name, value in vars(record).items()
        if name not in _STANDARD and value is not None
    }


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
        return _encode(line)


class TextFormatter(logging.Formatter):
    """One line for people; a trace below it."""

    def format(self, record: logging.LogRecord) -> str:
        line = f"{_time(record)} {record.levelname:<7} {record.getMessage()}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


# The audit stream


def _signed_in(rp: object, sub: str, **_: object) -> None:
    audit.info("signed in: %r", sub, extra={"event": "signed_in", "sub": sub})


def _sign_in_failed(rp: object, code: str, **_: object) -> None:
    extra = {"event": "sign_in_failed", "code": code}
    audit.warning("a sign-in failed: %s", code, extra=extra)


def _refreshed(rp: object, outcome: str, audience: str, **_: object) -> None:
    level = logging.INFO if outcome == "refreshed" else logging.WARNING
    extra = {"event": "refresh", "outcome": outcome, "audience": audience or None}
    audit.log(level, "refresh: %s", outcome, extra=extra)


def _signed_out(rp: object, sub: str, **_: object) -> None:
    audit.info("signed out: %r", sub, extra={"event": "signed_out", "sub": sub})


def _logged_out(rp: object, count: int, **_: object) -> None:
    extra = {"event": "backchannel_logout", "sessions": count}
    audit.info("back-channel logout: %d sessions", count, extra=extra)


RECEIVERS = (
    (signals.signed_in, _signed_in),
    (signals.sign_in_failed, _sign_in_failed),
    (signals.refreshed, _refreshed),
    (signals.signed_out, _signed_out),
    (signals.logged_out, _logged_out),
)
