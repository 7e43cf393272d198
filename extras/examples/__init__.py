"""Worked examples of pages that demand more than a sign-in; see auth/step_up.py.

Nothing else needs this package: delete the folder and its line in app.py.
"""

from __future__ import annotations

from pathlib import Path

from flask import Blueprint, Flask, render_template

from auth import current_sign_in
from auth.step_up import requires_recent_sign_in, requires_scope, requires_stronger_sign_in
from config import Settings
from languages import add_translations, gettext
from pages.claims import claims_list

# What Auth0 calls multi-factor authentication; other providers list theirs in their metadata,
# under `acr_values_supported`.
MULTI_FACTOR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"

bp = Blueprint("examples", __name__, url_prefix="/examples", template_folder="templates")


def init_app(app: Flask, settings: Settings) -> None:
    """Add the example pages, and their link to the navigation."""
    app.register_blueprint(bp)
    add_translations(app, Path(__file__).with_name("translations"))
    app.context_processor(lambda: {"has_examples": True})


@bp.get("")
def index() -> str:
    """What there is to try."""
    return render_template("examples/index.html")


@bp.get("/recent")
@requires_recent_sign_in(60)
def recent() -> str:
    """A page for those who signed in at the provider just now."""
    return _page(gettext("A recent sign-in"), "auth_time", "@requires_recent_sign_in(60)")


@bp.get("/stronger")
@requires_stronger_sign_in(MULTI_FACTOR)
def stronger() -> str:
    """A page for those who signed in with a second factor."""
    return _page(gettext("A stronger sign-in"), "acr", "@requires_stronger_sign_in(MULTI_FACTOR)")


@bp.get("/phone")
@requires_scope("phone")
def phone() -> str:
    """A page whose scope is asked for when it is opened, and not at sign-in."""
    return _page(gettext("One more scope"), "phone_number", '@requires_scope("phone")')


def _page(title: str, claim: str, decorator: str) -> str:
    sign_in = current_sign_in()
    claims = sign_in.claims() if sign_in else {}
    shown = claims_list({claim: claims[claim]} if claim in claims else {})
    return render_template(
        "examples/page.html", heading=title, decorator=decorator, name=claim, claims=shown
    )
