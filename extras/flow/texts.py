"""Every text of `/flow` about the flow, and nothing else: who, which message, which parameter.

Translated when they are shown, in views.py.
"""

from __future__ import annotations

from typing import NamedTuple

from languages import N_

PARTIES = {
    "browser": N_("Browser"),
    "app": N_("This app"),
    "provider": N_("Provider"),
    "api": N_("API"),
}

# Titles of what is drawn, and what to do where it has not happened yet.
PARTS = {
    "sign_in": (N_("Sign-in"), N_("Sign in.")),
    "api_call": (N_("API call"), N_("Open a page that calls the API, such as Appointments.")),
    "refresh": (N_("Refresh"), N_("Call the API when the access token has expired.")),
    "sign_out": (N_("Sign-out"), N_("Sign out, and open this page within ten minutes.")),
}
TOKENS = {
    "id_token": N_("Claims of the ID token"),
    "access_token": N_("Claims of the access token"),
}

_CORE = "https://openid.net/specs/openid-connect-core-1_0.html#"
_DISCOVERY = "https://openid.net/specs/openid-connect-discovery-1_0.html#"
_LOGOUT = "https://openid.net/specs/openid-connect-rpinitiated-1_0.html#"
_RFC = "https://www.rfc-editor.org/rfc/"


class Text(NamedTuple):
    """What is said of one kind of message; `function` is `module:name` of the code that does it."""

    sender: str
    receiver: str
    title: str
    explanation: str
    specification: str
    link: str
    function: str


MESSAGES = {
    "login_request": Text(
        "browser", "app", N_("Sign In"),
        N_("Somebody wants to sign in, and to come back to a page of this app afterwards."),
        "OIDC Core 3.1.1", f"{_CORE}CodeFlowSteps", "auth.routes:login",
    ),
    "login_response": Text(
        "app", "browser", N_("Off to the provider"),
        N_("The app keeps state, nonce and code verifier in a sealed cookie of this browser, and "
        "sends it to the provider."),
        "RFC 6749 10.12", f"{_RFC}rfc6749#section-10.12", "auth.attempt:remember_attempt",
    ),
    "authorization_request": Text(
        "browser", "provider", N_("Authorization request"),
        N_("Step 1. The provider learns who asks, for which scopes and for which API; there the "
        "person signs in and consents, out of the app's sight."),
        "OIDC Core 3.1.2.1", f"{_CORE}AuthRequest",
        "auth.authorization:build_authorization_request",
    ),
    "authorization_response": Text(
        "browser", "app", N_("Authorization response"),
        N_("The provider sent the browser back with a code. The app checks state and issuer "
        "before it believes anything else."),
        "OIDC Core 3.1.2.5", f"{_CORE}AuthResponse",
        "auth.authorization:check_authorization_response",
    ),
    "metadata_request": Text(
        "app", "provider", N_("Metadata request"),
        N_("The app asks where the provider's endpoints are. The answer is kept for an hour."),
        "OIDC Discovery 4.1", f"{_DISCOVERY}ProviderConfigurationRequest",
        "auth.provider:Provider.metadata",
    ),
    "metadata_response": Text(
        "provider", "app", N_("Provider metadata"),
        N_("The endpoints, and what they support. The issuer must be the configured one."),
        "OIDC Discovery 4.3", f"{_DISCOVERY}ProviderConfigurationValidation",
        "auth.metadata:Metadata.checked",
    ),
    "token_request": Text(
        "app", "provider", N_("Token request"),
        N_("Step 2. The app exchanges the code, proves who it is, and shows the code verifier "
        "that only the sender of step 1 can know."),
        "OIDC Core 3.1.3.1", f"{_CORE}TokenRequest", "auth.token_endpoint:exchange_code",
    ),
    "token_response": Text(
        "provider", "app", N_("Token response"),
        N_("The tokens. The ID token is verified, claim by claim, before anybody is let in."),
        "OIDC Core 3.1.3.3", f"{_CORE}TokenResponse", "auth.id_token:verify_id_token",
    ),
    "keys_request": Text(
        "app", "provider", N_("Key set request"),
        N_("The app fetches the public keys with which the provider's signatures are verified."),
        "OIDC Core 10.1", f"{_CORE}SigEnc", "auth.provider:Provider.keys",
    ),
    "keys_response": Text(
        "provider", "app", N_("Key set"),
        N_("The ID token's header names one of these keys; no other key is believed."),
        "RFC 7517 5", f"{_RFC}rfc7517#section-5", "auth.id_token:verified_signature",
    ),
    "session_started": Text(
        "app", "browser", N_("Signed in here"),
        N_("A new session begins. The browser gets its id in a cookie; the tokens stay here."),
        "RFC 6265 4.1", f"{_RFC}rfc6265#section-4.1", "auth.routes:callback",
    ),
    "sign_in_failed": Text(
        "app", "browser", N_("Not signed in"),
        N_("Something was not as it must be. Nobody is signed in, and the attempt is used up."),
        "OIDC Core 3.1.2.6", f"{_CORE}AuthError", "auth.routes:callback",
    ),
    "page_request": Text(
        "browser", "app", N_("Page request"),
        N_("The browser asks for a page and shows its session cookie."),
        "RFC 6265 4.2", f"{_RFC}rfc6265#section-4.2", "auth.guard:require_sign_in",
    ),
    "page_response": Text(
        "app", "browser", N_("Page"),
        N_("The app answers. Whatever it got from the API, no token is in it."),
        "RFC 6750 5.3", f"{_RFC}rfc6750#section-5.3", "pages.api:call_api",
    ),
    "api_request": Text(
        "app", "api", N_("API request"),
        N_("Step 3. The access token goes along as a header, never in a URL."),
        "RFC 6750 2.1", f"{_RFC}rfc6750#section-2.1", "pages.api:call_api",
    ),
    "api_response": Text(
        "api", "app", N_("API response"),
        N_("The API validated the access token and answered, or said what it lacks."),
        "RFC 6750 3", f"{_RFC}rfc6750#section-3", "pages.api:_data",
    ),
    "refresh_request": Text(
        "app", "provider", N_("Refresh request"),
        N_("Step 4. The access token has expired: the refresh token gets the next one. Of many "
        "requests at once, exactly one does this."),
        "RFC 6749 6", f"{_RFC}rfc6749#section-6", "auth.refresh:Refresh.access_token",
    ),
    "refresh_response": Text(
        "provider", "app", N_("Refresh response"),
        N_("A new access token, and with rotation a new refresh token; the old one is spent."),
        "OIDC Core 12.2", f"{_CORE}RefreshTokenResponse",
        "auth.id_token:verify_refreshed_id_token",
    ),
    "logout_request": Text(
        "browser", "app", N_("Sign Out"),
        N_("A form of our own pages asks to sign out; the app looks where it comes from."),
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.routes:logout",
    ),
    "revocation_request": Text(
        "app", "provider", N_("Revocation request"),
        N_("The session here is gone already. The refresh token shall be worth nothing either."),
        "RFC 7009 2.1", f"{_RFC}rfc7009#section-2.1", "auth.token_endpoint:revoke",
    ),
    "revocation_response": Text(
        "provider", "app", N_("Revocation response"),
        N_("200 says that the token is revoked, or never was one. The sign-out goes on anyway."),
        "RFC 7009 2.2", f"{_RFC}rfc7009#section-2.2", "auth.token_endpoint:revoke",
    ),
    "logout_response": Text(
        "app", "browser", N_("Signed out here"),
        N_("The session cookie is deleted, and the browser sent on to sign out there too."),
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.sign_out:sign_out",
    ),
    "end_session_request": Text(
        "browser", "provider", N_("End session request"),
        N_("The provider ends its own session, so that the next sign-in asks again, and sends the "
        "browser back."),
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.sign_out:logout_url",
    ),
}  # fmt: skip

