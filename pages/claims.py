"""The claims as pages show them, and the person that they name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from flask_babel import gettext
from flask_babel import lazy_gettext as _

from .words import LONGEST_NAME, printable

LABELS = {
    "name": _("Name"),
    "nickname": _("Nickname"),
    "preferred_username": _("User name"),
    "email": _("E-mail address"),
    "email_verified": _("E-mail address verified"),
    "picture": _("Picture"),
    "org_id": _("Organization"),
    "sub": _("Subject"),
    "iss": _("Issuer"),
    "aud": _("Audience"),
    "auth_time": _("Signed in at the provider"),
    "iat": _("Issued"),
    "exp": _("Expires"),
    "acr": _("How strong the sign-in was"),
}
ABOUT_SIGN_IN = frozenset((
    "iss", "sub", "aud", "azp", "auth_time", "iat", "nbf", "exp", "acr", "amr", "sid", "jti",
    "nonce", "at_hash", "c_hash", "s_hash", "session_expiry",
))  # fmt: skip
NAMES = ("name", "nickname", "preferred_username", "email", "sub")
# Directional embeddings, overrides and isolates (UAX 9): a <title> has no <bdi> to contain them.
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


class Person(NamedTuple):
    """Who is signed in, as the header and the home page name them."""

    name: str
    is_named: bool
    detail: str
    organization: str
    initials: str
    picture: str


def person_of(claims: Mapping[str, Any], picture_origins: tuple[str, ...] = ()) -> Person:
    """Return the person that claims name; only `sub` is sure (OIDC Core section 2).

    Loading a picture tells its host who looks at this app and when, so it is shown only where its
    origin is exactly one of `picture_origins`.
    """
    texts = (_visible(claims.get(key)) for key in NAMES)
    name = next(filter(None, texts), "") or gettext("Signed-in person")
    firsts = (next((c for c in word if c.isalnum()), "") for word in name.split())
    letters = [first.upper()[:1] for first in firsts if first]
    initials = "".join([letters[0], *letters[1:][-1:]]) if letters else "?"
    picture = _picture(claims.get("picture"), picture_origins)
    is_named = name != _visible(claims.get("sub"))
    organization = _visible(claims.get("org_name") or claims.get("org_id"))
    detail = _visible(claims.get("email"))
    return Person(name, is_named, detail, organization, initials, picture)


def _visible(value: object) -> str:
    """The text on one line, or nothing when no character of it would be seen."""
    if not isinstance(value, str):
        return ""
    text = " ".join(printable(value[:LONGEST_NAME]).translate(_DIRECTIONS).split())
    seen = any(unicodedata.category(character)[0] in "LNPS" for character in text)
    return text + ("…" if len(value) > LONGEST_NAME else "") if seen else ""


def _picture(url: object, origins: tuple[str, ...]) -> str:
    # What urlsplit would drop, browsers might not.
    if not origins or not isinstance(url, str) or not re.fullmatch(r"[\x21-\x7E]{1,2048}", url):
        return ""
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    return url if f"{parts.scheme}://{parts.netloc.lower()}" in origins else ""


class Claim(NamedTuple):
    """One claim: the name as the token spells it, what it means, and its value."""

    name: str
    label: Any
    value: Any
    is_from_userinfo: bool


def claims_list(
    claims: Mapping[str, Any], userinfo: Mapping[str, Any] | None = None
) -> list[Claim]:
    """Return the claims in reading order: labelled ones first, those with a URL as name last."""
    order = {name: rank for rank, name in enumerate(LABELS)}
    everything = {**(userinfo or {}), **claims}
    names = sorted(everything, key=lambda name: (order.get(name, len(order)), ":" in name))
    return [
        Claim(
            name=printable(name, LONGEST_NAME),
            label=LABELS.get(name, ""),
            value=everything[name],
            is_from_userinfo=name not in claims,
        )
        for name in names
    ]
