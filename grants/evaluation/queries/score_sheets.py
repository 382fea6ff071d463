"""The pages of an evaluator: what to assess, one score sheet beside the application."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import Criterion
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Consensus, Evaluator
from grants.evaluation.queries.access import ROWS_MAX, clear_for, within
from grants.evaluation.queries.applicants import cities_of, head_of
from grants.evaluation.rules import AssessmentPage, AssessmentRow, MarkInput, SheetView
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity.models import User


def my_seats(actor: Actor) -> Any:
    """Seats of this person that are open to them: active, in scope, declared clear, not barred."""
    return (
        select(Application, Call.slug, Call.title, Assignment, Assessment, Consensus.state)
        .join(Assignment, Assignment.application_id == Application.id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(Call, Call.id == Application.call_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .outerjoin(Consensus, Consensus.application_id == Application.id)
        .where(
            Evaluator.user_id == actor.user_id,
            Assignment.state == SeatState.ACTIVE.value,
            within(actor, Permission.ASSESSMENT_SCORE),
            clear_for(actor.user_id),
        )
    )


def assessments(actor: Actor) -> tuple[AssessmentRow, ...]:
    """What this person assesses: unfinished first, then by deadline and reference. Five statements or fewer a call."""
    rows = db.session.execute(my_seats(actor).order_by(Application.reference).limit(ROWS_MAX)).all()
    scored = _scored([row[4].id for row in rows if row[4]])
    views = calls.call_views({row[0].call_id for row in rows})
    criteria = {call_id: view.content.criteria for call_id, view in views.items()}
    cities = cities_of([row[0].id for row in rows])
    lines = [
        AssessmentRow(
            application.id,
            application.reference,
            application.title,
            cities.get(application.id, ""),
            slug,
            title,
            AssessmentState(sheet.state) if sheet else None,
            scored.get(sheet.id, 0) if sheet else 0,
            len(criteria[application.call_id]),
            seat.due_at,
            sheet.submitted_at if sheet else None,
            ConsensusState(consensus) if consensus else None,
        )
        for application, slug, title, seat, sheet, consensus in rows
    ]
    return tuple(sorted(lines, key=lambda line: (line.state is AssessmentState.SUBMITTED, line.reference)))


def _scored(assessment_ids: Sequence[UUID]) -> dict[UUID, int]:
    rows = db.session.execute(
        select(AssessmentScore.assessment_id, func.count(AssessmentScore.half))
        .where(AssessmentScore.assessment_id.in_(assessment_ids))
        .group_by(AssessmentScore.assessment_id)
    )
    return {assessment_id: count for assessment_id, count in rows}


def application_id_of(actor: Actor, reference: str) -> UUID:
    """The application of that reference, if this person has an open seat on it; :class:`NotFound` otherwise."""
    row = db.session.execute(my_seats(actor).where(Application.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    found: UUID = row[0].id
    return found


def assessment_page(actor: Actor, reference: str) -> AssessmentPage:
    """The split screen of one application; :class:`NotFound` without an open seat."""
    row = db.session.execute(my_seats(actor).where(Application.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    application, _, _, seat, sheet, consensus = row
    call = calls.call_by_id(application.call_id)
    submitted = sheet is not None and sheet.state == AssessmentState.SUBMITTED.value
    # Blind until the own sheet is in: the others are not even read from the database before that.
    read = sheets_of(application.id, call.content.criteria, only=None if submitted else seat.id)
    own = next((view for seat_id, view in read if seat_id == seat.id), _empty_sheet(actor.name))
    others = tuple(view for seat_id, view in read if seat_id != seat.id and view.state is AssessmentState.SUBMITTED)
    progress = assessments(actor)
    open_ones = [line.reference for line in progress if line.state is not AssessmentState.SUBMITTED]
    later = [found for found in open_ones if found > reference] or [found for found in open_ones if found != reference]
    state = ConsensusState(consensus) if consensus else None
    return AssessmentPage(
        head_of(application, call),
        call.content.criteria,
        call.content.scale.anchors,
        call.content.max_half,
        call.content.total_threshold_half,
        own,
        others,
        seats_of([application.id]).get(application.id, 0) - 1 - len(others) if submitted else 0,
        seat.due_at,
        _locked_words(state, submitted),
        state,
        sum(line.state is AssessmentState.SUBMITTED for line in progress),
        len(progress),
        later[0] if later else None,
    )


def _locked_words(consensus: ConsensusState | None, submitted: bool) -> str:
    if consensus is ConsensusState.AGREED:
        return "The consensus is agreed; assessments of this application no longer change."
    return "You have submitted this assessment. The programme manager can reopen it." if submitted else ""


def _empty_sheet(name: str) -> SheetView:
    return SheetView(None, name, AssessmentState.DRAFT, (), "", 0, None, None)


def sheets_of(
    application_id: UUID, criteria: Sequence[Criterion], *, only: UUID | None = None
) -> list[tuple[UUID, SheetView]]:
    """The sheets of the active seats with their seats, by name of the evaluator; of one seat alone with ``only``."""
    statement = (
        select(Assignment.id, User.name, Assessment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .join(User, User.id == Evaluator.user_id)
        .join(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id == application_id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(User.name, Assignment.id)
    )
    rows = db.session.execute(statement if only is None else statement.where(Assignment.id == only)).all()
    marks = _marks([row[2].id for row in rows])
    return [(seat_id, _sheet(sheet, name, marks.get(sheet.id, {}), criteria)) for seat_id, name, sheet in rows]


def _marks(assessment_ids: Sequence[UUID]) -> dict[UUID, dict[str, MarkInput]]:
    found: dict[UUID, dict[str, MarkInput]] = defaultdict(dict)
    for score in db.session.scalars(select(AssessmentScore).where(AssessmentScore.assessment_id.in_(assessment_ids))):
        found[score.assessment_id][score.criterion] = MarkInput(score.criterion, score.half, score.comment)
    return found


def _sheet(row: Assessment, name: str, marks: Mapping[str, MarkInput], criteria: Sequence[Criterion]) -> SheetView:
    ordered = tuple(marks.get(criterion.key, MarkInput(criterion.key, None)) for criterion in criteria)
    state = AssessmentState(row.state)
    return SheetView(row.id, name, state, ordered, row.remark, row.version, row.saved_at, row.submitted_at)


def seats_of(application_ids: Sequence[UUID]) -> dict[UUID, int]:
    """How many active seats each application has."""
    rows = db.session.execute(
        select(Assignment.application_id, func.count())
        .where(Assignment.application_id.in_(application_ids), Assignment.state == SeatState.ACTIVE.value)
        .group_by(Assignment.application_id)
    )
    return {application_id: count for application_id, count in rows}
