"""Organizations: whoever was asked to sign in to one has signed in to that one."""

from __future__ import annotations

from typing import Any

from .errors import Problem


def check_organization(claims: dict[str, Any], organization: str | None) -> None:
    """Compare the organization that was asked for with the ID token's.

    An id (`org_…`) is compared exactly with `org_id`, a name without case with `org_name`.
    Raises Problem("wrong_organization").
    """
    if organization is None:
        return
    if organization.startswith("org_"):
        matches = claims.get("org_id") == organization
    else:
        name = claims.get("org_name")
        matches = isinstance(name, str) and name.lower() == organization.lower()
    if not matches:
        raise Problem("wrong_organization", "org_id or org_name is another one, or missing")
