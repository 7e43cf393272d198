"""Asks the provider, the API and the session store, and says what to change where."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click
from flask import Flask

from config import Settings as CoreSettings

__all__ = ["Settings", "as_json", "init_app", "sub"]

as_json = click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object.")
sub = click.option("--sub", help="Try the API with the access token of this person's session.")


@dataclass(frozen=True)
class Settings:
    """It has none of its own."""


def init_app(app: Flask, settings: CoreSettings, own: Settings) -> None:
    """Add `flask --app app doctor`."""

    @app.cli.command("doctor")
    @as_json
    @sub
    def doctor(as_json: bool, sub: str | None) -> None:
        """Say what is right, and what to change where."""
        # Not above: an app that serves has no use for it.
        from .report import examine, show

        sys.exit(show(examine(app, sub), as_json=as_json))
