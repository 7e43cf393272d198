"""The recorder: hears messages, masks them, and stores the last of each kind for their owner.

A request that takes part in the flow becomes an episode, the list of its messages. It is stored in
the session; where there is none, in an encrypted cookie of ten minutes: that of a sign-in in
progress (handed over when it ends), or of the last sign-out or failed sign-in.
Any failure here is logged and goes no further.
"""

from __future__ import annotations

import functools
import hashlib
import html
import json
import logging
import re
import time
import zlib
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl

from flask import Flask, Response, g, has_request_context, request, request_finished

from auth import RelyingParty, http_client, signals
from config import METADATA_PATH
from sessions import current_session

from . import masking

log = logging.getLogger("app.flow")

SESSION_KEY = "flow"
COOKIE_SECONDS = 600
# Proxies limit the headers of a response, and this is one beside others.
LONGEST_COOKIE = 2000
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
BACK_CHANNEL = frozenset(
    (*GRANTS.values(), "revocation", "api", "metadata", "keys", "par", "userinfo")
)
# How the page after Sign Out leads on.
LEADS_ON = re.compile(r'http-equiv="refresh" content="0; url=([^"]*)"')


class Cookie(NamedTuple):
    """Where an episode lies that has no session: the cookie's name and the path that sees it."""

    use: str
    path: str

    def name(self, rp: RelyingParty) -> str:
        """Return its name; `__Host-` allows no path."""
        return rp.settings.cookie_name(self.use).removeprefix("__Host-")


SIGN_IN, LAST = Cookie("flow_sign_in", "/callback"), Cookie("flow_last", "/flow")


