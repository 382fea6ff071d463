"""Who learns of the seats of an application: the one condition that every page, list and file of seats carries."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, not_, select
from sqlalchemy.orm import aliased

from grants.applications.models import Application
from grants.core.permissions import Actor, Permission
from grants.evaluation.models import Assignment, Evaluator
from grants.evaluation.queries.access import in_conflict, results_known, still_declares, within
from grants.evaluation.states import SeatState

# Under names of their own: seats stand in the queries that carry the condition.
_OWN, _SELF = aliased(Assignment), aliased(Evaluator)


def shown_to(actor: Actor) -> ColumnElement[bool]:
    """The condition on :class:`Application` that it is not shut to this person, as ``shut_to`` has it of rows.

    Nor waits for what they declare: who judges and manages is asked first, like everybody who judges.
    """
    apart = actor.barred("application") | actor.places(Permission.APPLICATION_READ, "application")
    conflict = and_(in_conflict(actor.user_id), not_(results_known()))
    return and_(not_(conflict), not_(still_declares(actor)), Application.id.not_in(apart))


def assesses(actor: Actor) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person holds an active seat on it, whether their sheet is in or not."""
    return (
        select(_OWN.id)
        .join(_SELF, _SELF.id == _OWN.evaluator_id)
        .where(
            _OWN.application_id == Application.id,
            _OWN.state == SeatState.ACTIVE.value,
            _SELF.user_id == actor.user_id,
        )
        .correlate(Application)
        .exists()
    )


def may_see(actor: Actor, *permissions: Permission) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person learns of its seats: nobody manages what they assess.

    By one of these permissions there; without any, by deciding the assignments. Who assesses an application sees who
    else does by no second role, and not once their own sheet is in either: a submitted sheet can be given back, and who
    holds a seat changes none of the others (``refuse_own_seat``), so nothing is lost to them. What others wrote opens with
    the own sheet, on the page of the consensus (``readable``).
    """
    return and_(
        within(actor, *(permissions or (Permission.ASSIGNMENT_DECIDE,))), shown_to(actor), not_(assesses(actor))
    )
