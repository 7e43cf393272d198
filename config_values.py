"""What the value of a setting may be: a function for each kind, from the text to the value.

Each raises Bad where the text cannot be used.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from joserfc.jwk import ECKey, RSAKey

from hosts import is_inside, is_loopback

WRITE_KEY = 'the output of: python3 -c "import secrets; print(secrets.token_urlsafe(48))"'
WRITE_ISSUER = "your tenant's domain (tenant.eu.auth0.com) or your provider's issuer URL"
REDIS_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "redis+cluster")
# By the curve of an EC key (RFC 7518 section 3.4).
EC_ALGORITHMS = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}

# Parameters of the authorization request that the app decides itself. `request` and `request_uri`
# (RFC 9101) would replace all the others; the callback reads answers in the query alone.
OWN_AUTHORIZE_PARAMS = frozenset(
    (
        *("response_type", "client_id", "redirect_uri", "scope", "state", "nonce"),
        *("code_challenge", "code_challenge_method", "audience", "organization", "invitation"),
        *("organization_name", "response_mode", "request", "request_uri"),
    )
)


class Bad(ValueError):
    """A value that cannot be used: what is wrong with it, and what to write instead."""

    def __init__(self, wrong: str, write: str) -> None:
        super().__init__(wrong)
        self.wrong, self.write = wrong, write


@dataclass(frozen=True, repr=False)
class SigningKey:
    """The private key for `private_key_jwt`, and the algorithm (RFC 7518) it signs with."""

    key: RSAKey | ECKey
    alg: str


def is_scope_token(text: str) -> bool:
    """Whether text is one scope: printable ASCII without quote and backslash (RFC 6749 3.3)."""
    return bool(re.fullmatch(r"[\x21\x23-\x5B\x5D-\x7E]+", text))


def content_of(path: str, write: str) -> bytes:
    """What is in a file."""
    try:
        return Path(path).read_bytes()
    except OSError as error:
        wrong = f"names a file that cannot be read ({str(error.strerror).lower()})"
        raise Bad(wrong, write) from None


def _url(text: str, write: str) -> SplitResult:
    try:
        url = urlsplit(text)
        _ = url.port  # raises ValueError for what is no port number
    except ValueError:
        raise Bad("is not a URL", write) from None
    if url.scheme not in ("http", "https") or not url.hostname or re.search(r"[\s\\]", text):
        raise Bad("is not a URL that begins with https:// (or http://)", write)
    if "@" in url.netloc:
        raise Bad("has a user name or password in it", write)
    # RFC 6749 section 3.1.2: the redirection endpoint URI MUST NOT include a fragment.
    if found := re.search("[?#]", text):
        raise Bad("has a query (?...) or a fragment (#...)", f"{write}, without {found[0]}")
    return url


def issuer(text: str) -> str:
    """The issuer: a URL as it stands (issuers are compared to the letter), or a tenant's domain."""
    if "://" not in text:
        domain = text.rstrip("/")
        if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]+)?", domain):
            raise Bad("is neither a domain nor a URL", WRITE_ISSUER)
        text = f"https://{domain.lower()}/"
    url = _url(text, WRITE_ISSUER)
    if url.scheme == "http" and not is_loopback(url.hostname):
        wrong = "is an http:// URL; that is accepted only for this machine (localhost)"
        raise Bad(wrong, WRITE_ISSUER)
    return text


def app_base_url(text: str) -> str:
    """This app's own address, as a browser spells its origin."""
    write = "the address people open, with nothing behind the host: https://app.example.com"
    url = _url(text, write)
    if url.path not in ("", "/"):
        raise Bad("has a path", write)
    default_port = {"http": 80, "https": 443}[url.scheme]
    host = f"[{url.hostname}]" if ":" in (url.hostname or "") else url.hostname
    port = "" if url.port in (None, default_port) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"


def base_url(text: str) -> str:
    """An API's address, to put a path behind."""
    write = "the API's base URL, https://api.example.com"
    url = _url(text, write)
    if url.scheme == "http" and not is_inside(url.hostname or ""):
        # RFC 6750 section 5.3: clients MUST always use TLS when a bearer token is sent.
        raise Bad("is an http:// URL of a public host; access tokens would travel open", write)
    return text.rstrip("/")


def word(text: str) -> str:
    """A text that the provider gave."""
    if not text.isprintable() or " " in text:
        raise Bad("has spaces or control characters in it", "the value as the provider shows it")
    return text


