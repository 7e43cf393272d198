"""Every text of `/flow` about the flow, and nothing else: who, which message, which parameter."""

from __future__ import annotations

from typing import NamedTuple

PARTIES = {"browser": "Browser", "app": "This app", "provider": "Provider", "api": "API"}

# Titles of what is drawn, and what to do where it has not happened yet.
PARTS = {
    "sign_in": ("Sign-in", "Sign in."),
    "api_call": ("API call", "Open a page that calls the API, such as Appointments."),
    "refresh": ("Refresh", "Call the API when the access token has expired."),
    "sign_out": ("Sign-out", "Sign out, and open this page within ten minutes."),
}
TOKENS = {"id_token": "Claims of the ID token", "access_token": "Claims of the access token"}

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
        "browser", "app", "Sign In",
        "Somebody wants to sign in, and to come back to a page of this app afterwards.",
        "OIDC Core 3.1.1", f"{_CORE}CodeFlowSteps", "auth.routes:login",
    ),
    "login_response": Text(
        "app", "browser", "Off to the provider",
        "The app keeps state, nonce and code verifier in a sealed cookie of this browser, "
        "and sends it to the provider.",
        "RFC 6749 10.12", f"{_RFC}rfc6749#section-10.12", "auth.attempt:remember_attempt",
    ),
    "authorization_request": Text(
        "browser", "provider", "Authorization request",
        "Step 1. The provider learns who asks, for which scopes and for which API; "
        "there the person signs in and consents, out of the app's sight.",
        "OIDC Core 3.1.2.1", f"{_CORE}AuthRequest",
        "auth.authorization:build_authorization_request",
    ),
    "authorization_response": Text(
        "browser", "app", "Authorization response",
        "The provider sent the browser back with a code. The app checks state and issuer "
        "before it believes anything else.",
        "OIDC Core 3.1.2.5", f"{_CORE}AuthResponse",
        "auth.authorization:check_authorization_response",
    ),
    "metadata_request": Text(
        "app", "provider", "Metadata request",
        "The app asks where the provider's endpoints are. The answer is kept for an hour.",
        "OIDC Discovery 4.1", f"{_DISCOVERY}ProviderConfigurationRequest",
        "auth.provider:Provider.metadata",
    ),
    "metadata_response": Text(
        "provider", "app", "Provider metadata",
        "The endpoints, and what they support. The issuer must be the configured one.",
        "OIDC Discovery 4.3", f"{_DISCOVERY}ProviderConfigurationValidation",
        "auth.provider:Metadata.checked",
    ),
    "token_request": Text(
        "app", "provider", "Token request",
        "Step 2. The app exchanges the code, proves who it is, and shows the code verifier "
        "that only the sender of step 1 can know.",
        "OIDC Core 3.1.3.1", f"{_CORE}TokenRequest", "auth.token_endpoint:exchange_code",
    ),
    "token_response": Text(
        "provider", "app", "Token response",
        "The tokens. The ID token is verified, claim by claim, before anybody is let in.",
        "OIDC Core 3.1.3.3", f"{_CORE}TokenResponse", "auth.id_token:verify_id_token",
    ),
    "keys_request": Text(
        "app", "provider", "Key set request",
        "The app fetches the public keys with which the provider's signatures are verified.",
        "OIDC Core 10.1", f"{_CORE}SigEnc", "auth.provider:Provider.keys",
    ),
    "keys_response": Text(
        "provider", "app", "Key set",
        "The ID token's header names one of these keys; no other key is believed.",
        "RFC 7517 5", f"{_RFC}rfc7517#section-5", "auth.id_token:verified_signature",
    ),
    "session_started": Text(
        "app", "browser", "Signed in",
        "A new session begins. The browser gets its id in a cookie; the tokens stay here.",
        "RFC 6265 4.1", f"{_RFC}rfc6265#section-4.1", "auth.routes:callback",
    ),
    "sign_in_failed": Text(
        "app", "browser", "Not signed in",
        "Something was not as it must be. Nobody is signed in, and the attempt is used up.",
        "OIDC Core 3.1.2.6", f"{_CORE}AuthError", "auth.routes:callback",
    ),
    "page_request": Text(
        "browser", "app", "Page request",
        "The browser asks for a page and shows its session cookie.",
        "RFC 6265 4.2", f"{_RFC}rfc6265#section-4.2", "auth.guard:require_sign_in",
    ),
    "page_response": Text(
        "app", "browser", "Page",
        "The app answers. Whatever it got from the API, no token is in it.",
        "RFC 6750 5.3", f"{_RFC}rfc6750#section-5.3", "pages.api:call_api",
    ),
    "api_request": Text(
        "app", "api", "API request",
        "Step 3. The access token goes along as a header, never in a URL.",
        "RFC 6750 2.1", f"{_RFC}rfc6750#section-2.1", "pages.api:call_api",
    ),
    "api_response": Text(
        "api", "app", "API response",
        "The API validated the access token and answered, or said what it lacks.",
        "RFC 6750 3", f"{_RFC}rfc6750#section-3", "pages.api:_data",
    ),
    "refresh_request": Text(
        "app", "provider", "Refresh request",
        "Step 4. The access token has expired: the refresh token gets the next one. "
        "Of many requests at once, exactly one does this.",
        "RFC 6749 6", f"{_RFC}rfc6749#section-6", "auth.access:access_token",
    ),
    "refresh_response": Text(
        "provider", "app", "Refresh response",
        "A new access token, and with rotation a new refresh token; the old one is spent.",
        "OIDC Core 12.2", f"{_CORE}RefreshTokenResponse",
        "auth.id_token:verify_refreshed_id_token",
    ),
    "logout_request": Text(
        "browser", "app", "Sign Out",
        "A form of our own pages asks to sign out; the app looks where it comes from.",
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.routes:logout",
    ),
    "revocation_request": Text(
        "app", "provider", "Revocation request",
        "The session here is gone already. The refresh token shall be worth nothing either.",
        "RFC 7009 2.1", f"{_RFC}rfc7009#section-2.1", "auth.token_endpoint:revoke",
    ),
    "revocation_response": Text(
        "provider", "app", "Revocation response",
        "200 says that the token is revoked, or never was one. The sign-out goes on anyway.",
        "RFC 7009 2.2", f"{_RFC}rfc7009#section-2.2", "auth.token_endpoint:revoke",
    ),
    "logout_response": Text(
        "app", "browser", "Signed out here",
        "The session cookie is deleted, and the browser sent on to sign out there too.",
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.sign_out:sign_out",
    ),
    "end_session_request": Text(
        "browser", "provider", "End session request",
        "The provider ends its own session, so that the next sign-in asks again, "
        "and sends the browser back.",
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.sign_out:logout_url",
    ),
}  # fmt: skip

