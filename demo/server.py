"""Serve an app as a program: one process, because its state is in memory, and many threads."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from config import is_loopback

BLUNT_OPTION = "--listen-on-every-address-anyone-can-sign-in-as-anyone"


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """Gunicorn without its command line."""

    def __init__(self, load_app: Callable[[], Flask], settings: dict[str, Any]) -> None:
        self.load_app, self.settings = load_app, settings
        super().__init__()

    def load_config(self) -> None:
        """Called by gunicorn."""
        for name, value in self.settings.items():
            self.cfg.set(name, value)

    def load(self) -> Flask:
        """Called by gunicorn, in the worker."""
        return self.load_app()


def add_arguments(parser: argparse.ArgumentParser, port: int) -> None:
    """Add the options that every program here has."""
    parser.add_argument("--port", type=int, default=port)
    parser.add_argument("--host", default="127.0.0.1", help="a loopback address")
    parser.add_argument(
        BLUNT_OPTION,
        dest="everywhere",
        action="store_true",
        help="as it says; listens on 0.0.0.0 (or on --host), without the fault switches",
    )


def listening_host(options: argparse.Namespace) -> str:
    """The address to listen on. Exits unless it is loopback or the blunt option is given."""
    host: str = options.host
    if options.everywhere:
        # Authlib's server refuses plain http under other names than localhost.
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
        return "0.0.0.0" if host == "127.0.0.1" else host  # noqa: S104  # asked for, bluntly
    if not is_loopback(host):
        sys.exit(f"{host} is not a loopback address. If you must, there is {BLUNT_OPTION}")
    return host


def end_at_once(worker: Any) -> None:
    """Gunicorn's hook in the worker: a hanging response (a fault) must not delay the end."""
    signal.signal(signal.SIGTERM, lambda number, frame: os._exit(0))


def serve(load_app: Callable[[], Flask], options: argparse.Namespace) -> None:
    """Serve until told to stop. Prints nothing unless something is wrong."""
    host = listening_host(options)
    settings = {
        "bind": f"[{host}]:{options.port}" if ":" in host else f"{host}:{options.port}",
        "workers": 1,
        "worker_class": "gthread",
        "threads": 64,
        # Longer than any client keeps an idle connection, so that it is the client that closes.
        "keepalive": 65,
        "timeout": 0,
        "post_worker_init": end_at_once,
        "graceful_timeout": 2,
        "loglevel": "warning",
        "control_socket_disable": True,
    }
    Server(load_app, settings).run()
