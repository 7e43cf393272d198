"""`call_api`: every method, JSON out, JSON or nothing back, and what reaches the view."""

from __future__ import annotations

from typing import Any

import pytest

from auth import call_api
from tests.conftest import MakeApp, PersonAt
from tests.support.harness import Api, Person, Provider


@pytest.fixture
def calls(signed_in: Any) -> Any:
    """Somebody whose page `/call` makes this call and shows status and data."""

    def make(*args: Any, **kwargs: Any) -> Any:
        person = signed_in()

        def call() -> dict[str, Any]:
            response = call_api(*args, **kwargs)
            return {"status": response.status, "ok": response.ok, "data": response.data}

        person.client.application.add_url_rule("/call", view_func=call)
        return person.get("/call")

    return make


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_every_method_reaches_the_api_with_its_json_and_the_token(
    calls: Any, fake_api: Any, method: str
) -> None:
    fake_api.says(method, "/things", {"id": 1}, 201)

    page = calls(method, "/things", json={"name": "x"}, params={"q": "a b"})

    [request] = fake_api.requests
    assert page.json == {"status": 201, "ok": True, "data": {"id": 1}}
    assert request.json == {"name": "x"}
    assert request.headers["Authorization"] == "Bearer an-access-token"
    assert request.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize("path", ["things", ".evil.example/", "@evil.example/", ""])
def test_a_path_that_could_name_another_host_gets_no_token(
    calls: Any, fake_api: Any, path: str
) -> None:
    assert calls("GET", path).status_code == 500
    assert fake_api.requests == []


def test_no_content_is_success(calls: Any, fake_api: Any) -> None:
    fake_api.says("DELETE", "/things/1", status=204)

    assert calls("DELETE", "/things/1").json == {"status": 204, "ok": True, "data": None}


@pytest.mark.parametrize("status", [400, 409, 422])
def test_what_is_wrong_with_the_input_comes_back_to_the_view(
    calls: Any, fake_api: Any, status: int
) -> None:
    fake_api.says("POST", "/things", {"detail": "no such day"}, status)

    page = calls("POST", "/things", json={})

    assert page.json == {"status": status, "ok": False, "data": {"detail": "no such day"}}


def test_an_idempotency_key_is_passed_on(calls: Any, fake_api: Any) -> None:
    fake_api.says("POST", "/things", {})

    calls("POST", "/things", json={}, idempotency_key="k-1")

    assert fake_api.requests[0].headers["Idempotency-Key"] == "k-1"


def test_503_with_retry_after_is_a_pause(calls: Any, fake_api: Any) -> None:
    fake_api.says("POST", "/things", status=503, Retry_After="7")

    page = calls("POST", "/things", json={})

    assert (page.status_code, page.headers["Retry-After"]) == (503, "7")
    assert len(fake_api.requests) == 1


def test_a_post_with_a_refused_token_is_sent_again_with_a_new_one(
    person: Person, api: Api, provider: Provider
) -> None:
    app = person.browser.client.application
    contact = {"name": "Ada", "email": "ada@example.com", "phone": ""}
    app.add_url_rule(
        "/add", view_func=lambda: {"status": call_api("POST", "/contacts", json=contact).status}
    )
    person.signs_in(path="/login?scope=contacts:write")
    api.lies("api_401")

    page = person.sees("/add")

    assert page.json == {"status": 201}
    assert [entry["status"] for entry in api.log()] == [401, 201]
    assert provider.refreshes() == 1


def test_a_post_whose_answer_is_lost_is_not_sent_again(
    make_app: MakeApp, person_at: PersonAt, api: Api
) -> None:
    app = make_app()
    app.add_url_rule("/add", view_func=lambda: {"s": call_api("POST", "/contacts", json={}).status})
    person = person_at(app)
    person.signs_in()
    api.lies("api_drop", times=0)

    assert person.sees("/add").status_code == 503
    assert len(api.log()) == 1
