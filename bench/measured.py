"""The app that is measured: the real one, with its SQLite file in a folder of the benchmark's."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask

import app
import sessions


def create_app() -> Flask:
    """Return the app as production has it."""
    folder = Path(os.environ["BENCH_FOLDER"])
    open_store = sessions._open_store
    sessions._open_store = lambda settings, _: open_store(settings, folder)
    return app.create_app()
