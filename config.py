"""Every setting of the app, read from the environment and checked once, at start.

`.env.example` describes each. An extra has settings of its own, in a dataclass of the same kind;
`load` reads them all together, so that all problems are reported at once.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

import idna
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, RSAKey, import_key
from joserfc.util import urlsafe_b64encode

METADATA_PATH = "/.well-known/openid-configuration"
WRITE_KEY = 'the output of: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
WRITE_ISSUER = "your tenant's domain (tenant.eu.auth0.com) or your provider's issuer URL"
LABEL = "[a-z0-9_-]{1,63}"
# 1 to 65535.
PORT = "[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]"
HOST_AND_PORT = rf"(\[[0-9A-Fa-f:.]+\]|[^\s:,/@#\[\]]+)(:({PORT}))?"
HOSTS = f"{HOST_AND_PORT}(,{HOST_AND_PORT})*"
DATABASE = "(/[0-9]{0,3})?"
# What follows user and password in SESSION_REDIS_URL, by its scheme without the s of TLS.
REDIS_FORMS = {
    "redis": (f"{HOST_AND_PORT}{DATABASE}", "redis://:password@host:6379/0"),
    "unix": ("/.+", "unix:///run/redis/redis.sock"),
    "redis+sentinel": (f"{HOSTS}/[^/#]+{DATABASE}", "redis+sentinel://host:26379,host/service/0"),
    "redis+cluster": (f"{HOSTS}/?", "redis+cluster://host:6379,host:6379"),
}
REDIS_FILES = ("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")
# By the curve of an EC key (RFC 7518 section 3.4).
EC_ALGORITHMS = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
RSA_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
# What ID tokens may be signed with, where one algorithm is chosen (RFC 7518 section 3.1).
ID_TOKEN_ALGORITHMS = ("HS256", *RSA_ALGORITHMS, *EC_ALGORITHMS.values(), "EdDSA", "Ed25519")
CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR")
# Top-level names that no public name server has (RFC 6761), or that only a cluster knows.
INSIDE = (".internal", ".local", ".svc", ".test", ".example", ".invalid")
# Parameters of the authorization request that the app sets itself. `request` and `request_uri`
# (RFC 9101) would replace all the others; the callback reads responses in the query alone.
OWN_AUTHORIZE_PARAMS = frozenset((
    "response_type", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge",
    "code_challenge_method", "audience", "organization", "invitation", "organization_name",
    "response_mode", "request", "request_uri", "dpop_jkt",
))  # fmt: skip


class SettingsError(Exception):
    """The settings cannot be used; its `args` are the lines to show, one for each problem."""


class Bad(ValueError):
    """A value cannot be used; its `args` say what is wrong with it, and what to write instead."""


# ---------------------------------------------------------------- where a host is


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine itself, where http is as good as https."""
    host = (host or "").rstrip(".").lower()
    if address := _address(host):
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_inside(host: str | None) -> bool:
    """Whether a host is reached only from inside a network: a private address or name."""
    host = host or ""
    if address := _address(host):
        return address.is_private
    return is_loopback(host) or "." not in host or host.endswith(INSIDE)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


# ---------------------------------------------------------------- what a value may be


@dataclass(frozen=True, repr=False)
class SigningKey:
    """The private key for `private_key_jwt`: its algorithm (RFC 7518) and JWT header."""

    key: Key
    alg: str
    header: dict[str, str]


def is_scope_token(text: str) -> bool:
    """Whether text is one scope: printable ASCII without quote and backslash (RFC 6749 3.3)."""
    return bool(re.fullmatch(r"[\x21\x23-\x5B\x5D-\x7E]+", text))


