"""The ways to Redis: one server, a master watched by Sentinel, a Cluster; each by TLS or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import ConnectionError as LostConnection
from redis.retry import Retry
from redis.sentinel import Sentinel

# A request waits for connecting and for the response, less than two seconds together.
RESPONSE_SECONDS = 0.9
# Sentinels are asked one after the other, and all of them twice where none knows the master.
SENTINEL_SECONDS = 0.3
# What a query may set; anything else would be dropped in silence, or fail at the first request.
TLS_OPTIONS = ("ssl_cert_reqs", "ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile")


def client_maker(url: str) -> Callable[[], Any]:
    """Return what makes the client that SESSION_REDIS_URL asks for.

    Raises ValueError, with a text for the operator, if the URL cannot be understood.
    """
    scheme, _, rest = url.partition("://")
    given = dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))
    allowed = {*(TLS_OPTIONS if scheme.startswith("rediss") else ())}
    allowed |= {"db", "username", "password"} if "+" not in scheme else set()
    if unknown := sorted(given.keys() - allowed):
        raise ValueError(f"has an option that is not understood here: {', '.join(unknown)}")
    options: dict[str, Any] = {
        "socket_timeout": RESPONSE_SECONDS,
        "socket_connect_timeout": RESPONSE_SECONDS,
        # A broken connection is made anew at once. After a timeout there is no response either.
        "retry": Retry(NoBackoff(), 1, supported_errors=(LostConnection,)),
    }
    try:
        if "+" not in scheme:
            client = Redis.from_url(url, **options)
            return lambda: client
        if scheme.startswith("rediss"):
            options |= {"ssl": True, **given}
        return _several_nodes(scheme.partition("+")[2], rest.partition("?")[0], options)
    except ValueError:
        raise ValueError("is not a URL of Redis") from None


def _several_nodes(kind: str, rest: str, options: dict[str, Any]) -> Callable[[], Any]:
    """A client for `[user:password@]host:port,host:port[/service/db]`."""
    # The client's own classes have few types.
    cluster_node: Any = ClusterNode
    sentinel_class: Any = Sentinel
    cluster_class: Any = RedisCluster
    authority, _, path = rest.partition("/")
    userinfo, _, hosts = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    credentials = {"username": unquote(user), "password": unquote(password)}
    credentials = {name: text for name, text in credentials.items() if text}
    nodes = [_node(host, 26379 if kind == "sentinel" else 6379) for host in hosts.split(",")]
    if kind == "cluster":
        if path.strip("/"):
            raise ValueError
        startup_nodes = [cluster_node(host, port) for host, port in nodes]
        return lambda: cluster_class(startup_nodes=startup_nodes, **credentials, **options)
    # Name and password are those of Redis; the sentinels themselves are asked without.
    service, _, db = path.strip("/").partition("/")
    quick = {"socket_timeout": SENTINEL_SECONDS, "socket_connect_timeout": SENTINEL_SECONDS}
    sentinel = sentinel_class(nodes, sentinel_kwargs=options | quick)
    master = sentinel.master_for(service, db=int(db or 0), **credentials, **options)
    return lambda: master


def _node(text: str, default_port: int) -> tuple[str, int]:
    url = urlsplit(f"//{text}")
    if not url.hostname:
        raise ValueError
    return url.hostname, url.port or default_port
