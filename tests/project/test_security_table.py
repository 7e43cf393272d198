"""SECURITY.md maps rules to code and tests; what it names must be there."""

from __future__ import annotations

import re

import pytest

from tests.support.harness import ROOT

TABLE = (ROOT / "SECURITY.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)(?:: (\w+))?`", TABLE)))


def test_the_table_is_not_empty() -> None:
    assert len(NAMED) > 60


@pytest.mark.parametrize(("path", "name"), NAMED)
def test_what_the_table_names_is_there(path: str, name: str) -> None:
    file = next((ROOT / "tests").rglob(path)) if path.startswith("test_") else ROOT / path

    assert file.is_file()
    assert not name or re.search(rf"^\s*(?:def|class) {name}\b", file.read_text(), re.MULTILINE)
