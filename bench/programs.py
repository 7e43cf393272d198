"""Programs that are started for the benchmark, and what they cost."""

from __future__ import annotations

import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from demo.__main__ import is_taken
from demo.programs import ROOT

from .visitor import PEOPLE, Visitor

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def running(port: int, command: list[str], env: Mapping[str, str]) -> Iterator[int]:
    """Start a program, wait until it listens, yield its process id; end it in the end."""
    # Elsewhere than in ROOT, where gunicorn would find our gunicorn.conf.py.
    env = {**ENVIRONMENT, **env}
    process = subprocess.Popen(command, env=env, cwd="/", stdout=subprocess.DEVNULL)  # noqa: S603  # commands of this folder
    try:
        while process.poll() is None and not is_taken(port):
            time.sleep(0.05)
        yield process.pid
    finally:
        process.terminate()
        process.wait()


class App:
    """An app under gunicorn with two workers, and the people who visit it."""

    def __init__(
        self, stack: ExitStack, module: str, env: Mapping[str, str], threads: int, people: int
    ) -> None:
        port, self._module = free_port(), module
        self.url = f"http://localhost:{port}"
        self._env = {**ENVIRONMENT, **env}
        options = f"--bind 127.0.0.1:{port} --workers 2 --threads {threads} --preload"
        options += " --keep-alive 75 --worker-tmp-dir /dev/shm --log-level warning"
        options += f" --no-control-socket {module}:app"
        command = [sys.executable, "-m", "gunicorn", *options.split()]
        self._pid = stack.enter_context(running(port, command, self._env))
        self.people = [Visitor(port, PEOPLE[each % len(PEOPLE)]) for each in range(people)]

    def _workers(self) -> list[str]:
        return Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()

    def cpu_seconds(self) -> float:
        """Return the CPU time of the workers so far, all threads together."""
        # clock_getcpuclockid(3), which Python does not offer: the clock of another process. It
        # counts nanoseconds, /proc/PID/stat only hundredths of a second.
        return sum(time.clock_gettime((~int(pid) << 3) | 2) for pid in self._workers())

    def memory_mib(self) -> float:
        """Return the resident memory of the larger worker."""
        texts = [Path(f"/proc/{pid}/status").read_text() for pid in self._workers()]
        return max(int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) for text in texts) / 1024

    def start_cpu_seconds(self) -> float:
        """Return the CPU time that it takes to import and make the app, in another process."""
        before = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
        command = [sys.executable, "-c", f"import {self._module}"]
        subprocess.run(command, env=self._env, check=True, stdout=subprocess.DEVNULL)  # noqa: S603  # as above
        return sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2]) - before
