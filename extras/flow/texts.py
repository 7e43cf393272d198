"""Every text of `/flow` about the flow: who, which message, which parameter, which check."""

from __future__ import annotations

from typing import Any, NamedTuple

from flask_babel import lazy_gettext as _

PARTIES = {
    "browser": _("Browser"),
    "app": _("This app"),
    "provider": _("Provider"),
    "api": _("API"),
}

# Titles of what is drawn, and what to do where it has not happened yet.
PARTS = {
    "sign_in": (_("Sign-in"), _("Sign in.")),
    "api_call": (_("API call"), _("Open a page that calls the API, such as Appointments.")),
    "refresh": (_("Refresh"), _("Call the API when the access token has expired.")),
    "sign_out": (_("Sign-out"), _("Sign out, and open this page within ten minutes.")),
}
TOKENS = {
    "id_token": _("Claims of the ID token"),
    "access_token": _("Claims of the access token"),
}

_CORE = "https://openid.net/specs/openid-connect-core-1_0.html#"
_DISCOVERY = "https://openid.net/specs/openid-connect-discovery-1_0.html#"
_LOGOUT = "https://openid.net/specs/openid-connect-rpinitiated-1_0.html#"
_RFC = "https://www.rfc-editor.org/rfc/"


class Text(NamedTuple):
    """What is said of one kind of message; `function` is `module:name` of the code that does it."""

    sender: str
    receiver: str
    title: Any
    explanation: Any
    specification: str
    link: str
    function: str


