"""The provider's configuration: read once, never changed in place."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

OIDC_SCOPES = ("openid", "profile", "email", "phone", "offline_access")
CHOICES = {
    "signing_alg": ("RS256", "PS256", "ES256"),
    "id_token_alg": (None, "HS256"),
    "userinfo_format": ("json", "jwt"),
    "refresh_tokens": ("offline_access", "access_type", "always"),
    "assertion_audience": ("any", "issuer", "token_endpoint"),
}


class ConfigError(ValueError):
    """The configuration has an unknown or unusable entry; the message says which."""


@dataclass(frozen=True)
class Client:
    """A registered relying party (RFC 6749 section 2)."""

    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    # As people read it: the name in the first line of templates/base.html.
    name: str = "Daybook"
    token_endpoint_auth_methods: tuple[str, ...] = ("client_secret_post",)
    # Public keys, for `private_key_jwt` only.
    jwks: dict[str, Any] | None = None
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    initiate_login_uri: str | None = None
    # "allow": the `organization` parameter counts; "ask": the person is asked where none came;
    # "none": this client knows no organizations.
    organizations: str = "allow"

    @classmethod
    def from_mapping(cls, values: Client | Mapping[str, Any]) -> Client:
        """Read the JSON form. Raises ConfigError for an unknown field."""
        if isinstance(values, Client):
            return values
        values = dict(values)
        if method := values.pop("token_endpoint_auth_method", None):
            values["token_endpoint_auth_methods"] = [method]
        try:
            return cls(**_with_tuples(values))
        except TypeError as error:
            raise ConfigError(f"client: {error}") from None

    # The three questions that Authlib's token endpoint asks of a client.

    def check_client_secret(self, client_secret: str) -> bool:
        """Compare in constant time: the duration must not tell how much of a guess was right."""
        expected = (self.client_secret or "").encode()
        return bool(expected) and hmac.compare_digest(expected, client_secret.encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Only the registered methods count, or the weakest would be everyone's."""
        return method in self.token_endpoint_auth_methods

    def check_grant_type(self, grant_type: str) -> bool:
        """Both grants are open to every client; there are no others."""
        return grant_type in ("authorization_code", "refresh_token")


