"""The recorder: hears messages, masks them, and stores the last of each kind for their owner.

A request that takes part in the flow becomes an episode, the list of its messages. Episodes are
stored encrypted, under a random name that lies in `flask.session`: in that of the person, or in a
visitor's cookie. So they are lost with the session; a sign-out, or a sign-in that fails, is stored
for the visitor that the person is then, and names nobody.
Any failure here is logged and goes no further.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import secrets
import sys
import time
import traceback
import zlib
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qs, parse_qsl

from flask import (
    Flask,
    Response,
    before_render_template,
    g,
    has_request_context,
    request,
    request_finished,
    request_started,
)

from auth import RelyingParty, signals
from config import METADATA_PATH
from sessions import current_session, session_records

from . import masking
from .messages import CHECK_OF_CODE, CHECKS

log = logging.getLogger("app.flow")

SESSION_KEY = "flow"
LIFETIME_SECONDS = 3600
MAX_BYTES = 48 * 1024

Message = dict[str, Any]
Episode = dict[str, Any]

BROWSER_REQUESTS = {
    "auth.login": "login_request",
    "auth.callback": "authorization_response",
    "auth.logout": "logout_request",
}
GRANTS = {"authorization_code": "token", "refresh_token": "refresh"}
PARTS = {"api": "api_call", "refresh": "refresh"}
# Errors whose detail is in our own words. Others may quote the provider.
CODES_WITH_DETAIL = (
    "bad_id_token", "wrong_nonce", "wrong_issuer", "wrong_organization", "stale_sign_in",
    "stale_authentication", "weaker_authentication", "malformed_callback",
)  # fmt: skip


class Heard:
    """What the current request has said so far, the parts of the flow that it belongs to, and the
    name of the record when it began."""

    def __init__(self) -> None:
        self.record = current_session().get(SESSION_KEY)
        self.parts: set[str] = set()
        self.messages: list[Message] = []
        self.failure: dict[str, str] = {}
        self.logout_url = self.pushed_state = ""

    @classmethod
    def now(cls) -> Heard:
        """Return that of the current request."""
        heard: Heard = g.setdefault("flow", cls())
        return heard

    def fail(self, code: str, detail: str = "") -> None:
        """Note what went wrong, and which check found it: the innermost one of the exception that
        is being handled, and of those that it was made of."""
        error, check = sys.exception(), CHECK_OF_CODE.get(code, "")
        while error is not None:
            for frame, _ in traceback.walk_tb(error.__traceback__):
                name = f"{frame.f_globals['__name__']}:{frame.f_code.co_qualname}"
                check = name if name in CHECKS else check
            error = error.__context__
        shown = masking.shortened(detail) if code in CODES_WITH_DETAIL else ""
        self.failure = {"code": code, "check": check, "detail": shown}


def has_heard() -> bool:
    """Whether the current request may be part of the flow."""
    return "flow" in g


def name_record() -> None:
    """Give the visitor a name for the record, where there is none."""
    session = current_session()
    if not session.unavailable and SESSION_KEY not in session:
        session[SESSION_KEY] = secrets.token_urlsafe(16)


def rename_record(claims: object, data: dict[str, Any]) -> None:
    """Give a person who signs in a name that nobody knew before: whoever has a copy of the
    visitor's cookie reads nothing of them."""
    if current_session().key is None:
        data[SESSION_KEY] = secrets.token_urlsafe(16)


def harmless(receiver: Callable[..., None]) -> Callable[..., None]:
    """Protect a request from the failure of what records it."""

    def protected(*args: Any, **kwargs: Any) -> None:
        try:
            receiver(*args, **kwargs)
        except Exception as error:
            log.warning("a message of the flow was not recorded: %s", type(error).__name__)

    return protected


