"""Pages that demand more than a sign-in: a recent or stronger one, one more scope, a claim.

One decorator in the view, below the route's:

    @bp.get("/account/close")
    @requires_recent_sign_in(300)
    def close_account() -> str: ...

A visit that falls short is led through the provider and back. It never leads round and round: what
comes back without the recent or stronger sign-in ends at `/callback` in an error page, and a scope
that was asked for and refused is asked for again by the person only. A request that cannot be led
there (a POST, a script's) is answered with 403, so decorate the page with the form as well.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from flask_babel import gettext as _

from .access_control import needed_sign_in
from .errors import Error, SignInNeeded
from .id_token import Claims, InvalidToken, check_acr, check_auth_time

View = TypeVar("View", bound=Callable[..., Any])

DEMANDS = "_demands"


@dataclass(frozen=True)
class Demands:
    """All that a view demands; `max_age` in seconds."""

    max_age: int | None = None
    acr_values: str | None = None
    scope: tuple[str, ...] = ()

    def joined(self, other: Demands) -> Demands:
        """Return both demands as one: two that took turns would undo each other for ever."""
        ages = [age for age in (self.max_age, other.max_age) if age is not None]
        if self.acr_values and other.acr_values:
            raise ValueError("a sign-in has one acr; name all that will do in one decorator")
        return Demands(
            max_age=min(ages, default=None),
            acr_values=self.acr_values or other.acr_values,
            scope=tuple(dict.fromkeys((*self.scope, *other.scope))),
        )

    def params(self) -> dict[str, str]:
        """Return the parameters of the authorization request, those of met demands too: the new
        ID token takes the place of the one that met them."""
        max_age = {} if self.max_age is None else {"max_age": str(self.max_age)}
        return max_age | ({"acr_values": self.acr_values} if self.acr_values else {})


def requires_recent_sign_in(seconds: int) -> Callable[[View], View]:
    """Require a sign-in at the provider within the last `seconds`."""
    return _requires(Demands(max_age=seconds))


def requires_stronger_sign_in(acr: str) -> Callable[[View], View]:
    """Let only those pass whose ID token has this `acr`; several, separated by spaces: one of."""
    return _requires(Demands(acr_values=acr))


def requires_scope(scope: str) -> Callable[[View], View]:
    """Ask for a scope (several: separated by spaces) when it is first needed, and not before."""
    return _requires(Demands(scope=tuple(scope.split())))


def requires_claim(
    name: str, *, equals: Any = None, contains: Any = None
) -> Callable[[View], View]:
    """Let only those pass whose ID token (or UserInfo) has this claim, with this value, or a list
    (or words separated by spaces) with this one in it. Anybody else gets a page that says what is
    missing."""

    def has_claim(claims: Claims) -> bool:
        value = claims.get(name)
        if equals is not None:
            return type(value) is type(equals) and bool(value == equals)
        if contains is not None:
            values = value.split() if isinstance(value, str) else value
            return isinstance(values, list) and contains in values
        return bool(value)  # an empty list is no role

    wanted = equals if equals is not None else contains

    def check() -> None:
        if not has_claim(needed_sign_in().all_claims()):
            missing = name if wanted is None else f"{name}: {wanted}"
            text = _("Your account lacks what this page asks for: %(what)s.", what=missing)
            raise Error("missing_claim", f"{missing} is missing", text=text)

    return lambda view: _checked(view, check)


def _requires(demands: Demands) -> Callable[[View], View]:
    def decorate(view: View) -> View:
        all_demands = demands.joined(getattr(view, DEMANDS, Demands()))
        checked = _checked(view, lambda: check_demands(all_demands))
        setattr(checked, DEMANDS, all_demands)
        return checked

    return decorate


def _checked(view: View, check: Callable[[], None]) -> View:
    @functools.wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        check()
        return view(*args, **kwargs)

    return cast(View, checked)


def check_demands(demands: Demands) -> None:
    """Return if this visitor's sign-in meets the demands.

    Raises SignInNeeded; Error("insufficient_scope") where a scope was asked for and refused.
    """
    sign_in = needed_sign_in()
    granted = sign_in.scope_granted()
    missing = [scope for scope in demands.scope if scope not in granted]
    # Where the grant is over, what was asked for before it was not refused.
    asked = sign_in.scope_asked if "" in sign_in.token_sets else []
    if refused := [scope for scope in missing if scope in asked]:
        raise Error("insufficient_scope", "asked for before", scope=" ".join(refused))
    code = "insufficient_scope" if missing else _shortcoming(demands, sign_in.claims)
    if code:
        scope = " ".join(missing) or None
        raise SignInNeeded("the page demands it", code=code, scope=scope, params=demands.params())


def _shortcoming(demands: Demands, claims: Claims) -> str | None:
    """By the callback's own checks: one that was stricter here would lead round and round."""
    try:
        check_acr(claims, demands.acr_values)
        check_auth_time(claims, demands.max_age)
    except InvalidToken:
        return "stale_authentication"  # nobody asked for auth_time so far
    except Error as error:
        return error.code
    return None
