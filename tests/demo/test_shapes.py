"""`--like`: the provider in the shape of another one."""

from __future__ import annotations

import subprocess
import sys

from tests.support.harness import (
    ROOT,
    HttpBrowser,
    Person,
    Program,
    free_port,
    text_of,
)


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
