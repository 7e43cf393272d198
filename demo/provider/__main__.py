"""`python -m demo.provider`: the provider as a program of its own."""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any

from demo import server
from demo.provider import create_app
from demo.provider.config import ConfigError, ProviderConfig, demo_config


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.provider", description=__doc__)
    server.add_arguments(parser, port=3001)
    add = parser.add_argument
    add("--issuer", help="default: http://localhost:PORT/")
    add("--app-base-url", default="http://localhost:3000")
    secret = "of the client demo-app; default: $DEMO_CLIENT_SECRET, or random and printed"
    add("--client-secret", default=os.environ.get("DEMO_CLIENT_SECRET"), help=secret)
    add("--config", type=Path, help="JSON file with any fields of ProviderConfig")
    one = "one field, such as rotation=false or access_token_seconds=30"
    add("--set", action="append", default=[], metavar="NAME=JSON", help=one)
    return parser.parse_args()


def read_config(options: argparse.Namespace) -> ProviderConfig:
    """Defaults, then the file, then `--set`."""
    secret = options.client_secret
    values: dict[str, Any] = json.loads(options.config.read_text() if options.config else "{}")
    if not secret and "clients" not in values:
        secret = secrets.token_urlsafe(32)
        print(f"client_id demo-app, client_secret {secret}", file=sys.stderr)
    issuer = values.pop("issuer", None)
    config = demo_config(
        port=options.port,
        app_base_url=options.app_base_url,
        client_secret=secret or "",
        issuer=options.issuer or issuer,
    )
    for each in options.set:
        name, _, value = each.partition("=")
        values[name] = json.loads(value)
    return config.changed(values)


def main() -> None:
    """Serve until told to stop."""
    options = parse_arguments()
    try:
        config = read_config(options)
    except (ConfigError, OSError, TypeError, ValueError) as error:
        sys.exit(f"The provider's configuration: {error}")
    server.serve(lambda: create_app(config, switches_on=not options.everywhere), options)


if __name__ == "__main__":
    main()
