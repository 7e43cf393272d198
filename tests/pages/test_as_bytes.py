"""Requests as bytes, at the production server: what it cannot read is answered by the app too."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.pages.test_headers import sent
from tests.support.harness import ROOT, Gunicorn


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
    "NUL in a cookie": b"GET / HTTP/1.1\r\n" + HEAD + b"Cookie: app_session=\x00\r\n\r\n",
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
    "folded header": b"GET / HTTP/1.1\r\n" + HEAD + b"A: b\r\n c\r\n\r\n",
}  # fmt: skip
TAKEN_AS_IS = {
    "bytes in a cookie": b"Cookie: app_session=\xff; \xff=\xfe; app_sign_in_00000000_aaaaaaa\xe9=x",
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


UNREADABLE = {
    "an address with a space": (400, b"GET /callback?code=a-secret HTTP/1.1 x\r\n" + HEAD),
    "no method": (400, b"a-secret\r\n" + HEAD),
    "a header without a colon": (400, b"GET / HTTP/1.1\r\n" + HEAD + b"Bearer a-secret\r\n"),
    "a method that is none": (400, b"G\x00a-secret / HTTP/1.1\r\n" + HEAD),
    "chunks of a kind": (
        400,
        b"POST /logout HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: a-secret\r\n",
    ),
    "a long address": (414, b"GET /?code=a-secret" + b"x" * 9000 + b" HTTP/1.1\r\n" + HEAD),
    "long headers": (
        431,
        b"GET / HTTP/1.1\r\n" + HEAD + b"Cookie: a-secret" + b"x" * 9000 + b"\r\n",
    ),
}  # fmt: skip


def test_what_cannot_be_read_is_answered_by_a_page_and_repeated_nowhere(
    capfd: pytest.CaptureFixture[str], settings: dict[str, str]
) -> None:
    https = {"APP_BASE_URL": "https://app.example", "TRUSTED_PROXY_HOPS": "1"}
    with Gunicorn({**settings, **https}) as server:
        answers = {
            name: sent(server.base_url, request + b"\r\n")
            for name, (_, request) in UNREADABLE.items()
        }

    logged = capfd.readouterr()
    for name, (status, _) in UNREADABLE.items():
        head, _, page = answers[name].partition("\r\n\r\n")
        assert head.startswith(f"HTTP/1.1 {status} "), name
        assert page.count("<h1") == 1, name
        assert f"Content-Length: {len(page.encode('latin-1'))}" in head, name
        for header in ("Content-Security-Policy", "Strict-Transport-Security", "no-store"):
            assert head.count(header) == 1, (name, header)
        assert "a-secret" not in head + page, name
    assert "a-secret" not in logged.out + logged.err
    lines = [json.loads(line) for line in logged.out.splitlines()]
    assert len([line for line in lines if line["logger"] == "app.errors"]) == len(UNREADABLE)
    # No proxy sent these, so they say nothing of the proxies that are there.
    assert [line for line in lines if line["logger"] == "app.proxies"] == []


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


BREAKS = """
exec(open({!r}).read())

def pre_request(worker, request):
    if request.query:
        raise ZeroDivisionError
"""


def test_what_the_server_itself_fails_at_is_a_500_and_its_query_is_not_logged(
    capfd: pytest.CaptureFixture[str], settings: dict[str, str], tmp_path: Path
) -> None:
    real = str(ROOT / "gunicorn.conf.py")
    (tmp_path / "gunicorn.conf.py").write_text(BREAKS.format(real))
    with Gunicorn(settings, folder=tmp_path) as server:
        answer = sent(server.base_url, b"GET /?code=a-secret HTTP/1.1\r\n" + HEAD + b"\r\n")

    logged = capfd.readouterr()
    assert answer.startswith("HTTP/1.1 500 ")
    assert "ZeroDivisionError" in logged.out
    assert "a-secret" not in answer + logged.out + logged.err
