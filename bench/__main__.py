"""`python -m bench`: measure, print the table, and write docs/bench.md and docs/bench.svg."""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

from tests.support.harness import (
    ROOT,
    Api,
    AtProvider,
    Program,
    Provider,
    Redis,
    free_port,
    settings_at,
)

from .counting import make_app, store_calls
from .load import Visitor, each
from .plot import svg
from .servers import Server, cpu_seconds, memory_mib, start_cpu_seconds

VISITORS = 4
# Operation: how often in a round, and the targets on SQLite and on Redis.
OPERATIONS = {
    "sign-in": (60, 7.5, 7.5),
    "signed-in page": (300, 1.3, 1.5),
    "API page": (200, 2.3, 2.7),
    "anonymous home": (300, 1.2, 1.2),
    "/login": (300, 1.5, 1.5),
}
Table = list[tuple[str, str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", choices=["cpu", "threads"], help="print these figures alone")
    parser.add_argument("--full", action="store_true", help="growth and 200,000 sessions too")
    options = parser.parse_args()
    os.environ["NO_PROXY"] = "localhost,127.0.0.1"
    with (
        tempfile.TemporaryDirectory() as name,
        Provider(access_token_seconds=36000, skip_consent=True) as provider,
        Api(provider.issuer, "appointments:api", "appointments,contacts") as api,
        Redis(Path(name)) as redis,
    ):
        settings = settings_at(provider, api, BENCH_FOLDER=name)
        stores = {"SQLite": settings, "Redis": {**settings, "SESSION_REDIS_URL": redis.url}}
        if options.only == "threads":
            return print(thread_rows(settings))
        cpu = cpu_table(stores, options.rounds)
        if options.only == "cpu":
            return print(*(f"{value:6.2f}  {key}" for key, value in cpu.items()), sep="\n")
        rows: Table = [
            (f"{operation}, {store}", f"{cpu[operation, store]:.2f}", f"{target}")
            for operation, (_, *targets) in OPERATIONS.items()
            for store, target in zip(stores, targets, strict=True)
        ]
        rows += store_rows(stores, Path(name))
        rows += outbound_rows(settings, provider, api)
        rows += start_rows(settings)
        rows += thread_rows(settings)
        rows += balance_rows(settings)
        if options.full:
            rows += growth_rows(settings)
            rows += many_sessions_rows(stores, Path(name))
    text = "| figure | measured | target |\n| --- | --- | --- |\n"
    text += "".join(f"| {figure} | {value} | {target} |\n" for figure, value, target in rows)
    compiled = cpu["compiled", ""]
    in_compiled = ", ".join(
        f"{operation} {cpu[operation, 'SQLite'] / compiled:.2f} and "
        f"{cpu[operation, 'Redis'] / compiled:.2f}"
        for operation in OPERATIONS
    )
    floor = (
        f"One floor page took {cpu['floor', '']:.2f} ms of CPU. With its template in a string, as "
        "many small apps have it, Flask compiles it for each page, and that page costs "
        f"{compiled:.2f} floor pages. In such pages, on SQLite and on Redis: {in_compiled}.\n"
    )
    print(f"\n{text}\n{floor}")
    (ROOT / "docs" / "bench.md").write_text(f"# Figures of `make bench`\n\n{text}\n{floor}")
    bars = [
        (f"{operation}, {store}", cpu[operation, store], target)
        for operation, (_, *targets) in OPERATIONS.items()
        for store, target in zip(stores, targets, strict=True)
    ]
    (ROOT / "docs" / "bench.svg").write_text(svg(bars))


def _app(settings: dict[str, str], **options: bool | int) -> Server:
    return Server("bench.measured", settings, ready="/healthz", **options)  # type: ignore[arg-type]  # each option by its name


def _people(server: Server, count: int = VISITORS) -> list[Visitor]:
    people = [Visitor(server.port, AtProvider()) for _ in range(count)]
    each(people, 2, Visitor.sign_in)
    return people


def page(path: str) -> Callable[[Visitor], object]:
    return lambda visitor: visitor.get(path)


def log_in(visitor: Visitor) -> None:
    """A visitor without cookies follows "Sign In"."""
    visitor.cookies.clear()
    visitor.get("/login", 302)


def cpu_table(stores: dict[str, dict[str, str]], rounds: int) -> dict[tuple[str, str], float]:
    """CPU of each operation in floor pages of the same round; medians."""
    found = defaultdict(list)
    servers = {name: _app(settings) for name, settings in stores.items()}
    floor = Server("bench.floor", {})
    with floor, servers["SQLite"], servers["Redis"]:
        at_floor = [Visitor(floor.port) for _ in range(VISITORS)]
        people = {name: _people(server) for name, server in servers.items()}
        strangers = {
            name: [Visitor(server.port) for _ in range(VISITORS)]
            for name, server in servers.items()
        }
        each(at_floor, 50, page("/"))
        for _ in range(rounds):
            unit = _cpu(floor, at_floor, 400, page("/"))
            found["floor", ""].append(unit * 1000)
            found["compiled", ""].append(_cpu(floor, at_floor, 400, page("/compiled")) / unit)
            for name, server in servers.items():
                for operation, visitors, visit in (
                    ("sign-in", people, Visitor.sign_in),
                    ("signed-in page", people, page("/profile")),
                    ("API page", people, page("/appointments")),
                    ("anonymous home", strangers, page("/")),
                    ("/login", strangers, log_in),
                ):
                    cost = _cpu(server, visitors[name], OPERATIONS[operation][0], visit)
                    found[operation, name].append(cost / unit)
    return {key: statistics.median(values) for key, values in found.items()}


def _cpu(
    server: Server, visitors: list[Visitor], times: int, visit: Callable[[Visitor], object]
) -> float:
    """CPU seconds of one visit; `times` is how many there are of all visitors together."""
    each_times = max(1, times // len(visitors))
    before = server.cpu_seconds()
    each(visitors, each_times, visit)
    return (server.cpu_seconds() - before) / each_times / len(visitors)


def store_rows(stores: dict[str, dict[str, str]], folder: Path) -> Table:
    """Reads, writes and bytes."""
    rows: Table = []
    for name, settings in stores.items():
        found = store_calls(settings, folder)
        size = found.pop("bytes")
        for operation, calls in found.items():
            target = "1 read, 0 writes" if operation != "sign-in" else ""
            value = f"{calls['reads']} reads, {calls['writes']} writes"
            rows.append((f"store calls of a {operation}, {name}", value, target))
        limit = 2500 if name == "Redis" else 5000
        rows.append((f"bytes of a sealed session, {name}", f"{size['session']:,}", f"{limit:,}"))
    return [*rows, ("bytes of the session cookie", f"{size['cookie']}", "150")]


def outbound_rows(settings: dict[str, str], provider: Provider, api: Api) -> Table:
    """Requests and connections out: at a cold start, then for a thousand of each."""
    with _app(settings) as server:
        provider.reset()
        visitors = [Visitor(server.port, AtProvider()) for _ in range(8)]
        each(visitors, 1, Visitor.sign_in)
        cold = provider.stats()["by_endpoint"]
        provider.reset()
        api.reset()
        each(visitors, 125, Visitor.sign_in)
        warm = _from_app(provider)
        connections = len({entry["connection"] for entry in warm})
        each(visitors, 125, page("/appointments"))
        calls = api.stats()
    metadata, keys = cold.get("metadata", 0), cold.get("jwks", 0)
    return [
        ("metadata and key fetches, cold, 8 sign-ins", f"{metadata} and {keys}", "2 and 2"),
        ("requests out, 1,000 sign-ins", f"{len(warm):,}", "1,000"),
        ("their connections, 2 × 16 threads", f"{connections}", "32"),
        ("requests out, 1,000 API pages", f"{calls['requests']:,}", "1,000"),
        ("their connections, 2 × 16 threads", f"{calls['connections']}", "32"),
    ]


def _from_app(provider: Provider) -> list[dict[str, str]]:
    browsers = ("/authorize", "/interaction", "/u/", "/logout")
    return [
        entry
        for entry in provider.log()
        if (entry["method"] == "POST" and entry["grant_type"]) or entry["path"].startswith("/.well")
        if not entry["path"].startswith(browsers)
    ]


def start_rows(settings: dict[str, str]) -> Table:
    """CPU of a start, against the bare app's; memory of a worker that has worked."""
    starts = {
        app: statistics.median(start_cpu_seconds(app, settings) for _ in range(5))
        for app in ("bench.measured", "bench.floor")
    }
    ratio = starts["bench.measured"] / starts["bench.floor"]
    with _app(settings) as server:
        people = _people(server)
        each(people, 250, page("/profile"))
        resident, share = map(max, zip(*map(memory_mib, server.workers()), strict=True))
    value = f"{resident:.0f} MiB ({share:.0f} shared out)"
    return [
        ("start-up against a bare Flask app", f"{ratio:.2f} ×", "2 ×"),
        ("memory of a worker", value, "63 MiB"),
    ]


def thread_rows(settings: dict[str, str]) -> Table:
    """An API 20 ms away and 16 requests in flight, against a Flask app with 2 × 4 threads."""
    port = free_port()
    api = Program([sys.executable, "-m", "bench.slow_api"], port, {"PORT": str(port)}, ready="/")
    base_url = f"http://127.0.0.1:{port}"
    ours_settings = {**settings, "API_BASE_URL": base_url}
    usual_settings = {"BENCH_API": f"{base_url}/appointments", "THREADS": "4"}
    with api, _app(ours_settings) as server, Server("bench.floor", usual_settings) as usual:
        people = _people(server, 16)
        strangers = [Visitor(usual.port) for _ in range(16)]
        ours = 16 * 40 / each(people, 40, page("/appointments"))
        theirs = 16 * 40 / each(strangers, 40, page("/api"))
    value = f"{ours / theirs:.1f} × ({ours:.0f} pages a second)"
    return [("API 20 ms away, 16 in flight, against 2 × 4 threads", value, "3 ×")]


def balance_rows(settings: dict[str, str]) -> Table:
    """The busier of two workers' part of the work, over 16 keep-alive connections."""
    rows: Table = []
    for name in ("gunicorn", "granian"):
        try:
            with _app(settings, granian=name == "granian") as server:
                people = _people(server, 16)
                before = [cpu_seconds(pid) for pid in server.workers()]
                each(people, 60, page("/profile"))
                after = [cpu_seconds(pid) for pid in server.workers()]
        except RuntimeError:
            continue  # granian is for the comparison alone, and not everywhere
        work = [late - early for early, late in zip(before, after, strict=True)]
        part = max(work) / sum(work)
        rows.append((f"busier of two workers, {name}", f"{part:.0%}", "65%"))
    return rows


def growth_rows(settings: dict[str, str]) -> Table:
    """How much a worker's memory grows from request 5,000 to 50,000."""
    with _app(settings) as server:
        people = _people(server)
        each(people, 5_000 // VISITORS, page("/profile"))
        before = sum(memory_mib(pid)[0] for pid in server.workers())
        each(people, 45_000 // VISITORS, page("/profile"))
        grown = (sum(memory_mib(pid)[0] for pid in server.workers()) - before) / 2
    return [("growth of a worker, request 5,000 to 50,000", f"{grown:.1f} MiB", "2 MiB")]


def many_sessions_rows(stores: dict[str, dict[str, str]], folder: Path) -> Table:
    """CPU of a signed-in page with 200,000 sessions in the store, against 50."""
    rows: Table = []
    for name, settings in stores.items():
        store = make_app(settings, folder).session_interface.store
        with _app(settings) as server:
            people = _people(server)
            costs = []
            for _ in range(2):
                rounds = (_cpu(server, people, 400, page("/profile")) for _ in range(5))
                costs.append(statistics.median(rounds))
                if len(costs) == 1:
                    _fill(store, 200_000)
        ratio = costs[1] / costs[0]
        rows.append((f"200,000 sessions instead of 50, {name}", f"{ratio:.2f} ×", "1.2 ×"))
    return rows


def _fill(store: object, count: int) -> None:
    from sessions.store import Record

    now = time.time()
    for number in range(count):
        record = Record(os.urandom(8), os.urandom(1800), now, now + 86400)
        store.create(f"filled-{number:015}", record, [f"ref-{number}"])  # type: ignore[attr-defined]  # either store


if __name__ == "__main__":
    main()
