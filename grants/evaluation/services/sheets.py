"""Acts on whole score sheets: saved, submitted, given back."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import or_, select

from grants.applications.models import Application
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.merging import Shown
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Assessment, AssessmentScore, Assignment
from grants.evaluation.rules import SheetInput
from grants.evaluation.services.consensus import reopen_consensus
from grants.evaluation.services.drafting import consensus_row
from grants.evaluation.services.scored import mean_told
from grants.evaluation.services.writing import OpenSheet, open_sheet, store
from grants.evaluation.states import ASSESSMENT, AssessmentState, ConsensusState, SeatState


@act(
    "assessment.save",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="saved an assessment of {subject}",
)
def save(
    actor: Actor,
    application_id: UUID,
    values: SheetInput,
    version: int | None = None,
    shown: tuple[Shown, ...] | None = None,
) -> int:
    """Save a draft as it is, finished or not; returns the new version.

    ``shown`` says which version of each field its writer saw. Where another window has written since, nothing is
    stored and :class:`~grants.evaluation.services.fields.FieldsChanged` names the fields.
    """
    opened = open_sheet(actor, application_id, version)
    store(opened, rules.tidy(values, opened.marking, opened.remark_words), shown)
    db.session.flush()
    return opened.written.version


@act(
    "assessment.submit",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="submitted an assessment of {subject}",
)
def submit(
    actor: Actor,
    application_id: UUID,
    values: SheetInput,
    version: int | None = None,
    shown: tuple[Shown, ...] | None = None,
) -> None:
    """Submit the sheet: every criterion scored, and low scores with reasons. The others’ sheets open then."""
    opened = open_sheet(actor, application_id, version)
    sheet = rules.tidy(values, opened.marking, opened.remark_words)
    rules.refuse_unfinished(sheet, opened.marking)
    store(opened, sheet, shown)
    _hand_in(actor, application_id, opened)


@act(
    "assessment.submit_written",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="submitted an assessment of {subject} together with others",
)
def submit_written(actor: Actor, application_id: UUID, version: int) -> None:
    """Submit the sheet as it is stored and was read, one of several; raises :class:`Conflict` where it changed since."""
    opened = open_sheet(actor, application_id, version)
    if opened.row is None:
        raise Refused("Nothing is written on this sheet yet. Open it, choose the scores, and submit it then.")
    rules.refuse_unfinished(opened.sheet, opened.marking)
    _hand_in(actor, application_id, opened)


def _hand_in(actor: Actor, application_id: UUID, opened: OpenSheet) -> None:
    changed = [
        rules.changed_words(one.name, before, opened.scores[one.key].half)
        for one in opened.marking.criteria
        if (before := (opened.written.marks_before or {}).get(one.key)) is not None
        and before != opened.scores[one.key].half
    ]
    if changed:
        acts.reason("; ".join(changed))
    assert actor.user_id is not None
    why = "; ".join(changed) or "It was submitted."
    with mean_told(application_id, "an assessment came in", why, by=actor.user_id):
        ASSESSMENT.move(opened.written, "submit")
        opened.written.submitted_at = acts.moment()


@act(
    "assessment.reopen",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.seat_scope,
    says="gave an assessment of {subject} back to its evaluator",
)
def reopen(actor: Actor, seat_id: UUID, reason: str) -> None:
    """Give a submitted sheet back to its evaluator, with a reason, as long as the consensus is not agreed."""
    seat = locked(Assignment, seat_id)
    # Also where the results are public and the evaluation is repeated.
    if queries.unseatable(actor, [seat.application_id]):
        raise NotFound
    queries.refuse_own_seat(actor, seat.application_id)
    queries.refuse_closed(locked(Application, seat.application_id))
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why the assessment is reopened."})
    row = db.session.scalars(
        select(Assessment).where(Assessment.assignment_id == seat_id).with_for_update()
    ).one_or_none()
    if row is None or seat.state != SeatState.ACTIVE.value:
        raise Refused("There is no submitted assessment on this seat, so there is nothing to open again.")
    consensus = consensus_row(seat.application_id)
    if consensus is not None and consensus.state == ConsensusState.AGREED.value:
        raise Refused(
            "The consensus is agreed. Its chair opens it again first, with a reason; then an assessment can be given back."
        )
    acts.reason(words)
    if row.marks_before is None and _others_could_be_read(seat, row):
        row.marks_before = {
            each.criterion: each.half
            for each in db.session.scalars(select(AssessmentScore).where(AssessmentScore.assessment_id == row.id))
        }
    assert actor.user_id is not None
    with mean_told(seat.application_id, "an assessment was given back to its evaluator", words, by=actor.user_id):
        ASSESSMENT.move(row, "reopen")
        row.submitted_at = None
    if consensus is not None and consensus.state == ConsensusState.PROPOSED.value:
        reopen_consensus(consensus)


def _others_could_be_read(seat: Assignment, row: Assessment) -> bool:
    """Whether another sheet of the application was in while this one was: whoever holds the seat could read it.

    Also one whose seat was emptied since.
    """
    other = (
        select(Assessment.id)
        .join(Assignment, Assignment.id == Assessment.assignment_id)
        .where(
            Assignment.application_id == seat.application_id,
            Assignment.id != seat.id,
            or_(Assignment.state == SeatState.ACTIVE.value, Assignment.voided_at >= row.submitted_at),
            or_(Assessment.state == AssessmentState.SUBMITTED.value, Assessment.marks_before.is_not(None)),
        )
        .limit(1)
    )
    return db.session.scalar(other) is not None
