"""The programs of the demo: how each is started, and with which settings."""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

import config
from demo.server import BLUNT_OPTION
from demo.shapes import SHAPES

ROOT = Path(__file__).resolve().parent.parent
SEPARATE_AUDIENCES = {
    "appointments:api": ["appointments"],
    "contacts:api": ["contacts", "contacts:write"],
}
EMPTY_SETTINGS = dict.fromkeys(config.variables(config.Settings), "")
# A line leaves with its extra.
EXTRA_SETTINGS = {
    **{"LOG_FORMAT": "text", "METRICS_PORT": ""},  # operations
    **{"SHOW_FLOW": "1", "SHOW_FLOW_IN_PUBLIC": ""},  # flow
}
SECRET_FILE = ROOT / "instance" / "demo-secret"


@dataclass(frozen=True)
class Program:
    """One child process, and the path that answers when it is ready."""

    name: str
    command: list[str]
    port: int
    port_option: str
    ready_path: str = "/demo/stats"
    environment: dict[str, str] = field(default_factory=dict)


def programs(options: argparse.Namespace) -> list[Program]:
    """What to start, in this order: a program comes after those that it calls."""
    client_secret = secrets.token_urlsafe(32)
    issuer = f"http://localhost:{options.provider_port}{SHAPES[options.like].path}"
    settings = app_settings(options, issuer, client_secret)
    return [
        provider(options, issuer, client_secret),
        *sample_apis(options, issuer),
        app(options, settings),
    ]


def provider(options: argparse.Namespace, issuer: str, client_secret: str) -> Program:
    """The OpenID provider."""
    port, differences = options.provider_port, provider_config(options).items()
    chosen = [f"{k}={json.dumps(v)}" for k, v in differences] + options.provider_option
    command = [
        *(sys.executable, "-m", "demo.provider", "--port", str(port)),
        *("--issuer", issuer, "--app-base-url", f"http://localhost:{options.port}"),
        *(part for each in chosen for part in ("--set", each)),
        *((BLUNT_OPTION,) if options.everywhere else ()),
    ]
    secret = {"DEMO_CLIENT_SECRET": client_secret}
    return Program("provider", command, port, "--provider-port", environment=secret)


def sample_apis(options: argparse.Namespace, issuer: str) -> list[Program]:
    """One API that serves everything, or two that share it.

    Only the app calls them, so they always stay on loopback.
    """
    first, second = (options.api_port, "--api-port"), (options.contacts_port, "--contacts-port")
    apis = [("API", "appointments:api", "appointments,contacts", *first)]
    if options.separate_contacts_api:
        apis = [
            ("API", "appointments:api", "appointments", *first),
            ("contacts API", "contacts:api", "contacts", *second),
        ]
    command = [sys.executable, "-m", "demo.api", "--issuer", issuer]
    return [
        Program(
            name,
            [*command, "--port", str(port), "--audience", audience, "--serves", serves],
            *(port, port_option),
        )
        for name, audience, serves, port, port_option in apis
    ]


def app(options: argparse.Namespace, settings: dict[str, str]) -> Program:
    """The app, as production runs it."""
    # The command line's address wins over gunicorn.conf.py: the demo listens on loopback only.
    host = "0.0.0.0" if options.everywhere else "127.0.0.1"  # noqa: S104  # asked for, bluntly
    command = [
        *(sys.executable, "-m", "gunicorn", "--config", "gunicorn.conf.py"),
        *("--bind", f"{host}:{options.port}", "--log-level", "warning", "app:create_app()"),
    ]
    return Program("app", command, options.port, "--port", "/healthz", settings)


def provider_config(options: argparse.Namespace) -> dict[str, object]:
    """What differs from the provider's own defaults."""
    two, origin = options.separate_contacts_api, f"http://localhost:{options.provider_port}"
    ports = [options.api_port, options.contacts_port] if two else [options.api_port]
    return {
        "access_token_seconds": options.access_token_seconds,
        "rotation": not options.no_rotation,
        "ask_organization": options.ask_organization,
        "api_urls": [f"http://localhost:{port}/demo" for port in ports],
        **({"audiences": SEPARATE_AUDIENCES} if two else {}),
        **json.loads(json.dumps(SHAPES[options.like].options).replace("ORIGIN", origin)),
    }


def app_settings(options: argparse.Namespace, issuer: str, client_secret: str) -> dict[str, str]:
    """Every setting of the app: one that is set, even to nothing, is not read from `.env`."""
    two, settings = options.separate_contacts_api, (each.partition("=") for each in options.setting)
    return {
        **EMPTY_SETTINGS,
        **EXTRA_SETTINGS,
        "AUTH0_DOMAIN": issuer,
        "AUTH0_CLIENT_ID": "demo-app",
        "AUTH0_CLIENT_SECRET": client_secret,
        "AUTH0_AUDIENCE": "appointments:api",
        "AUTH0_SCOPE": "openid profile email offline_access appointments contacts",
        "API_BASE_URL": f"http://localhost:{options.api_port}",
        "CONTACTS_API_BASE_URL": f"http://localhost:{options.contacts_port}" if two else "",
        "CONTACTS_AUDIENCE": "contacts:api" if two else "",
        "APP_BASE_URL": f"http://localhost:{options.port}",
        "APP_SECRET_KEY": read_or_create_secret(),
        "PICTURE_HOSTS": f"localhost:{options.provider_port}",
        "PORT": str(options.port),
        **SHAPES[options.like].settings,
        **{name: value for name, _, value in settings},
    }


def read_or_create_secret() -> str:
    """This machine's secret, kept in a file so that a restart of the demo signs nobody out."""
    with contextlib.suppress(FileNotFoundError):
        secret = SECRET_FILE.read_text().strip()
        if len(secret) >= 32:
            return secret
        SECRET_FILE.unlink()
    SECRET_FILE.parent.mkdir(mode=0o700, exist_ok=True)
    secret = secrets.token_urlsafe(48)
    SECRET_FILE.touch(mode=0o600, exist_ok=False)
    SECRET_FILE.write_text(secret + "\n")
    return secret
