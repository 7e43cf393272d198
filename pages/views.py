"""The pages. Each is closed to visitors who are not signed in, unless marked `open_to_all`."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any, NamedTuple

from flask import Blueprint, Flask, abort, current_app, jsonify, redirect, render_template
from werkzeug.wrappers import Response

from auth import current_sign_in, open_to_all, relying_party
from auth.errors import SignInNeeded
from auth.guard import wants_json
from auth.relying_party import session_interface
from auth.sign_out import end_elsewhere, sign_out
from auth.token_set import SignIn
from config import Settings
from languages import language
from sessions import current_session, ref_of
from sessions.interface import Content
from sessions.store import Record

from .api import call_api
from .claims import claim_groups, person_of
from .picture import picture_of
from .tables import as_table

bp = Blueprint("pages", __name__)

# A session that ends so soon is announced, so that nobody loses what they are writing.
ENDS_SOON_SECONDS = 600


class Scope(NamedTuple):
    """A scope: whether the app asked for it, and whether it was granted."""

    name: str
    asked: bool
    granted: bool


class SessionRow(NamedTuple):
    """One place where a person is signed in; times are aware and UTC."""

    reference: str
    started: datetime
    last_seen: datetime
    browser: str
    current: bool


def init_app(app: Flask, settings: Settings) -> None:
    """Give the templates what every page shows."""

    def every_page() -> dict[str, Any]:
        sign_in = current_sign_in()
        claims = sign_in.claims() if sign_in else {}
        ends_at = current_session().content.ends_at if sign_in else None
        return {
            "person": person_of(claims) if sign_in else None,
            "picture": picture_of(claims, settings.picture_origins),
            "session_ends_at": _moment(ends_at) if ends_at else None,
            "session_ends_soon": bool(ends_at and ends_at - time.time() < ENDS_SOON_SECONDS),
            "api_configured": settings.api_base_url is not None,
            "contacts_configured": _contacts_base_url(settings) is not None,
        }

    app.context_processor(every_page)


def _signed_in() -> SignIn:
    sign_in = current_sign_in()
    if sign_in is None:
        raise SignInNeeded
    return sign_in


def _scopes(sign_in: SignIn) -> list[Scope]:
    """Those asked for, and behind them what the provider added."""
    asked, granted = sign_in.scope_asked, sign_in.scope_granted()
    names = dict.fromkeys((*asked, *granted))
    return [Scope(name, name in asked, name in granted) for name in names]


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@bp.get("/")
@open_to_all
def home() -> str:
    """What this is and "Sign In"; or who is signed in, and what they may do."""
    sign_in = current_sign_in()
    if sign_in is None:
        return _same_for_all("home.html")
    tokens, scopes = sign_in.token_sets.get(""), _scopes(sign_in)
    return render_template(
        "home.html",
        granted=[scope for scope in scopes if scope.granted],
        refused=[scope for scope in scopes if not scope.granted],
        access_token_expires_at=(
            _moment(tokens.expires_at) if tokens and tokens.expires_at else None
        ),
    )


def _same_for_all(name: str) -> str:
    """A page that holds nothing of the visitor's: made once in each language."""
    made: dict[tuple[str, str], str] = current_app.extensions.setdefault("pages_made", {})
    key = name, language()
    if key not in made or current_app.debug:
        made[key] = render_template(name)
    return made[key]


@bp.get("/profile")
def profile() -> str | Response:
    """The ID token's claims, and the granted scopes beside those asked for."""
    sign_in = _signed_in()
    claims = sign_in.claims()
    if wants_json():
        return jsonify(claims)
    return render_template("profile.html", claims=claim_groups(claims), scopes=_scopes(sign_in))


@bp.get("/appointments")
def appointments() -> str | Response:
    """The person's appointments, as the protected API has them."""
    settings = relying_party().settings
    data = call_api(settings.api_base_url, "/appointments")
    return _api_page("appointments", data, settings.api_base_url)


@bp.get("/contacts")
def contacts() -> str | Response:
    """The person's contacts, from the first API or from one with an audience of its own."""
    settings = relying_party().settings
    base_url = _contacts_base_url(settings)
    data = call_api(base_url, "/contacts", settings.contacts_audience)
    return _api_page("contacts", data, base_url)


def _contacts_base_url(settings: Settings) -> str | None:
    return settings.contacts_api_base_url or settings.api_base_url


def _api_page(name: str, data: Any, base_url: str | None) -> str | Response:
    if wants_json():
        return jsonify(data)
    table = as_table(data, name)
    return render_template(f"{name}.html", table=table, api_url=f"{base_url}/{name}")


@bp.get("/sessions")
def sessions() -> str:
    """Where this person is signed in."""
    here = current_session().key
    rows = [
        SessionRow(
            reference=key,
            started=_moment(content.started_at),
            last_seen=_moment(record.seen_at),
            browser=sign_in.browser if (sign_in := SignIn.of(content.data)) else "",
            current=key == here,
        )
        for key, (record, content) in _sessions_of_person().items()
    ]
    rows.sort(key=lambda row: (not row.current, -row.last_seen.timestamp()))
    return render_template("sessions.html", sessions=rows)


@bp.post("/sessions/<reference>/end")
def end_session(reference: str) -> Response:
    """End one of this person's sessions; nobody else's can be named."""
    found = _sessions_of_person().get(reference)
    if found is None:
        abort(404)
    if reference == current_session().key:
        return redirect(sign_out(relying_party(), current_session()), 303)
    end_elsewhere(relying_party(), {reference: found[1]})
    return redirect("/sessions", 303)


@bp.post("/sessions/end-others")
def end_other_sessions() -> Response:
    """End all of this person's sessions but this one."""
    here = current_session().key
    others = {key: kept[1] for key, kept in _sessions_of_person().items() if key != here}
    end_elsewhere(relying_party(), others)
    return redirect("/sessions", 303)


def _sessions_of_person() -> dict[str, tuple[Record, Content]]:
    ref = ref_of(relying_party().settings.issuer, "sub", _signed_in().claims()["sub"])
    return session_interface().all_with(ref)
