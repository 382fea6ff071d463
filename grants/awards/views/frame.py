"""The blueprint of awards, and what its pages share."""

from __future__ import annotations

from typing import TypeVar

from flask import Blueprint, request

from grants.awards import queries
from grants.awards.rules import (
    RankingPage,
    SelectionView,
)
from grants.awards.states import LineRule
from grants.core.permissions import Permission, Scope
from grants.web.forms import ContestedForm
from grants.web.routing import NavItem, current_actor

bp = Blueprint("awards", __name__)


P = Permission


F = TypeVar("F", bound=ContestedForm)


READS = (P.ASSESSMENT_READ_ALL, P.SELECTION_DECIDE, P.SELECTION_CONFIRM)


NAVIGATION = (NavItem("Panel", "awards.meetings", (P.PANEL_READ,), 33),)


def ranked_list(slug: str) -> RankingPage:
    line = LineRule.SKIP if request.args.get("line") == LineRule.SKIP.value else LineRule.STOP
    return queries.ranking_page(current_actor(), slug, line=line)


def may_decide(shown: RankingPage) -> bool:
    actor = current_actor()
    return shown.ready and actor.may(P.SELECTION_DECIDE, Scope.of(("call", shown.call_id)))


def fresh_form(kind: type[F], view: SelectionView) -> F:
    """A form beside the one that was sent: it takes nothing of what was typed there."""
    return kind(formdata=None, data={"version": str(view.version)})
