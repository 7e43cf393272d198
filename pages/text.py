"""Text of others on a page of ours.

Whatever the JSON type, size or depth, it comes out as plain text that can be encoded as UTF-8, and
the templates escape it. Nothing is ever marked as safe HTML.
"""

from __future__ import annotations

import json

from babel.numbers import format_decimal

from languages import gettext, locale

LONGEST_TEXT = 10_000  # a claim's value
LONGEST_NAME = 120  # a person's name, a claim's name, a column's label
LONGEST_JSON = 50_000
DEEPEST_JSON = 20

# Control characters mean nothing in HTML, and NUL is an error there: show their pictures instead,
# which start at U+2400.
_CONTROLS = {code: 0x2400 + code for code in range(0x20) if chr(code) not in "\t\n\r"}
_CONTROLS |= {0x7F: 0x2421} | dict.fromkeys(range(0x80, 0xA0), 0xFFFD)


def printable(text: str, limit: int = LONGEST_TEXT) -> str:
    """The text, cut at `limit`, without what a page cannot carry: JSON may hold lone surrogates."""
    if text.isascii() and text.isprintable() and len(text) <= limit:
        return text
    shown = text[:limit].encode("utf-8", "replace").decode("utf-8").translate(_CONTROLS)
    rest = len(text) - limit
    if rest <= 0:
        return shown
    return (
        shown
        + "… "
        + gettext("(%(count)s more characters)", count=format_decimal(rest, locale=locale()))
    )


def pretty_json(value: object) -> str:
    """The value as indented JSON; what is too deep or too long is left out and says so."""
    if isinstance(value, bool | float) or (isinstance(value, int) and not _is_unprintable(value)):
        return json.dumps(value)
    encoder = json.JSONEncoder(ensure_ascii=False, indent=2, default=str)
    text = ""
    for piece in encoder.iterencode(_pruned(value, DEEPEST_JSON)):
        text += piece
        if len(text) > LONGEST_JSON:
            cut = printable(text[:LONGEST_JSON], LONGEST_JSON)
            return f"{cut}\n… " + gettext("(too long to show in full)")
    return printable(text, LONGEST_JSON)


def _pruned(value: object, depth: int) -> object:
    """The value cut at `depth`: the encoder recurses, and the nesting is the sender's choice."""
    if isinstance(value, dict):
        return {str(k): _pruned(v, depth - 1) for k, v in value.items()} if depth else "…"
    if isinstance(value, list | tuple):
        return [_pruned(item, depth - 1) for item in value] if depth else "…"
    if isinstance(value, int) and _is_unprintable(value):
        return gettext("(a number too long to show)")
    return value


def _is_unprintable(number: int) -> bool:
    """Python writes out integers of 4300 digits at most; 14,000 bits are about 4200 digits."""
    return number.bit_length() > 14_000
