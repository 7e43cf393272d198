"""The flow, drawn, in Chromium: narrow and wide, on paper, without JavaScript. What every page has
to be like, this one included, is in test_looks.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.support.harness import Api, Provider, serving, settings_at
from tests.support.in_chromium import sign_in

VISIBLE_IN_ORDER = """() => [...document.querySelectorAll(".messages > li")].every(
    (li, i, all) => li.offsetHeight > 0 && (!i || li.offsetTop >= all[i - 1].offsetTop))"""


class Shown(NamedTuple):
    """An app in which a person signed in, called the API and refreshed; their cookies."""

    base_url: str
    state: Any


@pytest.fixture(scope="module")
def shown(
    provider_process: Provider,
    api_process: Api,
    chromium: Any,
) -> Iterator[Shown]:
    provider_process.reset()
    settings = settings_at(provider_process, api_process)
    with serving(provider_process, settings, SHOW_FLOW="1") as base_url:
        context = chromium.new_context()
        page = context.new_page()
        provider_process.lies(grant="authorization_code", json={"expires_in": 2})
        sign_in(page, base_url)
        time.sleep(2)  # the app is another process: its clock cannot be moved
        page.goto(f"{base_url}/contacts")
        page.goto(f"{base_url}/appointments")
        yield Shown(base_url, context.storage_state())
        context.close()


@pytest.fixture
def visit(shown: Shown, chromium: Any) -> Iterator[Any]:
    """Open the page as that person; whatever the console complains of fails the test."""
    contexts, complaints = [], []

    def open_page(path: str = "/flow", width: int = 1440, **options: Any) -> Any:
        size = {"width": width, "height": 900}
        context = chromium.new_context(storage_state=shown.state, viewport=size, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(shown.base_url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    refused = "status of 400"  # Chromium's own words of a failed sign-in
    assert [each for each in complaints if refused not in each] == []


@pytest.mark.parametrize("width", [320, 768, 1440])
def test_the_list_is_in_order_and_the_picture_there_where_it_fits(visit: Any, width: int) -> None:
    page = visit(width=width)

    assert page.evaluate(VISIBLE_IN_ORDER)
    assert page.locator(".sequence").first.is_visible() == (width > 700)


def test_all_of_it_is_there_without_javascript(visit: Any) -> None:
    page = visit(java_script_enabled=False)

    for name in ("Sign-in", "API call", "Refresh"):
        assert page.get_by_role("heading", name=name, exact=True).count() == 1
        assert page.get_by_role("group", name=f"Sequence diagram: {name}").count() == 1
    assert page.get_by_role("heading", name="Token request").is_visible()


def test_each_arrow_of_the_picture_is_a_message_of_the_list(visit: Any) -> None:
    page = visit()

    arrows = page.locator(".sequence text:not(.party):not(.wire)").all_text_contents()
    headings = page.locator(".messages h3").all_text_contents()

    assert [arrow.partition(". ")[2] for arrow in arrows] == headings
    assert len(headings) > 10


def test_an_arrow_leads_to_its_card_and_unfolds_it(visit: Any) -> None:
    page = visit(java_script_enabled=False)
    cards = page.locator(".card")
    assert cards.filter(visible=True).count() == 0

    page.get_by_role("link", name="Token request").first.click()

    assert "exchanges the code" in cards.filter(visible=True).inner_text()


def test_a_lie_leads_to_the_page_that_says_so_and_to_the_check_in_red(
    visit: Any, shown: Shown, provider_process: Provider
) -> None:
    page = visit(width=320)
    page.context.clear_cookies()
    page.goto(f"{provider_process.issuer}demo")
    page.get_by_role("button", name="ID token with a foreign nonce").click()
    page.get_by_role("link", name="Sign in now").wait_for()  # at the port that make demo has
    sign_in(page, shown.base_url)
    page.get_by_role("heading", name="This sign-in cannot be finished").wait_for()

    page.get_by_role("link", name="See it in the flow").click()

    card = page.locator("#failed")
    assert "check_nonce in auth/id_token.py" in card.inner_text()
    assert "OIDC Core section 3.1.3.7, 11" in card.inner_text()
    page.set_viewport_size({"width": 1440, "height": 900})
    arrow = page.locator(".sequence .failed path").first
    red, others = (
        each.evaluate("e => getComputedStyle(e).stroke")
        for each in (arrow, page.locator(".sequence .request path").first)
    )
    assert red != others


def test_no_arrows_text_is_wider_than_its_arrow(visit: Any) -> None:
    page = visit(width=768)

    too_wide = page.evaluate("""() => [...document.querySelectorAll(".sequence")].flatMap(svg => {
        const arrows = [...svg.querySelectorAll("a path:not(.head)")].map(a => a.getBBox().width);
        const texts = [...svg.querySelectorAll("text:not(.party)")];
        return texts.filter((t, i) => t.getBBox().width > arrows[i >> 1]).map(t => t.textContent);
    })""")

    assert too_wide == []


def test_on_paper_picture_and_list_are_complete(visit: Any) -> None:
    page = visit(width=700)
    page.emulate_media(media="print")

    assert page.locator(".sequence").first.is_visible()
    assert page.evaluate(VISIBLE_IN_ORDER)
    assert not page.locator("header nav").is_visible()
    colour = page.locator(".sequence .answer path").first.evaluate(
        "e => getComputedStyle(e).stroke"
    )
    assert colour == "rgb(0, 0, 0)"


def test_a_screen_reader_hears_who_speaks_to_whom(visit: Any) -> None:
    page = visit(width=320)

    spoken = page.locator(".messages").first.aria_snapshot()

    assert "Browser to This app" in spoken
    assert "This app to Provider" in spoken
    assert "→" not in spoken


def test_after_signing_out_the_sign_out_is_drawn(visit: Any, shown: Shown) -> None:
    page = visit()
    page.context.clear_cookies()  # another session than the one that the other tests look at
    sign_in(page, shown.base_url)
    page.get_by_role("button", name="Sign Out").click()
    page.get_by_role("link", name="Sign In").first.wait_for()

    page.get_by_role("link", name="The flow").click()

    page.get_by_role("heading", name="Sign-out", exact=True).wait_for()
    assert page.get_by_role("group", name="Sequence diagram: Sign-out").is_visible()
