"""Requests that stop at every moment at which another one may overtake them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from flask import Flask

from tests.support.session_store import store_of


class Worker(threading.Thread):
    """A request that goes from stop to stop when it is told to."""

    def __init__(self, does: Callable[[], Any]) -> None:
        super().__init__(daemon=True)
        self.does = does
        self.goes, self.stopped = threading.Semaphore(0), threading.Semaphore(0)
        self.answer: Any = None
        self.failure: BaseException | None = None
        self.done = False
        self.start()
        self.is_waited_for()

    def run(self) -> None:
        try:
            self.answer = self.does()
        except BaseException as failure:
            self.failure = failure
        self.done = True
        self.stopped.release()

    def is_waited_for(self) -> None:
        assert self.stopped.acquire(timeout=60), "a request hangs"

    def goes_on(self) -> None:
        self.goes.release()
        self.is_waited_for()

    def result(self) -> Any:
        if self.failure is not None:
            raise self.failure
        return self.answer

    @staticmethod
    def stops(*_: Any, **__: Any) -> None:
        """Called where a request may be overtaken; other threads pass."""
        worker = threading.current_thread()
        if isinstance(worker, Worker):
            worker.stopped.release()
            worker.goes.acquire()


class SteppedStore:
    """A store before which every request stops."""

    def __init__(self, app: Flask) -> None:
        self._store = store_of(app)
        app.session_interface.records.store = self  # type: ignore[attr-defined]  # it is ours

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def stepped(*args: Any) -> Any:
            Worker.stops()
            return method(*args)

        return stepped
