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


def client_maker(url: str) -> Callable[[], Any]:
    """Return what makes the client that SESSION_REDIS_URL, which config.py checked, asks for."""
    scheme, _, rest = url.partition("://")
    options: dict[str, Any] = {
        "socket_timeout": RESPONSE_SECONDS,
        "socket_connect_timeout": RESPONSE_SECONDS,
        # A broken connection is made anew at once. After a timeout there is no response either.
        "retry": Retry(NoBackoff(), 1, supported_errors=(LostConnection,)),
    }
    if "+" not in scheme:
        client = Redis.from_url(url, **options)
        return lambda: client
    place, _, query = rest.partition("?")
    if scheme.startswith("rediss"):
        options |= {"ssl": True, **dict(parse_qsl(query))}
    return _several_nodes(scheme.partition("+")[2], place, options)


def _several_nodes(kind: str, rest: str, options: dict[str, Any]) -> Callable[[], Any]:
    """A client for `[user:password@]host:port,host:port[/service/db]`."""
    authority, _, path = rest.partition("/")
    userinfo, _, hosts = authority.rpartition("@")
    user, _, password = userinfo.partition(":")
    own = options | {"username": unquote(user) or None, "password": unquote(password) or None}
    nodes = [urlsplit(f"//{host}") for host in hosts.split(",")]
    if kind == "cluster":
        startup_nodes = [ClusterNode(node.hostname, node.port or 6379) for node in nodes]
        return lambda: RedisCluster(startup_nodes=startup_nodes, **own)
    # Name and password are those of Redis; the sentinels themselves are asked without.
    service, _, db = path.partition("/")
    quick = {"socket_timeout": SENTINEL_SECONDS, "socket_connect_timeout": SENTINEL_SECONDS}
    sentinels = [(node.hostname, node.port or 26379) for node in nodes]
    sentinel = Sentinel(sentinels, sentinel_kwargs=options | quick)
    master = sentinel.master_for(service, db=int(db or 0), **own)
    return lambda: master
