"""What changes something is asked by our own pages, or not done."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from flask import Flask

from tests.support.harness import APP, Person, text_of
from tests.support.in_chromium import is_signed_in, page_at, sign_in

FOREIGN = {
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "a sibling host name": {"Sec-Fetch-Site": "same-site"},
    "something new": {"Sec-Fetch-Site": "whatever"},
    "another site, said twice": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "an older browser at another site": {"Origin": "https://evil.example"},
    "a sandbox": {"Origin": "null"},
    "no origin in it": {"Origin": ""},
    "another port": {"Origin": "http://localhost:3001"},
    "another scheme": {"Origin": "https://localhost:3000"},
    "a longer name": {"Origin": f"{APP}.evil.example"},
    "a user name like ours": {"Origin": f"{APP}@evil.example"},
    "our site, but another origin": {
        "Sec-Fetch-Site": "same-origin",
        "Origin": "https://evil.example",
    },
    "our origin, but another site": {"Sec-Fetch-Site": "cross-site", "Origin": APP},
}
OWN = {
    "a page of ours": {"Sec-Fetch-Site": "same-origin", "Origin": APP},
    "an older browser at a page of ours": {"Origin": APP},
    "a client that is no browser": {},
}
FROM_ANYWHERE = {"/backchannel-logout", "/login"}


def posted_to(app: Flask) -> Iterator[tuple[str, str]]:
    """Every route and method that changes something, also those of the next person."""
    for rule in app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}:
            path = rule.rule.replace("<reference>", "A" * 22)
            if path not in FROM_ANYWHERE:
                yield method, path


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
def test_nothing_is_changed_for_another_site(
    app: Flask, person: Person, headers: dict[str, str]
) -> None:
    person.signs_in()
    routes = list(posted_to(app))

    answers = [person.browser.request(method, path, headers=headers) for method, path in routes]

    assert ("POST", "/logout") in routes
    assert [answer.status_code for answer in answers] == [403] * len(routes)
    assert all("Nothing was changed" in text_of(answer) for answer in answers)
    assert all("Set-Cookie" not in answer.headers for answer in answers)
    assert person.is_signed_in()


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
def test_our_own_pages_sign_out(person: Person, headers: dict[str, str]) -> None:
    person.signs_in()

    response = person.browser.post("/logout", headers=headers)

    assert response.status_code == 200
    assert not person.is_signed_in()


def test_the_sign_out_of_a_view_added_later_is_guarded_too(app: Flask, person: Person) -> None:
    changed = []
    app.add_url_rule("/change", "change", lambda: changed.append(1) or "done", methods=["PUT"])
    person.signs_in()

    foreign = person.browser.request("PUT", "/change", headers=FOREIGN["another site"])
    own = person.browser.request("PUT", "/change", headers=OWN["a page of ours"])

    assert (foreign.status_code, own.status_code, changed) == (403, 200, [1])


FORM = '<form id="f" method="post" action="{0}/logout"></form><script>f.submit()</script>'
FETCH = """<script>
fetch("{0}/logout", {{method: "POST", mode: "no-cors", credentials: "include"}})
  .finally(() => document.title = "done")</script>"""
IMAGE = '<img src="{0}/logout" onerror="document.title = \'done\'">'


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"], ids=["cross-site", "same-site"])
def test_in_chromium_a_page_elsewhere_signs_nobody_out(
    chromium: Any, base_url: str, host: str
) -> None:
    with closing(chromium.new_context()) as context:
        page = context.new_page()
        sign_in(page, base_url)

        for html in (FORM, FETCH, IMAGE):
            with page_at(host, html.format(base_url)) as evil:
                page.goto(evil)
                if html is FORM:
                    page.wait_for_url(f"{base_url}/logout")
                    assert "Nothing was changed" in page.inner_text("h1")
                else:
                    page.wait_for_function("document.title === 'done'")

            assert is_signed_in(page, base_url)
