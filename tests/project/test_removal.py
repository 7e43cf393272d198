"""What docs/make-it-yours.md says: nothing else needs an extra or a sample page."""

from __future__ import annotations

import ast
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from app import EXTRAS
from tests.project.conftest import run_tests
from tests.support.harness import ROOT

RULES = (ROOT / "docs/make-it-yours.md").read_text()


@dataclass(frozen=True)
class Part:
    """What leaves with it, as its row in the document says."""

    files: tuple[str, ...]
    lines: tuple[tuple[str, str], ...] = ()  # in a file, those with this text
    names: tuple[tuple[str, str], ...] = ()  # of a module: functions and constants
    # Must not be found anywhere afterwards.
    mention: str = ""


PARTS = {
    "operations": Part(
        ("extras/operations", "tests/extras/operations"),
        (
            (".env.example", "LOG_FORMAT METRICS_PORT"),
            ("demo/programs.py", "LOG_FORMAT"),
            ("requirements.in", "prometheus-client"),
        ),
        mention=r"extras.operations|LOG_FORMAT|METRICS_PORT|prometheus",
    ),
    "doctor": Part(
        ("extras/doctor", "tests/extras/doctor", "tests/support/doctor.py"),
        (("Makefile", "doctor"),),
        mention=r"doctor",
    ),
    "flow": Part(
        (
            *("extras/flow", "tests/extras/flow", "tests/support/flow.py"),
            "tests/browser/test_flow_browser.py",
        ),
        ((".env.example", "SHOW_FLOW"), ("demo/programs.py", "SHOW_FLOW")),
        mention=r"extras.flow|SHOW_FLOW",
    ),
    "examples": Part(
        ("extras/examples", "tests/extras/examples"), mention=r"extras.examples|/examples"
    ),
    "appointments": Part(
        ("templates/appointments.html", "tests/pages/test_appointments.py"),
        (("pages/__init__.py", '"/appointments"'), ("templates/home.html", "/appointments")),
        (
            ("pages/views.py", "appointments APPOINTMENT_FIELDS"),
            ("pages/__init__.py", "_has_api"),
        ),
        mention=r"/appointments|appointments\.html|_has_api",
    ),
    "contacts": Part(
        ("templates/contacts.html", "tests/pages/test_contacts.py"),
        (("pages/__init__.py", '"/contacts"'), ("templates/home.html", "/contacts")),
        (
            (
                "pages/views.py",
                "contacts add_contact CONTACT_FIELDS _contacts_api _contacts_page _errors_of",
            ),
            ("pages/__init__.py", "_has_contacts"),
        ),
        mention=r"/contacts|contacts\.html|_contacts",
    ),
}
# Documents and tests speak of all of it; only the demo's API serves the sample pages.
SEARCHED = {
    **dict.fromkeys(
        EXTRAS,
        "app.py config.py gunicorn.conf.py Makefile .env.example requirements.in "
        "auth sessions pages templates static demo extras",
    ),
    **dict.fromkeys(("appointments", "contacts"), "app.py pages templates static"),
}


def remove(folder: Path, name: str, part: Part) -> None:
    for file in part.files:
        path = folder / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    for file, texts in part.lines:
        for text in texts.split():
            remove_lines(folder / file, text)
    for file, names in part.names:
        remove_names(folder / file, {*names.split()})
    app = folder / "app.py"
    app.write_text(re.sub(rf'"{name}", |, "{name}"(?=\))', "", app.read_text()))


def remove_lines(path: Path, text: str) -> None:
    """Remove the paragraphs with this text from a file of settings or recipes, a condition of a
    template with what is in it, elsewhere the lines."""
    content = path.read_text()
    if path.name in ("Makefile", ".env.example"):
        kept = [each for each in content.split("\n\n") if text not in each]
        content = "\n\n".join(kept)
    elif path.suffix == ".html":
        content = re.sub(rf' *{{% if "{text}".*?{{% endif %}}\n', "", content, flags=re.S)
    else:
        lines = content.splitlines(keepends=True)
        content = "".join(line for line in lines if text not in line)
    path.write_text(content)


def remove_names(path: Path, names: set[str]) -> None:
    """Remove functions and constants from a module, and the imports that nothing needs then."""
    lines = path.read_text().splitlines(keepends=True)
    for node in reversed(ast.parse("".join(lines)).body):
        named = [each.id for each in getattr(node, "targets", []) if isinstance(each, ast.Name)]
        if {getattr(node, "name", None), *named} & names:
            decorators = getattr(node, "decorator_list", [])
            first = min([node.lineno, *(each.lineno for each in decorators)])
            del lines[first - 1 : node.end_lineno]
    path.write_text("".join(lines))


@pytest.mark.parametrize("name", PARTS)
def test_the_document_names_all_that_leaves(name: str) -> None:
    part = PARTS[name]
    [row] = re.findall(rf"^\|.*`{name}`.*\|.*$", RULES, re.M)

    named = [file for file in part.files if not file.endswith(f"extras/{name}")]
    named += [file for file, _ in part.lines + part.names]
    named += [each for _, names in part.names for each in names.split()]

    assert [each for each in named if f"`{each}`" not in row] == []


@pytest.mark.parametrize("name", PARTS)
def test_without_it_nothing_mentions_it_and_the_app_works(copy: Path, name: str) -> None:
    remove(copy, name, PARTS[name])

    assert mentions(copy, SEARCHED[name].split(), PARTS[name].mention) == []
    for file in PARTS[name].files:
        if file.startswith("tests/support/"):
            assert mentions(copy, ["tests"], rf"tests\.support\.{Path(file).stem}\b") == []

    # The tests that remain can be collected, and those of a page work.
    where = ("tests/pages", "tests/extras", "tests/browser")
    run_tests(copy, *where, "-k", "test_own_pages", "--assert=plain")  # which is quicker


def mentions(folder: Path, places: list[str], text: str) -> list[str]:
    """The files that mention it."""
    there = [folder / place for place in places]
    files = [file for path in there for file in (path.rglob("*") if path.is_dir() else [path])]
    wanted = re.compile(text)
    return [
        str(file.relative_to(folder))
        for file in files
        if file.is_file() and file.suffix not in (".pyc", ".po") and wanted.search(file.read_text())
    ]
