"""The routes of the flow: `/login`, `/callback`, `/logout`, in the order a person meets them."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from flask import (
    Blueprint,
    after_this_request,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from config import is_scope_token
from sessions import SessionEnded, StoreUnavailable, current_session, session_records

from . import signals
from .access_control import current_sign_in, from_anywhere, is_cross_site, public, without_session
from .authorization import (
    begin_sign_in,
    check_authorization_response,
    read_authorization_response,
    scope_of,
)
from .errors import Error, SignInNeeded, error_response, log_error, this_page, wants_json
from .id_token import session_expiry, verify_id_token
from .login_transaction import LIFETIME_SECONDS, BrowserSecret, LoginTransaction, safe_return_to
from .logout import end_oldest_sessions, sign_out, was_logged_out_since
from .refresh import lock_and_read_sign_in
from .relying_party import RelyingParty, relying_party
from .token_endpoint import exchange_code, revoke_all
from .token_set import SESSION_KEY, SignIn, TokenSet
from .userinfo import fetch_userinfo_claims

bp = Blueprint("auth", __name__)

# Parameters of `/login` that go on to the provider as they are.
PASSED_ON = (
    "invitation", "organization_name", "prompt", "login_hint", "screen_hint", "ui_locales",
    "connection",
)  # fmt: skip
MAX_PARAMETER_LENGTH = 2000
# How long one callback waits for another of the same sign-in (a double click), and how long that
# one has.
EXCHANGE_SECONDS = 30.0
# Causes of a session that is not kept, for the operator.
NOT_KEPT = (
    "the second sign-in in a moment found no session of the first: the browser drops the session "
    "cookie, or several replicas have a SQLite file each (set SESSION_REDIS_URL), or the store "
    "evicts sessions (Redis: maxmemory-policy noeviction)"
)


@bp.route("/login", methods=["GET", "POST"])
@from_anywhere
@without_session
def login() -> Response:
    """Send the browser to the provider, to sign in and come back to `return_to`.

    OIDC Core section 4: a third party may start a sign-in, by GET or POST, with `iss` and
    `target_link_uri`.
    """
    rp = relying_party()
    given = request.args if request.method == "GET" else request.form
    if "iss" in given and given["iss"] != rp.provider.metadata().issuer:
        raise Error("foreign_issuer", f"iss is {given['iss'][:200]!r}")
    values = {name: _parameter(given, name) for name in (*PASSED_ON, "scope", "organization")}
    scope = values["scope"].split() if not is_cross_site() else []
    if not all(is_scope_token(word) for word in scope):
        raise Error("bad_request", "scope has characters that no scope may have")
    sign_in = current_sign_in()
    if scope and sign_in:
        # Asking for one more must not give up what was asked for one by one before.
        scope = [*sign_in.scope_asked, *scope]
    target = given.get("target_link_uri", "").removeprefix(rp.settings.app_base_url)
    return_to = safe_return_to(given.get("return_to")) or safe_return_to(target) or "/"
    params = {name: values[name] for name in PASSED_ON if values[name]}
    organization = values["organization"] or None
    return begin_sign_in(return_to=return_to, scope=scope, organization=organization, params=params)


def _parameter(given: Any, name: str) -> str:
    value = str(given.get(name, ""))
    if len(value) > MAX_PARAMETER_LENGTH or not value.isprintable():
        raise Error("bad_request", f"{name} is too long or has control characters")
    return value


@bp.get("/callback")
@without_session
def callback() -> Response:
    """Finish a sign-in: `state`, `iss`, `error`, the code, the ID token, a new session."""
    rp, session = relying_party(), current_session()
    try:
        response = read_authorization_response(request.args)
        transaction = LoginTransaction.from_state(rp.encryptor, response.state or "")
        if transaction is None:
            raise Error("malformed_callback", "state is not one of ours")
        g.return_to = transaction.return_to
        if session.unavailable:
            raise session.unavailable
        browser = BrowserSecret.from_request(request, rp.settings)
        if browser is None or not transaction.belongs_to(browser):
            what = "no sign-in cookie" if browser is None else "late, or of another browser"
            stale = Error("stale_sign_in", what)
            if session.key is None or session.stored.started_at < transaction.created_at:
                raise stale
            # Tabs opened together each get a sign-in cookie, and the last one wins. If one of them
            # has signed the person in, show the page and no error.
            signals.sign_in_failed.send(rp, code=stale.code, detail=stale.detail)
            return redirect(transaction.return_to, 302)
        code = check_authorization_response(response, rp.provider.metadata())
        return _finish(rp, code, transaction, browser)
    except StoreUnavailable as error:
        signals.sign_in_failed.send(rp, code="store_unavailable", detail=str(error))
        raise
    except Error as error:
        signals.sign_in_failed.send(rp, code=error.code, detail=error.detail)
        raise


def _finish(
    rp: RelyingParty, code: str, transaction: LoginTransaction, browser: BrowserSecret
) -> Response:
    """Exchange the code, once, however often the callback is loaded; start the session."""
    store, name = session_records().store, f"sign-in {transaction.id}"
    deadline = time.monotonic() + EXCHANGE_SECONDS
    while not store.add(name, "in progress", EXCHANGE_SECONDS):
        if store.get(name) == "done" or time.monotonic() > deadline:
            return redirect(transaction.return_to, 302)
        time.sleep(0.1)
    try:
        if browser.is_looping() and current_session().is_lost():
            _forget_last_sign_in(rp)
            raise Error("sign_in_not_kept", NOT_KEPT)
        sub = _exchange_and_start_session(rp, code, transaction, browser)
    except SessionEnded:
        store.swap(name, "in progress", "done", LIFETIME_SECONDS)  # the code is spent
        signals.sign_in_failed.send(rp, code="signed_out_meanwhile", detail="")
        return redirect(transaction.return_to, 302)
    except BaseException:
        store.remove(name, "in progress")
        raise
    store.swap(name, "in progress", "done", LIFETIME_SECONDS)
    signals.signed_in.send(rp, sub=sub)
    response = redirect(transaction.return_to, 303)
    browser.set_cookie(response, rp.settings, int(time.time()))
    return response


def _exchange_and_start_session(
    rp: RelyingParty, code: str, transaction: LoginTransaction, browser: BrowserSecret
) -> str:
    """Exchange the code, check the ID token, store the session; return the `sub`.

    Raises Error; SessionEnded where a sign-out or logout came while the provider answered.
    """
    began_at = time.time()
    key = rp.dpop.derive_key(browser.derived("DPoP", transaction.id)) if rp.dpop else None
    code_verifier = browser.derived("code verifier", transaction.id)
    token_set, id_token = exchange_code(rp, code, code_verifier, key)
    claims = verify_id_token(
        rp,
        id_token,
        token_set.access_token,
        nonce=browser.derived("nonce", transaction.id),
        organization=transaction.organization,
        acr_values=transaction.acr_values,
        max_age=transaction.max_age,
    )
    scope = scope_of(rp, transaction)
    sign_in = SignIn(
        id_token=str(id_token),
        claims=claims,
        userinfo=fetch_userinfo_claims(rp, claims, token_set.access_token, scope, key),
        dpop_key=key,
        scope_asked=scope,
        browser=request.user_agent.string[:200],
        token_sets={},
    )
    try:
        _start_session(rp, transaction, sign_in, token_set, began_at)
    except (SessionEnded, Error):
        # Not where the response failed a check: some providers would end an earlier session's
        # grant with it.
        revoke_all(rp, [token_set.refresh_token])
        raise
    return str(claims["sub"])


def _start_session(
    rp: RelyingParty,
    transaction: LoginTransaction,
    sign_in: SignIn,
    token_set: TokenSet,
    began_at: float,
) -> None:
    """Store the sign-in in a session with a new id."""
    session, claims = current_session(), sign_in.claims
    takes_over = bool(transaction.audience)
    earlier = lock_and_read_sign_in() if takes_over else current_sign_in()
    is_same = earlier and all(earlier.claims.get(n) == claims.get(n) for n in ("sub", "org_id"))
    if earlier and is_same and takes_over and not sign_in.dpop_key:
        # Not by DPoP: those token sets are bound to the earlier key, which this sign-in has not.
        sign_in = replace(sign_in, token_sets=earlier.token_sets)
    # What pages stored for this person, or for this visitor before the sign-in, stays.
    stays = is_same or session.key is None
    data = {k: v for k, v in session.items() if stays and k != SESSION_KEY}
    for hook in rp.sign_in_hooks:
        hook(sign_in.all_claims(), data)
    data[SESSION_KEY] = sign_in.with_tokens(transaction.audience or "", token_set).to_session()
    refs = [rp.ref(n, claims[n]) for n in ("sub", "sid") if isinstance(claims.get(n), str)]
    session.start(data, refs, session_expiry(claims))
    if was_logged_out_since(refs, claims["iat"], began_at):
        session.end()
        raise SessionEnded
    end_oldest_sessions(refs[0])


@bp.post("/logout")
@public
def logout() -> Response:
    """Sign out here and at the provider."""
    was_signed_in = current_session().key is not None
    return logout_response(sign_out(), was_signed_in)


@bp.get("/logout")
@public
def confirm_logout() -> Response:
    """Offer the button: signing out by a link would let other sites sign people out."""
    if current_session().key is None:
        return redirect("/", 302)
    return make_response(render_template("logout.html", url=None))


def logout_response(url: str | None, was_signed_in: bool = True) -> Response:
    """Lead on to the provider's logout: by a page that goes on by itself, since browsers hold every
    redirect of a form's response against `form-action`, and proxies limit headers."""
    rp = relying_party()
    _forget_last_sign_in(rp)
    if wants_json():
        return jsonify(logout_url=url or f"{rp.settings.app_base_url}/")
    if url is None:
        if was_signed_in:
            flash(
                _("You are signed out here. Your account at the sign-in service may still be open.")
            )
        return redirect("/", 302)
    return make_response(render_template("logout.html", url=url))


