"""What the templates show: a person, claims, times and tables, in words.

All of it starts from JSON that somebody else wrote, the provider's claims or the API's answer. So
every function here is total: whatever the JSON type, size or depth, it returns plain text that can
be encoded as UTF-8, and the templates escape it. Nothing is ever marked as safe HTML.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import quote

from babel.dates import format_date, format_time, format_timedelta
from babel.numbers import format_decimal
from flask import Flask

from auth.browser import UNKNOWN_BROWSER
from languages import LANGUAGES, N_, gettext, language, locale

LONGEST_TEXT = 10_000  # a claim's value
LONGEST_JSON = 50_000
LONGEST_CELL = 500
LONGEST_NAME = 120  # a person's name, a claim's name, a column's label
DEEPEST_JSON = 20
MOST_ROWS = 500
MOST_COLUMNS = 20


def init_app(app: Flask) -> None:
    """Give the templates their filters."""
    app.add_template_filter(when)
    app.add_template_filter(iso)
    app.add_template_filter(claim_time)
    app.add_template_filter(scope_words)
    app.add_template_filter(browser_words)


# Text


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


# Times


_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}([.][0-9]{1,9})?)?"
_DATE_TIME = re.compile(_DATE.pattern + "[Tt ]" + _TIME + "([Zz]|[+-][0-9]{2}:?[0-9]{2})?")


def when(moment: datetime | None, now: datetime | None = None) -> str:
    """A moment in words: `23 November 2026, 14:05 UTC (in 5 minutes)`; nothing for None.

    Always UTC, and says so: the server cannot know where the person is.
    """
    if moment is None:
        return ""
    seconds = (_aware(moment) - (now or datetime.now(UTC))).total_seconds()
    return gettext(
        "%(moment)s (%(distance)s)", moment=_in_words(moment), distance=_distance(seconds)
    )


def iso(moment: datetime | None) -> str:
    """The value of a `datetime` attribute; nothing for None."""
    return "" if moment is None else moment.isoformat(timespec="seconds")


def claim_time(value: object) -> str:
    """The moment that a claim such as `exp` names, in words; nothing when the value is no time."""
    return when(moment_of(value))


def moment_of(value: object) -> datetime | None:
    """The moment behind a NumericDate (RFC 7519 section 2) or an ISO 8601 text with a zone."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(value, UTC)
        except (ValueError, OverflowError, OSError):  # NaN, infinity, years beyond the calendar
            return None
    moment = _parsed(value) if isinstance(value, str) else None
    return moment if isinstance(moment, datetime) and moment.tzinfo else None


