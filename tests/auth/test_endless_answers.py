"""Answers that are too long or too slow: given up in bounded time and memory."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice

import pytest
from flask import Flask

from auth import Error
from auth.http_client import HttpClient
from auth.token_endpoint import authenticated_post
from tests.support.harness import Person, session_records
from tests.support.scripted_provider import Handler, Script, ScriptedProvider

# What a token request may take in these tests (10 s otherwise), and with a busy machine.
SECONDS, AT_MOST_SECONDS = 2.0, 8


def slowly(handler: Handler, pieces: Iterator[bytes]) -> None:
    """Send a piece now and then, until the app or the test has had enough, or 100 are sent."""
    with suppress(OSError):
        for piece in islice(pieces, 100):
            handler.wfile.write(piece)
            handler.wfile.flush()
            if handler.server.over.wait(0.2):  # type: ignore[attr-defined]
                return


def endless(start: bytes, piece: bytes) -> Script:
    def pieces() -> Iterator[bytes]:
        yield start
        while True:
            yield piece

    return lambda handler: slowly(handler, pieces())


OK = b"HTTP/1.1 200 OK\r\n"
SLOW: dict[str, Script] = {
    "nothing at all": endless(b"", b""),
    "a header byte by byte": endless(OK + b"X: ", b"a"),
    "header after header": endless(OK, b"X: a\r\n"),
    "100 Continue again and again": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a body byte by byte": endless(
        OK + b"Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n", b" "
    ),
    "chunk after chunk": endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
}


def test_a_sign_in_does_not_wait_for_an_answer_that_does_not_end(
    visitor: Person,
    scripted_app: Flask,
    scripted: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(authenticated_post.__kwdefaults__, "seconds", SECONDS)
    scripted.scripts["token"] = SLOW["a header byte by byte"]
    start = time.monotonic()

    response = visitor.signs_in()

    assert response.status_code == 504
    assert time.monotonic() - start < AT_MOST_SECONDS
    assert session_records(scripted_app) == 0


@pytest.mark.parametrize("script", SLOW.values(), ids=SLOW)
def test_every_answer_has_to_end_in_time(script: Script, scripted: ScriptedProvider) -> None:
    scripted.scripts["slow"] = script
    start = time.monotonic()

    with pytest.raises(Error, match="provider_timeout"):
        HttpClient().send("GET", f"{scripted.base_url}/slow", seconds=0.7)

    assert time.monotonic() - start < 6
    assert scripted.asked["slow"] == 1
