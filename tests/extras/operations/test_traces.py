"""A trace that a request belongs to goes on to the provider and the API (W3C Trace Context)."""

from __future__ import annotations

import pytest

from tests.support.harness import Api, Person, Provider

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


def test_the_api_is_told_the_trace_with_a_span_of_its_own(person: Person, api: Api) -> None:
    person.signs_in()

    for _ in range(2):
        person.sees("/appointments", headers={"traceparent": TRACEPARENT})

    passed_on = [entry["headers"]["traceparent"].split("-") for entry in api.log()]
    assert [(version, trace, flags) for version, trace, _, flags in passed_on] == [
        ("00", TRACE, "01")
    ] * 2
    assert len({SPAN, *(span for _, _, span, _ in passed_on)}) == 3


def test_the_token_endpoint_is_told_the_trace(person: Person, provider: Provider) -> None:
    callback = person.provider.answers(person.begins())

    person.browser.get(callback, headers={"traceparent": TRACEPARENT})

    [request] = provider.requests_to("/oauth/token")
    assert request["headers"]["traceparent"].startswith(f"00-{TRACE}-")


@pytest.mark.parametrize(
    "given",
    [
        None,
        "",
        TRACE,
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE[:-1]}-{SPAN}-01",
    ],
    ids=[
        *("none", "empty", "only-an-id", "zero-trace", "zero-span", "upper-case"),
        *("bad-version", "more-parts", "short"),
    ],
)
def test_without_a_wellformed_trace_none_is_passed_on(
    given: str | None, person: Person, api: Api
) -> None:
    person.signs_in()

    person.sees("/appointments", headers={"traceparent": given} if given is not None else {})

    [request] = api.log()
    assert "traceparent" not in request["headers"]