def _forget_last_sign_in(rp: RelyingParty) -> None:
    """Let the next sign-in of this browser be no second one, see `BrowserSecret.is_looping`."""

    @after_this_request
    def forget(response: Any) -> Any:
        if browser := BrowserSecret.from_request(request, rp.settings):
            browser.set_cookie(response, rp.settings, 0)
        return response


def lead_to_sign_in(needed: SignInNeeded) -> Any:
    """Answer a request that needs a sign-in: a redirect for a person, an error for the rest."""
    # A redirect to the provider would lead a script nowhere, even one that asks for HTML.
    is_script = wants_json() or request.headers.get("Sec-Fetch-Dest") == "empty"
    if is_script or request.method not in ("GET", "HEAD"):
        return error_response(needed)
    sign_in = current_sign_in()
    # Another organization would be another sign-in: what pages stored for this one would be lost.
    org_id = sign_in.claims.get("org_id") if sign_in else None
    organization = org_id if isinstance(org_id, str) and org_id.startswith("org_") else None
    if sign_in is None or (needed.code == "sign_in_needed" and needed.audience is None):
        if needed.detail:
            log_error(needed)
        same = f"&organization={quote(organization)}" if organization else ""
        return redirect(f"/login?return_to={quote(this_page(), safe='/')}{same}", 302)
    # `/login` takes neither audience nor max_age: nobody but a page can choose one. What was asked
    # for one by one before must not be lost.
    try:
        return begin_sign_in(
            return_to=this_page(),
            scope=(*sign_in.scope_asked, *(needed.scope or "").split()),
            audience=needed.audience,
            organization=organization,
            params=needed.params,
        )
    except Error as error:
        return error_response(error)
