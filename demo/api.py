"""A sample API, protected by access tokens: the resource server of RFC 6750 and RFC 9068.

`python -m demo.api` serves it. All that it trusts is the issuer's key set.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import requests
from flask import Blueprint, Flask, Response, abort, current_app, jsonify, request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol, KeySet

from demo import control, sample_data, server
from demo.access_token import ProofChecker, TokenError, read_access_token
from demo.fault import Control, NamedFault
from demo.language import N_, _
from demo.site import create_site

bp = Blueprint("api", __name__)
bp.register_error_handler(TokenError, TokenError.response)

ALGORITHMS = ["RS256", "PS256", "ES256"]
FETCHES_A_MINUTE = 10
LISTS = ("appointments", "contacts")


RETRY_LATER, HTML = {"Retry-After": "5"}, {"Content-Type": "text/html"}
INVALID = {"WWW-Authenticate": 'Bearer error="invalid_token"'}
INSUFFICIENT = {"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="appointments"'}
ELSEWHERE = {"Location": "http://127.0.0.1:9/stolen"}


def fault(
    text: str, status: int | None = None, headers: dict[str, str] | None = None, **more: Any
) -> NamedFault:
    """What is wrong with the next response."""
    return text, {"at": "api", "status": status, "headers": headers or {}, **more}


FAULTS: dict[str, NamedFault] = {
    "api_401": fault("401 invalid_token", 401, INVALID),
    "api_403": fault("403 insufficient_scope", 403, INSUFFICIENT),
    "api_429": fault(N_("429, retry after 5 s"), 429, RETRY_LATER),
    "api_500": fault("500", 500, body='{"error": "said so"}'),
    "api_503": fault(N_("503, retry after 5 s"), 503, RETRY_LATER),
    "api_slow": fault(N_("3 seconds late"), delay_seconds=3),
    "api_hang": fault(N_("no answer"), delay_seconds=90, drop=True),
    "api_drop": fault(N_("drops the connection"), drop=True),
    "api_html": fault(N_("HTML instead of JSON"), 200, HTML, body="<h1>Hello</h1>"),
    "api_not_a_list": fault(N_("other JSON than expected"), 200, body='"surprise"'),
    "api_100_mb": fault(N_("a body of 100 MB"), body_bytes=100 * 1024 * 1024),
    "api_redirect": fault(N_("redirect to another host"), 302, ELSEWHERE),
}


class IssuerKeys:
    """The issuer's key set. It is fetched again for a `kid` that is not in it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self._lock = threading.Lock()
        self._keys: dict[str, KeySet] = {}
        self._fetched_at: deque[float] = deque(maxlen=FETCHES_A_MINUTE)

    def find(self, token: GuestProtocol) -> KeySet:
        """The key of a token. Throttled: invented ids must not make us hammer the issuer."""
        kid = token.headers()["kid"]
        with self._lock:
            recent = self._fetched_at
            may_fetch = len(recent) < FETCHES_A_MINUTE or time.monotonic() - recent[0] > 60
            if kid not in self._keys and may_fetch:
                recent.append(time.monotonic())
                self._keys = self._fetch()
            return self._keys[kid]

    def _fetch(self) -> dict[str, KeySet]:
        base = self.issuer.rstrip("/")
        metadata = _get_json(f"{base}/.well-known/openid-configuration")
        keys = KeySet.import_key_set(_get_json(metadata["jwks_uri"]))
        return {key.kid: KeySet([key]) for key in keys.keys if key.kid}


def _get_json(url: str) -> Any:
    response = requests.get(url, timeout=5)
    response.raise_for_status()
    return response.json()


