"""Where the app runs: the API, the session store, and the checklist of docs/production.md."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from joserfc import jws
from joserfc.errors import JoseError

from auth import Error, SignIn
from auth.http_client import API
from config import is_loopback
from sessions import session_records

from .examination import Examination, Finding, judged, note, ok, quoted, wrong

# Fewer different characters than this have no secret of 32 characters that was drawn at random.
FEWEST_CHARACTERS = 12
LONGEST_SECONDS = 30 * 86400


def api(exam: Examination) -> Iterator[Finding]:
    """The API answers, and to nobody without a good access token."""
    base_url = exam.settings.api_base_url
    if base_url is None:
        yield note("API", "none: the pages that need it say so", "API_BASE_URL")
        return
    demand = "the API: it must answer 401 (RFC 6750 section 3.1)"
    contacts = exam.settings.contacts_api_base_url or base_url
    headers: tuple[dict[str, str], ...] = ({}, {"Authorization": "Bearer no-such-token"})
    for url in (f"{base_url}/appointments", f"{contacts}/contacts"):
        try:
            without, invented = (exam.rp.http.send("GET", url, each).status for each in headers)
        except Error as error:
            yield wrong("API", f"{url} does not answer ({quoted(error.detail)})", "API_BASE_URL")
            continue
        if without == invented == 401:
            yield ok("API", f"{url} demands an access token")
        elif 404 in (without, invented):
            yield wrong("API", f"{url} does not exist", "API_BASE_URL, or pages/views.py")
        else:
            text = f"{url} answers {without} without an access token"
            yield wrong("API", f"{text}, and {invented} to an invented one", demand)


def access_token(exam: Examination) -> Iterator[Finding]:
    """Whether an API is named, and what it says to the access token of a signed-in person."""
    subject, settings = "access token", exam.settings
    base_url, change = settings.api_base_url, f"AUTH0_AUDIENCE: {exam.where('api')}"
    audience = settings.audience or settings.authorize_params.get("resource")
    if base_url and not audience:
        useless = "; Auth0's access token is then good for /userinfo only" if exam.is_auth0 else ""
        yield note(subject, f"the request names no API{useless}", f"where it answers 401, {change}")
    if base_url is None or exam.sub is None:
        return
    found = session_records().all_with(exam.rp.ref("sub", exam.sub))
    sign_ins = [SignIn.from_session(session.data) for session in found]
    sets = [(each.token_sets[""], each) for each in sign_ins if each and "" in each.token_sets]
    if not sets:
        yield note(subject, f"nobody with the sub {quoted(exam.sub)} has one in a session here")
        return
    tokens, sign_in = max(sets, key=lambda each: each[0].obtained_at)
    if tokens.has_expired():
        yield note(subject, "it has expired", "nothing: open a page that calls the API first")
        return
    url, key, token = f"{base_url}/appointments", sign_in.dpop_key, tokens.access_token
    content = {"codes": API}
    response = exam.rp.send("GET", url, lambda: ({}, content), dpop_key=key, access_token=token)
    right = f"{url} answers {response.status} to it"
    text = f"{url} refuses it: {_describe(token, audience)}"
    yield judged(subject, response.status != 401, right, text, change)


def _describe(token: str, audience: str | None) -> str:
    """What a token says (RFC 9068 section 2.2) that an API may not like."""
    try:
        claims = json.loads(jws.extract_compact(token.encode()).payload)
        found, issuer = claims["aud"], claims.get("iss")
    except (JoseError, ValueError, KeyError, TypeError):
        return "it is opaque, only the provider can read it"
    if audience is None or audience in (found if isinstance(found, list) else [found]):
        return f"its aud is {quoted(found)}, its iss {quoted(issuer)}; the API wants others"
    return f"its aud is {quoted(found)}, and not {audience}"


def session_store(exam: Examination) -> Iterator[Finding]:
    """The store can be written; one file is for one machine."""
    session_records().store.add(f"doctor {secrets.token_hex(8)}", "1", 10)
    url, subject = exam.settings.session_redis_url, "session store"
    if url is None:
        text = "one SQLite file: right for one machine, not for several"
        yield note(subject, text, "SESSION_REDIS_URL, for several")
    elif url.startswith("redis://") and not is_loopback(urlsplit(url).hostname):
        text = "Redis answers, without TLS (what it holds is encrypted, its password is not)"
        yield note(subject, text, "SESSION_REDIS_URL=rediss://…")
    else:
        yield ok(subject, "Redis answers")


def public_address(exam: Examination) -> Iterator[Finding]:
    """Anybody but this machine comes by https."""
    base, is_https = exam.settings.app_base_url, exam.settings.is_https
    text = f"{base} is http: codes and cookies travel open, and cookies are not Secure"
    yield judged("public address", is_https, base, text, "APP_BASE_URL=https://…")


def reverse_proxy(exam: Examination) -> Iterator[Finding]:
    """Visitors at the public address reach this app, by the name that it knows."""
    subject, base = "reverse proxy", exam.settings.app_base_url
    hops = exam.settings.trusted_proxy_hops
    if exam.settings.is_https and not hops:
        text = "none is trusted: right where gunicorn ends TLS, or what ends it adds no header"
        yield note(subject, text, "TRUSTED_PROXY_HOPS=1, behind one")
    try:
        is_alive = exam.rp.http.send("GET", f"{base}/healthz").json_object().get("status") == "ok"
        home = exam.rp.http.send("GET", f"{base}/")
    except Error:
        yield note(subject, f"{base} does not answer; start the app and ask again")
        return
    if is_alive and home.headers.get("Location") == f"{base}/":
        text = f"{base} leads to itself for ever: the app is told another host name, or http"
        change = "the proxy: pass Host and X-Forwarded-Proto on; TRUSTED_PROXY_HOPS: how many do"
        yield wrong(subject, text, change)
    else:
        right = f"{base} leads here, with {hops} trusted in between"
        text = f"{base} is answered by something else (status {home.status})"
        change = "APP_BASE_URL, or what the proxy leads to"
        yield judged(subject, is_alive and home.status == 200, right, text, change)


def provider(exam: Examination) -> Iterator[Finding]:
    """The demo's provider lets everybody in as anybody."""
    is_demo = is_loopback(urlsplit(exam.settings.issuer).hostname)
    text = f"{exam.settings.issuer} is on this machine, as the demo's is"
    yield judged("provider", not is_demo, "not on this machine", text, "AUTH0_DOMAIN")


