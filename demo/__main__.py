"""`python -m demo`: the provider, the sample APIs and the app, each a program, on loopback only."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

import requests

from demo.programs import ROOT, Program, programs
from demo.server import BLUNT_OPTION

START_SECONDS = 60
STOP_SECONDS = 5


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    parser.add_argument("--port", type=int, default=3000, help="of the app")
    parser.add_argument("--provider-port", type=int, default=3001)
    parser.add_argument("--api-port", type=int, default=3002)
    parser.add_argument(
        "--contacts-port",
        type=int,
        default=3003,
        help="of the second API, with --separate-contacts-api; default: %(default)s",
    )
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
    parser.add_argument(
        BLUNT_OPTION,
        dest="everywhere",
        action="store_true",
        help="as it says; for a container whose ports are published on loopback only",
    )
    return parser.parse_args()


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
