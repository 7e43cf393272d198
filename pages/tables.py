"""An API's answer as a table. It is JSON of somebody else: whatever it holds, a table comes out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from languages import N_, gettext

from .text import LONGEST_NAME, pretty_json, printable
from .words import in_words, parsed

LONGEST_CELL = 500
MOST_ROWS = 500
MOST_COLUMNS = 20

_ORDER = {
    "appointments": ("title", "with", "start", "minutes", "place"),
    "contacts": ("name", "email", "phone"),
}
_IDS = ("id", "_id", "uuid")
_COLUMN_LABELS = {
    "title": N_("Title"),
    "with": N_("With"),
    "start": N_("Starts"),
    "end": N_("Ends"),
    "minutes": N_("Minutes"),
    "place": N_("Place"),
    "name": N_("Name"),
    "email": N_("E-mail"),
    "phone": N_("Phone"),
} | dict.fromkeys(_IDS, N_("ID"))
# Narrower than RFC 5322: no character of a linked address may mean anything in a mailto URL.
_ADDRESS = re.compile(r"[A-Za-z0-9._+-]{1,64}@[A-Za-z0-9-]{1,63}([.][A-Za-z0-9-]{1,63}){1,8}")


@dataclass(frozen=True)
class Column:
    """A key of the API's objects, and its heading."""

    key: str
    label: str


@dataclass(frozen=True)
class Cell:
    """A value as text, and its `datetime` or `href` as `machine`.

    Its `kind` is text, number, time, address, json or nothing.
    """

    text: str
    kind: str = "text"
    machine: str = ""


@dataclass(frozen=True)
class Table:
    """An API's answer as columns and rows, or as `raw` JSON where it holds no list of objects."""

    columns: list[Column] = field(default_factory=list)
    rows: list[list[Cell]] = field(default_factory=list)
    more_rows: int = 0
    more_columns: int = 0
    raw: str = ""


def as_table(data: object, key: str) -> Table:
    """A table of the objects that `data` lists, itself or under `key` or in its only list."""
    records = _records(data, key)
    if records is None:
        return Table(raw=pretty_json(data))
    shown = records[:MOST_ROWS]
    found = _keys(shown, _ORDER.get(key, ()))
    keys = found[:MOST_COLUMNS]
    return Table(
        columns=[Column(printable(name, LONGEST_NAME), _label(name)) for name in keys],
        rows=[[_cell(record.get(name)) for name in keys] for record in shown],
        more_rows=len(records) - len(shown),
        more_columns=len(found) - len(keys),
    )


def _records(data: object, key: str) -> list[dict[str, object]] | None:
    """The list of objects that `data` is or holds; None when there is none, or no telling which."""
    if isinstance(data, dict):
        lists = [value for value in data.values() if isinstance(value, list)]
        data = data.get(key, lists[0] if len(lists) == 1 else None)
    if not isinstance(data, list) or not all(isinstance(item, dict) and item for item in data):
        return None
    return data


def _keys(records: Iterable[Mapping[str, object]], known: tuple[str, ...]) -> list[str]:
    """All keys that occur: known ones in their order, others as they come, identifiers last."""
    ranks = {name: rank for rank, name in enumerate(known)} | dict.fromkeys(_IDS, len(known) + 1)
    found = dict.fromkeys(name for record in records for name in record)
    return sorted(found, key=lambda name: ranks.get(name, len(known)))


def _label(key: str) -> str:
    """A heading for a key: `created_at` and `createdAt` are both "Created at"."""
    if key in _COLUMN_LABELS:
        return gettext(_COLUMN_LABELS[key])
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", printable(key, LONGEST_NAME))
    text = " ".join(word if word.isupper() else word.lower() for word in spaced.split())
    return text[:1].upper() + text[1:] or gettext("(no name)")


def _cell(value: object) -> Cell:
    """One value of the API by its type; a text may turn out to be a time or an address."""
    if value is None or value == "":
        return Cell("–", "nothing")
    if isinstance(value, bool):
        return Cell(gettext("Yes") if value else gettext("No"))
    if isinstance(value, str):
        return _text_cell(value)
    text = printable(pretty_json(value), LONGEST_CELL)
    return Cell(text, "number" if isinstance(value, int | float) else "json")


def _text_cell(value: str) -> Cell:
    moment = parsed(value)
    if moment is not None:
        return Cell(in_words(moment), "time", moment.isoformat())
    if _ADDRESS.fullmatch(value):
        return Cell(value, "address", "mailto:" + quote(value, safe="@+"))
    return Cell(printable(value, LONGEST_CELL))
