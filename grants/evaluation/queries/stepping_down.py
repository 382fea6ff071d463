"""How an evaluator stands in one call, for the page where they step down from it."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, or_, select

from grants.applications.models import Application
from grants.calls.models import Call
from grants.core.errors import NotFound
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import Assessment, Assignment, Evaluator
from grants.evaluation.queries.access import IN_EVALUATION
from grants.evaluation.rules import SteppingDown
from grants.evaluation.states import AssessmentState, SeatState

# What is in counts whatever became of the application since; what is open, only while it is being evaluated.
_DONE = Assessment.state.is_not_distinct_from(AssessmentState.SUBMITTED.value)
_GOING_ON = Application.state.in_(IN_EVALUATION)


def is_stopping_place() -> ColumnElement[bool]:
    """The condition on :class:`Evaluator` that the page of stepping down has a deed: to stop, or to come back."""
    seats = (
        select(Assignment.id)
        .join(Application, Application.id == Assignment.application_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.evaluator_id == Evaluator.id, Assignment.state == SeatState.ACTIVE.value)
        .correlate(Evaluator)
    )
    return or_(
        Evaluator.stepped_down_at.is_not(None),
        seats.where(~_DONE, _GOING_ON).exists(),
        ~seats.where(_DONE).exists(),
    )


@reader
def stepping_down(actor: Actor, slug: str) -> Asking[SteppingDown]:
    """The own entry in the pool of a call with its seats in numbers; :class:`NotFound` without one. One statement."""
    active = and_(Assignment.evaluator_id == Evaluator.id, Assignment.state == SeatState.ACTIVE.value)
    rows = yield from ask(
        select(
            *(Call.id, Call.slug, Call.title, Evaluator.version, Evaluator.stepped_down_at, Evaluator.stepped_down_why),
            func.count(Application.id).filter(~_DONE, _GOING_ON).label("open"),
            func.count(Application.id).filter(_DONE).label("submitted"),
        )
        .join(Evaluator, and_(Evaluator.call_id == Call.id, Evaluator.user_id == actor.user_id))
        .outerjoin(Assignment, active)
        .outerjoin(Application, Application.id == Assignment.application_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Call.slug == slug)
        .group_by(Call.id, Evaluator.id)
    )
    for row in rows:
        return SteppingDown(
            row.id, row.slug, row.title, row.version, row.open, row.submitted, row.stepped_down_at,
            row.stepped_down_why or "",
        )  # fmt: skip
    raise NotFound
