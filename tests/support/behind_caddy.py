"""Two replicas of the app behind the reverse proxy as it is shipped, and people who use them."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import socketserver
import ssl
import struct
import subprocess
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from tests.support.harness import ROOT, Gunicorn, HttpBrowser, Person, Program, free_port, wait_for

REPLICA_ADDRESSES = ("127.0.0.2", "127.0.0.3")


class NameServer(socketserver.ThreadingUDPServer):
    """Has the addresses of all replicas for every name, as a container engine's has (RFC 1035)."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), self.Answer)
        self.port = self.server_address[1]

    class Answer(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            query, sock = self.request
            end = query.index(b"\0", 12) + 5  # the name, its type and class
            addresses = REPLICA_ADDRESSES if query[end - 4 : end - 2] == b"\0\1" else ()
            head = struct.pack(">2s5H", query[:2], 0x8180, 1, len(addresses), 0, 0)
            answers = [
                struct.pack(">3HLH4s", 0xC00C, 1, 1, 1, 4, socket.inet_aton(address))
                for address in addresses
            ]
            sock.sendto(head + query[12:end] + b"".join(answers), self.client_address)

    def __enter__(self) -> NameServer:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


def with_output_to(log: Path, command: list[str]) -> list[str]:
    return ["/bin/sh", "-c", f'exec "$0" "$@" >>"{log}" 2>&1', *command]


class Replica(Gunicorn):
    """One of them; they share a port, as containers do, and have addresses of their own."""

    def __init__(self, settings: Mapping[str, str], address: str, port: int, folder: Path) -> None:
        folder.mkdir()
        bind = f"--bind {address}:{port}"
        super().__init__(settings, workers=2, folder=folder, PORT=str(port), GUNICORN_CMD_ARGS=bind)
        self.address, self.log = address, folder / "log"
        self.url = f"http://{address}:{port}"
        self.command = with_output_to(self.log, self.command)

    def is_up(self) -> bool:
        try:
            return requests.get(f"{self.url}/healthz", timeout=2).ok
        except requests.RequestException:
            return False

    def is_told_to_end(self) -> None:
        """As an engine does it: SIGTERM to the first process, which tells the others."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGTERM)

    def ends(self) -> int:
        assert self.process is not None
        code = self.process.wait(40)
        self.process = None
        return code

    def is_killed(self) -> None:
        """As a machine dies: all of its processes at once, in the middle of whatever they do."""
        self.signal(signal.SIGKILL)
        self.ends()

    def served(self) -> set[str]:
        """The ids of the requests that it answered."""
        lines = self.log.read_text().splitlines()
        return {json.loads(line).get("request_id") for line in lines if line.startswith("{")}


def caddy_version() -> tuple[int, ...]:
    said = subprocess.run(["caddy", "version"], check=True, capture_output=True, text=True).stdout
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", said)
    assert numbers is not None, said
    return tuple(map(int, numbers.groups()))


class Caddy(Program):
    """The reverse proxy with deploy/Caddyfile and its own certificate authority."""

    def __init__(self, base_url: str, app_port: int, names: NameServer, folder: Path) -> None:
        port = int(base_url.rpartition(":")[2])
        env = {
            "APP_BASE_URL": base_url,
            "APP_HOST": "app",
            "APP_PORT": str(app_port),
            "APP_RESOLVERS": f"resolvers udp/127.0.0.1:{names.port}",
            "HTTP_PORT": str(free_port()),
            "CADDY_ADMIN": f"localhost:{free_port()}",
            "XDG_DATA_HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder),
        }
        if caddy_version() < (2, 6, 3):  # Debian's and Ubuntu's: the same by its earlier name
            env["APP_REQUEST_BUFFERS"] = "buffer_requests"
        file = ROOT / "deploy/Caddyfile"
        command = ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]
        super().__init__(with_output_to(folder / "log", command), port, env)
        self.authority = folder / "caddy/pki/authorities/local/root.crt"
        self.base_url = base_url

    def is_up(self) -> bool:
        return super().is_up() and self.authority.exists()


class SecureBrowser(HttpBrowser):
    """Trusts the proxy's own authority."""

    def __init__(self, caddy: Caddy) -> None:
        super().__init__(caddy.base_url)
        self.authority = str(caddy.authority)
        self.host_origin = caddy.base_url

    def request(self, method: str, url: str, **kwargs: Any) -> requests.Response:
        return super().request(method, url, verify=self.authority, **kwargs)


class Deployment:
    """What `docker compose up` starts."""

    def __init__(self, caddy: Caddy, replicas: list[Replica]) -> None:
        self.caddy, self.replicas = caddy, replicas

    def person(self) -> Person:
        return Person(SecureBrowser(self.caddy))

    def served_by(self, answer: requests.Response) -> Replica:
        """The replica whose log has this answer's request id."""
        request_id = answer.headers["X-Request-ID"]
        found: list[Replica] = []

        def is_logged() -> bool:
            found.extend(each for each in self.replicas if request_id in each.served())
            return bool(found)

        wait_for(is_logged)
        assert len(found) == 1
        return found[0]


@contextmanager
def running_deployment(settings: Mapping[str, str], folder: Path) -> Iterator[Deployment]:
    """Start it; `settings` has an APP_BASE_URL at the proxy's port."""
    port = free_port()
    with ExitStack() as running:
        replicas = [
            Replica(settings, address, port, folder / f"replica-{n}")
            for n, address in enumerate(REPLICA_ADDRESSES)
        ]
        names = running.enter_context(NameServer())
        caddy = Caddy(settings["APP_BASE_URL"], port, names, folder)
        programs: list[Program] = [*replicas, caddy]
        for program in programs:
            running.callback(program.stop)
            running.callback(program.signal, signal.SIGKILL)  # nothing is left to finish
        with ThreadPoolExecutor(len(programs)) as pool:
            for started in [pool.submit(program.start) for program in programs]:
                started.result()
        yield Deployment(caddy, replicas)


@contextmanager
def slow_senders(caddy: Caddy, count: int) -> Iterator[None]:
    """People who sent a form all but its end, in pieces that no buffer of a few kB holds back."""
    host = urlsplit(caddy.base_url).netloc
    head = (
        f"POST /language HTTP/1.1\r\nHost: {host}\r\nContent-Length: 60000\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
    )
    trust = ssl.create_default_context(cafile=str(caddy.authority))
    with ExitStack() as open_connections:
        for _ in range(count):
            plain = socket.create_connection(("127.0.0.1", caddy.port), 10)
            sender = open_connections.enter_context(
                trust.wrap_socket(plain, server_hostname="localhost")
            )
            sender.sendall(head.encode() + b"x" * 50_000)
        yield


class Load:
    """People who look at pages without a pause, and somebody who posts a form; until `with` ends.

    `failures` are the answers that were not the expected ones.
    """

    def __init__(self, deployment: Deployment, people: list[Person]) -> None:
        self.deployment, self.people = deployment, people
        self.count = 0
        self.failures: list[tuple[str, str, int]] = []
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(2 * len(people) + 2)
        self._running: list[Future[None]] = []

    def __enter__(self) -> Load:
        for person in self.people:
            for path in ("/profile", "/appointments"):
                self._start("GET", path, 200, dict(person.browser.session.cookies))
        for _ in range(2):
            self._start("POST", "/logout", 302, {})
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._pool.shutdown()
        for each in self._running:
            each.result()

    def _start(self, method: str, path: str, expected: int, cookies: dict[str, str]) -> None:
        self._running.append(self._pool.submit(self._repeat, method, path, expected, cookies))

    def _repeat(self, method: str, path: str, expected: int, cookies: dict[str, str]) -> None:
        browser = SecureBrowser(self.deployment.caddy)
        browser.session.cookies.update(cookies)
        headers = {"Origin": browser.base_url} if method == "POST" else {}
        while not self._over.is_set():
            answer = browser.request(method, path, headers=headers)
            self.count += 1
            if answer.status_code != expected:
                self.failures.append((method, path, answer.status_code))

    def goes_on_for(self, requests_answered: int) -> None:
        """Wait until so many more requests were answered."""
        enough = self.count + requests_answered
        wait_for(lambda: self.count >= enough)
