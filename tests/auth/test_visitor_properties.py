"""Whatever a visitor sends: never a 500, and never a way out of this app."""

from __future__ import annotations

import random
import re
from contextlib import closing
from typing import Any
from urllib.parse import quote, quote_from_bytes, unquote, urlencode

from flask import Flask
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from auth.login_transaction import safe_return_to
from tests.support.harness import APP, Person, query_of

thoroughly = settings(
    max_examples=100, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)

PIECES = (
    "/", "//", "\\", "%2f", "%2F", "%5c", "%252f", "..", ".", "%2e", "@", ":", "?", "#", "&", ";",
    "evil.example", "http:", "https://", "javascript:", "\t", "\n", "\r", "\x00", "%09", "%0a",
    "%00", "%", " ", "%20", "／", "＼", "。", "\u202e", "\ufeff", "é", "x", "login", "profile",
    "[::1]", "localhost:3000", "|", "^", "`", "'", '"', "<", ">", "=", "0x7f.1", "%e2%80%ae",
)  # fmt: skip
characters = st.characters(exclude_categories=["Cs"])
texts = st.one_of(
    st.text(characters, max_size=60),
    st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
    st.lists(st.sampled_from(PIECES), max_size=8).map(lambda found: "/" + "".join(found)),
)
# What a query or a path may hold once it is on the wire: any bytes, percent-encoded.
encoded = st.one_of(st.binary(max_size=60).map(quote_from_bytes), texts.map(quote))
header_values = st.one_of(
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF), max_size=80),
    st.sampled_from(
        ["null", "none", "same-origin", "cross-site", "empty", "text/html;q=nan", "*/*"]
    ),
).map(lambda text: text.replace("\x7f", ""))

LOGIN = (
    "return_to", "organization", "invitation", "organization_name", "scope", "prompt", "login_hint",
    "screen_hint", "ui_locales", "max_age", "client_id",
)  # fmt: skip
CALLBACK = (
    "state",
    "code",
    "iss",
    "error",
    "error_description",
    "response",
    "id_token",
    "return_to",
)
HEADERS = (
    "Accept", "Origin", "Sec-Fetch-Site", "Sec-Fetch-Dest", "Sec-Fetch-Mode", "Host", "Referer",
    "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-For", "Forwarded", "User-Agent", "Cookie",
    "Authorization", "Content-Type", "Accept-Language", "If-None-Match", "If-Modified-Since",
    "Range",
)  # fmt: skip
PATHS = (
    "/", "/login", "/callback", "/logout", "/profile", "/appointments", "/sessions", "/healthz",
    "/backchannel-logout", "/static/app.css", "/sessions/x/end",
)  # fmt: skip


def parameters(names: tuple[str, ...]) -> st.SearchStrategy[str]:
    pair = st.tuples(st.sampled_from(names), encoded).map("=".join)
    return st.lists(pair, max_size=5).map("&".join)


def asked(app: Flask, path: str, method: str = "GET", **kwargs: Any) -> Any:
    client = app.test_client(use_cookies=False)
    return client.open(path, method=method, base_url=APP, buffered=True, **kwargs)


def leaves_the_app(location: str) -> bool:
    """Whether a browser at our address would go elsewhere: the WHATWG URL parser, which drops tabs
    and line breaks, trims spaces and controls, and reads a backslash as a slash."""
    trimmed = re.sub(r"[\t\n\r]", "", location).strip("".join(map(chr, range(0x21))))
    slashes = trimmed.replace("\\", "/")
    return slashes.startswith("//") or bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", slashes))


@thoroughly
@given(text=texts)
@example(text="/\t/evil.example")
@example(text="/%2525252f%2525252fevil.example")
@example(text="/" + "%25" * 600 + "2f")
def test_return_to_is_a_path_in_this_app_or_dropped(text: str) -> None:
    path = safe_return_to(text)

    if path is not None:
        assert path.isascii()
        assert path.startswith("/")
        decoded = path.partition("?")[0].partition("#")[0]
        for _ in range(12):
            assert not leaves_the_app(decoded)
            assert not re.match(r"/(login|callback|logout)(/|$)", decoded)
            decoded = unquote(decoded)


@thoroughly
@given(path=st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1))
def test_return_to_keeps_every_plain_path(path: str) -> None:
    assert safe_return_to(f"/p/{path}?q={path}") == f"/p/{path}?q={path}"


