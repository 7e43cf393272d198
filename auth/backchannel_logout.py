"""OpenID Connect Back-Channel Logout 1.0: the provider ends sessions here."""

from __future__ import annotations

import secrets
import time
from contextlib import suppress

from flask import Blueprint, request
from werkzeug.wrappers import Response

from sessions import StoreUnavailable, session_records

from . import signals
from .access_control import from_anywhere, without_session
from .errors import Error
from .id_token import (
    CLOCK_SKEW_SECONDS,
    Claims,
    InvalidToken,
    check_audience,
    check_issuer,
    check_times,
    read_header,
    verify_signature,
)
from .logout import end_sessions, remember_logout
from .relying_party import RelyingParty, relying_party

EVENT = "http://schemas.openid.net/event/backchannel-logout"
bp = Blueprint("backchannel_logout", __name__)


@bp.post("/backchannel-logout")
@from_anywhere
@without_session
def backchannel_logout() -> Response:
    """End the sessions that a valid logout token names (section 2.8: 200, or 400)."""
    rp = relying_party()
    try:
        tokens = request.form.getlist("logout_token")
        if request.mimetype != "application/x-www-form-urlencoded" or len(tokens) != 1:
            raise InvalidToken("no logout_token, form-encoded and once")
        claims = verify_logout_token(rp, tokens[0])
    except InvalidToken as error:
        raise Error("bad_logout_token", str(error)) from None
    name, first_use = f"jti {claims['jti']}", secrets.token_hex(8)
    seconds = min(float(claims["exp"]) - time.time(), 86400) + CLOCK_SKEW_SECONDS
    # 7. The `jti` was not seen before, as long as the token could be used again.
    if not session_records().store.add(name, first_use, seconds):
        raise Error("bad_logout_token", "jti was seen before")
    try:
        count = _end_sessions(rp, claims)
    except StoreUnavailable:
        with suppress(StoreUnavailable):  # the provider may try again
            session_records().store.remove(name, first_use)
        raise
    signals.logged_out.send(rp, count=count)
    # Section 2.8: the response must not be cached.
    return Response(status=200, headers={"Cache-Control": "no-store"})


def verify_logout_token(rp: RelyingParty, token: str) -> Claims:
    """Check a logout token, in the order of section 2.6.

    A fetch of the keys by another request is not waited for: anybody can post here. Raises
    InvalidToken; Error where it cannot be checked now.
    """
    header = read_header(rp, token)
    # RFC 8725 section 3.11: a token that says it is of another kind is not a logout token.
    if str(header.get("typ", "JWT")).lower() not in ("logout+jwt", "jwt"):
        raise InvalidToken("typ is another one")
    _, claims = verify_signature(rp, token, wait=False)
    check_issuer(claims, rp)
    check_audience(claims, rp)
    check_times(claims)
    check_who(claims)
    check_event(claims)
    # An ID token has a nonce and must not pass for a logout token.
    if "nonce" in claims:
        raise InvalidToken("nonce is there")
    if not isinstance(claims.get("jti"), str) or not 0 < len(claims["jti"]) <= 1000:
        raise InvalidToken("jti is missing or unusable")
    return claims


def check_who(claims: Claims) -> None:
    """4. There is a `sub`, a `sid`, or both."""
    named = [claims[name] for name in ("sub", "sid") if name in claims]
    if not named or not all(isinstance(value, str) and value for value in named):
        raise InvalidToken("neither sub nor sid, or one that is not a string")


def check_event(claims: Claims) -> None:
    """5. `events` has the logout event; its value is `{}`, which Python takes for false."""
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):
        raise InvalidToken("events lacks the logout event")


def _end_sessions(rp: RelyingParty, claims: Claims) -> int:
    """End the sessions of that `sid`, or where none is named, all of that `sub`."""
    kind = "sid" if "sid" in claims else "sub"
    ref = rp.ref(kind, claims[kind])
    remember_logout(ref, claims["iat"])
    found = session_records().all_with(ref)
    # A `sid` is the provider's word for one sign-in of one person.
    if kind == "sid" and "sub" in claims:
        of_person = rp.ref("sub", claims["sub"])
        found = [session for session in found if of_person in session.refs]
    return end_sessions(found)
