"""What docs/make-it-yours.md says: the app and its tests work without each extra."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from app import EXTRAS
from tests.support.harness import ROOT

BESIDE = {
    "flow": ["tests/browser/test_flow_browser.py", "tests/support/flow.py"],
    "doctor": ["tests/support/doctor.py"],
}
# Signing in, pages, the whole way of a test of one's own.
SOME_TESTS = ("tests/pages/test_own_pages.py", "tests/pages/test_pages.py")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This project, as it is checked out."""
    folder = tmp_path / "copy"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "instance", "bench", "docs")
    shutil.copytree(ROOT, folder, ignore=left_out)
    return folder


def run(folder: Path, *arguments: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


@pytest.mark.parametrize("name", EXTRAS)
def test_the_app_and_its_tests_work_without_an_extra(copy: Path, name: str) -> None:
    shutil.rmtree(copy / "extras" / name)
    shutil.rmtree(copy / "tests" / "extras" / name)
    for path in BESIDE.get(name, ()):
        (copy / path).unlink()
    app = copy / "app.py"
    app.write_text(app.read_text().replace(f'"{name}", ', "").replace(f', "{name}")', ")"))

    run(copy, "--collect-only", "tests")
    run(copy, *SOME_TESTS)

    code = [path for each in ("auth", "pages", "sessions") for path in (copy / each).glob("*.py")]
    code += (copy / "templates").glob("*.html")
    assert [path.name for path in code if f"extras.{name}" in path.read_text()] == []
