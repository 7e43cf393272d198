"""The examination, and how it is told: to a person, or to a script."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator

import click
from flask import Flask

from auth import Error
from auth.http_client import NoResponse, ResponseTooLarge
from sessions import StoreUnavailable

from . import client, place, provider
from .examination import Examination
from .finding import Finding, note, ok, quoted, wrong

Check = Callable[[Examination], Iterator[Finding]]
VERDICTS = ("ok", "note", "wrong")
COLUMN = 22


def examine(app: Flask, sub: str | None = None) -> list[Finding]:
    """Run all checks, up to a cause: a provider that does not answer is asked no more, and one that
    refuses the client is asked nothing in its name."""
    # What is refused on the way is a finding, and no line of the log.
    logging.disable()
    try:
        with app.app_context():
            exam = Examination.of_app(app, sub)
            settings = ok("settings", "every variable can be read")
            return [settings, *_of_provider(exam), *_of_app(exam)]
    finally:
        logging.disable(logging.NOTSET)


def _of_provider(exam: Examination) -> Iterator[Finding]:
    for checks in (provider.ISSUER, provider.ENDPOINTS, provider.CHECKS, client.CREDENTIALS):
        findings = [finding for check in checks for finding in _run(check, exam)]
        yield from findings
        is_cause = checks is not provider.CHECKS
        if is_cause and any(each.verdict == "wrong" for each in findings):
            yield note("more", "what else is asked of the provider comes when this is right")
            return
    for check in client.CHECKS:
        yield from _run(check, exam)


def _of_app(exam: Examination) -> Iterator[Finding]:
    for check in place.CHECKS:
        yield from _run(check, exam)
    for check in place.PRODUCTION:
        for finding in _run(check, exam):
            yield _for_later(finding) if exam.is_on_this_machine else finding


def _run(check: Check, exam: Examination) -> list[Finding]:
    subject = check.__name__.replace("_", " ")
    try:
        return list(check(exam))
    except Error as error:
        return [wrong(subject, str(error.page.title), quoted(error.detail))]
    except (NoResponse, ResponseTooLarge, StoreUnavailable) as error:
        return [wrong(subject, "no answer", quoted(error))]


def _for_later(finding: Finding) -> Finding:
    """On this machine alone, what production demands is no fault; a store that is away is."""
    if finding.verdict != "wrong" or finding.text == "no answer":
        return finding
    return note(finding.subject, f"before production: {finding.text}", finding.change)


def show(findings: list[Finding], *, as_json: bool) -> int:
    """Print the findings; return the exit code, 1 where something has to be changed."""
    count = {verdict: sum(each.verdict == verdict for each in findings) for verdict in VERDICTS}
    if as_json:
        told = {"ok": not count["wrong"], "findings": [each._asdict() for each in findings]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        for each in findings:
            click.echo(f"{each.verdict:<6} {each.subject:<{COLUMN}} {each.text}")
            if each.change:
                click.echo(f"{'':<{7 + COLUMN}} Change: {each.change}")
        click.echo(f"\n{count['wrong']} to change, {count['note']} to know, {count['ok']} right.")
    return 1 if count["wrong"] else 0
