"""Every text that people read is in every language, and the files of translations are current."""

from __future__ import annotations

import gettext
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from jinja2.ext import InternationalizationExtension

from pages.languages import LANGUAGES
from tests.support.harness import ROOT

SOURCE, *OTHERS = LANGUAGES
APP = ("app.py", "auth", "pages", "templates")
# The folder of a catalogue, and what it has the texts of, as `make translations` has it.
PACKAGES: dict[str, tuple[str, ...]] = {
    str(folder.parent.relative_to(ROOT)): APP if folder.parent == ROOT else (str(folder.parent),)
    for folder in sorted(ROOT.glob("**/translations"))
    if ".venv" not in folder.parts
}
CATALOGUES = [(package, tag) for package in PACKAGES for tag in OTHERS]
TEMPLATES = sorted(
    path
    for path in ROOT.rglob("templates/**/*.html")
    if path.relative_to(ROOT).parts[0] in ("templates", "extras", "demo")
)
each_catalogue = pytest.mark.parametrize(("package", "tag"), CATALOGUES)


def path_of(package: str, tag: str) -> Path:
    return ROOT / package / "translations" / tag / "LC_MESSAGES" / "messages.po"


def messages(package: str, tag: str) -> Iterator[Message]:
    with path_of(package, tag).open("rb") as file:
        return iter([message for message in read_po(file) if message.id])


@cache
def texts_of(package: str) -> Catalog:
    """The texts that the sources of a package have."""
    with tempfile.NamedTemporaryFile(suffix=".pot") as file:
        options = ["-F", "pyproject.toml", "-k", "lazy_gettext", "-k", "N_", "-o", file.name]
        command = [sys.executable, "-m", "babel.messages.frontend", "-q", "extract", *options]
        subprocess.run([*command, *PACKAGES[package]], cwd=ROOT, check=True)
        return read_po(file)


def all_of(text: object) -> list[str]:
    """A text in all its plural forms."""
    return list(text) if isinstance(text, list | tuple) else [str(text)]


def test_there_is_something_to_check() -> None:
    assert {(".", "ja"), ("demo", "ja")} <= {*CATALOGUES}
    assert len(list(messages(".", "ja"))) > 150
    assert ROOT / "templates" / "home.html" in TEMPLATES


@each_catalogue
def test_every_text_has_a_translation_and_no_translation_is_left_over(
    package: str, tag: str
) -> None:
    wanted = {message.id for message in texts_of(package) if message.id}

    there = {message.id for message in messages(package, tag) if all(all_of(message.string))}

    assert wanted - there == set(), "make translations, then translate these"
    assert there - wanted == set(), "make translations"
    assert not [message.id for message in messages(package, tag) if message.fuzzy]


@each_catalogue
def test_a_translation_has_the_parameters_and_the_markup_of_its_text(
    package: str, tag: str
) -> None:
    # A <bdi> with a name that nobody chose must not be lost, nor a link.
    marks = re.compile(r"%\(\w+\)s|<[^>]*>|%(?!\()")

    differing = [
        message.id
        for message in messages(package, tag)
        for translated in all_of(message.string)
        if sorted(marks.findall(translated)) != sorted(marks.findall(all_of(message.id)[0]))
    ]

    assert differing == []


@each_catalogue
def test_what_is_compiled_is_what_is_written(package: str, tag: str) -> None:
    written = {message.id: message.string for message in messages(package, tag)}

    with path_of(package, tag).with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)

    assert {text: compiled.gettext(text) for text in written} == written
    assert len(compiled._catalog) == len(written) + 1, "make translations"  # type: ignore[attr-defined]


@pytest.mark.parametrize("tag", OTHERS)
def test_a_text_of_several_packages_has_one_translation(tag: str) -> None:
    # They are merged: whichever came last would win.
    found: dict[object, set[str]] = {}
    for package in PACKAGES:
        for message in messages(package, tag):
            found.setdefault(message.id, set()).add(str(message.string))

    assert {text: several for text, several in found.items() if len(several) > 1} == {}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_a_text_that_is_not_marked_for_translation(template: Path) -> None:
    environment = Environment(extensions=[InternationalizationExtension], autoescape=True)
    source = re.sub(r"\{#.*?#\}", "", template.read_text(), flags=re.S)
    parsed = environment.parse(source)

    # What stands for an expression is no letter, and keeps a tag with one in it whole.
    literal = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "\N{REPLACEMENT CHARACTER}"
        for output in parsed.find_all(nodes.Output)
        for part in output.nodes
    )
    unmarked = re.findall(r"[^\W\d_]{2,}", re.sub(r"<[^>]*>", "", literal))
    unmarked += re.findall(r'(?:aria-label|alt|title|placeholder)="[^"]*[^\W\d_][^"]*"', literal)

    assert unmarked == []
