"""`python -m demo`: the provider, the sample APIs and the app, each a program, on loopback only."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import requests

ROOT = Path(__file__).resolve().parent.parent
SECRET_FILE = ROOT / "instance" / "demo-secret"
START_SECONDS = 60
STOP_SECONDS = 5


@dataclass(frozen=True)
class Program:
    """One child process, and an address that answers once it serves."""

    name: str
    command: list[str]
    environment: dict[str, str]
    port: int
    port_option: str
    ready_path: str


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="of the app")
    parser.add_argument("--provider-port", type=int, default=3001)
    parser.add_argument("--api-port", type=int, default=3002)
    parser.add_argument("--contacts-port", type=int, default=3003)
    parser.add_argument(
        "--access-token-seconds",
        type=int,
        default=30,
        help="short, so that a refresh can be watched; default: %(default)s",
    )
    parser.add_argument("--no-rotation", action="store_true", help="refresh tokens stay the same")
    parser.add_argument(
        "--ask-organization", action="store_true", help="the provider asks for an organization"
    )
    parser.add_argument(
        "--separate-contacts-api",
        action="store_true",
        help="the contacts live at the second API, with an access token of their own",
    )
    return parser.parse_args()


def programs(options: argparse.Namespace) -> list[Program]:
    """What to start, in this order."""
    client_secret = secrets.token_urlsafe(32)
    issuer = f"http://localhost:{options.provider_port}/"
    app_base_url = f"http://localhost:{options.port}"
    separate = options.separate_contacts_api
    api = [
        *(sys.executable, "-m", "demo.api", "--issuer", issuer),
        *("--port", str(options.api_port), "--audience", "appointments:api"),
        *(("--serves", "appointments") if separate else ()),
    ]
    contacts_api = [
        *(sys.executable, "-m", "demo.api", "--issuer", issuer),
        *("--port", str(options.contacts_port), "--audience", "contacts:api"),
        *("--serves", "contacts"),
    ]
    provider = [
        *(sys.executable, "-m", "demo.provider", "--port", str(options.provider_port)),
        *("--app-base-url", app_base_url),
    ]
    # The command line's address wins over gunicorn.conf.py: the demo listens on loopback only.
    app = [
        *(sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"),
        *("--bind", f"127.0.0.1:{options.port}", "--log-level", "warning", "app:create_app()"),
    ]
    at_provider = {
        "DEMO_CLIENT_SECRET": client_secret,
        "DEMO_PROVIDER_CONFIG": json.dumps(provider_config(options)),
    }
    settings = app_settings(options, issuer, app_base_url, client_secret)
    ready = "/.well-known/openid-configuration"
    return [
        Program("provider", provider, at_provider, options.provider_port, "--provider-port", ready),
        Program("API", api, {}, options.api_port, "--api-port", "/demo/stats"),
        Program(
            "contacts API",
            contacts_api,
            {},
            options.contacts_port,
            "--contacts-port",
            "/demo/stats",
        ),
        Program("app", app, settings, options.port, "--port", "/healthz"),
    ]


def provider_config(options: argparse.Namespace) -> dict[str, object]:
    """What differs from the provider's own defaults."""
    config: dict[str, object] = {
        "access_token_seconds": options.access_token_seconds,
        "rotation": not options.no_rotation,
        "ask_organization": options.ask_organization,
        "api_urls": [
            f"http://localhost:{port}/demo" for port in (options.api_port, options.contacts_port)
        ],
    }
    if options.separate_contacts_api:
        config["audiences"] = {
            "appointments:api": ["appointments"],
            "contacts:api": ["contacts"],
        }
    return config


