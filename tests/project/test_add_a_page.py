"""The page, the form and the tests that the documents have work as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

import pytest

from tests.project.conftest import run_tests
from tests.support.harness import ROOT


def code_of(document: str, language: str) -> list[str]:
    text = (ROOT / "docs" / document).read_text()
    return [dedent(each) for each in re.findall(rf"```{language}\n(.*?)```", text, re.S)]


TEST_IN_THE_DEMO = """
def test_the_demo_adds_an_invoice_and_shows_it(person):
    person.signs_in(path="/login?scope=invoices:write")

    assert "2026-11" in person.sees("/invoices").text

    here = {"Origin": person.origin()}
    refused = person.browser.post("/invoices", data={"number": ""}, headers=here)
    assert "Write a number." in refused.text
    added = person.browser.post("/invoices", data={"number": "2026-12"}, headers=here)
    assert added.location == "/invoices"
    assert "2026-12" in person.sees("/invoices").text
"""


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.fixture
def with_invoices(copy: Path) -> Path:
    """The copy, with the page and the form that the document adds."""
    view, form, *_ = code_of("add-a-page.md", "python")
    template, form_template = code_of("add-a-page.md", "html")
    [entry] = re.findall(r"`(MenuEntry\(.*\),)`", (ROOT / "docs/add-a-page.md").read_text())
    views, profile = copy / "pages/views.py", '        MenuEntry("/profile"'

    imports = "\nfrom auth import requires_scope\n"
    views.write_text("\n\n".join((views.read_text() + imports, view, form)))
    replace(copy / "pages/__init__.py", profile, f"        {entry}\n{profile}")
    (copy / "templates/invoices.html").write_text(template)
    (copy / "templates/invoice_form.html").write_text(form_template)
    return copy


def test_a_page_added_by_the_book_works(with_invoices: Path) -> None:
    [tests, *_] = code_of("test-your-pages.md", "python")
    (with_invoices / "tests/pages/test_invoices.py").write_text(tests)

    run_tests(with_invoices, "tests/pages/test_invoices.py")


def test_the_demo_shows_invoices_when_its_api_has_them(with_invoices: Path) -> None:
    *_, of_the_api = code_of("add-a-page.md", "python")
    below, scopes = "\n\ndef the_api(", '"appointments:api": ('
    replace(with_invoices / "demo/api.py", below, f"\n\n{of_the_api}{below}")
    replace(with_invoices / "demo/provider/config.py", scopes, f'{scopes}"invoices:write", ')
    (with_invoices / "tests/pages/test_invoices.py").write_text(TEST_IN_THE_DEMO)

    run_tests(with_invoices, "tests/pages/test_invoices.py")
