"""Every setting of the app, read from the environment and checked once, at start."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import config_values as values
from config_values import Bad, SigningKey
from hosts import is_inside, is_loopback


class SettingsError(Exception):
    """The settings cannot be used; `problems` has one line for each thing to change."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


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

    @property
    def file(self) -> str | None:
        """The variable that names its file."""
        return f"{self.name}_FILE" if self.secret else None


def _from(name: str, check: Callable[[str], Any], **kwargs: Any) -> Any:
    return field(metadata={"variable": _Variable(name, check, **kwargs)})


@dataclass(frozen=True, repr=False)
class Settings:
    """The checked settings; `.env.example` describes each under its variable's name."""

    issuer: str = _from("AUTH0_DOMAIN", values.issuer, required=values.WRITE_ISSUER)
    client_id: str = _from("AUTH0_CLIENT_ID", values.word, required="the application's client id")
    client_secret: str | None = _from("AUTH0_CLIENT_SECRET", values.word, secret=True)
    client_signing_key: SigningKey | None = _from("AUTH0_CLIENT_SIGNING_KEY", values.signing_key)
    audience: str | None = _from("AUTH0_AUDIENCE", values.word)
    scope: tuple[str, ...] = _from(
        "AUTH0_SCOPE", values.scope, default="openid profile email offline_access"
    )
    organization: str | None = _from("AUTH0_ORGANIZATION", values.word)
    authorize_params: dict[str, str] = _from(
        "AUTH0_AUTHORIZE_PARAMS", values.authorize_params, default=""
    )
    api_base_url: str | None = _from("API_BASE_URL", values.base_url)
    contacts_api_base_url: str | None = _from("CONTACTS_API_BASE_URL", values.base_url)
    contacts_audience: str | None = _from("CONTACTS_AUDIENCE", values.word)
    app_base_url: str = _from("APP_BASE_URL", values.app_base_url, default="http://localhost:3000")
    secret_keys: tuple[str, ...] = _from(
        "APP_SECRET_KEY", values.secret_keys, required=values.WRITE_KEY, secret=True
    )
    session_redis_url: str | None = _from("SESSION_REDIS_URL", values.redis_url, secret=True)
    session_idle_seconds: int = _from("SESSION_IDLE_SECONDS", values.seconds, default="86400")
    session_absolute_seconds: int = _from(
        "SESSION_ABSOLUTE_SECONDS", values.seconds, default="604800"
    )
    trusted_proxy_hops: int = _from("TRUSTED_PROXY_HOPS", values.hops, default="0")
    show_flow: bool = _from("SHOW_FLOW", values.switch, default="0")
    show_flow_in_public: bool = _from("SHOW_FLOW_IN_PUBLIC", values.switch, default="0")
    picture_origins: tuple[str, ...] = _from("PICTURE_HOSTS", values.picture_origins, default="")
    log_format: str | None = _from("LOG_FORMAT", values.log_format)
    metrics_port: int | None = _from("METRICS_PORT", values.port)

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
        found = {name: read.value(variable) for name, variable in _VARIABLES.items()}
        _check_together(read, found)
        if read.problems:
            raise SettingsError(read.problems)
        return cls(**found)


_VARIABLES: dict[str, _Variable] = {
    each.name: each.metadata["variable"] for each in fields(Settings)
}


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

    def value(self, variable: _Variable) -> Any:
        text = self.environ.get(variable.name, variable.default)
        if variable.file and self.has(variable.file):
            if text is not None:
                return self.problem(
                    variable.file, f"and {variable.name} are both set", "one of them"
                )
            text = self._checked(variable.file, _text_of_file, self.environ[variable.file])
        elif text is None and variable.required:
            return self.problem(variable.name, "is not set", variable.required)
        return None if text is None else self._checked(variable.name, variable.check, text)

    def _checked(self, name: str, check: Callable[[str], Any], text: str) -> Any:
        try:
            return check(text)
        except Bad as bad:
            return self.problem(name, bad.wrong, bad.write)


def _text_of_file(path: str) -> str:
    write = "the path of a text file with the value"
    try:
        text = values.content_of(path, write).decode().strip()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise Bad("names a file without text", write)
    return text


def _check_together(read: _Reader, found: Mapping[str, Any]) -> None:
    """Find values that do not go with each other."""
    if not read.has("AUTH0_CLIENT_SECRET", "AUTH0_CLIENT_SECRET_FILE", "AUTH0_CLIENT_SIGNING_KEY"):
        write = "the application's client secret, or a PEM private key's path in "
        read.problem("AUTH0_CLIENT_SECRET", "is not set", f"{write}AUTH0_CLIENT_SIGNING_KEY")
    if read.has("CONTACTS_AUDIENCE") and not read.has("CONTACTS_API_BASE_URL"):
        wrong = "is not set although CONTACTS_AUDIENCE is"
        write = "the base URL of the contacts API, or leave both empty"
        read.problem("CONTACTS_API_BASE_URL", wrong, write)
    url = urlsplit(found["app_base_url"] or "http://localhost")  # what is wrong with it was said
    if found["show_flow"] and not (is_loopback(url.hostname) or found["show_flow_in_public"]):
        wrong = "is on and APP_BASE_URL is public; people would see how the app talks to others"
        write = "nothing, or if that is meant, SHOW_FLOW_IN_PUBLIC=1 beside it"
        read.problem("SHOW_FLOW", wrong, write)
    if found["trusted_proxy_hops"] and url.scheme == "http" and not is_inside(url.hostname or ""):
        # A proxy in front of a public name ends TLS: forms would then be refused, since they come
        # from https pages; and where it does not end TLS, sessions travel open.
        wrong = "is an http:// URL of a public host, and TRUSTED_PROXY_HOPS counts a proxy"
        write = f"https://{url.netloc}, and have the proxy end TLS"
        read.problem("APP_BASE_URL", wrong, write)


def misspelt(environ: Mapping[str, str]) -> list[str]:
    """Return a line for each variable that looks like a setting and is none: a typing error would
    otherwise be ignored. Other programs have variables that begin with AUTH0_, too."""
    known = {name for each in _VARIABLES.values() for name in (each.name, each.file) if name}
    lines = []
    for name in sorted(environ.keys() - known):
        nearest = get_close_matches(name, known, 1, 0.7 if name.startswith("AUTH0_") else 0.9)
        meant = f". Meant: {nearest[0]}?" if nearest else ""
        if nearest or name.startswith("AUTH0_"):
            lines.append(f"{name} is no setting of this app and is ignored{meant}")
    return lines


def likely_causes(environ: Mapping[str, str], env_file: Path) -> list[str]:
    """Return a line for each thing that may have led to a SettingsError: a variable that is
    misspelt, or a start before anything was configured."""
    lines = misspelt(environ)
    if not environ.get("AUTH0_DOMAIN") and not env_file.exists():
        lines.append(f"{env_file.name} does not exist. Write: a copy of .env.example, filled in")
    return lines
