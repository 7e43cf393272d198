"""`flask sessions list` and `flask sessions end`, as the people who run the app call them."""

from __future__ import annotations

import pytest
from click.testing import Result
from flask import Flask

from tests.conftest import MakeApp
from tests.support.harness import ADA, BEN, Browser, Person, Provider, free_port

pytestmark = pytest.mark.usefixtures("engine")


def run(app: Flask, *words: str) -> Result:
    return app.test_cli_runner().invoke(args=["sessions", *words])


def test_all_sessions_of_a_person_end_and_nobody_elses(app: Flask, provider: Provider) -> None:
    adas, ben = [Person(Browser(app)) for _ in range(2)], Person(Browser(app))
    for person in adas:
        person.signs_in(ADA)
    ben.signs_in(BEN)

    result = run(app, "end", "--sub", ADA)

    assert (result.exit_code, result.output.splitlines()[-1]) == (0, "Sessions ended: 2")
    assert [person.is_signed_in() for person in adas] == [False, False]
    assert ben.is_signed_in()
    assert len(provider.requests_to("/oauth/revoke")) == 2


def test_somebody_without_sessions_is_no_error(app: Flask) -> None:
    ended, listed = run(app, "end", "--sub", "nobody"), run(app, "list", "--sub", "nobody")

    assert (ended.exit_code, ended.output) == (0, "Sessions ended: 0\n")
    assert (listed.exit_code, listed.output) == (0, "Sessions: 0\n")


def test_sessions_are_listed_without_their_secrets(app: Flask, person: Person) -> None:
    person.browser.client.environ_base["HTTP_USER_AGENT"] = "Browser/1.0 \x1b[31m(red)"
    person.signs_in()

    result = run(app, "list", "--sub", ADA)

    first, last = result.output.splitlines()
    assert (result.exit_code, last) == (0, "Sessions: 1")
    assert first.startswith("begun 20")
    assert " UTC  last used 20" in first
    assert first.endswith("UTC  Browser/1.0 [31m(red)")
    assert person.is_signed_in()


@pytest.mark.parametrize("command", ["list", "end"])
def test_a_store_that_is_away_is_one_line_and_an_error(make_app: MakeApp, command: str) -> None:
    app = make_app(SESSION_REDIS_URL=f"redis://localhost:{free_port()}/0")

    result = run(app, command, "--sub", ADA)

    assert result.exit_code == 1
    assert result.output.startswith("Error: The session store cannot be used now: ")
    assert result.output.count("\n") == 1


@pytest.mark.parametrize("command", ["list", "end"])
def test_a_person_must_be_named(app: Flask, command: str) -> None:
    result = run(app, command)

    assert result.exit_code == 2
    assert "--sub" in result.output
