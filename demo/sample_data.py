"""What the sample API knows about the sample people."""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

# Days from today, hour (UTC), minutes, title, with whom, where.
_CALENDARS: dict[str, list[tuple[int, int, int, str, str, str]]] = {
    "demo|ada": [
        (1, 9, 30, "Eye test", "Dr. Lindqvist", "Harbour Clinic, room 4"),
        (2, 13, 60, "Lunch", "Ben Okafor", "Café Meridian"),
        (9, 16, 45, "Parents' evening", "Ms. Tanaka", "Meadow School"),
    ],
    "demo|ben": [
        (2, 13, 60, "Lunch", "Ada Marlow", "Café Meridian"),
        (4, 8, 20, "Blood test", "Nurse Abara", "Harbour Clinic, room 1"),
    ],
    "demo|yuki": [(3, 1, 90, "読書会", "高橋 さん", "田辺書店 二階")],
    "demo|5f0c2e97": [(5, 11, 15, "Call back", "The front desk", "by phone")],
}
_CONTACTS: dict[str, list[tuple[str, str, str]]] = {
    "demo|ada": [
        ("Ben Okafor", "ben@example.com", "+44 20 7946 0101"),
        ("Dr. Lindqvist", "lindqvist@example.com", "+44 20 7946 0102"),
    ],
    "demo|ben": [("Ada Marlow", "ada@example.com", "+44 20 7946 0103")],
    "demo|yuki": [("高橋 健", "takahashi@example.jp", "+81 3 0000 0104")],
    "demo|5f0c2e97": [("Front desk", "desk@example.com", "+44 20 7946 0105")],
}
# The fields of a contact: what they must look like, and what to write.
_FIELDS = {
    "name": (r"\S.{0,99}", "Write a name of at most 100 characters."),
    "email": (r"[^@\s]+@[^@\s]+\.[^@\s]+", "Write an email address, such as ben@example.com."),
    "phone": (
        r"(\+?[0-9][0-9 ()-]{2,29})?",
        "Write a phone number, such as +44 20 7946 0101, or nothing.",
    ),
}


def appointments(sub: str) -> list[dict[str, Any]]:
    """The person's appointments; none for someone unknown."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return [
        {
            "id": f"apt_{number}",
            "title": title,
            "with": other,
            "start": (today + timedelta(days=days, hours=hour)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "minutes": minutes,
            "place": place,
        }
        for number, (days, hour, minutes, title, other, place) in enumerate(
            _CALENDARS.get(sub, []), start=1
        )
    ]


class InvalidContact(ValueError):
    """Some fields are wrong; `errors` says by field what to write."""

    def __init__(self, errors: dict[str, str]) -> None:
        super().__init__("invalid contact")
        self.errors = errors


class Contacts:
    """Everybody's contacts, in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._added: dict[str, list[tuple[str, str, str]]] = {}
        self._responses: dict[tuple[str, str], tuple[dict[str, str], dict[str, str]]] = {}

    def find(self, sub: str) -> list[dict[str, str]]:
        """The person's contacts; none for someone unknown."""
        rows = [*_CONTACTS.get(sub, []), *self._added.get(sub, [])]
        return [
            {"id": f"con_{number}", "name": name, "email": email, "phone": phone}
            for number, (name, email, phone) in enumerate(rows, start=1)
        ]

    def add(self, sub: str, values: dict[str, Any], idempotency_key: str | None) -> dict[str, str]:
        """Add a contact and return it; with a known key, return it again.

        Raises InvalidContact, and KeyError where the key was used for another contact.
        """
        fields = {name: values.get(name) or "" for name in _FIELDS}
        fields = {k: v.strip() if isinstance(v, str) else "\n" for k, v in fields.items()}
        checks = _FIELDS.items()
        if errors := {k: text for k, (p, text) in checks if not re.fullmatch(p, fields[k])}:
            raise InvalidContact(errors)
        with self._lock:
            earlier = self._responses.get((sub, idempotency_key or ""))
            if earlier:
                if earlier[0] != fields:
                    raise KeyError(idempotency_key)
                return earlier[1]
            self._added.setdefault(sub, []).append(tuple(fields.values()))  # type: ignore[arg-type]  # of three
            contact = self.find(sub)[-1]
            if idempotency_key:
                self._responses[sub, idempotency_key] = (fields, contact)
            return contact
