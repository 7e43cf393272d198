"""`requires_claim`: a page for people whose ID token or UserInfo says something."""

from __future__ import annotations

from typing import Any

import pytest

from auth import requires_claim
from tests.support.harness import text_of

ROLES = "https://example.com/roles"


def page_for(signed_in: Any, claims: dict[str, Any], **wanted: Any) -> Any:
    person = signed_in(claims=claims)
    view = requires_claim(ROLES, **wanted)(lambda: "for admins")
    person.client.application.add_url_rule("/admin", "admin", view)
    return person.get("/admin")


LETS_IN: dict[str, tuple[Any, dict[str, Any]]] = {
    "a list with it": (["staff", "admin"], {"contains": "admin"}),
    "words with it": ("staff admin", {"contains": "admin"}),
    "the value": (3, {"equals": 3}),
    "any value": (["staff"], {}),
}
KEEPS_OUT: dict[str, tuple[Any, dict[str, Any]]] = {
    "a list without it": (["staff"], {"contains": "admin"}),
    "a longer word": ("no-admin", {"contains": "admin"}),
    "a list in a list": ([["admin"]], {"contains": "admin"}),
    "an object": ({"admin": True}, {"contains": "admin"}),
    "another value": (4, {"equals": 3}),
    "true for 1": (True, {"equals": 1}),
    "false": (False, {}),
    "null": (None, {}),
    "an empty list": ([], {}),
    "an empty text": ("", {}),
}


@pytest.mark.parametrize(("value", "wanted"), LETS_IN.values(), ids=LETS_IN)
def test_who_has_the_claim_passes(signed_in: Any, value: Any, wanted: dict[str, Any]) -> None:
    assert page_for(signed_in, {ROLES: value}, **wanted).text == "for admins"


@pytest.mark.parametrize(("value", "wanted"), KEEPS_OUT.values(), ids=KEEPS_OUT)
def test_who_has_it_otherwise_does_not(signed_in: Any, value: Any, wanted: dict[str, Any]) -> None:
    assert page_for(signed_in, {ROLES: value}, **wanted).status_code == 403


def test_who_lacks_it_reads_what_is_missing_and_may_use_another_account(signed_in: Any) -> None:
    page = page_for(signed_in, {}, contains="admin")

    assert page.status_code == 403
    assert f"{ROLES}: admin" in text_of(page)
    assert "/login?return_to=/admin&amp;prompt=login" in page.text
