"""`python -m extras.doctor`: works with settings that the app does not start with, too."""

from __future__ import annotations

import sys

import click

from app import create_app

from . import as_json, sub
from .finding import Finding, wrong
from .report import examine, show


def _findings(sub: str | None) -> list[Finding]:
    try:
        app = create_app()
    except SystemExit as stopped:  # one line for each problem, which says what to write
        parts = (text.partition(" Write: ") for text in str(stopped.code).splitlines())
        return [wrong("settings", text, write) for text, _, write in parts]
    return examine(app, sub)


@click.command()
@as_json
@sub
def main(as_json: bool, sub: str | None) -> None:
    """Say what is right, and what to change where; exit with 1 where something is wrong."""
    sys.exit(show(_findings(sub), as_json=as_json))


if __name__ == "__main__":
    main(prog_name="python -m extras.doctor")
