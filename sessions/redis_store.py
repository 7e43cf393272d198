"""The session store of several machines: Redis (`redis_topologies.py` has the ways to reach it)."""

from __future__ import annotations

import math
import struct
import time
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from redis.exceptions import RedisClusterException, RedisError

from .redis_topologies import client_maker
from .store import Record, StoreUnavailable

# A value is version (8 bytes), seen_at, expires_at (doubles), data: one string, one read.
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
SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1
"""
REMOVE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


class RedisStore:
    """Keeps the promises of `Store`; what must change at once changes in one script on one key."""

    def __init__(self, url: str, ref_seconds: int) -> None:
        """Take SESSION_REDIS_URL and how long a session can live at most; connects on first use."""
        self._make_client = client_maker(url)
        self._ref_seconds = ref_seconds

    @cached_property
    def _client(self) -> Any:
        # Not at start: a Cluster's client asks for its nodes at once, and they may come up later.
        return self._make_client()

    def _ask(self, *command: object) -> Any:
        """Send a command, in Redis' own words; raise StoreUnavailable where it fails."""
        try:
            return self._client.execute_command(*command)
        except (RedisError, RedisClusterException, OSError) as error:
            # Without the error itself: its text may name the address, the user or the password,
            # and a traceback has that of every error in the chain.
            raise StoreUnavailable(type(error).__name__) from None

    def _run(self, script: str, key: str, *args: object) -> Any:
        # By its text and not its hash: after a fail-over or a restart the hash is not known.
        return self._ask("EVAL", script, 1, key, *args)

    def create(self, key: str, record: Record, refs: Iterable[str]) -> None:
        value = HEAD.pack(record.version, record.seen_at, record.expires_at) + record.data
        # The references first: a session that nobody could find again must not exist.
        self._add_refs(key, refs)
        lives = _milliseconds(record.expires_at - time.time())
        self._ask("SET", _session(key), value, "PX", lives)

    def _add_refs(self, key: str, refs: Iterable[str]) -> None:
        now = time.time()
        for ref in refs:
            times = (_milliseconds(now), _milliseconds(now + self._ref_seconds))
            self._run(ADD_REF, _ref(ref), *times, key)

    def read(self, key: str) -> Record | None:
        return _living(self._ask("GET", _session(key)))

    def replace(self, key: str, old_version: bytes, record: Record, refs: Iterable[str]) -> bool:
        self._add_refs(key, refs)
        return bool(self._run(REPLACE, _session(key), old_version, record.version, record.data))

    def touch(self, key: str, seen_at: float, expires_at: float) -> None:
        times, now = struct.pack("!dd", seen_at, expires_at), time.time()
        self._run(TOUCH, _session(key), times, _milliseconds(expires_at - now), now)

    def delete(self, key: str, refs: Iterable[str] = ()) -> Record | None:
        deleted = _living(self._ask("GETDEL", _session(key)))
        for ref in refs:
            self._ask("ZREM", _ref(ref), key)
        return deleted

    def keys_with(self, ref: str) -> list[str]:
        return [key.decode() for key in self._ask("ZRANGE", _ref(ref), 0, -1)]

    def add(self, name: str, value: str, seconds: float) -> bool:
        return bool(self._ask("SET", _named(name), value, "NX", "PX", _milliseconds(seconds)))

    def get(self, name: str) -> str | None:
        value = self._ask("GET", _named(name))
        return value.decode() if value is not None else None

    def swap(self, name: str, old: str, new: str, seconds: float) -> bool:
        return bool(self._run(SWAP, _named(name), old, new, _milliseconds(seconds)))

    def remove(self, name: str, value: str) -> bool:
        return bool(self._run(REMOVE, _named(name), value))


def _living(value: bytes | None) -> Record | None:
    """The record in a value. Redis times keys out by its own clock, which may be another."""
    if value is None or len(value) < HEAD.size:
        return None
    version, seen_at, expires_at = HEAD.unpack_from(value)
    record = Record(version, value[HEAD.size :], seen_at, expires_at)
    return record if expires_at > time.time() else None


def _session(key: str) -> str:
    return f"app:session:{{{key}}}"


def _named(name: str) -> str:
    return f"app:named:{name}"


def _ref(ref: str) -> str:
    return f"app:ref:{{{ref}}}"


def _milliseconds(seconds: float) -> int:
    return max(1, math.ceil(seconds * 1000))
