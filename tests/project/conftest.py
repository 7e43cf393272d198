"""A copy of this project, to change."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.harness import ROOT


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """This project, as it is checked out, with what Python has compiled of it."""
    folder = tmp_path / "copy"
    left_out = shutil.ignore_patterns(".[!e]*", "instance", "bench", "test-output", "*.mo")
    shutil.copytree(ROOT, folder, ignore=left_out)
    return folder


def run_tests(folder: Path, *arguments: str) -> None:
    """Run tests there, in a process of their own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
