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


class _Body:
    """A request's body, where a malformed chunk is an OSError: Werkzeug answers that with 400, and
    an exception of gunicorn's own, with the bytes in its text, would be logged as our fault."""

    def __init__(self, body: Any) -> None:
        self._body = body

    def __getattr__(self, name: str) -> Any:
        return getattr(self._body, name)

    def read(self, size: int = -1) -> bytes:
        try:
            return bytes(self._body.read(size))
        except ParseException:
            raise OSError("malformed") from None


class Worker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's threaded worker; `worker_class` in gunicorn.conf.py names it."""

    wsgi: Any

    def load_wsgi(self) -> None:
        """Called by gunicorn: take the app, which gets each body as `_Body`."""
        super().load_wsgi()
        app = self.wsgi

        def wsgi(environ: dict[str, Any], start_response: Any) -> Any:
            environ["wsgi.input"] = _Body(environ["wsgi.input"])
            return app(environ, start_response)

        self.wsgi = wsgi

    def accept(self, listener: Any) -> None:
        """Take a new connection; not that error where the socket has just stopped listening, which
        it does a moment before SIGTERM comes here (see gunicorn.conf.py)."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Read what the app left of the body. The request is answered: where the rest makes no
        sense, a second answer would be taken for that to the connection's next request."""
        try:
            return bool(super()._keepalive_after(conn, keepalive))
        except ParseException:
            return False

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
