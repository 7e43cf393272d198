"""Prometheus metrics: on a port of their own, for all workers together, and only when asked for."""

from __future__ import annotations

import errno
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import prometheus_client
import pytest
import requests

from extras.operations import metrics
from tests.conftest import MakeApp
from tests.support.harness import (
    ROOT,
    Api,
    Gunicorn,
    HttpBrowser,
    Person,
    Provider,
    environment,
    free_port,
    settings_at,
    wait_for,
    workers_of,
)

SAMPLE = re.compile(r"(\w+)\{([^}]*)\} ([0-9.e+-]+)")


class Metered(Gunicorn):
    """The app with two workers, and its metrics."""

    def __init__(self, settings: dict[str, str]) -> None:
        self.metrics_port = free_port()
        self.before: dict[str, float] = {}
        super().__init__({**settings, "METRICS_PORT": str(self.metrics_port)}, workers=2)

    def person(self) -> Person:
        return Person(HttpBrowser(self.base_url, host="localhost:3000"))

    def samples(self) -> dict[str, float]:
        """Every sample by its name and labels: what was added in this test."""
        url = f"http://localhost:{self.metrics_port}/metrics"
        found = SAMPLE.findall(requests.get(url, timeout=10).text)
        samples = {f"{name} {labels}": float(value) for name, labels, value in found}
        return {name: value - self.before.get(name, 0) for name, value in samples.items()}


@pytest.fixture(scope="module")
def server(provider_process: Provider, api_process: Api) -> Iterator[Metered]:
    with Metered(settings_at(provider_process, api_process)) as gunicorn:
        yield gunicorn


@pytest.fixture
def metered(server: Metered, provider: Provider, api: Api) -> Metered:
    server.before = {}
    server.before = server.samples()
    return server


def test_sign_ins_are_counted_by_outcome_over_all_workers(metered: Metered) -> None:
    for _ in range(6):
        metered.person().signs_in()
    metered.person().signs_in(refuse="sign-in")

    samples = metered.samples()

    assert samples['app_sign_ins_total outcome="ok"'] == 6
    assert samples['app_sign_ins_total outcome="sign_in_refused"'] == 1


def test_refreshes_are_counted_by_outcome(metered: Metered, provider: Provider, api: Api) -> None:
    faults: dict[str, dict[str, Any]] = {
        "refreshed": {},
        "refused": {"status": 400, "body": '{"error": "invalid_grant"}'},
        "failed": {"status": 503, "body": ""},
    }
    for fault in faults.values():
        person = metered.person()
        person.signs_in()
        if fault:
            provider.lies(at="token", **fault)
        # A refused token is refreshed at once.
        api.lies(at="api", status=401, body="{}")
        person.sees("/appointments")

    samples = metered.samples()

    for outcome in faults:
        assert samples[f'app_refreshes_total outcome="{outcome}"'] == 1


def test_calls_to_the_api_are_counted_by_status_and_timed(metered: Metered, api: Api) -> None:
    person = metered.person()
    person.signs_in()
    person.sees("/appointments")
    api.lies(at="api", status=503, body="{}")
    person.sees("/appointments")

    samples = metered.samples()

    assert samples['app_api_call_seconds_count status="200"'] == 1
    assert samples['app_api_call_seconds_count status="503"'] == 1
    assert samples['app_api_call_seconds_sum status="200"'] > 0
    assert samples['app_provider_call_seconds_count status="200"'] >= 1


def test_requests_are_timed_by_rule_and_unknown_addresses_are_one(metered: Metered) -> None:
    browser = HttpBrowser(metered.base_url, host="localhost:3000")
    # The app's own port shows no metrics.
    statuses = [browser.get(path).status_code for path in ("/", "/", "/no-such-page", "/metrics")]

    samples = metered.samples()

    assert statuses == [200, 200, 404, 404]
    assert samples['app_request_seconds_count route="/",status="200"'] == 2
    assert samples['app_request_seconds_count route="unknown",status="404"'] == 2
    assert not any("no-such-page" in name for name in samples)
    for address in ("127.0.0.1", "[::1]"):
        assert requests.get(f"http://{address}:{metered.metrics_port}/metrics", timeout=10).ok


def test_a_machine_without_ipv6_serves_metrics_too(
    make_app: MakeApp, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    served = []

    def start(port: int, address: str, **_: Any) -> None:
        if ":" in address:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        served.append(address)

    monkeypatch.setattr(prometheus_client, "start_http_server", start)
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    make_app(METRICS_PORT=str(free_port()))

    assert served == [metrics.ADDRESSES[1]]


def test_without_a_port_nothing_is_counted(settings: dict[str, str]) -> None:
    code = "import app, sys; app.create_app(); print('prometheus_client' in sys.modules)"
    with environment(settings):
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )

    assert done.stdout.split()[-1] == "False"


def test_a_port_that_is_taken_does_not_keep_the_app_from_serving(
    settings: dict[str, str],
) -> None:
    with socket.socket() as taken:
        taken.bind(("", 0))  # where the metrics listen
        taken.listen()
        settings["METRICS_PORT"] = str(taken.getsockname()[1])

        with Gunicorn(settings) as gunicorn:
            answer = HttpBrowser(gunicorn.base_url, host="localhost:3000").get("/")

    assert answer.status_code == 200


@pytest.mark.parametrize("port", ["0", "65536", "nine", "-1"])
def test_a_port_that_is_none_ends_the_start_with_a_line(port: str, make_app: MakeApp) -> None:
    with pytest.raises(SystemExit) as refused:
        make_app(METRICS_PORT=port)

    wrong = "METRICS_PORT is not a whole number from 1 to 65535"
    assert str(refused.value) == f"{wrong}. Write: 9090, or leave it empty for no metrics"


def test_the_workers_files_outlive_a_worker_and_go_with_the_server(
    settings: dict[str, str], tmp_path: Path
) -> None:
    server = Gunicorn({**settings, "METRICS_PORT": str(free_port())}, TMPDIR=str(tmp_path))
    with server as gunicorn:
        browser = HttpBrowser(gunicorn.base_url, host="localhost:3000")
        browser.get("/")
        [first] = workers_of(gunicorn)
        os.kill(first, signal.SIGTERM)
        wait_for(lambda: workers_of(gunicorn) not in ([], [first]))
        browser.get("/")  # one that is still starting would not hear that the server ends

        [folder] = tmp_path.glob("metrics-*")
        assert list(folder.glob("*.db")) != []

    assert list(tmp_path.glob("metrics-*")) == []
