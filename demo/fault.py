"""One way to misbehave, and the list of those that are set: what a program is told to do wrong."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import UnionType
from typing import Any

from demo.language import N_

JsonObject = dict[str, Any]

LOG_LENGTH = 20_000
# Where a fault can be, with the heading of its group of buttons.
PLACES = {
    "token": N_("Token endpoint and ID token"),
    "authorize": N_("Authorization response"),
    "metadata": N_("Provider metadata"),
    "jwks": N_("Key set"),
    "userinfo": N_("Userinfo endpoint"),
    "revoke": N_("Revocation endpoint"),
    "logout": N_("End session endpoint"),
    "api": N_("Every route of the API"),
}

# The fields of a fault in JSON.
FAULT_TYPES: dict[str, type | UnionType] = {
    "at": str,
    "times": int,
    "name": str,
    "grant": str,
    "status": int,
    "body": str,
    "body_bytes": int,
    "drop": bool,
    "delay_seconds": int | float,
    "headers": dict,
    "json": dict,
    "redirect": dict,
    "id_token": dict,
    "id_token_header": dict,
    "id_token_sign": str,
}


@dataclass
class Fault:
    """One way to misbehave at one endpoint, for a number of requests (0: until cleared)."""

    at: str = "token"
    times: int = 1
    name: str | None = None
    grant: str | None = None
    # These answer instead of the endpoint, which then does not do its work:
    status: int | None = None
    body: str | None = None
    body_bytes: int | None = None
    drop: bool = False
    # These change what the endpoint answers:
    delay_seconds: float = 0
    headers: dict[str, str] = field(default_factory=dict)
    json: JsonObject = field(default_factory=dict)
    redirect: JsonObject = field(default_factory=dict)
    id_token: JsonObject = field(default_factory=dict)
    id_token_header: JsonObject = field(default_factory=dict)
    id_token_sign: str | None = None

    def __post_init__(self) -> None:
        if self.at not in PLACES:
            raise ValueError(f"at: one of {', '.join(PLACES)}")
        ways = (None, "none", "hs256_public_key", "hs256_client_secret", "unknown_key", "broken")
        if self.id_token_sign not in ways:
            raise ValueError(f"id_token_sign: one of {', '.join(filter(None, ways))}")

    @classmethod
    def from_mapping(cls, values: JsonObject) -> Fault:
        """Read the JSON form. Raises ValueError for what it does not know."""
        unknown = set(values) - set(FAULT_TYPES)
        if unknown:
            raise ValueError(f"unknown: {', '.join(sorted(unknown))}; known: {list(FAULT_TYPES)}")
        for name, value in values.items():
            if not isinstance(value, FAULT_TYPES[name]):
                raise ValueError(f"{name} has the wrong type")
        return cls(**values)

    @property
    def answers_instead(self) -> bool:
        """Does the endpoint stay unasked? `json` together with a status means that it is asked."""
        instead = (self.status, self.body, self.body_bytes)
        return any(each is not None for each in instead) and not self.json

    @property
    def on_redirect(self) -> bool:
        """Does it wait for the authorization response, however many pages come before?"""
        return bool(self.redirect)


class Control:
    """The faults that are set, and the record of all requests, of one program."""

    def __init__(self, named_faults: dict[str, tuple[str, JsonObject]]) -> None:
        self.named_faults = named_faults
        self.links: tuple[str, ...] = ()
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget faults and record."""
        with self._lock:
            self.faults: list[Fault] = []
            self.log: deque[JsonObject] = deque(maxlen=LOG_LENGTH)
            self.by_endpoint: Counter[str] = Counter()
            self.by_grant: Counter[str] = Counter()
            self.connections: set[str] = set()
            self.requests = 0

    def groups(self) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        """Heading, and name and text of each button below it."""
        for place, heading in PLACES.items():
            group = [
                (name, text)
                for name, (text, fault) in self.named_faults.items()
                if fault.get("at", "token") == place
            ]
            if group:
                yield heading, group

    def add(self, fault: Fault) -> None:
        """Set a fault, behind those that are set already."""
        with self._lock:
            self.faults.append(fault)

    def clear(self) -> None:
        """Be honest again."""
        with self._lock:
            self.faults.clear()

    def take(self, at: str, grant: str | None = None, *, on_redirect: bool = False) -> Fault | None:
        """The first fault that fits this request, counted down."""
        with self._lock:
            for fault in self.faults:
                fits = fault.at == at and fault.grant in (None, grant)
                if fits and fault.on_redirect == on_redirect:
                    if fault.times == 1:
                        self.faults.remove(fault)
                    fault.times -= fault.times > 0
                    return fault
        return None

    def note(self, entry: JsonObject, at: str) -> None:
        """Record one request."""
        with self._lock:
            self.requests += 1
            self.log.append({"n": self.requests, **entry})
            self.by_endpoint[at] += 1
            if entry["grant_type"]:
                self.by_grant[entry["grant_type"]] += 1
            self.connections.add(entry["connection"])
