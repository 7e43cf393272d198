"""What the tests of the ID token share: its claims, and how a sign-in is refused."""

from __future__ import annotations

from typing import Any

from flask import Flask

from tests.support.harness import Person, session_records

Claims = dict[str, Any]


def is_refused(person: Person, app: Flask, response: Any, status: int = 502) -> bool:
    assert response.status_code == status, response.text
    assert session_records(app) == 0
    return not person.is_signed_in()
