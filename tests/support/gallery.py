"""Every page there is to look at, and how somebody at a browser gets to it.

What a page needs is arranged at the provider and the API, which are real: an empty calendar, a
refusal, an answer that does not come.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app import EXTRAS
from tests.support.harness import ADA, Api, Provider
from tests.support.in_chromium import sign_in

LONG_WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
LONG_CLAIMS = {
    "name": f"Wolfeschlegelsteinhausenbergerdorff {LONG_WORD} the Third of His Name",
    "email": f"{LONG_WORD.lower().replace('ä', 'ae')}@subsidiary.of.a.subsidiary.example.com",
    "https://claims.example/roles": {"clinics": [LONG_WORD] * 3, "since": 2019, "admin": False},
    "https://claims.example/" + "path/" * 18: "a claim whose name has more to say than its value",
    "note": f"{LONG_WORD} " * 12,
}
LONG_ROW = {
    "title": f"{LONG_WORD}, a meeting with a long name",
    "with": LONG_CLAIMS["name"],
    "start": "2026-11-30T09:00:00Z",
    "minutes": 1440,
    "place": {"street": "Am Ende der langen Straße 1234", "floors": [1, 2, 3]},
    "mail": LONG_CLAIMS["email"],
}


@dataclass(frozen=True)
class Stage:
    """An app and what stands around it; `cookies` are those of the people who signed in.

    The hasty app is the same, with sessions that end soon after sign-in.
    """

    base_url: str
    hasty_base_url: str
    provider: Provider
    api: Api
    cookies: dict[str, list[Any]]

    def origin_of(self, name: str) -> str:
        """Who serves the page of that name; a page that is not open leads to the provider."""
        elsewhere = {
            "provider": self.provider.issuer,
            "api": self.api.base_url,
            "home-ends": self.hasty_base_url,
        }
        found = (each for start, each in elsewhere.items() if name.startswith(f"{start}-"))
        return next(found, self.base_url)

    def answers_with(self, records: object, **fault: Any) -> None:
        """What the API says next."""
        self.api.lies(at="api", status=200, body=json.dumps(records), **fault)


Lead = Callable[[Any, Stage], object]


@dataclass(frozen=True)
class Page:
    """One page: the way to it, who goes there, and the status that it comes with."""

    lead: Lead
    who: str = "ada"
    status: int = 200


def at(path: str, before: Callable[[Stage], None] = lambda stage: None) -> Lead:
    """Open an address of the app, after something was arranged."""

    def lead(page: Any, stage: Stage) -> None:
        before(stage)
        page.goto(stage.base_url + path)

    return lead


def at_provider(path: str, **options: Any) -> Lead:
    """Open an address of the provider, under other options than usual."""

    def lead(page: Any, stage: Stage) -> None:
        stage.provider.options(**options)
        page.goto(stage.provider.issuer.rstrip("/") + path)

    return lead


def after_choosing(path: str, **options: Any) -> Lead:
    """Begin a sign-in and choose a person: what the provider asks next is the page."""

    def lead(page: Any, stage: Stage) -> None:
        stage.provider.options(**options)
        page.goto(stage.base_url + path)
        page.locator(f'button[name="person"][value="{ADA}"]').click()
        page.wait_for_load_state()

    return lead


def after_cancelling(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.base_url}/login")
    page.locator('button[name="refuse"]').click()
    page.wait_for_url(f"{stage.base_url}/callback?*")


def after_a_lie(page: Any, stage: Stage) -> None:
    """Its error page is loaded in a window of its own: Chromium complains of the status there."""
    stage.provider.lies("wrong_nonce")
    other = page.context.new_page()
    after_choosing("/login")(other, stage)
    other.close()
    page.goto(f"{stage.base_url}/flow")


def after_a_wrong_organization(page: Any, stage: Stage) -> None:
    after_choosing("/login", ask_organization=True)(page, stage)
    page.locator("#organization").fill("nowhere")
    page.locator('button[name="go"]').click()
    page.locator("#complaint").wait_for()


def by_invitation(page: Any, stage: Stage) -> None:
    page.goto(f"{stage.provider.issuer}invitation")
    page.locator("main a").first.click()
    page.wait_for_load_state()


def example(page: Any, stage: Stage) -> None:
    """Open an example page as somebody new: choose who one is first."""
    page.goto(f"{stage.base_url}/examples/phone")
    page.locator(f'button[name="person"][value="{ADA}"]').click()
    page.wait_for_url(f"{stage.base_url}/examples/phone")


def after_signing_in_elsewhere(page: Any, stage: Stage) -> None:
    """The list of sessions, with more than one in it."""
    context = page.context.browser.new_context(user_agent="Mozilla/5.0 (iPhone) Safari/605.1")
    sign_in(context.new_page(), stage.base_url)
    context.close()
    page.goto(f"{stage.base_url}/sessions")


def api_lies(**fault: Any) -> Callable[[Stage], None]:
    return lambda stage: stage.api.lies(at="api", **fault)


INSUFFICIENT_SCOPE = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="appointments"'}

PAGES: dict[str, Page] = {
    # The app, signed out
    "home-signed-out": Page(at("/"), "nobody"),
    # Signed in
    "home": Page(at("/")),
    "home-ends-soon": Page(lambda page, stage: page.goto(f"{stage.hasty_base_url}/"), "in-a-hurry"),
    "profile": Page(at("/profile")),
    "appointments": Page(at("/appointments")),
    "contacts": Page(at("/contacts")),
    "appointments-none": Page(at("/appointments", lambda stage: stage.answers_with([]))),
    "contacts-none": Page(at("/contacts", lambda stage: stage.answers_with([]))),
    "appointments-unlike-a-table": Page(
        at("/appointments", lambda stage: stage.answers_with({"today": {"9:00": "Eye test"}}))
    ),
    "sign-out": Page(at("/logout")),
    "sessions-several": Page(after_signing_in_elsewhere),
    # With names, addresses and claims that nobody reckoned with
    "home-long": Page(at("/"), "long"),
    "profile-long": Page(at("/profile"), "long"),
    "appointments-long": Page(
        at("/appointments", lambda stage: stage.answers_with([LONG_ROW] * 2)), "long"
    ),
    # Errors: test_errors.py reads them all
    "error-400": Page(at("/callback?code=a&state=b"), "nobody", 400),
    "error-403-access-denied": Page(after_cancelling, "nobody", 403),
    "error-403-insufficient-scope": Page(
        at("/appointments", api_lies(status=403, headers=INSUFFICIENT_SCOPE)), status=403
    ),
    "error-404": Page(at("/nowhere"), status=404),
    # The demo's provider and API
    "provider-start": Page(at_provider("/"), "nobody"),
    "provider-start-signed-in": Page(at_provider("/")),
    "provider-sign-in": Page(at("/login"), "nobody"),
    "provider-consent": Page(after_choosing("/login", skip_consent=False), "nobody"),
    "provider-organization-unknown": Page(after_a_wrong_organization, "nobody"),
    "provider-invitations": Page(at_provider("/invitation"), "nobody"),
    "provider-invitation": Page(by_invitation, "nobody"),
    "provider-sign-out": Page(at_provider("/oidc/logout")),
    "provider-signed-out": Page(at_provider("/oidc/logout"), "nobody"),
    "provider-error": Page(at_provider("/authorize"), "nobody", 400),
    "provider-control": Page(at_provider("/demo"), "nobody"),
    "api-control": Page(lambda page, stage: page.goto(f"{stage.api.base_url}/demo"), "nobody"),
}
if "flow" in EXTRAS:
    PAGES |= {
        "flow-empty": Page(at("/flow"), "nobody"),
        "flow": Page(at("/flow")),
        "flow-failed": Page(after_a_lie, "nobody"),
        "flow-code": Page(at("/flow/code/auth.token_endpoint:exchange_code")),
    }
if "examples" in EXTRAS:
    PAGES |= {
        "examples": Page(at("/examples")),
        "example-phone": Page(example, "nobody"),
        "provider-stronger": Page(after_choosing("/examples/stronger"), "nobody"),
    }
