"""The recorder: hears messages, masks them, and keeps the last of each kind for their owner.

A request that takes part in the flow becomes an episode, the list of its messages. It is kept in
the session; where there is none, in a sealed cookie of ten minutes: that of a sign-in under way
(handed over when it ends), or of the sign-out or failed sign-in that was the last to happen.
Any failure here is logged and goes no further.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import logging
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl

import msgspec
from auth.outbound import Answer
from flask import Flask, Response, g, has_request_context, request, request_finished

from auth import signals
from auth.relying_party import RelyingParty
from sessions import current_session

from . import masking

log = logging.getLogger("app.flow")

SESSION_KEY = "flow"
COOKIE_SECONDS = 600
LONGEST_COOKIE = 3600
MOST_BYTES = 48 * 1024

Message = dict[str, Any]
Episode = dict[str, Any]

BROWSER_REQUESTS = {
    "auth.login": "login_request",
    "auth.callback": "authorization_response",
    "auth.logout": "logout_request",
}
GRANTS = {"authorization_code": "token", "refresh_token": "refresh"}
PARTS = {"api": "api_call", "refresh": "refresh"}
BACK_CHANNEL = frozenset((*GRANTS.values(), "revocation", "api", "metadata", "keys"))


class Cookie(NamedTuple):
    """Where an episode lies that has no session: the cookie's name and the path that sees it."""

    name: str
    path: str


SIGN_IN, LAST = Cookie("app_flow_sign_in", "/callback"), Cookie("app_flow_last", "/flow")


class Heard:
    """What the current request has said so far, and the parts of the flow it belongs to."""

    def __init__(self) -> None:
        self.parts: set[str] = set()
        self.messages: list[Message] = []

    @classmethod
    def now(cls) -> Heard:
        """Return that of the current request."""
        heard: Heard = g.setdefault("flow_heard", cls())
        return heard


def harmless(receiver: Callable[..., None]) -> Callable[..., None]:
    """Keep a recorder's failure from the request that it records."""

    @functools.wraps(receiver)
    def guarded(*args: Any, **kwargs: Any) -> None:
        try:
            receiver(*args, **kwargs)
        except Exception as error:
            log.warning("a message of the flow was not recorded: %s", type(error).__name__)

    return guarded


class Recorder:
    """Listens to one app."""

    def __init__(self, app: Flask, rp: RelyingParty) -> None:
        self.rp = rp
        signals.request_sent.connect(self.hear, sender=rp.outbound)
        signals.signed_in.connect(self.hear_sign_in, sender=rp)
        signals.sign_in_failed.connect(self.hear_sign_in, sender=rp)
        signals.signed_out.connect(self.hear_sign_out, sender=rp)
        # Sent when the answer is complete, its session cookie included.
        request_finished.connect(self.finish, sender=app)

    @harmless
    def hear_sign_in(self, sender: object, **_: Any) -> None:
        """Note that this request ends a sign-in, well or not."""
        Heard.now().parts.add("sign_in")

    @harmless
    def hear_sign_out(self, sender: object, **_: Any) -> None:
        """Note that this request signs out."""
        Heard.now().parts.add("sign_out")

    @harmless
    def hear(
        self, sender: object, *, method: str, url: str, form: str | None, headers: Any,
        status: int, answer: Answer | None, **_: Any,
    ) -> None:  # fmt: skip
        """Note a request to the provider or an API, and what it was answered with."""
        if not has_request_context():
            return  # metadata that is fetched again in the background
        kind = _kind(url, headers, form)
        body = answer.json_object() if answer and kind != "api" else {}
        request_sent = _message(f"{kind}_request", method, url, form or "", headers.items())
        received = _message(f"{kind}_response", headers=answer.headers.items() if answer else ())
        received |= {"status": status, "parameters": _of_body(kind, body)}
        received |= {"tokens": masking.token_claims(body)}
        heard = Heard.now()
        heard.messages += [request_sent, received]
        if kind in PARTS:
            heard.parts.add(PARTS[kind])

    @harmless
    def finish(self, sender: object, *, response: Response, **_: Any) -> None:
        """Keep what this request was about, if it was about the flow."""
        location = response.headers.get("Location", "")
        leaves = not location.startswith(("/", f"{self.rp.settings.app_base_url}/"))
        asks = leaves and "response_type=code" in location
        if not asks and "flow_heard" not in g:
            return
        heard = Heard.now()
        messages = [_browser_request(), *heard.messages]
        messages.append(_browser_answer(response, heard.parts, asks))
        if asks:
            messages.append(_message("authorization_request", "GET", location))
            state = _hash(parse_qs(location.partition("?")[2]).get("state", [""])[0])
            self._give(response, SIGN_IN, {"at": time.time(), "of": state, "messages": messages})
        elif location and leaves and "sign_out" in heard.parts:
            messages.append(_message("end_session_request", "GET", location))
        if "sign_in" in heard.parts:
            before = self._take(SIGN_IN)
            if before and before["of"] == _hash(request.args.get("state", "")):
                messages = [*before["messages"], *messages]
                response.delete_cookie(SIGN_IN.name, SIGN_IN.path)
        if heard.parts:
            episode = {"parts": sorted(heard.parts), "at": time.time(), "messages": messages}
            self._keep(response, episode)

    def _keep(self, response: Response, episode: Episode) -> None:
        session = current_session()
        if session.key is None:
            # A browser may be shared: nothing about the person stays behind in it.
            messages = [{**message, "tokens": {}} for message in episode["messages"]]
            self._give(response, LAST, {**episode, "messages": messages})
            return
        session[SESSION_KEY] = _with(session.get(SESSION_KEY, []), episode)
        session.commit()

    def episodes(self) -> list[Episode]:
        """What was recorded for whoever asks, oldest first."""
        kept = [*current_session().get(SESSION_KEY, []), self._take(LAST)]
        episodes: list[Episode] = []
        for episode in sorted(filter(None, kept), key=lambda episode: episode["at"]):
            episodes = _with(episodes, episode)
        return episodes

    def _give(self, response: Response, cookie: Cookie, value: dict[str, Any]) -> None:
        """Set a sealed cookie: the whole, or where that is too long, what the browser saw."""
        messages = value["messages"]
        seen = [each for each in messages if each["kind"].split("_")[0] not in BACK_CHANNEL]
        for kept in (messages, seen):
            plaintext = zlib.compress(msgspec.json.encode({**value, "messages": kept}))
            sealed = self.rp.sealer.seal(plaintext, bound_to=cookie.name)
            text = base64.urlsafe_b64encode(sealed).decode()
            if len(text) <= LONGEST_COOKIE:
                response.set_cookie(
                    cookie.name, text, max_age=COOKIE_SECONDS, path=cookie.path,
                    secure=self.rp.settings.is_https, httponly=True, samesite="Lax",
                )  # fmt: skip
                return

    def _take(self, cookie: Cookie) -> dict[str, Any] | None:
        try:
            sealed = base64.urlsafe_b64decode(request.cookies.get(cookie.name, ""))
        except ValueError:
            return None
        opened = self.rp.sealer.open(sealed, bound_to=cookie.name)
        if opened is None:
            return None
        value: dict[str, Any] = msgspec.json.decode(zlib.decompress(opened[0]))
        return value if time.time() < value["at"] + COOKIE_SECONDS else None