class Api(Control):
    """What this API accepts and serves."""

    places = dict.fromkeys(("api.personal_list", "api.add_contact"), "api")

    def __init__(self, issuer: str, audience: str, serves: Sequence[str], dpop_nonce: bool) -> None:
        self.audience, self.serves, self.dpop_nonce = audience, serves, dpop_nonce
        self.keys, self.proofs = IssuerKeys(issuer), ProofChecker()
        super().__init__({N_("Every route of the API"): FAULTS})

    def reset(self) -> None:
        """Forget the added contacts, too."""
        super().reset()
        self.contacts = sample_data.Contacts()

    def verify_access_token(self, token: str) -> dict[str, Any]:
        """The claims of a valid access token (RFC 9068 section 4). Raises TokenError."""
        try:
            verified = jwt.decode(token, self.keys.find, algorithms=ALGORITHMS)
            # An ID token has the same issuer and the same signature, but another type.
            if str(verified.header.get("typ")).lower() not in ("at+jwt", "application/at+jwt"):
                raise ValueError("not an access token")
            jwt.JWTClaimsRegistry(
                leeway=0,
                iss={"essential": True, "value": self.keys.issuer},
                aud={"essential": True, "value": self.audience},
                sub={"essential": True},
                exp={"essential": True},
            ).validate(verified.claims)
        except (JoseError, ValueError, requests.RequestException, KeyError):
            raise TokenError(401, "invalid_token") from None
        return verified.claims

    def authorize(self, scope: str) -> str:
        """The `sub` of the request's access token, which must have the scope. Raises TokenError."""
        token = read_access_token()
        claims = self.verify_access_token(token)
        thumbprint = (claims.get("cnf") or {}).get("jkt")
        self.proofs.check_binding(token, thumbprint, needs_nonce=self.dpop_nonce)
        if scope not in str(claims.get("scope", "")).split():
            raise TokenError(403, "insufficient_scope", scope=scope)
        return str(claims["sub"])


@bp.get("/<any(appointments, contacts):name>")
def personal_list(name: str) -> Response:
    """`/appointments` and `/contacts`: what belongs to the person of the token."""
    api = the_api(name)
    sub = api.authorize(name)
    records = sample_data.appointments(sub) if name == "appointments" else api.contacts.find(sub)
    return jsonify({name: records})


@bp.post("/contacts")
def add_contact() -> Response | tuple[Response, int]:
    """Add a contact. With an `Idempotency-Key` a repeated request adds it once."""
    api = the_api("contacts")
    sub, values = api.authorize("contacts:write"), request.get_json(silent=True)
    if not isinstance(values, dict):
        return problem(400, "Send a JSON object.")
    try:
        contact = api.contacts.add(sub, values, request.headers.get("Idempotency-Key"))
    except sample_data.InvalidContact as error:
        return problem(422, "Some fields are wrong.", errors=error.errors)
    except KeyError:
        return problem(422, "This Idempotency-Key was used for another contact.")
    return jsonify(contact), 201


def the_api(name: str) -> Api:
    """This API, if it serves that list."""
    api: Api = current_app.extensions["demo"]
    if name not in api.serves:
        abort(Response('{"error": "not_found"}', 404, mimetype="application/json"))
    return api


def problem(status: int, title: str, **more: object) -> Response:
    """RFC 9457."""
    response = jsonify(title=title, status=status, **more)
    response.status_code, response.mimetype = status, "application/problem+json"
    return response


def create_app(
    issuer: str,
    audience: str,
    serves: Sequence[str] = LISTS,
    *,
    switches_on: bool = True,
    dpop_nonce: bool = False,
) -> Flask:
    """The API as a WSGI app; the switches under `/demo` are for loopback only."""
    app = create_site(Api(issuer, audience, serves, dpop_nonce), switches_on=switches_on)
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # of Flask's own JSON provider
    app.register_blueprint(bp)

    @app.context_processor
    def common() -> dict[str, str]:
        title = _("Demo API %(audience)s", audience=audience)
        return {"program": _("Demo API"), "title": title, "home": control.PATH}

    return app


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m demo.api", description=__doc__)
    server.add_arguments(parser, port=3002)
    parser.add_argument("--issuer", default="http://localhost:3001/")
    parser.add_argument("--audience", default="appointments:api")
    parser.add_argument("--serves", default=",".join(LISTS), help="default: %(default)s")
    nonce = "DPoP proofs need a nonce of the API"
    parser.add_argument("--dpop-nonce", action="store_true", help=nonce)
    options = parser.parse_args()

    server.serve(
        lambda: create_app(
            options.issuer,
            options.audience,
            options.serves.split(","),
            switches_on=not options.everywhere,
            dpop_nonce=options.dpop_nonce,
        ),
        options,
    )


if __name__ == "__main__":
    main()
