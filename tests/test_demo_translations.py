"""The demo's catalogue has every text of its pages, in every language, as it is compiled."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from demo.language import LANGUAGES

from .harness import ROOT

TRANSLATIONS = ROOT / "demo/translations"
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
PLACEHOLDER = re.compile(r"%\(\w+\)s|<[^>]+>")


@pytest.fixture(params=[language for language in LANGUAGES if language != "en"])
def folder(request: pytest.FixtureRequest) -> Path:
    """Where the catalogue of a language is."""
    return TRANSLATIONS / str(request.param) / "LC_MESSAGES"


@pytest.fixture
def catalogue(folder: Path) -> Catalog:
    with (folder / "messages.po").open("rb") as file:
        return read_po(file)


def test_every_text_of_the_code_is_translated_and_no_other(catalogue: Catalog) -> None:
    found = extract_from_dir(ROOT / "demo", METHODS)
    in_code = {text for _, _, text, _, _ in found}

    translated = {message.id for message in catalogue if message.id and message.string}

    assert len(in_code) > 100
    assert translated == in_code
    assert not [message.id for message in catalogue if message.id and message.fuzzy]
    assert not catalogue.obsolete


def test_a_translation_fills_in_and_links_what_the_text_does(catalogue: Catalog) -> None:
    for message in catalogue:
        text, translation = str(message.id), str(message.string)
        if text:
            assert sorted(PLACEHOLDER.findall(text)) == sorted(PLACEHOLDER.findall(translation))
            assert "%" not in PLACEHOLDER.sub("", text + translation)


def test_what_is_compiled_is_what_is_written(folder: Path, catalogue: Catalog) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)

    assert compiled.getvalue() == (folder / "messages.mo").read_bytes()
