"""The checks of an ID token, one function each, in the order of OIDC Core section 3.1.3.7.

Also used for logout tokens and signed UserInfo, which share the signature and the first claims.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import time
import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jws
from joserfc.errors import BadSignatureError, JoseError, SecurityWarning
from joserfc.jwk import OctKey

from sessions import base64url

from .errors import Error
from .http_client import parse_json
from .provider import ALGORITHMS, key_for
from .relying_party import RelyingParty
from .token_set import SignIn

CLOCK_SKEW_SECONDS = 60
# An ID token is made for the exchange that brings it; an older one is a replay or a broken clock.
OLDEST_SECONDS = 3600
# In bytes; joserfc allows 128,000 for the payload. Some providers put certificates (x5c) there.
LONGEST_HEADER = 8192

Claims = dict[str, Any]


class InvalidToken(Exception):
    """A token failed a check; the text names the check and never quotes the token."""


class WrongSignature(InvalidToken):
    """The key that the token names did not sign it, or not this."""

    def __init__(self) -> None:
        super().__init__("the signature is wrong")


def verify_id_token(
    rp: RelyingParty,
    id_token: str | None,
    access_token: str,
    *,
    nonce: str,
    organization: str | None,
    acr_values: str | None,
    max_age: int | None,
) -> Claims:
    """Return the claims of the ID token of a code exchange, or raise Error."""
    if id_token is None:
        raise Error("bad_id_token", "no ID token came")  # OIDC Core section 3.1.3.3
    try:
        claims = _verified(rp, id_token, access_token)
        check_acr(claims, acr_values)
        check_auth_time(claims, max_age)
    except InvalidToken as error:
        raise Error("bad_id_token", str(error)) from None
    check_nonce(claims, nonce)
    check_organization(claims, organization)
    return claims


def verify_refreshed_id_token(
    rp: RelyingParty, id_token: str, access_token: str, before: SignIn
) -> Claims:
    """Return the claims of an ID token that a refresh brought (OIDC Core section 12.2).

    `before` is the sign-in so far. Raises InvalidToken, Error. A later `auth_time` (the person
    signed in again elsewhere) is no reason to refuse.
    """
    # Before the signature, which is over these same claims: where the keys cannot be fetched, what
    # came is stored all the same.
    check_same_person(unverified_claims(id_token), before.claims)
    return _verified(rp, id_token, access_token)


def check_same_person(claims: Claims, before: Claims) -> None:
    """OIDC Core section 12.2: the refreshed ID token is about the one who signed in."""
    if claims.get("sub") != before["sub"]:
        raise InvalidToken("sub is not that of the sign-in")
    for name in ("nonce", "org_id"):
        if name in claims and name in before and claims[name] != before[name]:
            raise InvalidToken(f"{name} is not that of the sign-in")


def unverified_claims(token: str) -> Claims:
    """Return the claims as the token has them, whoever made it. Raises InvalidToken."""
    try:
        claims = parse_json(_extracted(token).payload)
    except ValueError:
        raise InvalidToken("not a JWT") from None
    if not isinstance(claims, dict):
        raise InvalidToken("not a JWT: no object")
    return claims


def _verified(rp: RelyingParty, id_token: str, access_token: str) -> Claims:
    """The claims of any ID token, after the checks that need to know nothing of what was before."""
    header, claims = verify_signature(rp, id_token)
    check_issuer(claims, rp)
    check_audience(claims, rp)
    check_times(claims)
    check_subject(claims)
    check_at_hash(claims, header, access_token)
    return claims


def verify_signature(
    rp: RelyingParty, token: str, *, wait: bool = True
) -> tuple[dict[str, Any], Claims]:
    """Return header and claims of a JWT that the provider signed; raises InvalidToken, Error.

    The algorithm is one of ours, never `none`, and a MAC only where AUTH0_ID_TOKEN_ALG says so; the
    key is one of the provider's key set, never one that the token brings (`jwk`, `jku`, `x5c` are
    not looked at). Without `wait` a fetch of the keys by another request is not waited for.
    """
    header = read_header(rp, token)
    alg, kid = header["alg"], header.get("kid")
    if alg == "HS256":
        secret = OctKey.import_key((rp.settings.client_secret or "").encode())
        return header, _payload(token, secret, alg)
    while True:
        keys = rp.provider.keys(wait=wait)
        key = key_for(keys, alg, kid)
        try:
            if key:
                return header, _payload(token, key, alg)
        except WrongSignature:
            pass
        # Keys rotate without notice: look again, but no more often than the provider bears.
        try:
            has_fetched = rp.provider.keys.refetch(keys, wait=wait)
        except Error:
            if not key:
                raise
            has_fetched = False
        if not has_fetched:
            raise WrongSignature if key else InvalidToken(f"no key for {alg}")


def read_header(rp: RelyingParty, token: str) -> dict[str, Any]:
    """Return the header of a JWT whose algorithm is one of ours. Raises InvalidToken."""
    header: dict[str, Any] = _extracted(token).headers()
    alg, accepted = header.get("alg"), rp.settings.id_token_alg
    if not isinstance(alg, str) or alg not in ([accepted] if accepted else ALGORITHMS):
        hint = " (see the setting AUTH0_ID_TOKEN_ALG)" if alg == "HS256" or accepted else ""
        raise InvalidToken(f"alg {str(alg)[:40]!r} is not accepted{hint}")
    if "crit" in header:
        # RFC 7515 section 4.1.11: extensions that we do not know, b64 (RFC 7797) among them.
        raise InvalidToken("crit is not accepted")
    return header


def _extracted(token: str) -> Any:
    try:
        return jws.extract_compact(token.encode("ascii"), registry=_registry("RS256"))
    except (JoseError, ValueError, TypeError, RecursionError) as error:
        raise InvalidToken(f"not a JWT: {type(error).__name__}") from None


def _registry(alg: str) -> jws.JWSRegistry:
    # Unknown header parameters are ignored (RFC 7515 section 4).
    registry = jws.JWSRegistry(algorithms=[alg], strict_check_header=False)
    registry.max_header_length = LONGEST_HEADER
    return registry


def _payload(token: str, key: Any, alg: str) -> Claims:
    """The claims of a JWT that verifies with the key."""
    try:
        with warnings.catch_warnings():
            # EdDSA is the older name of Ed25519 (RFC 9864), and still in use.
            warnings.simplefilter("ignore", SecurityWarning)
            verified = jws.deserialize_compact(token, key, registry=_registry(alg))
        claims = parse_json(verified.payload)
    except BadSignatureError:
        raise WrongSignature from None
    except (JoseError, ValueError, TypeError) as error:
        raise InvalidToken(f"not a JWT: {type(error).__name__}") from None
    if not isinstance(claims, dict):
        raise InvalidToken("not a JWT: no object")
    return claims


def check_issuer(claims: Claims, rp: RelyingParty) -> None:
    """2. The issuer is the configured one, exactly."""
    if claims.get("iss") != rp.provider.metadata().issuer:
        raise InvalidToken(f"iss is {str(claims.get('iss'))[:200]!r}")


def check_audience(claims: Claims, rp: RelyingParty) -> None:
    """3. to 5. The token is for us. It may be for others as well where `azp` says that we are the
    one it was issued to."""
    client_id, audience = rp.settings.client_id, claims.get("aud")
    others = audience not in (client_id, [client_id])
    is_ours = isinstance(audience, list) and client_id in audience
    if others and not (is_ours and claims.get("azp") == client_id):
        raise InvalidToken(f"aud is {str(audience)[:200]!r}, azp {str(claims.get('azp'))[:200]!r}")
    if "azp" in claims and claims["azp"] != client_id:
        raise InvalidToken(f"azp is {str(claims['azp'])[:200]!r}")


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
    if claims["at_hash"] != base64url(digest[: len(digest) // 2]):
        raise InvalidToken("at_hash does not fit the access token")


def check_nonce(claims: Claims, expected: str) -> None:
    """11. The nonce ties the token to this browser's sign-in. Raises Error."""
    nonce = claims.get("nonce")
    if not isinstance(nonce, str) or not hmac.compare_digest(
        nonce.encode(errors="replace"), expected.encode()
    ):
        raise Error("wrong_nonce", "nonce is missing or not that of the sign-in in progress")


