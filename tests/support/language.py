"""The language of a page, and the switch at its foot."""

from __future__ import annotations

import re
from typing import Any

from tests.support.harness import APP, Person

JA = {"Accept-Language": "ja"}


def language_of(page: Any) -> str:
    found = re.search(r'<html lang="(\w+)">', page.text)
    assert found, page.text[:200]
    return found[1]


def switches(person: Person, language: str, page: str = "/", origin: str = APP) -> Any:
    headers = {"Origin": origin, "Referer": origin + page, "Sec-Fetch-Site": "same-origin"}
    return person.browser.post("/language", data={"language": language}, headers=headers)
