"""All that can go wrong: one table of pages, and the place where an error becomes a response.

A page has a status, sentences for the person and the ways on. The code and the detail go to the
log; the detail is never shown, because it may quote the provider.
"""

from __future__ import annotations

import logging
import secrets
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

from flask import Flask, current_app, g, json, make_response, render_template, request
from flask_babel import gettext
from flask_babel import lazy_gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from sessions import StoreUnavailable

from .login_transaction import safe_return_to

log = logging.getLogger("app.errors")


class Page(NamedTuple):
    """HTTP status, what happened, what to do, and which ways on the page offers."""

    status: int
    title: Any
    text: Any
    ways: tuple[str, ...] = ("home",)


SIGN_IN = ("sign_in", "home")
OTHER_ACCOUNT = ("sign_in", "other_account", "home")
RETRY = ("retry", "home")

PAGES = {
    # The authorization response (RFC 6749 section 4.1.2, RFC 9207, OIDC Core section 3.1.2.6)
    **dict.fromkeys(("malformed_callback", "wrong_issuer", "wrong_nonce"), Page(
        400, _("This sign-in cannot be finished"),
        _("The answer that came back was incomplete, damaged or not meant for this app. Please "
        "sign in again."), SIGN_IN)),
    "stale_sign_in": Page(400, _("This sign-in cannot be finished"),
        _("It took longer than an hour, or it began in another browser, or this browser keeps no "
        "cookies of this site. Please sign in again; if you end up here again, allow cookies for "
        "this site."), SIGN_IN),
    "code_refused": Page(400, _("This sign-in cannot be finished"),
        _("The sign-in service no longer accepts it: it took too long, or was used "
        "before."), SIGN_IN),
    "sign_in_not_kept": Page(400, _("You signed in, but it was not remembered"),
        _("This happened twice within seconds, so we stopped instead of sending you round and "
        "round. Allow cookies for this site and try again; if that does not help, tell the people "
        "who run this app."), SIGN_IN),
    "sign_in_refused": Page(403, _("The sign-in was not finished"),
        _("It was cancelled, or access was not granted. If you were signed in already, you still "
        "are."), OTHER_ACCOUNT),
    "account_refused": Page(403, _("This account cannot be used here"),
        _("The sign-in service did not let it in. You can sign in with another account, or ask "
        "the people who run this app."), OTHER_ACCOUNT),
    "refused_by_app": Page(403, _("This account cannot be used here"),
        _("You were not signed in."), OTHER_ACCOUNT),
    "interaction_required": Page(401, _("You need to sign in"),
        _("The sign-in service wants to ask you something first. Please sign in."), SIGN_IN),
    "provider_error": Page(502, _("The sign-in service could not sign you in"),
        _("It reported an error of its own. Please try again in a few minutes."), SIGN_IN),
    "request_refused": Page(502, _("This app is not set up correctly"),
        _("The sign-in service did not accept the app's request. Please tell the people who run "
        "it."), SIGN_IN),
    # The token response (RFC 6749 section 5) and the ID token (OIDC Core section 3.1.3.7)
    "bad_token_response": Page(502, _("The sign-in service gave an unusable answer"),
        _("You were not signed in. Please try again in a few minutes."), SIGN_IN),
    "bad_id_token": Page(502, _("The sign-in service gave an answer that cannot be trusted"),
        _("You were not signed in. Please try again; if it happens again, tell the people who "
        "run this app."), SIGN_IN),
    "stale_authentication": Page(403, _("A fresh sign-in is needed"),
        _("For your security, please sign in again to continue."), SIGN_IN),
    "weaker_authentication": Page(403, _("A stronger sign-in is needed"),
        _("What you asked for needs a stronger sign-in, such as one with a second factor, and "
        "that did not happen."), SIGN_IN),
    "wrong_organization": Page(403, _("You signed in to another organization"),
        _("This sign-in asked for a certain organization, and the answer was for another one or "
        "for none. You were not signed in."), OTHER_ACCOUNT),
    "provider_unreachable": Page(503, _("The sign-in service cannot be reached"),
        _("It is not answering at the moment. Please try again in a minute."), RETRY),
    "provider_timeout": Page(504, _("The sign-in service takes too long"),
        _("It did not answer in time. Please try again in a minute."), RETRY),
    "bad_metadata": Page(502, _("The sign-in service is not set up correctly"),
        _("What it says about itself does not fit this app's settings. Please tell the people "
        "who run it."), RETRY),
    "metadata_of_all_tenants": Page(502, _("This app is not set up correctly"),
        _("Its setting AUTH0_DOMAIN names a sign-in service for all tenants. It needs the address "
        "with the id of your own tenant. Please tell the people who run it."), RETRY),
    # The session
    "sign_in_needed": Page(401, _("You need to sign in"), _("Sign in to see this page."), SIGN_IN),
    "store_unavailable": Page(503, _("Your session cannot be looked up right now"),
        _("Nothing is lost. Please try again in a minute."), RETRY),
    "refresh_unavailable": Page(503, _("Your access cannot be renewed right now"),
        _("The sign-in service is not answering. You are still signed in; please try again in a "
        "minute."), RETRY),
    "missing_claim": Page(403, _("You are not allowed to see this"),
        _("Your account lacks what this page asks for."), OTHER_ACCOUNT),
    "cross_site": Page(403, _("Nothing was changed"),
        _("That request came from another site. If it was you, use the button on this site's own "
        "page.")),
    "foreign_issuer": Page(400, _("This sign-in cannot be started"),
        _("It asks for another sign-in service than the one this app uses.")),
    "bad_logout_token": Page(400, _("This logout cannot be accepted"),
        _("The logout token is not valid.")),
    # The API
    "api_not_configured": Page(404, _("This page has no API yet"),
        _("The app's setting API_BASE_URL is empty. Write the base URL of the API there and "
        "start the app again.")),
    "api_refused_token": Page(502, _("The API did not accept this app"),
        _("It refused this app's permission to ask in your name, though it was just renewed. "
        "Signing in again may help."), SIGN_IN),
    "api_refused": Page(403, _("You are not allowed to see this"),
        _("The API says that you may not see what is on this page.")),
    "insufficient_scope": Page(403, _("One more permission is needed"),
        _("This page needs a permission that has not been granted yet."), ("ask_scope", "home")),
    "api_busy": Page(503, _("The API is busy"),
        _("It asked for a pause. Please try again in a moment."), RETRY),
    "api_failed": Page(502, _("The API could not answer"),
        _("It reported an error of its own. Please try again in a few minutes."), RETRY),
    "api_bad_answer": Page(502, _("The API gave an unusable answer"),
        _("This page cannot be shown at the moment. Please try again in a few minutes."), RETRY),
    "api_unreachable": Page(503, _("The API cannot be reached"),
        _("It is not answering at the moment. Please try again in a minute."), RETRY),
    "api_timeout": Page(504, _("The API takes too long"),
        _("It did not answer in time. Please try again in a minute."), RETRY),
    # HTTP itself
    "bad_request": Page(400, _("This request cannot be understood"),
        _("Something in it was malformed. Go back to the start and try from there.")),
    "wrong_host": Page(400, _("This app has another address"),
        _("It was asked for under a name that is not its own.")),
    "not_found": Page(404, _("Page not found"),
        _("If you typed the address, check that it is right.")),
    "wrong_method": Page(405, _("That does not work here"),
        _("This address cannot be used in that way.")),
    "too_large": Page(413, _("That was too much"),
        _("The request was larger than this app accepts.")),
    "long_headers": Page(431, _("That was too much"),
        _("The browser sent more than this app accepts. Deleting this site's cookies helps.")),
    "internal_error": Page(500, _("Something went wrong here"),
        _("The fault is ours, and it was noted. Please try again."), RETRY),
}  # fmt: skip

