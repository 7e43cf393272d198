"""The way out: what the environment says counts where it should, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from auth.http_client import HttpClient
from tests.support.raw_api import answers, raw_api

OK = "HTTP/1.1 200 OK"


def test_a_netrc_file_puts_no_credentials_into_a_request(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("default login somebody password a-secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with raw_api(answers(OK)) as api:
        HttpClient().send("GET", f"{api.base_url}/x")
        HttpClient().send("GET", f"{api.base_url}/x", {"Authorization": "Bearer t"})

    assert "Authorization" not in api.heads[0]
    assert "Authorization: Bearer t" in api.heads[1]


def test_the_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_api(answers(OK)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.delenv("no_proxy", raising=False)
        monkeypatch.delenv("NO_PROXY", raising=False)
        HttpClient().send("GET", "http://api.invalid/x")

    assert proxy.heads[0].startswith("GET http://api.invalid/x HTTP/1.1")


def test_no_proxy_is_used_for_a_host_that_is_excepted(monkeypatch: pytest.MonkeyPatch) -> None:
    with raw_api(answers(OK)) as api, raw_api(answers(OK)) as proxy:
        monkeypatch.setenv("http_proxy", proxy.base_url)
        monkeypatch.setenv("no_proxy", "localhost")
        HttpClient().send("GET", f"{api.base_url}/x")

    assert proxy.heads == []
    assert api.heads[0].startswith("GET /x HTTP/1.1")
