"""UserInfo (OIDC Core section 5.3), asked once at sign-in where the ID token names nobody."""

from __future__ import annotations

import logging
from typing import Any

from .errors import Error
from .http_client import Response
from .id_token import InvalidToken, check_issuer, verify_signature
from .relying_party import RelyingParty

log = logging.getLogger("app.userinfo")

SECONDS = 3.0
ACCEPT = {"Accept": "application/json, application/jwt"}
NAMES = ("name", "preferred_username", "nickname", "email")


def fetch_userinfo_claims(
    rp: RelyingParty,
    claims: dict[str, Any],
    access_token: str,
    scope: list[str],
    dpop_key: dict[str, Any] | None,
) -> dict[str, Any]:
    """Return the claims of UserInfo that the ID token lacks; nothing where that names somebody,
    or where UserInfo fails: that is no reason to refuse a sign-in."""
    endpoint = rp.provider.metadata().userinfo_endpoint
    has_name = any(isinstance(claims.get(name), str) and claims[name] for name in NAMES)
    if endpoint is None or has_name or not {"profile", "email"} & {*scope}:
        return {}
    try:
        response = rp.send(
            "GET", endpoint, lambda: (ACCEPT, {}),
            dpop_key=dpop_key, access_token=access_token, seconds=SECONDS,
        )  # fmt: skip
        found = _claims_of(rp, response)
        # Section 5.3.2: the `sub` must be that of the ID token, else nothing of it may be used.
        if found.get("sub") != claims["sub"]:
            raise InvalidToken("sub is not that of the ID token")
    except (Error, InvalidToken) as error:
        log.warning("UserInfo is not used: %s", error)
        return {}
    # Where UserInfo is a JWT, it has claims about that token. The ID token has all others of them.
    return {k: v for k, v in found.items() if k not in claims and k not in ("nbf", "jti")}


def _claims_of(rp: RelyingParty, response: Response) -> dict[str, Any]:
    if response.status != 200:
        raise InvalidToken(f"status {response.status}")
    if response.media_type != "application/jwt":
        return response.json_object()
    _, claims = verify_signature(rp, response.body.decode("ascii", "replace").strip())
    check_issuer(claims, rp)
    # Section 5.3.2: the audience is this client, or several with it; `azp` is of ID tokens alone.
    audience = claims.get("aud")
    if rp.settings.client_id not in (audience if isinstance(audience, list) else [audience]):
        raise InvalidToken("aud is not this client")
    return claims
