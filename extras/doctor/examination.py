"""What the checks share: the findings, the app's parts, and the provider's own words."""

from __future__ import annotations

from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask import Flask

from auth import Error, RelyingParty
from auth.http_client import Response
from auth.token_endpoint import authenticated_post
from config import METADATA_PATH

APP = "Applications → your application → "
ADVANCED = f"{APP}Settings → Advanced Settings → "
# Where to change it: in Auth0's dashboard, and as the specifications call it.
WORDS = {
    "tenant": ("Settings → Custom Domains, or your tenant's domain", "the provider's issuer"),
    "credentials": (f"{APP}Settings → Client ID and Client Secret", "the client's id and secret"),
    "method": (f"{APP}Credentials → Authentication Method", "token_endpoint_auth_method"),
    "redirect_uri": (f"{APP}Settings → Allowed Callback URLs", "the client's redirect URIs"),
    "logout_uri": (f"{APP}Settings → Allowed Logout URLs", "post_logout_redirect_uris"),
    "backchannel": (f"{APP}Settings → Back-Channel Logout URI", "backchannel_logout_uri"),
    "grants": (f"{ADVANCED}Grant Types", "the client's grant types"),
    "algorithm": (
        f"{ADVANCED}OAuth → JSON Web Token (JWT) Signature Algorithm",
        "id_token_signed_response_alg",
    ),
    "api": ("APIs → Create API → Identifier", "the API's audience (resource indicator)"),
    "scopes": ("APIs → your API → Permissions", "the scopes of the client and the API"),
    "offline": ("APIs → your API → Settings → Allow Offline Access", "the scope offline_access"),
}


class Finding(NamedTuple):
    """The verdict is `ok`, `note` (nothing is known to be wrong) or `wrong`; `change` says what to
    change and where."""

    verdict: str
    subject: str
    text: str
    change: str = ""


def ok(subject: str, text: str) -> Finding:
    """Say what is right."""
    return Finding("ok", subject, text)


def note(subject: str, text: str, change: str = "") -> Finding:
    """Say what cannot be seen from here, or what somebody may want otherwise."""
    return Finding("note", subject, text, change)


def wrong(subject: str, text: str, change: str) -> Finding:
    """Say what has to be changed."""
    return Finding("wrong", subject, text, change)


def judged(subject: str, is_right: bool, right: str, otherwise: str, change: str) -> Finding:
    """Say that something is right, or has to be changed."""
    return ok(subject, right) if is_right else wrong(subject, otherwise, change)


def quoted(value: object) -> str:
    """Return somebody else's text, fit for a terminal: no control characters, and not too long."""
    return ascii(str(value)[:200])


class Examination:
    """One app under examination. `response` is what the provider sent as its metadata, None if
    nothing came; `error` says why the app cannot use it, None if it can. `sub` is a person whose
    session is looked at, too."""

    def __init__(self, app: Flask, sub: str | None) -> None:
        """Look at the metadata of the app's provider."""
        self.app, self.sub = app, sub
        self.rp: RelyingParty = app.extensions["relying_party"]
        self.settings = self.rp.settings
        self.response = fetch_metadata(self.rp, self.settings.issuer)
        self.error: Error | None = None
        try:
            self.rp.provider.metadata()
        except Error as error:
            self.error = error

    @property
    def metadata(self) -> Any:
        """The metadata as the app uses it. Raises Error."""
        return self.rp.provider.metadata()

    @property
    def is_auth0(self) -> bool:
        """Whether the provider is Auth0, maybe at a domain of one's own, or imitates it."""
        if self.error is None:
            return bool(self.metadata.is_auth0)
        return str(urlsplit(self.settings.issuer).hostname).endswith(".auth0.com")

    def where(self, key: str) -> str:
        """Return where something is changed, in the provider's own words."""
        return WORDS[key][0 if self.is_auth0 else 1]

    def post(self, form: dict[str, str]) -> Response:
        """POST a form to the token endpoint, as the app does."""
        key = self.rp.dpop.derive_key("doctor") if self.rp.dpop else None
        return authenticated_post(self.rp, self.metadata.token_endpoint, form, dpop_key=key)


def fetch_metadata(rp: RelyingParty, address: str) -> Response | None:
    """Return what an issuer's address says about itself, None where it does not answer."""
    try:
        return rp.http.send("GET", address.removesuffix(METADATA_PATH).rstrip("/") + METADATA_PATH)
    except Error:
        return None
