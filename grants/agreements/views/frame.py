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


def side_of(grant: GrantView) -> Side | None:
    """For whom the person signs this agreement; what they may do for other grants says nothing about it."""
    actor, scope = current_actor(), queries.scope_of_view(grant)
    if actor.may(P.AGREEMENT_SIGN_CITY, scope):
        return Side.CITY
    return Side.PROGRAMME if actor.may(P.AGREEMENT_SIGN_PROGRAMME, scope) else None