def test_chromium_stays_in_the_app_wherever_return_to_leads(chromium: Any) -> None:
    chance = random.Random(3)
    wishes = ["/" + "".join(chance.choices(PIECES, k=chance.randint(1, 6))) for _ in range(60_000)]
    paths = sorted({path for wish in wishes if (path := safe_return_to(wish))})
    unwrapped = [unquote(path.partition("?")[0]) for path in paths]

    with closing(chromium.new_context()) as context:
        origins = context.new_page().evaluate(
            "([base, paths]) => [...new Set(paths.map(path => new URL(path, base).origin))]",
            [f"{APP}/callback", paths + unwrapped],
        )

    assert len(paths) > 1000
    assert origins == [APP]


@thoroughly
@given(query=parameters(LOGIN))
def test_no_parameter_of_login_is_a_500(app: Flask, query: str) -> None:
    response = asked(app, f"/login?{query}")

    assert response.status_code in (302, 400)
    if response.status_code == 302:
        provider = app.extensions["relying_party"].settings.issuer
        assert response.headers["Location"].startswith(f"{provider}authorize?")


@thoroughly
@given(query=parameters(CALLBACK))
def test_no_parameter_of_callback_is_a_500_or_signs_anybody_in(app: Flask, query: str) -> None:
    response = asked(app, f"/callback?{query}")

    assert response.status_code == 400
    assert "Set-Cookie" not in response.headers


@settings(thoroughly, max_examples=60)
@given(query=parameters(CALLBACK[1:]))
def test_nor_with_the_state_of_a_real_sign_in(person: Person, query: str) -> None:
    state = query_of(person.begins())["state"]

    response = person.sees(f"/callback?state={state}&{query}")

    assert 400 <= response.status_code < 500
    assert "app_session_3000=" not in str(response.headers)


@thoroughly
@given(path=st.sampled_from(PATHS), cookies=st.lists(
    st.tuples(
        st.one_of(
            header_values,
            st.sampled_from(["app_session_3000", "app_sign_in_3000", "__Host-app_session"]),
            header_values.map("app_language_3000{}".format),
        ),
        header_values,
    ).map("=".join), max_size=6,
).map("; ".join))  # fmt: skip
def test_no_cookie_is_a_500_or_signs_anybody_in(app: Flask, path: str, cookies: str) -> None:
    response = asked(app, path, headers={"Cookie": cookies})

    assert response.status_code < 500
    assert "Sign Out" not in response.text


@thoroughly
@given(
    path=st.one_of(
        st.sampled_from(PATHS),
        # The test client would take what comes after four slashes for a host name.
        encoded.map("/{}".format).filter(lambda path: not path.startswith("////")),
    ),
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "PUT", "TRACE"]),
    headers=st.dictionaries(st.sampled_from(HEADERS), header_values, max_size=6),
)
@example(path="/login", method="GET", headers={"Host": "[", "Accept": ";q="})
@example(path="/", method="GET", headers={"Host": "localhost:3000", "Accept": "text/html;q=\xff"})
def test_no_path_and_no_header_is_a_500(
    app: Flask, path: str, method: str, headers: dict[str, str]
) -> None:
    response = asked(app, path, method, headers=headers)

    assert response.status_code < 500
    location = response.headers.get("Location", "")
    provider = app.extensions["relying_party"].settings.issuer
    assert not leaves_the_app(location) or location.startswith((f"{APP}/", provider))


@thoroughly
@given(
    body=st.binary(max_size=200),
    content_type=st.one_of(
        header_values, st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data"])
    ),
)
def test_no_body_is_a_500(app: Flask, body: bytes, content_type: str) -> None:
    for path in ("/backchannel-logout", "/logout", "/sessions/end-others"):
        response = asked(app, path, "POST", data=body, content_type=content_type)

        assert response.status_code < 500


@thoroughly
@given(scope=texts)
def test_a_scope_is_asked_for_as_it_is_or_refused(app: Flask, scope: str) -> None:
    response = asked(app, "/login?" + urlencode({"scope": scope}))

    if response.status_code == 302:
        assert set(scope.split()) <= set(query_of(response.headers["Location"])["scope"].split(" "))
    else:
        assert response.status_code == 400
