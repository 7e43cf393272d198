"""What the doctor says: lines, each with a verdict."""

from __future__ import annotations

from typing import NamedTuple

LONGEST_QUOTE = 200


class Line(NamedTuple):
    """One line. The verdict is `ok`, `note` (nothing is known to be wrong) or `wrong`; `change`
    says what to change and where."""

    verdict: str
    subject: str
    text: str
    change: str = ""


def ok(subject: str, text: str) -> Line:
    """Say what is right."""
    return Line("ok", subject, text)


def note(subject: str, text: str, change: str = "") -> Line:
    """Say what cannot be seen from here, or what somebody may want otherwise."""
    return Line("note", subject, text, change)


def wrong(subject: str, text: str, change: str) -> Line:
    """Say what has to be changed."""
    return Line("wrong", subject, text, change)


def quoted(value: object) -> str:
    """Return somebody else's text, fit for a terminal: no control characters, and not too long."""
    return ascii(str(value)[:LONGEST_QUOTE])