def _with(episodes: list[Episode], new: Episode) -> list[Episode]:
    """The episodes with a new one, which takes the place of earlier ones of the same parts."""
    kept = []
    for episode in episodes:
        if parts := [part for part in episode["parts"] if part not in new["parts"]]:
            kept.append({**episode, "parts": parts})
    kept.append(new)
    while kept and len(msgspec.json.encode(kept)) > MOST_BYTES:
        kept.pop(0)
    return kept


def _kind(url: str, headers: Any, form: str | None) -> str:
    if form is not None:
        return GRANTS.get(parse_qs(form).get("grant_type", [""])[0], "revocation")
    if "Authorization" in headers:
        return "api"
    return "metadata" if url.endswith("/.well-known/openid-configuration") else "keys"


def _message(
    kind: str, method: str = "", url: str = "", form: str = "",
    headers: Iterable[tuple[str, str]] = (),
) -> Message:  # fmt: skip
    """A message as it may be kept; the parameters of its query are told apart from its URL."""
    address, _, query = url.partition("?")
    parameters = [pair for text in (query, form) for pair in parse_qsl(text, True)]
    return {
        "kind": kind,
        "method": method,
        "url": masking.shortened(address),
        "status": None,
        "parameters": masking.parameters(parameters),
        "headers": masking.headers(headers),
        "tokens": {},
    }


def _of_body(kind: str, body: dict[str, Any]) -> masking.Pairs:
    """What is kept of a JSON answer; an API's is not the flow's business."""
    if kind == "metadata":
        return [[name, masking.shortened(body[name])] for name in masking.METADATA if name in body]
    if kind == "keys":
        keys = body.get("keys")
        return [["keys", str(len(keys))]] if isinstance(keys, list) else []
    return masking.parameters(body.items())


def _browser_request() -> Message:
    kind = BROWSER_REQUESTS.get(request.endpoint or "", "page_request")
    url = request.full_path if request.query_string else request.path
    return _message(kind, request.method, url, headers=request.headers)


def _browser_answer(response: Response, parts: set[str], asks: bool) -> Message:
    kind = "page_response"
    if asks:
        kind = "login_response"
    elif "sign_in" in parts:
        kind = "session_started" if response.status_code < 400 else "sign_in_failed"
    elif "sign_out" in parts:
        kind = "logout_response"
    return _message(kind, headers=response.headers) | {"status": response.status_code}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
