"""The demo provider's pages by keyboard, in Chromium. How they look: test_looks.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.support.at_the_provider import REQUEST
from tests.support.harness import ADA, BEN, Provider

FOCUS = """() => {
    const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
    return document.activeElement === document.body ? "nowhere" : `${outlineStyle} ${outlineWidth}`;
}"""


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    context = chromium.new_context()
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield page
    context.close()


def test_enter_on_the_consent_page_allows_and_does_not_change_the_person(
    provider: Provider, page: Any
) -> None:
    provider.options(skip_consent=False)
    page.goto(f"{provider.issuer}authorize?{urlencode(REQUEST)}")
    page.locator(f'[name="person"][value="{BEN}"]').click()

    page.locator('[value="profile"]').focus()
    with page.expect_request("**/callback?**") as callback:
        page.keyboard.press("Enter")

    assert "code=" in callback.value.url


def test_who_uses_the_keyboard_sees_on_every_button_and_link_where_they_are(
    provider: Provider, page: Any
) -> None:
    provider.options(skip_consent=False)
    page.goto(f"{provider.issuer}authorize?{urlencode(REQUEST)}")
    page.locator(f'[name="person"][value="{ADA}"]').click()

    page.get_by_role("button", name="Not you?").wait_for()
    # It, two scopes that can be unticked, two buttons, three links.
    seen = []
    for _ in range(8):
        page.keyboard.press("Tab")
        seen.append(page.evaluate(FOCUS))

    assert seen == ["solid 3px"] * 8
