"""Visitors: keep-alive connections that ask for pages, one after the other or side by side."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from email.message import Message
from http.cookies import SimpleCookie
from urllib.parse import urlsplit

from tests.support.harness import ADA, APP, AtProvider

HOST = urlsplit(APP).netloc


class Visitor:
    """One connection and a cookie jar; `at_provider` has signed in there before."""

    def __init__(self, port: int, at_provider: AtProvider | None = None) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: dict[str, str] = {}
        self.at_provider = at_provider or AtProvider()

    def get(self, path: str, expected: int = 200) -> tuple[Message, bytes]:
        """Ask for a page; anything but the expected status is an error of the benchmark."""
        headers = {"Host": HOST, "Accept": "text/html"}
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={text}" for name, text in self.cookies.items())
        self.connection.request("GET", path, headers=headers)
        response = self.connection.getresponse()
        body = response.read()
        if response.status != expected:
            raise RuntimeError(f"{path}: {response.status} {body[:500]!r}")
        for header in response.headers.get_all("Set-Cookie") or []:
            for name, morsel in SimpleCookie(header).items():
                self.cookies[name] = morsel.value
                if not morsel.value:
                    del self.cookies[name]
        return response.headers, body

    def sign_in(self) -> None:
        """Somebody new: `/login`, the provider, `/callback`, `/`."""
        self.cookies.clear()
        location = self.get("/login", 302)[0]["Location"]
        back = urlsplit(self.at_provider.answers(location, ADA))
        self.get(f"{back.path}?{back.query}", 303)
        self.get("/")


def each(visitors: list[Visitor], times: int, visit: Callable[[Visitor], object]) -> float:
    """Let every visitor do the same so many times, all side by side; return the seconds."""
    errors: list[Exception] = []

    def run(visitor: Visitor) -> None:
        # A connection that idled may be closed by now; the next request opens another.
        visitor.connection.close()
        try:
            for _ in range(times):
                visit(visitor)
        except Exception as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=[visitor]) for visitor in visitors]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return time.perf_counter() - start