class Recorder:
    """Listens to one app."""

    def __init__(self, app: Flask, rp: RelyingParty) -> None:
        self.rp = rp
        for signal, sender, receiver in (
            (request_started, app, self.begin),
            (signals.request_sent, rp.http, self.hear),
            (signals.signed_in, rp, self.hear_sign_in),
            (signals.sign_in_failed, rp, self.hear_sign_in),
            (signals.refreshed, rp, self.hear_refresh),
            (signals.signed_out, rp, self.hear_sign_out),
            (before_render_template, app, self.hear_page),
            # Sent when the response is complete, its session cookie included.
            (request_finished, app, self.finish),
        ):
            signal.connect(harmless(receiver), sender, weak=False)

    def begin(self, sender: object, **_: Any) -> None:
        """Name the record while the session can still be written."""
        # Another site's POST comes without our cookies: a name for it would replace the session.
        if request.endpoint in ("auth.login", "auth.callback") and request.method == "GET":
            Heard.now()
            name_record()

    def hear_sign_in(self, sender: object, *, code: str = "", detail: str = "", **_: Any) -> None:
        """Note that this request ends a sign-in, well or not."""
        name_record()  # another person than before has none yet
        Heard.now().parts.add("sign_in")
        if code:
            Heard.now().fail(code, detail)

    def hear_refresh(self, sender: object, *, outcome: str, **_: Any) -> None:
        """Note a refresh that failed."""
        if outcome != "refreshed" and has_request_context():
            Heard.now().fail(outcome)

    def hear_sign_out(self, sender: object, **_: Any) -> None:
        """Note that this request signs out."""
        Heard.now().parts.add("sign_out")
        name_record()

    def hear_page(self, sender: object, *, context: dict[str, Any], **_: Any) -> None:
        """Note where the page after a sign-out leads."""
        if has_heard() and "sign_out" in Heard.now().parts:
            Heard.now().logout_url = context.get("url") or ""

    def hear(
        self, sender: object, *, method: str, url: str, form: Any, headers: Any, status: int,
        response: Any, **_: Any,
    ) -> None:  # fmt: skip
        """Note a request to the provider or an API, and its response."""
        if not has_request_context():
            return
        form = form if isinstance(form, str) else ""
        kind, heard = self._kind(url, headers, parse_qs(form)), Heard.now()
        body = response.json_object() if response and kind not in ("api", "userinfo") else {}
        sent = new_message(f"{kind}_request", method, url, form, headers.items())
        its_headers = response.headers.items() if response else ()
        received = new_message(f"{kind}_response", headers=its_headers, status=status)
        received |= {"parameters": _parameters_of(kind, body)}
        heard.messages += [sent, received | {"tokens": masking.token_claims(body)}]
        if kind == "par":
            heard.pushed_state = parse_qs(form).get("state", [""])[0]
        if kind in PARTS:
            heard.parts.add(PARTS[kind])
            name_record()

    def _kind(self, url: str, headers: Any, form: dict[str, list[str]]) -> str:
        settings = self.rp.settings
        apis = filter(None, (settings.api_base_url, settings.contacts_api_base_url))
        if url.startswith(tuple(apis)):
            return "api"
        if form:
            kind = "par" if "response_type" in form else "revocation"
            return GRANTS.get(form.get("grant_type", [""])[0], kind)
        if "Authorization" in headers:
            return "userinfo"
        return "metadata" if url.endswith(METADATA_PATH) else "keys"

    def finish(self, sender: object, *, response: Response, **_: Any) -> None:
        """Store what this request was about, if it was about the flow."""
        location = response.headers.get("Location", "")
        is_own = location.startswith(("/", f"{self.rp.settings.app_base_url}/"))
        asks = re.search(r"[?&](response_type=code|request_uri=)", location)
        next_url = location if asks and not is_own else ""
        if has_heard() or next_url:
            self._finish(Heard.now(), response, next_url)

    def _finish(self, heard: Heard, response: Response, next_url: str) -> None:
        """`next_url` is that of the authorization request, where the response leads to it."""
        parts, record = heard.parts, current_session().get(SESSION_KEY)
        if response.status_code >= 400 and not heard.failure:
            parts |= {"sign_in"} if request.endpoint == "auth.login" else set()
            heard.fail(g.get("error_code", ""))
        messages = [_browser_request(), *heard.messages]
        messages.append(_browser_response(response, parts, next_url))
        if next_url:
            messages.append(new_message("authorization_request", "GET", next_url))
            state = heard.pushed_state or parse_qs(next_url.partition("?")[2])["state"][0]
            self._store(_pending(state, record), messages)
        if heard.logout_url:
            messages.append(new_message("end_session_request", "GET", heard.logout_url))
        if "sign_in" in parts:
            before = self._load(_pending(request.args.get("state", ""), heard.record))
            messages = [*before, *messages]
        if heard.failure:
            _mark(messages, heard.failure)
        if parts and record:
            if heard.failure or current_session().key is None:
                # The browser may be shared: nothing about a person stays behind in it.
                messages = [{**message, "tokens": {}} for message in messages]
            episode = {"parts": sorted(parts), "at": time.time(), "messages": messages}
            self._store(f"flow {record}", with_episode(self.episodes(), episode))

    def episodes(self) -> list[Episode]:
        """Return what was recorded for this visitor, oldest first."""
        record = current_session().get(SESSION_KEY)
        return self._load(f"flow {record}") if record else []

    def _load(self, name: str) -> list[Any]:
        text = session_records().store.get(name)
        plaintext = self.rp.encryptor.decrypt_text(text, bound_to=name) if text else None
        return list(json.loads(zlib.decompress(plaintext))) if plaintext else []

    def _store(self, name: str, values: list[Any]) -> None:
        """Store for an hour. Of two requests at the same time, one may be lost."""
        store, plaintext = session_records().store, zlib.compress(json.dumps(values).encode())
        text, before = self.rp.encryptor.encrypt_text(plaintext, bound_to=name), store.get(name)
        if before is None:
            store.add(name, text, LIFETIME_SECONDS)
        else:
            store.swap(name, before, text, LIFETIME_SECONDS)


