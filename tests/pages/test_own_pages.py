"""Tests as docs/test-your-pages.md has them: without a provider, with an API that says what it is
told."""

from __future__ import annotations

from typing import Any

from tests.support.own_pages import FakeApi


def test_somebody_is_signed_in_as_whom_the_test_says(signed_in: Any) -> None:
    somebody = signed_in(claims={"sub": "ada", "name": "Ada Lovelace"})

    assert "Hello, <bdi>Ada Lovelace</bdi>" in somebody.get("/").text


def test_a_page_shows_what_the_api_says_and_sends_it_the_access_token(
    signed_in: Any, fake_api: FakeApi
) -> None:
    fake_api.says("GET", "/contacts", [{"name": "Grace Hopper", "email": "grace@example.com"}])

    page = signed_in(access_token="opens-the-api").get("/contacts")

    assert "Grace Hopper" in page.text
    assert fake_api.requests[0].headers["Authorization"] == "Bearer opens-the-api"


def test_a_form_sends_json_to_the_api(signed_in: Any, fake_api: FakeApi) -> None:
    fake_api.says("POST", "/contacts", {"id": 7}, status=201)
    somebody = signed_in()

    answer = somebody.post("/contacts", data={"name": "Grace Hopper", "email": "", "phone": ""})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/contacts")
    assert fake_api.requests[0].json == {"name": "Grace Hopper", "email": "", "phone": ""}