CODE_OF_STATUS = {404: "not_found", 405: "wrong_method", 413: "too_large", 431: "long_headers"}


@dataclass(eq=False)
class Error(Exception):
    """Something in the table happened; raised where it is found, answered in `error_response`.

    The code, words for the log, seconds to wait, the scope that was missing, and a sentence for the
    page in the place of the table's.
    """

    code: str
    detail: str = ""
    retry_after: int | None = None
    scope: str | None = None
    text: str | None = None

    def __str__(self) -> str:
        """Return the code and the detail."""
        return f"{self.code}: {self.detail}" if self.detail else self.code


@dataclass(eq=False, kw_only=True)
class SignInNeeded(Error):
    """Nobody is signed in, or not for this API, or not as the page demands (see step_up.py); leads
    to sign-in, with the missing scope, the audience and `params`, and back to the page."""

    code: str = "sign_in_needed"
    audience: str | None = None
    params: dict[str, str] | None = None


def init_app(app: Flask) -> None:
    """Answer every error in one place."""
    app.register_error_handler(Error, error_response)
    app.register_error_handler(StoreUnavailable, _store_unavailable)
    app.register_error_handler(HTTPException, _http_error)


def wants_json() -> bool:
    """Whether the response should be JSON: the request says so, or a script sent it and does not
    ask for HTML."""
    headers, accept = request.headers, request.accept_mimetypes
    if headers.get("X-Requested-With") == "XMLHttpRequest" or headers.get("HX-Request") == "true":
        return True
    if accept.best == "application/json" or accept["application/json"] > accept["text/html"]:
        return True
    return headers.get("Sec-Fetch-Dest") == "empty" and "text/html" not in accept.values()


