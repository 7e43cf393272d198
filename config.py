"""Every setting of the app, read from the environment and checked once, at start."""

from __future__ import annotations

import ipaddress
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

GENERATE = 'python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
WRITE_SECRET = f"the output of: {GENERATE}"
WRITE_ISSUER = "your tenant's domain (tenant.eu.auth0.com) or your provider's issuer URL"
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")

# Parameters of the authorization request that the app decides itself. `request` and `request_uri`
# (RFC 9101) would replace all the others; the callback reads answers in the query alone.
OWN_AUTHORIZE_PARAMS = frozenset(
    (
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "audience", "organization", "invitation"),
        *("organization_name", "response_mode", "request", "request_uri"),
    )
)

# Each of these can also be given as NAME_FILE, the path of a file: container secrets are files.
SECRET_SETTINGS = ("APP_SECRET_KEY", "AUTH0_CLIENT_SECRET", "SESSION_REDIS_URL")


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that looks like a setting and is none: a typing error would
    otherwise be ignored. Other programs have variables that begin with AUTH0_, too."""
    known = {setting.variable for setting in (*_SETTINGS.values(), _SHOW_FLOW_IN_PUBLIC)}
    known |= {f"{name}_FILE" for name in SECRET_SETTINGS}
    lines = []
    for name in sorted(environ.keys() - known):
        nearest = get_close_matches(name, known, 1, 0.7 if name.startswith("AUTH0_") else 0.9)
        if nearest:
            lines.append(f"{name} is no setting of this app and is ignored. Meant: {nearest[0]}?")
        elif name.startswith("AUTH0_"):
            lines.append(f"{name} is no setting of this app and is ignored")
    return lines


def likely_causes(environ: Mapping[str, str], env_file: Path) -> list[str]:
    """Return a line for each thing that may have led to a SettingsError: a variable that is
    misspelt, or a start before anything was configured."""
    lines = misspelt(environ)
    if not environ.get("AUTH0_DOMAIN") and not env_file.exists():
        lines.append(f"{env_file.name} does not exist. Write: a copy of .env.example, filled in")
    return lines


class SettingsError(Exception):
    """The settings cannot be used; `problems` has one line for each thing to change."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, repr=False)
class SigningKey:
    """The private key for `private_key_jwt`, and the algorithm (RFC 7518) it signs with."""

    key: RSAKey | ECKey
    alg: str


