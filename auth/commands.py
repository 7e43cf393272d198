"""`flask sessions list` and `flask sessions end`, for the people who run the app."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import click
from flask.cli import AppGroup

from sessions import StoredSession, StoreUnavailable, session_records

from .logout import end_sessions
from .relying_party import relying_party
from .token_set import SignIn

commands = AppGroup("sessions", help="Look at a person's sessions, or end them.")
sub_option = click.option("--sub", required=True, help="The person, as `sub` of the ID token says.")


@commands.command("list")
@sub_option
def list_sessions(sub: str) -> None:
    """List when a person's sessions began, when they were last used, and by which browser."""
    with _one_line_errors():
        found = _sessions_of(sub)
    for session in sorted(found, key=lambda each: each.record.seen_at, reverse=True):
        sign_in = SignIn.from_session(session.data)
        # The browser chose this text, and a terminal obeys control characters.
        browser = "".join(c for c in sign_in.browser if c.isprintable()) if sign_in else ""
        last_used = _moment(session.record.seen_at)
        click.echo(f"begun {_moment(session.started_at)}  last used {last_used}  {browser}")
    click.echo(f"Sessions: {len(found)}")


@commands.command("end")
@sub_option
def end(sub: str) -> None:
    """End all sessions of a person and revoke their refresh tokens."""
    with _one_line_errors():
        count = end_sessions(_sessions_of(sub))
    click.echo(f"Sessions ended: {count}")


def _sessions_of(sub: str) -> list[StoredSession]:
    return session_records().all_with(relying_party().ref("sub", sub))


def _moment(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise click.ClickException(f"The session store cannot be used now: {error}") from None
