"""The session store of several machines: Redis, alone, watched by Sentinel, or a Cluster."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from urllib.parse import unquote, urlsplit

from redis import Redis, RedisCluster
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode
from redis.exceptions import ConnectionError as LostConnection
from redis.exceptions import RedisClusterException, RedisError
from redis.retry import Retry
from redis.sentinel import Sentinel

from .store import Record, StoreUnavailable

# One answer may take a second: a page waits for connecting and asking, two at the most.
ANSWER_SECONDS = 0.9
# Sentinels are asked one after the other, and all of them twice where none knows the master.
SENTINEL_SECONDS = 0.3

# A value is version (8 bytes), seen_at, expires_at (doubles), sealed: one string, one read.
HEAD = struct.Struct("!8sdd")

# Each script touches one key only, so that each runs on any node of a Cluster.
REPLACE = """
if redis.call('GETRANGE', KEYS[1], 0, 7) ~= ARGV[1] then return 0 end
local times = redis.call('GETRANGE', KEYS[1], 8, 23)
redis.call('SET', KEYS[1], ARGV[2] .. times .. ARGV[3], 'KEEPTTL')
return 1
"""
TOUCH = """
local expires = redis.call('GETRANGE', KEYS[1], 16, 23)
if #expires < 8 or struct.unpack('>d', expires) <= tonumber(ARGV[3]) then return 0 end
redis.call('SETRANGE', KEYS[1], 8, ARGV[1])
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
ADD_REF = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[3])
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
return redis.call('PEXPIRE', KEYS[1], last[2] - ARGV[1])
"""
ACQUIRE = """
local holder = redis.call('GET', KEYS[1])
if holder then return holder end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
HAND_ON = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisStore:
    """Keeps the promises of `Store`; what must change at once changes in one script on one key."""

    def __init__(self, url: str, ref_seconds: int) -> None:
        """Take SESSION_REDIS_URL and how long a session can live at most; connects on first use.

        Raises ValueError if the URL cannot be understood.
        """
        self._make_client = _client_maker(url)
        self._ref_seconds = ref_seconds

    @cached_property
    def _client(self) -> Any:
        # Not at start: a Cluster's client asks for its nodes at once, and they may come up later.
        return self._make_client()

    def _run(self, script: str, key: str, *args: object) -> Any:
        # By its text and not its hash: after a fail-over or a restart the hash is not known.
        return self._client.eval(script, 1, key, *args)

    def create(self, key: str, record: Record, refs: Iterable[str]) -> None:
        now = time.time()
        last = _milliseconds(now + self._ref_seconds)
        value = HEAD.pack(record.version, record.seen_at, record.expires_at) + record.sealed
        with _answers(), self._client.pipeline(transaction=False) as pipeline:
            # The references first: a session that nobody could find again must not exist.
            for ref in refs:
                times = (_milliseconds(now), last)
                pipeline.execute_command("EVAL", ADD_REF, 1, _ref(ref), *times, key)
            pipeline.set(_session(key), value, px=_milliseconds(record.expires_at - now))
            pipeline.execute()

    def read(self, key: str) -> Record | None:
        with _answers():
            return _living(self._client.get(_session(key)))

    def replace(self, key: str, old_version: bytes, version: bytes, sealed: bytes) -> bool:
        with _answers():
            return bool(self._run(REPLACE, _session(key), old_version, version, sealed))

    def touch(self, key: str, seen_at: float, expires_at: float) -> None:
        times, now = struct.pack("!dd", seen_at, expires_at), time.time()
        with _answers():
            self._run(TOUCH, _session(key), times, _milliseconds(expires_at - now), now)

    def delete(self, key: str, refs: Iterable[str] = ()) -> Record | None:
        with _answers():
            deleted = _living(self._client.getdel(_session(key)))
            for ref in refs:
                self._client.zrem(_ref(ref), key)
        return deleted

    def keys_with(self, ref: str) -> list[str]:
        with _answers():
            return [key.decode() for key in self._client.zrange(_ref(ref), 0, -1)]

    def acquire_lease(self, key: str, owner: str, seconds: float) -> str:
        with _answers():
            holder = self._run(ACQUIRE, _lease(key), owner, _milliseconds(seconds))
        return bytes(holder).decode()

    def lease_holder(self, key: str) -> str | None:
        with _answers():
            holder = self._client.get(_lease(key))
        return bytes(holder).decode() if holder is not None else None

    def release_lease(self, key: str, owner: str) -> None:
        with _answers():
            self._run(RELEASE, _lease(key), owner)

    def pass_lease(self, key: str, owner: str, to: str, seconds: float) -> None:
        with _answers():
            self._run(HAND_ON, _lease(key), owner, to, _milliseconds(seconds))

    def ping(self) -> None:
        with _answers():
            self._client.get("app:ping")

    def sweep(self) -> int:
        """Nothing to do: Redis deletes what has expired by itself."""
        return 0


