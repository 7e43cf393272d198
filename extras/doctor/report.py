"""The examination, and how it is told: to a person, or to a script."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import cast

from auth.outbound import AnswerTooLarge, NoAnswer
from flask import Flask

from auth.errors import Problem
from auth.relying_party import RelyingParty
from sessions import SessionInterface, StoreUnavailable

from . import place, provider
from .case import Case
from .line import Line, note, ok, quoted, wrong

Check = Callable[[Case], Iterator[Line]]
COLUMN = 22


def examine(app: Flask) -> list[Line]:
    """Run all checks, up to a cause: a provider that does not answer is asked no more, and one that
    refuses the client is asked nothing in its name."""
    rp = cast(RelyingParty, app.extensions["relying_party"])
    answer = None
    try:
        url = f"{rp.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
        answer = rp.outbound.get(url)
    except (NoAnswer, AnswerTooLarge):
        pass
    metadata = answer.json_object() if answer and answer.status == 200 else {}
    store = cast(SessionInterface, app.session_interface).store
    case = Case(rp, store, metadata, answer)
    lines = [ok("settings", "every variable can be read")]
    lines += list(provider.issuer(case))
    if lines[-1].verdict == "ok":
        lines += [line for check in provider.CHECKS for line in _lines(check, case)]
        if lines[-1].verdict == "wrong":
            text = "redirect URI, refresh token and logout come when the client is accepted"
            lines.append(note("more", text))
        else:
            lines += [line for check in provider.CHECKS_OF_A_CLIENT for line in _lines(check, case)]
    lines += [line for check in place.CHECKS for line in _lines(check, case)]
    for check in place.PRODUCTION:
        lines += [_for_later(line) if case.is_at_home else line for line in _lines(check, case)]
    return lines


def _lines(check: Check, case: Case) -> list[Line]:
    subject = check.__name__.replace("_", " ")
    try:
        return list(check(case))
    except Problem as problem:
        return [wrong(subject, problem.kind.title, quoted(problem.detail))]
    except (NoAnswer, AnswerTooLarge, StoreUnavailable) as error:
        return [wrong(subject, "no answer", quoted(error))]


def _for_later(line: Line) -> Line:
    """On this machine alone, what production demands is no fault; a store that is away is."""
    if line.verdict != "wrong" or line.text == "no answer":
        return line
    return note(line.subject, f"before production: {line.text}", line.change)


def show(lines: list[Line], *, as_json: bool) -> int:
    """Print the lines; return the exit code, 1 where something has to be changed."""
    count = {verdict: sum(line.verdict == verdict for line in lines) for verdict in VERDICTS}
    if as_json:
        told = [line._asdict() for line in lines]
        print(json.dumps({"ok": not count["wrong"], "lines": told}, indent=2, ensure_ascii=False))
    else:
        for line in lines:
            print(f"{line.verdict:<6} {line.subject:<{COLUMN}} {line.text}")
            if line.change:
                print(f"{'':<{7 + COLUMN}} Change: {line.change}")
        print(f"\n{count['wrong']} to change, {count['note']} to know, {count['ok']} right.")
    return 1 if count["wrong"] else 0


VERDICTS = ("ok", "note", "wrong")
