"""`python -m demo`, driven in a real browser: the whole story of the README."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests

from demo.__main__ import is_taken
from demo.server import BLUNT_OPTION
from tests.support.harness import (
    ADA,
    CLARA,
    ROOT,
    HttpBrowser,
    Person,
    Program,
    free_port,
    text_of,
)

ACCESS_TOKEN_SECONDS = 4


class Demo(Program):
    """The demo on ports that are free, with access tokens that live for seconds."""

    def __init__(self, *options: str) -> None:
        names = ("--port", "--provider-port", "--api-port")
        self.ports = [free_port() for _ in names]
        self.app, self.provider, self.api = (f"http://localhost:{port}" for port in self.ports)
        command = [sys.executable, "-m", "demo"]
        for name, port in zip(names, self.ports, strict=True):
            command += [name, str(port)]
        command += ["--access-token-seconds", str(ACCESS_TOKEN_SECONDS), *options]
        super().__init__(command, self.ports[0], ready="/readyz")

    def is_up(self) -> bool:
        """The app may serve before the provider does: they start side by side."""
        return super().is_up() and is_taken(int(self.provider.rpartition(":")[2]))

    def refreshes(self) -> int:
        stats = requests.get(f"{self.provider}/demo/stats", timeout=10).json()
        return int(stats["by_grant"].get("refresh_token", 0))


class Visitor:
    """Somebody at a real browser; what its console says is kept."""

    def __init__(self, page: Any, demo: Demo) -> None:
        self.page, self.demo = page, demo
        self.complaints: list[str] = []
        page.set_default_timeout(30_000)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _hear(self, message: Any) -> None:
        # Chromium also calls a page that has an error status an error.
        if message.type in ("error", "warning") and "status of 4" not in message.text:
            self.complaints.append(message.text)

    def opens(self, path: str) -> Any:
        return self.page.goto(f"{self.demo.app}{path}")

    def signs_in(self, who: str) -> None:
        self.opens("/")
        self.page.get_by_role("main").get_by_role("link", name="Sign In").click()
        self.chooses(who)

    def chooses(self, who: str) -> None:
        self.page.locator(f'button[name="person"][value="{who}"]').click()

    def presses(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).click()

    def reads(self) -> str:
        return str(self.page.locator("main").inner_text())

    def reads_end_of_access_token(self) -> datetime:
        shown = self.page.locator("dl time").first.get_attribute("datetime")
        return datetime.fromisoformat(shown)

    def is_at(self, address: str) -> None:
        self.page.wait_for_url(re.compile(re.escape(address) + r"/?(\?state=.*)?$"))


@pytest.fixture(scope="module")
def taken_port() -> Iterator[int]:
    """A port that some other program has."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@pytest.fixture(scope="module")
def demo(taken_port: int) -> Iterator[Demo]:
    """The second API is not asked for, so its port need not be free."""
    with Demo("--contacts-port", str(taken_port)) as demo:
        yield demo


@pytest.fixture
def visitor(chromium: Any, demo: Demo) -> Iterator[Visitor]:
    """Somebody in front of the demo; the browser's console must stay silent."""
    requests.post(f"{demo.provider}/demo/reset", timeout=10).raise_for_status()
    context = chromium.new_context(viewport={"width": 1100, "height": 760})
    visitor = Visitor(context.new_page(), demo)
    yield visitor
    context.close()
    assert visitor.complaints == []


def test_signing_in_asks_who_and_what_may_be_seen(visitor: Visitor) -> None:
    visitor.opens("/")
    visitor.signs_in(ADA)
    visitor.page.get_by_role("heading", name="asks for access").wait_for()

    visitor.presses("Allow")

    visitor.is_at(visitor.demo.app)
    assert "Hello, Ada Marlow" in visitor.reads()
    visitor.page.get_by_role("link", name="Appointments").first.click()
    assert "Eye test" in visitor.reads()
    visitor.page.get_by_role("link", name="Contacts").first.click()
    assert "Dr. Lindqvist" in visitor.reads()
    visitor.page.get_by_role("link", name="Profile").first.click()
    assert "https://foo/bar" in visitor.reads()


def test_a_button_makes_the_provider_lie(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.demo.provider}/demo")
    visitor.page.locator("button[value=wrong_nonce]").click()

    visitor.signs_in(ADA)
    visitor.presses("Allow")

    visitor.page.get_by_role("heading", name="This sign-in cannot be finished").wait_for()


def test_the_invitation_link_makes_a_member(visitor: Visitor) -> None:
    visitor.page.goto(f"{visitor.demo.provider}/invitation")
    visitor.page.get_by_role("link", name="Join Harbour Clinic").click()
    visitor.page.get_by_role("heading", name="You are invited to Harbour Clinic").wait_for()

    visitor.chooses(CLARA)
    visitor.presses("Allow")

    visitor.is_at(visitor.demo.app)
    visitor.opens("/profile")
    assert "harbour-clinic" in visitor.reads()
    assert "Clara Whitfield" in visitor.reads()


