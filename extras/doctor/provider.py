"""The provider: what its metadata says."""

from __future__ import annotations

import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from config import METADATA_PATH, is_loopback

from .examination import Examination, Finding, fetch_metadata, judged, note, ok, quoted, wrong

# By how much the provider's clock may differ (auth/id_token.py).
CLOCK_SKEW_SECONDS = 60
# ID tokens with signatures of these families are accepted.
ASYMMETRIC = ("RS", "PS", "ES", "Ed")


def issuer(exam: Examination) -> Iterator[Finding]:
    """The metadata is there, and is exactly that of AUTH0_DOMAIN."""
    subject, given, response = "issuer", exam.settings.issuer, exam.response
    found = response.json_object().get("issuer") if response else None
    if exam.error is None or found == given:
        yield ok(subject, f"{found} answers, and by this name")
    elif exam.error.code == "metadata_of_all_tenants":
        write = str(found).replace("{tenantid}", "{your tenant's id}")
        yield wrong(subject, f"{given} is for all tenants", f"AUTH0_DOMAIN={quoted(write)}")
    elif address := _address_that_agrees(exam, str(found)):
        text = f"{given} is not what the provider is called, which is {quoted(found or address)}"
        yield wrong(subject, text, f"AUTH0_DOMAIN={quoted(address)}")
    elif response:
        text = f"{given} has no provider metadata (status {response.status})"
        if found:
            text = f"{given} says that it is {quoted(found)}, and nothing there says the same"
        yield wrong(subject, text, f"AUTH0_DOMAIN: {exam.where('tenant')}")
    else:
        change = "AUTH0_DOMAIN, or what stands between: HTTPS_PROXY, a firewall, SSL_CERT_FILE"
        yield wrong(subject, f"{given} does not answer", change)


def _address_that_agrees(exam: Examination, found: str) -> str | None:
    """An address whose metadata was fetched and names that same address: what the metadata calls
    itself, or AUTH0_DOMAIN without the end of its path; or the address of the metadata."""
    address = own = exam.settings.issuer.removesuffix(METADATA_PATH).rstrip("/")
    candidates = [found.rstrip("/"), own]
    while urlsplit(address).path and len(candidates) < 6:
        address = address.rpartition("/")[0].rstrip("/")
        candidates.append(address)
    for candidate in candidates:
        url = urlsplit(candidate)
        if url.scheme == "https" or (url.scheme == "http" and is_loopback(url.hostname)):
            response = fetch_metadata(exam.rp, candidate)
            name = response.json_object().get("issuer") if response else None
            if isinstance(name, str) and name.rstrip("/") == candidate:
                return name
    return own + METADATA_PATH if urlsplit(found)[:2] == urlsplit(own)[:2] else None


def endpoints(exam: Examination) -> Iterator[Finding]:
    """The endpoints are of use."""
    where = urlsplit(exam.metadata.token_endpoint).netloc
    yield ok("endpoints", f"those that the app needs are there, at {where}")


def signatures(exam: Examination) -> Iterator[Finding]:
    """ID tokens are signed in a way that the app accepts."""
    listed = exam.metadata.strings("id_token_signing_alg_values_supported") or ["RS256"]
    wanted, where = exam.settings.id_token_alg, exam.where("algorithm")
    if not any(each == wanted if wanted else each.startswith(ASYMMETRIC) for each in listed):
        text = f"{wanted or 'what this app accepts'} is not among {quoted(listed)}"
        setting = f"AUTH0_ID_TOKEN_ALG={'' if wanted else 'HS256'}"
        yield wrong("signatures", text, f"{where}: {wanted or 'RS256'}; or {setting}")
        return
    count = len(exam.rp.provider.keys())
    right, otherwise = f"keys that can verify ID tokens: {count}", "no key can verify ID tokens"
    yield judged("signatures", bool(wanted or count), right, otherwise, f"{where}: RS256")


def backchannel_logout(exam: Examination) -> Iterator[Finding]:
    """Whether sessions here can end when people sign out elsewhere."""
    subject, uri = "back-channel logout", f"{exam.settings.app_base_url}/backchannel-logout"
    if exam.metadata.raw.get("backchannel_logout_supported") is True:
        change = f"{exam.where('backchannel')}: {uri}"
        yield note(subject, "supported; ends sessions here if registered", change)
    else:
        yield note(subject, "not offered: a sign-out elsewhere is not heard of here")


def clock(exam: Examination) -> Iterator[Finding]:
    """This machine's clock and the provider's, by the Date header (RFC 9110 section 6.6.1)."""
    try:
        date = parsedate_to_datetime(exam.response.headers["Date"] if exam.response else "")
    except (KeyError, ValueError):
        yield note("clock", "the provider does not say what time it is")
        return
    seconds = round(time.time() - date.timestamp())
    right = f"within {CLOCK_SKEW_SECONDS} s of the provider's"
    text = f"{abs(seconds)} s {'ahead of' if seconds > 0 else 'behind'} the provider's"
    otherwise = f"{text}: ID tokens will be refused"
    change = "this machine's clock: synchronize it (NTP)"
    yield judged("clock", abs(seconds) <= CLOCK_SKEW_SECONDS, right, otherwise, change)


CHECKS = (issuer, endpoints, signatures, clock, backchannel_logout)
