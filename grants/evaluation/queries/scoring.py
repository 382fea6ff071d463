"""Who holds a seat on an application, who scores it still, and so who reads what others wrote."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import ColumnElement, and_, not_, select

from grants.applications.models import Application
from grants.core import faults
from grants.core.db import among, db
from grants.core.errors import NotAllowed
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader
from grants.evaluation.models import Assessment, Assignment, Evaluator
from grants.evaluation.queries.access import clear_for, within
from grants.evaluation.states import AssessmentState, SeatState


def readable(actor: Actor) -> ColumnElement[bool]:
    """Applications whose assessments this person may read whole: by role in scope; who must declare, has declared.

    Never where the same person still scores: whatever else they are, they score blind.
    """
    reads = and_(within(actor, Permission.ASSESSMENT_READ_ALL), not_(scores_now(actor)))
    return and_(reads, clear_for(actor.user_id)) if actor.can(Permission.CONFLICT_DECLARE) else reads


def scores_now(actor: Actor) -> ColumnElement[bool]:
    """The condition on :class:`Application` that this person holds a seat on it and has not submitted their sheet."""
    return (
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(
            Assignment.application_id == Application.id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == actor.user_id,
            Assessment.state.is_distinct_from(AssessmentState.SUBMITTED.value),
        )
        .exists()
    )


@reader
def scoring(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications that this person still scores, and so reads nothing about from anybody else."""
    if not application_ids:
        return frozenset()
    rows = yield from ask(select(Application.id).where(among(Application.id, application_ids), scores_now(actor)))
    return frozenset(row.id for row in rows)


@reader
def seated(application_ids: Collection[UUID]) -> Asking[dict[tuple[UUID, UUID], bool]]:
    """(person, application) of every active seat to whether its sheet is submitted, in one statement."""
    rows = yield from ask(
        select(Evaluator.user_id, Assignment.application_id, Assessment.state)
        .select_from(Assignment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(among(Assignment.application_id, application_ids), Assignment.state == SeatState.ACTIVE.value)
    )
    return {(row.user_id, row.application_id): row.state == AssessmentState.SUBMITTED.value for row in rows}


def own_seat(user_id: UUID | None, application_id: UUID) -> UUID | None:
    """The active seat this person holds on an application, if any."""
    return db.session.scalar(
        select(Assignment.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == user_id,
        )
    )


def refuse_own_seat(actor: Actor, application_id: UUID) -> None:
    """Raise :class:`NotAllowed` for whoever assesses an application: they neither lead its consensus nor manage its seats."""
    faults.point("four_eyes")
    if own_seat(actor.user_id, application_id) is not None:
        raise NotAllowed(
            "You assess this application yourself; somebody else leads its consensus and manages its seats."
        )