def test_a_refresh_can_be_watched(visitor: Visitor) -> None:
    visitor.signs_in(ADA)
    visitor.presses("Allow")
    visitor.is_at(visitor.demo.app)
    good_until = visitor.reads_end_of_access_token()
    assert good_until - datetime.now(UTC) <= timedelta(seconds=ACCESS_TOKEN_SECONDS)

    deadline = time.monotonic() + 60
    while not visitor.demo.refreshes() and time.monotonic() < deadline:
        visitor.page.wait_for_timeout(500)
        visitor.opens("/appointments")
        assert "Eye test" in visitor.reads()

    assert visitor.demo.refreshes() == 1
    visitor.opens("/")
    assert visitor.reads_end_of_access_token() > good_until


def test_signing_in_again_after_signing_out_asks_the_provider(visitor: Visitor) -> None:
    visitor.signs_in(ADA)
    visitor.presses("Allow")
    visitor.is_at(visitor.demo.app)

    visitor.presses("Sign Out")
    visitor.is_at(visitor.demo.app)

    visitor.page.get_by_role("main").get_by_role("link", name="Sign In").click()
    visitor.page.get_by_role("heading", name="Sign in to").wait_for()
    assert visitor.page.url.startswith(visitor.demo.provider)


def test_signing_out_at_the_provider_ends_the_session_here(visitor: Visitor) -> None:
    visitor.signs_in(ADA)
    visitor.presses("Allow")
    visitor.is_at(visitor.demo.app)

    visitor.page.goto(visitor.demo.provider)
    visitor.presses("Sign out everywhere")

    deadline = time.monotonic() + 30
    while "Hello" in visitor.reads() or time.monotonic() < deadline:
        visitor.opens("/")
        if "Hello" not in visitor.reads():
            break
    assert visitor.page.get_by_role("button", name="Sign Out").count() == 0


IN_THE_BACKGROUND = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_the_demo_prints_its_address_and_ends_with_all_its_programs(number: int) -> None:
    demo = Demo()
    # As a shell starts a program in the background: Ctrl-C is ignored until the program asks; and
    # at a terminal that can close, wherever these tests run.
    background = [sys.executable, "-c", IN_THE_BACKGROUND, *demo.command]

    printed = ""
    with subprocess.Popen(background, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        while f"{demo.provider}\n" not in printed and (line := process.stdout.readline()):
            printed += line
        for _ in range(3):
            process.send_signal(number)
        process.wait(60)

    assert f"  The app is at  {demo.app}\n" in printed
    with pytest.raises(requests.ConnectionError):
        requests.get(demo.app, timeout=5)
    with pytest.raises(requests.ConnectionError):
        requests.get(demo.provider, timeout=5)


def test_the_whole_demo_can_be_like_another_provider() -> None:
    with Demo("--like", "keycloak") as demo:
        person = Person(HttpBrowser(demo.app))
        begun = person.begins()
        person.signs_in()
        profile = text_of(person.sees("/profile"))

    assert begun.startswith(f"{demo.provider}/realms/demo/protocol/openid-connect/auth")
    assert "Ada Marlow" in profile


def test_a_shape_that_does_not_exist_is_refused_with_the_names() -> None:
    command = Demo("--like", "nobody").command
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "zitadel" in done.stderr


def test_a_port_that_is_taken_is_named(demo: Demo) -> None:
    done = subprocess.run(demo.command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.returncode != 0
    assert f"Port {demo.port}, for the app, is in use." in done.stderr
    assert "Choose others, such as: make demo ARGS='--" in done.stderr


def test_the_second_apis_port_has_to_be_free_only_where_there_is_a_second_api(
    demo: Demo, taken_port: int
) -> None:
    wanted = Demo("--separate-contacts-api", "--contacts-port", str(taken_port)).command
    done = subprocess.run(wanted, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert demo.is_up()
    complaint = f"Port {taken_port}, for the contacts API, is in use."
    advice = f"Choose others, such as: make demo ARGS='--contacts-port {taken_port + 1000}'"
    assert done.stderr == f"{complaint}\n{advice}\n"


def test_in_a_container_app_and_provider_answer_from_outside_and_nothing_else_does() -> None:
    demo = Demo(BLUNT_OPTION)
    # An address that answers only where a program listens on every one.
    app, provider, api = (f"http://127.0.0.2:{port}" for port in demo.ports)

    with demo:
        assert requests.get(f"{app}/healthz", timeout=10).ok
        assert requests.get(f"{provider}/.well-known/openid-configuration", timeout=10).ok
        assert requests.get(f"{demo.provider}/demo", timeout=10).status_code == 404
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{api}/demo/stats", timeout=10)
