"""The parts of one running provider, held together."""

from __future__ import annotations

from typing import Any

from flask import current_app

from demo.fault import Control
from demo.provider.config import ProviderConfig
from demo.provider.keys import KeyRing
from demo.provider.store import Store


class Provider:
    """One provider: its configuration may be exchanged while it runs, the rest stays."""

    def __init__(self, config: ProviderConfig) -> None:
        self.config = config
        self.keys = KeyRing(config.signing_alg)
        self.store = Store()
        self.control = Control({})
        self.authorization_server: Any = None


def the_provider() -> Provider:
    """The provider that this request is for."""
    provider: Provider = current_app.extensions["provider"]
    return provider
