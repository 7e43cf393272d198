"""OpenID Connect Back-Channel Logout 1.0: the provider ends sessions here."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress
from typing import Any

from flask import request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from sessions import StoreUnavailable, ref_of
from sessions.interface import key_of

from . import signals
from .errors import Problem
from .guard import from_anywhere, without_session
from .id_token import (
    CLOCK_SKEW_SECONDS,
    Claims,
    InvalidToken,
    check_audience,
    check_issuer,
    check_times,
    verified_signature,
)
from .relying_party import RelyingParty, relying_party, session_interface
from .routes import bp
from .sign_out import remember_logout

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@bp.post("/backchannel-logout")
@from_anywhere
@without_session
def backchannel_logout() -> Response:
    """End the sessions that a valid logout token names (section 2.8: 200, or 400)."""
    rp = relying_party()
    try:
        tokens = _posted_tokens()
        if request.mimetype != "application/x-www-form-urlencoded" or len(tokens) != 1:
            raise InvalidToken("no logout_token, form-encoded and once")
        claims = verify_logout_token(rp, tokens[0])
        try:
            ended = _end_sessions(rp, claims)
        except StoreUnavailable:
            forget_use(claims)  # the provider may try again
            raise
    except InvalidToken as error:
        raise Problem("bad_logout_token", str(error)) from None
    signals.logged_out.send(rp, count=ended)
    # Section 2.8: the answer must not be cached.
    return Response(status=200, headers={"Cache-Control": "no-store"})


def _posted_tokens() -> list[str]:
    try:
        return request.form.getlist("logout_token")
    except HTTPException:
        raise
    except Exception:
        # Each server has an error of its own for a body of malformed chunks.
        raise InvalidToken("the body cannot be read") from None


def verify_logout_token(rp: RelyingParty, token: str) -> Claims:
    """Check a logout token, in the order of section 2.6.

    Raises InvalidToken; Problem or StoreUnavailable where it cannot be checked now.
    """
    header, claims = verified_signature(rp.provider, token)
    # RFC 8725 section 3.11: a token that says it is of another kind is not a logout token.
    if str(header.get("typ", "JWT")).lower() not in ("logout+jwt", "jwt"):
        raise InvalidToken("typ is another one")
    check_issuer(claims, rp.settings.issuer)
    check_audience(claims, rp.settings.client_id)
    check_times(claims)
    check_who(claims)
    check_event(claims)
    # An ID token has a nonce and must not pass for a logout token.
    if "nonce" in claims:
        raise InvalidToken("nonce is there")
    check_first_use(claims)
    return claims


def check_who(claims: Claims) -> None:
    """4. There is a `sub`, a `sid`, or both."""
    for name in ("sub", "sid"):
        if name in claims and not (isinstance(claims[name], str) and claims[name]):
            raise InvalidToken(f"{name} is not a string")
    if "sub" not in claims and "sid" not in claims:
        raise InvalidToken("neither sub nor sid")


def check_event(claims: Claims) -> None:
    """5. `events` has the logout event; its value is `{}`, which Python takes for false."""
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise InvalidToken("events lacks the logout event")


def check_first_use(claims: Claims) -> None:
    """7. The `jti` was not seen before, as long as the token could be used again."""
    jti = claims.get("jti")
    if not isinstance(jti, str) or not 0 < len(jti) <= 1000:
        raise InvalidToken("jti is missing or unusable")
    seconds = min(float(claims["exp"]) - time.time(), 86400) + CLOCK_SKEW_SECONDS
    claims["first use"] = first_use = secrets.token_hex(8)
    key = key_of(f"jti {jti}")
    if session_interface().store.acquire_lease(key, first_use, seconds) != first_use:
        raise InvalidToken("jti was seen before")


def forget_use(claims: Claims) -> None:
    """Let the token be used again, after what it asked for could not be done."""
    with suppress(StoreUnavailable):
        session_interface().store.release_lease(key_of(f"jti {claims['jti']}"), claims["first use"])


def _end_sessions(rp: RelyingParty, claims: dict[str, Any]) -> int:
    """End the sessions of that `sid`, or where none is named, all of that `sub`."""
    kind = "sid" if "sid" in claims else "sub"
    interface, ref = session_interface(), ref_of(rp.settings.issuer, kind, claims[kind])
    remember_logout(ref, claims["iat"])
    found = interface.all_with(ref)
    # A `sid` is the provider's word for one sign-in of one person.
    if kind == "sid" and "sub" in claims:
        of_person = ref_of(rp.settings.issuer, "sub", claims["sub"])
        found = {key: kept for key, kept in found.items() if of_person in kept[1].refs}
    ended = [interface.end_key(key, content) for key, (_, content) in found.items()]
    return len(ended) - ended.count(None)
