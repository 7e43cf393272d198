"""Whatever the API answers: the data, or a plain page in bounded time and memory."""

from __future__ import annotations

import gzip
import resource
import time
from typing import Any

import pytest
from flask import Flask

from auth import call_api
from tests.conftest import MakeApp, PersonAt
from tests.support.harness import Api, Person, text_of
from tests.support.raw_api import answers, raw_api

OK = "HTTP/1.1 200 OK"
JSON = {"Accept": "application/json"}
HUNDRED_MB = 100 * 1024 * 1024

# The fault; the status and the heading of the page.
FAULTS: dict[str, tuple[dict[str, Any], int, str]] = {
    "429": ({"name": "api_429"}, 503, "The API is busy"),
    "500": ({"name": "api_500"}, 502, "The API could not answer"),
    "503": ({"status": 503}, 502, "The API could not answer"),
    "503 with Retry-After": ({"name": "api_503"}, 503, "The API is busy"),
    "HTML": ({"name": "api_html"}, 502, "The API gave an unusable answer"),
    "an empty body": ({"status": 200, "body": ""}, 502, "The API gave an unusable answer"),
    "204": ({"status": 204}, 502, "The API gave an unusable answer"),
    "404": ({"status": 404}, 404, "Page not found"),
    "403 without a reason": ({"status": 403}, 403, "You are not allowed to see this"),
    "a drop": ({"name": "api_drop", "times": 0}, 503, "The API cannot be reached"),
    "cut JSON": ({"status": 200, "body": "[{"}, 502, "The API gave an unusable answer"),
    "deep JSON": ({"status": 200, "body": "[" * 9999}, 502, "The API gave an unusable answer"),
}


@pytest.mark.parametrize(("fault", "status", "heading"), FAULTS.values(), ids=FAULTS)
def test_an_api_that_fails_is_a_plain_page(
    person: Person, api: Api, fault: dict[str, Any], status: int, heading: str
) -> None:
    person.signs_in()
    api.lies(**{"at": "api", **({"times": 1} if "name" not in fault else {}), **fault})

    page = person.sees("/appointments")

    assert page.status_code == status
    assert heading in text_of(page)
    assert person.is_signed_in()


