"""Which messages and checks there are: who speaks to whom, which code does it, and where that is
specified. What is said of them is in templates/flow/texts.html."""

from __future__ import annotations

from typing import NamedTuple


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


METADATA = _openid("Discovery", "4.3", "ProviderConfigurationValidation")
TOKEN_RESPONSE = _openid("Core", "3.1.3.3", "TokenResponse")
REFRESH = _openid("Core", "12.2", "RefreshTokenResponse")
LOGOUT = _openid("RP-Initiated Logout", "2", "RPLogout")


class Kind(NamedTuple):
    """A kind of message; `function` is `module:name` of the code that makes or reads it, "" where
    that is not ours."""

    sender: str
    receiver: str
    function: str
    specification: Specification


MESSAGES = {
    "login_request": Kind("browser", "app", "auth.routes:login",
        _openid("Core", "3.1.1", "CodeFlowSteps")),
    "par_request": Kind("app", "provider", "auth.par:push", _rfc(9126, "2.1")),
    "par_response": Kind("provider", "app", "auth.par:push", _rfc(9126, "2.2")),
    "login_response": Kind("app", "browser", "auth.authorization:begin_sign_in",
        _rfc(6749, "10.12")),
    "authorization_request": Kind("browser", "provider", "auth.authorization:authorization_url",
        _openid("Core", "3.1.2.1", "AuthRequest")),
    "person": Kind("browser", "provider", "", _openid("Core", "3.1.2.3", "Authenticates")),
    "way_back": Kind("provider", "browser", "", _openid("Core", "3.1.2.5", "AuthResponse")),
    "authorization_response": Kind("browser", "app",
        "auth.authorization:check_authorization_response",
        _openid("Core", "3.1.2.7", "AuthResponseValidation")),
    "metadata_request": Kind("app", "provider", "auth.provider:Metadata.checked",
        _openid("Discovery", "4.1", "ProviderConfigurationRequest")),
    "metadata_response": Kind("provider", "app", "auth.provider:Metadata.checked", METADATA),
    "token_request": Kind("app", "provider", "auth.token_endpoint:exchange_code",
        _openid("Core", "3.1.3.1", "TokenRequest")),
    "token_response": Kind("provider", "app", "auth.id_token:verify_id_token", TOKEN_RESPONSE),
    "keys_request": Kind("app", "provider", "auth.provider:signing_keys",
        _openid("Core", "10.1", "SigEnc")),
    "keys_response": Kind("provider", "app", "auth.provider:key_for", _rfc(7517, "5")),
    "userinfo_request": Kind("app", "provider", "auth.userinfo:fetch_userinfo_claims",
        _openid("Core", "5.3.1", "UserInfoRequest")),
    "userinfo_response": Kind("provider", "app", "auth.userinfo:fetch_userinfo_claims",
        _openid("Core", "5.3.2", "UserInfoResponse")),
    "session_started": Kind("app", "browser", "auth.routes:callback", _rfc(6265, "4.1")),
    "sign_in_failed": Kind("app", "browser", "auth.routes:callback",
        _openid("Core", "3.1.2.6", "AuthError")),
    "page_request": Kind("browser", "app", "auth.access_control:require_sign_in",
        _rfc(6265, "4.2")),
    "page_response": Kind("app", "browser", "auth.api:call_api", _rfc(6750, "5.3")),
    "api_request": Kind("app", "api", "auth.api:call_api", _rfc(6750, "2.1")),
    "api_response": Kind("api", "app", "auth.api:_checked", _rfc(6750, "3")),
    "refresh_request": Kind("app", "provider", "auth.refresh:access_token", _rfc(6749, "6")),
    "refresh_response": Kind("provider", "app", "auth.id_token:verify_refreshed_id_token", REFRESH),
    "logout_request": Kind("browser", "app", "auth.routes:logout", LOGOUT),
    "revocation_request": Kind("app", "provider", "auth.token_endpoint:revoke", _rfc(7009, "2.1")),
    "revocation_response": Kind("provider", "app", "auth.token_endpoint:revoke", _rfc(7009, "2.2")),
    "logout_response": Kind("app", "browser", "auth.routes:logout_response", LOGOUT),
    "end_session_request": Kind("browser", "provider", "auth.logout:logout_url", LOGOUT),
}  # fmt: skip


class Check(NamedTuple):
    """A check, and the kind of message that it looks at."""

    specification: Specification
    message: str = "token_response"


def _id_token(number: str) -> Check:
    return Check(_openid("Core", f"3.1.3.7, {number}", "IDTokenValidation"))


def _callback(rfc: int, section: str) -> Check:
    return Check(_rfc(rfc, section), "authorization_response")


# By the function that raises what a check found, or calls what does.
CHECKS = {
    "auth.login_transaction:LoginTransaction.from_state": _callback(6749, "10.12"),
    "auth.login_transaction:LoginTransaction.belongs_to": _callback(9700, "4.7.1"),
    "auth.authorization:read_authorization_response": _callback(6749, "3.1"),
    "auth.authorization:check_authorization_response": _callback(9207, "2.4"),
    "auth.par:push": Check(_rfc(9126, "2.3"), "par_response"),
    "auth.provider:Metadata.checked": Check(METADATA, "metadata_response"),
    "auth.token_endpoint:exchange_code": Check(_rfc(6749, "5")),
    "auth.id_token:verify_id_token": Check(TOKEN_RESPONSE),
    "auth.id_token:read_header": Check(_rfc(8725, "3.1")),
    "auth.id_token:verify_signature": _id_token("6"),
    "auth.id_token:check_issuer": _id_token("2"),
    "auth.id_token:check_audience": _id_token("3"),
    "auth.id_token:check_times": _id_token("9"),
    "auth.id_token:check_subject": Check(_openid("Core", "2", "IDToken")),
    "auth.id_token:check_at_hash": Check(_openid("Core", "3.1.3.8", "CodeFlowTokenValidation")),
    "auth.id_token:check_nonce": _id_token("11"),
    "auth.id_token:check_acr": _id_token("12"),
    "auth.id_token:check_auth_time": _id_token("13"),
    "auth.id_token:check_organization": Check(
        Specification("Auth0: Work with Tokens and Organizations",
        "https://auth0.com/docs/manage-users/organizations/using-tokens")),
    "auth.id_token:check_same_person": Check(REFRESH, "refresh_response"),
}  # fmt: skip
# Checks that return what they find.
CHECK_OF_CODE = {
    "malformed_callback": "auth.login_transaction:LoginTransaction.from_state",
    "stale_sign_in": "auth.login_transaction:LoginTransaction.belongs_to",
}
