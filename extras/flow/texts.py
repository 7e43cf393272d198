"""Every text about messages and checks of the flow: what they are, where they are specified, and
which code makes them. Those about parameters are in templates/flow/parameters.html."""

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
    "sign_out": (_("Sign-out"), _("Sign out, and open this page within an hour.")),
}
TOKENS = {"id_token": _("Claims of the ID token"), "access_token": _("Claims of the access token")}


class Specification(NamedTuple):
    """A section of a specification."""

    name: str
    link: str


def _rfc(number: int, section: str) -> Specification:
    link = f"https://www.rfc-editor.org/rfc/rfc{number}#section-{section}"
    return Specification(f"RFC {number} section {section}", link)


def _openid(name: str, section: str, anchor: str) -> Specification:
    document = {"Core": "core", "Discovery": "discovery", "RP-Initiated Logout": "rpinitiated"}
    link = f"https://openid.net/specs/openid-connect-{document[name]}-1_0.html#{anchor}"
    return Specification(f"OIDC {name} section {section}", link)


class Text(NamedTuple):
    """What is said of one kind of message; `function` is `module:name` of the code that makes or
    reads it, "" where that is not ours."""

    sender: str
    receiver: str
    title: Any
    explanation: Any
    specification: Specification
    function: str


MESSAGES = {
    "login_request": Text("browser", "app", _("Sign In"),
        _("Somebody wants to sign in, and to come back to a page of this app afterwards."),
        _openid("Core", "3.1.1", "CodeFlowSteps"), "auth.routes:login"),
    "par_request": Text("app", "provider", _("Pushed request"),
        _("The app sends the parameters of the authorization request itself, and proves who it is. "
        "Nobody between app and provider can change or read them."),
        _rfc(9126, "2.1"), "auth.par:push"),
    "par_response": Text("provider", "app", _("Reference to the request"),
        _("The provider stores the parameters. The browser carries a reference that works once."),
        _rfc(9126, "2.2"), "auth.par:push"),
    "login_response": Text("app", "browser", _("On to the provider"),
        _("The sign-in in progress is encrypted in state. Nonce and code verifier are derived from "
        "a secret cookie of this browser. Nothing else is stored."),
        _rfc(6749, "10.12"), "auth.authorization:begin_sign_in"),
    "authorization_request": Text("browser", "provider", _("Authorization request"),
        _("Step 1. The provider learns who asks, for which scopes and for which API."),
        _openid("Core", "3.1.2.1", "AuthRequest"), "auth.authorization:authorization_url"),
    "person": Text("browser", "provider", _("The person signs in"),
        _("The person signs in and consents, or does not. The app sees nothing of this: no "
        "password ever comes here."),
        _openid("Core", "3.1.2.3", "Authenticates"), ""),
    "way_back": Text("provider", "browser", _("Back to the app"),
        _("The provider sends the browser back to the redirect URI, with a code or an error."),
        _openid("Core", "3.1.2.5", "AuthResponse"), ""),
    "authorization_response": Text("browser", "app", _("Authorization response"),
        _("The browser brings the code. The app checks state and issuer before anything else."),
        _openid("Core", "3.1.2.7", "AuthResponseValidation"),
        "auth.authorization:check_authorization_response"),
    "metadata_request": Text("app", "provider", _("Metadata request"),
        _("The app asks where the provider's endpoints are. It caches the response for an hour."),
        _openid("Discovery", "4.1", "ProviderConfigurationRequest"),
        "auth.provider:Provider.metadata"),
    "metadata_response": Text("provider", "app", _("Provider metadata"),
        _("The endpoints, and what they support. The issuer must be the configured one."),
        _openid("Discovery", "4.3", "ProviderConfigurationValidation"),
        "auth.provider:Metadata.checked"),
    "token_request": Text("app", "provider", _("Token request"),
        _("Step 2. The app exchanges the code, proves who it is, and shows the code verifier that "
        "only the sender of step 1 can know."),
        _openid("Core", "3.1.3.1", "TokenRequest"), "auth.token_endpoint:exchange_code"),
    "token_response": Text("provider", "app", _("Token response"),
        _("The tokens. The ID token is verified, claim by claim, before anybody is let in."),
        _openid("Core", "3.1.3.3", "TokenResponse"), "auth.id_token:verify_id_token"),
    "keys_request": Text("app", "provider", _("Key set request"),
        _("The app fetches the public keys that verify the provider's signatures."),
        _openid("Core", "10.1", "SigEnc"), "auth.provider:Provider.keys"),
    "keys_response": Text("provider", "app", _("Key set"),
        _("The ID token's header names one of these keys. The app trusts no other key."),
        _rfc(7517, "5"), "auth.provider:key_for"),
    "userinfo_request": Text("app", "provider", _("UserInfo request"),
        _("The ID token names nobody, so the app asks UserInfo, with the access token."),
        _openid("Core", "5.3.1", "UserInfoRequest"), "auth.userinfo:further_claims"),
    "userinfo_response": Text("provider", "app", _("UserInfo response"),
        _("Claims about the person. They count only if sub is that of the ID token."),
        _openid("Core", "5.3.2", "UserInfoResponse"), "auth.userinfo:further_claims"),
    "session_started": Text("app", "browser", _("Signed in here"),
        _("A new session begins. The browser gets its id in a cookie. The tokens stay here."),
        _rfc(6265, "4.1"), "auth.routes:callback"),
    "sign_in_failed": Text("app", "browser", _("Not signed in"),
        _("A check failed. Nobody is signed in, and an earlier session is as it was."),
        _openid("Core", "3.1.2.6", "AuthError"), "auth.routes:callback"),
    "page_request": Text("browser", "app", _("Page request"),
        _("The browser asks for a page and shows its session cookie."),
        _rfc(6265, "4.2"), "auth.access_control:require_sign_in"),
    "page_response": Text("app", "browser", _("Page"),
        _("The app answers with a page. It never contains a token."),
        _rfc(6750, "5.3"), "auth.api:call_api"),
    "api_request": Text("app", "api", _("API request"),
        _("Step 3. The access token goes along as a header, never in a URL."),
        _rfc(6750, "2.1"), "auth.api:call_api"),
    "api_response": Text("api", "app", _("API response"),
        _("The API validated the access token and answered, or said what the token lacks."),
        _rfc(6750, "3"), "auth.api:_checked"),
    "refresh_request": Text("app", "provider", _("Refresh request"),
        _("Step 4. The access token has expired: the refresh token gets the next one. Of many "
        "requests at the same time, exactly one does this."),
        _rfc(6749, "6"), "auth.refresh:refreshed_token"),
    "refresh_response": Text("provider", "app", _("Refresh response"),
        _("A new access token, and with rotation a new refresh token. The old one is used up."),
        _openid("Core", "12.2", "RefreshTokenResponse"),
        "auth.id_token:verify_refreshed_id_token"),
    "logout_request": Text("browser", "app", _("Sign Out"),
        _("A form of our own pages asks to sign out. The app checks where the form comes from."),
        _openid("RP-Initiated Logout", "2", "RPLogout"), "auth.routes:logout"),
    "revocation_request": Text("app", "provider", _("Revocation request"),
        _("The session here has ended already. The refresh token must become useless, too."),
        _rfc(7009, "2.1"), "auth.token_endpoint:revoke"),
    "revocation_response": Text("provider", "app", _("Revocation response"),
        _("200 says that the token is revoked, or never was one. The sign-out goes on anyway."),
        _rfc(7009, "2.2"), "auth.token_endpoint:revoke"),
    "logout_response": Text("app", "browser", _("Signed out here"),
        _("A page that goes on by itself leads to the provider, to sign out there, too."),
        _openid("RP-Initiated Logout", "2", "RPLogout"), "auth.routes:logout_response"),
    "end_session_request": Text("browser", "provider", _("End session request"),
        _("The provider ends its own session, so that the next sign-in asks again, and sends the "
        "browser back."),
        _openid("RP-Initiated Logout", "2", "RPLogout"), "auth.logout:logout_url"),
}  # fmt: skip


