"""The relying party: what the steps of the flow share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from flask import current_app

from config import Settings
from sessions import Encryptor

from .client_authentication import ClientAuthentication
from .http_client import HttpClient
from .provider import Provider


@dataclass(frozen=True)
class RelyingParty:
    """This app, as the provider sees it."""

    settings: Settings
    provider: Provider
    http: HttpClient
    encryptor: Encryptor
    client_authentication: ClientAuthentication
    sign_in_hooks: list[Any] = field(default_factory=list)

    @classmethod
    def from_settings(cls, settings: Settings) -> RelyingParty:
        """Return the relying party that the settings describe."""
        http = HttpClient()
        return cls(
            settings,
            Provider(settings.issuer, http),
            http,
            Encryptor(settings.secret_keys),
            ClientAuthentication(settings),
        )

    def refs(self, kind: str, value: str) -> list[str]:
        """Return the references by which sessions of a `sid` or `sub` (the `kind`) are found, one
        for each key of APP_SECRET_KEY, newest first."""
        return self.encryptor.digests(f"{self.settings.issuer} {kind} {value}")


def relying_party() -> RelyingParty:
    """Return the relying party of the current app."""
    return cast(RelyingParty, current_app.extensions["relying_party"])
