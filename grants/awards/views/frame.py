"""The blueprint of awards, and what its pages share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar
from uuid import UUID

from flask import Blueprint

from grants.awards import queries
from grants.awards.rules import (
    RankingPage,
    SelectionView,
)
from grants.awards.rules.complaints import ComplaintLetter, ComplaintView
from grants.core.errors import Invalid
from grants.core.permissions import Permission, Scope
from grants.web.forms import ContestedForm
from grants.web.routing import NavItem, current_actor

bp = Blueprint("awards", __name__)


P = Permission


F = TypeVar("F", bound=ContestedForm)


READS = (P.ASSESSMENT_READ_ALL, P.SELECTION_DECIDE, P.SELECTION_CONFIRM)


# Who opens the pages of the consensus, which stand beside the list and the meetings.
READS_CONSENSUS = (P.CONSENSUS_WRITE, P.CONSENSUS_AGREE, P.ASSESSMENT_READ_ALL)


NAVIGATION = (NavItem("Panel", "awards.meetings", (P.PANEL_READ,), 33),)


def ranked_list(slug: str) -> RankingPage:
    return queries.ranking_page(current_actor(), slug)


def may_decide(shown: RankingPage) -> bool:
    return shown.ready and decides(shown)


def decides(shown: RankingPage) -> bool:
    """Whether this person decides the lists of that call, be this one ready or not."""
    return current_actor().may(P.SELECTION_DECIDE, Scope.of(("call", shown.call_id)))


def fresh_form(kind: type[F], view: SelectionView) -> F:
    """A form beside the one that was sent: it takes nothing of what was typed there."""
    return kind(formdata=None, data={"version": str(view.version)})


def add_problems(form: ContestedForm, wrong: Mapping[str, str]) -> None:
    """Put what is wrong beside its fields, but for those that are wrong already."""
    if wrong:
        form.add_problem(Invalid("It was not saved.", wrong), but_not={each.short_name for each in form if each.errors})


def ways(call_id: UUID) -> dict[str, bool]:
    """Which pages beside this one the person may open of this call: for links, each as one flag."""
    actor, place = current_actor(), Scope.of(("call", call_id))
    return {
        "opens_consensus": any(actor.can(one) for one in READS_CONSENSUS),
        "opens_panel": actor.may(P.PANEL_READ, place),
        "opens_ranking": any(actor.may(one, place) for one in READS),
    }


def letter_of(view: ComplaintView) -> ComplaintLetter | None:
    """The second decision on a complaint as it was sent; None before it was."""
    return ComplaintLetter.from_mapping(view.letter) if view.letter else None
