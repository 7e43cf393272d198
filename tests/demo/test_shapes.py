"""`--like`: the provider in the shape of another one."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from urllib.parse import parse_qs

import pytest
import requests

from demo.programs import app_settings, provider_config
from demo.shapes import SHAPES
from tests.demo.conftest import RelyingParty, bearer, claims_of
from tests.support.harness import (
    ROOT,
    SECRET,
    Api,
    HttpBrowser,
    Person,
    Program,
    Provider,
    free_port,
    text_of,
)


def options_like(name: str, provider_port: int = 1) -> argparse.Namespace:
    return argparse.Namespace(
        like=name, port=1, provider_port=provider_port, api_port=1, contacts_port=1,
        separate_contacts_api=False, access_token_seconds=30, no_rotation=False,
        ask_organization=False, provider_option=[], setting=[],
    )  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_signs_in_calls_the_api_and_refreshes(name: str) -> None:
    settings = app_settings(options_like(name), "http://localhost:1/", SECRET)
    more = {k: v[0] for k, v in parse_qs(settings["AUTH0_AUTHORIZE_PARAMS"]).items()}
    provider = Provider(path=SHAPES[name].path)
    for option, value in provider_config(options_like(name, provider.port)).items():
        if option != "ask_organization":
            provider.command += ["--set", f"{option}={json.dumps(value)}"]
    with provider, Api(provider.issuer, "appointments:api", "appointments") as api:
        relying_party = RelyingParty(provider)
        if provider.command.count('client_auth="client_secret_basic"'):
            relying_party.auth, relying_party.credentials = {"auth": ("demo-app", SECRET)}, {}
        audience = settings["AUTH0_AUDIENCE"] or None
        tokens = relying_party.signs_in(scope=settings["AUTH0_SCOPE"], audience=audience, **more)
        headers = bearer(tokens["access_token"])
        appointments = requests.get(f"{api.base_url}/appointments", headers=headers, timeout=10)
        userinfo = requests.get(
            relying_party.metadata["userinfo_endpoint"], headers=headers, timeout=10
        )
        refreshed = relying_party.refreshes(tokens["refresh_token"])

    assert appointments.status_code == 200
    assert userinfo.json()["name"] == "Ada Marlow"
    assert refreshed.status_code == 200
    foreign = claims_of(tokens["id_token"])["iss"] != provider.issuer
    assert foreign == (name == "entra-common")
    assert (relying_party.metadata["issuer"] == provider.issuer) != foreign


def test_the_whole_demo_like_keycloak() -> None:
    ports = [free_port() for _ in range(3)]
    command = [sys.executable, "-m", "demo", "--like", "keycloak"]
    for option, port in zip(("--port", "--provider-port", "--api-port"), ports, strict=True):
        command += [option, str(port)]

    with Program(command, ports[0], ready="/readyz") as demo:
        app = f"http://localhost:{demo.port}"
        person = Person(HttpBrowser(app))
        begun = person.begins()
        person.signs_in()
        profile = text_of(person.sees("/profile"))

    assert f"http://localhost:{ports[1]}/realms/demo/protocol/openid-connect/auth" in begun
    assert "Ada Marlow" in profile


def test_a_shape_that_does_not_exist_is_refused_with_the_names() -> None:
    command = [sys.executable, "-m", "demo", "--like", "nobody"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)

    assert done.returncode == 2
    assert "zitadel" in done.stderr
