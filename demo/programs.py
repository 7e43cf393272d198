"""The programs of the demo: how each is started, and with which settings."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from demo.server import BLUNT_OPTION

ROOT = Path(__file__).resolve().parent.parent
SECRET_FILE = ROOT / "instance" / "demo-secret"


@dataclass(frozen=True)
class Program:
    """One child process, and an address that answers once it serves."""

    name: str
    command: list[str]
    environment: dict[str, str]
    port: int
    port_option: str
    ready_path: str


def programs(options: argparse.Namespace) -> list[Program]:
    """What to start, in this order: what asks comes after what it asks."""
    client_secret = secrets.token_urlsafe(32)
    issuer = f"http://localhost:{options.provider_port}/"
    app_base_url = f"http://localhost:{options.port}"
    return [
        provider(options, app_base_url, client_secret),
        *sample_apis(options, issuer),
        app(options, app_settings(options, issuer, app_base_url, client_secret)),
    ]


def provider(options: argparse.Namespace, app_base_url: str, client_secret: str) -> Program:
    """The OpenID provider."""
    command = [
        *(sys.executable, "-m", "demo.provider", "--port", str(options.provider_port)),
        *("--app-base-url", app_base_url),
        *((BLUNT_OPTION,) if options.everywhere else ()),
    ]
    environment = {
        "DEMO_CLIENT_SECRET": client_secret,
        "DEMO_PROVIDER_CONFIG": json.dumps(provider_config(options)),
    }
    ready = "/.well-known/openid-configuration"
    return Program(
        "provider", command, environment, options.provider_port, "--provider-port", ready
    )


def sample_apis(options: argparse.Namespace, issuer: str) -> list[Program]:
    """One API that serves everything, or two that share it."""
    if not options.separate_contacts_api:
        return [sample_api("API", issuer, "appointments:api", options.api_port, "--api-port")]
    own, other = (options.api_port, "--api-port"), (options.contacts_port, "--contacts-port")
    return [
        sample_api("API", issuer, "appointments:api", *own, serves="appointments"),
        sample_api("contacts API", issuer, "contacts:api", *other, serves="contacts"),
    ]


def sample_api(
    name: str, issuer: str, audience: str, port: int, port_option: str, serves: str = ""
) -> Program:
    """A sample API. Only the app calls it, so it stays on loopback whatever the others do."""
    command = [
        *(sys.executable, "-m", "demo.api", "--issuer", issuer),
        *("--port", str(port), "--audience", audience),
        *(("--serves", serves) if serves else ()),
    ]
    return Program(name, command, {}, port, port_option, "/demo/stats")


def app(options: argparse.Namespace, settings: dict[str, str]) -> Program:
    """The app, as production runs it."""
    # The command line's address wins over gunicorn.conf.py: the demo listens on loopback only.
    host = "0.0.0.0" if options.everywhere else "127.0.0.1"  # noqa: S104  # asked for, bluntly
    command = [
        *(sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"),
        *("--bind", f"{host}:{options.port}", "--log-level", "warning", "app:create_app()"),
    ]
    return Program("app", command, settings, options.port, "--port", "/healthz")


def provider_config(options: argparse.Namespace) -> dict[str, object]:
    """What differs from the provider's own defaults."""
    config: dict[str, object] = {
        "access_token_seconds": options.access_token_seconds,
        "rotation": not options.no_rotation,
        "ask_organization": options.ask_organization,
        "api_urls": [f"http://localhost:{options.api_port}/demo"],
    }
    if options.separate_contacts_api:
        config["api_urls"] = [
            f"http://localhost:{port}/demo" for port in (options.api_port, options.contacts_port)
        ]
        config["audiences"] = {
            "appointments:api": ["appointments"],
            "contacts:api": ["contacts"],
        }
    return config


def app_settings(
    options: argparse.Namespace, issuer: str, app_base_url: str, client_secret: str
) -> dict[str, str]:
    """Every setting of the app. None is left out: a variable that is set, even to nothing, is what
    keeps a `.env` on disk from leaking into the demo.
    """
    separate = options.separate_contacts_api
    return {
        "AUTH0_DOMAIN": issuer,
        "AUTH0_CLIENT_ID": "demo-app",
        "AUTH0_CLIENT_SECRET": client_secret,
        "AUTH0_CLIENT_SIGNING_KEY": "",
        "AUTH0_AUDIENCE": "appointments:api",
        "AUTH0_SCOPE": "openid profile email offline_access appointments contacts",
        "AUTH0_ORGANIZATION": "",
        "AUTH0_AUTHORIZE_PARAMS": "",
        "API_BASE_URL": f"http://localhost:{options.api_port}",
        "CONTACTS_API_BASE_URL": f"http://localhost:{options.contacts_port}" if separate else "",
        "CONTACTS_AUDIENCE": "contacts:api" if separate else "",
        "APP_BASE_URL": app_base_url,
        "APP_SECRET_KEY": read_or_create_secret(),
        "SESSION_REDIS_URL": "",
        "SESSION_IDLE_SECONDS": "",
        "SESSION_ABSOLUTE_SECONDS": "",
        "TRUSTED_PROXY_HOPS": "",
        "SHOW_FLOW": "1",
        "PICTURE_HOSTS": f"localhost:{options.provider_port}",
        "LOG_FORMAT": "text",
        "METRICS_PORT": "",
        "SHOW_FLOW_IN_PUBLIC": "",
        "PORT": str(options.port),
    }


def read_or_create_secret() -> str:
    """This machine's secret: kept, so that a restart of the demo signs nobody out."""
    with contextlib.suppress(FileNotFoundError):
        secret = SECRET_FILE.read_text().strip()
        if len(secret) >= 32:
            return secret
        SECRET_FILE.unlink()
    SECRET_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    secret = secrets.token_urlsafe(48)
    descriptor = os.open(SECRET_FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secret + "\n")
    return secret
