"""An authorization request as the app sends it, and the demo provider's pages without a browser."""

from __future__ import annotations

from typing import Any

import requests

from tests.support.harness import APP, Provider

REQUEST = {
    "client_id": "demo-app",
    "redirect_uri": f"{APP}/callback",
    "response_type": "code",
    "scope": "openid profile appointments",
    "audience": "appointments:api",
    "code_challenge": "A" * 43,
    "code_challenge_method": "S256",
}


def open_page(provider: Provider, path: str, languages: str = "", **parameters: str) -> Any:
    """What a browser without cookies gets; `languages` is its Accept-Language."""
    url = f"{provider.issuer}{path}"
    headers = {"Accept-Language": languages}
    return requests.get(url, params=parameters, headers=headers, timeout=10)
