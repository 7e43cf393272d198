"""Worked examples of pages that demand more than a sign-in.

Nothing else needs this package: delete the folder, its name in `app.py` and its tests.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Flask, render_template
from flask_babel import lazy_gettext as _

from auth import current_sign_in, requires_recent_sign_in, requires_scope, requires_stronger_sign_in
from config import Settings as CoreSettings
from pages import MenuEntry, is_signed_in

# What Auth0 calls multi-factor authentication; other providers list theirs in their metadata,
# under `acr_values_supported`.
MULTI_FACTOR = "http://schemas.openid.net/pape/policies/2007/06/multi-factor"

bp = Blueprint("examples", __name__, url_prefix="/examples", template_folder="templates")


@dataclass(frozen=True)
class Settings:
    """It has none of its own."""


def init_app(app: Flask, settings: CoreSettings, own: Settings) -> None:
    """Add the example pages and their menu entry."""
    app.register_blueprint(bp)
    app.extensions["menu"].append(MenuEntry("/examples", _("Examples"), is_signed_in))


@bp.get("")
def index() -> str:
    """Show what there is to try."""
    return render_template("examples/index.html")


@bp.get("/recent")
@requires_recent_sign_in(60)
def recent() -> str:
    """Show a page to those who signed in at the provider just now."""
    return _page(_("A recent sign-in"), "auth_time", "@requires_recent_sign_in(60)")


@bp.get("/stronger")
@requires_stronger_sign_in(MULTI_FACTOR)
def stronger() -> str:
    """Show a page to those who signed in with a second factor."""
    return _page(_("A stronger sign-in"), "acr", "@requires_stronger_sign_in(MULTI_FACTOR)")


@bp.get("/phone")
@requires_scope("phone")
def phone() -> str:
    """Show a page whose scope is asked for when it is opened, and not at sign-in."""
    return _page(_("One more scope"), "phone_number", '@requires_scope("phone")')


def _page(heading: object, name: str, decorator: str) -> str:
    sign_in = current_sign_in()
    value = sign_in.all_claims().get(name) if sign_in else None
    given = {"heading": heading, "name": name, "decorator": decorator, "value": value}
    return render_template("examples/page.html", **given)