def check_acr(claims: Claims, acr_values: str | None) -> None:
    """12. Where a page demanded a stronger sign-in, the person did one: `acr_values` is a wish, so
    a provider may answer without. Raises Error."""
    if acr_values is not None and claims.get("acr") not in acr_values.split():
        raise Error("weaker_authentication", "acr is none of those asked for")


def check_auth_time(claims: Claims, max_age: int | None) -> None:
    """13. Where `max_age` was sent, the person signed in at the provider no longer ago.

    Raises InvalidToken where `auth_time` is missing or to come, Error where it is too long ago.
    """
    if max_age is None:
        return
    auth_time, now = _seconds(claims, "auth_time"), time.time()
    if not auth_time < now + CLOCK_SKEW_SECONDS:
        raise InvalidToken("auth_time is in the future")
    if not now < auth_time + max_age + CLOCK_SKEW_SECONDS:
        raise Error("stale_authentication", "auth_time is longer ago than max_age")


def check_organization(claims: Claims, organization: str | None) -> None:
    """Where an organization was asked for, the person signed in to that one.

    An id (`org_…`) is compared exactly with `org_id`, a name without case with `org_name`.
    Raises Error("wrong_organization").
    """
    if organization is None:
        return
    if organization.startswith("org_"):
        is_right = claims.get("org_id") == organization
    else:
        name = claims.get("org_name")
        is_right = isinstance(name, str) and name.lower() == organization.lower()
    if not is_right:
        raise Error("wrong_organization", "org_id or org_name is another one, or missing")


def session_expiry(claims: Claims) -> float:
    """Return when the provider wants the session to end; never, where it does not say."""
    try:
        return _seconds(claims, "session_expiry") if "session_expiry" in claims else math.inf
    except InvalidToken:
        return math.inf


def _seconds(claims: Claims, name: str) -> float:
    value = claims.get(name)
    # Some providers send floats (`auth_time`); JSON also has numbers that no clock shows.
    if isinstance(value, bool) or not isinstance(value, int | float) or not -1e15 < value < 1e15:
        raise InvalidToken(f"{name} is missing or not a time")
    return float(value)
