"""The development container has what the demo needs, at the ports where it is."""

from __future__ import annotations

import json
import re

import pytest

from demo.__main__ import parse_arguments
from tests.support.harness import ROOT

CONTAINER = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text())


def test_the_ports_of_the_demo_are_forwarded_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["demo"])
    options = parse_arguments()

    assert CONTAINER["forwardPorts"] == [options.port, options.provider_port, options.api_port]
    assert all(each["requireLocalPort"] for each in CONTAINER["portsAttributes"].values())


def test_its_python_is_that_of_the_image() -> None:
    [version] = set(re.findall(r"FROM python:([\d.]+)-slim AS", (ROOT / "Dockerfile").read_text()))

    assert CONTAINER["image"] == f"python:{version}"


def test_what_it_runs_first_is_a_target() -> None:
    target = CONTAINER["postCreateCommand"].removeprefix("make .venv/")

    assert f"\n$(VENV)/{target}:" in (ROOT / "Makefile").read_text()
