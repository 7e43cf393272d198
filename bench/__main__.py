"""`python -m bench`: measure, print the table, and write it into docs/bench.md."""

from __future__ import annotations

import argparse
import os
import re
import sqlite3
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from statistics import median
from typing import Any

import redis
import requests

from demo.__main__ import parse_arguments
from demo.programs import EXTRA_SETTINGS, ROOT, programs
from sessions import Store
from sessions.redis_store import RedisStore
from sessions.sqlite_store import SQLiteStore
from sessions.store import Record

from .programs import App, free_port, running
from .table import FIGURES, plot, table
from .visitor import Visitor

# What is visited, and how often in a round.
VISITS: dict[str, tuple[Callable[[Visitor], object], int]] = {
    "sign-in": (Visitor.sign_in, 80),
    "small": (lambda visitor: visitor.get("/small"), 400),
    "api": (lambda visitor: visitor.get("/api"), 200),
    "login": (Visitor.login, 300),
}


class Bench:
    """All programs, started; and how each figure is measured."""

    def __init__(self, stack: ExitStack, share: float) -> None:
        folder, self._share = stack.enter_context(tempfile.TemporaryDirectory()), share
        redis_port, provider_port, api_port = free_port(), free_port(), free_port()
        self._redis_url, self._file = f"redis://127.0.0.1:{redis_port}", f"{folder}/sqlite3"
        self._issuer, self._api = (f"http://localhost:{p}" for p in (provider_port, api_port))
        arguments = (
            f"--provider-port {provider_port} --api-port {api_port} --access-token-seconds 36000 "
            "--provider-option skip_consent=true"
        )
        provider, api, app = programs(parse_arguments(arguments.split()))
        for program in (provider, api):
            stack.enter_context(running(program.port, program.command, program.environment))
        command = ["redis-server", "--port", str(redis_port), "--dir", folder, "--save", ""]
        stack.enter_context(running(redis_port, command, {}))
        # Of the extras, only the log is on, as in production.
        settings = app.environment | dict.fromkeys(EXTRA_SETTINGS, "") | {"LOG_FORMAT": "json"}
        self.bare = App(stack, "bench.bare", {}, 16, 4)
        self.visit("small", self.bare)
        self.near, self._away = dict[str, App](), dict[str, App]()
        for name, module, store in (
            ("typical", "typical", {"SESSION_REDIS_URL": f"{self._redis_url}/1"}),
            ("redis", "ours", {"SESSION_REDIS_URL": f"{self._redis_url}/0"}),
            ("sqlite", "ours", {"BENCH_SQLITE": self._file}),
        ):
            env, far = settings | store, {"API_BASE_URL": self.bare.url}
            self.near[name] = App(stack, f"bench.{module}", env, 16, 4)
            threads = 4 if name == "typical" else 16
            self._away[name] = App(stack, f"bench.{module}", env | far, threads, 16)
            self.visit("sign-in", self.near[name])

    def visit(self, visit: str, app: App, meter: Callable[[], float] | None = None) -> float:
        """Let all people of an app do the same so many times, side by side.

        Return by how much a meter, or else the CPU time, goes up for each visit.
        """
        (what, times), people, meter = VISITS[visit], app.people, meter or app.cpu_seconds
        each = max(2, round(times * self._share) // len(people))
        before = meter()
        with ThreadPoolExecutor(len(people)) as pool:
            list(pool.map(lambda visitor: [what(visitor) for _ in range(each)], people))
        return (meter() - before) / (each * len(people))

    def measure(self, figure: str, name: str, unit: float) -> float:
        """Measure a figure at an app once; `unit` is the CPU time of a bare page."""
        app, away = self.near[name], self._away[name]
        client: Any = redis.Redis.from_url(f"{self._redis_url}/{int(name == 'typical')}")
        meters: dict[str, tuple[str, Callable[[], float]]] = {
            "called": ("api", lambda: stats(self._api)["requests"]),
            "connections": ("api", lambda: 1000 * stats(self._api)["connections"]),
            "reads": ("small", lambda: commands(client, "readonly")),
            "writes": ("small", lambda: commands(client, "write")),
            "asked": ("sign-in", lambda: asked(self._issuer)),
            "bytes": ("sign-in", lambda: used(client)),
            "left": ("login", client.dbsize),
        }
        if figure in ("sign-in", "asked", "bytes"):
            self._forget_sessions(client, name)
        if figure == "away":
            self.visit("sign-in", away)
            return self.visit("api", away, lambda: 1000 * time.perf_counter())
        if figure == "start":
            return app.start_cpu_seconds() / self.bare.start_cpu_seconds()
        if figure == "memory":
            return app.memory_mib()
        if figure in meters:
            visit, meter = meters[figure]
            return self.visit(visit, app, meter)
        return self.visit(figure, app) / unit

    def _forget_sessions(self, client: Any, name: str) -> None:
        # Nobody signs in dozens of times and never signs out; ours would end the oldest sessions.
        if name != "sqlite":
            client.flushdb()
        else:
            with sqlite3.connect(self._file) as connection:
                connection.executescript("DELETE FROM sessions; DELETE FROM refs")

    def fill(self, sessions: int) -> None:
        """Put so many sessions into all stores."""
        stores: list[Store] = [RedisStore(f"{self._redis_url}/{n}", 86400) for n in (0, 1)]
        for store in (*stores, SQLiteStore(Path(self._file))):
            for number in range(sessions):
                record = Record(os.urandom(8), os.urandom(1600), time.time(), time.time() + 86400)
                store.create(f"filled-{number}", record, [f"ref-{number}"])


def stats(url: str) -> dict[str, Any]:
    """Return the counts of the demo's provider or API."""
    found: dict[str, Any] = requests.get(f"{url}/demo/stats", timeout=10).json()
    return found


def asked(issuer: str) -> float:
    """Return how many requests apps have sent to the provider, and not browsers."""
    counts: dict[str, int] = stats(issuer)["by_endpoint"]
    return sum(counts.values()) - counts.get("authorize", 0)


def commands(client: Any, flag: str) -> float:
    """Return how many commands of a kind Redis has run."""
    kinds = {f"cmdstat_{name}": about["flags"] for name, about in client.command().items()}
    found = client.info("commandstats").items()
    return float(sum(about["calls"] for name, about in found if flag in kinds.get(name, ())))


def used(client: Any) -> float:
    """Return the bytes of what stays; what lives for less than a minute belongs to a sign-in."""
    stay = (key for key in client.scan_iter() if client.ttl(key) > 60)
    return float(sum(map(client.memory_usage, stay)))


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="see that it runs; writes nothing")
    parser.add_argument("--large", action="store_true", help="with 200,000 sessions, too")
    options = parser.parse_args()
    rounds, share = (1, 0.1) if options.quick else (5, 1)
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    with ExitStack() as stack:
        bench, units = Bench(stack, share), []
        for _ in range(rounds):
            units.append(bench.visit("small", bench.bare))
            for figure, name in product(list(FIGURES)[:-1], bench.near):
                found[figure][name].append(bench.measure(figure, name, units[-1]))
        if options.large:
            bench.fill(round(200_000 * share))
            for _, name in product(range(rounds), bench.near):
                bench.visit("sign-in", bench.near[name])
                cost = bench.measure("small", name, bench.visit("small", bench.bare))
                found["large"][name].append(cost / median(found["small"][name]))
    text = table(found)
    print(f"{text}\na bare page: {median(units) * 1000:.2f} ms of CPU")
    if not options.quick:
        document = ROOT / "docs" / "bench.md"
        # Its one table is replaced, and the sentence about the unit.
        written = re.sub(r"(\|.*\n)+", lambda _: text, document.read_text())
        written = re.sub(r"took [0-9.]+ ms", f"took {median(units) * 1000:.2f} ms", written)
        document.write_text(written)
        document.with_suffix(".svg").write_text(plot(found))


if __name__ == "__main__":
    main()