def _url(text: str, write: str, may_be_http: Callable[[str | None], bool]) -> SplitResult:
    try:
        url = urlsplit(text)
    except ValueError:
        raise Bad("is not a URL", write) from None
    if url.scheme not in ("http", "https") or re.search(r"[\s\\\x00-\x1F\x7F]", text):
        raise Bad("is not a URL that begins with https:// (or http://)", write)
    # RFC 6749 section 3.1.2: the redirection endpoint URI MUST NOT include a fragment.
    if found := re.search("[?#]", text):
        raise Bad("has a query (?...) or a fragment (#...)", f"{write}, without {found[0]}")
    if not re.fullmatch(HOST_AND_PORT, url.netloc):
        raise Bad("has a host name or port that cannot be, or a user name", write)
    _ascii_host((url.hostname or "").removesuffix("."), write)
    if url.scheme == "http" and not may_be_http(url.hostname):
        raise Bad("is an http:// URL; what is sent to another machine would travel open", write)
    return url


def _ascii_host(host: str, write: str) -> str:
    """Return a host in the spelling that browsers use."""
    if address := _address(host):
        return f"[{address}]" if address.version == 6 else str(address)
    try:
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        host = ""
    # A name whose last label is a number is an address to browsers, in a spelling of their own.
    if not re.fullmatch(rf"({LABEL}\.)*(?!(0x[0-9a-f]*|[0-9]+)$){LABEL}", host):
        raise Bad("has a host name that cannot be", write)
    return host


def _issuer(text: str) -> str:
    """The issuer or the URL of its metadata, as it stands; or a tenant's domain."""
    if "://" not in text:
        return _origin(f"https://{text}", WRITE_ISSUER) + "/"
    _url(text, WRITE_ISSUER, may_be_http=is_loopback)
    return text


def _app_base_url(text: str) -> str:
    write = "the address people open, with nothing behind the host: https://app.example.com"
    return _origin(text, write)


def _origin(text: str, write: str) -> str:
    """Return an origin (RFC 6454) in the spelling that browsers use."""
    url = _url(text, write, may_be_http=lambda host: True)
    if url.path not in ("", "/"):
        raise Bad("has a path", write)
    host = _ascii_host(url.hostname or "", write)
    default_port = {"http": 80, "https": 443}[url.scheme]
    port = "" if url.port in (None, default_port) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"


def _api_base_url(text: str) -> str:
    # RFC 6750 section 5.3: clients MUST always use TLS when a bearer token is sent.
    _url(text, "the API's base URL, https://api.example.com", may_be_http=is_inside)
    return text.rstrip("/")


def identifier(text: str) -> str:
    """Check a name or a secret that somebody else chose: the provider, or the API."""
    if not text.isprintable() or " " in text:
        raise Bad("has spaces or control characters in it", "the value as the provider shows it")
    return text


def _scope(text: str) -> tuple[str, ...]:
    write = "scopes separated by spaces, openid among them: openid profile email offline_access"
    scopes = tuple(dict.fromkeys(text.split()))
    if "openid" not in scopes:
        # OIDC Core section 3.1.2.1: without it this is no sign-in and there is no ID token.
        raise Bad("does not contain openid", write)
    if not all(is_scope_token(each) for each in scopes):
        raise Bad("has a character that no scope may have", write)
    return scopes


def _params(text: str) -> dict[str, str]:
    """Form-encoded parameters, each named once (RFC 6749 section 3.1)."""
    write = "further parameters, form-encoded, each once: name=value&another=value"
    try:
        pairs = parse_qsl(text, True, strict_parsing=bool(text), errors="strict")
    except ValueError:
        pairs = [("", "")]
    is_encoded = not re.search("%(?![0-9A-Fa-f]{2})", text)
    if not is_encoded or not all(name and value.isprintable() for name, value in pairs):
        raise Bad("is not form-encoded", write)
    if len(dict(pairs)) != len(pairs):
        raise Bad("names a parameter twice", write)
    return dict(pairs)


def _authorize_params(text: str) -> dict[str, str]:
    params = _params(text)
    if own := sorted(OWN_AUTHORIZE_PARAMS & params.keys()):
        wrong = f"sets {', '.join(own)}, which the app sets itself"
        raise Bad(wrong, "further parameters without those: prompt=consent&access_type=offline")
    if not re.fullmatch(r"[0-9]{1,9}", params.get("max_age", "0")):
        raise Bad("has a max_age that is no number of seconds", "max_age=3600")
    return params


