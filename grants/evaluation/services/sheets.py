"""Acts on score sheets."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.rules import Marking
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Assessment, AssessmentScore, Assignment, Evaluator
from grants.evaluation.rules import SheetInput
from grants.evaluation.services.consensus import consensus_row, reopen_consensus
from grants.evaluation.states import ASSESSMENT, AssessmentState, ConsensusState, SeatState


@act(
    "assessment.save",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="saved an assessment of {subject}",
)
def save(actor: Actor, application_id: UUID, values: SheetInput, version: int | None = None) -> int:
    """Save a draft as it is, finished or not; returns the new version."""
    row, marking = _own_sheet(actor, application_id, version)
    _write_marks(row, rules.tidy(values, marking))
    db.session.flush()
    return row.version


@act(
    "assessment.submit",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="submitted an assessment of {subject}",
)
def submit(actor: Actor, application_id: UUID, values: SheetInput, version: int | None = None) -> None:
    """Submit the sheet: every criterion scored, and words where the call demands them. The others’ sheets open then."""
    row, marking = _own_sheet(actor, application_id, version)
    sheet = rules.tidy(values, marking)
    rules.refuse_unfinished(sheet, marking)
    _write_marks(row, sheet)
    ASSESSMENT.move(row, "submit")
    row.submitted_at = acts.moment()


def _own_sheet(actor: Actor, application_id: UUID, version: int | None) -> tuple[Assessment, Marking]:
    """The evaluator's own sheet, locked and open to be written; begun where there is none."""
    assert actor.user_id is not None
    queries.refuse_conflict(actor.user_id, application_id)
    application = locked(Application, application_id)
    queries.refuse_closed(application)
    seat = db.session.scalars(
        select(Assignment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == actor.user_id,
        )
        .with_for_update(of=Assignment)
    ).one_or_none()
    if seat is None:
        raise NotFound
    agreed = consensus_row(application_id)
    if agreed is not None and agreed.state == ConsensusState.AGREED.value:
        raise Refused("The consensus is agreed; assessments of this application no longer change.")
    row = db.session.scalars(
        select(Assessment)
        .where(Assessment.assignment_id == seat.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None:
        if version:
            raise Conflict("This sheet is no longer here. Reload the page to see what stands now.")
        row = Assessment(
            assignment_id=seat.id,
            state=AssessmentState.DRAFT.value,
            remark="",
            saved_at=acts.moment(),
            saves=0,
            submitted_at=None,
        )
        db.session.add(row)
    else:
        check_version(row, version)
        if row.state != AssessmentState.DRAFT.value:
            raise Refused(
                "You have submitted this assessment; it no longer changes. Ask the programme manager to reopen it."
            )
    return row, calls.call_by_id(application.call_id).content.marking


def _write_marks(row: Assessment, sheet: SheetInput) -> None:
    stored = {
        score.criterion: score
        for score in db.session.scalars(select(AssessmentScore).where(AssessmentScore.assessment_id == row.id))
    }
    for mark in sheet.marks:
        score = stored.get(mark.criterion)
        if score is None:
            db.session.add(
                AssessmentScore(assessment_id=row.id, criterion=mark.criterion, half=mark.half, comment=mark.comment)
            )
        else:
            score.half, score.comment = mark.half, mark.comment
    row.remark, row.saved_at = sheet.remark, acts.moment()
    row.saves += 1


@act(
    "assessment.reopen",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.seat_scope,
    says="gave an assessment of {subject} back to its evaluator",
)
def reopen(actor: Actor, seat_id: UUID, reason: str) -> None:
    """Give a submitted sheet back to its evaluator, with a reason, as long as the consensus is not agreed."""
    seat = locked(Assignment, seat_id)
    queries.refuse_own_seat(actor, seat.application_id)
    queries.refuse_closed(locked(Application, seat.application_id))
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why the assessment is reopened."})
    row = db.session.scalars(
        select(Assessment).where(Assessment.assignment_id == seat_id).with_for_update()
    ).one_or_none()
    if row is None or seat.state != SeatState.ACTIVE.value:
        raise Refused("There is no submitted assessment on this seat.")
    consensus = consensus_row(seat.application_id)
    if consensus is not None and consensus.state == ConsensusState.AGREED.value:
        raise Refused("The consensus is agreed; assessments of this application no longer change.")
    acts.reason(words)
    ASSESSMENT.move(row, "reopen")
    row.submitted_at = None
    if consensus is not None and consensus.state == ConsensusState.PROPOSED.value:
        reopen_consensus(consensus)
