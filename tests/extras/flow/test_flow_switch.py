"""The flow, drawn: it changes nothing of what the app does, and off, it is not there."""

from __future__ import annotations

import pytest
from flask import Flask

from auth import signals
from config import Settings, SettingsError
from flow import record
from flow.texts import MESSAGES
from sessions import PersonSession, StoreUnavailable
from tests.conftest import MakeApp, PersonAt
from tests.extras.flow.test_flow import app, episodes
from tests.extras.flow.test_flow_secrets import stored
from tests.support.harness import Person

__all__ = ["app"]


def test_a_failing_recorder_stops_nobody(person: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(record.masking, "parameters", fail)

    assert person.signs_in().status_code == 303
    assert person.sees("/appointments").status_code == 200
    assert person.signs_out().status_code == 302


def test_what_happens_outside_of_requests_is_nobodys_episode(
    app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    app.extensions["relying_party"].provider.reach()

    assert caplog.records == []


def test_a_store_that_goes_away_while_recording_costs_the_record_alone(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(_: PersonSession) -> None:
        raise StoreUnavailable("away")

    person.signs_in()
    monkeypatch.setattr(PersonSession, "commit", away)
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
    assert not signals.request_sent.has_receivers_for(app.extensions["relying_party"].outbound)
    assert not [name for name in person.browser.cookies() if name.startswith("app_flow")]
    with pytest.raises(KeyError):
        stored(app, person)
    assert "flow" in neighbour.extensions


def test_on_every_page_links_to_it(person: Person) -> None:
    assert 'href="/flow"' in person.sees("/").text
    assert 'href="/flow/flow.css"' in person.sees("/flow").text
    assert person.sees("/flow/flow.css").mimetype == "text/css"


@pytest.mark.parametrize("name", sorted({text.function for text in MESSAGES.values()}))
def test_the_function_that_a_message_names_can_be_read(person: Person, name: str) -> None:
    page = person.sees(f"/flow/code/{name}")

    assert page.status_code == 200
    assert f"def {name.rpartition(':')[2].rpartition('.')[2]}(" in page.text


@pytest.mark.parametrize("name", ["auth.token_set:TokenSet", "os:system", "nonsense"])
def test_no_other_function_can_be_read(person: Person, name: str) -> None:
    assert person.sees(f"/flow/code/{name}").status_code == 404


def settings_with(settings: dict[str, str], **changes: str) -> Settings:
    return Settings.from_environ(settings | changes)


@pytest.mark.parametrize("base_url", ["https://app.example.com", "http://192.0.2.7:3000"])
def test_showing_the_flow_in_public_is_a_problem_at_start(
    settings: dict[str, str], base_url: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        settings_with(settings, SHOW_FLOW="1", APP_BASE_URL=base_url)

    (problem,) = raised.value.problems
    assert problem.startswith("SHOW_FLOW is on and APP_BASE_URL is public")
    assert "SHOW_FLOW_IN_PUBLIC=1" in problem


def test_the_flow_is_shown_in_public_where_that_is_said_twice(settings: dict[str, str]) -> None:
    public = {"APP_BASE_URL": "https://app.example.com", "SHOW_FLOW_IN_PUBLIC": "1"}

    assert settings_with(settings, SHOW_FLOW="1", **public).show_flow
    assert not settings_with(settings, **public).show_flow


@pytest.mark.parametrize("variable", ["SHOW_FLOW", "SHOW_FLOW_IN_PUBLIC"])
def test_a_switch_is_1_or_0(settings: dict[str, str], variable: str) -> None:
    public = {"APP_BASE_URL": "https://app.example.com", "SHOW_FLOW": "1"}
    with pytest.raises(SettingsError, match=f"{variable} is neither 1 nor 0"):
        settings_with(settings, **{**public, variable: "yes"})


def test_the_flow_is_off_unless_it_is_switched_on(settings: dict[str, str]) -> None:
    assert not settings_with(settings).show_flow
    assert not settings_with(settings, SHOW_FLOW="0").show_flow
