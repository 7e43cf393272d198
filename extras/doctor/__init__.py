"""Asks the provider, the API and the session store, and says what to change where."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import click
from flask import Flask

from config import Settings as CoreSettings

__all__ = ["Settings", "doctor_of", "init_app"]


@dataclass(frozen=True)
class Settings:
    """It has none of its own."""


def init_app(app: Flask, settings: CoreSettings, own: Settings) -> None:
    """Add `flask --app app doctor`."""
    app.cli.add_command(doctor_of(lambda: app))


def doctor_of(make_app: Callable[[], Flask]) -> click.Command:
    """Return the command that examines an app."""

    @click.command("doctor")
    @click.option("--json", "as_json", is_flag=True, help="For scripts: one JSON object.")
    @click.option("--sub", help="Try the API with the access token of this person's session.")
    def doctor(as_json: bool, sub: str | None) -> None:
        """Say what is right, and what to change where; exit with 1 where something is wrong."""
        # Not above: an app that serves has no use for it.
        from .report import examine, show

        sys.exit(show(examine(make_app, sub), as_json=as_json))

    return doctor