def _parsed(text: str) -> datetime | date | None:
    """The date or date-time that the whole text is, or None; with a zone, it is given in UTC."""
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
        if not _DATE_TIME.fullmatch(text):
            return None
        moment = datetime.fromisoformat(text.upper())
        return moment.astimezone(UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # 30 February, and the edges of the calendar
        return None


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _in_words(moment: datetime | date) -> str:
    """The day and, where there is one, the time; the zone only where one was given."""
    if not isinstance(moment, datetime):
        return _words_of_moment(language(), moment)
    if moment.tzinfo:
        moment = moment.astimezone(UTC)
    return _words_of_moment(language(), moment.replace(second=0, microsecond=0))


# A person's pages name the same few moments again and again, and Babel takes its time.
@lru_cache(maxsize=2048)
def _words_of_moment(tag: str, moment: datetime | date) -> str:
    here = LANGUAGES[tag].locale
    day = format_date(moment, "long", here)
    if not isinstance(moment, datetime):
        return day
    time = format_time(moment, "HH:mm", locale=here)
    both = here.datetime_formats["medium"].format(time, day)
    return f"{both} UTC" if moment.tzinfo else both


def _distance(seconds: float) -> str:
    """`in 5 minutes`, `3 days ago`. A unit counts from two of it on: 90 minutes stay minutes."""
    whole = round(seconds)
    # From two minutes on, ten seconds more or less are not said.
    return _words_of_span(language(), whole if abs(whole) < 120 else round(whole, -1))


@lru_cache(maxsize=2048)
def _words_of_span(tag: str, seconds: int) -> str:
    if seconds == 0:
        return gettext("now")
    span = timedelta(seconds=seconds)
    return format_timedelta(span, threshold=2, add_direction=True, locale=LANGUAGES[tag].locale)


# The person


@dataclass(frozen=True)
class Person:
    """Who is signed in, as the header and the home page name them."""

    name: str
    detail: str
    initials: str


def person_of(claims: Mapping[str, object]) -> Person:
    """The person that an ID token's claims name; only `sub` is sure (OIDC Core section 2)."""
    texts = (_visible(claims.get(key)) for key in _NAME_CLAIMS)
    name = next(filter(None, texts), "") or gettext("Signed-in person")
    return Person(name=name, detail=_visible(claims.get("email")), initials=_initials(name))


# Directional embeddings, overrides and isolates (UAX 9): a <title> has no <bdi> to contain them.
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_NAME_CLAIMS = ("name", "nickname", "preferred_username", "email", "sub")


def _visible(value: object) -> str:
    """The text on one line, or nothing when no character of it would be seen."""
    if not isinstance(value, str):
        return ""
    text = " ".join(printable(value[:LONGEST_NAME]).translate(_DIRECTIONS).split())
    seen = any(unicodedata.category(character)[0] in "LNPS" for character in text)
    return text + ("…" if len(value) > LONGEST_NAME else "") if seen else ""


def _initials(name: str) -> str:
    """The first letters of the first and the last word, or of the only one."""
    words = [[c for c in word if unicodedata.category(c)[0] in "LN"] for word in name.split()]
    letters = [word[0].upper()[:1] for word in words if word]
    return "".join([letters[0], *letters[1:][-1:]]) if letters else "?"


# Claims


_ABOUT_PERSON = {
    "name": N_("Name"),
    "given_name": N_("Given name"),
    "middle_name": N_("Middle name"),
    "family_name": N_("Family name"),
    "nickname": N_("Nickname"),
    "preferred_username": N_("User name"),
    "email": N_("E-mail address"),
    "email_verified": N_("E-mail address verified"),
    "phone_number": N_("Phone number"),
    "phone_number_verified": N_("Phone number verified"),
    "picture": N_("Picture"),
    "profile": N_("Profile page"),
    "website": N_("Website"),
    "gender": N_("Gender"),
    "birthdate": N_("Date of birth"),
    "address": N_("Address"),
    "locale": N_("Language"),
    "zoneinfo": N_("Time zone"),
    "updated_at": N_("Last changed"),
    "org_id": N_("Organization"),
    "org_name": N_("Organization's name"),
}
_ABOUT_SIGN_IN = {
    "iss": N_("Issuer"),
    "sub": N_("Subject"),
    "aud": N_("Audience"),
    "azp": N_("Authorized party"),
    "auth_time": N_("Signed in at the provider"),
    "iat": N_("Issued"),
    "nbf": N_("Not valid before"),
    "exp": N_("Expires"),
    "acr": N_("How strong the sign-in was"),
    "amr": N_("How the sign-in was done"),
    "sid": N_("Session at the provider"),
    "jti": N_("Token's number"),
    "nonce": N_("Nonce"),
    "at_hash": N_("Hash of the access token"),
    "c_hash": N_("Hash of the authorization code"),
    "s_hash": N_("Hash of the state"),
}
_LABELS = _ABOUT_PERSON | _ABOUT_SIGN_IN
_RANKS = {name: rank for rank, name in enumerate(_LABELS)}
_TIMES = frozenset({"auth_time", "exp", "iat", "nbf", "updated_at"})


class Claim(NamedTuple):
    """One claim, with all that a page says of it.

    `wire_name` is the name as the token spells it; `label` what a registered claim means, nothing
    for others, which only their maker can explain. The `group` is `person`, `sign-in`, or `added`:
    what the specifications do not define. `moment` is what a claim of time names; `text` the value
    as it is, or the JSON that was in the token, shown as a block where it `is_structured`.
    """

    wire_name: str
    label: str
    group: str
    moment: datetime | None
    is_structured: bool
    text: str


def claims_list(claims: Mapping[str, object]) -> list[Claim]:
    """The claims in reading order: registered ones as listed above, namespaced ones last."""
    names = sorted(claims, key=lambda name: _RANKS.get(name, len(_RANKS) + _is_namespaced(name)))
    return [_claim(name, claims[name]) for name in names]


def claim_groups(claims: Mapping[str, object]) -> dict[str, list[Claim]]:
    """The same by group."""
    groups: dict[str, list[Claim]] = {"person": [], "added": [], "sign-in": []}
    for claim in claims_list(claims):
        groups[claim.group].append(claim)
    return groups


def _claim(name: str, value: object) -> Claim:
    group = "sign-in" if name in _ABOUT_SIGN_IN else "added"
    return Claim(
        wire_name=printable(name, LONGEST_NAME),
        label=gettext(_LABELS[name]) if name in _LABELS else "",
        group="person" if name in _ABOUT_PERSON else group,
        moment=moment_of(value) if name in _TIMES else None,
        is_structured=isinstance(value, dict | list | tuple),
        text=printable(value) if isinstance(value, str) else pretty_json(value),
    )


def _is_namespaced(name: str) -> bool:
    """Whether the name is a URL, as custom claims have it so that they never collide."""
    return name.lower().startswith(("https://", "http://", "urn:"))


# Scopes


_SCOPES = {
    "openid": N_("Sign in here with your account"),
    "profile": N_("Show your name and profile"),
    "email": N_("Show your e-mail address"),
    "address": N_("Show your postal address"),
    "phone": N_("Show your phone number"),
    "offline_access": N_("Stay signed in without being asked again"),
    "appointments": N_("See your appointments"),
    "contacts": N_("See your contacts"),
}


def scope_words(scope: str) -> str:
    """What a scope is good for; nothing for one that this app does not know."""
    return gettext(_SCOPES[scope]) if scope in _SCOPES else ""


# Browsers


def browser_words(stored: str) -> str:
    """What `auth/browser.py` noted at sign-in, `Firefox on Windows`, in the page's language."""
    browser, on, system = stored.partition(" on ")
    if browser == UNKNOWN_BROWSER:
        browser = gettext(UNKNOWN_BROWSER)
    return gettext("%(browser)s on %(system)s", browser=browser, system=system) if on else browser


# Tables


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
    moment = _parsed(value)
    if moment is not None:
        return Cell(_in_words(moment), "time", moment.isoformat())
    if _ADDRESS.fullmatch(value):
        return Cell(value, "address", "mailto:" + quote(value, safe="@+"))
    return Cell(printable(value, LONGEST_CELL))
