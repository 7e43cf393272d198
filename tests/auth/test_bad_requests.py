"""Requests that no browser of goodwill sends: a 4xx page, whatever they are."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from flask import Flask, request

from auth import max_request_bytes, public
from tests.conftest import MakeApp, PersonAt
from tests.support.harness import APP, Person, text_of

PARAMETERS = (
    "login_hint", "organization", "invitation", "organization_name", "prompt", "screen_hint",
    "ui_locales", "scope",
)  # fmt: skip
UNUSABLE = ("x" * 2001, "a%0D%0Ab", "a%09b")
AS_JSON = {"Accept": "application/json"}
AS_FETCH = {"Sec-Fetch-Dest": "empty", "Sec-Fetch-Mode": "cors", "Accept": "*/*"}
AS_PAGE = {
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
}


def is_a_page(response: Any) -> bool:
    return bool(
        response.mimetype == "text/html"
        and response.text.count("<h1") == 1
        and "If you ask for help, give this reference" in text_of(response)
    )


# Parameters


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "a%00b") for name in PARAMETERS),
        *(("login_hint", value) for value in UNUSABLE),
        ("scope", "x" * 2001),
    ],
    ids=lambda text: text[:20],
)
def test_an_unusable_parameter_of_login_is_refused(person: Person, name: str, value: str) -> None:
    response = person.sees(f"/login?{name}={value}")

    assert response.status_code == 400
    assert is_a_page(response)
    assert "Set-Cookie" not in response.headers


@pytest.mark.parametrize("scope", ['a"b', "a\\b", "a\u00e9", "\u202e"])
def test_what_can_be_no_scope_is_refused(person: Person, scope: str) -> None:
    assert person.sees("/login", query_string={"scope": scope}).status_code == 400


# Bodies and methods


@pytest.mark.parametrize("path", ["/logout", "/backchannel-logout", "/sessions/end-others"])
def test_a_body_that_is_too_large_is_refused(person: Person, path: str) -> None:
    person.signs_in()

    response = person.browser.post(path, data={"logout_token": "x" * 70_000})

    assert response.status_code == 413
    assert is_a_page(response)
    assert person.is_signed_in()


@pytest.mark.parametrize(("length", "status"), [(100_000, 200), (100_001, 413)])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_view_that_takes_more_takes_it_whole_or_not_at_all(
    app: Flask, length: int, status: int, in_chunks: bool
) -> None:
    @app.post("/upload")
    @public
    @max_request_bytes(100_000)
    def upload() -> str:
        return str(len(request.files["file"].read()))

    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="f"\r\n\r\n'
    body = head + b"x" * (length - len(head) - 7) + b"\r\n--x--"
    response = app.test_client().post(
        "/upload",
        base_url=APP,
        input_stream=BytesIO(body),
        content_type="multipart/form-data; boundary=x",
        headers={} if in_chunks else {"Content-Length": str(length)},
        environ_overrides={"wsgi.input_terminated": in_chunks},
    )

    assert len(body) == length
    assert response.status_code == status
    assert status == 413 or int(response.text) == length - len(head) - 7


@pytest.mark.parametrize(
    ("headers", "status"), [({}, 401), ({"Sec-Fetch-Site": "cross-site"}, 403)]
)
def test_a_strangers_body_is_not_read(app: Flask, headers: dict[str, str], status: int) -> None:
    app.add_url_rule("/upload", "upload", lambda: "uploaded", methods=["POST"])
    body = BytesIO(b"x" * 1000)

    response = app.test_client().post(
        "/upload", base_url=APP, input_stream=body, headers=headers | {"Content-Length": "1000"}
    )

    assert response.status_code == status
    assert body.tell() == 0


@pytest.mark.parametrize("content_type", ["application/x-www-form-urlencoded", "text/plain"])
def test_a_body_in_bad_utf8_is_refused(person: Person, content_type: str) -> None:
    response = person.browser.post(
        "/backchannel-logout", data=b"logout_token=\xff\xfe\x00", content_type=content_type
    )

    assert response.status_code == 400


@pytest.mark.parametrize("boundary", ["x", "", "x" * 5000, "\xff"])
def test_a_broken_multipart_body_is_refused(person: Person, boundary: str) -> None:
    response = person.browser.post(
        "/backchannel-logout",
        data=b"--x\r\nContent-Disposition: form-data; name=logout_token\r\n\r\nabc",
        content_type=f"multipart/form-data; boundary={boundary}",
    )

    assert response.status_code == 400


@pytest.mark.parametrize("name", ["Accept", "Accept-Language", "If-None-Match", "Range"])
def test_a_header_that_takes_long_to_parse_is_not_parsed(person: Person, name: str) -> None:
    long = {"Accept": "application/json", "Accept-Language": "ja", "Range": "bytes=0-1"}.get(name)

    response = person.sees("/profile", headers={name: f"{long}, a/b" + ", a/b;q=0.5" * 800})

    assert response.status_code == 302  # and no JSON: as if the header were not there


WRONG_METHODS = [
    ("POST", "/"), ("POST", "/callback"), ("PUT", "/logout"), ("DELETE", "/profile"),
    ("PATCH", "/appointments"), ("TRACE", "/"),
    ("GET", "/backchannel-logout"), ("BREW", "/"),
    ("POST", "/healthz"), ("POST", "/static/app.css"),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path"), WRONG_METHODS)
def test_a_wrong_method_is_a_405_that_names_the_right_ones(
    person: Person, method: str, path: str
) -> None:
    response = person.browser.request(method, path)

    assert response.status_code == 405
    assert response.headers["Allow"]
    assert is_a_page(response)


@pytest.mark.parametrize(
    "path",
    ["/%00", "/%FF%FE", "/\u202e", "/" + "x" * 4000, "/..%2f..%2fetc/passwd", "/static/%00",
     "/static/../app.py", "/static/..%2fapp.py", "/static/" + "x" * 300, "/profile%00", "/.env"],
    ids=lambda path: path[:30],
)  # fmt: skip
def test_an_address_that_is_none_is_a_404(person: Person, path: str) -> None:
    response = person.sees(path)

    assert response.status_code == 404
    assert is_a_page(response)


# Proxies limit the headers of a response, many to 4,000 bytes together

LONG = {
    "parameters": ("/login?" + "&".join(f"{n}={'a' * 1800}" for n in ("login_hint", "prompt")), {}),
    "a parameter": ("/login?login_hint=" + "a" * 2000, {}),
    "scopes": ("/login?scope=" + "+".join(f"scope:{n}" for n in range(120)), {}),
    "a page": ("/" + "x" * 3000 + "?" + "y" * 3000, {}),
    "a page elsewhere": ("/" + "x" * 3000, {"Host": "elsewhere.example"}),
    "a query elsewhere": ("/?" + "%41" * 1500, {"Host": "elsewhere.example"}),
    "a host name": ("/profile", {"Host": "x" * 6000}),
    "a request id": ("/", {"X-Request-ID": "x" * 6000}),
}


@pytest.mark.parametrize(("path", "headers"), LONG.values(), ids=LONG)
def test_no_answers_headers_exceed_4000_bytes(
    person: Person, path: str, headers: dict[str, str]
) -> None:
    response = person.sees(path, headers=headers)

    assert response.status_code < 500
    assert sum(len(f"{name}: {value}\r\n") for name, value in response.headers) < 3800


# Host names

FOREIGN_HOSTS = [
    "127.0.0.1:3000", "evil.example", "localhost", "localhost:3001", "localhost:3000.evil.example",
    "evil.example:3000", "localhost.evil.example:3000", "[::1]:3000", "LOCALHOST.:3000",
]  # fmt: skip
MALFORMED_HOSTS = [
    "localhost:3000@evil.example", "x@localhost:3000", "a b[", "[::1", "localhost:99999",
    "localhost:3000/x", "localhost:3000#x", "\\evil.example", "evil.example\\localhost:3000", "%00",
    "localhost:3000:3000", "é.example", "*", ".", "x" * 4000,
]  # fmt: skip


@pytest.mark.parametrize("host", FOREIGN_HOSTS + MALFORMED_HOSTS, ids=lambda host: host[:30])
def test_another_host_name_leads_to_our_own_address(person: Person, host: str) -> None:
    response = person.sees("/profile?a=%C3%BC&b=%2F", headers={"Host": host})

    assert response.status_code == 302
    assert response.headers["Location"] == f"{APP}/profile?a=%C3%BC&b=%2F"
    assert "Set-Cookie" not in response.headers
    assert "evil" not in response.text + str(response.headers)


@pytest.mark.parametrize("host", ["evil.example", "localhost:3001", "[::1", "é.example"])
def test_nothing_is_changed_under_another_host_name(person: Person, host: str) -> None:
    person.signs_in()

    response = person.browser.post("/logout", headers={"Host": host})

    assert response.status_code == 400
    assert "evil" not in response.text + str(response.headers)
    assert person.is_signed_in()


@pytest.mark.parametrize(
    "path", ["/@evil.example/", "//evil.example/", "/\\evil.example", "/.evil"]
)
def test_the_redirect_to_our_own_address_stays_there(person: Person, path: str) -> None:
    response = person.sees(path, base_url="http://127.0.0.1:3000")

    assert response.headers["Location"].startswith(f"{APP}/")


FORWARDED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "gopher",
    "X-Forwarded-Port": "1",
    "X-Forwarded-Prefix": "/evil",
    "X-Forwarded-For": "evil",
    "Forwarded": "host=evil.example;proto=gopher",
    "X-Original-Url": "/evil",
    "X-Rewrite-Url": "/evil",
    "X-Host": "evil.example",
}


@pytest.mark.parametrize("path", ["/", "/login", "/profile", "/nowhere"])
def test_without_trusted_proxies_no_forwarded_header_changes_anything(
    person: Person, path: str
) -> None:
    plain = person.sees(path)

    forwarded = person.sees(path, headers=FORWARDED)

    assert forwarded.status_code == plain.status_code
    assert "evil" not in forwarded.text + str(forwarded.headers)
    assert "gopher" not in forwarded.text + str(forwarded.headers)


def test_a_trusted_proxys_headers_count_and_what_visitors_put_before_them_does_not(
    make_app: MakeApp, person_at: PersonAt
) -> None:
    person = person_at(make_app(TRUSTED_PROXY_HOPS="1"))
    inside = {"base_url": "http://10.1.2.3:8000"}

    through = person.sees(
        "/", **inside, headers={"X-Forwarded-Host": "evil.example, localhost:3000"}
    )
    forged = person.sees(
        "/", **inside, headers={"X-Forwarded-Host": "localhost:3000, evil.example"}
    )
    prefixed = person.sees(
        "/",
        **inside,
        headers={"X-Forwarded-Host": "localhost:3000", "X-Forwarded-Prefix": "/evil"},
    )

    assert (through.status_code, forged.status_code) == (200, 302)
    assert forged.headers["Location"] == f"{APP}/"
    assert "evil" not in through.text + prefixed.text + str(forged.headers)


# JSON and scripts


@pytest.mark.parametrize("headers", [AS_JSON, AS_FETCH], ids=["JSON", "fetch"])
@pytest.mark.parametrize("path", ["/profile", "/appointments", "/contacts", "/sessions"])
def test_a_script_that_is_not_signed_in_gets_a_401_and_no_redirect(
    person: Person, path: str, headers: dict[str, str]
) -> None:
    response = person.sees(path, headers=headers)

    assert response.status_code == 401
    assert response.mimetype == "application/problem+json"
    assert response.json["status"] == 401
    assert response.json["code"] == "sign_in_needed"
    assert "Location" not in response.headers


def test_a_script_that_asks_for_a_page_gets_one_and_is_not_sent_to_the_provider_either(
    person: Person,
) -> None:
    response = person.sees("/profile", headers={"Sec-Fetch-Dest": "empty", "Accept": "text/html"})

    assert (response.status_code, response.mimetype) == (401, "text/html")


@pytest.mark.parametrize(
    "headers",
    [
        AS_PAGE,
        {},
        {"Accept": "*/*"},
        {"Accept": "text/html, application/json;q=0.9"},
        {"Accept": "\xff"},
        {"Accept": "text/html;q=nan"},
    ],
    ids=["a browser", "nothing said", "anything", "rather a page", "nonsense", "no number"],
)
def test_a_person_is_led_to_sign_in(person: Person, headers: dict[str, str]) -> None:
    assert person.sees("/profile", headers=headers).status_code == 302


def test_a_post_that_needs_sign_in_is_not_lost_in_a_redirect(person: Person) -> None:
    response = person.browser.post("/sessions/end-others")

    assert response.status_code == 401
