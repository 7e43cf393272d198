"""The relying party: what the steps of the flow share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from flask import current_app

from config import Settings
from sessions import Sealer, SessionInterface

from .outbound import Outbound
from .provider import Provider


@dataclass(frozen=True)
class RelyingParty:
    """This app, as the provider sees it."""

    settings: Settings
    provider: Provider
    outbound: Outbound
    sealer: Sealer


def relying_party() -> RelyingParty:
    """Return the relying party of the current app."""
    return cast(RelyingParty, current_app.extensions["relying_party"])


def session_interface() -> SessionInterface:
    """Return the session interface of the current app, by its own type."""
    return cast(SessionInterface, current_app.session_interface)