def with_episode(episodes: list[Episode], new: Episode) -> list[Episode]:
    """Return the episodes with a new one, which takes the place of earlier ones of its parts."""
    stored = []
    for episode in episodes:
        if parts := [part for part in episode["parts"] if part not in new["parts"]]:
            stored.append({**episode, "parts": parts})
    stored.append(new)
    while stored and len(json.dumps(stored)) > MAX_BYTES:
        stored.pop(0)
    return stored


def _pending(state: str, record: str | None) -> str:
    """The name of what was said before the callback: of that `state`, in this browser."""
    return f"flow {hashlib.sha256(f'{record} {state}'.encode()).hexdigest()}"


def _mark(messages: list[Message], failure: dict[str, str]) -> None:
    """Mark the message that failed the check; where none is known, the last that came."""
    check = CHECKS.get(failure["check"])
    wanted = (check.message if check else "", "refresh_response")
    failed = [each for each in messages if each["kind"] in wanted] or messages[:-1]
    failed[-1]["failure"] = failure


def new_message(
    kind: str, method: str = "", url: str = "", form: str = "",
    headers: Iterable[tuple[str, str]] = (), status: int | None = None,
) -> Message:  # fmt: skip
    """A message as it may be stored; the parameters of its query are told apart from its URL."""
    address, _, query = url.partition("?")
    parameters = [pair for text in (query, form) for pair in parse_qsl(text, True)]
    return {
        "kind": kind, "method": method, "url": masking.shortened(address), "status": status,
        "parameters": masking.parameters(parameters), "headers": masking.headers(headers),
        "tokens": {}, "failure": None,
    }  # fmt: skip


def _parameters_of(kind: str, body: dict[str, Any]) -> masking.Pairs:
    if kind == "metadata":
        return [[name, masking.shortened(body[name])] for name in masking.METADATA if name in body]
    if kind == "keys":
        keys = body.get("keys")
        return [["keys", str(len(keys))]] if isinstance(keys, list) else []
    return masking.parameters(body.items())


def _browser_request() -> Message:
    kind = BROWSER_REQUESTS.get(request.endpoint or "", "page_request")
    url = request.full_path if request.query_string else request.path
    return new_message(kind, request.method, url, headers=request.headers)


def _browser_response(response: Response, parts: set[str], next_url: str) -> Message:
    kind = "page_response"
    if next_url:
        kind = "login_response"
    elif "sign_in" in parts:
        kind = "session_started" if response.status_code < 400 else "sign_in_failed"
    elif "sign_out" in parts:
        kind = "logout_response"
    return new_message(kind, headers=response.headers, status=response.status_code)
