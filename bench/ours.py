"""The app of this repository, with the two pages that the others have as well."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Blueprint, render_template

from app import create_app
from auth import call_api, current_sign_in
from sessions.sqlite_store import SQLiteStore

bp = Blueprint("bench", __name__, template_folder="templates")


@bp.get("/small")
def small() -> str:
    """The small page, for a signed-in person."""
    sign_in = current_sign_in()
    return render_template("small.html", title="Small", name=sign_in and sign_in.claims["name"])


@bp.get("/api")
def api() -> str:
    """The small page, after a call to the API."""
    found = call_api("GET", "/appointments").data["appointments"]
    return render_template("small.html", title="API", name=f"{len(found)} appointments")


# On Redis where that is configured, else on this file.
sqlite_file = os.environ.get("BENCH_SQLITE")
app = create_app(SQLiteStore(Path(sqlite_file)) if sqlite_file else None)
app.register_blueprint(bp)
