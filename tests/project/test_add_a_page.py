"""The page, the form and the tests that the documents have work as they are written."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent

from tests.project.conftest import run_tests
from tests.support.harness import ROOT


def code_of(document: str, language: str) -> list[str]:
    text = (ROOT / "docs" / document).read_text()
    return [dedent(each) for each in re.findall(rf"```{language}\n(.*?)```", text, re.S)]


def test_a_page_added_by_the_book_works(copy: Path) -> None:
    view, form, *_ = code_of("add-a-page.md", "python")
    template, form_template = code_of("add-a-page.md", "html")
    [entry] = re.findall(r"`(MenuEntry\(.*\),)`", (ROOT / "docs/add-a-page.md").read_text())
    [tests, *_] = code_of("test-your-pages.md", "python")
    views, menu = copy / "pages/views.py", copy / "pages/__init__.py"

    imports = "\nfrom auth import requires_scope\n"
    views.write_text("\n\n".join((views.read_text() + imports, view, form)))
    home = '        MenuEntry("/profile"'
    menu.write_text(menu.read_text().replace(home, f"        {entry}\n{home}"))
    (copy / "templates/invoices.html").write_text(template)
    (copy / "templates/invoice_form.html").write_text(form_template)
    (copy / "tests/pages/test_invoices.py").write_text(tests)

    run_tests(copy, "tests/pages/test_invoices.py")
