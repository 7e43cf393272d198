"""What the documents name exists."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import config
from config import Settings, variables
from tests.support.harness import EVERY_SETTING, EXTRAS_SETTINGS, ROOT

READMES = sorted(ROOT.glob("README*.md"))
DOCUMENTS = [*READMES, *sorted((ROOT / "docs").glob("*.md"))]
by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


@by_name
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    text = document.read_text()
    links = re.findall(r"\]\(([^):#]+)\)", text)
    links += re.findall(r'(?:src|srcset)="([^":]+)"', text)

    missing = [link for link in links if not (document.parent / link).exists()]

    assert missing == []


@pytest.mark.parametrize("document", ["how-it-works.md", "architecture.md"])
def test_every_function_is_in_the_file_that_is_named_with_it(document: str) -> None:
    text = (ROOT / "docs" / document).read_text()
    named = re.findall(r"`(\w+)`\s+in\s+\[[^]]+\]\(\.\./([\w/.]+)\)", text)

    missing = [
        (function, file)
        for function, file in named
        if not re.search(rf"\b(def|class) {function}\b", (ROOT / file).read_text())
    ]

    assert len(named) > 10
    assert missing == []


@by_name
def test_every_check_of_a_setting_that_is_named_exists(document: Path) -> None:
    named = re.findall(r'variable\("\w+", (\w+)', document.read_text())

    assert [name for name in named if not hasattr(config, name)] == []


def test_the_picture_of_the_packages_shows_what_they_import() -> None:
    drawn = runpy.run_path(str(ROOT / ".ci/rooms.py"))

    assert (ROOT / "docs/rooms.svg").read_text() == drawn["picture"]()
    for number, room in enumerate(drawn["ROOMS"]):
        assert set(drawn["imports"](room)) <= set(list(drawn["ROOMS"])[number + 1 :])


@by_name
def test_every_make_target_exists(document: Path) -> None:
    targets = re.findall(r"^\.PHONY: (\w[\w-]*)$", (ROOT / "Makefile").read_text(), re.M)

    named = set(re.findall(r"(?:^|`)make ([a-z][a-z-]*)", document.read_text(), re.M))

    assert named <= set(targets)


@by_name
def test_every_setting_exists(document: Path) -> None:
    named = re.findall(
        r"\b(?:AUTH0|APP|API|CONTACTS|SESSION|TRUSTED|SHOW|LOG|METRICS)_[A-Z_]*[A-Z]\b",
        document.read_text(),
    )

    assert {*named} - {*variables(Settings, *EXTRAS_SETTINGS)} == set()


def test_the_example_of_env_has_every_setting_with_its_default() -> None:
    text = (ROOT / ".env.example").read_text()
    described = re.findall(r"((?:^# .*\n)+)((?:^#?[A-Z0-9_]+=.*\n)+)", text, re.M)

    named = {name for _, lines in described for name in re.findall(r"^#?(\w+)=", lines, re.M)}

    assert {name for name in EVERY_SETTING if name not in named} == set()
    assert [lines for text, lines in described if "efault" not in text] == []


def of_no_language(readme: Path) -> dict[str, list[str]]:
    """What a README says in every language alike."""
    text = readme.read_text()
    links = re.findall(r"\]\(([^)#]+)\)", text)
    return {
        "code blocks": re.findall(r"^ *```.*?^ *```$", text, re.M | re.S),
        "sections": re.findall(r"^(#+) ", text, re.M),
        "links": sorted(link for link in links if not link.startswith("README")),
        # In a table of its own order of words, each as often.
        "code": sorted(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.S))),
        "rows": re.findall(r"^\| `[^|]+\|", text, re.M),
    }


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_a_readme_in_another_language_has_the_same_commands_and_links(readme: Path) -> None:
    other, english = of_no_language(readme), of_no_language(ROOT / "README.md")

    for what, found in english.items():
        assert other[what] == found, what


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_a_link_within_a_readme_leads_to_one_of_its_headings(readme: Path) -> None:
    text = readme.read_text()
    headings = {
        heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.M)
    }

    assert set(re.findall(r"\]\(#([^)]+)\)", text)) <= headings