@dataclass(frozen=True, repr=False)
class Settings:
    """The checked settings; `.env.example` describes each under its variable's name."""

    issuer: str
    client_id: str
    client_secret: str | None
    client_signing_key: SigningKey | None
    audience: str | None
    scope: tuple[str, ...]
    organization: str | None
    authorize_params: dict[str, str]
    api_base_url: str | None
    contacts_api_base_url: str | None
    contacts_audience: str | None
    app_base_url: str
    secret_keys: tuple[str, ...]
    session_redis_url: str | None
    session_idle_seconds: int
    session_absolute_seconds: int
    trusted_proxy_hops: int
    show_flow: bool
    picture_origins: tuple[str, ...]
    log_format: str | None
    metrics_port: int | None

    def __repr__(self) -> str:
        """Without values: settings hold secrets, and a repr ends up in logs."""
        return f"<Settings of {len(fields(self))} values>"

    @property
    def redirect_uri(self) -> str:
        """The redirect URI, the same to the letter in both requests (RFC 6749 section 4.1.3)."""
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

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read and check all settings.

        Raises SettingsError with one line for each problem, all at once, each naming the variable,
        what is wrong and what to write.
        """
        read = _Reader(environ)
        if read.has("CONTACTS_AUDIENCE") and not read.has("CONTACTS_API_BASE_URL"):
            read.problem(
                "CONTACTS_API_BASE_URL",
                "is not set although CONTACTS_AUDIENCE is",
                "the base URL of the contacts API, or leave both empty",
            )
        values = {name: read.value(name, setting) for name, setting in _SETTINGS.items()}
        if not (read.has("AUTH0_CLIENT_SECRET") or read.has("AUTH0_CLIENT_SIGNING_KEY")):
            read.problem(
                "AUTH0_CLIENT_SECRET",
                "is not set",
                "the application's client secret, or the path of a PEM private key in "
                "AUTH0_CLIENT_SIGNING_KEY",
            )
        base_url = values["app_base_url"]
        public = base_url and not is_loopback(urlsplit(base_url).hostname)
        if values["show_flow"] and public and not read.value("", _SHOW_FLOW_IN_PUBLIC):
            read.problem(
                "SHOW_FLOW",
                "is on and APP_BASE_URL is public; people would see how the app talks to others",
                "nothing, or if that is meant, SHOW_FLOW_IN_PUBLIC=1 beside it",
            )
        if public and values["trusted_proxy_hops"] and base_url.startswith("http:"):
            _check_http_behind_proxy(read, base_url)
        if read.problems:
            raise SettingsError(read.problems)
        return cls(**values)


def _check_http_behind_proxy(read: _Reader, base_url: str) -> None:
    """A proxy in front of a public name ends TLS: forms would then be refused, since they come from
    https pages; and where it does not end TLS, sessions travel open."""
    if not _is_inside(urlsplit(base_url).hostname or ""):
        wrong = "is an http:// URL of a public host, and TRUSTED_PROXY_HOPS counts a proxy"
        write = f"https://{base_url.partition('://')[2]}, and have the proxy end TLS"
        read.problem("APP_BASE_URL", wrong, write)


class _Bad(ValueError):
    """A value that cannot be used: what is wrong with it, and what to write instead."""

    def __init__(self, wrong: str, write: str) -> None:
        super().__init__(wrong)
        self.wrong, self.write = wrong, write


@dataclass(frozen=True)
class _Setting:
    """One variable: its check, the text used when it is not set, or what to write if it must be."""

    variable: str
    check: Callable[[str], Any]
    default: str | None = None
    required: str | None = None


class _Reader:
    """Reads variables and collects the problems; a value that failed is None and never used."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.problems: list[str] = []
        # A variable that is set but empty counts as not set: compose files and .env leave such.
        self.environ = {name: text.strip() for name, text in environ.items() if text.strip()}
        for name in SECRET_SETTINGS:
            if f"{name}_FILE" in self.environ:
                self._read_file(name, Path(self.environ[f"{name}_FILE"]))

    def _read_file(self, name: str, path: Path) -> None:
        if name in self.environ:
            self.problem(f"{name}_FILE", f"and {name} are both set", "one of them")
            return
        try:
            self.environ[name] = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            wrong = f"cannot be read ({_reason(error)})"
            self.problem(f"{name}_FILE", wrong, "the path of a text file this process may read")
            self.environ[name] = ""
            return
        if not self.environ[name]:
            self.problem(f"{name}_FILE", "names an empty file", "the path of a file with the value")

    def has(self, name: str) -> bool:
        return name in self.environ

    def problem(self, variable: str, wrong: str, write: str) -> None:
        self.problems.append(f"{variable} {wrong}. Write: {write}")

    def value(self, name: str, setting: _Setting) -> Any:
        text = self.environ.get(setting.variable, setting.default)
        if text == "" and setting.default is None:
            return None  # its file held nothing, which was said already
        if text is None:
            if setting.required:
                self.problem(setting.variable, "is not set", setting.required)
            return None
        try:
            return setting.check(text)
        except _Bad as bad:
            self.problem(setting.variable, bad.wrong, bad.write)
            return None


def is_loopback(host: str | None) -> bool:
    """Whether a URL's host is this machine itself, where http is as good as https."""
    host = (host or "").rstrip(".").lower()
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_inside(host: str) -> bool:
    """Whether a host is reached only from inside: loopback, private, a cluster's own name, or one
    that no public name server has (RFC 6761)."""
    inside = (".internal", ".local", ".svc", ".test", ".example", ".invalid")
    if is_loopback(host) or "." not in host or host.endswith(inside):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _reason(error: Exception) -> str:
    """An error in words, without the text that caused it: it may be a secret."""
    return (getattr(error, "strerror", None) or type(error).__name__).lower()


def _split(text: str, write: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # raises ValueError for what is no port number
    except ValueError:
        raise _Bad("is not a URL", write) from None
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"[\s\\]", text):
        raise _Bad("is not a URL that begins with https:// (or http://)", write)
    if url.username is not None or url.password is not None:
        raise _Bad("has a user name or password in it", write)
    if "#" in text:
        # RFC 6749 section 3.1.2: the redirection endpoint URI MUST NOT include a fragment.
        raise _Bad("has a fragment (#...), which providers drop", f"{write}, without #")
    if "?" in text:
        raise _Bad("has a query (?...)", f"{write}, without ?")
    return url