MESSAGES = {
    "login_request": Text(
        "browser", "app", _("Sign In"),
        _("Somebody wants to sign in, and to come back to a page of this app afterwards."),
        "OIDC Core 3.1.1", f"{_CORE}CodeFlowSteps", "auth.routes:login",
    ),
    "login_response": Text(
        "app", "browser", _("Off to the provider"),
        _("State, nonce and code verifier belong to one secret cookie of this browser. The app "
        "sends the browser to the provider."),
        "RFC 6749 10.12", f"{_RFC}rfc6749#section-10.12", "auth.authorization:begin_sign_in",
    ),
    "authorization_request": Text(
        "browser", "provider", _("Authorization request"),
        _("Step 1. The provider learns who asks, for which scopes and for which API; there the "
        "person signs in and consents, out of the app's sight."),
        "OIDC Core 3.1.2.1", f"{_CORE}AuthRequest",
        "auth.authorization:authorization_url",
    ),
    "authorization_response": Text(
        "browser", "app", _("Authorization response"),
        _("The provider sent the browser back with a code. The app checks state and issuer "
        "before it believes anything else."),
        "OIDC Core 3.1.2.5", f"{_CORE}AuthResponse",
        "auth.authorization:check_authorization_response",
    ),
    "metadata_request": Text(
        "app", "provider", _("Metadata request"),
        _("The app asks where the provider's endpoints are. The answer is cached for an hour."),
        "OIDC Discovery 4.1", f"{_DISCOVERY}ProviderConfigurationRequest",
        "auth.provider:Provider.metadata",
    ),
    "metadata_response": Text(
        "provider", "app", _("Provider metadata"),
        _("The endpoints, and what they support. The issuer must be the configured one."),
        "OIDC Discovery 4.3", f"{_DISCOVERY}ProviderConfigurationValidation",
        "auth.provider:Metadata.checked",
    ),
    "token_request": Text(
        "app", "provider", _("Token request"),
        _("Step 2. The app exchanges the code, proves who it is, and shows the code verifier "
        "that only the sender of step 1 can know."),
        "OIDC Core 3.1.3.1", f"{_CORE}TokenRequest", "auth.token_endpoint:exchange_code",
    ),
    "token_response": Text(
        "provider", "app", _("Token response"),
        _("The tokens. The ID token is verified, claim by claim, before anybody is let in."),
        "OIDC Core 3.1.3.3", f"{_CORE}TokenResponse", "auth.id_token:verify_id_token",
    ),
    "keys_request": Text(
        "app", "provider", _("Key set request"),
        _("The app fetches the public keys with which the provider's signatures are verified."),
        "OIDC Core 10.1", f"{_CORE}SigEnc", "auth.provider:Provider.keys",
    ),
    "keys_response": Text(
        "provider", "app", _("Key set"),
        _("The ID token's header names one of these keys; no other key is believed."),
        "RFC 7517 5", f"{_RFC}rfc7517#section-5", "auth.id_token:verify_signature",
    ),
    "par_request": Text(
        "app", "provider", _("Pushed authorization request"),
        _("The parameters go to the provider by POST, so that nobody in between can change them."),
        "RFC 9126 2.1", f"{_RFC}rfc9126#section-2.1", "auth.par:push",
    ),
    "par_response": Text(
        "provider", "app", _("Pushed, and noted"),
        _("The provider answers with a reference. The browser carries that alone."),
        "RFC 9126 2.2", f"{_RFC}rfc9126#section-2.2", "auth.par:push",
    ),
    "userinfo_request": Text(
        "app", "provider", _("UserInfo request"),
        _("The ID token names nobody, so the app asks who it is."),
        "OIDC Core 5.3.1", f"{_CORE}UserInfoRequest", "auth.userinfo:further_claims",
    ),
    "userinfo_response": Text(
        "provider", "app", _("UserInfo"),
        _("Claims about the person. They count only for the subject of the ID token."),
        "OIDC Core 5.3.2", f"{_CORE}UserInfoResponse", "auth.userinfo:further_claims",
    ),
    "session_started": Text(
        "app", "browser", _("Signed in here"),
        _("A new session begins. The browser gets its id in a cookie; the tokens stay here."),
        "RFC 6265 4.1", f"{_RFC}rfc6265#section-4.1", "auth.routes:callback",
    ),
    "sign_in_failed": Text(
        "app", "browser", _("Not signed in"),
        _("A check failed, or the provider refused. Nobody is signed in."),
        "OIDC Core 3.1.2.6", f"{_CORE}AuthError", "auth.routes:callback",
    ),
    "page_request": Text(
        "browser", "app", _("Page request"),
        _("The browser asks for a page and shows its session cookie."),
        "RFC 6265 4.2", f"{_RFC}rfc6265#section-4.2", "auth.access_control:require_sign_in",
    ),
    "page_response": Text(
        "app", "browser", _("Page"),
        _("The app answers. Whatever it got from the API, no token is in it."),
        "RFC 6750 5.3", f"{_RFC}rfc6750#section-5.3", "auth.api:call_api",
    ),
    "api_request": Text(
        "app", "api", _("API request"),
        _("Step 3. The access token goes along as a header, never in a URL."),
        "RFC 6750 2.1", f"{_RFC}rfc6750#section-2.1", "auth.api:call_api",
    ),
    "api_response": Text(
        "api", "app", _("API response"),
        _("The API validated the access token and answered, or said what it lacks."),
        "RFC 6750 3", f"{_RFC}rfc6750#section-3", "auth.api:_checked",
    ),
    "refresh_request": Text(
        "app", "provider", _("Refresh request"),
        _("Step 4. The access token has expired: the refresh token gets the next one. Of many "
        "requests at once, exactly one does this."),
        "RFC 6749 6", f"{_RFC}rfc6749#section-6", "auth.refresh:refreshed_token",
    ),
    "refresh_response": Text(
        "provider", "app", _("Refresh response"),
        _("A new access token, and with rotation a new refresh token; the old one is spent."),
        "OIDC Core 12.2", f"{_CORE}RefreshTokenResponse",
        "auth.id_token:verify_refreshed_id_token",
    ),
    "logout_request": Text(
        "browser", "app", _("Sign Out"),
        _("A form of our own pages asks to sign out; the app looks where it comes from."),
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.routes:logout",
    ),
    "revocation_request": Text(
        "app", "provider", _("Revocation request"),
        _("The session here is gone already. The refresh token must be worth nothing, too."),
        "RFC 7009 2.1", f"{_RFC}rfc7009#section-2.1", "auth.token_endpoint:revoke",
    ),
    "revocation_response": Text(
        "provider", "app", _("Revocation response"),
        _("200 says that the token is revoked, or never was one. The sign-out goes on anyway."),
        "RFC 7009 2.2", f"{_RFC}rfc7009#section-2.2", "auth.token_endpoint:revoke",
    ),
    "logout_response": Text(
        "app", "browser", _("Signed out here"),
        _("The session cookie is deleted. The page leads on to sign out there, too."),
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.logout:sign_out",
    ),
    "end_session_request": Text(
        "browser", "provider", _("End session request"),
        _("The provider ends its own session, so that the next sign-in asks again, and sends the "
        "browser back."),
        "OIDC RP-Initiated Logout 2", f"{_LOGOUT}RPLogout", "auth.logout:logout_url",
    ),
}  # fmt: skip

