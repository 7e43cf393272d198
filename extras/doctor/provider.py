"""The provider: what its metadata says, and what it answers to requests that can do no harm."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import parse_qs, urlsplit

from auth.attempt import Attempt, new_secret
from auth.client_auth import client_authentication
from auth.key_set import KEY_OF_ALGORITHM
from authlib.common.urls import add_params_to_uri

from auth.authorization import INTERACTION_ERRORS, build_authorization_request
from auth.errors import Problem
from auth.id_token import CLOCK_SKEW_SECONDS
from auth.token_endpoint import (
    GrantRefused,
    exchange_code,
    refresh_token_request,
)

from .case import Case
from .line import Line, note, ok, quoted, wrong


def issuer(case: Case) -> Iterator[Line]:
    """The metadata is there, and is that of AUTH0_DOMAIN to the letter."""
    found, expected = case.metadata.get("issuer"), case.settings.issuer
    if case.metadata_answer is None:
        yield wrong(
            "issuer",
            f"{expected} does not answer",
            "AUTH0_DOMAIN, or what stands between: HTTPS_PROXY, a firewall, SSL_CERT_FILE",
        )
    elif not case.metadata:
        yield wrong(
            "issuer",
            f"{expected} has no provider metadata (status {case.metadata_answer.status})",
            f"AUTH0_DOMAIN: {case.where('tenant')}",
        )
    elif found != expected:
        yield wrong(
            "issuer", f"the provider is called {quoted(found)}", f"AUTH0_DOMAIN={quoted(found)}"
        )
    else:
        yield ok("issuer", f"{expected} answers, and by this name")


def endpoints(case: Case) -> Iterator[Line]:
    """The endpoints and the keys are of use."""
    case.rp.provider.metadata()
    yield ok("endpoints", "authorization_endpoint, token_endpoint and jwks_uri are there")
    keys = case.rp.provider.keys()
    algorithms = case.listed("id_token_signing_alg_values_supported")
    if not keys or not (algorithms is None or KEY_OF_ALGORITHM.keys() & set(algorithms)):
        yield wrong(
            "signatures",
            f"no key for a signature that this app accepts ({quoted(algorithms)})",
            f"{case.where('algorithm')}: RS256",
        )
    else:
        yield ok("signatures", f"{len(keys)} of its keys can verify ID tokens")


def pkce(case: Case) -> Iterator[Line]:
    """RFC 7636, by S256."""
    methods = case.listed("code_challenge_methods_supported")
    if methods is None:
        yield note("PKCE", "the metadata does not mention it; the app sends it all the same")
    elif "S256" in methods:
        yield ok("PKCE", "S256 is supported")
    else:
        yield note("PKCE", "the metadata lacks S256; the app sends it all the same")


def credentials(case: Case) -> Iterator[Line]:
    """The client can authenticate: tried with a code that never was."""
    settings, listed = case.settings, case.listed("token_endpoint_auth_methods_supported")
    form, headers = client_authentication(settings, tuple(listed or ()))
    method = "client_secret_basic" if headers else "client_secret_post"
    method = "private_key_jwt" if "client_assertion" in form else method
    subject, where = "client authentication", case.where("client_authentication")
    if listed and listed != ["none"] and method not in listed:
        yield wrong(subject, f"{method} is not among {quoted(listed)}", f"{where}: {method}")
        return
    try:
        exchange_code(case.rp, "no-such-code", _attempt())
    except Problem as problem:
        if problem.code == "code_refused":
            yield ok(subject, f"{method} is accepted")
        elif problem.code == "request_refused":
            secret = "SIGNING_KEY" if settings.client_signing_key else "SECRET"
            yield wrong(
                subject,
                f"{method} is refused ({quoted(problem.detail)})",
                f"AUTH0_CLIENT_ID and AUTH0_CLIENT_{secret}: as in "
                f"{case.where('credentials')}; or {where}: {method}",
            )
        else:
            yield note(subject, f"{method} could not be tried ({quoted(problem.detail)})")


def _attempt() -> Attempt:
    return Attempt(
        state="", nonce="", code_verifier=new_secret(), created_at=0, return_to="/", scope=[]
    )


def authorization(case: Case) -> Iterator[Line]:
    """The authorization request is accepted: sent with prompt=none, and not followed."""
    settings = case.settings
    audiences = list(dict.fromkeys((settings.audience, settings.contacts_audience)))
    for audience in [each for each in audiences if each] or (None,):
        further = None if audience == settings.audience else audience
        url, _ = build_authorization_request(
            case.rp,
            return_to="/",
            scope=list(settings.scope),
            audience=further,
            params={"prompt": "none"},
        )
        answer = case.rp.outbound.get(url)
        location = answer.headers.get("Location", "")
        if not location.startswith(f"{settings.redirect_uri}?"):
            yield _not_led_back(case, answer.status, location)
            return
        if not further:
            yield ok("redirect URI", f"{settings.redirect_uri} is accepted")
        yield _response(case, audience, parse_qs(urlsplit(location).query))
    if settings.audience is None and settings.api_base_url:
        yield note(
            "audience",
            "none is asked for; Auth0's access token is then good for /userinfo only",
            f"AUTH0_AUDIENCE, and {case.where('api')}",
        )


def _not_led_back(case: Case, status: int, location: str) -> Line:
    uri, where = case.settings.redirect_uri, case.where("redirect_uri")
    change = f"{where}: add {uri}; or AUTH0_CLIENT_ID, if that is another application's"
    if 300 <= status < 400:
        to = quoted(urlsplit(location).netloc + urlsplit(location).path)
        return note("redirect URI", f"cannot be told: the answer led to {to}", change)
    return wrong("redirect URI", f"{uri} is not accepted (status {status})", change)


def _response(case: Case, audience: str | None, response: dict[str, list[str]]) -> Line:
    error, description = (response.get(name, [""])[0] for name in ("error", "error_description"))
    subject = "audience" if audience else "authorization request"
    if error in INTERACTION_ERRORS or not error:
        if audience and not case.speaks_auth0:
            return note(subject, f"{audience} was not refused; not every provider looks at it")
        return ok(subject, f"{audience or 'its parameters'} accepted")
    text = f"{error} {description}"
    if audience and (error == "invalid_target" or "ervice not found" in text or audience in text):
        change = f"AUTH0_AUDIENCE, or {case.where('api')}: {audience}"
        return wrong("audience", f"{audience} is not known ({quoted(text)})", change)
    changes = {
        "invalid_scope": "AUTH0_SCOPE",
        "unauthorized_client": f"{case.where('grants')}: Authorization Code",
    }
    change = changes.get(error, "AUTH0_ORGANIZATION, AUTH0_SCOPE or AUTH0_AUTHORIZE_PARAMS")
    return wrong("authorization request", f"refused with {quoted(text)}", change)


def refresh_token(case: Case) -> Iterator[Line]:
    """Refresh tokens are asked for, and may be exchanged: tried with one that never was."""
    subject, scopes = "refresh token", case.listed("scopes_supported")
    grants = case.listed("grant_types_supported")
    if "offline_access" not in case.settings.scope:
        change = "AUTH0_SCOPE: add offline_access"
        yield note(subject, "not asked for: people sign in again every so often", change)
    elif scopes is not None and "offline_access" not in scopes:
        change = "AUTH0_AUTHORIZE_PARAMS: access_type=offline, where the provider wants that"
        yield note(subject, "scopes_supported lacks offline_access", change)
    allow = f"{case.where('grants')}: Refresh Token"
    if grants is not None and "refresh_token" not in grants:
        yield wrong(subject, "grant_types_supported lacks refresh_token", allow)
        return
    try:
        refresh_token_request(case.rp, "no-such-token", None)
    except GrantRefused as refused:
        if "unsupported_grant_type" in refused.detail:
            yield wrong(subject, f"the grant is refused ({quoted(refused.detail)})", allow)
        else:
            yield ok(subject, "the client may exchange them")
            change = f"{case.where('offline')}: on"
            yield note(subject, "whether the API gives any shows after a sign-in", change)
    except Problem as problem:
        if problem.code == "request_refused":
            yield wrong(subject, f"the grant is refused ({quoted(problem.detail)})", allow)
        else:
            yield note(subject, f"could not be tried ({quoted(problem.detail)})")


def logout(case: Case) -> Iterator[Line]:
    """Signing out at the provider: the endpoint, and the way back."""
    settings, endpoint = case.settings, case.rp.provider.metadata().end_session_endpoint
    back = f"{settings.app_base_url}/"
    params = [("client_id", settings.client_id)]
    if endpoint:
        yield ok("logout endpoint", endpoint)
        params.append(("post_logout_redirect_uri", back))
    elif case.speaks_auth0:
        change = f"{case.where('end_session')}: on"
        yield note("logout endpoint", "the app uses Auth0's own, /v2/logout", change)
        endpoint = f"{settings.issuer.rstrip('/')}/v2/logout"
        params.append(("returnTo", back))
    else:
        yield wrong("logout endpoint", "there is none", f"{case.where('end_session')}: on")
        return
    answer = case.rp.outbound.get(add_params_to_uri(endpoint, params))
    change = f"{case.where('logout_uri')}: add {back}"
    if answer.status < 400:
        yield ok("logout URI", f"{back} was not refused")
    elif case.speaks_auth0:
        yield wrong("logout URI", f"{back} is not accepted (status {answer.status})", change)
    else:
        # Some want an ID token of a person beside it.
        yield note("logout URI", f"cannot be told (status {answer.status})", change)


def backchannel_logout(case: Case) -> Iterator[Line]:
    """Whether sessions here can end when people sign out elsewhere."""
    uri = f"{case.settings.app_base_url}/backchannel-logout"
    if case.metadata.get("backchannel_logout_supported") is True:
        change = f"{case.where('backchannel')}: {uri}"
        yield note("back-channel logout", "supported; ends sessions here if registered", change)
    else:
        yield note("back-channel logout", "not offered: a sign-out elsewhere is not heard of here")


def clock(case: Case) -> Iterator[Line]:
    """This machine's clock and the provider's, by the Date header (RFC 9110 section 6.6.1)."""
    answer = case.metadata_answer
    try:
        date = parsedate_to_datetime(answer.headers["Date"]) if answer else None
    except (KeyError, ValueError):
        date = None
    if date is None:
        yield note("clock", "the provider does not say what time it is")
        return
    seconds = round(time.time() - date.timestamp())
    if abs(seconds) > CLOCK_SKEW_SECONDS:
        way = "ahead of" if seconds > 0 else "behind"
        yield wrong(
            "clock",
            f"this machine is {abs(seconds)} s {way} the provider: ID tokens will be refused",
            "this machine's clock: synchronize it (NTP)",
        )
    else:
        yield ok("clock", f"within {CLOCK_SKEW_SECONDS} s of the provider's")


CHECKS = (endpoints, clock, pkce, backchannel_logout, credentials)
# What a client that is not known, or not believed, would be refused as well.
CHECKS_OF_A_CLIENT = (authorization, refresh_token, logout)
