"""Every page in Chromium, from a phone to a wide screen, in every language, once in the dark.

The pictures are kept in `test-output/screenshots`, for people to look at.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import files
from typing import Any

import pytest

from pages.languages import LANGUAGES
from tests.support import best_practices
from tests.support.gallery import LONG_CLAIMS, PAGES, Stage
from tests.support.harness import ROOT, Api, Provider, serving, settings_at
from tests.support.in_chromium import sign_in

SCREENSHOTS = ROOT / "test-output" / "screenshots"
WIDTHS = (320, 768, 1440)
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RUN_AXE = """async options => (await axe.run(options)).violations.map(
    v => `${v.id}: ${v.nodes[0].html}`)"""
# Rules of axe that are off by default, and on in Lighthouse.
OPTIONAL_RULES = ("label-content-name-mismatch", "table-fake-caption", "td-has-header")
# Axe's rules whose outcome depends on the colour scheme, and on the width.
BY_COLOUR = ("color-contrast", "link-in-text-block")
BY_LAYOUT = ("color-contrast", "scrollable-region-focusable", "target-size")
BY_LANGUAGE = (
    "html-has-lang",
    "html-lang-valid",
    "valid-lang",
    "button-name",
    "link-name",
    "label",
)
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
STATUS = "performance.getEntriesByType('navigation')[0].responseStatus"


@pytest.fixture(scope="module")
def stage(provider_process: Provider, api_process: Api, chromium: Any) -> Iterator[Stage]:
    provider, api = provider_process, api_process
    provider.reset()
    api.reset()
    cookies: dict[str, Any] = {"nobody": []}
    with ExitStack() as stack:

        def serve(**changes: str) -> str:
            settings = settings_at(provider, api, SHOW_FLOW="1")
            return stack.enter_context(serving(provider, settings, **changes))

        def remember(who: str, base_url: str, *paths: str) -> None:
            context = chromium.new_context()
            page = context.new_page()
            sign_in(page, base_url)
            for path in paths:
                page.goto(base_url + path)
            cookies[who] = context.cookies()
            context.close()

        hasty = serve(SESSION_ABSOLUTE_SECONDS="500")
        remember("in-a-hurry", hasty)
        base_url = serve()
        provider.lies(grant="authorization_code", id_token=LONG_CLAIMS)
        remember("long", base_url)
        api.lies(at="api", status=401)  # so that the access token is refreshed
        remember("ada", base_url, "/appointments")
        yield Stage(base_url, hasty, provider, api, cookies)


class Looker:
    """Somebody at a browser who looks at one page under every circumstance."""

    def __init__(self, page: Any, name: str, language: str) -> None:
        self.page, self.name, self.language = page, name, language
        self.debugger = page.context.new_cdp_session(page)

    def turns_to(self, width: int, scheme: str) -> None:
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": width, "height": 900})

    def keeps_a_picture(self, width: int, scheme: str) -> None:
        """Of the whole page. Quicker than `page.screenshot`, which waits for what we have not."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        options = {"captureBeyondViewport": True, "optimizeForSpeed": True, "clip": clip}
        picture = self.debugger.send("Page.captureScreenshot", options)["data"]
        path = SCREENSHOTS / f"{self.name}-{width}-{scheme}-{self.language}.png"
        path.write_bytes(base64.b64decode(picture))

    def hears_of_axe(self, *rules: str) -> list[str]:
        """What axe-core finds against these rules, or against all that are on and some more."""
        options = {"resultTypes": ["violations"], "preload": False}
        options["rules"] = {rule: {"enabled": True} for rule in OPTIONAL_RULES}
        if rules:
            options = {**options, "rules": {}, "runOnly": {"type": "rule", "values": rules}}
        found: list[str] = self.page.evaluate(RUN_AXE, options)
        return found

    def meets_with_zoom(self) -> list[str]:
        """What does not fit at 200 % zoom, of the page or of its text alone (WCAG 1.4.4)."""
        self.turns_to(640, "light")
        found = ["too wide at 200 % zoom"] if self.page.evaluate(TOO_WIDE) else []
        self.turns_to(1280, "light")
        self.page.evaluate("document.documentElement.style.fontSize = '200%'")
        return found + (["too wide at 200 % text"] if self.page.evaluate(TOO_WIDE) else [])


