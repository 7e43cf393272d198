"""Faults: what the provider or the API is told to do wrong, and the log of what they were asked."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, get_origin, get_type_hints

from demo.language import N_

JsonObject = dict[str, Any]
NamedFault = tuple[str, JsonObject]  # the text of its button, its fields
Goals = Mapping[str, Mapping[str, NamedFault]]  # headings, each with the faults below it by name

LOG_LENGTH = 20_000
# Where a fault can be, with what meets it there: the text of a link, and a path of the app.
SIGN_IN, CALL_API = (
    (N_("Sign in now"), "/login?return_to=/profile"),
    (N_("Load appointments"), "/appointments"),
)
PLACES: dict[str, tuple[str, str] | None] = {
    **dict.fromkeys(("token", "authorize", "par", "userinfo"), SIGN_IN),
    **dict.fromkeys(("revoke", "logout"), (N_("Sign out now"), "/logout")),
    "api": CALL_API,
    # Fetched once an hour.
    "metadata": None,
    "jwks": None,
}
WAYS_TO_SIGN = ("none", "hs256_public_key", "hs256_client_secret", "unknown_key", "broken")


@dataclass
class Fault:
    """One way to misbehave at one endpoint, for a number of requests (0: until cleared)."""

    at: str = "token"
    times: int = 1
    name: str | None = None
    grant: str | None = None
    # These replace the response; the endpoint is not called:
    status: int | None = None
    body: str | None = None
    body_bytes: int | None = None
    drop: bool = False
    # These change the endpoint's response:
    delay_seconds: int | float = 0
    headers: dict[str, str] = field(default_factory=dict)
    json: JsonObject = field(default_factory=dict)
    redirect: JsonObject = field(default_factory=dict)
    id_token: JsonObject = field(default_factory=dict)
    id_token_header: JsonObject = field(default_factory=dict)
    id_token_sign: str | None = None

    def __post_init__(self) -> None:
        for name, hint in get_type_hints(Fault).items():
            if not isinstance(getattr(self, name), dict if get_origin(hint) is dict else hint):
                raise ValueError(f"{name} has the wrong type")
        if self.at not in PLACES:
            raise ValueError(f"at: one of {', '.join(PLACES)}")
        if self.id_token_sign not in (None, *WAYS_TO_SIGN):
            raise ValueError(f"id_token_sign: one of {', '.join(WAYS_TO_SIGN)}")

    @property
    def replaces_response(self) -> bool:
        """Is the endpoint not called? `json` with a status changes the endpoint's own response."""
        replacements = (self.status, self.body, self.body_bytes)
        return any(each is not None for each in replacements) and not self.json


class Control:
    """One program: the faults that are set, and the log of all requests.

    The provider and the sample API are one each, and add what else they remember.
    """

    places: Mapping[str, str] = {}  # Flask's names of endpoints: the places of faults
    links: tuple[str, ...] = ()  # control pages of other programs
    app_base_url: str | None = None

    def __init__(self, goals: Goals) -> None:
        self.goals = goals
        self.named_faults = {k: v for faults in goals.values() for k, v in faults.items()}
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget faults, log and whatever else the program remembers."""
        with self._lock:
            self.faults: list[Fault] = []
            self.log: deque[JsonObject] = deque(maxlen=LOG_LENGTH)
            self.by_endpoint: Counter[str] = Counter()
            self.by_grant: Counter[str] = Counter()
            self.connections: set[str] = set()
            self.requests = 0

    def stats(self) -> JsonObject:
        """Counts."""
        return {
            "requests": self.requests,
            "by_endpoint": self.by_endpoint,
            "by_grant": self.by_grant,
            "connections": len(self.connections),
        }

    def form_targets(self) -> list[str]:
        """The origins that forms may lead to, besides the program's own."""
        return []

    def meeting(self, fault: Fault) -> tuple[str, str] | None:
        """What meets a fault that is set: the text of a link, and its URL."""
        way = CALL_API if fault.grant == "refresh_token" else PLACES[fault.at]
        if way is None or self.app_base_url is None:
            return None
        needs_organization = "org_id" in fault.id_token
        more = "&organization=harbour-clinic" if needs_organization else ""
        return way[0], f"{self.app_base_url}{way[1]}{more}"

    def take(self, at: str, grant: str | None = None, *, on_redirect: bool = False) -> Fault | None:
        """The first fault that fits this request, counted down.

        A fault with `redirect` waits for the authorization response, after all pages.
        """
        with self._lock:
            for fault in self.faults:
                fits = fault.at == at and fault.grant in (None, grant)
                if fits and bool(fault.redirect) == on_redirect:
                    if fault.times == 1:
                        self.faults.remove(fault)
                    fault.times -= fault.times > 0
                    return fault
        return None

    def record(self, entry: JsonObject, at: str) -> None:
        """Log one request."""
        with self._lock:
            self.requests += 1
            self.log.append({"n": self.requests, **entry})
            self.by_endpoint[at] += 1
            if entry["grant_type"]:
                self.by_grant[entry["grant_type"]] += 1
            self.connections.add(entry["connection"])
