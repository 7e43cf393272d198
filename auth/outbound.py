"""The one way out: every request to the provider and to the APIs goes through here.

One pool of connections, no redirects, no cookies, and an answer bounded in time and in size.
"""

from __future__ import annotations

import http.client
import io
import os
import socket
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import HTTPError, ReadTimeoutError
from urllib3.util.retry import Retry

from . import signals

CONNECT_SECONDS = 3.0
READ_SECONDS = 5.0
TOTAL_SECONDS = 10.0
MAX_BYTES = 2 * 1024 * 1024
POOL_SIZE = 64


class NoAnswer(Exception):
    """Nobody answered: refused, reset, no such host, a certificate that is not trusted."""


class AnswerTooSlow(NoAnswer):
    """No complete answer came in time."""


class AnswerTooLarge(Exception):
    """The answer was larger than MAX_BYTES and was not read to its end."""


class Answer(NamedTuple):
    """An answer of the provider or an API, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """Return the decoded body; raises ValueError if it is not JSON."""
        return msgspec.json.decode(self.body)

    def json_object(self) -> dict[str, Any]:
        """Return the decoded body if it is a JSON object, else an empty one."""
        try:
            data = self.json()
        except (ValueError, RecursionError):
            return {}
        return data if isinstance(data, dict) else {}


class _UntilDeadline(io.RawIOBase):
    """What comes from a socket. Its time-out counts for all of it together, and not anew for each
    piece: one byte a second, be it of the header, would hold a request for hours."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket) -> None:
        self._raw, self._sock = raw, sock
        self._deadline = time.monotonic() + (sock.gettimeout() or 0)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(READ_SECONDS, left))
        return self._raw.readinto(buffer)

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


class _HTTPPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HTTPConnection


class _HTTPSPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HTTPSConnection


_POOLS = {"http": _HTTPPool, "https": _HTTPSPool}


class _Retry(Retry):
    def increment(self, *args: Any, **kwargs: Any) -> Any:
        if isinstance(error := kwargs.get("error"), ReadTimeoutError):
            raise error  # the time is up; again would take as long again
        return super().increment(*args, **kwargs)


class _Adapter(HTTPAdapter):
    """The pool of connections, each with a deadline for the whole answer."""

    def __init__(self) -> None:
        # A request that reached nobody can be sent again; one that broke off, only if it reads.
        retry = _Retry(
            connect=1,
            read=1,
            redirect=0,
            status=0,
            other=0,
            backoff_factor=0,
            allowed_methods={"GET"},
            raise_on_status=False,
        )
        super().__init__(POOL_SIZE, POOL_SIZE, max_retries=retry)
        self._pools: dict[str, Any] = {}

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager

    def get_connection_with_tls_context(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        # Found once an origin: there are few, and each look-up takes their URLs apart again.
        origin = _origin(request.url)
        if origin not in self._pools:
            pool = super().get_connection_with_tls_context(request, *args, **kwargs)
            self._pools[origin] = pool
        return self._pools[origin]

    def build_response(self, req: Any, resp: Any) -> Any:
        return resp  # status, headers and body are all that is used; no cookie is looked for


class Outbound:
    """One `requests` session, whose pool of connections all threads of the process share."""

    def __init__(self) -> None:
        self._session = requests.Session()
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, _Adapter())
        # What else goes with each request, such as its place in a trace.
        self.further_headers: Callable[[], Mapping[str, str]] = dict

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, seconds: float = TOTAL_SECONDS
    ) -> Answer:
        """GET, and take what comes. Raises NoAnswer, AnswerTooSlow, AnswerTooLarge."""
        return self._send("GET", url, seconds, headers or {})

    def post(
        self,
        url: str,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        seconds: float = TOTAL_SECONDS,
    ) -> Answer:
        """POST a form, and take what comes. Raises NoAnswer, AnswerTooSlow, AnswerTooLarge."""
        return self._send("POST", url, seconds, headers, form)

    def _send(
        self,
        method: str,
        url: str,
        seconds: float,
        headers: Mapping[str, str],
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        status, answer = 0, None
        prepared = _prepared(method, url, form)
        prepared.headers.update(self.further_headers())
        prepared.headers.update(headers)
        verify, proxies = _environment_of(_origin(url))
        started_at = time.perf_counter()
        try:
            # Straight to the adapter: what a session adds to a request (cookies of other people's
            # answers, .netrc) and does with an answer (redirects) must not happen here.
            sent: Any = self._session.get_adapter(url).send(
                prepared,
                stream=True,
                timeout=urllib3.Timeout(total=seconds, connect=min(CONNECT_SECONDS, seconds)),  # type: ignore[arg-type]  # requests takes one
                verify=verify,
                proxies=proxies,
            )
            with sent as response:
                status = response.status
                answer = Answer(status, response.headers, _read(response))
                return answer
        # The texts of these exceptions are left behind: they may quote the URL.
        except (requests.Timeout, ReadTimeoutError):
            raise AnswerTooSlow(urlsplit(url).netloc) from None
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            raise NoAnswer(f"{urlsplit(url).netloc}: {type(error).__name__}") from None
        finally:
            signals.request_sent.send(
                self,
                method=method,
                url=url,
                headers=prepared.headers,
                form=prepared.body,
                status=status,
                answer=answer,
                seconds=time.perf_counter() - started_at,
            )


def _read(raw: Any) -> bytes:
    """Read a body piece by piece: a flood ends at MAX_BYTES."""
    body = bytearray()
    while piece := raw.read1(65536, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise AnswerTooLarge
    return bytes(body)


def _prepared(method: str, url: str, form: Mapping[str, str] | None) -> requests.PreparedRequest:
    """What `requests.Request(…).prepare()` makes, without taking a known URL apart once more."""
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url = method, _prepared_url(url)
    headers = {"Accept": "application/json"}
    if form is not None:
        prepared.body = urlencode(form)
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        headers["Content-Length"] = str(len(prepared.body))
    prepared.headers = headers  # type: ignore[assignment]  # a plain dict is enough for urllib3
    return prepared


@lru_cache(maxsize=256)
def _prepared_url(url: str) -> str:
    try:
        return str(requests.Request("GET", url).prepare().url)
    except (requests.RequestException, ValueError):
        raise NoAnswer("the URL names no host") from None


@lru_cache(maxsize=256)
def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


@lru_cache(maxsize=32)
def _environment_of(origin: str) -> tuple[str | bool, dict[str, str]]:
    # The certificate authorities and the proxy that the environment names for this origin.
    # A private certificate authority is normal inside companies. requests knows its own
    # variable, OpenSSL the other; people set either.
    verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
    return verify, dict(get_environ_proxies(origin))