def test_the_log_names_the_apis_path_and_not_its_query(
    app: Flask, person: Person, api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    app.add_url_rule("/old", view_func=lambda: call_api("GET", "/gone?of=a-secret").data)
    person.signs_in()

    assert person.sees("/old").status_code == 404

    [line] = [record.getMessage() for record in caplog.records if record.name == "app.errors"]
    assert "status 404 to GET /gone (" in line
    assert "a-secret" not in caplog.text


# The token stays here


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed_with_the_token(
    make_app: MakeApp, person_at: PersonAt, status: int
) -> None:
    with raw_api(answers(OK)) as elsewhere:
        leads = answers(f"HTTP/1.1 {status} Moved", f"Location: {elsewhere.base_url}/stolen")
        with raw_api(leads) as api:
            person = person_at(make_app(API_BASE_URL=api.base_url))
            person.signs_in()

            page = person.sees("/appointments")

    assert page.status_code == 502
    assert "Authorization: Bearer" in api.heads[0]
    assert elsewhere.heads == []


def test_the_token_is_a_header_and_in_no_url(make_app: MakeApp, person_at: PersonAt) -> None:
    with raw_api(answers(OK)) as api:
        person = person_at(make_app(API_BASE_URL=f"{api.base_url}/v1"))
        person.signs_in()
        person.sees("/appointments?access_token=x")

    assert api.heads[0].startswith("GET /v1/appointments HTTP/1.1\r\n")


def test_the_apis_cookies_are_never_kept(make_app: MakeApp, person_at: PersonAt) -> None:
    with raw_api(answers(OK, "Set-Cookie: who=ada; Path=/", "Connection: close")) as api:
        app = make_app(API_BASE_URL=api.base_url)
        person, other = person_at(app), person_at(app)
        person.signs_in()
        other.signs_in()
        shown = person.sees("/appointments")
        person.sees("/appointments")
        other.sees("/appointments")

    assert len(api.heads) == 3
    assert not any("cookie" in head.lower() for head in api.heads)
    assert "Set-Cookie" not in shown.headers


# Bytes that no framework would send

NESTED = gzip.compress(gzip.compress(b"{}"))
ODD = {
    "a body of bytes": (answers(OK, body=b'"\xff\xfe"'), 502),
    "half a character": (answers(OK, body=b'"\\ud800"'), 502),
    "a number without end": (answers(OK, body=b"[" + b"9" * 9999 + b"]"), 502),
    "a redirect to bytes": (answers("HTTP/1.1 302 No", "Location: http://\xff\xfe["), 502),
    "a redirect to no address": (answers("HTTP/1.1 302 No", "Location: http://[/x"), 502),
    "no HTTP at all": (b"\x16\x03\x01 garbage\r\n\r\n", 503),
    "nothing": (b"", 503),
    "status 999999": (b"HTTP/1.1 999999 X\r\n\r\n", 503),
    "a header line without end": (answers(OK, "A: " + "x" * 99_999), 503),
    "300 headers": (answers(OK, *(f"A{n}: b" for n in range(300))), 503),
    "two lengths": (answers(OK, "Content-Length: 1"), 503),
    "gzip that is none": (answers(OK, "Content-Encoding: gzip"), 503),
    "gzip in gzip": (answers(OK, "Content-Encoding: gzip, gzip", body=NESTED), 503),
    "too short a body": (answers(OK, "Connection: close")[:-1], 503),
    "chunks that are none": (f"{OK}\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n".encode(), 503),
    "Retry-After without end": (answers("HTTP/1.1 429 X", "Retry-After: " + "9" * 5000), 503),
    "Retry-After in words": (answers("HTTP/1.1 429 X", "Retry-After: soon"), 503),
    "Retry-After before today": (answers("HTTP/1.1 429 X", "Retry-After: -5"), 503),
    "bytes as a challenge": (answers("HTTP/1.1 403 X", "WWW-Authenticate: \xff\xfe"), 403),
    "a cookie of bytes": (answers(OK, "Set-Cookie: \xff=\xfe; expires=\xff"), 200),
    "a content type of bytes": (answers(OK, "Content-Type: \xff; charset=\xfe"), 200),
}


@pytest.mark.parametrize(("answer", "status"), ODD.values(), ids=ODD)
def test_odd_bytes_are_a_plain_page(
    make_app: MakeApp, person_at: PersonAt, answer: bytes, status: int
) -> None:
    with raw_api(answer) as api:
        person = person_at(make_app(API_BASE_URL=api.base_url))
        person.signs_in()

        page = person.sees("/appointments")

    assert page.status_code == status
    assert page.text.count("<h1") == 1
    assert 1 <= int(page.headers.get("Retry-After", 1)) <= 300


MEBIBYTE = b" " * (1 << 20)
FLOODS = {
    "a body": f"{OK}\r\nContent-Length: {HUNDRED_MB}\r\n\r\n",
    "a body without length": f"{OK}\r\nConnection: close\r\n\r\n",
    "a redirect's body": f"HTTP/1.1 302 No\r\nLocation: /x\r\nContent-Length: {HUNDRED_MB}\r\n\r\n",
    "an error's body": f"HTTP/1.1 500 No\r\nContent-Length: {HUNDRED_MB}\r\n\r\n",
}


@pytest.mark.parametrize("head", FLOODS.values(), ids=FLOODS)
def test_a_flood_is_not_read_to_its_end(make_app: MakeApp, person_at: PersonAt, head: str) -> None:
    with raw_api(head.encode(), endless=MEBIBYTE) as api:
        person = person_at(make_app(API_BASE_URL=api.base_url))
        person.signs_in()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        page = person.sees("/appointments")

    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert page.status_code == 502
    assert api.sent < HUNDRED_MB / 4
    assert grown < 50 * 1024  # of kilobytes


@pytest.mark.parametrize(
    ("encoding", "start", "nothing"),
    [("gzip", b"", gzip.compress(b"")), ("deflate", b"\x78\x01", b"\0\0\0\xff\xff")],
    ids=["gzip", "deflate"],
)
def test_what_unpacks_to_nothing_is_not_unpacked_for_ever(
    make_app: MakeApp, person_at: PersonAt, encoding: str, start: bytes, nothing: bytes
) -> None:
    head = f"{OK}\r\nContent-Encoding: {encoding}\r\n\r\n".encode()
    with raw_api(head + start, endless=nothing * 10_000) as api:
        person = person_at(make_app(API_BASE_URL=api.base_url))
        person.signs_in()

        page = person.sees("/appointments")

    assert page.status_code == 503
    assert api.sent < HUNDRED_MB / 4


def test_a_small_answer_that_unpacks_to_100_mb_is_not_unpacked(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    bomb = gzip.compress(bytes(HUNDRED_MB))
    with raw_api(answers(OK, "Content-Encoding: gzip", body=bomb)) as api:
        person = person_at(make_app(API_BASE_URL=api.base_url))
        person.signs_in()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

        page = person.sees("/appointments")

    assert page.status_code == 502
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


def test_a_trickle_ends_in_bounded_time(
    make_app: MakeApp, person_at: PersonAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth.api.API_SECONDS", 2.0)
    head = f"{OK}\r\nContent-Length: 1000\r\n\r\n".encode()
    with raw_api(head, endless=b"A: b\r\n", pause=0.5) as api:
        person = person_at(make_app(API_BASE_URL=api.base_url))
        person.signs_in()
        began = time.monotonic()

        page = person.sees("/appointments")

    assert page.status_code == 504
    assert "takes too long" in text_of(page)
    assert time.monotonic() - began < 8
