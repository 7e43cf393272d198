"""The keyboard alone is enough: Tab, Shift+Tab, Enter and Space, and what is focused is seen."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from tests.support.harness import Provider

MOST_STOPS = 60  # more than any page has
# What a person would call the focused thing, and how it is marked.
FOCUSED = """() => {
    const e = document.activeElement, box = e.getBoundingClientRect(), style = getComputedStyle(e);
    const label = e.getAttribute('aria-label') || e.innerText || e.labels?.[0]?.innerText || '';
    return {
        label: label.trim(), tag: e.tagName,
        top: box.top + scrollY, left: box.left, height: box.height,
        seen: box.top >= 0 && box.bottom <= innerHeight + 2 && box.left >= 0,
        outline: style.outlineStyle === 'none' ? 0 : parseFloat(style.outlineWidth),
    };
}"""


class Typist:
    """Somebody without a mouse."""

    def __init__(self, page: Any) -> None:
        self.page = page

    def presses(self, key: str) -> dict[str, Any]:
        self.page.keyboard.press(key)
        focused: dict[str, Any] = self.page.evaluate(FOCUSED)
        return focused

    def gets_to(self, label: str, key: str = "Tab") -> None:
        """Press a key until what is focused says `label`."""
        for _ in range(MOST_STOPS):
            if label in self.presses(key)["label"]:
                return
        raise AssertionError(f"{label} cannot be reached by {key}")

    def opens(self, label: str, heading: str, *, by: str = "Enter", key: str = "Tab") -> None:
        """Get to a link or button, press it, and see a page with that heading."""
        self.gets_to(label, key)
        self.page.keyboard.press(by)
        self.page.get_by_role("heading", name=heading, level=1).wait_for()

    def stops(self) -> list[dict[str, Any]]:
        """Everything that Tab leads to, from the top of the page to its end."""
        self.page.evaluate("document.activeElement.blur()")
        found: list[dict[str, Any]] = []
        while (focused := self.presses("Tab"))["tag"] != "BODY":
            found.append(focused)
            assert len(found) < MOST_STOPS, "Tab never comes to the end of the page"
        return found


@pytest.fixture
def typist(chromium: Any) -> Iterator[Typist]:
    context = chromium.new_context(locale="en", viewport={"width": 1024, "height": 900})
    page = context.new_page()
    page.set_default_timeout(30_000)
    yield Typist(page)
    context.close()


def test_the_keyboard_alone_leads_through_everything(
    typist: Typist, base_url: str, provider: Provider
) -> None:
    provider.options(skip_consent=False)
    typist.page.goto(base_url)

    # Refuse, and come back
    typist.opens("Sign In", "Sign in to")
    typist.opens("Ada Marlow", "asks for access")
    typist.opens("Refuse", "The sign-in was not finished", by="Space")
    typist.opens("Sign in again", "asks for access")
    # Leave a scope out, and ask for it when it is needed
    typist.gets_to("contacts")
    assert typist.page.evaluate("document.activeElement.type") == "checkbox"
    typist.page.keyboard.press("Space")
    typist.opens("Allow", "Hello, Ada Marlow")
    typist.opens("Appointments", "Appointments")
    typist.opens("Contacts", "One more permission is needed")
    typist.opens("Ask for this permission", "asks for access")
    typist.opens("Allow", "Contacts")
    typist.opens("Profile", "Profile")
    # Another language, at the foot of the page: backwards is nearer
    typist.opens("日本語", "プロフィール", key="Shift+Tab")
    typist.opens("English", "Profile", key="Shift+Tab")
    typist.opens("Sign Out", "Sign in once", by="Space")


def test_tab_leads_through_a_page_in_reading_order_and_each_stop_is_seen(
    typist: Typist, base_url: str
) -> None:
    typist.page.goto(f"{base_url}/login")
    typist.opens("Ada Marlow", "Hello")

    for path in ("/", "/profile", "/contacts", "/sessions", "/nowhere"):
        reader = Typist(typist.page.context.new_page())  # where nothing was focused before
        reader.page.goto(base_url + path)
        stops = reader.stops()

        assert stops[0]["label"] == "Skip to the content"
        assert {"Sign Out", "Profile", "日本語"} <= {stop["label"] for stop in stops}
        for stop in stops:
            assert stop["seen"], (path, stop)
            assert stop["outline"] >= 2, (path, stop)
        check_reading_order(stops)


def check_reading_order(stops: list[dict[str, Any]]) -> None:
    for earlier, later in pairwise(stops[1:]):
        shared = min(ends(earlier), ends(later)) - max(earlier["top"], later["top"])
        in_one_row = shared > min(earlier["height"], later["height"]) / 2
        side = "left" if in_one_row else "top"
        assert later[side] > earlier[side], (earlier, later)


def ends(stop: dict[str, Any]) -> float:
    """Where it ends, in pixels from the top of the page."""
    return float(stop["top"] + stop["height"])


def test_the_skip_link_leads_past_the_navigation(typist: Typist, base_url: str) -> None:
    typist.page.goto(base_url)
    assert typist.presses("Tab")["label"] == "Skip to the content"

    typist.page.keyboard.press("Enter")

    assert typist.page.evaluate("document.activeElement.id") == "main"
    assert typist.presses("Tab")["label"] == "Sign In"
