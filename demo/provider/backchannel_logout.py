"""Back-Channel Logout 1.0: tell the clients of a session that it has ended."""

from __future__ import annotations

import logging
import secrets
import threading
import time
from typing import Any

import requests

from demo.provider.records import SsoSession
from demo.provider.state import Provider

log = logging.getLogger(__name__)

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
TIMEOUT = 3


def notify_clients(provider: Provider, session: SsoSession) -> None:
    """Section 2.5, in threads: a client that does not respond must not delay the sign-out."""
    for client_id in session.client_ids:
        client = provider.config.client(client_id)
        if client and client.backchannel_logout_uri:
            claims = logout_token_claims(provider, client_id, session.person.sub, session.sid)
            token = provider.keys.sign(claims, typ="logout+jwt")
            arguments = (client.backchannel_logout_uri, token)
            threading.Thread(target=send_logout_token, args=arguments, daemon=True).start()


def logout_token_claims(
    provider: Provider, client_id: str, sub: str | None, sid: str | None
) -> dict[str, Any]:
    """Section 2.4. Never a nonce, so that it cannot pass for an ID token."""
    now = int(time.time())
    claims: dict[str, Any] = {
        "iss": provider.config.issuer,
        "aud": client_id,
        "iat": now,
        "exp": now + 120,
        "jti": secrets.token_urlsafe(16),
        "events": {LOGOUT_EVENT: {}},
    }
    claims |= {k: v for k, v in provider.config.id_token.items() if k in ("iss", "aud", "azp")}
    return claims | ({"sub": sub} if sub else {}) | ({"sid": sid} if sid else {})


def send_logout_token(uri: str, logout_token: str) -> int | None:
    """Post it; returns the status, or None without a response."""
    form = {"logout_token": logout_token}
    try:
        return requests.post(uri, form, timeout=TIMEOUT, allow_redirects=False).status_code
    except requests.RequestException as error:
        log.info("back-channel logout at %s failed: %s", uri, type(error).__name__)
        return None
