"""A person in the system's Chromium, and pages of other sites for them to stray to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.support.harness import ADA


def sign_in(page: Any, base_url: str, who: str = ADA) -> None:
    """Follow "Sign In" through the provider's page and back."""
    page.goto(f"{base_url}/")
    page.get_by_role("link", name="Sign In").first.click()
    page.locator(f'[name="person"][value="{who}"]').click()
    page.wait_for_url(f"{base_url}/**")


def sign_out(page: Any, base_url: str) -> None:
    """Press "Sign Out" and follow the way through the provider's logout and back."""
    page.get_by_role("button", name="Sign Out").click()
    page.wait_for_url(f"{base_url}/?state=*")


def is_signed_in(page: Any, base_url: str) -> bool:
    page.goto(f"{base_url}/")
    return bool(page.get_by_role("button", name="Sign Out").count())


@contextmanager
def page_at(host: str, html: str) -> Iterator[str]:
    """Serve one page of another site; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = html.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{host}:{server.server_port}/"
        server.shutdown()