def app_settings(
    options: argparse.Namespace, issuer: str, app_base_url: str, client_secret: str
) -> dict[str, str]:
    """Every setting of the app. None is left out: a variable that is set, even to nothing, is what
    keeps a `.env` on disk from leaking into the demo.
    """
    separate = options.separate_contacts_api
    return {
        "AUTH0_DOMAIN": issuer,
        "AUTH0_CLIENT_ID": "demo-app",
        "AUTH0_CLIENT_SECRET": client_secret,
        "AUTH0_CLIENT_SIGNING_KEY": "",
        "AUTH0_AUDIENCE": "appointments:api",
        "AUTH0_SCOPE": "openid profile email offline_access appointments contacts",
        "AUTH0_ORGANIZATION": "",
        "AUTH0_AUTHORIZE_PARAMS": "",
        "API_BASE_URL": f"http://localhost:{options.api_port}",
        "CONTACTS_API_BASE_URL": f"http://localhost:{options.contacts_port}" if separate else "",
        "CONTACTS_AUDIENCE": "contacts:api" if separate else "",
        "APP_BASE_URL": app_base_url,
        "APP_SECRET_KEY": read_or_create_secret(),
        "SESSION_REDIS_URL": "",
        "SESSION_IDLE_SECONDS": "",
        "SESSION_ABSOLUTE_SECONDS": "",
        "TRUSTED_PROXY_HOPS": "",
        "SHOW_FLOW": "1",
        "LOG_FORMAT": "text",
        "METRICS_PORT": "",
        "SHOW_FLOW_IN_PUBLIC": "",
        "PORT": str(options.port),
    }


def read_or_create_secret() -> str:
    """This machine's secret: kept, so that a restart of the demo signs nobody out."""
    with contextlib.suppress(FileNotFoundError):
        secret = SECRET_FILE.read_text().strip()
        if len(secret) >= 32:
            return secret
        SECRET_FILE.unlink()
    SECRET_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    secret = secrets.token_urlsafe(48)
    descriptor = os.open(SECRET_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    return secret


def is_taken(port: int) -> bool:
    """Does something listen there, on IPv4 or IPv6? Browsers try both for `localhost`."""
    for address in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return True
    return False


def wait_until_ready(program: Program, process: subprocess.Popen[bytes]) -> None:
    """Returns when it answers. Exits when it died, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    url = f"http://127.0.0.1:{program.port}{program.ready_path}"
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"The {program.name} ended with exit code {process.returncode}.")
        with contextlib.suppress(requests.RequestException):
            requests.get(url, timeout=2, allow_redirects=False)
            return
        time.sleep(0.1)
    sys.exit(f"The {program.name} did not answer at {url} within {START_SECONDS} seconds.")


def watch(children: list[tuple[Program, subprocess.Popen[bytes]]]) -> None:
    """Returns never: exits when one child ends."""
    while True:
        for program, process in children:
            if process.poll() is not None:
                sys.exit(f"The {program.name} ended with exit code {process.returncode}.")
        time.sleep(0.2)


def stop(children: list[tuple[Program, subprocess.Popen[bytes]]]) -> None:
    """Ask all to end, the app first; insist after a few seconds. No signal cuts this short."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for _, process in reversed(children):
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for _, process in children:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            # Its workers too: each child leads a process group of its own.
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def interrupt(number: int, frame: FrameType | None) -> None:
    """SIGTERM ends the demo as Ctrl-C does."""
    raise KeyboardInterrupt


def print_banner(options: argparse.Namespace) -> None:
    """The one thing to read."""
    print(
        f"\n  The app is at  http://localhost:{options.port}\n\n"
        f"  The demo provider, where you can make it lie: http://localhost:{options.provider_port}\n"
        "  Stop with Ctrl-C.\n",
        flush=True,
    )


def main() -> None:
    """Start all, wait, stop all."""
    options = parse_arguments()
    # SIGINT too: a shell that starts the demo in the background has it ignored.
    signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, interrupt)
    to_start = programs(options)
    taken = [each for each in to_start if is_taken(each.port)]
    if taken:
        sys.exit("\n".join(
            f"Port {each.port}, for the {each.name}, is in use. Choose another: {each.port_option}"
            for each in taken
        ))  # fmt: skip
    children: list[tuple[Program, subprocess.Popen[bytes]]] = []
    try:
        for program in to_start:
            # A session of its own: Ctrl-C then reaches us alone, and we end the children in order.
            process = subprocess.Popen(  # our own programs
                program.command,
                cwd=ROOT,
                env={**os.environ, **program.environment},
                start_new_session=True,
            )
            children.append((program, process))
        for program, process in children:
            wait_until_ready(program, process)
        print_banner(options)
        watch(children)
    except KeyboardInterrupt:
        pass
    finally:
        stop(children)


if __name__ == "__main__":
    main()
