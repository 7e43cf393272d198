"""The provider: what its metadata says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from config import METADATA_PATH, is_loopback

from .examination import Examination, fetch_metadata
from .finding import Finding, note, ok, quoted, wrong

# By how much the provider's clock may differ (auth/id_token.py).
CLOCK_SKEW_SECONDS = 60
# ID tokens signed by these, and RSA or EC keys, are accepted.
ASYMMETRIC = ("RS", "PS", "ES", "Ed")


def issuer(exam: Examination) -> Iterator[Finding]:
    """The metadata is there, and is exactly that of AUTH0_DOMAIN."""
    given, response, found = exam.settings.issuer, exam.response, exam.raw.get("issuer")
    if exam.error is None:
        yield ok("issuer", f"{exam.rp.provider.metadata().issuer} answers, and by this name")
    elif exam.error.code == "metadata_of_all_tenants":
        text = f"{given} is for all tenants: the provider is called {quoted(found)}"
        write = str(found).replace("{tenantid}", "{your tenant's id}")
        yield wrong("issuer", text, f"AUTH0_DOMAIN={quoted(write)}, with your tenant's id")
    elif found == given:
        yield ok("issuer", f"{given} answers, and by this name")
    elif address := _address_that_agrees(exam):
        text = f"the provider is called {quoted(address)}"
        if address.endswith(METADATA_PATH):
            text = f"the provider is called {quoted(found)}, and its metadata lies elsewhere"
        yield wrong("issuer", text, f"AUTH0_DOMAIN={quoted(address)}")
    elif response is None:
        change = "AUTH0_DOMAIN, or what stands between: HTTPS_PROXY, a firewall, SSL_CERT_FILE"
        yield wrong("issuer", f"{given} does not answer", change)
    else:
        text = f"{given} has no provider metadata (status {response.status})"
        if exam.raw:
            text = f"{given} calls itself {quoted(found)}, which does not answer by that name"
        yield wrong("issuer", text, f"AUTH0_DOMAIN: {exam.where('tenant')}")


def _address_that_agrees(exam: Examination) -> str | None:
    """An address whose metadata was fetched and names that same address: what the metadata calls
    itself, or AUTH0_DOMAIN without the end of its path; or the address of the metadata."""
    given, found = exam.settings.issuer.removesuffix(METADATA_PATH), exam.raw.get("issuer")
    address = given.rstrip("/")
    candidates = [str(found).rstrip("/"), address]
    while urlsplit(address).path and len(candidates) < 6:
        address = address.rpartition("/")[0].rstrip("/")
        candidates.append(address)
    for candidate in dict.fromkeys(candidates):
        url = urlsplit(candidate)
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.hostname)):
            continue
        response = fetch_metadata(exam.rp, candidate)
        name = response.json_object().get("issuer") if response else None
        if isinstance(name, str) and name.rstrip("/") == candidate:
            return name
    if exam.raw and _origin(str(found)) == _origin(given):
        return given.rstrip("/") + METADATA_PATH
    return None


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def endpoints(exam: Examination) -> Iterator[Finding]:
    """The endpoints are of use."""
    exam.rp.provider.metadata()
    yield ok("endpoints", "authorization_endpoint, token_endpoint and jwks_uri are there")


def signatures(exam: Examination) -> Iterator[Finding]:
    """ID tokens are signed in a way that the app accepts."""
    listed, accepted = exam.listed("id_token_signing_alg_values_supported"), "RS256"
    algorithms = listed or [accepted]
    where = exam.where("algorithm")
    if wanted := exam.settings.id_token_alg:
        if wanted in algorithms:
            yield ok("signatures", f"{wanted}, made with the client secret")
        else:
            text = f"{wanted} is not among {quoted(algorithms)}"
            yield wrong("signatures", text, f"{where}: {wanted}; or AUTH0_ID_TOKEN_ALG: empty")
    elif not any(algorithm.startswith(ASYMMETRIC) for algorithm in algorithms):
        text = f"{quoted(algorithms)}: none that this app accepts by itself"
        change = f"{where}: RS256; or AUTH0_ID_TOKEN_ALG=HS256" if "HS256" in algorithms else where
        yield wrong("signatures", text, change)
    elif keys := exam.rp.provider.keys():
        yield ok("signatures", f"{len(keys)} of its keys can verify ID tokens")
    else:
        yield wrong("signatures", "none of its keys can verify ID tokens", f"{where}: RS256")


def pkce(exam: Examination) -> Iterator[Finding]:
    """RFC 7636, by S256."""
    methods = exam.listed("code_challenge_methods_supported")
    if methods is None:
        yield note("PKCE", "the metadata does not mention it; the app sends it all the same")
    elif "S256" in methods:
        yield ok("PKCE", "S256 is supported")
    else:
        yield note("PKCE", "the metadata lacks S256; the app sends it all the same")


def backchannel_logout(exam: Examination) -> Iterator[Finding]:
    """Whether sessions here can end when people sign out elsewhere."""
    uri = f"{exam.settings.app_base_url}/backchannel-logout"
    if exam.raw.get("backchannel_logout_supported") is True:
        change = f"{exam.where('backchannel')}: {uri}"
        yield note("back-channel logout", "supported; ends sessions here if registered", change)
    else:
        yield note("back-channel logout", "not offered: a sign-out elsewhere is not heard of here")


def clock(exam: Examination) -> Iterator[Finding]:
    """This machine's clock and the provider's, by the Date header (RFC 9110 section 6.6.1)."""
    try:
        date = parsedate_to_datetime(exam.response.headers["Date"]) if exam.response else None
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


ISSUER, ENDPOINTS = (issuer,), (endpoints,)
CHECKS = (signatures, clock, pkce, backchannel_logout)
