"""Where the app runs: the API, the session store, and the checklist of docs/production.md."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from auth import SignIn
from auth.http_client import NoResponse, Response
from config import is_loopback
from sessions import session_interface

from .examination import Examination
from .finding import Finding, judged, note, ok, quoted, wrong

# Fewer different characters than this have no secret of 32 characters that was drawn at random.
FEWEST_CHARACTERS = 12
NO_AUDIENCE = "no API is asked for; Auth0's is then good for /userinfo only, and an API answers 401"
WRITE_HTTPS = "APP_BASE_URL=https://…"
LONGEST_SECONDS = 30 * 86400


def api(exam: Examination) -> Iterator[Finding]:
    """The API answers, and to nobody without a good access token."""
    settings = exam.settings
    if settings.api_base_url is None:
        yield note("API", "none: the pages that need it say so", "API_BASE_URL")
        return
    contacts = settings.contacts_api_base_url or settings.api_base_url
    for url in (f"{settings.api_base_url}/appointments", f"{contacts}/contacts"):
        try:
            without = exam.rp.http.get(url)
            invented = exam.rp.http.get(url, {"Authorization": "Bearer no-such-token"})
        except NoResponse as error:
            yield wrong("API", f"{url} does not answer ({quoted(error)})", "API_BASE_URL")
            continue
        yield _api_finding(url, without, invented)


def _api_finding(url: str, without: Response, invented: Response) -> Finding:
    demand = "the API: it must answer 401 (RFC 6750 section 3.1)"
    if without.status < 300:
        return wrong("API", f"{url} answers without an access token", demand)
    if invented.status < 300:
        return wrong("API", f"{url} accepts an access token that never was", demand)
    if without.status == invented.status == 401:
        return ok("API", f"{url} demands an access token")
    if 404 in (without.status, invented.status):
        return wrong("API", f"{url} does not exist", "API_BASE_URL, or the path in pages/views.py")
    text = f"{url} answers {without.status} without an access token"
    return wrong("API", f"{text}, and {invented.status} to an invented one", demand)


def access_token(exam: Examination) -> Iterator[Finding]:
    """What the API says to the access token of a person who is signed in, and why."""
    settings, subject = exam.settings, "access token"
    change = f"AUTH0_AUDIENCE, and {exam.where('api')}"
    if exam.sub is None or settings.api_base_url is None:
        if settings.api_base_url and not _audience(exam):
            yield note(subject, NO_AUDIENCE, change)
        return
    found = session_interface().all_with(exam.rp.ref("sub", exam.sub)).values()
    sign_ins = filter(None, (SignIn.from_session(content.data) for _, content in found))
    sets = [(each.token_sets[""], each.dpop_key) for each in sign_ins if "" in each.token_sets]
    if not sets:
        yield note(subject, f"nobody with the sub {quoted(exam.sub)} has one in a session here")
        return
    tokens, key = max(sets, key=lambda each: each[0].obtained_at)
    url, token = f"{settings.api_base_url}/appointments", tokens.access_token
    status = exam.rp.send("GET", url, {}, dpop_key=key, access_token=token).status
    if tokens.has_expired():
        yield note(subject, "it has expired", "nothing: open a page that calls the API first")
    else:
        refused = f"{url} refuses it: {_why_refused(exam, token)}"
        yield judged(subject, status != 401, f"{url} accepts it ({status})", refused, change)


def _audience(exam: Examination) -> str | None:
    return exam.settings.audience or exam.settings.authorize_params.get("resource")


def _why_refused(exam: Examination, token: str) -> str:
    """Return what the token says (RFC 9068 section 2.2) that an API may not like."""
    audience = _audience(exam)
    try:
        payload = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
        found, issuer = claims["aud"], claims.get("iss")
    except (IndexError, ValueError, KeyError, TypeError):
        text = "it is opaque: only the provider can read it"
        return text if audience else f"{text}; {NO_AUDIENCE}"
    if audience is None:
        return f"its aud is {quoted(found)}; {NO_AUDIENCE}"
    if audience not in (found if isinstance(found, list) else [found]):
        return f"its aud is {quoted(found)}, and not {audience}"
    return f"its aud is {audience}, its iss {quoted(issuer)}: the API wants others, or other keys"


def session_store(exam: Examination) -> Iterator[Finding]:
    """The store answers; one file is for one machine."""
    session_interface().store.add(f"doctor {secrets.token_hex(8)}", "1", 10)
    url = exam.settings.session_redis_url
    if url is None:
        text = "one SQLite file: right for one machine, not for several"
        yield note("session store", text, "SESSION_REDIS_URL, for several")
    elif url.startswith("redis://") and not is_loopback(urlsplit(url).hostname):
        text = "Redis answers, without TLS (what it holds is encrypted, its password is not)"
        yield note("session store", text, "SESSION_REDIS_URL=rediss://…")
    else:
        yield ok("session store", "Redis answers")


def public_address(exam: Examination) -> Iterator[Finding]:
    """Anybody but this machine comes by https."""
    base, is_https = exam.settings.app_base_url, exam.settings.is_https
    otherwise = f"{base} is http: codes and cookies travel open"
    yield judged("public address", is_https, base, otherwise, WRITE_HTTPS)


def cookies(exam: Examination) -> Iterator[Finding]:
    """Cookies are for https and this host only."""
    right = "Secure, HttpOnly, SameSite=Lax, and __Host-"
    otherwise = "HttpOnly and SameSite=Lax, but neither Secure nor __Host-"
    yield judged("cookies", exam.settings.is_https, right, otherwise, WRITE_HTTPS)


def reverse_proxy(exam: Examination) -> Iterator[Finding]:
    """Visitors at the public address reach this app, by the name that it knows."""
    base, hops = exam.settings.app_base_url, exam.settings.trusted_proxy_hops
    if exam.settings.is_https and not hops:
        text = "none is trusted: right where gunicorn ends TLS, or what ends it adds no header"
        yield note("reverse proxy", text, "TRUSTED_PROXY_HOPS=1, behind one")
    try:
        alive = exam.rp.http.get(f"{base}/healthz").json_object().get("status") == "ok"
        home = exam.rp.http.get(f"{base}/")
    except NoResponse:
        yield note("reverse proxy", f"{base} does not answer; start the app and ask again")
        return
    if alive and home.headers.get("Location") == f"{base}/":
        text = f"{base} leads to itself for ever: the app is told another host name, or http"
        change = "the proxy: pass Host on, and X-Forwarded-Proto; TRUSTED_PROXY_HOPS: how many "
        yield wrong("reverse proxy", text, f"{change}proxies do that")
    elif not alive or home.status != 200:
        text = f"{base} is answered by something else (status {home.status})"
        yield wrong("reverse proxy", text, "APP_BASE_URL, or what the proxy leads to")
    else:
        yield ok("reverse proxy", f"{base} leads here, with {hops} trusted in between")


def provider(exam: Examination) -> Iterator[Finding]:
    """The demo's provider lets everybody in as anybody."""
    is_demo = is_loopback(urlsplit(exam.settings.issuer).hostname)
    otherwise = f"{exam.settings.issuer} is on this machine, as the demo's is"
    yield judged("provider", not is_demo, "not on this machine", otherwise, "AUTH0_DOMAIN")


