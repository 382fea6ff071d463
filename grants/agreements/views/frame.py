"""The blueprint of grants, its place in the navigation, and what its pages share."""

from __future__ import annotations

from datetime import date

from flask import Blueprint

from grants.agreements import queries
from grants.agreements.rules import GrantView
from grants.agreements.states import Side
from grants.core import clock
from grants.core.permissions import Permission
from grants.web.routing import NavItem, current_actor

bp = Blueprint("agreements", __name__)
P = Permission
NAVIGATION = (NavItem("Grants", "agreements.index", (P.AGREEMENT_READ,), 40),)


def grant_of(ref: str) -> GrantView:
    """The grant of an address; not there for whoever may not read it."""
    return queries.grant(current_actor(), ref)


def this_day() -> date:
    """The day of the request, as it is in Brussels."""
    return clock.today()


def own_side(grant: GrantView) -> Side:
    """For whom the person acts in this grant."""
    return queries.side_of(current_actor(), queries.scope_of_view(grant))


def signs_for(grant: GrantView) -> Side | None:
    """For whom the person may sign this agreement; None for who signs for nobody here."""
    side = own_side(grant)
    signs = P.AGREEMENT_SIGN_CITY if side is Side.CITY else P.AGREEMENT_SIGN_PROGRAMME
    return side if current_actor().may(signs, queries.scope_of_view(grant)) else None
