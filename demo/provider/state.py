"""The parts of one running provider."""

from __future__ import annotations

from typing import Any

from flask import current_app

from demo.dpop import ProofChecker
from demo.fault import Control
from demo.provider.config import ProviderConfig
from demo.provider.faults import GOALS, NAMED_FAULTS
from demo.provider.keys import KeyRing
from demo.provider.store import Store


class Provider:
    """One provider. Its configuration may be replaced while it runs."""

    def __init__(self, config: ProviderConfig) -> None:
        self.config = self._as_started = config
        self.keys = KeyRing(config.signing_alg)
        self.store = Store()
        self.proofs = ProofChecker()
        self.control = Control(NAMED_FAULTS, GOALS, config.api_urls, config.app_base_url)
        self.authorization_server: Any = None

    def change(self, config: ProviderConfig) -> None:
        """Continue with another configuration."""
        if config.signing_alg != self.keys.alg:
            self.keys.rotate(keep_old=True, alg=config.signing_alg)
        self.config = config

    def reset(self) -> None:
        """Forget everything, and continue with the configuration of the start."""
        self.change(self._as_started)
        self.store.reset()

    def stats(self) -> dict[str, int]:
        """Counts for the control page."""
        store = self.store
        return {
            "reuse_detections": store.reuse_detections,
            "sso_sessions": len(store.sso_sessions),
        }


def the_provider() -> Provider:
    """The provider that this request is for."""
    provider: Provider = current_app.extensions["provider"]
    return provider