def secret_key(exam: Examination) -> Iterator[Finding]:
    """The keys look as if they were drawn at random."""
    keys = exam.settings.secret_keys
    if any(len(set(key)) < FEWEST_CHARACTERS for key in keys):
        text = "a key repeats few characters: it can be guessed"
        yield wrong("secret key", text, "APP_SECRET_KEY, see .env.example")
    elif len(keys) > 1:
        text = f"{len(keys)}: the old ones can go when their longest session is over"
        yield note("secret key", text, "APP_SECRET_KEY")
    else:
        yield ok("secret key", "one, long enough")


def settings_file(exam: Examination) -> Iterator[Finding]:
    """Nobody else on this machine reads the secrets."""
    path = Path(exam.app.root_path, ".env")
    is_open, change = path.exists() and path.stat().st_mode & 0o077, "its mode: chmod 600 .env"
    right, otherwise = ".env is private, or not used", "other users may read .env"
    yield judged("settings file", not is_open, right, otherwise, change)


def debugging(exam: Examination) -> Iterator[Finding]:
    """Nothing shows what happens inside."""
    names = sorted(n for n in os.environ if n == "FLASK_DEBUG" or n.startswith("SHOW_"))
    on = " and ".join(name for name in names if os.environ[name] not in ("", "0"))
    otherwise, change = f"{on}: on, for everybody to see", "the environment: take it out"
    yield judged("debugging", not on, "off", otherwise, change)


def session_lifetime(exam: Examination) -> Iterator[Finding]:
    """How long a forgotten browser stays signed in."""
    idle, absolute = exam.settings.session_idle_seconds, exam.settings.session_absolute_seconds
    text = f"sessions end {idle} s after their last use, {absolute} s after sign-in"
    if absolute > LONGEST_SECONDS:
        yield note("session lifetime", text, "SESSION_ABSOLUTE_SECONDS: a month is a long time")
    else:
        yield ok("session lifetime", text)


CHECKS = (api, access_token)
# The list of docs/production.md, in its order.
PRODUCTION = (
    public_address, cookies, reverse_proxy, provider, secret_key, settings_file, session_store,
    session_lifetime, debugging,
)  # fmt: skip
