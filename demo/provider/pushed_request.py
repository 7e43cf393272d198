"""Pushed authorization requests (RFC 9126): the parameters come before the browser does."""

from __future__ import annotations

import time
from typing import Any

from authlib.consts import default_json_headers
from authlib.oauth2.rfc6749 import TokenEndpoint
from flask import g, request
from werkzeug.datastructures import MultiDict

from demo.language import _
from demo.provider.authorization_request import AuthorizationError, Parameters, check_request
from demo.provider.client_authentication import METHODS
from demo.provider.pages import PageError
from demo.provider.records import AuthorizationRequest, PushedRequest
from demo.provider.state import the_provider

PREFIX = "urn:ietf:params:oauth:request_uri:"
PUSHED_SECONDS = 60


class PushedAuthorization(TokenEndpoint):  # type: ignore[misc]  # Authlib has no types
    """The client authenticates itself and pushes the parameters; it gets a `request_uri`."""

    ENDPOINT_NAME = "pushed_authorization_request"
    CLIENT_AUTH_METHODS = METHODS

    def create_endpoint_response(self, oauth2_request: Any) -> tuple[int, dict[str, Any], Any]:
        """Check the request as the authorization endpoint would (section 2.1)."""
        client = self.authenticate_endpoint_client(oauth2_request)
        parameters: Parameters = MultiDict(request.form)
        if parameters.get("client_id", client.client_id) != client.client_id:
            raise AuthorizationError("invalid_request", "client_id is another client's")
        if parameters.get("redirect_uri") not in client.redirect_uris:
            raise AuthorizationError("invalid_request", "redirect_uri is not registered")
        parameters.setdefault("client_id", client.client_id)
        thumbprint = g.get("thumbprint")
        # RFC 9449 section 10.1: a proof says the same as `dpop_jkt`.
        if thumbprint and parameters.setdefault("dpop_jkt", thumbprint) != thumbprint:
            raise AuthorizationError("invalid_dpop_proof", "dpop_jkt is another key's")
        check_request(AuthorizationRequest(client, parameters["redirect_uri"], None), parameters)
        pushed = PushedRequest(client.client_id, parameters, time.time() + PUSHED_SECONDS)
        name = the_provider().store.pushed_requests.add(pushed)
        response = {"request_uri": f"{PREFIX}{name}", "expires_in": PUSHED_SECONDS}
        return 201, response, default_json_headers


def read_parameters(parameters: Parameters) -> Parameters:
    """The parameters of an authorization request, pushed or not. Raises PageError (section 4)."""
    request_uri = parameters.get("request_uri", "")
    if not request_uri.startswith(PREFIX):
        if the_provider().config.require_pushed_authorization_requests:
            raise PageError(_("The application has to push its request first (RFC 9126)."))
        return parameters
    pushed = the_provider().store.pushed_requests.pop(request_uri.removeprefix(PREFIX))
    if pushed is None or pushed.expires_at < time.time():
        raise PageError(_("This sign-in was already finished, or it took too long."))
    if pushed.client_id != parameters.get("client_id"):
        raise PageError(_("The request was pushed by another application."))
    return pushed.parameters
