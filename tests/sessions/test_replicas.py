"""Two replicas, Redis and the proxy that is shipped: what people notice of it is nothing."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.support.behind_caddy import Deployment, Load, running_deployment, slow_senders
from tests.support.harness import (
    ADA,
    BEN,
    CLARA,
    YUKI,
    Api,
    Gunicorn,
    Person,
    Provider,
    Redis,
    free_port,
    settings_at,
    workers_of,
)
from tests.support.in_chromium import is_signed_in, sign_in, sign_out

PEOPLE = (ADA, BEN, YUKI, CLARA)
TOKEN_SECONDS = 4


@pytest.fixture(scope="module")
def started(
    provider_process: Provider,
    api_process: Api,
    redis_process: Redis,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    settings = settings_at(
        provider_process,
        api_process,
        APP_BASE_URL=f"https://localhost:{free_port()}",
        SESSION_REDIS_URL=redis_process.url,
        TRUSTED_PROXY_HOPS="1",
    )
    with running_deployment(settings, tmp_path_factory.mktemp("deployment")) as deployment:
        yield deployment


@pytest.fixture
def deployment(started: Deployment, provider: Provider, api: Api) -> Deployment:
    provider.registers(started.caddy.base_url)
    return started


def sign_in_all(deployment: Deployment) -> list[Person]:
    people = [deployment.person() for _ in PEOPLE]
    for person, who in zip(people, PEOPLE, strict=True):
        assert person.signs_in(who).status_code in (302, 303)
    return people


def test_who_signed_in_at_one_replica_is_signed_in_at_the_other(deployment: Deployment) -> None:
    person = deployment.person()
    here = deployment.served_by(person.signs_in())

    answers = [person.sees("/appointments") for _ in range(24)]

    assert {answer.status_code for answer in answers} == {200}
    served = {deployment.served_by(answer) for answer in answers}
    assert served == set(deployment.replicas)
    assert here in served


def test_a_replica_that_is_killed_under_load_fails_no_request_of_the_signed_in(
    deployment: Deployment,
) -> None:
    people = sign_in_all(deployment)
    with Load(deployment, people) as load:
        load.goes_on_for(100)
        deployment.replicas[0].is_killed()
        load.goes_on_for(200)
    deployment.replicas[0].start()

    # What was being posted at that moment may have been done: the proxy does not send it twice.
    assert [each for each in load.failures if each[0] == "GET"] == []
    assert all(person.is_signed_in() for person in people)


def test_a_rolling_restart_fails_no_request_signs_nobody_out_and_refreshes_each_token_once(
    deployment: Deployment, provider: Provider
) -> None:
    provider.options(access_token_seconds=TOKEN_SECONDS)
    people = sign_in_all(deployment)
    provider.options(access_token_seconds=3600)
    # In flight when the first replica is told to end.
    provider.lies(grant="refresh_token", times=len(people), delay_seconds=2)

    with Load(deployment, people) as load:
        provider.wait_until_lied()
        for replica in deployment.replicas:
            replica.is_told_to_end()
            assert replica.ends() == 0
            load.goes_on_for(50)
            replica.start()
        load.goes_on_for(50)

    assert load.failures == []
    assert provider.refreshes() == len(people)
    assert provider.stats()["reuse_detections"] == 0
    assert all(person.is_signed_in() for person in people)


def test_what_no_worker_has_taken_yet_is_answered_though_the_server_is_told_to_end(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with Gunicorn(settings, folder=tmp_path) as app:
        (worker,) = workers_of(app)
        os.kill(worker, signal.SIGSTOP)
        with socket.create_connection(("127.0.0.1", app.port), 0.3) as queued:
            queued.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")

            os.kill(app.process.pid, signal.SIGTERM)
            with pytest.raises(TimeoutError):  # and it is not reset
                queued.recv(1)
            os.kill(worker, signal.SIGCONT)
            queued.settimeout(10)

            assert queued.recv(12) == b"HTTP/1.1 200"


def test_a_hundred_slow_senders_keep_nobody_waiting(deployment: Deployment) -> None:
    person = deployment.person()
    person.signs_in()

    # More than all threads of both replicas, 64.
    with slow_senders(deployment.caddy, 100):
        answers = [person.sees("/profile") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200] * 4


def test_the_whole_way_through_the_proxy_in_chromium(deployment: Deployment, chromium: Any) -> None:
    base_url = deployment.caddy.base_url
    with closing(chromium.new_context(ignore_https_errors=True)) as context:
        page = context.new_page()
        sign_in(page, base_url)
        answer = page.goto(f"{base_url}/appointments")
        headers = answer.all_headers()
        cookies = {cookie["name"]: cookie for cookie in context.cookies(base_url)}
        status = answer.status
        page.goto(f"{base_url}/")
        sign_out(page, base_url)
        signed_in = is_signed_in(page, base_url)

    assert status == 200
    assert headers["strict-transport-security"] == "max-age=63072000"
    assert cookies[f"__Host-app_session_{urlsplit(base_url).port}"]["secure"]
    assert "server" not in headers
    assert not signed_in
