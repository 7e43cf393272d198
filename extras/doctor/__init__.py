"""Reads the settings, asks the provider, the API and the session store, says what to change where.

Nothing else needs this package: delete the folder and its line in app.py.
"""

from __future__ import annotations

import sys

import click
from flask import Flask

from config import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Add `flask --app app doctor`."""

    @app.cli.command("doctor")
    @click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object.")
    def doctor(as_json: bool) -> None:
        """Say line by line what is right, and what to change where."""
        # Not above: an app that serves has no use for it.
        from .report import examine, show

        sys.exit(show(examine(app), as_json=as_json))