PARAMETERS = {
    "response_type": "A code is wanted, not tokens: those never pass through the browser.",
    "client_id": "Which application asks.",
    "client_secret": "Proves that it is this application.",
    "client_assertion": "Proves that it is this application: a JWT signed with its key.",
    "client_assertion_type": "What kind of proof the assertion is.",
    "redirect_uri": "Where to come back to; registered, and the same in both requests.",
    "scope": "What is asked for, or was granted.",
    "audience": "The API that the access token is for.",
    "resource": "The API that the access token is for.",
    "organization": "The organization to sign in to.",
    "invitation": "The ticket of an invitation.",
    "state": "Ties the answer to this browser: nobody can slip in an answer of their own.",
    "nonce": "Ties the ID token to this attempt.",
    "code_challenge": "A hash of the code verifier.",
    "code_challenge_method": "Which hash.",
    "code_verifier": "What the hash was made of: a stolen code is of no use without it.",
    "code": "Good for one exchange, within a minute or so.",
    "iss": "Who answers; compared to the letter.",
    "error": "Why there is nothing.",
    "prompt": "What the provider shall ask the person.",
    "max_age": "The sign-in at the provider must be no older than this, in seconds.",
    "acr_values": "How strong the sign-in must be.",
    "ui_locales": "The language to ask in.",
    "return_to": "The page to come back to.",
    "grant_type": "What is exchanged for tokens.",
    "access_token": "Opens the API.",
    "refresh_token": "Gets the next access token.",
    "id_token": "Says who signed in; decoded below.",
    "token_type": "Bearer: whoever has the token can use it.",
    "expires_in": "How long the access token lasts, in seconds.",
    "token": "The token that shall be worth nothing from now on.",
    "token_type_hint": "Which kind of token that is.",
    "id_token_hint": "Whom to sign out.",
    "post_logout_redirect_uri": "Where to come back to; registered.",
    "returnTo": "Where to come back to; registered.",
    "keys": "How many keys there are.",
}
