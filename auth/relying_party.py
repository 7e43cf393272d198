"""The relying party: what the steps of the flow share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, cast

from flask import current_app

from config import Settings
from sessions import Encryptor

from .client_authentication import ClientAuthentication, Prepared
from .dpop import DPoP
from .http_client import TOTAL_SECONDS, HttpClient, Response
from .provider import Provider


class RelyingParty:
    """This app, as the provider sees it."""

    def __init__(self, settings: Settings) -> None:
        """Take the settings; nothing is sent yet."""
        self.settings = settings
        self.http = HttpClient()
        self.provider = Provider(settings.issuer, self.http)
        self.encryptor = Encryptor(settings.secret_keys)
        self.client_authentication = ClientAuthentication(settings)
        self.dpop = DPoP() if settings.dpop else None
        self.sign_in_hooks: list[Any] = []

    def send(
        self,
        method: str,
        url: str,
        prepare: Callable[[], Prepared],
        *,
        dpop_key: dict[str, Any] | None,
        access_token: str | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> Response:
        """Send a request with an access token, or with what becomes one: by DPoP where the session
        has a key, and then maybe twice within `seconds`, prepared anew each time. RFC 6750 section
        2.1: the token is a header; section 5.3: never in a URL."""
        deadline = time.monotonic() + seconds

        def send(proof: Mapping[str, str]) -> Response:
            left, (headers, content) = max(deadline - time.monotonic(), 0.1), prepare()
            return self.http.send(method, url, {**headers, **proof}, seconds=left, **content)

        if self.dpop and dpop_key:
            return self.dpop.send(dpop_key, method, url, send, access_token)
        return send({"Authorization": f"Bearer {access_token}"} if access_token else {})

    def ref(self, kind: str, value: str) -> str:
        """Return the reference by which sessions of a `sid` or `sub` (the `kind`) are found."""
        return f"{self.settings.issuer} {kind} {value}"


def relying_party() -> RelyingParty:
    """Return the relying party of the current app."""
    return cast(RelyingParty, current_app.extensions["relying_party"])
