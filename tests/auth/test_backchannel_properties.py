"""Whatever is posted to `/backchannel-logout`: no 500, and only a right token ends a session."""

from __future__ import annotations

import time
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.conftest import MakeApp
from tests.support.harness import Browser, Person
from tests.support.scripted_provider import GONE, LOGOUT_EVENT, ScriptedProvider, visitor_of

# The app is made once a test: the examples share it, as visitors do.
many = hypothesis_settings(
    max_examples=75,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(exclude_categories=()))
    | st.sampled_from(["demo-app", "scripted|ada", "sid-1", LOGOUT_EVENT]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NOW = st.integers(-100_000, 100_000) | st.sampled_from([-3601, -3599, -61, -59, 0, 59, 61])


class Target:
    """The app, its provider, and somebody who is signed in."""

    def __init__(self, app: Flask, scripted: ScriptedProvider) -> None:
        self.scripted = scripted
        self.provider = Browser(app)
        self.person: Person = visitor_of(app, scripted)

    def is_posted(self, body: Any, **kwargs: Any) -> tuple[int, bool]:
        """The status, and whether the person is still signed in afterwards."""
        if not self.person.is_signed_in():
            # Not before a logout that came earlier, whose `iat` may lie in the future.
            self.scripted.claims = {"iat": int(time.time()) + 59}
            assert self.person.signs_in().status_code == 303
        response = self.provider.post("/backchannel-logout", data=body, **kwargs)
        assert response.headers["Cache-Control"] == "no-store"
        return response.status_code, self.person.is_signed_in()


@pytest.fixture
def target(make_app: MakeApp, scripted: ScriptedProvider) -> Target:
    return Target(make_app(AUTH0_DOMAIN=scripted.issuer), scripted)


@many
@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "jwk", "b64", "x"]), JSON))
@example({"crit": None})
@example({"alg": []})
@example({"kid": GONE})
def test_only_a_right_header_ends_the_session(target: Target, header: dict[str, Any]) -> None:
    token = target.scripted.logout_token(header=header)

    status, signed_in = target.is_posted({"logout_token": token})

    fits = (
        header.get("alg", "ES256") == "ES256"
        and header.get("kid") in (None, GONE, "ES256-0")
        and str(header.get("typ", "jwt")).lower() in ("jwt", "logout+jwt")
        and "crit" not in header
    )
    assert status in ((200, 400) if fits else (400,))
    assert signed_in == (status == 400)


def is_right(claims: dict[str, Any], issuer: str) -> bool:
    """The specification's section 2.6, written a second time."""
    now = time.time()

    def is_time(name: str) -> bool:
        value = claims.get(name)
        return type(value) in (int, float) and value == value and abs(value) < 1e12

    events = claims.get("events")
    return (
        claims.get("iss") == issuer
        and claims.get("aud") in ("demo-app", ["demo-app"])
        and is_time("iat")
        and is_time("exp")
        and now - 3600 < claims["iat"] < now + 60
        and claims["exp"] > now - 60
        and ("nbf" not in claims or (is_time("nbf") and claims["nbf"] < now + 60))
        and ("azp" not in claims or claims["azp"] == "demo-app")
        and any(name in claims for name in ("sub", "sid"))
        and all(isinstance(claims.get(name, "x"), str) for name in ("sub", "sid"))
        and all(claims.get(name, "x") for name in ("sub", "sid"))
        and isinstance(events, dict)
        and isinstance(events.get(LOGOUT_EVENT), dict)
        and "nonce" not in claims
        and isinstance(claims.get("jti"), str)
        and 0 < len(claims["jti"]) <= 1000
    )


NAMES = ["iss", "aud", "iat", "exp", "nbf", "azp", "sub", "sid", "events", "nonce", "jti", "x"]
CHANGES = st.dictionaries(st.sampled_from(NAMES), JSON | st.just(GONE), max_size=4)
TIMES = st.dictionaries(st.sampled_from(["iat", "exp", "nbf"]), NOW, max_size=2)
EVENTS = st.dictionaries(st.sampled_from([LOGOUT_EVENT, "other"]), JSON | st.just({}), max_size=2)


@many
@given(CHANGES, TIMES, st.none() | EVENTS)
def test_only_right_claims_end_the_session(
    target: Target, changes: dict[str, Any], times: dict[str, int], events: Any
) -> None:
    now = int(time.time())
    changes = changes | {name: now + seconds for name, seconds in times.items()}
    changes |= {} if events is None else {"events": events}
    claims = {"iss": target.scripted.issuer, "aud": "demo-app", "iat": now, "exp": now + 120}
    claims |= {"jti": "x", "events": {LOGOUT_EVENT: {}}, "sub": "scripted|ada", "sid": "sid-1"}
    claims = {name: value for name, value in {**claims, **changes}.items() if value is not GONE}
    right = is_right(claims, target.scripted.issuer)
    means_them = (claims.get("sid", "sid-1"), claims.get("sub", "scripted|ada")) == (
        "sid-1",
        "scripted|ada",
    )

    status, signed_in = target.is_posted({"logout_token": target.scripted.logout_token(changes)})

    if right and "x" not in changes and "jti" not in changes:
        assert status == 200
    if not right:
        assert status == 400
    assert signed_in == (not (status == 200 and means_them))