PARAMETERS = {
    "response_type": N_("A code is wanted, not tokens: those never pass through the browser."),
    "client_id": N_("Which application asks."),
    "client_secret": N_("Proves that it is this application."),
    "client_assertion": N_("Proves that it is this application: a JWT signed with its key."),
    "client_assertion_type": N_("What kind of proof the assertion is."),
    "redirect_uri": N_("Where to come back to; registered, and the same in both requests."),
    "scope": N_("What is asked for, or was granted."),
    "audience": N_("The API that the access token is for."),
    "resource": N_("The API that the access token is for."),
    "organization": N_("The organization to sign in to."),
    "invitation": N_("The ticket of an invitation."),
    "state": N_("Ties the answer to this browser: nobody can slip in an answer of their own."),
    "nonce": N_("Ties the ID token to this attempt."),
    "code_challenge": N_("A hash of the code verifier."),
    "code_challenge_method": N_("Which hash."),
    "code_verifier": N_("What the hash was made of: a stolen code is of no use without it."),
    "code": N_("Good for one exchange, within a minute or so."),
    "iss": N_("Who answers; compared to the letter."),
    "error": N_("Why there is nothing."),
    "prompt": N_("What the provider shall ask the person."),
    "max_age": N_("The sign-in at the provider must be no older than this, in seconds."),
    "acr_values": N_("How strong the sign-in must be."),
    "ui_locales": N_("The language of these pages, so that the provider asks in the same."),
    "return_to": N_("The page to come back to."),
    "grant_type": N_("What is exchanged for tokens."),
    "access_token": N_("Opens the API."),
    "refresh_token": N_("Gets the next access token."),
    "id_token": N_("Says who signed in; decoded below."),
    "token_type": N_("Bearer: whoever has the token can use it."),
    "expires_in": N_("How long the access token lasts, in seconds."),
    "token": N_("The token that shall be worth nothing from now on."),
    "token_type_hint": N_("Which kind of token that is."),
    "id_token_hint": N_("Whom to sign out."),
    "post_logout_redirect_uri": N_("Where to come back to; registered."),
    "returnTo": N_("Where to come back to; registered."),
    "keys": N_("How many keys there are."),
}
