"""`python -m doctor`: works with settings that the app does not start with, too."""

from __future__ import annotations

import argparse
import sys

from app import create_app

from .line import Line, wrong
from .report import examine, show


def _lines() -> list[Line]:
    try:
        app = create_app()
    except SystemExit as stopped:  # one line a problem, which says what to write
        parts = (text.partition(" Write: ") for text in str(stopped.code).splitlines())
        return [wrong("settings", text, write) for text, _, write in parts]
    with app.app_context():
        return examine(app)


def main() -> None:
    """Exit with 1 where something has to be changed, else with 0."""
    parser = argparse.ArgumentParser(prog="python -m doctor", description=__doc__)
    parser.add_argument("--json", action="store_true", help="for scripts: one JSON object")
    sys.exit(show(_lines(), as_json=parser.parse_args().json))


if __name__ == "__main__":
    main()
