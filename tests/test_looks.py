"""Every page in Chromium, from a phone to a wide screen, light and dark, in every language.

The pictures are kept in `test-output/screenshots`, for people to look at.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.resources import files
from typing import Any

import pytest

from .conftest import APP_SECRET_KEY
from .gallery import LANGUAGES, LONG_CLAIMS, PAGES, Stage
from .harness import EVERY_SETTING, ROOT, SECRET, Api, Gunicorn, Provider, free_port
from .in_chromium import sign_in

SCREENSHOTS = ROOT / "test-output" / "screenshots"
WIDTHS = (320, 768, 1440)
SCHEMES = ("light", "dark")
AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RUN_AXE = """async options => (await axe.run(options)).violations.map(
    v => `${v.id}: ${v.nodes[0].html}`)"""
# Axe's rules whose outcome depends on the colour scheme, and on the width.
BY_COLOUR = ("color-contrast", "link-in-text-block")
BY_LAYOUT = ("color-contrast", "scrollable-region-focusable", "target-size")
TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
STATUS = "performance.getEntriesByType('navigation')[0].responseStatus"


@pytest.fixture(scope="module")
def stage(provider_process: Provider, api_process: Api, chromium: Any) -> Iterator[Stage]:
    provider, api = provider_process, api_process
    provider.reset()
    api.reset()
    states: dict[str, Any] = {"nobody": None}
    with ExitStack() as stack:

        def serve(**changes: str) -> str:
            port = free_port()
            base_url = f"http://localhost:{port}"
            settings = dict.fromkeys(EVERY_SETTING, "") | {
                "AUTH0_DOMAIN": provider.issuer,
                "AUTH0_CLIENT_ID": "demo-app",
                "AUTH0_CLIENT_SECRET": SECRET,
                "AUTH0_AUDIENCE": api.audience,
                "AUTH0_SCOPE": "openid profile email offline_access appointments contacts",
                "API_BASE_URL": api.base_url,
                "APP_BASE_URL": base_url,
                "APP_SECRET_KEY": APP_SECRET_KEY,
                "SHOW_FLOW": "1",
                **changes,
            }
            provider.registers(base_url)
            stack.enter_context(Gunicorn(settings, PORT=str(port)))
            return base_url

        def remember(who: str, base_url: str, *paths: str) -> None:
            context = chromium.new_context()
            page = context.new_page()
            sign_in(page, base_url)
            for path in paths:
                page.goto(base_url + path)
            states[who] = context.storage_state()
            context.close()

        hasty = serve(SESSION_ABSOLUTE_SECONDS="500")
        remember("in-a-hurry", hasty)
        base_url = serve()
        provider.lies(grant="authorization_code", id_token=LONG_CLAIMS)
        remember("long", base_url)
        api.lies(at="api", status=401)  # so that the access token is refreshed
        remember("ada", base_url, "/appointments")
        yield Stage(base_url, hasty, provider, api, states)


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
        """What axe-core finds against these rules, or against all."""
        only = {"runOnly": {"type": "rule", "values": rules}} if rules else {}
        options = {"resultTypes": ["violations"], "preload": False, **only}
        found: list[str] = self.page.evaluate(RUN_AXE, options)
        return found


@pytest.fixture
def look(stage: Stage, chromium: Any) -> Iterator[Any]:
    """Go to a page; whatever the browser's console complains of fails the test."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    complaints: list[str] = []
    contexts = []

    def look(name: str, language: str) -> Looker:
        wanted = PAGES[name]
        stage.provider.options(skip_consent=True, ask_organization=False)
        context = chromium.new_context(
            storage_state=stage.states[wanted.who], locale=language, reduced_motion="reduce"
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        wanted.lead(page, stage)
        assert page.url.startswith(stage.origin_of(name))
        assert page.evaluate(STATUS) == wanted.status
        if wanted.status >= 400:
            assert f"status of {wanted.status}" in complaints.pop()  # for Chromium an error too
        return Looker(page, name, language)

    yield look
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_every_screen_and_axe_finds_nothing(
    look: Any, name: str, language: str
) -> None:
    looker = look(name, language)
    found = []
    # Evaluated by the debugger: the policy of the page lets no foreign script in.
    looker.page.evaluate(AXE)

    for scheme in SCHEMES:
        for width in WIDTHS:
            looker.turns_to(width, scheme)
            looker.keeps_a_picture(width, scheme)
            if looker.page.evaluate(TOO_WIDE):
                found.append(f"{width} {scheme}: too wide")
        found += looker.hears_of_axe(*([] if scheme == "light" else BY_COLOUR))
    looker.turns_to(320, "light")
    found += looker.hears_of_axe(*BY_LAYOUT)

    assert found == []