@contextmanager
def _answers() -> Iterator[None]:
    try:
        yield
    except (RedisError, RedisClusterException, OSError) as error:
        # Without the error itself: its text may name the address, the user or the password, and
        # a traceback has that of every error in the chain.
        raise StoreUnavailable(type(error).__name__) from None


def _living(value: bytes | None) -> Record | None:
    """The record in a value. Redis times keys out by its own clock, which may be another."""
    if value is None or len(value) < HEAD.size:
        return None
    version, seen_at, expires_at = HEAD.unpack_from(value)
    record = Record(version, value[HEAD.size :], seen_at, expires_at)
    return record if expires_at > time.time() else None


def _session(key: str) -> str:
    return f"app:session:{{{key}}}"


def _lease(key: str) -> str:
    # The braces are a Cluster's hash tag: a session and its lease live on one node.
    return f"app:lease:{{{key}}}"


def _ref(ref: str) -> str:
    return f"app:ref:{{{ref}}}"


def _milliseconds(seconds: float) -> int:
    return math.ceil(seconds * 1000)


def _client_maker(url: str) -> Callable[[], Any]:
    """Return what makes the client that SESSION_REDIS_URL asks for; ValueError if malformed."""
    # The client's own classes have few types.
    cluster_node: Any = ClusterNode
    sentinel_class: Any = Sentinel
    options: dict[str, Any] = {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
    }
    # A connection that broke is made anew at once. After no answer in time there is none either.
    options["retry"] = Retry(NoBackoff(), 1, supported_errors=(LostConnection,))
    scheme = url.partition("://")[0]
    if scheme not in ("redis+sentinel", "redis+cluster"):
        client = Redis.from_url(url, **options)
        return lambda: client

    credentials, nodes, path = _several_nodes(url)
    if scheme == "redis+cluster":
        startup_nodes = [cluster_node(host, port) for host, port in nodes]
        return lambda: RedisCluster(startup_nodes=startup_nodes, **credentials, **options)
    # redis+sentinel://[user:password@]host:port,host:port/service/db: name and password are
    # those of Redis; the sentinels themselves are asked without.
    service, _, db = path.strip("/").partition("/")
    quick = {"socket_timeout": SENTINEL_SECONDS, "socket_connect_timeout": SENTINEL_SECONDS}
    sentinel = sentinel_class(nodes, sentinel_kwargs=options | quick)
    master = sentinel.master_for(service, db=int(db or 0), **credentials, **options)
    return lambda: master


def _several_nodes(url: str) -> tuple[dict[str, Any], list[tuple[str, int]], str]:
    """Take apart a URL with several hosts, which `urlsplit` alone cannot."""
    default_port = 26379 if url.startswith("redis+sentinel") else 6379
    parts = urlsplit(url)
    userinfo, _, hosts = parts.netloc.rpartition("@")
    user, _, password = userinfo.partition(":")
    credentials = {"username": unquote(user), "password": unquote(password)}
    nodes = []
    for host in hosts.split(","):
        name, colon, port = host.rpartition(":")
        nodes.append((name.strip("[]"), int(port)) if colon else (host, default_port))
    return {name: text for name, text in credentials.items() if text}, nodes, parts.path
