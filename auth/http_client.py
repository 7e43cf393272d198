"""The HTTP client: every request to the provider and to the APIs goes through here.

One pool of connections; no redirects, no cookies, no `.netrc`, and a response that is bounded in
time and in size.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, ReadTimeoutError

from config import ca_paths

from . import signals
from .errors import Error

CONNECT_SECONDS = 3.0
TOTAL_SECONDS = 10.0
# Decompressed; as they are sent, twice as many at most.
MAX_BYTES = 2 * 1024 * 1024
POOL_SIZE = 64
MAX_DEPTH = 100
# Codes of no response in time, of none at all (refused, reset, no such host, a certificate that is
# not trusted), and of one that is too large.
PROVIDER = ("provider_timeout", "provider_unreachable", "bad_token_response")
API = ("api_timeout", "api_unreachable", "api_bad_answer")


class Response(NamedTuple):
    """A response of the provider or an API, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The media type, without parameters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def json_object(self) -> dict[str, Any]:
        """Return the decoded body if it is a JSON object, else an empty one."""
        try:
            data = parse_json(self.body)
        except ValueError:
            return {}
        return data if isinstance(data, dict) else {}

    def retry_after(self) -> int:
        """Return the seconds that `Retry-After` asks for, 1 to 300; 5 where it says nothing."""
        value = self.headers.get("Retry-After", "").strip()
        # Python refuses to read a number of thousands of digits.
        return min(max(int(value[:9]), 1), 300) if value.isascii() and value.isdigit() else 5


def parse_json(data: bytes) -> Any:
    """Return decoded JSON (RFC 8259: no NaN, no lone surrogates, nested MAX_DEPTH deep at most,
    since what encodes it again recurses). Raises ValueError."""
    try:
        # RFC 8259 section 8.1: UTF-8, and nothing that json would guess.
        value = json.loads(data.decode(), parse_constant=_refuse)
        if b"\\u" in data:
            json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates
        if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH:
            raise ValueError("nested too deeply")
        return value
    except RecursionError:
        raise ValueError("nested too deeply") from None


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max(map(_depth, inner), default=0) if isinstance(value, dict | list) else 0


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


class _UntilDeadline(io.RawIOBase):
    """What comes from a socket. Its timeout counts for all of it together, and not anew for each
    piece: one byte a second, even of the header, would hold a request for hours. Its size counts
    too: what decompresses to nothing would keep the processor busy until then."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)
        self._bytes_left = 2 * MAX_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(left)
        count = self._raw.readinto(buffer)
        self._bytes_left -= count or 0
        if self._bytes_left < 0:
            raise OSError("the response does not end")
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp: Any = io.BufferedReader(_UntilDeadline(self.fp.detach(), sock))


class _HTTPConnection(urllib3.connection.HTTPConnection):
    response_class = _Response


class _HTTPSConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response


CONNECTIONS = {"http": _HTTPConnection, "https": _HTTPSConnection}


class _Adapter(HTTPAdapter):
    """The pool of connections, each with a deadline for the whole response."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = CONNECTIONS[pool.scheme]
        return pool


class HttpClient:
    """One pool of connections, which all threads of the process share."""

    def __init__(self) -> None:
        # The adapter alone: a session of `requests` would follow redirects, keep cookies, and read
        # `.netrc` and the whole environment, twice for each request.
        self._adapter = _Adapter(POOL_SIZE, POOL_SIZE)
        self._proxies = cache(get_environ_proxies)  # by origin
        # A private certificate authority is normal inside companies. requests knows one variable,
        # OpenSSL the others; people set any of them. requests takes one path.
        self._verify = next((path for _, path in ca_paths(os.environ)), True)
        # What else goes with each request, such as its place in a trace.
        self.further_headers: Callable[[], Mapping[str, str]] = dict

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float = TOTAL_SECONDS,
        codes: tuple[str, str, str] = PROVIDER,
        **content: Any,
    ) -> Response:
        """Send a request with `data`, `json` or `params` as content, and read the response.

        `seconds` bounds the whole response. Raises Error, with one of `codes`.
        """
        fixed = {"Accept": "application/json", "Accept-Encoding": "gzip"}
        headers = {**fixed, **self.further_headers(), **(headers or {})}
        started_at, response = time.perf_counter(), None
        try:
            response = self._send(method, url, headers, seconds, codes, content)
            return response
        finally:
            signals.request_sent.send(
                self,
                method=method,
                url=url,
                headers=headers,
                form=content.get("data") or content.get("json"),
                status=response.status if response else 0,
                response=response,
                seconds=time.perf_counter() - started_at,
            )

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], seconds: float,
        codes: tuple[str, str, str], content: Any,
    ) -> Response:  # fmt: skip
        too_slow, no_response, too_large = codes
        scheme, host, *_ = urlsplit(url)
        attempts = 2 if method == "GET" else 1
        for attempt in range(1, attempts + 1):
            try:
                request = requests.Request(method, url, headers, **content).prepare()
                with self._adapter.send(
                    request,
                    stream=True,
                    timeout=(min(CONNECT_SECONDS, seconds), seconds),
                    verify=self._verify,
                    proxies=self._proxies(f"{scheme}://{host}"),
                ) as response:
                    body = _body(response, too_large)
                    return Response(response.status_code, response.headers, body)
            # The texts of these exceptions are left behind: they may quote the URL.
            except (requests.Timeout, ReadTimeoutError):
                raise Error(too_slow, host, retry_after=10) from None
            except (HTTPError, OSError, ValueError) as e:
                # A connection of the pool may have been closed by the server just now: what only
                # reads is sent again.
                if attempt == attempts or not isinstance(e, requests.ConnectionError):
                    raise Error(no_response, f"{host}: {type(e).__name__}", retry_after=5) from None
        raise AssertionError("unreachable")


def _body(response: requests.Response, too_large: str) -> bytes:
    """Read the body piece by piece; urllib3 decompresses no more than a piece at a time."""
    if "," in response.headers.get("Content-Encoding", ""):
        raise ValueError("compressed more than once, which nobody asked for")
    body = bytearray()
    for piece in response.raw.stream(65536, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise Error(too_large, "the response is larger than 2 MB")
    return bytes(body)
