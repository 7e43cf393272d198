"""docs/troubleshooting.md has every error, with what its page says."""

from __future__ import annotations

import re

from flask import Flask

from auth.errors import PAGES
from tests.support.harness import ROOT

TEXT = (ROOT / "docs/troubleshooting.md").read_text()
ROWS = re.findall(r"^\| `(\w+)` \| (\d+) ([^|]+) \| ([^|]+) \| ([^|]+) \|$", TEXT, re.M)


def test_each_error_is_there_once_with_its_status_and_what_its_page_says(app: Flask) -> None:
    with app.test_request_context():
        said = {code: (page.status, str(page.title)) for code, page in PAGES.items()}

    assert {code: (int(status), title) for code, status, title, *_ in ROWS} == said
    assert len(ROWS) == len(said)