def _secret_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    shortest = min(map(len, keys), default=0)
    if shortest < 32:
        raise Bad(f"has a key of {shortest} characters; it needs at least 32", WRITE_KEY)
    return keys


def _signing_key(path: str) -> SigningKey:
    """The private key in a PEM file, a certificate beside it or not, or in a JWK file."""
    write = "the path of a private key for signing, without a password: RSA (2048 bits) or EC"
    data = _content_of(path, write)
    try:
        with warnings.catch_warnings(action="error", category=SecurityWarning):  # of a short key
            if data.lstrip().startswith(b"{"):
                key = import_key(json.loads(data))
            else:
                private = load_pem_private_key(data, password=None)
                kind: Any = ECKey if isinstance(private, EllipticCurvePrivateKey) else RSAKey
                key = kind.import_key(data)
        own_alg = EC_ALGORITHMS.get(key.curve_name) if isinstance(key, ECKey) else "RS256"
        alg = str(key.alg or own_alg)
        jws.serialize_compact({"alg": alg}, b"", key, [*RSA_ALGORITHMS, *EC_ALGORITHMS.values()])
        return SigningKey(key, alg, {"kid": key.kid} if key.kid else _thumbprints(data))
    except Exception:  # a file may hold anything
        raise Bad("names a file without a private key that can be used", write) from None


def _thumbprints(pem: bytes) -> dict[str, str]:
    """The header parameters by which a provider finds the certificate (RFC 7515 section 4.1.7)."""
    if b"BEGIN CERTIFICATE" not in pem:
        return {}
    certificate = x509.load_pem_x509_certificate(pem[pem.index(b"-----BEGIN CERTIFICATE") :])
    sha1 = certificate.fingerprint(SHA1())  # noqa: S303  # as RFC 7515 defines it
    sha256 = certificate.fingerprint(SHA256())
    return {"x5t": urlsafe_b64encode(sha1).decode(), "x5t#S256": urlsafe_b64encode(sha256).decode()}


def _redis_url(text: str) -> str:
    scheme, _, rest = text.partition("://")
    form, write = REDIS_FORMS.get(scheme.replace("rediss", "redis"), ("", "redis://host:6379"))
    if not form:
        known = ", ".join(f"{name}://" for name in REDIS_FORMS)
        raise Bad(f"does not begin with {known} (rediss for TLS)", write)
    if scheme != "unix" and re.search(r"[/?#].*@", rest):
        # A part of the password would be taken for the host's name, asked for and logged.
        raise Bad("has a / ? or # in its password", "%2F for /, %3F for ?, %23 for #")
    place, _, query = rest.partition("?")
    if not re.fullmatch(f"([^/]*@)?{form}", place):
        raise Bad("has a host, port, path, service or database that cannot be", write)
    _check_redis_options(scheme, query)
    return text


