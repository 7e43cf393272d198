"""Pushed authorization requests (RFC 9126): the parameters go to the provider by POST, and the
browser carries only a reference to them."""

from __future__ import annotations

from typing import Any

from .errors import Error
from .relying_party import RelyingParty
from .token_endpoint import authenticated_post, error_of


def push(rp: RelyingParty, params: dict[str, Any]) -> dict[str, Any]:
    """Push the parameters; return those that are left for the URL. Raises Error."""
    endpoint = rp.provider.metadata().pushed_authorization_request_endpoint
    if endpoint is None:
        raise Error("bad_metadata", "pushed_authorization_request_endpoint is missing")
    form = {name: str(value) for name, value in params.items() if value is not None}
    response = authenticated_post(rp, endpoint, form)
    request_uri = response.json_object().get("request_uri")
    if response.status not in (200, 201) or not isinstance(request_uri, str):
        raise Error("request_refused", f"pushed authorization request: {error_of(response)}")
    # FAPI 2.0 Security Profile section 5.3.3.1: these two alone.
    return {"client_id": params["client_id"], "request_uri": request_uri}
