"""Servers as processes, and what they cost: CPU time and memory, as Linux counts them."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from tests.support.harness import ROOT, Program, free_port

GUNICORN = [sys.executable, "-m", "gunicorn", "--log-level", "warning"]


class Server(Program):
    """A web server and its workers."""

    def __init__(
        self,
        app: str,
        settings: Mapping[str, str],
        *,
        workers: int = 2,
        granian: bool = False,
        options: tuple[str, ...] = (),
        ready: str = "/",
    ) -> None:
        port = free_port()
        env = {"PORT": str(port), "WEB_CONCURRENCY": str(workers), "PYTHONPATH": str(ROOT)}
        command = [*GUNICORN, *options, f"{app}:create_app()"]
        if granian:
            command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory"]
            command += ["--host", "127.0.0.1", "--port", str(port), "--workers", str(workers)]
            command += ["--blocking-threads", "16", "--log-level", "warning", "--no-ws"]
            command += [*options, f"{app}:create_app"]
        super().__init__(command, port, {**settings, **env}, ready=ready)
        self.output = subprocess.DEVNULL  # thousands of log lines: written, and read by nobody

    def pids(self) -> list[int]:
        """The server's processes, the main one first."""
        found, unseen = [], [self.process.pid] if self.process else []
        while unseen:
            pid = unseen.pop(0)
            found.append(pid)
            for thread in Path(f"/proc/{pid}/task").iterdir():
                children = thread / "children"
                unseen += [int(child) for child in children.read_text().split()]
        return found

    def workers(self) -> list[int]:
        """The processes that answer requests."""
        return self.pids()[1:]

    def cpu_seconds(self) -> float:
        """CPU time of all its processes, so far."""
        return sum(cpu_seconds(pid) for pid in self.pids())


def cpu_seconds(pid: int) -> float:
    """The CPU time of a process, all its threads together, in nanosecond steps."""
    # clock_getcpuclockid(3), which Python does not offer: the clock of another process.
    return time.clock_gettime((~pid << 3) | 2)


def memory_mib(pid: int) -> tuple[float, float]:
    """Resident memory of a process, and its share of it where pages are shared (PSS)."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    resident, share = (
        int(re.search(rf"^{name}:\s+(\d+) kB", text, re.MULTILINE)[1]) / 1024  # type: ignore[index]  # Linux writes both lines
        for name in ("Rss", "Pss")
    )
    return resident, share


def start_cpu_seconds(app: str, settings: Mapping[str, str]) -> float:
    """The CPU time that it takes to import an app and make it."""
    command = [sys.executable, "-c", f"from {app} import create_app; create_app()"]
    env = {**os.environ, **settings, "PYTHONPATH": str(ROOT)}
    pid = os.posix_spawn(sys.executable, command, env)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise RuntimeError(f"{app} does not start")
    return usage.ru_utime + usage.ru_stime
