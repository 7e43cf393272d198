"""The checks of an ID token, one function each, in the order of OIDC Core section 3.1.3.7.

Also used for logout tokens, which share the signature and the first claims.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError, SecurityWarning

from .attempt import Attempt
from .errors import Problem
from .key_set import KEY_OF_ALGORITHM, key_for
from .provider import Provider
from .relying_party import RelyingParty
from .token_set import claims_of

CLOCK_SKEW_SECONDS = 60
# An ID token is made for the exchange that brings it; an older one is a replay or a broken clock.
OLDEST_SECONDS = 3600

Claims = dict[str, Any]


class InvalidToken(Exception):
    """A token failed a check; the text names the check and never quotes the token."""


# Unknown header parameters are ignored (RFC 7515 section 4); `crit` is refused below.
REGISTRY = jws.JWSRegistry(algorithms=list(KEY_OF_ALGORITHM), strict_check_header=False)
REGISTRY.max_header_length = 8192  # some providers put certificates (x5c) there


def verify_id_token(
    rp: RelyingParty, id_token: str | None, access_token: str, attempt: Attempt
) -> Claims:
    """Return the claims of the ID token of a code exchange, or raise Problem."""
    if id_token is None:
        raise Problem("bad_id_token", "no ID token came")  # OIDC Core section 3.1.3.3
    try:
        claims = _verified(rp, id_token, access_token)
        check_acr(claims, attempt.acr_values)
        check_auth_time(claims, attempt.max_age)
    except InvalidToken as error:
        raise Problem("bad_id_token", str(error)) from None
    # 11. The nonce ties the token to this browser's attempt.
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(errors="replace"), attempt.nonce.encode()
    ):
        raise Problem("wrong_nonce", "nonce is missing or not the attempt's")
    return claims


def verify_refreshed_id_token(
    rp: RelyingParty, id_token: str, access_token: str, before: Claims
) -> Claims:
    """Return the claims of an ID token that a refresh brought (OIDC Core section 12.2).

    `before` are the claims known so far. Raises InvalidToken, Problem.
    """
    claims = _verified(rp, id_token, access_token)
    if claims["sub"] != before["sub"]:
        raise InvalidToken("sub is another one than at sign-in")
    for name in ("auth_time", "nonce", "org_id"):
        if name in claims and name in before and claims[name] != before[name]:
            raise InvalidToken(f"{name} is another one than at sign-in")
    return claims


def _verified(rp: RelyingParty, id_token: str, access_token: str) -> Claims:
    """The claims of any ID token, after the checks that need to know nothing of what was before."""
    header, claims = verified_signature(rp.provider, id_token)
    check_issuer(claims, rp.settings.issuer)
    check_audience(claims, rp.settings.client_id)
    check_times(claims)
    check_subject(claims)
    check_at_hash(claims, header, access_token)
    return claims


def verified_signature(provider: Provider, token: str) -> tuple[dict[str, Any], Claims]:
    """Return header and claims of a JWT that the provider signed; raises InvalidToken, Problem.

    The algorithm is one of ours, never `none` or a MAC; the key is one of the provider's key set,
    never one that the token brings (`jwk`, `jku`, `x5c` are not looked at).
    """
    header = _header(token)
    alg, kid = header["alg"], header.get("kid")
    while True:
        keys = provider.keys()
        published = key_for(keys, alg, kid)
        try:
            if published:
                with warnings.catch_warnings():
                    # EdDSA is the older name of Ed25519 (RFC 9864), and still in use.
                    warnings.simplefilter("ignore", SecurityWarning)
                    jws.deserialize_compact(token, published.key, registry=REGISTRY)
                return header, claims_of(token)
        except BadSignatureError:
            pass
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise InvalidToken(f"not a JWT: {type(error).__name__}") from None
        # Keys rotate without notice: look once more, but no more often than the provider bears.
        try:
            again = provider.refetched_keys(keys)
        except Problem:
            if not published:
                raise
            again = False
        if not again:
            raise InvalidToken("the signature is wrong" if published else f"no key for {alg}")


def _header(token: str) -> dict[str, Any]:
    try:
        header = jws.extract_compact(token.encode("ascii"), registry=REGISTRY).headers()
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken(f"not a JWT: {type(error).__name__}") from None
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in KEY_OF_ALGORITHM:
        raise InvalidToken(f"alg {str(alg)[:40]!r} is not accepted")
    if "crit" in header:
        # RFC 7515 section 4.1.11: extensions that we do not know; b64 (RFC 7797) is none of ours.
        raise InvalidToken("crit is not accepted")
    return header


def check_issuer(claims: Claims, issuer: str) -> None:
    """2. The issuer is the configured one, to the letter."""
    if claims.get("iss") != issuer:
        raise InvalidToken("iss is another one")


def check_audience(claims: Claims, client_id: str) -> None:
    """3. to 5. The token is for us, and for nobody else: we trust no other audience."""
    audience = claims.get("aud")
    if audience not in (client_id, [client_id]):
        raise InvalidToken("aud is not just this client")
    if "azp" in claims and claims["azp"] != client_id:
        raise InvalidToken("azp is another one")


def check_times(claims: Claims) -> None:
    """9. and 10. Not expired, and not issued in the future or long ago."""
    now = time.time()
    if not now < _seconds(claims, "exp") + CLOCK_SKEW_SECONDS:
        raise InvalidToken("exp is over")
    issued_at = _seconds(claims, "iat")
    if not now - OLDEST_SECONDS < issued_at < now + CLOCK_SKEW_SECONDS:
        raise InvalidToken("iat is in the future or long ago")
    if "nbf" in claims and not _seconds(claims, "nbf") < now + CLOCK_SKEW_SECONDS:
        raise InvalidToken("nbf is in the future")


def check_subject(claims: Claims) -> None:
    """Section 2: `sub` is required."""
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise InvalidToken("sub is missing")


def check_at_hash(claims: Claims, header: Mapping[str, Any], access_token: str) -> None:
    """Section 3.1.3.8: where `at_hash` is there, the access token is the one it came with."""
    if "at_hash" not in claims:
        return
    bits = "512" if header["alg"].startswith("Ed") else header["alg"][-3:]
    digest = hashlib.new(f"sha{bits}", access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")
    if claims["at_hash"] != half:
        raise InvalidToken("at_hash does not fit the access token")


def check_acr(claims: Claims, acr_values: str | None) -> None:
    """12. Where a page demanded a stronger sign-in, the person did one: `acr_values` is a wish, so
    a provider may answer without. Raises Problem."""
    if acr_values is not None and claims.get("acr") not in acr_values.split():
        raise Problem("weaker_authentication", "acr is none of those asked for")


def check_auth_time(claims: Claims, max_age: int | None) -> None:
    """13. Where `max_age` was sent, the person signed in at the provider no longer ago.

    Raises InvalidToken where `auth_time` is missing or to come, Problem where it is too long
    ago.
    """
    if max_age is None:
        return
    auth_time, now = _seconds(claims, "auth_time"), time.time()
    if not auth_time < now + CLOCK_SKEW_SECONDS:
        raise InvalidToken("auth_time is in the future")
    if not now < auth_time + max_age + CLOCK_SKEW_SECONDS:
        raise Problem("stale_authentication", "auth_time is longer ago than max_age")


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    # Some providers send floats (`auth_time`); JSON also has numbers that no clock shows.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
        raise InvalidToken(f"{name} is missing or no time")
    return float(value)
