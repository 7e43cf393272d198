"""Settings as the tests write them: the required ones, and what a test changes."""

from __future__ import annotations

import pytest

from config import Settings, SettingsError, load

REQUIRED = {
    "AUTH0_DOMAIN": "tenant.eu.auth0.com",
    "AUTH0_CLIENT_ID": "the-client-id",
    "AUTH0_CLIENT_SECRET": "the-client-secret",
    "APP_SECRET_KEY": "k" * 32,
}


def read(**changes: str) -> Settings:
    """Read the required settings and these."""
    [settings] = load({**REQUIRED, **changes}, Settings)
    assert isinstance(settings, Settings)
    return settings


def problems(**changes: str) -> list[str]:
    """Return what is wrong with the required settings and these."""
    with pytest.raises(SettingsError) as caught:
        read(**changes)
    return list(caught.value.args)
