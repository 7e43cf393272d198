"""What is inside the tokens: the ID token and the access token of a token response."""

from __future__ import annotations

import dataclasses
import secrets
import time
from typing import Any

from authlib.oidc.core.util import create_half_hash
from flask import g

from demo import action
from demo.fault import Fault
from demo.provider.config import OIDC_SCOPES
from demo.provider.hook import Api, Event
from demo.provider.keys import altered
from demo.provider.records import AccessToken, Grant, RefreshToken
from demo.provider.state import the_provider

Claims = dict[str, Any]


def issue_token_set(
    grant: Grant,
    grant_type: str,
    scope: tuple[str, ...],
    audience: str | None,
    *,
    nonce: str | None = None,
    with_refresh_token: bool,
) -> Claims:
    """The token response (RFC 6749 section 5.1, OIDC Core section 3.1.3.3)."""
    provider = the_provider()
    config = provider.config
    # Only the API scopes that this audience knows; the others are for other APIs.
    known = (*OIDC_SCOPES, *config.audiences.get(audience or "", ()))
    scope = tuple(each for each in scope if each in known)
    hook = run_hook(grant, scope, audience, grant_type)
    granted = tuple(dict.fromkeys((*scope, *hook.access_token.added_scopes)))

    access_token = create_access_token(grant, granted, audience, hook)
    response: Claims = {
        "access_token": access_token,
        "token_type": "DPoP" if g.get("thumbprint") else "Bearer",
        "expires_in": config.access_token_seconds,
        "scope": " ".join(filter(None, (config.scope_names.get(each, each) for each in granted))),
    }
    if "openid" in scope:
        claims = id_token_claims(grant, scope, access_token, nonce) | hook.id_token.custom_claims
        claims = altered(claims, config.id_token)
        if grant_type == "refresh_token":
            claims = altered(claims, config.refreshed_id_token)
        response["id_token"] = sign_id_token(grant.client_id, claims)
    if with_refresh_token:
        response["refresh_token"] = provider.store.refresh_tokens.add(RefreshToken(grant))
    return altered(response, config.token_response)


def sign_id_token(client_id: str, claims: Claims) -> str:
    """Sign as configured, or as a fault says."""
    provider, fault = the_provider(), g.get("fault")
    if provider.config.id_token_alg == "HS256":
        fault = dataclasses.replace(fault or Fault())
        fault.id_token_sign = fault.id_token_sign or "hs256_client_secret"
    client = provider.config.client(client_id)
    return provider.keys.sign_with_fault(claims, fault, client.client_secret if client else None)


def run_hook(grant: Grant, scope: tuple[str, ...], audience: str | None, grant_type: str) -> Api:
    """Run the sign-in hook, `demo/action.py`."""
    api, origin = Api(), the_provider().config.origin
    event = Event(
        user={"sub": grant.person.sub, **grant.person.claims(("profile", "email"), origin)},
        client_id=grant.client_id,
        requested_scopes=scope,
        audience=audience,
        organization=organization_claims(grant) or None,
        grant_type=grant_type,
    )
    action.on_sign_in(event, api)
    return api


def organization_claims(grant: Grant) -> dict[str, str]:
    """Auth0's claims for an organization: the id to compare exactly, the name to show."""
    organization = grant.organization
    return {"org_id": organization.id, "org_name": organization.name} if organization else {}


def id_token_claims(
    grant: Grant, scope: tuple[str, ...], access_token: str, nonce: str | None
) -> Claims:
    """OIDC Core section 2, and section 12.2 for a refreshed one: same `sub`, same `auth_time`."""
    provider, now = the_provider(), int(time.time())
    visible = scope if provider.config.claims_in_id_token else ()
    claims: Claims = {
        "iss": provider.config.issuer,
        **grant.person.claims(visible, provider.config.origin),
        "aud": grant.client_id,
        "iat": now,
        "exp": now + provider.config.id_token_seconds,
        "auth_time": grant.auth_time,
        # Back-Channel Logout section 2.4: names the session that a logout token may end.
        "sid": grant.sid,
        # OIDC Core section 3.1.3.6: binds the access token to this ID token.
        "at_hash": create_half_hash(access_token, provider.keys.alg).decode(),
        **organization_claims(grant),
    }
    if nonce is not None:
        claims["nonce"] = nonce
    if grant.acr:
        claims |= {"acr": grant.acr, "amr": ["mfa"]}
    return claims


def create_access_token(
    grant: Grant, scope: tuple[str, ...], audience: str | None, hook: Api
) -> str:
    """A JWT (RFC 9068) for an API; opaque where no audience was asked for, as with Auth0."""
    provider, now = the_provider(), int(time.time())
    seconds, thumbprint = provider.config.access_token_seconds, g.get("thumbprint")
    if audience is None:
        value = secrets.token_urlsafe(32)
    else:
        url = provider.config.url("/userinfo")
        userinfo = [url] if url and "openid" in scope else []
        claims = {
            "iss": provider.config.issuer,
            "sub": grant.person.sub,
            "aud": [audience, *userinfo] if userinfo else audience,
            "client_id": grant.client_id,
            "azp": grant.client_id,
            "iat": now,
            "exp": now + seconds,
            "jti": secrets.token_urlsafe(12),
            "scope": " ".join(scope),
            **({"cnf": {"jkt": thumbprint}} if thumbprint else {}),
            **organization_claims(grant),
            **hook.access_token.custom_claims,
        }
        # RFC 9068 section 2.1: the type keeps an ID token from passing for an access token.
        value = provider.keys.sign(claims, typ="at+jwt")
    token = AccessToken(grant, scope, thumbprint)
    return provider.store.access_tokens.add(token, value, seconds)
