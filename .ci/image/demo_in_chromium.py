"""The demo's whole flow in the system's Chromium, as a person goes through it.

    python .ci/image/demo_in_chromium.py http://localhost:3000 FOLDER

FOLDER is where the screenshots go. Exits with a trace where a step does not work.
"""

import re
import shutil
import sys
import time
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

base_url, folder = sys.argv[1], Path(sys.argv[2])
folder.mkdir(parents=True, exist_ok=True)
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
taken = 0


def picture(page: Any, name: str) -> None:
    global taken
    taken += 1
    page.screenshot(path=folder / f"{taken}-{name}.png", full_page=True)


def table(page: Any) -> str:
    page.goto(f"{base_url}/appointments")
    return str(page.locator("table").inner_text())


def flow(page: Any, access_token_seconds: float) -> None:
    page.goto(f"{base_url}/")
    picture(page, "signed-out")
    page.get_by_role("link", name="Sign In").first.click()
    picture(page, "provider-sign-in")
    page.get_by_role("button", name="Ada Marlow").click()
    page.get_by_role("heading", name="asks for access").wait_for()
    picture(page, "provider-consent")
    page.get_by_role("button", name="Allow").click()
    page.get_by_role("heading", name="Hello, Ada Marlow").wait_for()
    picture(page, "signed-in")

    before = table(page)
    picture(page, "appointments")
    time.sleep(access_token_seconds)  # the container's clock is not ours to move
    assert table(page) == before
    picture(page, "appointments-refreshed")

    page.goto(f"{base_url}/profile")
    assert "ada@example.com" in page.locator("main").inner_text()
    picture(page, "profile")
    page.get_by_role("button", name=re.compile("Sign Out")).click()
    page.wait_for_url(f"{base_url}/?state=*")  # by way of the provider's logout
    page.get_by_role("link", name="Sign In").first.wait_for()
    page.goto(f"{base_url}/profile")
    assert not page.url.startswith(base_url), "signed out, and yet the profile opens"
    picture(page, "signed-out-again")


with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
    page = browser.new_page()
    page.set_default_timeout(30_000)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: message.type == "error" and complaints.append(message.text))
    try:
        flow(page, float(sys.argv[3]))
        assert complaints == [], complaints
    finally:
        picture(page, "last")
        browser.close()
