"""Prometheus metrics on a port of their own, METRICS_PORT, which must not be published.

gunicorn makes the app once, before it forks, so the thread that serves them lives in its main
process. Each worker counts in files of its own, in a directory that all share; the thread adds them
up. Under a server that makes the app in each worker, the first one serves for all.
"""

from __future__ import annotations

import atexit
import errno
import importlib
import os
import shutil
import socket
import sys
import tempfile
import time
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, g, request, request_finished

from auth import relying_party, signals

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
ADDRESSES = ("::", "0.0.0.0")  # noqa: S104  # what METRICS_PORT means; .env.example says so
# Taken; or a machine without IPv6.
UNAVAILABLE = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


def init_app(app: Flask, port: int) -> None:
    """Count what this app does, and serve the counts. Exits where that cannot be."""
    if DIRECTORY not in os.environ:
        os.environ[DIRECTORY] = folder = tempfile.mkdtemp(prefix="metrics-")
        atexit.register(_remove, folder, os.getpid())
    try:
        # Not before the directory is known: the package looks for it when it is imported.
        prometheus = importlib.import_module("prometheus_client")
    except ImportError:
        sys.exit("METRICS_PORT needs prometheus_client. Install it: pip install prometheus_client")
    registry = prometheus.CollectorRegistry()
    importlib.import_module("prometheus_client.multiprocess").MultiProcessCollector(registry)
    _count(app, prometheus)
    is_served = [_serve(prometheus, address, port, registry) for address in ADDRESSES]
    if not any(is_served):
        # Another worker serves, or something else: then the log says so and the pages go on.
        app.logger.warning("METRICS_PORT %d is taken", port)


def _serve(prometheus: Any, address: str, port: int, registry: Any) -> bool:
    """Whether this address could be had: mostly [::] takes IPv4 along, and the second is taken."""
    try:
        prometheus.start_http_server(port, address, registry=registry)
    except OSError as error:
        if error.errno not in UNAVAILABLE and not isinstance(error, socket.gaierror):
            raise
        return False
    return True


def _remove(folder: str, pid: int) -> None:
    if os.getpid() == pid:  # and not in a worker, which ends earlier
        shutil.rmtree(folder, ignore_errors=True)


def _count(app: Flask, prometheus: Any) -> None:
    own = prometheus.CollectorRegistry()  # the files are what is served
    counter = partial(prometheus.Counter, registry=own)
    histogram = partial(prometheus.Histogram, registry=own, buckets=SECONDS)
    sign_ins = counter("app_sign_ins", "Finished sign-ins: ok, or the error's code", ["outcome"])
    refreshes = counter("app_refreshes", "Exchanged refresh tokens", ["outcome"])
    calls = "Calls to %s (status 0: no response)"
    api_calls = histogram("app_api_call_seconds", calls % "an API", ["status"])
    provider_calls = histogram("app_provider_call_seconds", calls % "the provider", ["status"])
    pages = histogram("app_request_seconds", "Requests", ["route", "status"])
    with app.app_context():
        rp = relying_party()
    urls = (rp.settings.api_base_url, rp.settings.contacts_api_base_url)
    apis = {urlsplit(url).netloc for url in urls if url}

    def finished(sender: Flask, response: Response, **_: object) -> None:
        # All unknown addresses are one, so that visitors cannot make series without end.
        route = request.url_rule.rule if request.url_rule else "unknown"
        seconds = time.perf_counter() - g.followed.started_at
        pages.labels(route, response.status_code).observe(seconds)

    def sent(sender: object, url: str, status: int, seconds: float, **_: object) -> None:
        where = api_calls if urlsplit(url).netloc in apis else provider_calls
        where.labels(status).observe(seconds)

    def sign_in_ended(sender: object, code: str = "ok", **_: object) -> None:
        sign_ins.labels(code).inc()

    def refreshed(sender: object, outcome: str, **_: object) -> None:
        refreshes.labels(outcome).inc()

    request_finished.connect(finished, app, weak=False)
    signals.request_sent.connect(sent, rp.http, weak=False)
    signals.signed_in.connect(sign_in_ended, rp, weak=False)
    signals.sign_in_failed.connect(sign_in_ended, rp, weak=False)
    signals.refreshed.connect(refreshed, rp, weak=False)