class Heard:
    """What the current request has said so far, and the parts of the flow it belongs to."""

    def __init__(self) -> None:
        self.parts: set[str] = set()
        self.messages: list[Message] = []
        self.failure: dict[str, str] = {}
        self.pushed_state = ""

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
        signals.request_sent.connect(self.hear, sender=rp.http)
        signals.signed_in.connect(self.hear_sign_in, sender=rp)
        signals.sign_in_failed.connect(self.hear_sign_in, sender=rp)
        signals.refreshed.connect(self.hear_refresh, sender=rp)
        signals.signed_out.connect(self.hear_sign_out, sender=rp)
        # Sent when the answer is complete, its session cookie included.
        request_finished.connect(self.finish, sender=app)

    @harmless
    def hear_sign_in(self, sender: object, *, code: str = "", detail: str = "", **_: Any) -> None:
        """Note that this request ends a sign-in, well or not."""
        Heard.now().parts.add("sign_in")
        if code:
            Heard.now().failure = {"code": code, "detail": masking.shortened(detail)}

    @harmless
    def hear_refresh(self, sender: object, *, outcome: str, detail: str, **_: Any) -> None:
        """Note why a refresh brought nothing."""
        if outcome == "refused":
            Heard.now().failure = {"code": "refresh", "detail": masking.shortened(detail)}

    @harmless
    def hear_sign_out(self, sender: object, **_: Any) -> None:
        """Note that this request signs out."""
        Heard.now().parts.add("sign_out")

    @harmless
    def hear(
        self, sender: object, *, method: str, url: str, form: Any, headers: Any,
        status: int, response: http_client.Response | None, **_: Any,
    ) -> None:  # fmt: skip
        """Note a request to the provider or an API, and its response."""
        if not has_request_context():
            return  # a command's, or the doctor's
        form = form if isinstance(form, str) else ""
        kind = self._kind(url, headers, form)
        body = response.json_object() if response and kind not in ("api", "userinfo") else {}
        request_sent = _message(f"{kind}_request", method, url, form, headers.items())
        its_headers = response.headers.items() if response else ()
        received = _message(f"{kind}_response", headers=its_headers)
        received |= {"status": status, "parameters": _of_body(kind, body)}
        received |= {"tokens": masking.token_claims(body)}
        heard = Heard.now()
        heard.messages += [request_sent, received]
        if kind == "par":
            heard.pushed_state = parse_qs(form).get("state", [""])[0]
        if kind in PARTS:
            heard.parts.add(PARTS[kind])

    def _kind(self, url: str, headers: Any, form: str) -> str:
        sent = parse_qs(form)
        if "response_type" in sent:
            return "par"
        if "grant_type" in sent or "token" in sent:
            return GRANTS.get(sent.get("grant_type", [""])[0], "revocation")
        if "Authorization" in headers:
            endpoint = self.rp.provider.metadata(wait=False).userinfo_endpoint
            return "userinfo" if url == endpoint else "api"
        return "metadata" if url.endswith(METADATA_PATH) else "keys"

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
        messages.append(_browser_response(response, heard.parts, asks))
        if heard.failure:
            messages[-1]["failure"] = heard.failure
        if asks:
            messages.append(_message("authorization_request", "GET", location))
            sent = parse_qs(location.partition("?")[2]).get("state", [heard.pushed_state])
            state = _hash(sent[0])
            self._give(response, SIGN_IN, {"at": time.time(), "of": state, "messages": messages})
        elif "sign_out" in heard.parts and (found := LEADS_ON.search(response.get_data(True))):
            messages.append(_message("end_session_request", "GET", html.unescape(found[1])))
        if "sign_in" in heard.parts:
            before = self._take(SIGN_IN)
            if before and before["of"] == _hash(request.args.get("state", "")):
                messages = [*before["messages"], *messages]
                response.delete_cookie(SIGN_IN.name(self.rp), SIGN_IN.path)
        if heard.parts:
            episode = {"parts": sorted(heard.parts), "at": time.time(), "messages": messages}
            self._store(response, episode)

    def _store(self, response: Response, episode: Episode) -> None:
        session = current_session()
        if session.key is None:
            # A browser may be shared: nothing about the person stays behind in it.
            messages = [{**message, "tokens": {}} for message in episode["messages"]]
            self._give(response, LAST, {**episode, "messages": messages})
            return
        session[SESSION_KEY] = _with(session.get(SESSION_KEY, []), episode)
        session.commit()

    def episodes(self) -> list[Episode]:
        """Return what was recorded for this visitor, oldest first."""
        found = [*current_session().get(SESSION_KEY, []), self._take(LAST)]
        episodes: list[Episode] = []
        for episode in sorted(filter(None, found), key=lambda episode: episode["at"]):
            episodes = _with(episodes, episode)
        return episodes

    def _give(self, response: Response, cookie: Cookie, value: dict[str, Any]) -> None:
        """Set an encrypted cookie: the whole, or where that is too long, what the browser saw."""
        messages = value["messages"]
        seen = [each for each in messages if each["kind"].split("_")[0] not in BACK_CHANNEL]
        bare = [{**each, "headers": []} for each in seen]
        for some in (messages, seen, bare, bare[-1:]):
            plaintext = zlib.compress(json.dumps({**value, "messages": some}).encode())
            text = self.rp.encryptor.encrypt_text(plaintext, bound_to=cookie.use)
            if len(text) <= LONGEST_COOKIE:
                response.set_cookie(
                    cookie.name(self.rp), text, max_age=COOKIE_SECONDS, path=cookie.path,
                    secure=self.rp.settings.is_https, httponly=True, samesite="Lax",
                )  # fmt: skip
                return

    def _take(self, cookie: Cookie) -> dict[str, Any] | None:
        text = request.cookies.get(cookie.name(self.rp), "")
        plaintext = self.rp.encryptor.decrypt_text(text, bound_to=cookie.use)
        if plaintext is None:
            return None
        value: dict[str, Any] = json.loads(zlib.decompress(plaintext))
        return value if time.time() < value["at"] + COOKIE_SECONDS else None


def _with(episodes: list[Episode], new: Episode) -> list[Episode]:
    """The episodes with a new one, which takes the place of earlier ones of the same parts."""
    found = []
    for episode in episodes:
        if parts := [part for part in episode["parts"] if part not in new["parts"]]:
            found.append({**episode, "parts": parts})
    found.append(new)
    while found and len(json.dumps(found)) > MOST_BYTES:
        found.pop(0)
    return found


def _message(
    kind: str, method: str = "", url: str = "", form: str = "",
    headers: Iterable[tuple[str, str]] = (),
) -> Message:  # fmt: skip
    """A message as it may be stored; the parameters of its query are told apart from its URL."""
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
    """What is stored of a JSON response; an API's is not the flow's business."""
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


def _browser_response(response: Response, parts: set[str], asks: bool) -> Message:
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
