"""The app of these tests shows the flow."""

from __future__ import annotations

import pytest
from flask import Flask

from tests.conftest import MakeApp


@pytest.fixture
def app(make_app: MakeApp) -> Flask:
    """An app that shows the flow."""
    return make_app(SHOW_FLOW="1")
