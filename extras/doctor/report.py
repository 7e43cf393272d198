"""The examination, and how it is told: to a person, or to a script."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import click
from flask import Flask

from auth import Error
from auth.errors import PAGES
from config import is_loopback
from sessions import StoreUnavailable

from . import client, place, provider
from .examination import Examination, Finding, note, ok, quoted, wrong

Check = Callable[[Examination], Iterator[Finding]]
COLUMN = 22
# Where one of these finds something wrong, the later ones would find its consequences.
CAUSES = (provider.issuer, provider.endpoints, client.client_authentication)


def examine(make_app: Callable[[], Flask], sub: str | None) -> list[Finding]:
    """Run all checks, up to a cause: a provider that does not answer is asked no more, and one that
    refuses the client is asked nothing in its name."""
    try:
        app = make_app()
    except SystemExit as stopped:  # one line for each problem, which says what to write
        parts = (text.partition(" Write: ") for text in str(stopped.code).splitlines())
        return [wrong("settings", text, write and f"write {write}") for text, _, write in parts]
    # What is refused on the way is a finding, and no line of the log.
    logging.disable()
    try:
        with app.app_context():
            exam = Examination(app, sub)
            settings = ok("settings", "every variable can be read")
            return [settings, *_of_provider(exam), *_of_app(exam)]
    finally:
        logging.disable(logging.NOTSET)


def _of_provider(exam: Examination) -> Iterator[Finding]:
    for check in (*provider.CHECKS, *client.CHECKS):
        findings = _run(check, exam)
        yield from findings
        if check in CAUSES and any(each.verdict == "wrong" for each in findings):
            yield note("more", "what else is asked of the provider comes when this is right")
            return


def _of_app(exam: Examination) -> Iterator[Finding]:
    for check in place.CHECKS:
        yield from _run(check, exam)
    is_on_this_machine = is_loopback(urlsplit(exam.settings.app_base_url).hostname)
    for each in (finding for check in place.PRODUCTION for finding in _run(check, exam)):
        # What production demands is no fault here; a store that is away is.
        if is_on_this_machine and each.verdict == "wrong" and each.text != "no answer":
            yield note(each.subject, f"before production: {each.text}", each.change)
        else:
            yield each


def _run(check: Check, exam: Examination) -> list[Finding]:
    subject = check.__name__.replace("_", " ")
    try:
        return list(check(exam))
    except Error as error:
        return [wrong(subject, str(PAGES[error.code].title), quoted(error.detail))]
    except StoreUnavailable as error:
        change = "SESSION_REDIS_URL (or, without it, who may write in instance/)"
        return [wrong(subject, "no answer", f"{change}; the store said {quoted(error)}")]


def show(findings: list[Finding], *, as_json: bool) -> int:
    """Print the findings; return the exit code, 1 where something has to be changed."""
    count = Counter(each.verdict for each in findings)
    if as_json:
        told = {"ok": not count["wrong"], "findings": [each._asdict() for each in findings]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for each in findings:
            click.echo(f"{each.verdict:<6} {each.subject:<{COLUMN}} {each.text}")
            if each.change:
                click.echo(f"{'':<{7 + COLUMN}} Change: {each.change}")
        sums = f"{count['wrong']} to change, {count['note']} to know, {count['ok']} right."
        click.echo(f"\n{sums}")
    return 1 if count["wrong"] else 0
