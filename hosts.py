"""Where a host is: on this machine, inside a network, or in public."""

from __future__ import annotations

import ipaddress

# Names that no public name server has (RFC 6761), or that only a cluster knows.
INSIDE = (".internal", ".local", ".svc", ".test", ".example", ".invalid")


def is_loopback(host: str | None) -> bool:
    """Whether a URL's host is this machine itself, where http is as good as https."""
    host = (host or "").rstrip(".").lower()
    if address := _address(host):
        return address.is_loopback
    return host == "localhost" or host.endswith(".localhost")


def is_inside(host: str) -> bool:
    """Whether a host is reached only from inside: loopback, private, or a name of no public one."""
    if address := _address(host):
        return address.is_private
    return is_loopback(host) or "." not in host or host.endswith(INSIDE)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None
