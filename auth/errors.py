"""One table of all that can go wrong: status, sentences for the person, and the way on.

The code goes to the log; so does `detail`, which is never shown: it may quote the provider.
"""

from __future__ import annotations

from typing import NamedTuple

from languages import N_


class Kind(NamedTuple):
    """One row: HTTP status, what happened, what to do, and which ways on the page offers."""

    status: int
    title: str
    text: str
    ways: tuple[str, ...] = ("home",)


SIGN_IN = ("sign_in", "home")
RETRY = ("retry", "home")

KINDS = {
    # The authorization response (RFC 6749 section 4.1.2, RFC 9207, OIDC Core section 3.1.2.6)
    "stale_sign_in": Kind(400, N_("This sign-in cannot be finished"),
        N_("It was finished already, it took longer than ten minutes, or it began in another "
        "browser. For your safety each sign-in works only once."), SIGN_IN),
    "malformed_callback": Kind(400, N_("This sign-in cannot be finished"),
        N_("The answer that came back was incomplete or damaged. Please sign in again."), SIGN_IN),
    "wrong_issuer": Kind(400, N_("This sign-in cannot be finished"),
        N_("The answer came from somewhere else than the sign-in service. Please sign in "
        "again."), SIGN_IN),
    "sign_in_refused": Kind(403, N_("The sign-in was not finished"),
        N_("It was cancelled, or access was not granted: consent was refused, say, or an "
        "invitation was used before. If you were signed in already, you still are."), SIGN_IN),
    "interaction_required": Kind(401, N_("You need to sign in"),
        N_("The sign-in service wants to ask you something first. Please sign in."), SIGN_IN),
    "provider_error": Kind(502, N_("The sign-in service could not sign you in"),
        N_("It reported an error of its own. Please try again in a few minutes."), SIGN_IN),
    "request_refused": Kind(502, N_("This app is not set up correctly"),
        N_("The sign-in service did not accept the app's request. Please tell the people who run "
        "it."), SIGN_IN),
    # The token response (RFC 6749 section 5) and the ID token (OIDC Core section 3.1.3.7)
    "code_refused": Kind(400, N_("This sign-in cannot be finished"),
        N_("The sign-in service no longer accepts it: it took too long, or was used "
        "before."), SIGN_IN),
    "bad_token_response": Kind(502, N_("The sign-in service gave an unusable answer"),
        N_("You were not signed in. Please try again in a few minutes."), SIGN_IN),
    "bad_id_token": Kind(502, N_("The sign-in service gave an answer that cannot be trusted"),
        N_("You were not signed in. Please try again; if it happens again, tell the people who "
        "run this app."), SIGN_IN),
    "wrong_nonce": Kind(400, N_("This sign-in cannot be finished"),
        N_("The answer belongs to another sign-in than the one begun here. Please sign in "
        "again."), SIGN_IN),
    "stale_authentication": Kind(403, N_("A fresh sign-in is needed"),
        N_("What you asked for needs a sign-in of a moment ago, and yours is longer ago than "
        "that."), SIGN_IN),
    "weaker_authentication": Kind(403, N_("A stronger sign-in is needed"),
        N_("What you asked for needs a stronger sign-in, such as one with a second factor, and "
        "that did not happen."), SIGN_IN),
    "wrong_organization": Kind(403, N_("You signed in to another organization"),
        N_("This sign-in asked for a certain organization, and the answer was for another one or "
        "for none. You were not signed in."), SIGN_IN),
    "provider_unreachable": Kind(503, N_("The sign-in service cannot be reached"),
        N_("It is not answering at the moment. Please try again in a minute."), RETRY),
    "provider_timeout": Kind(504, N_("The sign-in service takes too long"),
        N_("It did not answer in time. Please try again in a minute."), RETRY),
    "bad_metadata": Kind(502, N_("The sign-in service is not set up correctly"),
        N_("What it says about itself does not fit this app's settings. Please tell the people "
        "who run it."), RETRY),
    # The session
    "sign_in_needed": Kind(401, N_("You need to sign in"),
        N_("Sign in to see this page."), SIGN_IN),
    "store_unavailable": Kind(503, N_("Your session cannot be looked up right now"),
        N_("You are still signed in. Please try again in a minute."), RETRY),
    "refresh_unavailable": Kind(503, N_("Your access cannot be renewed right now"),
        N_("The sign-in service is not answering. You are still signed in; please try again in a "
        "minute."), RETRY),
    "cross_site": Kind(403, N_("Nothing was changed"),
        N_("That request came from another site. If it was you, use the button on this site's own "
        "page.")),
    "bad_logout_token": Kind(400, N_("This logout cannot be accepted"),
        N_("The logout token is not valid.")),
    # The API
    "api_not_configured": Kind(404, N_("This page has no API yet"),
        N_("The app's setting API_BASE_URL is empty. Write the base URL of the API there and "
        "start the app again.")),
    "api_refused_token": Kind(502, N_("The API did not accept this app"),
        N_("It refused this app's permission to ask in your name, though it was just renewed. "
        "Signing in again may help."), SIGN_IN),
    "api_refused": Kind(403, N_("You are not allowed to see this"),
        N_("The API says that you may not see what is on this page.")),
    "insufficient_scope": Kind(403, N_("One more permission is needed"),
        N_("This page needs a permission that has not been granted yet."), ("ask_scope", "home")),
    "api_busy": Kind(503, N_("The API is busy"),
        N_("It asked for a pause. Please try again in a moment."), RETRY),
    "api_failed": Kind(502, N_("The API could not answer"),
        N_("It reported an error of its own. Please try again in a few minutes."), RETRY),
    "api_bad_answer": Kind(502, N_("The API gave an unusable answer"),
        N_("This page cannot be shown at the moment. Please try again in a few minutes."), RETRY),
    "api_unreachable": Kind(503, N_("The API cannot be reached"),
        N_("It is not answering at the moment. Please try again in a minute."), RETRY),
    "api_timeout": Kind(504, N_("The API takes too long"),
        N_("It did not answer in time. Please try again in a minute."), RETRY),
    # HTTP itself
    "bad_request": Kind(400, N_("This request cannot be understood"),
        N_("Something in it was malformed. Go back to the start and try from there.")),
    "wrong_host": Kind(400, N_("This app has another address"),
        N_("It was asked for under a name that is not its own.")),
    "not_found": Kind(404, N_("Page not found"),
        N_("If you typed the address, check that it is right.")),
    "wrong_method": Kind(405, N_("That does not work here"),
        N_("This address cannot be used in that way.")),
    "too_large": Kind(413, N_("That was too much"),
        N_("The request was larger than this app accepts.")),
    "long_address": Kind(414, N_("This address is too long"),
        N_("Go back to the start and try from there.")),
    "long_headers": Kind(431, N_("That was too much"),
        N_("The browser sent more than this app accepts. Deleting this site's cookies helps.")),
    "internal_error": Kind(500, N_("Something went wrong here"),
        N_("The fault is ours, and it was noted. Please try again."), RETRY),
}  # fmt: skip


class Problem(Exception):
    """Something in the table happened; raised where it is found, shown in `pages/errors.py`."""

    def __init__(
        self,
        code: str,
        detail: str = "",
        *,
        return_to: str | None = None,
        retry_after: int | None = None,
        scope: str | None = None,
    ) -> None:
        """Take the code, words for the log, the page the person wanted, seconds to wait, and the
        scope that was missing."""
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.kind = KINDS[code]
        self.detail = detail
        self.return_to = return_to
        self.retry_after = retry_after
        self.scope = scope


class SignInNeeded(Problem):
    """Nobody is signed in, or not for this API, or not as the page demands (see step_up.py);
    leads to sign-in, with the missing scope and `params`, and back to the page."""

    def __init__(
        self,
        detail: str = "",
        *,
        code: str = "sign_in_needed",
        audience: str | None = None,
        scope: str | None = None,
        params: dict[str, str] | None = None,
    ) -> None:
        """Take, beside a Problem's, the audience and the parameters to sign in with."""
        super().__init__(code, detail, scope=scope)
        self.audience, self.params = audience, params