@dataclass(frozen=True)
class ProviderConfig:
    """Everything that can be chosen about the provider."""

    issuer: str
    clients: tuple[Client, ...]
    # Each known audience (RFC 8707: resource) with the scopes that its API knows.
    audiences: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    access_token_seconds: int = 30
    id_token_seconds: int = 36000
    code_seconds: int = 60
    signing_alg: str = "RS256"
    # A rotated refresh token works once; the second use revokes the grant. There is no grace.
    rotation: bool = True
    # May a refresh token be exchanged for an access token of another audience?
    multi_resource: bool = True
    skip_consent: bool = False
    # RFC 9207: `iss` in the authorization response.
    iss_parameter: bool = True
    # RFC 9126: refuse authorization requests that were not pushed.
    require_pushed_authorization_requests: bool = False
    # RFC 9449 section 8: DPoP proofs at the token endpoint need a nonce of ours.
    dpop_nonce: bool = False

    # The options below imitate other providers.
    # Endpoints at other paths: {"/authorize": "/auth"}; None takes an endpoint away.
    paths: dict[str, str | None] = field(default_factory=dict)
    # Merged into these; None takes a field out, {"in_seconds": 60} is a time from now.
    metadata: dict[str, Any] = field(default_factory=dict)
    id_token: dict[str, Any] = field(default_factory=dict)
    refreshed_id_token: dict[str, Any] = field(default_factory=dict)
    token_response: dict[str, Any] = field(default_factory=dict)
    # HS256: ID tokens are signed with the client secret.
    id_token_alg: str | None = None
    # False: name, email and so on come from the userinfo endpoint only.
    claims_in_id_token: bool = True
    # "json", or "jwt": signed.
    userinfo_format: str = "json"
    oidc_scopes: tuple[str, ...] = OIDC_SCOPES
    # True: invalid_scope for an unknown scope, which is left out otherwise.
    refuse_unknown_scopes: bool = False
    # What the token response calls a scope; "" leaves it out.
    scope_names: dict[str, str] = field(default_factory=dict)
    # Who gets a refresh token: "offline_access" (the scope), "access_type" (the parameter, as at
    # Google) or "always".
    refresh_tokens: str = "offline_access"
    # The API that access tokens are for where the request names none.
    default_audience: str | None = None
    # The `aud` of a client's assertion: "any", "issuer" or "token_endpoint".
    assertion_audience: str = "any"
    logout_redirect_parameter: str = "post_logout_redirect_uri"
    # The control pages of the sample APIs, for links.
    api_urls: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not urlsplit(self.issuer).hostname:
            raise ConfigError(f"issuer {self.issuer!r} is not a URL; write http://localhost:3001/")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"{name} {getattr(self, name)!r}: choose one of {choices}")

    @property
    def path(self) -> str:
        """The issuer's path, below which all endpoints are; empty for a bare host."""
        return urlsplit(self.issuer).path.rstrip("/")

    @property
    def base_url(self) -> str:
        """The issuer without its trailing slash."""
        return self.issuer.rstrip("/")

    @property
    def origin(self) -> str:
        """Scheme, host and port of the issuer, without its path."""
        return self.base_url.removesuffix(self.path)

    @property
    def app_base_url(self) -> str | None:
        """Where the first application is, as far as it said where sign-in starts."""
        start = self.clients[0].initiate_login_uri if self.clients else None
        return start.removesuffix("/login") if start else None

    def url(self, path: str) -> str | None:
        """The URL of an endpoint; None where it was taken away."""
        path_there = self.paths.get(path, path)
        return self.base_url + path_there if path_there else None

    def client(self, client_id: str | None) -> Client | None:
        """The registered client of that id."""
        return next((each for each in self.clients if each.client_id == client_id), None)

    def client_origins(self) -> list[str]:
        """Where our forms may lead: the origins of all registered redirect URIs."""
        uris = [(*each.redirect_uris, *each.post_logout_redirect_uris) for each in self.clients]
        parts = [urlsplit(uri) for each in uris for uri in each]
        return sorted({f"{each.scheme}://{each.netloc}" for each in parts})

    def changed(self, options: Mapping[str, Any]) -> ProviderConfig:
        """A copy with some options changed. Raises ConfigError for an unknown one."""
        values = _with_tuples(options)
        values["clients"] = tuple(map(Client.from_mapping, values.get("clients", self.clients)))
        of_clients: dict[str, Any] = {}
        if "ask_organization" in values:
            of_clients["organizations"] = "ask" if values.pop("ask_organization") else "allow"
        if "client_auth" in values:
            of_clients["token_endpoint_auth_methods"] = (values.pop("client_auth"),)
        values["clients"] = tuple(
            dataclasses.replace(each, **of_clients) for each in values["clients"]
        )
        known = {each.name for each in dataclasses.fields(self)} - {"issuer"}
        if unknown := set(values) - known:
            raise ConfigError(f"unknown: {', '.join(sorted(unknown))}; known: {sorted(known)}")
        return dataclasses.replace(self, **values)


def _with_tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    # JSON has no tuples.
    return {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}


def demo_config(
    *, port: int, app_base_url: str, client_secret: str, issuer: str | None = None
) -> ProviderConfig:
    """The configuration of `make demo`: one application, two APIs."""
    app_base_url = app_base_url.rstrip("/")
    app = Client(
        client_id="demo-app",
        client_secret=client_secret,
        redirect_uris=(f"{app_base_url}/callback",),
        post_logout_redirect_uris=(f"{app_base_url}/", app_base_url),
        backchannel_logout_uri=f"{app_base_url}/backchannel-logout",
        initiate_login_uri=f"{app_base_url}/login",
    )
    return ProviderConfig(
        # With a trailing slash, as Auth0's issuers have; most other providers' have none.
        issuer=issuer or f"http://localhost:{port}/",
        clients=(app,),
        audiences={
            "appointments:api": ("appointments", "contacts", "contacts:write"),
            "contacts:api": ("contacts", "contacts:write"),
        },
    )
