"""What comes in fits APP_BASE_URL and TRUSTED_PROXY_HOPS, or the log says what to change."""

from __future__ import annotations

import json

import pytest

from tests.conftest import MakeApp
from tests.support.harness import Browser

PUBLIC = "https://daybook.example.com"


def said(capsys: pytest.CaptureFixture[str]) -> list[str]:
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return [line["message"] for line in found if line["logger"] == "app.proxies"]


@pytest.mark.parametrize(
    ("base_url", "hops", "comes_by", "headers", "words"),
    [
        (PUBLIC, "0", "http", {"X-Forwarded-Proto": "https"}, "Write: TRUSTED_PROXY_HOPS=1"),
        (PUBLIC, "2", "http", {"X-Forwarded-Proto": "https"}, "TRUSTED_PROXY_HOPS is 2"),
        (PUBLIC, "1", "http", {}, "have them add it"),
        ("http://app.test", "1", "http", {"X-Forwarded-Proto": "https"}, "APP_BASE_URL=https://"),
        ("http://app.test", "0", "https", {}, "APP_BASE_URL=https://"),
    ],
)
def test_a_request_that_does_not_fit_is_answered_and_said_once(
    make_app: MakeApp,
    capsys: pytest.CaptureFixture[str],
    base_url: str,
    hops: str,
    comes_by: str,
    headers: dict[str, str],
    words: str,
) -> None:
    app = make_app(APP_BASE_URL=base_url, TRUSTED_PROXY_HOPS=hops)
    at = f"{comes_by}://{base_url.partition('://')[2]}"

    answers = [Browser(app, at).get("/", headers=headers) for _ in range(3)]

    assert {answer.status_code for answer in answers} <= {200, 302}
    [message] = said(capsys)
    assert words in message


@pytest.mark.parametrize(
    ("hops", "comes_by", "path", "headers"),
    [
        ("1", "http", "/", {"X-Forwarded-Proto": "https"}),
        ("0", "https", "/", {}),
        ("0", "http", "/", {}),
        ("1", "http", "/healthz", {}),
        ("0", "https", "/", {"X-Forwarded-Proto": "http"}),
    ],
    ids=["by a proxy", "by TLS in gunicorn", "by TLS before it", "a probe", "made up"],
)
def test_nothing_is_said_of_requests_that_may_be_right(
    make_app: MakeApp, capsys: pytest.CaptureFixture[str], hops: str, comes_by: str, path: str,
    headers: dict[str, str],
) -> None:  # fmt: skip
    app = make_app(APP_BASE_URL=PUBLIC, TRUSTED_PROXY_HOPS=hops)

    Browser(app, f"{comes_by}://daybook.example.com").get(path, headers=headers)

    assert said(capsys) == []
