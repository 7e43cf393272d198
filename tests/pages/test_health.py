"""Health: alive, able to serve, and who is missing; and a handful of connections for everything."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import Clock, MakeApp
from tests.support.harness import Api, Browser, Person, Provider, Redis, free_port


def test_a_serving_process_is_healthy_whatever_is_away(make_app: MakeApp) -> None:
    browser = Browser(
        make_app(
            AUTH0_DOMAIN=f"http://localhost:{free_port()}/",
            SESSION_REDIS_URL=f"redis://localhost:{free_port()}/0",
        )
    )

    response = browser.get("/healthz", headers={"Cookie": f"app_session={'a' * 43}"})

    assert response.status_code == 200


def test_ready_when_session_store_and_provider_can_be_reached(engine: str, app: Flask) -> None:
    assert Browser(app).get("/readyz").status_code == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "whatever", "evil.example"])
def test_health_answers_under_every_name(app: Flask, path: str, host: str) -> None:
    response = Browser(app).get(path, headers={"Host": host})

    assert response.status_code == 200
    assert host.partition(":")[0] not in f"{response.headers}{response.text}"


def test_not_ready_while_the_provider_is_away_and_ready_again_when_it_is_back(
    make_app: MakeApp, clock: Clock
) -> None:
    with Provider() as provider:
        browser = Browser(make_app(AUTH0_DOMAIN=provider.issuer))
        before = browser.get("/readyz")

        provider.stop()
        clock.moves(2)
        away = browser.get("/readyz")

        provider.start()
        clock.moves(2)
        after = browser.get("/readyz")

    assert (before.status_code, away.status_code, after.status_code) == (200, 503, 200)
    assert away.get_json()["unreachable"] == ["provider metadata"]


def test_not_ready_while_the_metadata_is_somebody_elses(app: Flask, provider: Provider) -> None:
    provider.lies("metadata_wrong_issuer", times=0)

    response = Browser(app).get("/readyz")

    assert response.status_code == 503
    assert "provider metadata" in response.text


def test_not_ready_while_redis_is_away_and_ready_again_when_it_is_back(
    make_app: MakeApp, tmp_path: Path
) -> None:
    with Redis(tmp_path) as redis:
        browser = Browser(make_app(SESSION_REDIS_URL=redis.url))
        before = browser.get("/readyz")

        redis.stop()
        away = browser.get("/readyz")

        redis.start()
        after = browser.get("/readyz")

    assert (before.status_code, away.status_code, after.status_code) == (200, 503, 200)
    assert away.get_json()["unreachable"] == ["session store"]


def test_everything_that_is_away_is_named(make_app: MakeApp) -> None:
    browser = Browser(
        make_app(
            AUTH0_DOMAIN=f"http://localhost:{free_port()}/",
            SESSION_REDIS_URL=f"redis://localhost:{free_port()}/0",
        )
    )

    response = browser.get("/readyz")

    assert response.status_code == 503
    assert response.get_json()["unreachable"] == ["session store", "provider metadata"]


# Connections.


def connections_of_the_app(log: list[dict[str, object]]) -> set[object]:
    """Those on which the app itself asked; the tests' browsers have others."""
    paths = ("/oauth/token", "/jwks.json", "/openid-configuration", "/appointments", "/contacts")
    return {entry["connection"] for entry in log if str(entry["path"]).endswith(paths)}


def test_a_hundred_sign_ins_and_pages_use_a_handful_of_connections(
    person: Person, provider: Provider, api: Api
) -> None:
    for _ in range(100):
        person.signs_in()
        assert person.sees("/appointments").status_code == 200

    assert len(api.log()) == 100
    assert len(provider.requests_to("/oauth/token")) == 100
    assert len(connections_of_the_app(provider.log())) <= 5
    assert len(connections_of_the_app(api.log())) <= 5


def test_threads_share_a_pool_of_connections(app: Flask, api: Api) -> None:
    people = [Person(Browser(app)) for _ in range(4)]
    for each in people:
        each.signs_in()

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda n: people[n % 4].sees("/contacts").status_code, range(200)))

    assert pages == [200] * 200
    assert len(connections_of_the_app(api.log())) <= 8
