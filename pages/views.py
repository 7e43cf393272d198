"""The pages: yours, changed first. A view is closed unless it is marked `@public`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Container, Mapping
from typing import Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, session
from flask_babel import gettext
from werkzeug.wrappers import Response

from auth import (
    Error,
    SignIn,
    call_api,
    current_sign_in,
    end_sessions,
    has_come_back,
    logout_response,
    my_sessions,
    needed_sign_in,
    public,
    relying_party,
    requires_recent_sign_in,
    sign_out,
    wants_json,
)
from sessions import current_session

from .claims import ABOUT_SIGN_IN, claims_list, person_of

bp = Blueprint("pages", __name__)

# Announce the end of the session this long before it.
ENDS_SOON_SECONDS = 600
# How recent the sign-in must be of somebody who ends all other sessions.
RECENT_SECONDS = 300
APPOINTMENT_FIELDS = ("title", "with", "start", "minutes", "place")
CONTACT_FIELDS = ("name", "email", "phone")


@bp.app_context_processor
def every_page() -> dict[str, Any]:
    """Return what every page shows."""
    sign_in, settings = current_sign_in(), relying_party().settings
    if sign_in is None:
        return {"person": None}
    ends_at = current_session().stored.ends_at
    return {
        "person": person_of(sign_in.all_claims(), settings.picture_origins),
        "session_ends_at": ends_at,
        "session_ends_soon": ends_at - time.time() < ENDS_SOON_SECONDS,
    }


@bp.get("/")
@public
def home() -> str:
    """What this is and "Sign In"; or who is signed in, and what they may do."""
    sign_in = current_sign_in()
    if sign_in is None:
        return render_template("start.html", is_signed_out=has_come_back())
    tokens = sign_in.token_sets.get("")
    life = {}
    if tokens and tokens.expires_at:
        life = {
            "seconds": tokens.expires_at - tokens.obtained_at,
            "left": max(0, tokens.expires_at - time.time()),
            "ends_at": tokens.expires_at,
        }
    return render_template("home.html", access_token=life)


@bp.get("/profile")
def profile() -> str | Response:
    """The claims of the ID token and of UserInfo, and the scopes."""
    sign_in = needed_sign_in()
    if wants_json():
        return jsonify(sign_in.all_claims())
    claims = claims_list(sign_in.claims, sign_in.userinfo)
    groups = {
        "person": [claim for claim in claims if claim.name not in ABOUT_SIGN_IN],
        "sign-in": [claim for claim in claims if claim.name in ABOUT_SIGN_IN],
    }
    # Those asked for, and behind them what the provider added.
    asked, granted = sign_in.scope_asked, sign_in.scope_granted()
    scopes = [(name, name in asked, name in granted) for name in dict.fromkeys([*asked, *granted])]
    return render_template("profile.html", claims=groups, scopes=scopes)


@bp.get("/appointments")
def appointments() -> str | Response:
    """The person's appointments, as the protected API has them."""
    return _list_page("appointments", APPOINTMENT_FIELDS)


@bp.get("/contacts")
def contacts() -> str | Response:
    """The person's contacts, from the first API or from one with an audience of its own."""
    page = _contacts_page(session.get("contact", {}), {})
    if not wants_json():
        session.pop("contact", None)
    return page


@bp.post("/contacts")
def add_contact() -> str | Response | tuple[str | Response, int]:
    """Add a contact; what the API says about the input is shown beside the fields."""
    contact = {name: request.form.get(name, "").strip() for name in CONTACT_FIELDS}
    try:
        # A form that is sent twice adds one contact.
        response = call_api(
            "POST",
            "/contacts",
            json=contact,
            idempotency_key=request.form.get("key"),
            **_contacts_api(),
        )
        if wants_json():
            return jsonify(response.data), response.status
        if response.ok:
            session.pop("contact", None)
            return redirect("/contacts", 303)
        return _contacts_page(contact, _errors_of(response.data, contact)), response.status
    except Error:
        if current_session().key:
            session["contact"] = contact  # back in the form at the next visit
        raise


