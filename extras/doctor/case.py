"""What the checks share: the app's parts, the provider's metadata, and the provider's own words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from auth.outbound import Answer
from hosts import is_loopback

from auth.relying_party import RelyingParty
from config import Settings
from sessions.store import Store

_APPLICATION = "Applications → your application → "

# Where to change it: in Auth0's dashboard, and as the specifications call it.
WORDS = {
    "tenant": ("Settings → Custom Domains, or your tenant's domain", "the provider's issuer"),
    "credentials": (
        f"{_APPLICATION}Settings → Client ID and Client Secret",
        "the client's id and secret",
    ),
    "client_authentication": (
        f"{_APPLICATION}Credentials → Authentication Method",
        "the client's token_endpoint_auth_method",
    ),
    "redirect_uri": (
        f"{_APPLICATION}Settings → Allowed Callback URLs",
        "the client's redirect URIs",
    ),
    "logout_uri": (
        f"{_APPLICATION}Settings → Allowed Logout URLs",
        "the client's post-logout redirect URIs",
    ),
    "end_session": (
        "Settings → Advanced → RP-Initiated Logout End Session Endpoint Discovery",
        "RP-initiated logout (end_session_endpoint in the metadata)",
    ),
    "backchannel": (
        f"{_APPLICATION}Settings → Back-Channel Logout URI",
        "the client's backchannel_logout_uri",
    ),
    "grants": (
        f"{_APPLICATION}Settings → Advanced Settings → Grant Types",
        "the client's grant types",
    ),
    "algorithm": (
        f"{_APPLICATION}Settings → Advanced Settings → OAuth → "
        "JSON Web Token (JWT) Signature Algorithm",
        "the client's id_token_signed_response_alg",
    ),
    "api": ("APIs → Create API → Identifier", "the API's audience (resource indicator)"),
    "offline": ("APIs → your API → Settings → Allow Offline Access", "the scope offline_access"),
}


@dataclass(frozen=True)
class Case:
    """One app under examination. `metadata` is as the provider sent it, empty if it did not."""

    rp: RelyingParty
    store: Store
    metadata: dict[str, Any]
    metadata_answer: Answer | None

    @property
    def settings(self) -> Settings:
        """The app's settings."""
        return self.rp.settings

    @property
    def is_at_home(self) -> bool:
        """Whether only this machine reaches the app, so that production is for later."""
        return is_loopback(urlsplit(self.settings.app_base_url).hostname)

    @property
    def speaks_auth0(self) -> bool:
        """Whether the provider is Auth0, maybe at a domain of one's own, or imitates it."""
        return str(self.metadata.get("token_endpoint")).endswith("/oauth/token")

    def where(self, key: str) -> str:
        """Return where something is changed, in the provider's own words."""
        return WORDS[key][0 if self.speaks_auth0 else 1]

    def listed(self, name: str) -> list[str] | None:
        """Return a list of the metadata, None where there is none."""
        value = self.metadata.get(name)
        return [str(word) for word in value] if isinstance(value, list) else None
