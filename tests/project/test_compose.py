"""compose.yaml hands on every setting of the core."""

from __future__ import annotations

import re

from config import Settings, variables
from tests.support.harness import ROOT

# A file of its own would have to be mounted; a client secret is what compose.yaml is made for.
NOT_HANDED_ON = {"AUTH0_CLIENT_SIGNING_KEY"}


def test_every_setting_reaches_the_app() -> None:
    compose = (ROOT / "compose.yaml").read_text()
    app = compose.partition("\n  app:\n")[2].partition("\n  redis:\n")[0]

    named = set(re.findall(r"^ {6}([A-Z0-9_]+):", app, re.MULTILINE))

    missing = {name for name in variables(Settings) if not name.endswith("_FILE")}
    missing -= {name.removesuffix("_FILE") for name in named}
    assert missing == NOT_HANDED_ON
