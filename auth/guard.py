"""Who may pass: every view is closed unless it says otherwise, and changes come from our pages."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import quote

from flask import current_app, redirect, request
from werkzeug.wrappers import Response

from languages import stated_language
from sessions import current_session

from .access import current_sign_in
from .attempt import remember_attempt
from .authorization import build_authorization_request
from .errors import Problem, SignInNeeded
from .relying_party import relying_party
from .return_to import safe_return_to

View = TypeVar("View", bound=Callable[..., Any])

OPEN = "_open_to_all"
WITHOUT_SESSION = "_without_session"
FROM_ANYWHERE = "_from_anywhere"


def open_to_all(view: View) -> View:
    """Mark a view that may be seen without being signed in; every other one may not."""
    setattr(view, OPEN, True)
    return view


def without_session(view: View) -> View:
    """Mark an open view that answers although the session store does not."""
    setattr(view, WITHOUT_SESSION, True)
    return open_to_all(view)


def from_anywhere(view: View) -> View:
    """Mark a view that may be posted to by others than our own pages, such as the provider."""
    setattr(view, FROM_ANYWHERE, True)
    return view


def _is_marked(mark: str) -> bool:
    return bool(getattr(current_app.view_functions.get(request.endpoint or ""), mark, False))


def require_same_origin() -> None:
    """Refuse a request that changes something unless it comes from one of our own pages.

    Browsers say where a request comes from and pages cannot forge it. A client that says nothing
    is no browser, so nobody's cookies were borrowed. Raises Problem("cross_site").
    """
    if request.method in ("GET", "HEAD", "OPTIONS") or _is_marked(FROM_ANYWHERE):
        return
    site = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin", relying_party().settings.app_base_url)
    # `same-site` is not enough: a neighbour on a sibling host name is not us.
    if site not in ("same-origin", "none") or origin != relying_party().settings.app_base_url:
        raise Problem("cross_site", f"Sec-Fetch-Site {site[:40]!r}, Origin {origin[:200]!r}")


def require_small_body() -> None:
    """Refuse a body that is too large also where no view reads it. Raises Problem("too_large")."""
    if (request.content_length or 0) > current_app.config["MAX_CONTENT_LENGTH"]:
        raise Problem("too_large", f"{request.content_length} bytes")


def require_sign_in() -> None:
    """Let signed-in people pass, everybody to the open views, and nobody else.

    Raises SignInNeeded; Problem("store_unavailable") where it cannot be known who this is.
    """
    if request.endpoint in (None, "static"):
        return
    session = current_session()
    if session.unavailable and not _is_marked(WITHOUT_SESSION):
        raise Problem("store_unavailable", str(session.unavailable), retry_after=5)
    if session.key is None and not _is_marked(OPEN):
        raise SignInNeeded


def wants_json() -> bool:
    """Whether the answer should be JSON: the request says so, or a script's `fetch` made it."""
    accept = request.accept_mimetypes
    if accept.best == "application/json" or (accept["application/json"] > accept["text/html"]):
        return True
    fetched = request.headers.get("Sec-Fetch-Dest") == "empty"
    return fetched and "text/html" not in request.headers.get("Accept", "")


def is_fetch() -> bool:
    """Whether a script asked: a redirect to the provider would lead it nowhere."""
    return wants_json() or request.headers.get("Sec-Fetch-Dest") == "empty"


def this_page() -> str:
    """Return the path and query of this request, as a `return_to`; `/` for what is no page."""
    if request.method not in ("GET", "HEAD"):
        return "/"
    path = request.full_path if request.query_string else request.path
    return safe_return_to(path) or "/"


def lead_to_sign_in(needed: SignInNeeded) -> Response | None:
    """Answer a page's SignInNeeded: a redirect for a person, None where an error must do."""
    if request.method not in ("GET", "HEAD") or is_fetch():
        return None
    earlier = current_sign_in()
    if earlier is None or (needed.code == "sign_in_needed" and needed.audience is None):
        return redirect(f"/login?return_to={quote(this_page(), safe='/')}", 302)
    # `/login` takes neither audience nor max_age: nobody but a page can choose one. What was asked
    # for one by one before, and the organization, must not be lost.
    org_id = earlier.claims().get("org_id")
    return send_to_provider(
        return_to=this_page(),
        scope=(*earlier.scope_asked, *(needed.scope or "").split()),
        audience=needed.audience,
        organization=org_id if isinstance(org_id, str) and org_id.startswith("org_") else None,
        params=needed.params,
    )


def send_to_provider(
    *,
    return_to: str,
    scope: tuple[str, ...] = (),
    audience: str | None = None,
    organization: str | None = None,
    params: dict[str, str] | None = None,
) -> Response:
    """Begin a sign-in: the redirect to the authorization endpoint, with the attempt's cookie."""
    rp = relying_party()
    scopes = list(dict.fromkeys((*rp.settings.scope, *scope)))
    url, attempt = build_authorization_request(
        rp,
        return_to=return_to,
        scope=scopes,
        audience=audience,
        organization=organization,
        ui_locales=stated_language(),
        params=params or {},
    )
    response = redirect(url, 302)
    remember_attempt(rp, request, response, attempt)
    return response
