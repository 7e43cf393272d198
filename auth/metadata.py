"""The provider's metadata (OpenID Connect Discovery 1.0 section 3), checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from hosts import is_loopback

from .errors import Problem


@dataclass(frozen=True)
class Metadata:
    """The provider metadata that this app uses; absent endpoints are None."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    revocation_endpoint: str | None
    end_session_endpoint: str | None
    token_endpoint_auth_methods: tuple[str, ...]
    revocation_endpoint_auth_methods: tuple[str, ...]
    iss_parameter_promised: bool

    @classmethod
    def checked(cls, data: dict[str, Any], issuer: str) -> Metadata:
        """Check fetched metadata. Raises Problem("bad_metadata")."""
        # Discovery section 4.3: MUST be identical to the issuer the metadata was asked of.
        if data.get("issuer") != issuer:
            found = repr(data.get("issuer"))[:200]
            raise Problem("bad_metadata", f"issuer is {found}; AUTH0_DOMAIN means {issuer!r}")
        return cls(
            issuer=issuer,
            authorization_endpoint=_endpoint(data, "authorization_endpoint"),
            token_endpoint=_endpoint(data, "token_endpoint"),
            jwks_uri=_endpoint(data, "jwks_uri"),
            revocation_endpoint=_optional_endpoint(data, "revocation_endpoint"),
            end_session_endpoint=_optional_endpoint(data, "end_session_endpoint"),
            token_endpoint_auth_methods=_words(data, "token_endpoint_auth_methods_supported"),
            revocation_endpoint_auth_methods=_words(
                data, "revocation_endpoint_auth_methods_supported"
            ),
            # RFC 9207 section 3.
            iss_parameter_promised=data.get("authorization_response_iss_parameter_supported")
            is True,
        )


def _endpoint(data: dict[str, Any], name: str) -> str:
    url = _optional_endpoint(data, name)
    if url is None:
        raise Problem("bad_metadata", f"{name} is missing")
    return url


def _optional_endpoint(data: dict[str, Any], name: str) -> str | None:
    """An endpoint's URL: https, or on this machine http (RFC 9700 section 2.6)."""
    url = data.get(name)
    if url is None:
        return None
    try:
        parts = urlsplit(url if isinstance(url, str) and url.isprintable() else "")
        secret = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))
        usable = secret and parts.hostname and parts.port != 0 and " " not in url
    except ValueError:
        usable = False  # half an address, or no number for a port
    if not usable:
        raise Problem("bad_metadata", f"{name} is no https URL")
    return str(url)


def _words(data: dict[str, Any], name: str) -> tuple[str, ...]:
    value = data.get(name)
    return tuple(str(word) for word in value) if isinstance(value, list) else ()
