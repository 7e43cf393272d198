"""This app as a client of the provider: what the provider answers to requests that do no harm."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from authlib.common.urls import add_params_to_uri

from auth import Error
from auth.http_client import Response

from .examination import Examination
from .finding import Finding, note, ok, quoted, wrong

# The request was accepted, and somebody would have to sign in (OIDC Core section 3.1.2.6).
ACCEPTED = (
    "", "login_required", "consent_required", "interaction_required", "account_selection_required",
)  # fmt: skip
# The least that can be asked for.
LEAST: dict[str, Any] = {
    "scope": ("openid",), "audience": None, "organization": None, "authorize_params": {},
}  # fmt: skip


# ---------------------------------------------------------------- client authentication


def client_authentication(exam: Examination) -> Iterator[Finding]:
    """The client can authenticate: tried with a code that never was, by each method in turn."""
    subject, rp = "client authentication", exam.rp
    endpoint = rp.provider.metadata().token_endpoint
    form = {"grant_type": "authorization_code", "code": "no-such-code", "code_verifier": "v" * 43}
    form["redirect_uri"] = exam.settings.redirect_uri
    refused = []
    for method in rp.client_authentication.methods(rp.provider.metadata(), endpoint):
        name = f"private_key_jwt ({method})" if exam.settings.client_signing_key else method
        response = exam.post(endpoint, form, method)
        error, said = _error(response), quoted(_said(response))
        if response.status == 401 or error in ("invalid_client", "unauthorized_client"):
            refused.append(f"{name} is refused ({said})")
        elif error and 400 <= response.status < 500 and error != "invalid_request":
            rp.client_authentication.accept(method)
            yield ok(subject, ", and ".join([f"{name} is accepted", *refused]))
            return
        else:
            yield note(subject, f"{name} could not be tried ({said})")
            return
    kind, method = "SECRET", "client_secret_post"
    if exam.settings.client_signing_key:
        kind, method = "SIGNING_KEY", "private_key_jwt"
    if listed := exam.listed("token_endpoint_auth_methods_supported"):
        refused.append(f"the metadata lists {quoted(listed)}")
    change = f"AUTH0_CLIENT_ID and AUTH0_CLIENT_{kind}: as in {exam.where('credentials')}"
    where = f"{exam.where('client_authentication')}: {method}"
    yield wrong(subject, ", and ".join(refused), f"{change}; or {where}")


def _error(response: Response) -> str:
    return str(response.json_object().get("error", ""))


def _said(response: Response) -> str:
    description = response.json_object().get("error_description", "")
    return f"{_error(response) or f'status {response.status}'} {description}".strip()


# ---------------------------------------------------------------- the authorization request


class Reply(NamedTuple):
    """What the authorization endpoint answered: whether it led back to the redirect URI, the error
    it told, its status and where else it led."""

    is_back: bool
    said: str
    status: int = 0
    elsewhere: str = ""

    @property
    def is_accepted(self) -> bool:
        """Whether nothing was wrong with the request."""
        return self.is_back and self.said.partition(" ")[0] in ACCEPTED


def authorization_request(exam: Examination) -> Iterator[Finding]:
    """The app's authorization request is accepted: sent with prompt=none, and not followed.

    Where it is not, the least that can be asked for is asked, and then one thing more each time:
    the one that makes the difference is what is wrong.
    """
    uri, reply = exam.settings.redirect_uri, _ask(exam)
    least = reply if reply.is_accepted else _ask(exam, **LEAST)
    if not least.is_back:
        yield _not_led_back(exam, least)
        return
    yield ok("redirect URI", f"{uri} is accepted")
    if reply.is_accepted:
        yield from _accepted(exam)
    elif least.is_accepted:
        yield _what_is_refused(exam, reply)
    else:
        change = f"{exam.where('grants')}: Authorization Code; or what else the client may do"
        yield wrong("authorization request", f"refused with {quoted(least.said)}", change)


def _ask(exam: Examination, **changes: Any) -> Reply:
    """Send the authorization request that the app would send with these settings."""
    changed = replace(exam.rp, settings=replace(exam.settings, **changes))
    exam.app.extensions["relying_party"] = changed
    try:
        with exam.app.test_request_context("/login?prompt=none"):
            redirect: Any = exam.app.view_functions["auth.login"]()
    except Error as error:
        if error.code != "request_refused":
            raise
        return Reply(False, error.detail)  # it was pushed, and refused
    finally:
        exam.app.extensions["relying_party"] = exam.rp
    response = exam.rp.http.get(redirect.headers["Location"])
    location = response.headers.get("Location", "")
    parts = urlsplit(location)
    if not location.startswith(f"{changed.settings.redirect_uri}?"):
        return Reply(False, "", response.status, parts.netloc + parts.path)
    params = dict(parse_qsl(parts.query))
    said = f"{params.get('error', '')} {params.get('error_description', '')}".strip()
    return Reply(True, said, response.status)


def _not_led_back(exam: Examination, reply: Reply) -> Finding:
    subject, uri = "redirect URI", exam.settings.redirect_uri
    change = f"{exam.where('redirect_uri')}: add {uri}; or AUTH0_CLIENT_ID, if that is another's"
    if reply.said:
        return wrong(subject, f"the request is refused ({quoted(reply.said)})", change)
    if reply.status >= 400:
        return wrong(subject, f"{uri} is not accepted (status {reply.status})", change)
    # One that was never registered shows what a refusal looks like here.
    other = _ask(exam, **LEAST, app_base_url=f"{exam.settings.app_base_url}/no-such-app")
    if (other.status, other.elsewhere) != (reply.status, reply.elsewhere):
        return ok(subject, f"{uri} is accepted, and another one is not")
    led = f"led to {quoted(reply.elsewhere)}" if reply.elsewhere else "was a page"
    return note(subject, f"cannot be told: the response {led}", change)


def _what_is_refused(exam: Examination, reply: Reply) -> Finding:
    asked = {**LEAST}
    for subject, value, more, change in _additions(exam):
        asked |= more
        answer = _ask(exam, **asked)
        if not answer.is_accepted:
            said = quoted(answer.said or f"status {answer.status}")
            return wrong(subject, f"{value} is refused ({said})", change)
    text = f"refused with {quoted(reply.said)}"
    return wrong("authorization request", text, "AUTH0_SCOPE, AUTH0_AUTHORIZE_PARAMS")


def _additions(exam: Examination) -> Iterator[tuple[str, str, dict[str, Any], str]]:
    """What the app asks for beyond the least: subject, value, settings, and what to change."""
    settings, params = exam.settings, dict[str, str]()
    for name, value in settings.authorize_params.items():
        params = params | {name: value}
        yield name, value, {"authorize_params": params}, f"AUTH0_AUTHORIZE_PARAMS: without {name}"
    if organization := settings.organization:
        yield "organization", organization, {"organization": organization}, "AUTH0_ORGANIZATION"
    if audience := settings.audience:
        change = f"AUTH0_AUDIENCE, or {exam.where('api')}: {audience}"
        yield "audience", audience, {"audience": audience}, change
    scopes = settings.scope or ("openid", "profile", "email", "offline_access")
    for number, scope in enumerate(scopes):
        change = f"AUTH0_SCOPE: without {scope}, or {exam.where('scopes')}: add it"
        yield "scope", scope, {"scope": ("openid", *scopes[: number + 1])}, change


def _accepted(exam: Examination) -> Iterator[Finding]:
    settings, supported = exam.settings, exam.listed("scopes_supported")
    if unlisted := [s for s in settings.scope or () if supported and s not in supported]:
        text = f"{' '.join(unlisted)}: not refused, and not in scopes_supported"
        yield note("scope", text, "AUTH0_SCOPE, where something is missing after a sign-in")
    else:
        yield ok("scope", "all that is asked for is accepted")
    for audience in filter(None, dict.fromkeys((settings.audience, settings.contacts_audience))):
        reply, change = _ask(exam, audience=audience), f"{exam.where('api')}: {audience}"
        if not reply.is_accepted:
            yield wrong("audience", f"{audience} is refused ({quoted(reply.said)})", change)
        elif exam.is_auth0:
            yield ok("audience", f"{audience} is accepted")
        else:
            text = f"{audience} was not refused; not every provider looks at it"
            yield note("audience", text, "AUTH0_AUTHORIZE_PARAMS=resource=…, where it uses that")


# ---------------------------------------------------------------- refresh and logout


def refresh_token(exam: Examination) -> Iterator[Finding]:
    """Refresh tokens are asked for, and may be exchanged: tried with one that never was."""
    subject, scope = "refresh token", exam.settings.scope
    supported, grants = exam.listed("scopes_supported"), exam.listed("grant_types_supported")
    if supported is not None and "offline_access" not in supported:
        if "access_type" not in exam.settings.authorize_params:
            change = "AUTH0_AUTHORIZE_PARAMS: access_type=offline, where the provider wants that"
            yield note(subject, "scopes_supported lacks offline_access", change)
    elif scope is not None and "offline_access" not in scope:
        change = "AUTH0_SCOPE: add offline_access"
        yield note(subject, "not asked for: people sign in again every so often", change)
    allow = f"{exam.where('grants')}: Refresh Token"
    if grants is not None and "refresh_token" not in grants:
        yield wrong(subject, "grant_types_supported lacks refresh_token", allow)
        return
    form = {"grant_type": "refresh_token", "refresh_token": "no-such-token"}
    response = exam.post(exam.rp.provider.metadata().token_endpoint, form)
    error, said = _error(response), quoted(_said(response))
    if error in ("unsupported_grant_type", "unauthorized_client", "invalid_client"):
        yield wrong(subject, f"the grant is refused ({said})", allow)
    elif error and 400 <= response.status < 500:
        yield ok(subject, "the client may exchange them")
        change = f"{exam.where('offline')}: on"
        yield note(subject, "whether the API gives any shows after a sign-in", change)
    else:
        yield note(subject, f"could not be tried ({said})")


def logout(exam: Examination) -> Iterator[Finding]:
    """Signing out at the provider: the endpoint, and the way back."""
    settings, metadata = exam.settings, exam.rp.provider.metadata()
    back, endpoint = f"{settings.app_base_url}/", metadata.end_session_endpoint
    params = {"client_id": settings.client_id}
    if endpoint:
        yield ok("logout endpoint", endpoint)
        params["post_logout_redirect_uri"] = back
    elif exam.is_auth0:
        change = f"{exam.where('end_session')}: on"
        yield note("logout endpoint", "the app uses Auth0's own, /v2/logout", change)
        endpoint, params["returnTo"] = f"{metadata.issuer.rstrip('/')}/v2/logout", back
    else:
        yield note("logout endpoint", "there is none: people are signed out here alone")
        return
    params |= {n: v.replace("{back}", back) for n, v in settings.logout_params.items()}
    url = add_params_to_uri(endpoint, [(n, v) for n, v in params.items() if v])
    status = exam.rp.http.get(url).status
    change = f"{exam.where('logout_uri')}: add {back}"
    if status < 400:
        yield ok("logout URI", f"{back} was not refused")
    elif exam.is_auth0:
        yield wrong("logout URI", f"{back} is not accepted (status {status})", change)
    else:
        # Some want an ID token of a person beside it.
        yield note("logout URI", f"cannot be told (status {status})", change)


CREDENTIALS = (client_authentication,)
CHECKS = (authorization_request, refresh_token, logout)
