"""The ID token's claims as pages show them, and the person that they name."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from languages import N_, gettext, language

from .text import LONGEST_NAME, pretty_json, printable
from .words import moment_of


@dataclass(frozen=True)
class Person:
    """Who is signed in, as the header and the home page name them."""

    name: str
    detail: str
    initials: str


def person_of(claims: Mapping[str, object]) -> Person:
    """The person that an ID token's claims name; only `sub` is sure (OIDC Core section 2)."""
    texts = (_visible(claims.get(key)) for key in _NAME_CLAIMS)
    name = next(filter(None, texts), "") or gettext("Signed-in person")
    return Person(name=name, detail=_visible(claims.get("email")), initials=_initials(name))


# Directional embeddings, overrides and isolates (UAX 9): a <title> has no <bdi> to contain them.
_DIRECTIONS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_NAME_CLAIMS = ("name", "nickname", "preferred_username", "email", "sub")


def _visible(value: object) -> str:
    """The text on one line, or nothing when no character of it would be seen."""
    if not isinstance(value, str):
        return ""
    text = printable(value[:LONGEST_NAME])
    if not text.isascii():
        text = text.translate(_DIRECTIONS)
    text = " ".join(text.split())
    seen = any(unicodedata.category(character)[0] in "LNPS" for character in text)
    return text + ("…" if len(value) > LONGEST_NAME else "") if seen else ""


def _initials(name: str) -> str:
    """The first letters of the first and the last word, or of the only one."""
    firsts = (next((c for c in word if c.isalnum()), "") for word in name.split())
    letters = [first.upper()[:1] for first in firsts if first]
    return "".join([letters[0], *letters[1:][-1:]]) if letters else "?"


# Claims


_ABOUT_PERSON = {
    "name": N_("Name"),
    "given_name": N_("Given name"),
    "middle_name": N_("Middle name"),
    "family_name": N_("Family name"),
    "nickname": N_("Nickname"),
    "preferred_username": N_("User name"),
    "email": N_("E-mail address"),
    "email_verified": N_("E-mail address verified"),
    "phone_number": N_("Phone number"),
    "phone_number_verified": N_("Phone number verified"),
    "picture": N_("Picture"),
    "profile": N_("Profile page"),
    "website": N_("Website"),
    "gender": N_("Gender"),
    "birthdate": N_("Date of birth"),
    "address": N_("Address"),
    "locale": N_("Language"),
    "zoneinfo": N_("Time zone"),
    "updated_at": N_("Last changed"),
    "org_id": N_("Organization"),
    "org_name": N_("Organization's name"),
}
_ABOUT_SIGN_IN = {
    "iss": N_("Issuer"),
    "sub": N_("Subject"),
    "aud": N_("Audience"),
    "azp": N_("Authorized party"),
    "auth_time": N_("Signed in at the provider"),
    "iat": N_("Issued"),
    "nbf": N_("Not valid before"),
    "exp": N_("Expires"),
    "acr": N_("How strong the sign-in was"),
    "amr": N_("How the sign-in was done"),
    "sid": N_("Session at the provider"),
    "jti": N_("Token's number"),
    "nonce": N_("Nonce"),
    "at_hash": N_("Hash of the access token"),
    "c_hash": N_("Hash of the authorization code"),
    "s_hash": N_("Hash of the state"),
}
_LABELS = _ABOUT_PERSON | _ABOUT_SIGN_IN
_RANKS = {name: rank for rank, name in enumerate(_LABELS)}
_TIMES = frozenset({"auth_time", "exp", "iat", "nbf", "updated_at"})


class Claim(NamedTuple):
    """One claim, with all that a page says of it.

    `wire_name` is the name as the token spells it; `label` what a registered claim means, nothing
    for others, which only their maker can explain. The `group` is `person`, `sign-in`, or `added`:
    what the specifications do not define. `moment` is what a claim of time names; `text` the value
    as it is, or the JSON that was in the token, shown as a block where it `is_structured`.
    """

    wire_name: str
    label: str
    group: str
    moment: datetime | None
    is_structured: bool
    text: str


def claims_list(claims: Mapping[str, object]) -> list[Claim]:
    """The claims in reading order: registered ones as listed above, namespaced ones last."""
    names = sorted(claims, key=lambda name: _RANKS.get(name, len(_RANKS) + _is_namespaced(name)))
    labels = _labels(language())
    return [_claim(name, claims[name], labels.get(name, "")) for name in names]


@lru_cache
def _labels(tag: str) -> dict[str, str]:
    """All labels in the language of the request, which `tag` names."""
    return {name: gettext(label) for name, label in _LABELS.items()}


def claim_groups(claims: Mapping[str, object]) -> dict[str, list[Claim]]:
    """The same by group."""
    groups: dict[str, list[Claim]] = {"person": [], "added": [], "sign-in": []}
    for claim in claims_list(claims):
        groups[claim.group].append(claim)
    return groups


def _claim(name: str, value: object, label: str) -> Claim:
    group = "sign-in" if name in _ABOUT_SIGN_IN else "added"
    return Claim(
        wire_name=printable(name, LONGEST_NAME),
        label=label,
        group="person" if name in _ABOUT_PERSON else group,
        moment=moment_of(value) if name in _TIMES else None,
        is_structured=isinstance(value, (dict, list, tuple)),
        text=printable(value) if isinstance(value, str) else pretty_json(value),
    )


def _is_namespaced(name: str) -> bool:
    """Whether the name is a URL, as custom claims have it so that they never collide."""
    return name.lower().startswith(("https://", "http://", "urn:"))