def secret_key(exam: Examination) -> Iterator[Finding]:
    """The keys look as if they were drawn at random."""
    subject, keys = "secret key", exam.settings.secret_keys
    is_random = all(len(set(key)) >= FEWEST_CHARACTERS for key in keys)
    text, change = "a key repeats few characters: it can be guessed", "APP_SECRET_KEY, .env.example"
    yield judged(subject, is_random, "looks random, and is long enough", text, change)
    if len(keys) > 1:
        text = f"{len(keys)}: the old ones can go when their longest session is over"
        yield note(subject, text, "APP_SECRET_KEY")


def settings_file(exam: Examination) -> Iterator[Finding]:
    """Nobody else on this machine reads the secrets."""
    path = Path(exam.app.root_path, ".env")
    is_open, change = path.exists() and path.stat().st_mode & 0o077, "its mode: chmod 600 .env"
    right, text = ".env is private, or not used", "other users may read .env"
    yield judged("settings file", not is_open, right, text, change)


def session_lifetime(exam: Examination) -> Iterator[Finding]:
    """How long a forgotten browser stays signed in."""
    idle, absolute = exam.settings.session_idle_seconds, exam.settings.session_absolute_seconds
    text = f"sessions end {idle} s after their last use, {absolute} s after sign-in"
    is_long, change = absolute > LONGEST_SECONDS, "SESSION_ABSOLUTE_SECONDS: a month is a long time"
    yield note("session lifetime", text, change) if is_long else ok("session lifetime", text)


def debugging(exam: Examination) -> Iterator[Finding]:
    """Nothing shows what happens inside."""
    names = sorted(n for n in os.environ if n == "FLASK_DEBUG" or n.startswith("SHOW_"))
    on = " and ".join(name for name in names if os.environ[name] not in ("", "0"))
    text, change = f"{on}: on, for everybody to see", "the environment: take it out"
    yield judged("debugging", not on, "off", text, change)


CHECKS = (api, access_token)
# The list of docs/production.md, in its order.
PRODUCTION = (
    public_address, reverse_proxy, provider, secret_key, settings_file, session_store,
    session_lifetime, debugging,
)  # fmt: skip
