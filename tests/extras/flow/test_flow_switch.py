"""The flow, drawn: it changes nothing of what the app does, and off, it is not there."""

from __future__ import annotations

import pytest
from flask import Flask

from auth import signals
from extras.flow import record
from extras.flow.messages import CHECKS, MESSAGES
from sessions import StoreUnavailable
from tests.conftest import MakeApp, PersonAt
from tests.support.flow import episodes, stored
from tests.support.harness import Person


def test_a_failing_recorder_stops_nobody(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(record.masking, "parameters", fail)

    assert person.signs_in().status_code == 303
    assert person.sees("/appointments").status_code == 200
    assert person.signs_out().status_code == 200


def test_what_happens_outside_of_requests_is_nobodys_episode(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    app.extensions["relying_party"].provider.metadata()

    assert "not recorded" not in caplog.text


def test_a_store_that_goes_away_while_recording_costs_the_record_alone(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("away")

    person.signs_in()
    monkeypatch.setattr(record.Recorder, "_store", away)
    page = person.sees("/appointments")
    monkeypatch.undo()

    assert page.status_code == 200
    assert list(episodes(person)) == ["sign_in"]


def test_off_there_is_no_page_no_link_and_no_record(make_app: MakeApp, person_at: PersonAt) -> None:
    app, neighbour = make_app(), make_app(SHOW_FLOW="1")
    person = person_at(app)
    person.signs_in()
    person.sees("/appointments")

    assert person.sees("/flow").status_code == 404
    assert person.sees("/flow/flow.css").status_code == 404
    assert "/flow" not in person.sees("/").text
    assert not signals.request_sent.has_receivers_for(app.extensions["relying_party"].http)
    assert not [name for name in person.browser.cookies() if name.startswith("app_flow")]
    with pytest.raises(KeyError):
        stored(app, person)
    assert "flow" in neighbour.extensions


def test_on_every_page_links_to_it(person: Person) -> None:
    assert 'href="/flow"' in person.sees("/").text
    assert 'href="/flow/flow.css"' in person.sees("/flow").text
    assert person.sees("/flow/flow.css").mimetype == "text/css"


def test_the_function_that_a_message_names_can_be_read(person: Person) -> None:
    for name in {kind.function for kind in MESSAGES.values() if kind.function} | CHECKS.keys():
        page = person.sees(f"/flow/code/{name}")

        assert page.status_code == 200, name
        assert f"def {name.rpartition(':')[2].rpartition('.')[2]}(" in page.text


@pytest.mark.parametrize("name", ["auth.token_set:TokenSet", "os:system", "nonsense"])
def test_no_other_function_can_be_read(person: Person, name: str) -> None:
    assert person.sees(f"/flow/code/{name}").status_code == 404


@pytest.mark.parametrize("base_url", ["https://app.example.com", "http://192.0.2.7:3000"])
def test_showing_the_flow_in_public_must_be_said_twice(make_app: MakeApp, base_url: str) -> None:
    with pytest.raises(SystemExit, match="SHOW_FLOW_IN_PUBLIC=1"):
        make_app(SHOW_FLOW="1", APP_BASE_URL=base_url)

    twice = make_app(SHOW_FLOW="1", SHOW_FLOW_IN_PUBLIC="1", APP_BASE_URL=base_url)
    assert "flow" in twice.extensions
    assert "flow" not in make_app(SHOW_FLOW_IN_PUBLIC="1", APP_BASE_URL=base_url).extensions


@pytest.mark.parametrize("variable", ["SHOW_FLOW", "SHOW_FLOW_IN_PUBLIC"])
def test_a_switch_is_1_or_0(make_app: MakeApp, variable: str) -> None:
    with pytest.raises(SystemExit, match=f"{variable} is not 0 or 1"):
        make_app(**{variable: "yes"})
