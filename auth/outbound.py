"""The one way out: every request to the provider and to the APIs goes through here.

One pool of connections, no redirects, no cookies, and an answer bounded in time and in size.
"""

from __future__ import annotations

import http.cookiejar
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
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


class Outbound:
    """A pool of connections shared by all threads of the process."""

    def __init__(self) -> None:
        self._session = requests.Session()
        # Neither .netrc nor a proxy's name may change what is sent; see _environment.
        self._session.trust_env = False
        self._session.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))
        # A request that reached nobody can be sent again; one that broke off, only if it reads.
        retry = Retry(
            connect=1,
            read=1,
            redirect=0,
            status=0,
            other=0,
            backoff_factor=0,
            allowed_methods={"GET"},
            raise_on_status=False,
        )
        adapter = HTTPAdapter(POOL_SIZE, POOL_SIZE, max_retries=retry)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

    def get(
        self, url: str, headers: Mapping[str, str] | None = None, *, seconds: float = TOTAL_SECONDS
    ) -> Answer:
        """GET, and take what comes. Raises NoAnswer, AnswerTooSlow, AnswerTooLarge."""
        return self._send("GET", url, seconds, headers=headers or {})

    def post(
        self,
        url: str,
        form: Mapping[str, str],
        headers: Mapping[str, str],
        *,
        seconds: float = TOTAL_SECONDS,
    ) -> Answer:
        """POST a form, and take what comes. Raises NoAnswer, AnswerTooSlow, AnswerTooLarge."""
        return self._send("POST", url, seconds, headers=headers, data=form)

    def _send(
        self,
        method: str,
        url: str,
        seconds: float,
        headers: Mapping[str, str],
        data: Mapping[str, str] | None = None,
    ) -> Answer:
        deadline = time.monotonic() + seconds
        status = 0
        verify, proxies = _environment(url)
        try:
            with self._session.request(
                method,
                url,
                data=data,
                headers={"Accept": "application/json", **headers},
                timeout=(min(CONNECT_SECONDS, seconds), min(READ_SECONDS, seconds)),
                allow_redirects=False,
                verify=verify,
                proxies=proxies,
                stream=True,
            ) as response:
                status = response.status_code
                return Answer(status, response.headers, _read(response.raw, deadline))
        # The texts of these exceptions are left behind: they may quote the URL.
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise AnswerTooSlow(urlsplit(url).netloc) from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswer(f"{urlsplit(url).netloc}: {type(error).__name__}") from None
        finally:
            signals.request_sent.send(self, method=method, url=url, status=status)


def _read(raw: Any, deadline: float) -> bytes:
    """Read a body piece by piece: a trickle ends at the deadline, a flood at MAX_BYTES."""
    body = bytearray()
    while piece := raw.read1(65536, decode_content=True):
        body += piece
        if len(body) > MAX_BYTES:
            raise AnswerTooLarge
        if time.monotonic() > deadline:
            raise requests.Timeout
    return bytes(body)


def _environment(url: str) -> tuple[str | bool, dict[str, str]]:
    """The certificate authorities and the proxy that the environment names for this URL."""
    parts = urlsplit(url)
    return _environment_of(f"{parts.scheme}://{parts.netloc}")


@lru_cache(maxsize=32)
def _environment_of(origin: str) -> tuple[str | bool, dict[str, str]]:
    # A private certificate authority is normal inside companies. requests knows its own
    # variable, OpenSSL the other; people set either.
    verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True
    return verify, dict(get_environ_proxies(origin))
