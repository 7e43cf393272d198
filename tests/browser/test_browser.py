"""A real browser: the content security policy lets everything work that should, by keyboard too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.harness import Provider


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A browser's page; whatever its console complains of fails the test."""
    complaints: list[str] = []
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(30_000)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: message.type in ("error", "warning") and complaints.append(message.text),
    )
    yield page
    context.close()
    assert complaints == []


@pytest.mark.parametrize("where", ["at another host", "at Auth0's own address"])
def test_sign_out_leads_to_another_origin_and_back(
    base_url: str, provider: Provider, page: Any, where: str
) -> None:
    elsewhere = f"http://127.0.0.1:{provider.port}/oidc/logout"
    endpoint = elsewhere if where == "at another host" else None
    provider.options(metadata={"end_session_endpoint": endpoint})
    page.goto(f"{base_url}/login")
    page.locator('button[name="person"]').first.click()
    page.wait_for_url(f"{base_url}/")

    page.get_by_role("button", name="Sign Out").click()

    page.wait_for_url(re.compile(rf"{base_url}/(\?state=.*)?$"))
    assert page.get_by_role("link", name="Sign In").count() >= 1
    path = "/v2/logout" if where == "at Auth0's own address" else "/oidc/logout"
    assert [entry["status"] for entry in provider.requests_to(path)] == [302]


def test_the_providers_organization_form_leads_back(
    base_url: str, provider: Provider, page: Any
) -> None:
    provider.options(ask_organization=True)
    page.goto(f"{base_url}/login?return_to=/profile")
    page.locator('button[name="person"]').first.click()

    page.locator("#organization:focus").wait_for()
    page.keyboard.type("nobody-knows-it")
    page.keyboard.press("Enter")
    page.get_by_role("alert").wait_for()
    page.locator("#organization").fill("Harbour-Clinic")
    page.keyboard.press("Enter")

    page.wait_for_url(f"{base_url}/profile")
    assert "harbour-clinic" in page.inner_text("main")
