"""A head over 32 KB is refused with 431, by the app and by the proxy that is shipped."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.support.behind_caddy import Deployment, running_deployment
from tests.support.harness import APP, Api, Gunicorn, Provider, free_port, settings_at

HOST = {"Host": APP.removeprefix("http://")}


def head(count: int, length: int) -> dict[str, str]:
    return {f"X-Field-{n}": "x" * length for n in range(count)}


@pytest.fixture(scope="module")
def gunicorn(provider_process: Provider, api_process: Api) -> Iterator[Gunicorn]:
    with Gunicorn(settings_at(provider_process, api_process)) as gunicorn:
        yield gunicorn


TOO_LARGE = {
    "many long fields": head(5, 7000),
    "many short fields": head(99, 350),
    "one field": head(1, 33_000),
    "more fields than any browser sends": head(150, 10),
}


@pytest.mark.parametrize("headers", TOO_LARGE.values(), ids=TOO_LARGE)
def test_the_app_refuses(gunicorn: Gunicorn, headers: dict[str, str]) -> None:
    response = requests.get(f"{gunicorn.base_url}/", headers=HOST | headers, timeout=30)

    assert response.status_code == 431


def test_the_app_takes_what_is_just_large(gunicorn: Gunicorn) -> None:
    for headers in (head(4, 7500), head(80, 350)):
        response = requests.get(f"{gunicorn.base_url}/", headers=HOST | headers, timeout=30)
        assert response.status_code == 200


@pytest.fixture
def deployment(
    settings: dict[str, str], provider: Provider, redis_url: str, tmp_path: Path
) -> Iterator[Deployment]:
    base_url = f"https://localhost:{free_port()}"
    changes = {"APP_BASE_URL": base_url, "SESSION_REDIS_URL": redis_url, "TRUSTED_PROXY_HOPS": "1"}
    with running_deployment({**settings, **changes}, tmp_path) as deployment:
        yield deployment


def test_the_proxy_refuses_by_every_protocol(deployment: Deployment) -> None:
    def ask(protocol: str, headers: dict[str, str]) -> str:
        command = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}"]
        command += ["--cacert", str(deployment.caddy.authority), protocol]
        for name, value in headers.items():
            command += ["--header", f"{name}: {value}"]
        command.append(f"{deployment.caddy.base_url}/")
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout

    for protocol in ("--http1.1", "--http2"):
        assert ask(protocol, head(4, 7000)) == "200"
        assert ask(protocol, head(5, 7000)) == "431"
    assert ask("--http1.1", head(60, 7000)) == "431"
    assert ask("--http2", head(60, 7000)) == "000"  # the connection is closed, without a response
