"""`docs/rooms.svg`: the packages of the app, and which imports which, as the code has it now.

python .ci/rooms.py
"""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "rooms.svg"
# From the top down: none imports from above.
ROOMS = {
    "app": "create_app(): what there is, and in which order a request meets it",
    "pages": "views, languages, headers, health",
    "auth": "sign in, call the API, refresh, sign out",
    "sessions": "flask.session on the server, encrypted",
    "config": "every setting, read and checked once",
}
# What is outside, beside the room that speaks to it.
OUTSIDE = {
    "app": "browser",
    "auth": "OpenID provider, API",
    "sessions": "SQLite or Redis",
}
STYLE = """
    text { font: 15px system-ui, sans-serif; fill: #1b1f24 }
    .name { font-weight: 600 } .small { font-size: 13px }
    rect { fill: #f3f5f8; stroke: #5b6673 } .outside { fill: none; stroke-dasharray: 4 4 }
    path { stroke: #5b6673; fill: none }
    @media (prefers-color-scheme: dark) {
      text { fill: #e8ebef } rect { fill: #20262d; stroke: #9aa5b1 } path { stroke: #9aa5b1 }
      .outside { fill: none }
    }
"""


def imports(room: str) -> list[str]:
    """Return the rooms that a room imports, from the top down."""
    files = [ROOT / f"{room}.py"] if (ROOT / f"{room}.py").exists() else (ROOT / room).rglob("*.py")
    found: set[str] = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return [each for each in ROOMS if each in found and each != room]


def box(x: int, y: int, width: int, name: str, *lines: str, kind: str = "room") -> str:
    """Return a box with its name and lines of text."""
    rect = f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="76" rx="6"/>'
    texts = [f'<text class="name" x="{x + 14}" y="{y + 25}">{name}</text>']
    for row, line in enumerate(lines):
        texts.append(f'<text class="small" x="{x + 14}" y="{y + 46 + 19 * row}">{line}</text>')
    return "\n  ".join([rect, *texts])


def picture() -> str:
    """Return the SVG."""
    parts = []
    for row, (room, what) in enumerate(ROOMS.items()):
        y, below = 12 + 100 * row, ", ".join(imports(room)) or "none of these"
        parts.append(box(12, y, 500, room, what, f"imports {below}"))
        if row:
            parts.append(f'<path d="M262 {y - 24} v20 m-5 -6 l5 6 l5 -6"/>')
        if outside := OUTSIDE.get(room):
            parts.append(f'<path stroke-dasharray="4 4" d="M512 {y + 38} h36"/>')
            parts.append(box(548, y, 200, outside, kind="outside"))
    y = 12 + 100 * len(ROOMS)
    what = "a folder each, which leaves with its name in app"
    parts.append(box(12, y, 736, "extras", what, "import any of these; none of these imports them"))
    body = "\n  ".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 {y + 88}" role="img"'
        ' aria-label="The packages of the app, and which imports which">\n'
        f"  <style>{STYLE}  </style>\n  {body}\n</svg>\n"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture())