def _contacts_api() -> dict[str, Any]:
    settings = relying_party().settings
    return {"audience": settings.contacts_audience, "base_url": settings.contacts_api_base_url}


def _contacts_page(contact: dict[str, str], errors: dict[str, str]) -> str | Response:
    filled_in = {"contact": contact, "errors": errors, "key": secrets.token_urlsafe(16)}
    return _list_page("contacts", CONTACT_FIELDS, _contacts_api(), **filled_in)


def _errors_of(data: Any, fields: Container[str]) -> dict[str, str]:
    """The API's reasons by field; under "" those for the form, and for fields that it lacks.

    `errors` by field, or a list as the example in RFC 9457 has it (`detail` and `pointer`), or one
    in `detail` as many frameworks send it (`msg` and `loc`); else one reason for the form.
    """
    problem = data if isinstance(data, dict) else {}
    found = problem.get("errors") or problem.get("detail") or problem.get("title")
    if isinstance(found, list):
        pairs = [_reason_in(each) for each in found]
    elif isinstance(found, dict):
        pairs = [*found.items()]
    else:
        pairs = [("", found or gettext("The API refused this."))]
    errors: dict[str, str] = {}
    for name, said in pairs:
        field = name if name in fields else ""
        reason = " ".join(map(str, said)) if isinstance(said, list) else str(said)
        text = f"{name}: {reason}" if name and not field else reason
        errors[field] = f"{errors.get(field, '')} {text}".strip()[:300]
    return errors


def _reason_in(item: Any) -> tuple[str, Any]:
    """The field that an item of a list is about, and what it says."""
    if not isinstance(item, dict):
        return "", item
    place = item.get("loc") or str(item.get("pointer", "")).split("/")
    name = str(place[-1]) if isinstance(place, list) else ""
    return name, item.get("detail") or item.get("msg") or ""


def _list_page(
    name: str, fields: tuple[str, ...], api: Mapping[str, Any] | None = None, **context: Any
) -> str | Response:
    """The API's list of that name: as it is for a program, as a page for a person; `rows` is None
    where it is not made of objects with these fields. Raises Error where there is nothing."""
    response = call_api("GET", f"/{name}", **(api or {}))
    data = response.data
    if not response.ok or data is None:
        raise Error("api_bad_answer", f"status {response.status} to GET /{name}, nothing to show")
    if wants_json():
        return jsonify(data)
    items: Any = data.get(name) if isinstance(data, dict) else data
    fits = isinstance(items, list) and all(
        isinstance(item, dict) and item.keys() & {*fields} for item in items
    )
    rows = [{field: item.get(field) for field in fields} for item in items] if fits else None
    return render_template(f"{name}.html", rows=rows, data=data, **context)


@bp.get("/sessions")
def sessions() -> str:
    """Where this person is signed in."""
    here = current_session().key
    rows = [
        {
            "reference": each.key,
            "started": each.started_at,
            "last_seen": each.record.seen_at,
            "browser": sign_in.browser if (sign_in := SignIn.from_session(each.data)) else "",
            "current": each.key == here,
        }
        for each in my_sessions()
    ]
    rows.sort(key=lambda row: (row["current"], row["last_seen"]), reverse=True)
    return render_template("sessions.html", sessions=rows)


@bp.post("/sessions/<reference>/end")
def end_session(reference: str) -> Response:
    """End one of this person's sessions; nobody else's can be named."""
    found = [each for each in my_sessions() if each.key == reference]
    if not found:
        abort(404)
    if reference == current_session().key:
        return logout_response(sign_out())
    end_sessions(found)
    return redirect("/sessions", 303)


@bp.get("/sessions/end-others")
@requires_recent_sign_in(RECENT_SECONDS)
def confirm_end_other_sessions() -> str:
    """Ask for a recent sign-in before all other sessions end."""
    return render_template("end_others.html")


@bp.post("/sessions/end-others")
@requires_recent_sign_in(RECENT_SECONDS)
def end_other_sessions() -> Response:
    """End all of this person's sessions but this one."""
    here = current_session().key
    end_sessions(each for each in my_sessions() if each.key != here)
    flash(gettext("All other sessions have ended."))
    return redirect("/sessions", 303)
