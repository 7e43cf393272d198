"""gunicorn's worker, answering what never becomes a request as the app answers everything else.

gunicorn itself would repeat a malformed line in its log and on its page; a code or a token may be
in it. It would also answer without our headers.
"""

from __future__ import annotations

import errno
import socket
import ssl
from contextlib import suppress
from typing import Any

from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.util import write_nonblock
from gunicorn.workers.gthread import ThreadWorker
from werkzeug.test import EnvironBuilder, run_wsgi_app

from auth import Problem

from .errors import PROBLEM

OUR_FAULT = (InvalidResponseHeader, InvalidResponseHeaderName)
CODES = {LimitRequestLine: "long_address", LimitRequestHeaders: "long_headers"}


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's threaded worker; `worker_class` in gunicorn.conf.py names it."""

    def accept(self, listener: Any) -> None:
        """Take a new connection; not that error where the socket has just stopped listening, which
        it does a moment before SIGTERM comes here (see gunicorn.conf.py)."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise

    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Answer a request that could not be parsed, or that the server itself failed at."""
        if isinstance(exc, (ParseException, ssl.SSLError)) and not isinstance(exc, OUR_FAULT):
            problem = Problem(CODES.get(type(exc), "bad_request"), type(exc).__name__)
        else:
            problem = Problem("internal_error", type(exc).__name__)
            self.log.error("The server failed at a request", exc_info=exc)
        environ = EnvironBuilder("/-", environ_overrides={PROBLEM: problem}).get_environ()
        body, status, headers = run_wsgi_app(self.wsgi, environ, buffered=True)
        headers["Connection"] = "close"
        head = f"HTTP/1.1 {status}\r\n{headers}".encode("latin-1")
        with suppress(OSError):
            write_nonblock(client, head + b"".join(body))