def _check_redis_options(scheme: str, query: str) -> None:
    """Anything else would be dropped in silence, or fail at the first request."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    allowed = {"ssl_cert_reqs", *REDIS_FILES} if scheme.startswith("rediss") else set()
    allowed |= {"db", "username", "password"} if "+" not in scheme else set()
    write = f"none, or of these: {', '.join(sorted(allowed)) or 'none'}"
    if unknown := sorted(given.keys() - allowed):
        raise Bad(f"has an option that is not understood here: {', '.join(unknown)}", write)
    for name in REDIS_FILES:
        if name in given and not os.path.exists(given[name]):
            raise Bad(f"names in {name} what is not there", "the path of a file")
    if given.get("ssl_cert_reqs", "required") not in ("none", "optional", "required"):
        raise Bad("has an ssl_cert_reqs that is not none, optional or required", "required")
    if not re.fullmatch("[0-9]{1,3}", given.get("db", "0")):
        raise Bad("has a db that is no number", "db=0")


def _picture_origins(text: str) -> tuple[str, ...]:
    """The origins of hosts, https but for this machine: what a CSP source can be."""
    if len(text) > 300:
        raise Bad("is longer than 300 characters, and goes into a header", "fewer hosts")
    write, origins = "hosts separated by commas: s.gravatar.com,cdn.auth0.com", []
    for host in filter(None, map(str.strip, text.split(","))):
        scheme = "http" if is_loopback(host.partition(":")[0]) else "https"
        origins.append(_origin(f"{scheme}://{host}", write))
    return tuple(origins)


def switch(text: str) -> bool:
    """Check 1 for on, 0 for off."""
    return one_of("0", "1")(text) == "1"


def one_of(*choices: str) -> Callable[[str], str]:
    """Return the check of a text that must be one of these."""

    def check(text: str) -> str:
        if text not in choices:
            raise Bad(f"is not {' or '.join(choices)}", " or ".join((*choices, "nothing")))
        return text

    return check


def number(least: int, most: int, write: str) -> Callable[[str], int]:
    """Return the check of a whole number."""

    def check(text: str) -> int:
        # Other digits than these are numbers to Python, too; thousands of them it refuses to read.
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise Bad(f"is not a whole number from {least} to {most}", write)
        return int(text)

    return check


# ---------------------------------------------------------------- the settings


@dataclass(frozen=True)
class _Variable:
    """One variable: its check, the text used when it is not set, or what to write if it must be.

    A secret can also be given as NAME_FILE, the path of a file: container secrets are files.
    """

    name: str
    check: Callable[[str], Any]
    default: str | None = None
    required: str | None = None
    secret: bool = False


def variable(name: str, check: Callable[[str], Any], **kwargs: Any) -> Any:
    """Return a field of a group of settings: `default`, `required` (what to write), `secret`."""
    return field(metadata={"variable": _Variable(name, check, **kwargs)})


# What gunicorn.conf.py reads, and the app only checks: another server would ignore it.
server_number = number(1, 65_535, "2, or nothing")
_hops = number(0, 9, "1 behind one reverse proxy, 0 behind none")
_seconds = number(1, 999_999_999, "86400 for a day")


@dataclass(frozen=True, repr=False)  # settings hold secrets, and a repr ends up in logs
class Settings:
    """The checked settings of the core."""

    issuer: str = variable("AUTH0_DOMAIN", _issuer, required=WRITE_ISSUER)
    client_id: str = variable("AUTH0_CLIENT_ID", identifier, required="the application's client id")
    client_secret: str | None = variable("AUTH0_CLIENT_SECRET", identifier, secret=True)
    client_signing_key: SigningKey | None = variable("AUTH0_CLIENT_SIGNING_KEY", _signing_key)
    audience: str | None = variable("AUTH0_AUDIENCE", identifier)
    scope: tuple[str, ...] | None = variable("AUTH0_SCOPE", _scope)
    organization: str | None = variable("AUTH0_ORGANIZATION", identifier)
    authorize_params: dict[str, str] = variable(
        "AUTH0_AUTHORIZE_PARAMS", _authorize_params, default=""
    )
    logout_params: dict[str, str] = variable("AUTH0_LOGOUT_PARAMS", _params, default="")
    id_token_alg: str | None = variable("AUTH0_ID_TOKEN_ALG", one_of(*ID_TOKEN_ALGORITHMS))
    par: bool = variable("AUTH0_PAR", switch, default="0")
    dpop: bool = variable("AUTH0_DPOP", switch, default="0")
    api_base_url: str | None = variable("API_BASE_URL", _api_base_url)
    contacts_api_base_url: str | None = variable("CONTACTS_API_BASE_URL", _api_base_url)
    contacts_audience: str | None = variable("CONTACTS_AUDIENCE", identifier)
    app_base_url: str = variable("APP_BASE_URL", _app_base_url, default="http://localhost:3000")
    secret_keys: tuple[str, ...] = variable(
        "APP_SECRET_KEY", _secret_keys, required=WRITE_KEY, secret=True
    )
    session_redis_url: str | None = variable("SESSION_REDIS_URL", _redis_url, secret=True)
    session_idle_seconds: int = variable("SESSION_IDLE_SECONDS", _seconds, default="86400")
    session_absolute_seconds: int = variable("SESSION_ABSOLUTE_SECONDS", _seconds, default="604800")
    trusted_proxy_hops: int = variable("TRUSTED_PROXY_HOPS", _hops, default="0")
    picture_origins: tuple[str, ...] = variable("PICTURE_HOSTS", _picture_origins, default="")

    @property
    def redirect_uri(self) -> str:
        """The redirect URI, exactly the same in both requests (RFC 6749 section 4.1.3)."""
        return f"{self.app_base_url}/callback"

    @property
    def is_https(self) -> bool:
        """Whether people reach the app by https, so that cookies are Secure and HSTS is sent."""
        return self.app_base_url.startswith("https://")

    @property
    def resource_parameter(self) -> str:
        """The parameter that names an API to the provider: `resource` (RFC 8707 section 2) where
        AUTH0_AUTHORIZE_PARAMS uses it, else Auth0's `audience`."""
        return "resource" if "resource" in self.authorize_params else "audience"

    @property
    def cookie_attributes(self) -> dict[str, Any]:
        """The attributes of each of the app's cookies. Lax and not Strict: the provider's redirect
        to `/callback` comes from another site."""
        return {"secure": self.is_https, "httponly": True, "samesite": "Lax"}

    def cookie_name(self, name: str) -> str:
        """Return the name of one of the app's cookies.

        RFC 6265bis section 4.1.3.2: `__Host-` ties it to this host, https and all paths. Cookies
        ignore ports, so the port is in the name: two apps on one host name do not collide.
        """
        port = urlsplit(self.app_base_url).port
        return f"{'__Host-' if self.is_https else ''}app_{name}{f'_{port}' if port else ''}"


