"""Health for platforms: alive (`/healthz`), and able to serve (`/readyz`)."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from flask import Blueprint, current_app, jsonify
from werkzeug.wrappers import Response

from auth import relying_party, without_session
from sessions import Store, StoreUnavailable, session_records

bp = Blueprint("health", __name__)
log = logging.getLogger("app.health")

READY_SECONDS = 1.8
_beginning = threading.Lock()
# A thread starts with the first check, and so not before the server forks. What hangs ends by its
# own timeout.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="readyz")


@bp.get("/healthz")
@without_session
def healthz() -> Response:
    """200 while the process serves."""
    return jsonify(status="ok")


@bp.get("/readyz")
@without_session
def readyz() -> tuple[Response, int]:
    """200 when the session store can be read and written and the provider's metadata is known; 503
    with the names of what cannot. Answers within 2 seconds, whatever hangs."""
    store, provider = session_records().store, relying_party().provider
    checks: dict[str, Callable[[], object]] = {
        "session store": lambda: _read_and_write(store),
        "provider metadata": lambda: provider.metadata(wait=False),
    }
    running = {name: _begin(name, check) for name, check in checks.items()}
    unreachable = []
    for name, (future, deadline) in running.items():
        wait([future], max(0, deadline - time.monotonic()))
        error = future.exception() if future.done() else "no answer in time"
        if error:
            log.warning("not ready, %s: %s", name, error)
            unreachable.append(name)
    if unreachable:
        return jsonify(status="unavailable", unreachable=unreachable), 503
    return jsonify(status="ok"), 200


class _Running(NamedTuple):
    future: Future[object]
    deadline: float


def _begin(name: str, check: Callable[[], object]) -> _Running:
    """Begin a check, or join one that is running: what hangs is waited for once, and by one thread,
    however many requests ask."""
    checks: dict[str, _Running] = current_app.extensions.setdefault("readyz", {})
    with _beginning:
        running = checks.get(name)
        if running is None or running.future.done():
            deadline = time.monotonic() + READY_SECONDS
            running = checks[name] = _Running(_threads.submit(check), deadline)
    return running


def _read_and_write(store: Store) -> None:
    name, value = f"ready {secrets.token_hex(8)}", "1"
    if not store.add(name, value, 10) or store.get(name) != value or not store.remove(name, value):
        raise StoreUnavailable("what was written cannot be read")