def _issuer(text: str) -> str:
    """The issuer: a URL as it stands (issuers are compared to the letter), or a tenant's domain."""
    write = WRITE_ISSUER
    if "://" not in text:
        domain = text.rstrip("/")
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?", domain):
            raise _Bad("is neither a domain nor a URL", write)
        text = f"https://{domain.lower()}/"
    url = _split(text, write)
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise _Bad("is an http:// URL; that is accepted only for this machine (localhost)", write)
    return text


def _app_base_url(text: str) -> str:
    write = "the address people open, with nothing behind the host: https://app.example.com"
    url = _split(text, write)
    if url.path not in ("", "/"):
        raise _Bad("has a path", write)
    default_port = {"http": 80, "https": 443}[url.scheme]
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    port = "" if url.port in (None, default_port) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"


def _base_url(text: str) -> str:
    write = "the API's base URL, https://api.example.com"
    url = _split(text, write)
    if url.scheme == "http" and not _is_inside(url.hostname or ""):
        # RFC 6750 section 5.3: clients MUST always use TLS when a bearer token is sent.
        raise _Bad("is an http:// URL of a public host; access tokens would travel open", write)
    return text.rstrip("/")


def _word(text: str) -> str:
    if not text.isprintable() or " " in text:
        raise _Bad("has spaces or control characters in it", "the value as the provider shows it")
    return text


def _scope(text: str) -> tuple[str, ...]:
    write = "scopes separated by spaces, openid among them: openid profile email offline_access"
    scopes = tuple(dict.fromkeys(text.split()))
    if "openid" not in scopes:
        # OIDC Core section 3.1.2.1: without it this is no sign-in and there is no ID token.
        raise _Bad("does not contain openid", write)
    if not all(is_scope_token(scope) for scope in scopes):
        raise _Bad("has a character that no scope may have", write)
    return scopes


def is_scope_token(text: str) -> bool:
    """Whether text is one scope: printable ASCII without quote and backslash (RFC 6749 3.3)."""
    return bool(re.fullmatch(r"[\x21\x23-\x5B\x5D-\x7E]+", text))


def _authorize_params(text: str) -> dict[str, str]:
    write = "further parameters, form-encoded: prompt=consent&access_type=offline"
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError:
        raise _Bad("is not form-encoded", write) from None
    names = [name for name, _ in pairs]
    if own := sorted(OWN_AUTHORIZE_PARAMS.intersection(names)):
        raise _Bad(f"sets {', '.join(own)}, which the app sets itself", f"{write}, without those")
    if len(set(names)) != len(names):
        # RFC 6749 section 3.1: parameters MUST NOT be included more than once.
        raise _Bad("names a parameter twice", f"{write}, each once")
    if "max_age" in names and not re.fullmatch(r"[0-9]{1,9}", dict(pairs)["max_age"]):
        raise _Bad("has a max_age that is no number of seconds", "max_age=3600")
    return dict(pairs)


def _secret_keys(text: str) -> tuple[str, ...]:
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    for key in keys:
        if len(key) < 32:
            of = "is" if len(keys) == 1 else "has a key of"
            wrong = f"{of} {len(key)} characters; it needs at least 32"
            raise _Bad(wrong, WRITE_SECRET)
    if not keys:
        raise _Bad("has no key in it", WRITE_SECRET)
    return keys


def _signing_key(text: str) -> SigningKey:
    write = "the path of a PEM file with an RSA (2048 bits or more) or EC private key"
    try:
        pem = Path(text).read_bytes()
    except OSError as error:
        raise _Bad(f"names a file that cannot be read ({_reason(error)})", write) from None
    for kind in (RSAKey, ECKey):
        try:
            with warnings.catch_warnings(action="ignore"):  # a short key is a problem here
                key = kind.import_key(pem)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
        if not key.is_private:
            raise _Bad("names a file with a public key", write)
        if isinstance(key, RSAKey):
            if key.raw_value.key_size < 2048:
                raise _Bad("names an RSA key of fewer than 2048 bits", write)
            return SigningKey(key, "RS256")
        algs = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
        if key.curve_name in algs:
            return SigningKey(key, algs[key.curve_name])
    raise _Bad("names a file that holds no RSA or EC private key without a password", write)


