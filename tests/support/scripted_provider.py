"""An OpenID provider in a thread that answers what a test tells it to.

For lies that the demo is too polite for. It shares the clock of the app under test.
"""

from __future__ import annotations

import base64
import hmac
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from flask import Flask
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from tests.support.harness import Browser, Person

LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
SECRETS = {
    "access_token": "the-access-token-1234567890",
    "refresh_token": "the-refresh-token-1234567890",
}


class Gone:
    """In place of a value: the claim or member is left out."""

    def __repr__(self) -> str:
        return "missing"


GONE = Gone()

Handler = BaseHTTPRequestHandler
Script = Callable[[Handler], None]


def key_for_alg(alg: str, number: int = 0) -> Any:
    """A private key for an algorithm; another one for another number."""
    return _generated(alg, number)


@cache
def _generated(alg: str, number: int) -> Any:
    kid = {"kid": f"{alg}-{number}"}
    if alg.startswith("ES"):
        curve = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg]
        return ECKey.generate_key(curve, kid, private=True)
    if alg.startswith("Ed"):
        return OKPKey.generate_key("Ed25519", kid, private=True)
    return RSAKey.generate_key(2048, kid, private=True)


def public(key: Any, **members: Any) -> dict[str, Any]:
    """What a key set shows of a key."""
    return changed(key.as_dict(private=False), members)


def changed(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**values, **changes}.items() if value is not GONE}


def segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(
    payload: dict[str, Any] | bytes,
    key: Any,
    alg: str = "ES256",
    header: dict[str, Any] | None = None,
) -> str:
    """A JWS over claims, or over bytes as they are."""
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    whole = changed({"alg": alg, "typ": "JWT", "kid": key.kid}, header or {})
    signing_input = f"{segment(json.dumps(whole).encode())}.{segment(data)}"
    name = "Ed25519" if alg == "EdDSA" else alg  # its older name
    signature = jws.JWSRegistry(algorithms=[name]).get_alg(name).sign(signing_input.encode(), key)
    return f"{signing_input}.{segment(signature)}"


def unsigned(header: Any, claims: dict[str, Any], signature: str = "") -> str:
    parts = (segment(json.dumps(part).encode()) for part in (header, claims))
    return f"{'.'.join(parts)}.{signature}"


def with_mac(claims: dict[str, Any], key: bytes, alg: str = "HS256") -> str:
    token = unsigned({"alg": alg, "kid": "ES256-0"}, claims)[:-1]
    return f"{token}.{segment(hmac.digest(key, token.encode(), f'sha{alg[2:]}'))}"


class ScriptedProvider:
    """Honest until told otherwise.

    `claims`, `token`, `metadata` change what it says, `token_sent_as` how it says it, `keys` is
    what it publishes, `key` and `alg` what it signs with, `scripts` answer in its place.
    """

    def __init__(self) -> None:
        self.alg = "ES256"
        self.key = key_for_alg("ES256")
        self.keys: list[Any] = [public(self.key)]
        self.claims: dict[str, Any] = {}
        self.token: dict[str, Any] = {}
        self.token_sent_as: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.id_token: Callable[[dict[str, Any]], Any] = lambda claims: sign(
            claims, self.key, self.alg
        )
        self.scripts: dict[str, Script] = {}
        self.asked: Counter[str] = Counter()
        self.forms: list[dict[str, str]] = []
        self.over = threading.Event()
        self._nonces: dict[str, str] = {}
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._answer(self)

            do_POST = do_GET

            def log_message(self, *_: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                pass  # the app hung up, as it should

        self._server: Any = Server(("127.0.0.1", 0), Answers)
        self._server.over = self.over
        self.base_url = f"http://127.0.0.1:{self._server.server_port}"
        self.issuer = f"{self.base_url}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> ScriptedProvider:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answers(self, url: str, who: str = "scripted|ada", **parameters: Any) -> str:
        """What the browser is redirected to after an authorization request; a list as a value
        sends a parameter several times."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        code = f"code-of-{asked['state']}"
        self._nonces[code] = asked["nonce"]
        response = {"code": code, "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(changed(response, parameters), doseq=True)}"

    def id_token_claims(self, nonce: str = "") -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "sub": "scripted|ada",
            "aud": "demo-app",
            "iat": now,
            "exp": now + 300,
            "nonce": nonce,
            "sid": "sid-1",
            "name": "Ada",
        }
        return changed(claims, self.claims)

    def logout_token(
        self, claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None
    ) -> str:
        """A right logout token, but for what is changed."""
        now = int(time.time())
        whole = {
            "iss": self.issuer,
            "aud": "demo-app",
            "iat": now,
            "exp": now + 120,
            "jti": f"jti-{time.perf_counter_ns()}",
            "events": {LOGOUT_EVENT: {}},
            "sub": "scripted|ada",
            "sid": "sid-1",
        }
        return sign(
            changed(whole, claims or {}),
            self.key,
            self.alg,
            {"typ": "logout+jwt", **(header or {})},
        )

    def _answer(self, handler: Handler) -> None:
        form = handler.rfile.read(int(handler.headers.get("Content-Length") or 0)).decode()
        name = handler.path.rpartition("/")[2].partition("?")[0]
        self.asked[name] += 1
        if name == "token":
            self.forms.append({key: values[0] for key, values in parse_qs(form).items()})
        if name in self.scripts:
            self.scripts[name](handler)
        elif name == "openid-configuration":
            send(handler, self.whole_metadata())
        elif name == "jwks":
            send(handler, {"keys": self.keys})
        elif name == "token":
            send(handler, self._token_response(self.forms[-1]), **self.token_sent_as)
        else:
            send(handler, {}, 404)

    def whole_metadata(self) -> dict[str, Any]:
        """What it says about itself."""
        metadata = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.base_url}/authorize",
            "token_endpoint": f"{self.base_url}/token",
            "jwks_uri": f"{self.base_url}/jwks",
            "authorization_response_iss_parameter_supported": True,
        }
        return changed(metadata, self.metadata)

    def _token_response(self, form: dict[str, str]) -> dict[str, Any]:
        claims = self.id_token_claims(self._nonces.get(form.get("code", ""), ""))
        response = {
            **SECRETS,
            "token_type": "Bearer",
            "expires_in": 3600,
            "id_token": self.id_token(claims),
        }
        return changed(response, self.token)


def send(
    handler: Handler,
    body: dict[str, Any] | bytes,
    status: int = 200,
    content_type: str = "application/json",
    **headers: str,
) -> None:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    for name, value in {"Content-Type": content_type, **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(data)


def says(*args: Any, **kwargs: Any) -> Script:
    """A script that sends this answer."""
    return lambda handler: send(handler, *args, **kwargs)


def visitor_of(app: Flask, provider: ScriptedProvider) -> Person:
    """Somebody in front of the app who signs in at the scripted provider."""
    person = Person(Browser(app))
    person.provider = provider  # type: ignore[assignment]  # it answers the same question
    return person
