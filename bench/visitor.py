"""Visitors: browsers with keep-alive connections, which ask for pages side by side."""

from __future__ import annotations

from http.cookies import SimpleCookie
from urllib.parse import urljoin, urlsplit

import urllib3

from demo.provider.steps import SSO_COOKIE

# The address that the provider knows, whatever port an app has here.
APP_BASE_URL = "http://localhost:3000"
PEOPLE = ("demo%7Cada", "demo%7Cben", "demo%7Cyuki", "demo%7Cclara")


class Visitor:
    """A browser: connections and a cookie jar."""

    def __init__(self, port: int, person: str) -> None:
        self._app, self._person = f"http://127.0.0.1:{port}", person
        self._http, self._cookies = urllib3.PoolManager(), dict[str, str]()

    def _send(self, url: str, form: str | None = None) -> urllib3.BaseHTTPResponse:
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Accept": "text/html", "Cookie": cookies}
        if url.startswith("/"):
            headers["Host"], url = urlsplit(APP_BASE_URL).netloc, self._app + url
        if form:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        method = "POST" if form else "GET"
        response = self._http.request(method, url, headers=headers, body=form, redirect=False)
        for header in response.headers.getlist("Set-Cookie"):
            self._cookies |= {name: each.value for name, each in SimpleCookie(header).items()}
        return response

    def get(self, path: str, status: int = 200) -> str:
        """Return the Location, or ""; raises RuntimeError for another status than expected."""
        response = self._send(path)
        if response.status != status:
            raise RuntimeError(f"{path}: {response.status} {response.data[:500]!r}")
        return response.headers.get("Location", "")

    def login(self) -> str:
        """Follow "Sign In" as somebody new to the app; return where the provider is."""
        self._cookies = {k: v for k, v in self._cookies.items() if k == SSO_COOKIE}
        return self.get("/login?return_to=/small", 302)

    def sign_in(self) -> None:
        """Sign in as somebody new to the app: `/login`, the provider, `/callback`, `/small`."""
        url = self.login()
        while not url.startswith(APP_BASE_URL):
            response = self._send(url)
            if response.status == 200:  # asks who it is, the first time
                response = self._send(url, f"person={self._person}")
            url = urljoin(url, response.headers["Location"])
        self.get(self.get(url.removeprefix(APP_BASE_URL), 303))