def scope(text: str) -> tuple[str, ...]:
    """Scopes, openid among them."""
    write = "scopes separated by spaces, openid among them: openid profile email offline_access"
    scopes = tuple(dict.fromkeys(text.split()))
    if "openid" not in scopes:
        # OIDC Core section 3.1.2.1: without it this is no sign-in and there is no ID token.
        raise Bad("does not contain openid", write)
    if not all(is_scope_token(each) for each in scopes):
        raise Bad("has a character that no scope may have", write)
    return scopes


def authorize_params(text: str) -> dict[str, str]:
    """Parameters of the authorization request that the app does not set itself."""
    write = "further parameters, form-encoded: prompt=consent&access_type=offline"
    try:
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError:
        raise Bad("is not form-encoded", write) from None
    params = dict(pairs)
    if own := sorted(OWN_AUTHORIZE_PARAMS & params.keys()):
        raise Bad(f"sets {', '.join(own)}, which the app sets itself", f"{write}, without those")
    if len(params) != len(pairs):
        # RFC 6749 section 3.1: parameters MUST NOT be included more than once.
        raise Bad("names a parameter twice", f"{write}, each once")
    if not re.fullmatch(r"[0-9]{1,9}", params.get("max_age", "0")):
        raise Bad("has a max_age that is no number of seconds", "max_age=3600")
    return params


def secret_keys(text: str) -> tuple[str, ...]:
    """Keys, newest first."""
    keys = tuple(key.strip() for key in text.split(",") if key.strip())
    shortest = min(map(len, keys), default=0)
    if shortest < 32:
        raise Bad(f"has a key of {shortest} characters; it needs at least 32", WRITE_KEY)
    return keys


def signing_key(text: str) -> SigningKey:
    """The private key in a PEM file."""
    write = "the path of a PEM file with an RSA (2048 bits or more) or EC private key"
    pem = content_of(text, write)
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Bad("names a file that holds no private key without a password", write) from None
    if isinstance(key, RSAPrivateKey) and key.key_size >= 2048:
        return SigningKey(RSAKey.import_key(pem), "RS256")
    if isinstance(key, EllipticCurvePrivateKey) and key.curve.name in EC_ALGORITHMS:
        return SigningKey(ECKey.import_key(pem), EC_ALGORITHMS[key.curve.name])
    raise Bad("names a private key of a kind or size that does not do", write)


def redis_url(text: str) -> str:
    """Where Redis is, in one of five spellings."""
    write = "redis://:password@host:6379/0"
    scheme, _, rest = text.partition("://")
    if scheme not in REDIS_SCHEMES or not rest:
        raise Bad(f"does not begin with one of {', '.join(REDIS_SCHEMES)} and ://", write)
    if scheme == "redis+sentinel" and not rest.partition("/")[2]:
        wrong = "does not name the service that the sentinels watch"
        raise Bad(wrong, "redis+sentinel://host:26379,host:26379/service/0")
    if scheme != "unix" and re.search(r"[/?#].*@", rest):
        # A part of the password would be taken for the host's name, asked for and logged.
        raise Bad("has a / ? or # in its password", "%2F for /, %3F for ?, %23 for #")
    # Here and not above: sessions needs this module, and redis is imported only where it is used.
    from sessions.redis_store import RedisStore

    try:
        RedisStore(text, 1)  # connects on first use only
    except ValueError:
        raise Bad("is not a URL of Redis", write) from None
    return text


def picture_origins(text: str) -> tuple[str, ...]:
    """The origins (RFC 6454) of hosts, https but for this machine: what a CSP source can be."""
    hosts = [host.strip().lower() for host in text.split(",") if host.strip()]
    if not all(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?", h) for h in hosts):
        wrong = "has something in it that is not a host"
        raise Bad(wrong, "hosts separated by commas: s.gravatar.com,cdn.auth0.com")
    is_local = {host: is_loopback(host.partition(":")[0]) for host in hosts}
    return tuple(f"{'http' if local else 'https'}://{host}" for host, local in is_local.items())


def switch(text: str) -> bool:
    """1 for on, 0 for off."""
    if text not in ("0", "1"):
        raise Bad("is neither 1 nor 0", "1 for on, 0 (or nothing) for off")
    return text == "1"


def log_format(text: str) -> str:
    """How log lines are written."""
    if text not in ("json", "text"):
        raise Bad("is neither json nor text", "json for machines, text for people")
    return text


def number(least: int, most: int, write: str) -> Callable[[str], int]:
    """Return the check of a whole number."""

    def check(text: str) -> int:
        # Other digits than these are numbers to Python, too; thousands of them it refuses to read.
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise Bad(f"is not a whole number from {least} to {most}", write)
        return int(text)

    return check


seconds = number(1, 999_999_999, "86400 for a day")
hops = number(0, 9, "1 behind one reverse proxy, 0 behind none")
port = number(1, 65535, "9090, or leave it empty for no metrics")
