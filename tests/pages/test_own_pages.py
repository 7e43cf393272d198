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
    fake_api.says("GET", "/appointments", [{"title": "Tea", "with": "Grace Hopper"}])

    page = signed_in(access_token="opens-the-api").get("/appointments")

    assert "Grace Hopper" in page.text
    assert fake_api.requests[0].headers["Authorization"] == "Bearer opens-the-api"
