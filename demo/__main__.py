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
from collections.abc import Sequence

import requests

from demo.programs import ROOT, Program, programs
from demo.server import BLUNT_OPTION
from demo.shapes import SHAPES

START_SECONDS = 60
STOP_SECONDS = 5
END_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
Child = tuple[Program, "subprocess.Popen[bytes]"]


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line's arguments, or these."""
    parser = argparse.ArgumentParser(prog="python -m demo", description=__doc__)
    add, default = parser.add_argument, "default: %(default)s"
    add("--port", type=int, default=3000, help=f"of the app; {default}")
    add("--provider-port", type=int, default=3001, help=default)
    add("--api-port", type=int, default=3002, help=default)
    two = "of the second API, with --separate-contacts-api"
    add("--contacts-port", type=int, default=3003, help=f"{two}; {default}")
    short = "short, so that a refresh can be watched"
    add("--access-token-seconds", type=int, default=30, help=f"{short}; {default}")
    add("--no-rotation", action="store_true", help="refresh tokens stay the same")
    add("--ask-organization", action="store_true", help="the provider asks for an organization")
    own = "the contacts are at the second API, with an access token of their own"
    add("--separate-contacts-api", action="store_true", help=own)
    like = "the provider has the habits of this one, and the app the settings that it then needs"
    add("--like", choices=SHAPES, default="auth0", help=like)
    option = "an option of demo/provider/config.py, such as dpop_nonce=true; may be repeated"
    add("--provider-option", action="append", default=[], metavar="NAME=JSON", help=option)
    setting = "a setting of the app, such as AUTH0_DPOP=1; may be repeated"
    add("--setting", action="append", default=[], metavar="NAME=VALUE", help=setting)
    container = "as it says; for a container whose ports are published on loopback only"
    add(BLUNT_OPTION, dest="everywhere", action="store_true", help=container)
    return parser.parse_args(arguments)


def is_taken(port: int) -> bool:
    """Does something listen there, on IPv4 or IPv6? Browsers try both for `localhost`."""
    for address in ("127.0.0.1", "::1"):
        with contextlib.suppress(OSError), socket.create_connection((address, port), timeout=1):
            return True
    return False


def refuse_taken_ports(to_start: list[Program]) -> None:
    """Exits where a port is in use, and says how to choose another one."""
    if taken := [each for each in to_start if is_taken(each.port)]:
        lines = [f"Port {each.port}, for the {each.name}, is in use." for each in taken]
        others = " ".join(f"{each.port_option} {each.port + 1000}" for each in taken)
        sys.exit("\n".join([*lines, f"Choose others, such as: make demo ARGS='{others}'"]))


def start(program: Program) -> Child:
    """Start a program in a session of its own: Ctrl-C reaches us alone, and we stop it in order."""
    environment = {**os.environ, **program.environment}
    return program, subprocess.Popen(
        program.command, cwd=ROOT, env=environment, start_new_session=True
    )


def check_running(program: Program, process: subprocess.Popen[bytes]) -> None:
    """Exits when the program has ended."""
    if process.poll() is not None:
        sys.exit(f"The {program.name} ended with exit code {process.returncode}.")


def wait_until_ready(
    program: Program, process: subprocess.Popen[bytes], signals: Sequence[int]
) -> None:
    """Returns when it responds, or a signal came. Exits when it ended, or takes too long."""
    deadline = time.monotonic() + START_SECONDS
    url = f"http://127.0.0.1:{program.port}{program.ready_path}"
    while not signals:
        if time.monotonic() > deadline:
            sys.exit(f"The {program.name} did not answer at {url} within {START_SECONDS} seconds.")
        check_running(program, process)
        with contextlib.suppress(requests.RequestException):
            requests.get(url, timeout=2, allow_redirects=False)
            return
        time.sleep(0.1)


def stop(children: list[Child]) -> None:
    """Ask all to end, the app first; kill them after a few seconds."""
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


def print_addresses(options: argparse.Namespace) -> None:
    """Where to go now, and what the app needs at a provider of this shape."""
    needed = SHAPES[options.like].settings.items()
    print(
        f"\n  The app is at  http://localhost:{options.port}\n\n"
        f"  The demo provider, where you can make it lie: http://localhost:{options.provider_port}\n"
        + "".join(f"  Set for the app at such a provider: {k}={v}\n" for k, v in needed)
        + "  Stop with Ctrl-C.\n",
        flush=True,
    )


def main() -> None:
    """Start all, wait, stop all."""
    options = parse_arguments()
    # Noted and not raised: in the middle of a poll an exception would leave its lock taken.
    signals: list[int] = []
    # SIGINT too: a shell that starts the demo in the background lets it ignore SIGINT. What `nohup`
    # starts is to go on when the terminal closes.
    for number in END_SIGNALS:
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda number, _: signals.append(number))
    to_start = programs(options)
    refuse_taken_ports(to_start)
    children: list[Child] = []
    try:
        for program in to_start:
            children.append(start(program))
        for child in children:
            wait_until_ready(*child, signals)
        if not signals:
            print_addresses(options)
        while not signals:
            for child in children:
                check_running(*child)
            time.sleep(0.2)
    finally:
        stop(children)


if __name__ == "__main__":
    main()