def load(environ: Mapping[str, str], *groups: type[Any]) -> list[Any]:
    """Read and check all settings of these groups, the first of them Settings; return an instance
    of each.

    Raises SettingsError with one line for each problem, all at once, each naming the variable,
    what is wrong and what to write.
    """
    reader = _Reader(environ)
    found = [{name: reader.value(each) for name, each in _variables(group)} for group in groups]
    _check_together(reader, found[0])
    if reader.problems:
        raise SettingsError(*reader.problems)
    return [group(**values) for values, group in zip(found, groups, strict=True)]


def variables(*groups: type[Any]) -> list[str]:
    """Return the names of all variables of these groups, NAME_FILE of a secret included."""
    known = [each for group in groups for _, each in _variables(group)]
    return [each.name for each in known] + [f"{each.name}_FILE" for each in known if each.secret]


def _variables(group: type[Any]) -> list[tuple[str, _Variable]]:
    return [(each.name, each.metadata["variable"]) for each in fields(group)]


class _Reader:
    """Reads variables and collects the problems; a value that failed is None and never used."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        # A variable that is set but empty counts as not set: compose files and .env leave such.
        self.environ = {name: text.strip() for name, text in environ.items() if text.strip()}

    def has(self, *names: str) -> bool:
        return not self.environ.keys().isdisjoint(names)

    def problem(self, name: str, wrong: str, write: str) -> None:
        self.problems.append(f"{name} {wrong}. Write: {write}")

    def value(self, each: _Variable) -> Any:
        text, file = self.environ.get(each.name, each.default), f"{each.name}_FILE"
        if each.secret and self.has(file):
            if text is not None:
                return self.problem(file, f"and {each.name} are both set", "one of them")
            text = self.checked(file, _text_of_file, self.environ[file])
        elif text is None and each.required:
            return self.problem(each.name, "is not set", each.required)
        if text and len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
            # `docker run --env-file` keeps them.
            return self.problem(each.name, "is still in quotes", "the value without the quotes")
        return None if text is None else self.checked(each.name, each.check, text)

    def checked(self, name: str, check: Callable[[str], Any], text: str) -> Any:
        try:
            return check(text)
        except Bad as bad:
            return self.problem(name, *bad.args)


def _content_of(path: str, write: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        wrong = f"names a file that cannot be read ({str(error.strerror).lower()})"
        raise Bad(wrong, write) from None


def _text_of_file(path: str) -> str:
    write = "the path of a text file with the value"
    text = _content_of(path, write).decode(errors="replace").strip()
    if not text or "\ufffd" in text:
        raise Bad("names a file without text", write)
    return text


def _check_together(reader: _Reader, found: Mapping[str, Any]) -> None:
    """Find values that do not go with each other, and variables of the libraries."""
    if not reader.has(
        "AUTH0_CLIENT_SECRET", "AUTH0_CLIENT_SECRET_FILE", "AUTH0_CLIENT_SIGNING_KEY"
    ):
        write = "the application's client secret, or a private key's path in "
        reader.problem("AUTH0_CLIENT_SECRET", "is not set", f"{write}AUTH0_CLIENT_SIGNING_KEY")
    alg = found["id_token_alg"]
    if alg == "HS256" and len((found["client_secret"] or "").encode()) < 32:
        # RFC 7518 section 3.2: a key of the hash's size or larger.
        wrong = "is HS256, which needs a client secret of 32 bytes or more"
        reader.problem("AUTH0_ID_TOKEN_ALG", wrong, "nothing, or a longer AUTH0_CLIENT_SECRET")
    if reader.has("CONTACTS_AUDIENCE") and not reader.has("CONTACTS_API_BASE_URL"):
        wrong = "is not set although CONTACTS_AUDIENCE is"
        write = "the base URL of the contacts API, or leave both empty"
        reader.problem("CONTACTS_API_BASE_URL", wrong, write)
    url = urlsplit(found["app_base_url"] or "http://localhost")  # what is wrong with it was said
    if found["trusted_proxy_hops"] and url.scheme == "http" and not is_inside(url.hostname):
        # A proxy in front of a public name ends TLS: forms would then be refused, since they come
        # from https pages; and where it does not end TLS, sessions travel open.
        wrong = "is an http:// URL of a public host, and TRUSTED_PROXY_HOPS counts a proxy"
        reader.problem("APP_BASE_URL", wrong, f"https://{url.netloc}, and have the proxy end TLS")
    for name in ("WEB_CONCURRENCY", "THREADS"):
        if reader.has(name):
            reader.checked(name, server_number, reader.environ[name])
    for name, path in ca_paths(reader.environ):
        reader.checked(name, _check_ca, path)


def ca_paths(environ: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the paths of certificate authorities that are given, with the variable of each, the
    one to use first. SSL_CERT_DIR may be a list."""
    given = [(name, environ.get(name, "").strip()) for name in CA_VARIABLES]
    lists = [(n, text.split(os.pathsep) if n == "SSL_CERT_DIR" else [text]) for n, text in given]
    return [(name, path) for name, paths in lists for path in paths if path]


def _check_ca(path: str) -> None:
    write = "the path of the CA certificates, PEM"
    # By its marks: loading hundreds of authorities would take most of a start.
    if not os.path.isdir(path) and b"CERTIFICATE-----" not in _content_of(path, write):
        raise Bad("names a file without certificates", write)


def unknown_settings(environ: Mapping[str, str], *groups: type[Any]) -> list[str]:
    """Return a line for each variable that looks like a setting and is not one: a typing error
    would otherwise be ignored."""
    known = set(variables(*groups))
    lines = []
    for name in sorted(environ.keys() - known):
        nearest = get_close_matches(name, known, 1, 0.7 if name.startswith("AUTH0_") else 0.9)
        meant = f". Meant: {nearest[0]}?" if nearest else ""
        if nearest or name.startswith("AUTH0_"):
            lines.append(f"Unknown setting {name}; ignored{meant}")
    return lines
