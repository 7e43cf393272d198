"""What the sample API knows about the sample people."""

from __future__ import annotations

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


def contacts(sub: str) -> list[dict[str, str]]:
    """The person's contacts; none for someone unknown."""
    return [
        {"id": f"con_{number}", "name": name, "email": email, "phone": phone}
        for number, (name, email, phone) in enumerate(_CONTACTS.get(sub, []), start=1)
    ]