class Browser:
    """One window for each language, kept open: a new one for each page would take longer to open
    than the page itself. What its console and its auditor say is kept."""

    def __init__(self, chromium: Any, stage: Stage) -> None:
        self.chromium, self.stage = chromium, stage
        self.complaints: list[str] = []
        self.windows: dict[str, Any] = {}

    def window(self, language: str) -> Any:
        if language not in self.windows:
            context = self.chromium.new_context(locale=language, reduced_motion="reduce")
            page = self.windows[language] = context.new_page()
            page.set_default_timeout(30_000)
            page.on("pageerror", lambda error: self.complaints.append(str(error)))
            page.on("console", lambda message: self.complaints.append(message.text))
            best_practices.hear_issues(page, self.complaints)
        return self.windows[language]

    def goes_to(self, name: str, language: str) -> Looker:
        """Go to a page, as whoever it is for."""
        wanted, page = PAGES[name], self.window(language)
        self.stage.provider.options(skip_consent=True, ask_organization=False)
        page.context.clear_cookies()
        page.context.add_cookies(self.stage.cookies[wanted.who])
        self.complaints.clear()
        wanted.lead(page, self.stage)
        assert page.url.startswith(self.stage.origin_of(name))
        assert page.evaluate(STATUS) == wanted.status
        if wanted.status >= 400:
            assert f"status of {wanted.status}" in self.complaints.pop()  # Chromium's own words
        return Looker(page, name, language)


@pytest.fixture(scope="module")
def browser(stage: Stage, chromium: Any) -> Iterator[Browser]:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    browser = Browser(chromium, stage)
    yield browser
    for page in browser.windows.values():
        page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_looks_right(browser: Browser, name: str, language: str) -> None:
    looker = browser.goes_to(name, language)
    page = looker.page
    found = best_practices.broken(page, language)
    # Evaluated by the debugger: the policy of the page lets no foreign script in.
    page.evaluate(AXE)

    for width in WIDTHS:
        looker.turns_to(width, "light")
        looker.keeps_a_picture(width, "light")
        found += [f"too wide at {width}"] if page.evaluate(TOO_WIDE) else []
    if language == "en":  # most rules, and colours, are the same in every language
        found += looker.hears_of_axe()
        looker.turns_to(WIDTHS[-1], "dark")
        looker.keeps_a_picture(WIDTHS[-1], "dark")
        found += looker.hears_of_axe(*BY_COLOUR)
    looker.turns_to(320, "light")
    found += looker.hears_of_axe(*BY_LAYOUT, *BY_LANGUAGE)
    found += looker.meets_with_zoom()

    assert found + browser.complaints == []


def test_in_forced_colours_the_current_page_keeps_its_mark_and_a_button_its_border(
    browser: Browser,
) -> None:
    page = browser.goes_to("home", "en").page

    page.emulate_media(forced_colors="active")
    marks = page.locator("header nav a").evaluate_all(
        "all => all.map(a => getComputedStyle(a).borderBottomColor)"
    )
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    border = page.locator(".who button").evaluate("e => getComputedStyle(e).borderTopStyle")
    page.emulate_media(forced_colors="none")

    assert marks[0] != paper
    assert set(marks[1:]) == {paper}
    assert border == "solid"


def test_on_paper_a_page_is_black_on_white_without_what_one_can_press(browser: Browser) -> None:
    page = browser.goes_to("sessions-several", "en").page

    page.emulate_media(media="print", color_scheme="dark")
    colours = page.evaluate("""() => {
        const {backgroundColor, color} = getComputedStyle(document.body);
        return [backgroundColor, color];
    }""")
    pressable = page.locator("button, nav").filter(visible=True).count()
    page.emulate_media(media="screen")

    assert colours == ["rgb(255, 255, 255)", "rgb(0, 0, 0)"]
    assert pressable == 0


def test_where_reduced_motion_is_asked_for_nothing_moves(browser: Browser) -> None:
    page = browser.goes_to("home", "en").page

    moving = page.evaluate("""() => [...document.querySelectorAll("*")].filter(e => {
        const {transitionDuration, animationName} = getComputedStyle(e);
        return transitionDuration !== "0s" || animationName !== "none";
    }).length""")

    assert moving == 0
