"""What the doctor found."""

from __future__ import annotations

from typing import NamedTuple

LONGEST_QUOTE = 200


class Finding(NamedTuple):
    """The verdict is `ok`, `note` (nothing is known to be wrong) or `wrong`; `change` says what to
    change and where."""

    verdict: str
    subject: str
    text: str
    change: str = ""


def ok(subject: str, text: str) -> Finding:
    """Say what is right."""
    return Finding("ok", subject, text)


def note(subject: str, text: str, change: str = "") -> Finding:
    """Say what cannot be seen from here, or what somebody may want otherwise."""
    return Finding("note", subject, text, change)


def wrong(subject: str, text: str, change: str) -> Finding:
    """Say what has to be changed."""
    return Finding("wrong", subject, text, change)


def judged(subject: str, is_right: bool, right: str, otherwise: str, change: str) -> Finding:
    """Say that something is right, or has to be changed."""
    return ok(subject, right) if is_right else wrong(subject, otherwise, change)


def quoted(value: object) -> str:
    """Return somebody else's text, fit for a terminal: no control characters, and not too long."""
    return ascii(str(value)[:LONGEST_QUOTE])
