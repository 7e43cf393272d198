"""Where the app runs: the API, the session store, and the checklist of docs/production.md."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from auth.outbound import Answer, NoAnswer
from hosts import is_loopback

from .case import Case
from .line import Line, note, ok, quoted, wrong

# Fewer different characters than this have no secret of 32 characters that was drawn at random.
FEWEST_CHARACTERS = 12
LONGEST_SECONDS = 30 * 86400
ENV_FILE = Path(__file__).parent.parent / ".env"


def api(case: Case) -> Iterator[Line]:
    """The API answers, and to nobody without a good access token."""
    settings = case.settings
    if settings.api_base_url is None:
        yield note("API", "none: the pages that need it say so", "API_BASE_URL")
        return
    contacts = settings.contacts_api_base_url or settings.api_base_url
    for url in (f"{settings.api_base_url}/appointments", f"{contacts}/contacts"):
        try:
            without = case.rp.outbound.get(url)
            invented = case.rp.outbound.get(url, {"Authorization": "Bearer no-such-token"})
        except NoAnswer as error:
            yield wrong("API", f"{url} does not answer ({quoted(error)})", "API_BASE_URL")
            continue
        yield _api_line(url, without, invented)


def _api_line(url: str, without: Answer, invented: Answer) -> Line:
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


def session_store(case: Case) -> Iterator[Line]:
    """The store answers; one file is for one machine."""
    case.store.ping()
    url = case.settings.session_redis_url
    if url is None:
        text = "one SQLite file: right for one machine, not for several"
        yield note("session store", text, "SESSION_REDIS_URL, for several")
    elif url.startswith("redis://") and not is_loopback(urlsplit(url).hostname):
        text = "Redis answers, without TLS (what it holds is encrypted, its password is not)"
        yield note("session store", text, "SESSION_REDIS_URL=rediss://…")
    else:
        yield ok("session store", "Redis answers")


def public_address(case: Case) -> Iterator[Line]:
    """Anybody but this machine comes by https."""
    base = case.settings.app_base_url
    if case.settings.is_https:
        yield ok("public address", base)
    else:
        text = f"{base} is http: codes and cookies travel open"
        yield wrong("public address", text, "APP_BASE_URL=https://…")


def cookies(case: Case) -> Iterator[Line]:
    """Cookies are for https and this host only."""
    if case.settings.is_https:
        yield ok("cookies", "Secure, HttpOnly, SameSite=Lax, and __Host-")
    else:
        text = "HttpOnly and SameSite=Lax, but neither Secure nor __Host-"
        yield wrong("cookies", text, "APP_BASE_URL=https://…")


def reverse_proxy(case: Case) -> Iterator[Line]:
    """Visitors at the public address reach this app, by the name that it knows."""
    base, hops = case.settings.app_base_url, case.settings.trusted_proxy_hops
    if case.settings.is_https and not hops:
        text = "none is trusted: right where gunicorn ends TLS, or what ends it adds no header"
        yield note("reverse proxy", text, "TRUSTED_PROXY_HOPS=1, behind one")
    try:
        alive = case.rp.outbound.get(f"{base}/healthz").json_object().get("status") == "ok"
        home = case.rp.outbound.get(f"{base}/")
    except NoAnswer:
        yield note("reverse proxy", f"{base} does not answer; start the app and ask again")
        return
    if alive and home.headers.get("Location") == f"{base}/":
        text = f"{base} leads to itself for ever: the proxy hides the host name that was asked for"
        change = "the proxy: pass Host on; or TRUSTED_PROXY_HOPS: how many proxies there are"
        yield wrong("reverse proxy", text, change)
    elif not alive or home.status != 200:
        text = f"{base} is answered by something else (status {home.status})"
        yield wrong("reverse proxy", text, "APP_BASE_URL, or what the proxy leads to")
    else:
        yield ok("reverse proxy", f"{base} leads here, with {hops} trusted in between")


def provider(case: Case) -> Iterator[Line]:
    """The demo's provider lets everybody in as anybody."""
    if is_loopback(urlsplit(case.settings.issuer).hostname):
        text = f"{case.settings.issuer} is on this machine, as the demo's is"
        yield wrong("provider", text, "AUTH0_DOMAIN")
    else:
        yield ok("provider", "not on this machine")


def secret_key(case: Case) -> Iterator[Line]:
    """The keys look as if they were drawn at random."""
    keys = case.settings.secret_keys
    if any(len(set(key)) < FEWEST_CHARACTERS for key in keys):
        text = "a key repeats few characters: it can be guessed"
        yield wrong("secret key", text, "APP_SECRET_KEY, see .env.example")
    elif len(keys) > 1:
        text = f"{len(keys)}: the old ones can go when their longest session is over"
        yield note("secret key", text, "APP_SECRET_KEY")
    else:
        yield ok("secret key", "one, long enough")


def settings_file(case: Case) -> Iterator[Line]:
    """Nobody else on this machine reads the secrets."""
    if ENV_FILE.exists() and ENV_FILE.stat().st_mode & 0o077:
        yield wrong("settings file", "other users may read .env", "its mode: chmod 600 .env")
    else:
        yield ok("settings file", ".env is private, or not used")


def debugging(case: Case) -> Iterator[Line]:
    """Nothing shows what happens inside."""
    on = [name for name in ("FLASK_DEBUG", "SHOW_FLOW") if os.environ.get(name, "0") not in "0"]
    if on:
        text = f"{' and '.join(on)}: on, for everybody to see"
        yield wrong("debugging", text, "the environment: take it out")
    else:
        yield ok("debugging", "off")


def session_lifetime(case: Case) -> Iterator[Line]:
    """How long a forgotten browser stays signed in."""
    idle, absolute = case.settings.session_idle_seconds, case.settings.session_absolute_seconds
    text = f"sessions end {idle} s after their last use, {absolute} s after sign-in"
    if absolute > LONGEST_SECONDS:
        yield note("session lifetime", text, "SESSION_ABSOLUTE_SECONDS: a month is a long time")
    else:
        yield ok("session lifetime", text)


CHECKS = (api,)
# The list of docs/production.md, in its order.
PRODUCTION = (
    public_address, cookies, reverse_proxy, provider, secret_key, settings_file, session_store,
    session_lifetime, debugging,
)  # fmt: skip
