"""A sample API, protected by access tokens: the resource server of RFC 6750 and RFC 9068.

`python -m demo.api` serves it. All that it trusts is the issuer's key set.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import requests
from flask import Blueprint, Flask, Response, current_app, jsonify, request
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from demo import control, language, sample_data, server
from demo.fault import Control
from demo.headers import set_security_headers
from demo.language import N_, _

bp = Blueprint("api", __name__)

ALGORITHMS = ["RS256", "PS256", "ES256"]
FETCHES_A_MINUTE = 10
SCOPES: dict[str, Callable[[str], list[Any]]] = {
    "appointments": sample_data.appointments,
    "contacts": sample_data.contacts,
}
ANSWER = '{"error": "said so"}'
FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "api_401": (
        "401 invalid_token",
        {"status": 401, "headers": {"WWW-Authenticate": 'Bearer error="invalid_token"'}},
    ),
    "api_403": (
        "403 insufficient_scope",
        {
            "status": 403,
            "headers": {
                "WWW-Authenticate": 'Bearer error="insufficient_scope", scope="appointments"'
            },
        },
    ),
    "api_429": (N_("429, retry after 5 s"), {"status": 429, "headers": {"Retry-After": "5"}}),
    "api_500": ("500", {"status": 500, "body": ANSWER}),
    "api_503": (N_("503, retry after 5 s"), {"status": 503, "headers": {"Retry-After": "5"}}),
    "api_slow": (N_("3 seconds late"), {"delay_seconds": 3}),
    "api_hang": (N_("no answer"), {"delay_seconds": 90, "drop": True}),
    "api_drop": (N_("drops the connection"), {"drop": True}),
    "api_html": (
        N_("HTML instead of JSON"),
        {"status": 200, "body": "<h1>Hello</h1>", "headers": {"Content-Type": "text/html"}},
    ),
    "api_not_a_list": (N_("other JSON than expected"), {"status": 200, "body": '"surprise"'}),
    "api_100_mb": (N_("a body of 100 MB"), {"body_bytes": 100 * 1024 * 1024}),
    "api_redirect": (
        N_("redirect to another host"),
        {"status": 302, "headers": {"Location": "http://127.0.0.1:9/stolen"}},
    ),
}


class BearerError(Exception):
    """The token was refused (RFC 6750 section 3.1)."""

    def __init__(self, status: int, error: str = "", scope: str = "") -> None:
        super().__init__(error)
        self.status = status
        self.error = error
        self.scope = scope

    def response(self) -> Response:
        """RFC 6750 section 3: no error code where the request had no token at all."""
        parts = [f'error="{self.error}"'] if self.error else []
        parts += [f'scope="{self.scope}"'] if self.scope else []
        response = jsonify(error=self.error) if self.error else jsonify({})
        response.status_code = self.status
        response.headers["WWW-Authenticate"] = f"Bearer {', '.join(parts)}".strip()
        return response


class IssuerKeys:
    """The issuer's key set, fetched at need: a new `kid` is rotation, or someone's invention."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._lock = threading.Lock()
        self._keys: dict[str, KeySet] = {}
        self._fetched_at: deque[float] = deque(maxlen=FETCHES_A_MINUTE)

    def find(self, kid: str) -> KeySet | None:
        """The key of that id. Throttled, so that invented ids cannot make us hammer the issuer."""
        with self._lock:
            if kid not in self._keys and self._may_fetch():
                self._fetched_at.append(time.monotonic())
                self._keys = self._fetch()
            return self._keys.get(kid)

    def _may_fetch(self) -> bool:
        recent = self._fetched_at
        return len(recent) < FETCHES_A_MINUTE or time.monotonic() - recent[0] > 60

    def _fetch(self) -> dict[str, KeySet]:
        base = self.issuer.rstrip("/")
        metadata = _get_json(f"{base}/.well-known/openid-configuration")
        keys = KeySet.import_key_set(_get_json(metadata["jwks_uri"]))  # type: ignore[arg-type]  # a dict
        return {key.kid: KeySet([key]) for key in keys.keys if key.kid}


def _get_json(url: str) -> dict[str, Any]:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    values: dict[str, Any] = response.json()
    return values


def verify_access_token(audience: str, keys: IssuerKeys, token: str) -> dict[str, Any]:
    """The claims of a good access token (RFC 9068 section 4). Raises BearerError."""
    try:
        kid = jws.extract_compact(token.encode()).headers().get("kid")
        key = keys.find(kid) if isinstance(kid, str) else None
        if key is None:
            raise BearerError(401, "invalid_token")
        verified = jwt.decode(token, key, algorithms=ALGORITHMS)
        jwt.JWTClaimsRegistry(
            leeway=0,
            iss={"essential": True, "value": keys.issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        ).validate(verified.claims)
    except (JoseError, ValueError, requests.RequestException, KeyError):
        raise BearerError(401, "invalid_token") from None
    # An ID token has the same issuer and the same signature; only its type gives it away.
    if str(verified.header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
        raise BearerError(401, "invalid_token")
    return verified.claims


@bp.get("/<any(appointments, contacts):name>")
def personal_list(name: str) -> Response:
    """`/appointments` and `/contacts`: what belongs to the person of the token."""
    config = current_app.extensions["demo_api"]
    if name not in config["serves"]:
        return Response('{"error": "not_found"}', 404, mimetype="application/json")
    # Only the header: in a URL the token would be in every log (RFC 6750 section 2.3).
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise BearerError(401)
    claims = verify_access_token(config["audience"], config["keys"], token.strip())
    if name not in str(claims.get("scope", "")).split():
        raise BearerError(403, "insufficient_scope", scope=name)
    response = jsonify({name: SCOPES[name](claims["sub"])})
    response.headers["Cache-Control"] = "no-store"
    return response


def create_app(
    issuer: str, audience: str, serves: tuple[str, ...] = tuple(SCOPES), *, switches_on: bool = True
) -> Flask:
    """The API as a WSGI app; the switches under `/demo` are for loopback only."""
    app = Flask("demo", static_url_path="/static", template_folder="templates")
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's own JSON provider
    app.extensions["demo_api"] = {
        "audience": audience,
        "serves": serves,
        "keys": IssuerKeys(issuer),
    }
    app.register_blueprint(bp)
    app.register_error_handler(BearerError, BearerError.response)
    app.after_request(set_security_headers)
    language.init_app(app)

    @app.context_processor
    def common() -> dict[str, str]:
        title = _("Demo API %(audience)s", audience=audience)
        return {"program": _("Demo API"), "title": title, "home": "/demo"}

    places = {"api.personal_list": "api"}
    faults = {name: (text, {"at": "api", **fault}) for name, (text, fault) in FAULTS.items()}
    switches = Control(faults)
    control.init_app(app, switches, places, switches=switches_on)
    return app


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m demo.api", description=__doc__)
    server.add_arguments(parser, port=3002)
    parser.add_argument("--issuer", default="http://localhost:3001/")
    parser.add_argument("--audience", default="appointments:api")
    parser.add_argument("--serves", default=",".join(SCOPES), help="default: %(default)s")
    options = parser.parse_args()
    host = server.listening_host(options)
    serves = tuple(options.serves.split(","))

    def load() -> Flask:
        on = not options.everywhere
        return create_app(options.issuer, options.audience, serves, switches_on=on)

    server.serve(load, host, options.port)


if __name__ == "__main__":
    main()
