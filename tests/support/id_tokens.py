"""What the tests of the ID token share: its claims, and whether a sign-in was refused."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from joserfc import jws

from tests.support.harness import Person, session_records

Claims = dict[str, Any]


def is_refused(person: Person, app: Flask, response: Any, status: int = 502) -> bool:
    assert response.status_code == status, response.text
    assert session_records(app) == 0
    return not person.is_signed_in()


def claims_in(token: str) -> Claims:
    """The claims of a JWT, whoever signed it."""
    claims: Claims = json.loads(jws.extract_compact(token.encode()).payload)
    return claims
