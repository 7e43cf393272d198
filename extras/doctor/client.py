"""This app as a client of the provider: what the provider answers to requests that do no harm."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import replace
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from auth import Error, SignIn
from auth.http_client import Response
from auth.logout import logout_url

from .examination import Examination, Finding, judged, note, ok, quoted, wrong

# The request was accepted, and somebody would have to sign in (OIDC Core section 3.1.2.6).
ACCEPTED = (
    "", "login_required", "consent_required", "interaction_required", "account_selection_required",
)  # fmt: skip
# The least that can be asked for.
LEAST: dict[str, Any] = {
    "scope": ("openid",), "audience": None, "organization": None, "authorize_params": {},
}  # fmt: skip


def client_authentication(exam: Examination) -> Iterator[Finding]:
    """The client can authenticate: tried with a code that never was, as the app would try it."""
    subject, authentication = "client authentication", exam.rp.client_authentication
    metadata, has_key = exam.metadata, exam.settings.client_signing_key
    methods = authentication.methods(metadata, metadata.token_endpoint)
    form = {"grant_type": "authorization_code", "code": "no-such-code", "code_verifier": "v" * 43}
    error, said, status = _error_of(exam.post(form | {"redirect_uri": exam.settings.redirect_uri}))
    # Where one method is refused, the app tries the next, and notes which one works.
    used, prefix = authentication.accepted or methods[0], "private_key_jwt " if has_key else ""
    refused = [f"{prefix}{each} is refused" for each in methods[: methods.index(used)]]
    if status == 401 or error in ("invalid_client", "unauthorized_client"):
        secret, method = (
            ("SIGNING_KEY", "private_key_jwt") if has_key else ("SECRET", "client_secret_post")
        )
        listed = quoted(metadata.strings("token_endpoint_auth_methods_supported"))
        refused += [f"{prefix}{used} is refused ({said})", f"the metadata lists {listed}"]
        change = f"AUTH0_CLIENT_ID and AUTH0_CLIENT_{secret}: as in {exam.where('credentials')}"
        change = f"{change}; or {exam.where('method')}: {method}"
        yield wrong(subject, ", and ".join(refused), change)
    elif error and 400 <= status < 500 and error != "invalid_request":
        yield ok(subject, ", and ".join([f"{prefix}{used} is accepted", *refused]))
    else:
        yield note(subject, f"{prefix}{used} could not be tried ({said})")


def _error_of(response: Response) -> tuple[str, str, int]:
    """The error of a token response, what it says, and its status."""
    data = response.json_object()
    error, description = str(data.get("error", "")), data.get("error_description", "")
    return error, quoted(f"{error or response.status} {description}".strip()), response.status


# ---------------------------------------------------------------- the authorization request


class Reply(NamedTuple):
    """What the authorization endpoint answered: whether it led back to the redirect URI, the error
    it told, or its status and where else it led."""

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
    reply = _ask(exam)
    least = reply if reply.is_accepted else _ask(exam, **LEAST)
    if not least.is_back:
        yield _not_led_back(exam, least)
        return
    yield ok("redirect URI", f"{exam.settings.redirect_uri} is accepted")
    if reply.is_accepted:
        yield ok("scope", "all that is asked for is accepted")
        yield from _audiences(exam)
    elif least.is_accepted:
        yield _what_is_refused(exam, reply)
    else:
        change = f"{exam.where('grants')}: Authorization Code; or what else the client may do"
        yield wrong("authorization request", f"refused with {quoted(least.said)}", change)


def _ask(exam: Examination, **changes: Any) -> Reply:
    """Send the authorization request that the app would send with these settings."""
    changed = copy(exam.rp)
    changed.settings = replace(exam.settings, **changes)
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
    response = exam.rp.http.send("GET", redirect.headers["Location"])
    location = response.headers.get("Location", "")
    parts = urlsplit(location)
    if not location.startswith(f"{changed.settings.redirect_uri}?"):
        return Reply(False, "", response.status, parts.netloc + parts.path)
    params = dict(parse_qsl(parts.query))
    return Reply(True, f"{params.get('error', '')} {params.get('error_description', '')}".strip())


def _not_led_back(exam: Examination, reply: Reply) -> Finding:
    subject, uri = "redirect URI", exam.settings.redirect_uri
    change = f"{exam.where('redirect_uri')}: add {uri}; or AUTH0_CLIENT_ID, if that is another's"
    if reply.said or reply.status >= 400:
        return wrong(subject, f"{uri} is refused ({quoted(reply.said or reply.status)})", change)
    # One that was never registered shows what a refusal looks like here.
    other = _ask(exam, **LEAST, app_base_url=f"{exam.settings.app_base_url}/no-such-app")
    if other.status >= 400:
        return ok(subject, f"{uri} is accepted, and another one is not")
    led = f"led to {quoted(reply.elsewhere)}" if reply.elsewhere else "was a page"
    return note(subject, f"cannot be told: the response {led}", change)


def _what_is_refused(exam: Examination, reply: Reply) -> Finding:
    asked = {**LEAST}
    for subject, value, more, change in _additions(exam):
        asked |= more
        answer = _ask(exam, **asked)
        if not answer.is_accepted:
            said = quoted(answer.said or answer.status)
            return wrong(subject, f"{value} is refused ({said})", change)
    said, change = quoted(reply.said or reply.status), "AUTH0_SCOPE or AUTH0_AUTHORIZE_PARAMS"
    return wrong("authorization request", f"refused with {said}", change)


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


def _audiences(exam: Examination) -> Iterator[Finding]:
    for audience in filter(None, (exam.settings.audience, exam.settings.contacts_audience)):
        reply = _ask(exam, audience=audience)
        if not reply.is_accepted:
            text = f"{audience} is refused ({quoted(reply.said)})"
            yield wrong("audience", text, f"{exam.where('api')}: {audience}")
        elif exam.is_auth0:
            yield ok("audience", f"{audience} is accepted")
        else:
            text = f"{audience} was not refused; not every provider looks at it"
            yield note("audience", text, "AUTH0_AUTHORIZE_PARAMS=resource=…, where it uses that")


# ---------------------------------------------------------------- refresh and logout


def refresh_token(exam: Examination) -> Iterator[Finding]:
    """Refresh tokens are asked for, and may be exchanged: tried with one that never was."""
    subject, settings = "refresh token", exam.settings
    supported = exam.metadata.strings("scopes_supported") or ["offline_access"]
    if "offline_access" not in supported and "access_type" not in settings.authorize_params:
        change = "AUTH0_AUTHORIZE_PARAMS: access_type=offline, where the provider wants that"
        yield note(subject, "scopes_supported lacks offline_access", change)
    elif "offline_access" in supported and "offline_access" not in (settings.scope or supported):
        text = "not asked for: people sign in again every so often"
        yield note(subject, text, "AUTH0_SCOPE: add offline_access")
    allow = f"{exam.where('grants')}: Refresh Token"
    if "refresh_token" not in (exam.metadata.strings("grant_types_supported") or ["refresh_token"]):
        yield wrong(subject, "grant_types_supported lacks refresh_token", allow)
        return
    form = {"grant_type": "refresh_token", "refresh_token": "no-such-token"}
    error, said, status = _error_of(exam.post(form))
    if error in ("unsupported_grant_type", "unauthorized_client", "invalid_client"):
        yield wrong(subject, f"the grant is refused ({said})", allow)
    elif error and 400 <= status < 500:
        yield ok(subject, "the client may exchange them")
        yield note(subject, "only a sign-in shows whether one comes", exam.where("offline"))
    else:
        yield note(subject, f"could not be tried ({said})")


def logout(exam: Examination) -> Iterator[Finding]:
    """Signing out at the provider: the endpoint, and the way back."""
    with exam.app.test_request_context("/logout"):
        url = logout_url(exam.rp, SignIn("", {}, [], "", {}))
    if url is None:
        yield note("logout endpoint", "there is none: people are signed out here alone")
        return
    if endpoint := exam.metadata.end_session_endpoint:
        yield ok("logout endpoint", endpoint)
    else:
        change = "Settings → Advanced → RP-Initiated Logout End Session Endpoint Discovery: on"
        yield note("logout endpoint", "the app uses Auth0's own, /v2/logout", change)
    back = f"{exam.settings.app_base_url}/"
    status, change = exam.rp.http.send("GET", url).status, f"{exam.where('logout_uri')}: add {back}"
    if status >= 400 and not exam.is_auth0:
        # Some want an ID token of a person beside it.
        yield note("logout URI", f"cannot be told (status {status})", change)
        return
    refused = f"{back} is not accepted (status {status})"
    yield judged("logout URI", status < 400, f"{back} was not refused", refused, change)


CHECKS = (client_authentication, authorization_request, refresh_token, logout)