def _redis_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if scheme not in REDIS_SCHEMES or not separator or not rest:
        known = ", ".join(f"{name}://" for name in REDIS_SCHEMES)
        raise _Bad(f"does not begin with one of {known}", "redis://:password@host:6379/0")
    if scheme == "redis+sentinel" and not rest.partition("/")[2]:
        write = "redis+sentinel://host:26379,host:26379/service/0"
        raise _Bad("does not name the service that the sentinels watch", write)
    if scheme != "unix" and re.search(r"[/?#].*@", rest):
        # A part of the password would be taken for the host's name, asked for and logged.
        raise _Bad("has a / ? or # in its password", "%2F for /, %3F for ?, %23 for #")
    # Here and not above: sessions needs this module, and redis is imported only where it is used.
    from sessions.redis_store import RedisStore

    try:
        RedisStore(text, 1)  # connects on first use only
    except ValueError:
        raise _Bad("is not a URL of Redis", "redis://:password@host:6379/0") from None
    return text


def _seconds(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 1:
        raise _Bad("is not a whole number of seconds, 1 or more", "86400 for a day")
    return int(text)


def _hops(text: str) -> int:
    if not re.fullmatch(r"[0-9]", text):
        raise _Bad("is not a number from 0 to 9", "1 behind one reverse proxy, 0 behind none")
    return int(text)


def _switch(text: str) -> bool:
    if text not in ("0", "1"):
        raise _Bad("is neither 1 nor 0", "1 for on, 0 (or nothing) for off")
    return text == "1"


_SHOW_FLOW_IN_PUBLIC = _Setting("SHOW_FLOW_IN_PUBLIC", _switch, "0")


def _picture_origins(text: str) -> tuple[str, ...]:
    """The origins (RFC 6454) of hosts, https but for this machine: what a CSP source can be."""
    hosts = [host.strip().lower() for host in text.split(",") if host.strip()]
    for host in hosts:
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", host):
            wrong = "has something in it that is not a host"
            raise _Bad(wrong, "hosts separated by commas: s.gravatar.com,cdn.auth0.com")
    is_local = {host: is_loopback(host.partition(":")[0]) for host in hosts}
    return tuple(f"{'http' if local else 'https'}://{host}" for host, local in is_local.items())


def _log_format(text: str) -> str:
    if text not in ("json", "text"):
        raise _Bad("is neither json nor text", "json for machines, text for people")
    return text


def _port(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 0 < int(text) < 65536:
        raise _Bad("is no port", "9090, or leave it empty for no metrics")
    return int(text)


_SETTINGS = {
    "issuer": _Setting("AUTH0_DOMAIN", _issuer, required=WRITE_ISSUER),
    "client_id": _Setting("AUTH0_CLIENT_ID", _word, required="the application's client id"),
    "client_secret": _Setting("AUTH0_CLIENT_SECRET", _word),
    "client_signing_key": _Setting("AUTH0_CLIENT_SIGNING_KEY", _signing_key),
    "audience": _Setting("AUTH0_AUDIENCE", _word),
    "scope": _Setting("AUTH0_SCOPE", _scope, "openid profile email offline_access"),
    "organization": _Setting("AUTH0_ORGANIZATION", _word),
    "authorize_params": _Setting("AUTH0_AUTHORIZE_PARAMS", _authorize_params, ""),
    "api_base_url": _Setting("API_BASE_URL", _base_url),
    "contacts_api_base_url": _Setting("CONTACTS_API_BASE_URL", _base_url),
    "contacts_audience": _Setting("CONTACTS_AUDIENCE", _word),
    "app_base_url": _Setting("APP_BASE_URL", _app_base_url, "http://localhost:3000"),
    "secret_keys": _Setting("APP_SECRET_KEY", _secret_keys, required=WRITE_SECRET),
    "session_redis_url": _Setting("SESSION_REDIS_URL", _redis_url),
    "session_idle_seconds": _Setting("SESSION_IDLE_SECONDS", _seconds, "86400"),
    "session_absolute_seconds": _Setting("SESSION_ABSOLUTE_SECONDS", _seconds, "604800"),
    "trusted_proxy_hops": _Setting("TRUSTED_PROXY_HOPS", _hops, "0"),
    "show_flow": _Setting("SHOW_FLOW", _switch, "0"),
    "picture_origins": _Setting("PICTURE_HOSTS", _picture_origins, ""),
    "log_format": _Setting("LOG_FORMAT", _log_format),
    "metrics_port": _Setting("METRICS_PORT", _port),
}  # fmt: skip