def _store_unavailable(error: StoreUnavailable) -> Response:
    return error_response(Error("store_unavailable", str(error), retry_after=5))


def _http_error(error: HTTPException) -> Any:
    """What Werkzeug raised, or nobody caught, its trace logged by Flask. An error of the store that
    came up outside of a view, while the session was saved, is still one of ours."""
    original = getattr(error, "original_exception", None)
    if isinstance(original, StoreUnavailable):
        return _store_unavailable(original)
    status = error.code or 500
    if status < 400:
        return error  # a redirect of the router, such as for a missing slash
    code = CODE_OF_STATUS.get(status, "bad_request" if status < 500 else "internal_error")
    response = error_response(Error(code, error.name))
    if error.code == 405:
        response.headers["Allow"] = dict(error.get_headers()).get("Allow", "")
    return response


def log_error(error: Error, reference: str = "-") -> None:
    """Log what was refused, with its reason and its reference."""
    level = logging.ERROR if PAGES[error.code].status >= 500 else logging.WARNING
    where = f"{request.method} {request.url_rule or 'an unknown address'}"
    extra = {"code": error.code, "detail": error.detail, "reference": reference}
    text = "%s at %s: %s (reference %s)"
    log.log(level, text, error.code, where, error.detail or "-", reference, extra=extra)


def error_response(error: Error) -> Response:
    """Log an error with its reference, and return a page or JSON (RFC 9457)."""
    reference = secrets.token_hex(6)
    log_error(error, reference)
    g.error_code = error.code
    page = PAGES[error.code]
    text = error.text or str(page.text)
    if wants_json():
        members = {"type": "about:blank", "title": str(page.title), "status": page.status}
        members |= {"detail": text, "code": error.code, "reference": reference}
        members |= {"scope": error.scope} if error.scope else {}
        response = make_response(json.dumps(members))
        response.mimetype = "application/problem+json"
    else:
        if error.scope:
            text = gettext("%(text)s It is called “%(scope)s”.", text=text, scope=error.scope)
        shown = {"status": page.status, "title": page.title, "text": text, "reference": reference}
        response = make_response(render_template("error.html", error=shown, ways=_ways(error)))
    response.status_code = page.status
    if error.retry_after:
        response.headers["Retry-After"] = str(error.retry_after)
    response.headers["Cache-Control"] = "no-store"
    return response


def this_page() -> str:
    """Return the path and query of this request, as a `return_to`: of a form the page that it was
    on, where the browser says so; `/` otherwise."""
    if request.method in ("GET", "HEAD"):
        # As the browser sent it: decoded, `%23` and `%3F` would end the path.
        path = quote(request.path, safe="/!$&'()*+,;=:@-._~")
        query = request.query_string.decode("latin-1")
        return safe_return_to(f"{path}?{query}" if query else path) or "/"
    origin = current_app.extensions["relying_party"].settings.app_base_url
    page = request.headers.get("Referer", "")
    return (safe_return_to(page.removeprefix(origin)) if page.startswith(origin) else None) or "/"


def _ways(error: Error) -> list[tuple[str, str]]:
    """The ways on, as the table names them. The callback's own URL, with its code, is never one:
    what can be tried again there is the sign-in."""
    is_in_flow = request.endpoint in ("auth.callback", "auth.login")
    wanted = safe_return_to(request.args.get("return_to")) if is_in_flow else this_page()
    wanted = g.get("return_to") or wanted or "/"
    sign_in = f"/login?return_to={quote(wanted, safe='/')}"
    ways = {
        "sign_in": (gettext("Sign in again"), sign_in),
        "other_account": (gettext("Use another account"), f"{sign_in}&prompt=login"),
        "home": (gettext("Go to the start page"), "/"),
    }
    if request.method == "GET":
        ways["retry"] = (gettext("Try again"), sign_in if is_in_flow else wanted)
    if error.scope:
        ask = f"{sign_in}&scope={quote(error.scope, safe='')}"
        ways["ask_scope"] = (gettext("Ask for this permission"), ask)
    return [ways[way] for way in PAGES[error.code].ways if way in ways]
