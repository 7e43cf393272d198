"""The routes of the flow: `/login`, `/callback`, `/logout`, in the order a person meets them."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, after_this_request, redirect, request
from werkzeug.wrappers import Response

from config_values import is_scope_token
from sessions import SessionEnded, StoreUnavailable, current_session, ref_of

from . import signals
from .access import current_sign_in
from .attempt import Attempt, find_attempt, forget_attempt
from .authorization import check_authorization_response, read_authorization_response
from .browser import browser_in_words
from .errors import Problem
from .guard import open_to_all, send_to_provider, without_session
from .id_token import Claims, verify_id_token
from .organization import check_organization
from .refresh import taken_over
from .relying_party import RelyingParty, relying_party, session_interface
from .return_to import safe_return_to
from .sign_out import logged_out_since, sign_out
from .token_endpoint import exchange_code, revoke_all
from .token_set import SESSION_KEY, SignIn, TokenSet

bp = Blueprint("auth", __name__)

# Parameters of `/login` that go on to the provider as they are.
PASSED_ON = (
    "invitation", "organization_name", "prompt", "login_hint", "screen_hint", "ui_locales",
)  # fmt: skip
MAX_PARAMETER_LENGTH = 2000
MAX_FINISHED = 5


@bp.get("/login")
@without_session
def login() -> Response:
    """Send the browser to the provider, to sign in and come back to `return_to`."""
    given = [name for name in PASSED_ON if name in request.args]
    params = {name: value for name in given if (value := _parameter(name))}
    scope = tuple(_parameter("scope").split())
    if not all(is_scope_token(word) for word in scope):
        raise Problem("bad_request", "scope has characters that no scope may have")
    earlier = current_sign_in()
    if scope and earlier:
        # Asking for one more must not give up what was asked for one by one before.
        scope = (*earlier.scope_asked, *scope)
    return send_to_provider(
        return_to=safe_return_to(request.args.get("return_to")) or "/",
        scope=scope,
        organization=_parameter("organization") or None,
        params=params,
    )


def _parameter(name: str) -> str:
    value = request.args.get(name, "")
    if len(value) > MAX_PARAMETER_LENGTH or not value.isprintable():
        raise Problem("bad_request", f"{name} is too long or has control characters")
    return value


@bp.get("/callback")
@without_session
def callback() -> Response:
    """Finish a sign-in: `state`, `iss`, `error`, the code, the ID token, a new session."""
    rp = relying_party()
    try:
        response = read_authorization_response(request.args)
        attempt = find_attempt(rp, request, response.state)
        if attempt is None:
            return _led_on(response.state)
    except Problem as problem:
        signals.sign_in_failed.send(rp, code=problem.code)
        raise

    @after_this_request
    def works_once(answer: Any) -> Any:
        forget_attempt(rp, answer, attempt)
        return answer

    try:
        code = check_authorization_response(response, rp.provider.metadata())
        tokens, id_token = exchange_code(rp, code, attempt)
        claims = verify_id_token(rp, id_token, tokens.access_token, attempt)
        check_organization(claims, attempt.organization)
        _start_session(rp, attempt, tokens, str(id_token), claims)
    except Problem as problem:
        signals.sign_in_failed.send(rp, code=problem.code)
        if problem.code == "code_refused" and _is_good_enough(current_sign_in(), attempt):
            return redirect(attempt.return_to, 302)  # the same callback, loaded twice at once
        problem.return_to = attempt.return_to
        raise
    except SessionEnded:
        signals.sign_in_failed.send(rp, code="signed_out_meanwhile")
        return redirect(attempt.return_to, 302)
    signals.signed_in.send(rp, sub=claims["sub"])
    return redirect(attempt.return_to, 303)


def _is_good_enough(sign_in: SignIn | None, attempt: Attempt) -> bool:
    """Whether there is a sign-in with all that the attempt was for: with less, the page would ask
    again, and a provider that refuses every code would lead round and round."""
    return (
        sign_in is not None
        and (attempt.audience, attempt.max_age, attempt.acr_values) == (None, None, None)
        and attempt.organization is None
        and set(attempt.scope) <= set(sign_in.scope_asked)
    )


def _led_on(state: str) -> Response:
    """A callback that is no attempt of this browser (any more): whoever is signed in goes on to
    where it led; nobody is signed in by it."""
    sign_in = current_sign_in()
    if sign_in is None:
        raise Problem("stale_sign_in", "no attempt of this browser has this state")
    return redirect(sign_in.finished.get(state[:8], "/"), 302)


def _start_session(
    rp: RelyingParty, attempt: Attempt, tokens: TokenSet, id_token: str, claims: Claims
) -> None:
    """Keep what was verified in a session with a new id.

    Raises Problem; SessionEnded where a sign-out or logout came while the provider answered.
    """
    session = current_session()
    try:
        earlier = taken_over(session) if attempt.audience else current_sign_in()
    except SessionEnded:
        revoke_all(rp, [tokens.refresh_token])
        raise
    if earlier and any(
        earlier.claims().get(name) != claims.get(name) for name in ("sub", "org_id")
    ):
        earlier = None  # another person, or organization: nothing of it is carried over
    finished = {**(earlier.finished if earlier else {}), attempt.state[:8]: attempt.return_to}
    sign_in = SignIn(
        id_token=id_token,
        scope_asked=attempt.scope,
        browser=browser_in_words(request.user_agent.string),
        token_sets=dict(earlier.token_sets) if earlier and attempt.audience else {},
        finished=dict(list(finished.items())[-MAX_FINISHED:]),
    ).with_tokens(attempt.audience or "", tokens)
    own_data = {name: value for name, value in session.items() if earlier and name != SESSION_KEY}
    names = [name for name in ("sub", "sid") if isinstance(claims.get(name), str)]
    refs = [ref_of(rp.settings.issuer, name, claims[name]) for name in names]
    try:
        session_interface().start(session, {**own_data, SESSION_KEY: sign_in.as_stored()}, refs)
        if logged_out_since(refs, claims["iat"]):
            session_interface().end(session)
            raise SessionEnded
    except SessionEnded:
        revoke_all(rp, sign_in.refresh_tokens())
        raise
    except StoreUnavailable as error:
        raise Problem("store_unavailable", str(error), retry_after=5) from None


@bp.post("/logout")
@open_to_all
def logout() -> Response:
    """Sign out here and at the provider."""
    return redirect(sign_out(relying_party(), current_session()), 302)