class Check(NamedTuple):
    """The kind of message that a check looks at, and what it demands."""

    message: str
    title: Any
    specification: Specification


def _id_token(number: str, title: Any) -> Check:
    where = _openid("Core", f"3.1.3.7, {number}", "IDTokenValidation")
    return Check("token_response", title, where)


# By the function that raises what a check found, or calls what does.
CHECKS = {
    "auth.login_transaction:LoginTransaction.from_state": Check("authorization_response",
        _("state was encrypted by this app"), _rfc(6749, "10.12")),
    "auth.login_transaction:LoginTransaction.is_of": Check("authorization_response",
        _("The sign-in began in this browser, less than an hour ago"), _rfc(9700, "4.7.1")),
    "auth.authorization:read_authorization_response": Check("authorization_response",
        _("Each parameter comes once"), _rfc(6749, "3.1")),
    "auth.authorization:check_authorization_response": Check("authorization_response",
        _("The right issuer answers, with a code and no error"), _rfc(9207, "2.4")),
    "auth.par:push": Check("par_response",
        _("The provider accepts the request"), _rfc(9126, "2.3")),
    "auth.provider:Metadata.checked": Check("metadata_response",
        _("The issuer is the configured one"),
        _openid("Discovery", "4.3", "ProviderConfigurationValidation")),
    "auth.token_endpoint:exchange_code": Check("token_response",
        _("The token endpoint gives usable tokens"), _rfc(6749, "5")),
    "auth.id_token:verify_id_token": Check("token_response",
        _("An ID token came"), _openid("Core", "3.1.3.3", "TokenResponse")),
    "auth.id_token:read_header": Check("token_response",
        _("The algorithm is one of ours"), _rfc(8725, "3.1")),
    "auth.id_token:verify_signature": _id_token("6", _("The signature is the provider's")),
    "auth.id_token:check_issuer": _id_token("2", _("The issuer is the configured one")),
    "auth.id_token:check_audience": _id_token("3", _("The token is for this app")),
    "auth.id_token:check_times": _id_token("9", _("The token is neither old nor of the future")),
    "auth.id_token:check_subject": Check("token_response",
        _("The token names a subject"), _openid("Core", "2", "IDToken")),
    "auth.id_token:check_at_hash": Check("token_response",
        _("The access token belongs to the ID token"),
        _openid("Core", "3.1.3.8", "CodeFlowTokenValidation")),
    "auth.id_token:check_nonce": _id_token("11", _("The nonce is that of this sign-in")),
    "auth.id_token:check_acr": _id_token("12", _("The sign-in is as strong as the page demands")),
    "auth.id_token:check_auth_time": _id_token("13", _("The sign-in is as recent as asked for")),
    "auth.id_token:check_organization": Check("token_response",
        _("The organization is the one asked for"),
        Specification("Auth0: Work with Tokens and Organizations",
        "https://auth0.com/docs/manage-users/organizations/using-tokens")),
    "auth.id_token:check_same_person": Check("refresh_response",
        _("The refreshed ID token is about the same person"),
        _openid("Core", "12.2", "RefreshTokenResponse")),
}  # fmt: skip
# Checks that return what they find.
CHECK_OF_CODE = {
    "malformed_callback": "auth.login_transaction:LoginTransaction.from_state",
    "stale_sign_in": "auth.login_transaction:LoginTransaction.is_of",
}
