"""`make screenshots`: the pictures of README and docs/, made from the running demo.

    make screenshots ARGS='--port 4400'

A sign-in in both colour schemes; of the flow's diagrams, a picture of each of the four steps; a lie
of the provider, and what stops it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
START_SECONDS = 60
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
# The steps of docs/how-it-works.md: which diagram on the flow's page, and which of its messages.
STEPS = {
    "step-1": (
        "sign-in",
        [
            *("Sign In", "On to the provider", "Authorization request", "The person signs in"),
            *("Back to the app", "Authorization response"),
        ],
    ),
    "step-2": ("sign-in", ["Token request", "Token response", "Signed in here"]),
    "step-3": ("api-call", ["Page request", "API request", "API response", "Page"]),
    "step-4": ("refresh", ["Refresh request", "Refresh response"]),
}
WHOLE_SIGN_IN = ("sign-in", STEPS["step-1"][1] + STEPS["step-2"][1])
# Leave these messages in a diagram, numbered anew; each is a link, and 54 units high.
CUT = """([id, titles]) => {
    const svg = document.querySelector(`[aria-labelledby="${id}-picture"]`);
    let kept = 0;
    [...svg.querySelectorAll("a")].forEach((message, row) => {
        const title = message.querySelector("text");
        const text = title.textContent.replace(/^[0-9]+[.] /, "");
        if (!titles.includes(text)) return message.remove();
        message.setAttribute("transform", `translate(0 ${54 * (kept - row)})`);
        title.textContent = `${++kept}. ${text}`;
    });
    if (kept !== titles.length) throw new Error(`${id} has not all of ${titles}`);
    svg.setAttribute("viewBox", `0 0 800 ${64 + 54 * kept}`);
    svg.id = "cut";
}"""


def main() -> None:
    """Start the demo, walk through it, write the pictures."""
    parser = argparse.ArgumentParser(prog="make screenshots", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="and the two after it")
    port = parser.parse_args().port
    with demo(port) as app, sync_playwright() as playwright:
        path = next(filter(None, map(shutil.which, CHROMIUM)), None)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        context = browser.new_context(
            viewport={"width": 1100, "height": 680}, locale="en", reduced_motion="reduce"
        )
        page = context.new_page()
        walk_through(page, app, f"http://localhost:{port + 2}")
        for scheme, ending in (("light", ""), ("dark", "-dark")):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its literals
            take_diagram(page, app, f"flow{ending}", WHOLE_SIGN_IN)
        page.emulate_media(color_scheme="light")
        for name, messages in STEPS.items():
            take_diagram(page, app, name, messages)
        page.set_viewport_size({"width": 560, "height": 560})
        take_lie(page, f"http://localhost:{port + 1}")
        browser.close()


@contextmanager
def demo(port: int) -> Iterator[str]:
    """The demo on three ports in a row; yields the app's address."""
    ports = ["--port", str(port), "--provider-port", str(port + 1), "--api-port", str(port + 2)]
    command = [sys.executable, "-m", "demo", *ports, "--access-token-seconds", "600"]
    process = subprocess.Popen(command, cwd=ROOT)  # our own program
    app = f"http://localhost:{port}"
    try:
        wait_for(app, process)
        yield app
    finally:
        process.terminate()
        process.wait(30)


def wait_for(app: str, process: subprocess.Popen[bytes]) -> None:
    """Returns when app and provider answer. Exits when the demo ended, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if requests.get(f"{app}/readyz", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    sys.exit("The demo does not run; what it printed says why.")


def walk_through(page: Page, app: str, api: str) -> None:
    """Sign in, call the API, and have it refuse the token once, so that there is a refresh."""
    page.goto(f"{app}/login")
    page.locator('button[name="person"]').first.click()
    page.locator('button[name="allow"]').click()
    page.wait_for_url(f"{app}/")
    fault: dict[str, Any] = {"at": "api", "status": 401}
    requests.post(f"{api}/demo/faults", json=fault, timeout=10).raise_for_status()
    page.goto(f"{app}/contacts")
    page.goto(f"{app}/appointments")


def take_lie(page: Page, provider: str) -> None:
    """The story of a lie: it is told, the page that says so, the check that stopped it."""
    page.goto(f"{provider}/demo")
    page.get_by_role("button", name="ID token with a foreign nonce").click()
    page.locator(".meeting").wait_for()
    page.screenshot(path=DOCS / "lie-1.png")
    page.locator(".meeting").click()
    page.get_by_role("heading", level=1).wait_for()
    page.screenshot(path=DOCS / "lie-2.png")
    page.get_by_role("link", name="See it in the flow").click()
    page.wait_for_url("**/flow#failed")
    page.locator("#failed").scroll_into_view_if_needed()
    page.screenshot(path=DOCS / "lie-3.png")


def take_diagram(page: Page, app: str, name: str, messages: tuple[str, list[str]]) -> None:
    """Some messages of one of the flow's diagrams."""
    page.goto(f"{app}/flow")
    page.evaluate(CUT, messages)
    page.locator("#cut").screenshot(path=DOCS / f"{name}.png")


if __name__ == "__main__":
    main()
