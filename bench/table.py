"""The table of docs/bench.md: what was measured, beside its targets. The text there is by hand."""

from __future__ import annotations

from operator import truediv
from statistics import median
from typing import NamedTuple

HEAD = """\
| figure | typical | ours on Redis | ours on SQLite | target: at most |
| --- | --- | --- | --- | --- |
"""


class Figure(NamedTuple):
    """A row of the table, and the most that it should be on Redis and on SQLite: of the ratio to
    the typical app, if it is one."""

    text: str
    redis: float | None
    sqlite: float | None
    is_ratio: bool = False


# By name, in the order of measuring: who looks at `/login` is signed out.
FIGURES = {
    "sign-in": Figure("sign-in (`/login`, `/callback`, small page); bare pages", 0.8, 0.7, True),
    "small": Figure("small signed-in page; bare pages", 0.9, 0.7, True),
    "api": Figure("small page after a call to the API; bare pages", 0.7, 0.6, True),
    "away": Figure("API 20 ms away, 16 in flight¹; ms a page", 0.33, 0.33, True),
    "start": Figure("CPU of a start; starts of the bare app", 2, 2),
    "memory": Figure("memory of a worker; MiB", 63, 63),
    "called": Figure("requests to the API, a page with a call", 1, 1),
    "connections": Figure("new connections to the API, 1,000 such pages", 32, 32),
    "reads": Figure("reads of Redis, a small page", 1, None),
    "writes": Figure("writes to Redis, a small page", 0, None),
    "asked": Figure("requests to the provider, a sign-in", 1, 1),
    "bytes": Figure("memory of a session in Redis; bytes", 2500, None),
    "login": Figure("`/login`; bare pages", 0.75, 0.75, True),
    "left": Figure("records left by a visitor at `/login`", 0, None),
    "large": Figure("small page with 200,000 sessions, to the same with few", 1.2, 1.2),
}


def table(found: dict[str, dict[str, list[float]]]) -> str:
    """Return the table: medians, and in bold what misses its target."""
    text = HEAD
    for name, row in found.items():
        figure, cells = FIGURES[name], []
        for app, limit in (("typical", None), ("redis", figure.redis), ("sqlite", figure.sqlite)):
            checked = median(row[app])
            cell = f"{checked:,.0f}" if checked >= 20 or checked % 1 == 0 else f"{checked:.2f}"
            if figure.is_ratio and app != "typical":
                checked = median(map(truediv, row[app], row["typical"]))
                cell += f" ({checked:.2f} ×)"
            is_missed = limit is not None and round(checked, 2) > limit
            cells.append(f"**{cell}**" if is_missed else cell)
        limits = [f"{limit:,g}" for limit in dict.fromkeys(figure[1:3]) if limit is not None]
        target = ", ".join(limit + " ×" * figure.is_ratio for limit in limits)
        text += f"| {figure.text} | {' | '.join(cells)} | {target} |\n"
    return text


PLOTTED = ("sign-in", "small", "api", "login")
NAMES = {"typical": "typical", "redis": "ours on Redis", "sqlite": "ours on SQLite"}
STYLE = (
    "text{font:14px system-ui,sans-serif;fill:#1b1f24}.typical{fill:#b7bec7}.redis{fill:#0f5b50}"
    ".sqlite{fill:#6fb3a4}@media(prefers-color-scheme:dark){text{fill:#e8ebef}"
    ".typical{fill:#6b7480}.redis{fill:#86d3c0}.sqlite{fill:#3f8f80}}"
)


def plot(found: dict[str, dict[str, list[float]]]) -> str:
    """Return the CPU times as bars, in bare pages, as SVG."""
    shown = {name: {app: median(each) for app, each in found[name].items()} for name in PLOTTED}
    widest, parts, y = max(max(row.values()) for row in shown.values()), [], 0
    for name, row in shown.items():
        text = FIGURES[name].text.replace("`", "").rpartition("; ")[0]
        parts.append(f'<text x="0" y="{y + 20}">{text}</text>')
        for app, value in row.items():
            y += 22
            width = round(value / widest * 480)
            parts += [
                f'<rect class="{app}" x="0" y="{y + 6}" width="{width}" height="16"/>',
                f'<text x="{width + 8}" y="{y + 19}">{value:.2f} {NAMES[app]}</text>',
            ]
        y += 36
    label = "CPU time in bare pages: the typical app, ours on Redis, ours on SQLite"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 660 {y}" role="img"'
        f' aria-label="{label}"><style>{STYLE}</style>\n' + "\n".join(parts) + "\n</svg>\n"
    )
