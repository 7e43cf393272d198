"""The back button after a sign-out, in a Chromium that keeps whole pages in memory.

Two rules stop it: pages are `no-store`, and `static/back.js` reloads a page that comes back from
memory (browsers differ in whether they keep `no-store` pages there). Each is tried without the
other, and the browser without both.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.harness import Provider
from tests.support.in_chromium import sign_in, sign_out

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """A page of a browser whose back-forward cache Playwright has not switched off."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    options = {"executable_path": path, "args": ["--no-sandbox", "--disable-gpu"]}
    is_off = ["--disable-back-forward-cache"]
    browser = chromium.browser_type.launch(ignore_default_args=is_off, **options)
    yield browser.new_context().new_page()
    browser.close()


@pytest.fixture(autouse=True)
def logout_elsewhere(provider: Provider) -> None:
    """The provider signs people out under another host name: another site."""
    elsewhere = f"http://127.0.0.1:{provider.port}/oidc/logout"
    provider.options(metadata={"end_session_endpoint": elsewhere})


def without_no_store(route: Any) -> None:
    response = route.fetch(max_redirects=0)
    route.fulfill(response=response, headers={**response.headers, "cache-control": "private"})


def without_script(route: Any) -> None:
    route.fulfill(body="", content_type="text/javascript")


def signs_out_on_the_profile(page: Any, base_url: str) -> None:
    sign_in(page, base_url)
    page.goto(f"{base_url}/profile")
    page.evaluate("window.isFromMemory = true")
    sign_out(page, base_url)


@pytest.mark.parametrize("rule", ["no-store alone", "the script alone"])
def test_back_after_a_sign_out_leads_to_sign_in_by(
    page: Any, base_url: str, provider: Provider, rule: str
) -> None:
    if rule == "no-store alone":
        page.context.route("**/static/back.js", without_script)
    else:
        page.context.route("**/profile", without_no_store)
    signs_out_on_the_profile(page, base_url)

    with page.expect_request(f"{provider.issuer}authorize?*", timeout=10_000):
        page.go_back(wait_until="commit")


def test_without_both_rules_this_browser_would_show_the_page(page: Any, base_url: str) -> None:
    page.context.route("**/static/back.js", without_script)
    page.context.route("**/profile", without_no_store)
    signs_out_on_the_profile(page, base_url)

    page.go_back(wait_until="commit")

    assert page.evaluate("window.isFromMemory")
    assert "Ada Marlow" in page.inner_text("main")
