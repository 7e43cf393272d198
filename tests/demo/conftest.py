"""A relying party in the raw: what it sends is what a test says."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import time
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.support.harness import ADA, APP, SECRET, AtProvider, Provider, query_of

SCOPE = "openid profile email offline_access appointments contacts contacts:write"


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, whoever signed it."""
    payload = token.split(".")[1]
    claims: dict[str, Any] = json.loads(
        base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
    )
    return claims


class DpopKey:
    """A key that proofs are made with (RFC 9449)."""

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256")
        self.thumbprint = self.key.thumbprint()

    def proof(
        self, method: str, url: str, token: str | None = None, **changes: Any
    ) -> dict[str, str]:
        """The header of a request; None takes a claim out."""
        claims = {"htm": method, "htu": url, "iat": int(time.time()), "jti": secrets.token_hex(8)}
        if token:
            claims["ath"] = base64url(hashlib.sha256(token.encode()).digest())
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": self.key.as_dict(private=False)}
        header |= changes.pop("header", {})
        claims = {k: v for k, v in {**claims, **changes}.items() if v is not None}
        return {"DPoP": jwt.encode(header, claims, self.key, default_type=None)}


class RelyingParty:
    """Sends requests as an app would, without checking anything."""

    def __init__(self, provider: Provider) -> None:
        url = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
        self.metadata = requests.get(url, timeout=10).json()
        self.at_provider = AtProvider()
        self.verifier = secrets.token_urlsafe(32)
        self.auth: dict[str, Any] = {}
        self.credentials = {"client_id": "demo-app", "client_secret": SECRET}

    def parameters(self, **changes: str | None) -> dict[str, str]:
        """An authorization request; None takes a parameter out."""
        parameters = {
            "client_id": "demo-app",
            "redirect_uri": f"{APP}/callback",
            "response_type": "code",
            "scope": SCOPE,
            "audience": "appointments:api",
            "state": "the-state",
            "nonce": "the-nonce",
            "code_challenge": base64url(hashlib.sha256(self.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in parameters.items() if value is not None}

    def authorizes(self, who: str = ADA, **changes: str | None) -> dict[str, str]:
        """The authorization response."""
        return self.follows(self.parameters(**changes), who)

    def follows(self, parameters: dict[str, str], who: str = ADA) -> dict[str, str]:
        url = f"{self.metadata['authorization_endpoint']}?{urlencode(parameters)}"
        return query_of(self.at_provider.answers(url, who))

    def posts(self, endpoint: str, headers: dict[str, str] | None = None, **form: str) -> Any:
        """Post with client authentication to an endpoint that the metadata names."""
        data = {**self.credentials, **form}
        url = self.metadata[endpoint]
        return requests.post(url, data, headers=headers, timeout=10, **self.auth)

    def redeems(self, code: str, headers: dict[str, str] | None = None) -> Any:
        return self.posts(
            "token_endpoint",
            headers,
            grant_type="authorization_code",
            code=code,
            redirect_uri=f"{APP}/callback",
            code_verifier=self.verifier,
        )

    def refreshes(self, refresh_token: str, headers: dict[str, str] | None = None) -> Any:
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        return self.posts("token_endpoint", headers, **form)

    def signs_in(self, who: str = ADA, **changes: str | None) -> dict[str, Any]:
        """The token response."""
        response = self.redeems(self.authorizes(who, **changes)["code"])
        assert response.status_code == 200, response.text
        token_response: dict[str, Any] = response.json()
        return token_response


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture
def relying_party(provider: Provider) -> RelyingParty:
    return RelyingParty(provider)


@pytest.fixture
def key() -> DpopKey:
    return DpopKey()
