"""The person's picture: from the hosts that PICTURE_HOSTS names, and initials everywhere else."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.conftest import MakeApp, PersonAt
from tests.support.harness import Person, Provider, serving, wait_for
from tests.support.in_chromium import sign_in

HOSTS = "pictures.example, cdn.example:8443"
PICTURE = re.compile(r'<span class="initials"[^>]*>AM<img src="([^"]*)" alt=""')
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><path d="M0 0h9v9H0z"/></svg>'


def portrait(page: Any) -> str | None:
    """The address of the picture in the header of a page."""
    found = PICTURE.search(page.text)
    return found and found[1]


@pytest.fixture
def person(make_app: MakeApp, person_at: PersonAt) -> Person:
    return person_at(make_app(PICTURE_HOSTS=HOSTS))


@pytest.mark.parametrize(
    "url",
    [
        "https://pictures.example/ada.png?s=480&d=identicon",
        "https://PICTURES.example/ada.png",
        "https://cdn.example:8443/",
    ],
)
def test_a_picture_at_a_host_that_is_named_is_shown(
    person: Person, provider: Provider, url: str
) -> None:
    provider.lies(id_token={"picture": url})
    person.signs_in()

    page = person.sees("/profile")

    assert portrait(page) == url.replace("&", "&amp;")
    policy = page.headers["Content-Security-Policy"]
    assert "img-src 'self' https://pictures.example https://cdn.example:8443;" in policy


REFUSED = {
    "of another host": "https://elsewhere.example/ada.png",
    "of a host below it": "https://ada.pictures.example/ada.png",
    "of a host that begins like it": "https://pictures.example.evil.example/ada.png",
    "at another port": "https://cdn.example/ada.png",
    "by http": "http://pictures.example/ada.png",
    "by no scheme": "//pictures.example/ada.png",
    "with a user": "https://pictures.example@evil.example/ada.png",
    "with a user at that host": "https://ada:secret@pictures.example/ada.png",
    "with a backslash": "https://pictures.example\\@evil.example/ada.png",
    "with a line break": "https://pictures.example\n.evil.example/",
    "in JavaScript": "javascript:alert(1)//https://pictures.example/",
    "in a data URL": "data:image/png;base64,iVBORw0KGgo=",
    "in brackets": "https://[pictures.example/ada.png",
    "as long as a book": "https://pictures.example/" + "a" * 5000,
    "of our own": "/static/favicon.svg",
    "as an object": {"url": "https://pictures.example/ada.png"},
    "as a number": 7,
    "as nothing": None,
}


@pytest.mark.parametrize("url", REFUSED.values(), ids=REFUSED)
def test_a_picture_elsewhere_leaves_the_initials(
    person: Person, provider: Provider, url: object
) -> None:
    provider.lies(id_token={"picture": url})
    person.signs_in()

    page = person.sees("/")

    assert '<span class="initials" aria-hidden="true">AM</span>' in page.text


def test_without_the_setting_no_host_is_named_and_no_picture_shown(
    make_app: MakeApp, person_at: PersonAt, provider: Provider
) -> None:
    person = person_at(make_app())
    provider.lies(id_token={"picture": "https://pictures.example/ada.png"})
    person.signs_in()

    page = person.sees("/")

    assert portrait(page) is None
    assert "img-src 'self';" in page.headers["Content-Security-Policy"]


# In a browser


class Pictures:
    """A host of pictures on this machine; it has one, and remembers who asked how."""

    def __init__(self) -> None:
        asked = self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.path, self.headers.get("Referer")))
                self.send_response(200 if self.path == "/ada.svg" else 404)
                self.send_header("Content-Type", "image/svg+xml")
                self.end_headers()
                self.wfile.write(SVG if self.path == "/ada.svg" else b"")

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"localhost:{self.server.server_port}"

    asked: list[tuple[str, str | None]]


@pytest.fixture
def pictures() -> Iterator[Pictures]:
    pictures = Pictures()
    with pictures.server as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield pictures
        server.shutdown()


@pytest.fixture
def shows(
    settings: dict[str, str], provider: Provider, pictures: Pictures, chromium: Any
) -> Iterator[Any]:
    """Sign in with a picture; returns the circle that holds it, or the initials."""
    with serving(provider, settings, PICTURE_HOSTS=pictures.host) as base_url:

        def shows(picture: str | None) -> Any:
            provider.lies(grant="authorization_code", id_token={"picture": picture})
            page = chromium.new_page()
            sign_in(page, base_url)
            page.wait_for_load_state("networkidle")
            return page.locator("header .initials")

        yield shows
        for context in chromium.contexts:
            context.close()


def test_the_picture_covers_the_initials_and_its_host_does_not_learn_the_page(
    shows: Any, pictures: Pictures
) -> None:
    circle = shows(f"http://{pictures.host}/ada.svg")

    assert circle.locator("img").evaluate("e => e.complete && e.naturalWidth > 0")
    assert (
        circle.evaluate("""e => {
        const {x, y, width, height} = e.getBoundingClientRect();
        return document.elementFromPoint(x + width / 2, y + height / 2).tagName;
    }""")
        == "IMG"
    )
    assert set(pictures.asked) == {("/ada.svg", None)}


def test_where_the_picture_does_not_load_the_initials_stay(shows: Any, pictures: Pictures) -> None:
    without = shows(None).screenshot()

    broken = shows(f"http://{pictures.host}/gone.svg")

    assert set(pictures.asked) == {("/gone.svg", None)}
    assert broken.locator("img").count() == 1
    wait_for(lambda: broken.screenshot() == without)


def test_a_picture_of_another_host_is_not_even_asked_for(shows: Any, pictures: Pictures) -> None:
    shows(f"http://127.0.0.1:{pictures.server.server_port}/ada.svg")

    assert pictures.asked == []
