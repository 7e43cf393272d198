"""Requests as bytes, at the production server: one answer to each, and none is repeated."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask

from tests.support.harness import Gunicorn
from tests.support.raw_api import sent


@pytest.fixture
def gunicorn(app: Flask, settings: dict[str, str], redis_url: str) -> Iterator[str]:
    with Gunicorn({**settings, "SESSION_REDIS_URL": redis_url}) as server:
        yield server.base_url


HEAD = b"Host: localhost:3000\r\nConnection: close\r\n"
AS_BYTES = {
    "two hosts": b"GET / HTTP/1.1\r\nHost: evil.example\r\n" + HEAD + b"\r\n",
    "a header line without end": b"GET / HTTP/1.1\r\n" + HEAD + b"A: " + b"x" * 9000 + b"\r\n\r\n",
    "200 headers": b"GET / HTTP/1.1\r\n" + HEAD + b"A: b\r\n" * 200 + b"\r\n",
    "NUL in a header": b"GET / HTTP/1.1\r\n" + HEAD + b"A: \x00\r\n\r\n",
    "NUL in a cookie": b"GET / HTTP/1.1\r\n" + HEAD + b"Cookie: app_session_3000=\x00\r\n\r\n",
    "bytes in the address": b"GET /\xff\xfe HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a long address": b"GET /?" + b"x" * 9000 + b" HTTP/1.1\r\n" + HEAD + b"\r\n",
    "two lengths": b"POST /logout HTTP/1.1\r\n" + HEAD + b"Content-Length: 1\r\n"
    b"Content-Length: 2\r\n\r\nab",
    "length and chunks": b"POST /logout HTTP/1.1\r\n" + HEAD + b"Content-Length: 4\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /login HTTP/1.1\r\n" + HEAD + b"\r\n",
    "a negative length": b"POST /logout HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
    "a chunk that is none": b"POST /backchannel-logout HTTP/1.1\r\n" + HEAD
    + b"Content-Type: application/x-www-form-urlencoded\r\n"
    b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "too large": b"POST /logout HTTP/1.1\r\n" + HEAD + b"Content-Length: 99999\r\n\r\n",
    "too large in chunks": b"POST /logout HTTP/1.1\r\n" + HEAD
    + b"Transfer-Encoding: chunked\r\n\r\n" + (b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * 3
    + b"0\r\n\r\n",
    "folded header": b"GET / HTTP/1.1\r\n" + HEAD + b"A: b\r\n c\r\n\r\n",
}  # fmt: skip
TAKEN_AS_IS = {
    "bytes in a cookie": b"Cookie: app_session_3000=\xff; \xff=\xfe; app_sign_in_300\xe9=x",
    "SCRIPT_NAME from outside": b"SCRIPT_NAME: /evil",
    "PATH_INFO from outside": b"PATH_INFO: /evil",
    "a proxy that says https": b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off",
    "a user from outside": b"REMOTE_USER: evil\r\nRemote-User: evil",
    "bytes in what is accepted": b"Accept: \xff;q=\xfe\r\nAccept-Language: \xff",
}


def test_malformed_bytes_get_one_4xx_answer(gunicorn: str) -> None:
    for name, request in AS_BYTES.items():
        answer = sent(gunicorn, request)

        assert answer.startswith("HTTP/1.1 4"), (name, answer[:200])
        assert answer.count("HTTP/1.1 ") == 1, name
        assert "Traceback" not in answer, name


def test_odd_headers_change_nothing(gunicorn: str) -> None:
    plain = sent(gunicorn, b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n").partition("\r\n\r\n")[2]

    for name, header in TAKEN_AS_IS.items():
        answer = sent(gunicorn, b"GET / HTTP/1.1\r\n" + HEAD + header + b"\r\n\r\n")

        assert answer.startswith("HTTP/1.1 200"), (name, answer[:200])
        assert answer.partition("\r\n\r\n")[2] == plain, name


def test_a_malformed_head_is_repeated_nowhere(
    capfd: pytest.CaptureFixture[str], gunicorn: str
) -> None:
    heads = (
        b"GET /callback?code=a-secret&x=\xc3\xa9 HTTP/1.1\r\n" + HEAD,
        b"GET /callback?x= &code=a-secret HTTP/1.1\r\n" + HEAD,
        b"GET / HTTP/1.1\r\n" + HEAD + b"Cookie app_session_3000=a-secret\r\n",
    )
    answers = [sent(gunicorn, head + b"\r\n") for head in heads]

    logged = capfd.readouterr()
    assert [answer[:12] for answer in answers] == ["HTTP/1.1 400"] * len(heads)
    assert "a-secret" not in "".join(answers) + logged.out + logged.err


BAD_CHUNK = (
    "POST {} HTTP/1.1\r\nHost: localhost:3000\r\nTransfer-Encoding: chunked\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n\r\na-secret\r\n"
)


def test_a_malformed_body_is_answered_once_and_repeated_nowhere(
    capfd: pytest.CaptureFixture[str], gunicorn: str
) -> None:
    """On a connection that is kept: an answer too many would be the next request's."""
    paths = ("/language", "/backchannel-logout", "/nowhere", "/healthz")
    answers = [sent(gunicorn, BAD_CHUNK.format(path).encode()) for path in paths]

    logged = capfd.readouterr()
    assert [answer[:10] for answer in answers] == ["HTTP/1.1 4"] * len(paths)
    assert [answer.count("HTTP/1.1 ") for answer in answers] == [1] * len(paths)
    assert "a-secret" not in "".join(answers) + logged.out + logged.err
    assert "Traceback" not in logged.out + logged.err
