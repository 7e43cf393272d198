"""What the provider, the API and the visitor send is shown as text."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.conftest import MakeApp, PersonAt
from tests.support.harness import ADA, Person, Provider, text_of
from tests.support.raw_api import RawApi, answers, raw_api

OK = "HTTP/1.1 200 OK"
HOSTILE = "<script>alert(1)</script>\"'<img src=x onerror=alert(1)>{{7*7}}"


@pytest.fixture
def hostile_api() -> Iterator[RawApi]:
    records = [
        {"title": HOSTILE, HOSTILE: "a key", "email": f"{HOSTILE}@example.com", "start": HOSTILE},
        {
            "title": "javascript:alert(1)",
            "email": "a@b.example?subject=<script>",
            "nested": [HOSTILE],
        },
        {"title": "\u0000\u001b\u202e", "start": "2026-13-45T99:99", "minutes": 10**18},
    ]
    body = json.dumps({"appointments": records}).encode()
    with raw_api(answers(OK, body=body)) as api:
        yield api


def test_hostile_data_is_text(make_app: MakeApp, person_at: PersonAt, hostile_api: RawApi) -> None:
    person = person_at(make_app(API_BASE_URL=hostile_api.base_url))
    person.signs_in()

    page = person.sees("/appointments")

    assert page.status_code == 200
    assert "<script>" not in page.text
    assert "<img src=x" not in page.text
    assert 'href="javascript:' not in page.text
    assert 'href="mailto:' not in page.text
    assert "\x00" not in page.text
    assert "<script>alert(1)</script>" in text_of(page)
    assert "{{7*7}}" in text_of(page)


def test_hostile_claims_are_text(person: Person, provider: Provider) -> None:
    claims = {"name": HOSTILE, "https://x.example/<b>": HOSTILE, "email": HOSTILE, "nickname": [{}]}
    provider.lies(id_token=claims)
    person.signs_in(ADA)

    for path in ("/", "/profile", "/sessions", "/appointments", "/nowhere"):
        page = person.sees(path)
        assert "<script>" not in page.text, path
        assert "<img src=x" not in page.text, path
        assert "alert(1)" in text_of(page), path


def test_a_hostile_browser_name_is_words(person: Person) -> None:
    callback = person.provider.answers(person.begins())
    person.browser.get(callback, headers={"User-Agent": HOSTILE})

    page = person.sees("/sessions")

    assert "<script>" not in page.text
    assert "Another browser" in text_of(page)
