"""Who may pass: every view is closed unless it is marked, and changes come from our own pages."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, cast
from urllib.parse import quote, urlsplit

from flask import current_app, g, redirect, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from sessions import PROBES, current_session

from .errors import Error, SignInNeeded
from .relying_party import relying_party
from .token_set import SESSION_KEY, SignIn

log = logging.getLogger("app.access")

View = TypeVar("View", bound=Callable[..., Any])

MAX_BODY_BYTES = 64 * 1024
MAX_HEAD_BYTES = 32 * 1024
# Parsing these takes more time than their length says.
PARSED_HEADERS = (
    "HTTP_ACCEPT", "HTTP_ACCEPT_LANGUAGE", "HTTP_ACCEPT_ENCODING", "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MATCH", "HTTP_RANGE", "HTTP_CACHE_CONTROL",
)  # fmt: skip
MAX_PARSED_LENGTH = 1000
# Of a request that is redirected: proxies limit headers.
MAX_TARGET_LENGTH = 2500
# The last redirects to our own address: where they are all the same, they lead to themselves.
_redirected: deque[tuple[str, float]] = deque([("", 0.0)] * 3, maxlen=3)


def public(view: View) -> View:
    """Mark a view that may be seen without being signed in; every other one may not."""
    return _marked(view, "public")


def without_session(view: View) -> View:
    """Mark a public view that answers although the session store does not."""
    return _marked(_marked(view, "public"), "without_session")


def from_anywhere(view: View) -> View:
    """Mark a view that may be posted to by others than our own pages, such as the provider."""
    return _marked(view, "from_anywhere")


def max_request_bytes(number: int) -> Callable[[View], View]:
    """Mark a view that takes larger bodies (uploads) than the 64 KB that others take."""
    return lambda view: _marked(view, "max_request_bytes", number)


def _marked(view: View, mark: str, value: Any = True) -> View:
    setattr(view, f"_{mark}", value)
    return view


def _mark(mark: str, default: Any = False) -> Any:
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, f"_{mark}", default)


def require_small_request() -> None:
    """Refuse a head that is too large, or a body that says so, and do not parse header values that
    are too long. Raises Error."""
    fields = request.environ.items()
    head = sum(len(name) + len(value) for name, value in fields if name.startswith("HTTP_"))
    if head + len(request.query_string) > MAX_HEAD_BYTES:
        raise Error("long_headers", f"{head} bytes")
    for name in PARSED_HEADERS:
        if len(request.environ.get(name, "")) > MAX_PARSED_LENGTH:
            del request.environ[name]
    limit = _mark("max_request_bytes", MAX_BODY_BYTES)
    request.max_content_length = limit + 1  # where Werkzeug cuts chunks off, without a word
    if (request.content_length or 0) > limit:
        raise Error("too_large", f"{request.content_length} bytes, {limit} allowed")


def require_own_address() -> Response | None:
    """Send a visitor under another host name, or by http though our address is https, to the
    configured address. Raises Error.

    The redirect URI is never built from request headers, and cookies belong to a host: a sign-in
    that begins on 127.0.0.1 would return to localhost without its cookie.
    """
    settings = relying_party().settings
    own = urlsplit(settings.app_base_url)
    # A proxy may or may not have added the usual port.
    usual = 443 if settings.is_https else 80
    is_own_host = request.host.lower() in (own.netloc, f"{own.netloc}:{usual}")
    # Without a proxy that we trust, nobody knows by what a visitor came.
    is_downgraded = (
        settings.is_https
        and settings.trusted_proxy_hops > 0
        and request.scheme == "http"
        and "HTTP_X_FORWARDED_PROTO" in request.environ
    )
    if (is_own_host and not is_downgraded) or request.path in PROBES:
        return None
    query = quote(request.query_string.decode("latin-1"), safe="!$&'()*+,;=:@/?%-._~")
    target = quote(request.path) + (f"?{query}" if query else "")
    if request.method not in ("GET", "HEAD") or len(target) > MAX_TARGET_LENGTH:
        raise Error("wrong_host", f"{request.method} under another address, or too long")
    _redirected.append((target, time.monotonic()))
    if len({path for path, _ in _redirected}) == 1 and _redirected[-1][1] - _redirected[0][1] < 5:
        log.warning(
            "The redirect to %s seems to lead to itself: a proxy passes neither Host nor "
            "X-Forwarded-Host and X-Forwarded-Proto on, or TRUSTED_PROXY_HOPS does not count it",
            settings.app_base_url,
        )
    return redirect(settings.app_base_url + target, 302)


def require_same_origin() -> None:
    """Refuse a request that changes something unless it comes from one of our own pages.

    Browsers say where a request comes from and pages cannot forge it. A client that says nothing
    is no browser, so nobody's cookies were borrowed. Raises Error("cross_site").
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or _mark("from_anywhere"):
        return
    own = relying_party().settings.app_base_url
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin", own)
    # `same-site` is not enough: a neighbour on a sibling host name is not us.
    if site not in ("same-origin", "none") or origin != own:
        raise Error("cross_site", f"Sec-Fetch-Site {site[:40]!r}, Origin {origin[:200]!r}")


def is_cross_site() -> bool:
    """Whether a page of another site led here. Browsers say so on https and on this machine; over
    plain http there is only the Referer."""
    own, referer = relying_party().settings.app_base_url, request.headers.get("Referer", "")
    site = request.headers.get("Sec-Fetch-Site") or (
        "none" if f"{referer}/".startswith(f"{own}/") or not referer else "cross-site"
    )
    return site not in ("same-origin", "none")


def require_sign_in() -> None:
    """Let signed-in people pass, everybody to the public views, and nobody else.

    Raises SignInNeeded; Error("store_unavailable") where it cannot be known who this is.
    """
    if request.endpoint in (None, "static"):
        return
    session = current_session()
    if session.unavailable and not _mark("without_session"):
        raise Error("store_unavailable", str(session.unavailable), retry_after=5)
    # Not the session alone: a view may have cleared it, or another version of this app stored it.
    if current_sign_in() is None and not _mark("public"):
        raise SignInNeeded


def require_small_body() -> None:
    """Read the body, also where no view does, and refuse one that is malformed or too large. Last:
    a stranger's is not waited for. Raises Error."""
    limit = _mark("max_request_bytes", MAX_BODY_BYTES)
    try:
        body = request.get_data()
    except HTTPException:
        raise
    except Exception as error:  # each server has its own for a body of malformed chunks
        raise Error("bad_request", f"the body: {type(error).__name__}") from None
    if len(body) > limit:
        raise Error("too_large", f"in chunks, {limit} allowed")


# What a request passes before its view, in this order.
CHECKS = (
    require_small_request, require_own_address, require_same_origin, require_sign_in,
    require_small_body,
)  # fmt: skip


def current_sign_in() -> SignIn | None:
    """Return the sign-in of the visitor, None if nobody is signed in."""
    session = current_session()
    # A visitor's own data is nobody's sign-in, whatever its keys.
    stored = session.get(SESSION_KEY) if session.key else None
    # Every change puts another object there, so what was read of this one is never out of date.
    if g.get("sign_in", (None, None))[0] is not stored:
        g.sign_in = stored, SignIn.from_session({SESSION_KEY: stored})
    return cast(SignIn | None, g.sign_in[1]) if stored else None


def needed_sign_in() -> SignIn:
    """Return the sign-in of the visitor. Raises SignInNeeded where nobody is signed in."""
    sign_in = current_sign_in()
    if sign_in is None:
        raise SignInNeeded
    return sign_in