_CHECKS = f"{_CORE}IDTokenValidation"
# By the code of the error, and of `bad_id_token` by the first word of what the log says of it: the
# function that stopped a sign-in, and where the rule is written.
CHECKS = {
    "wrong_nonce": ("auth.id_token:check_nonce", "OIDC Core 3.1.3.7", _CHECKS),
    "iss": ("auth.id_token:check_issuer", "OIDC Core 3.1.3.7", _CHECKS),
    "aud": ("auth.id_token:check_audience", "OIDC Core 3.1.3.7", _CHECKS),
    "azp": ("auth.id_token:check_audience", "OIDC Core 3.1.3.7", _CHECKS),
    "exp": ("auth.id_token:check_times", "OIDC Core 3.1.3.7", _CHECKS),
    "iat": ("auth.id_token:check_times", "OIDC Core 3.1.3.7", _CHECKS),
    "nbf": ("auth.id_token:check_times", "RFC 7519 4.1.5", f"{_RFC}rfc7519#section-4.1.5"),
    "sub": ("auth.id_token:check_subject", "OIDC Core 2", f"{_CORE}IDToken"),
    "at_hash": (
        "auth.id_token:check_at_hash", "OIDC Core 3.1.3.8", f"{_CORE}CodeFlowTokenValidation",
    ),
    "auth_time": ("auth.id_token:check_auth_time", "OIDC Core 3.1.3.7", _CHECKS),
    "alg": ("auth.id_token:read_header", "RFC 8725 3.1", f"{_RFC}rfc8725#section-3.1"),
    "bad_id_token": ("auth.id_token:verify_signature", "OIDC Core 3.1.3.7", _CHECKS),
    "stale_authentication": ("auth.id_token:check_auth_time", "OIDC Core 3.1.3.7", _CHECKS),
    "weaker_authentication": ("auth.id_token:check_acr", "OIDC Core 3.1.3.7", _CHECKS),
    "wrong_organization": (
        "auth.id_token:check_organization", "OIDC Core 5.1.2", f"{_CORE}AdditionalClaims",
    ),
    "wrong_issuer": (
        "auth.authorization:check_authorization_response",
        "RFC 9207 2.4", f"{_RFC}rfc9207#section-2.4",
    ),
    "malformed_callback": (
        "auth.authorization:read_authorization_response",
        "RFC 6749 4.1.2", f"{_RFC}rfc6749#section-4.1.2",
    ),
    "stale_sign_in": (
        "auth.login_transaction:LoginTransaction.is_of",
        "RFC 9700 4.7", f"{_RFC}rfc9700#section-4.7",
    ),
    "code_refused": (
        "auth.token_endpoint:_refusal", "RFC 6749 5.2", f"{_RFC}rfc6749#section-5.2",
    ),
    "bad_token_response": (
        "auth.token_endpoint:_token_response", "RFC 6749 5.1", f"{_RFC}rfc6749#section-5.1",
    ),
}  # fmt: skip

PARAMETERS = {
    "response_type": _("A code is wanted, not tokens: those never pass through the browser."),
    "client_id": _("Which application asks."),
    "client_secret": _("Proves that it is this application."),
    "client_assertion": _("Proves that it is this application: a JWT signed with its key."),
    "client_assertion_type": _("What kind of proof the assertion is."),
    "redirect_uri": _("Where to come back to; registered, and the same in both requests."),
    "scope": _("What is asked for, or was granted."),
    "audience": _("The API that the access token is for."),
    "resource": _("The API that the access token is for."),
    "organization": _("The organization to sign in to."),
    "invitation": _("The ticket of an invitation."),
    "state": _("Ties the answer to this browser: nobody can slip in an answer of their own."),
    "nonce": _("Ties the ID token to this sign-in."),
    "code_challenge": _("A hash of the code verifier."),
    "code_challenge_method": _("Which hash."),
    "code_verifier": _("What the hash was made of: a stolen code is of no use without it."),
    "code": _("Good for one exchange, within a minute or so."),
    "iss": _("Who answers; compared exactly."),
    "error": _("Why there is nothing."),
    "prompt": _("What the provider is to ask the person."),
    "max_age": _("The sign-in at the provider must be no older than this, in seconds."),
    "acr_values": _("How strong the sign-in must be."),
    "ui_locales": _("The language of these pages, so that the provider asks in the same."),
    "return_to": _("The page to come back to."),
    "grant_type": _("What is exchanged for tokens."),
    "access_token": _("Opens the API."),
    "refresh_token": _("Gets the next access token."),
    "id_token": _("Says who signed in; decoded below."),
    "token_type": _("Bearer: anybody who has the token can use it. DPoP: only with the key."),
    "expires_in": _("How long the access token lasts, in seconds."),
    "token": _("The token that is worth nothing from now on."),
    "token_type_hint": _("Which kind of token that is."),
    "id_token_hint": _("Whom to sign out."),
    "post_logout_redirect_uri": _("Where to come back to; registered."),
    "returnTo": _("Where to come back to; registered."),
    "request_uri": _("Stands for the parameters that were pushed before."),
    "dpop_jkt": _("The key that the code and the tokens are bound to."),
    "keys": _("How many keys there are."),
}
