"""What the sign-in hook `demo/action.py` gets, and what it may change."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Event:
    """Who signs in, to which client, with what. For reading only."""

    user: dict[str, Any]
    client_id: str
    requested_scopes: tuple[str, ...]
    audience: str | None
    organization: dict[str, str] | None
    grant_type: str


@dataclass
class IdToken:
    """Collects the custom claims of the ID token."""

    custom_claims: dict[str, Any] = field(default_factory=dict)

    def set_custom_claim(self, name: str, value: Any) -> None:
        """Put a claim into the ID token."""
        self.custom_claims[name] = value


@dataclass
class AccessToken(IdToken):
    """Collects the custom claims and the added scopes of the access token."""

    added_scopes: list[str] = field(default_factory=list)

    def add_scope(self, scope: str) -> None:
        """Grant a scope that was not asked for."""
        self.added_scopes.append(scope)


@dataclass
class Api:
    """What the hook may change."""

    id_token: IdToken = field(default_factory=IdToken)
    access_token: AccessToken = field(default_factory=AccessToken)
