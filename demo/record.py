"""What the record of requests keeps of each: enough to tell them apart, no secret."""

from __future__ import annotations

import hashlib
import time

from flask import request

from demo.fault import JsonObject

# Shown in the log as digests only, which is enough to see whether two are the same.
SECRET_FIELDS = {
    "code", "code_verifier", "client_secret", "client_assertion", "refresh_token", "token",
    "id_token_hint", "logout_token", "access_token",
}  # fmt: skip
LOGGED_HEADERS = (
    "Authorization",
    "Accept",
    "Content-Type",
    "Content-Length",
    "Origin",
    "User-Agent",
    "traceparent",
)


def log_entry(status: int) -> JsonObject:
    """The request that is being answered with `status`."""
    environ = request.environ
    return {
        "time": time.time(),
        "method": request.method,
        "path": request.path,
        "query": _without_secrets(request.args.to_dict(flat=False)),
        "form": _without_secrets(request.form.to_dict(flat=False)),
        "grant_type": request.form.get("grant_type"),
        "status": status,
        "connection": f"{environ.get('REMOTE_ADDR')}:{environ.get('REMOTE_PORT')}",
        "headers": {
            name: _digest_authorization(request.headers[name]) if name == "Authorization"
            else request.headers[name]
            for name in LOGGED_HEADERS
            if name in request.headers
        },
    }  # fmt: skip


def _without_secrets(values: dict[str, list[str]]) -> JsonObject:
    # A parameter that came once, the usual case, is shown as a plain string.
    shown = {k: [digest(v) for v in vs] if k in SECRET_FIELDS else vs for k, vs in values.items()}
    return {name: each[0] if len(each) == 1 else each for name, each in shown.items()}


def _digest_authorization(header: str) -> str:
    scheme, _, credentials = header.partition(" ")
    return f"{scheme} {digest(credentials)}"


def digest(value: str) -> str:
    """How the log shows a secret."""
    return "sha256:" + hashlib.sha256(value.encode(errors="surrogatepass")).hexdigest()[:16]
