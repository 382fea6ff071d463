"""Writing on a score sheet, field by field: what may be stored, what another window changed meanwhile, and every version of it."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Select, Uuid, bindparam, case, func, select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import check_version, db
from grants.core.errors import Conflict, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers import merging
from grants.dossiers.merging import Outcome, Shown
from grants.dossiers.rules import Answer
from grants.evaluation import queries, rules
from grants.evaluation.models import (
    Assessment,
    AssessmentScore,
    AssessmentVersion,
    Assignment,
    Consensus,
    Evaluator,
)
from grants.evaluation.rules import FieldSaved, MarkInput, SheetInput
from grants.evaluation.services import fields
from grants.evaluation.services.fields import OpenFields, checked, judged
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState


@dataclass(slots=True, kw_only=True)
class OpenSheet(OpenFields):
    """The evaluator's own sheet, open to be written; there is no row before the first word."""

    seat_id: UUID
    row: Assessment | None
    scores: dict[str, AssessmentScore]

    @property
    def written(self) -> Assessment:
        """The row of a sheet on which something is written."""
        assert self.row is not None, "the sheet is begun before it is read"
        return self.row

    def number(self, name: str) -> int:
        """Which version of a field stands; 0 where nothing was ever written."""
        return int(self.row.numbers.get(name, 0)) if self.row is not None else 0

    def text_of(self, name: str, number: int) -> str | None:
        """The text of a version of a field; None where there is none."""
        if self.row is None:
            return None
        return db.session.scalar(
            select(AssessmentVersion.text).where(
                AssessmentVersion.assessment_id == self.row.id,
                AssessmentVersion.field == name,
                AssessmentVersion.number == number,
            )
        )

    def last_of(self, name: str) -> tuple[datetime, UUID | None]:
        """When the sheet was saved; only its own hand writes on it."""
        del name
        return self.written.saved_at, acts.running_act().actor.user_id

    @property
    def saved_at(self) -> datetime:
        """When the sheet was saved last; now, where nothing was ever saved."""
        return self.row.saved_at if self.row is not None else acts.moment()

    def write(self, answers: Sequence[Answer]) -> None:
        """Write these fields, each with its version; a sheet is begun by the first save, also of nothing."""
        row = self.row
        if row is None:
            row = self.row = Assessment(
                assignment_id=self.seat_id, state=AssessmentState.DRAFT.value, remark="", saved_at=acts.moment(),
                saves=0, numbers={}, submitted_at=None,
            )  # fmt: skip
            db.session.add(row)
        row.saved_at = acts.moment()
        row.saves += 1
        numbers = dict(row.numbers)
        for answer in answers:
            name = answer.question
            self.answers[name] = answer
            numbers[name] = int(numbers.get(name, 0)) + 1
            db.session.add(
                AssessmentVersion(
                    assessment_id=row.id, field=name, number=numbers[name], saved_at=acts.moment(),
                    saved_by=acts.running_act().actor.user_id, text=rules.as_kept(self.question(name), answer),
                )
            )  # fmt: skip
        row.numbers = numbers
        self._put(row, {answer.question for answer in answers})

    def _put(self, row: Assessment, changed: set[str]) -> None:
        """What everybody reads: the scores and texts that stand."""
        sheet = self.sheet
        if rules.REMARK in changed:
            row.remark = sheet.remark
        for mark in sheet.marks:
            if not changed & {rules.mark_field(mark.criterion), rules.comment_field(mark.criterion)}:
                continue
            score = self.scores.get(mark.criterion)
            if score is None:
                score = AssessmentScore(assessment_id=row.id, criterion=mark.criterion, half=None, comment="")
                self.scores[mark.criterion] = score
                db.session.add(score)
            score.half, score.comment = mark.half, mark.comment


def open_sheet(actor: Actor, application_id: UUID, version: int | None = None) -> OpenSheet:
    """The sheet of this person on an application that is in evaluation, inside an act that has locked the application.

    One statement. All that write on a sheet or take its seat lock the application first, so they queue.
    """
    found = _seat_and_sheet(actor, application_id)
    first = found[0]
    row = first.Assessment
    if not first.is_clear:
        raise NotFound
    queries.refuse_closed(first)
    if first.consensus == ConsensusState.AGREED.value:
        raise Refused(
            "The consensus is agreed; assessments of this application no longer change. Tell its chair what is wrong: "
            "they can open the consensus again."
        )
    if row is None and version:
        raise Conflict("This sheet is no longer here. Reload the page to see what stands now.")
    if row is not None:
        check_version(row, version)
        if row.state != AssessmentState.DRAFT.value:
            raise Refused(
                "You have submitted this assessment; it no longer changes. The programme manager can reopen it: ask through Help."
            )
    marking = calls.content_read(first.content).marking
    scores = {each.AssessmentScore.criterion: each.AssessmentScore for each in found if each.AssessmentScore}
    marks = [MarkInput(key, score.half, score.comment) for key, score in scores.items()]
    definition = rules.asked(marking, rules.REMARK_WORDS)
    standing = rules.answers_of(marks, row.remark if row is not None else "")
    return OpenSheet(seat_id=first.id, row=row, scores=scores, marking=marking, definition=definition, answers=standing)


def _seat_and_sheet(actor: Actor, application_id: UUID) -> Sequence[Any]:
    """Seat, whether no conflict bars it, state of the application and its consensus, sheet with its scores, and what the
    call asks, in one statement; :class:`NotFound` without an active seat.
    """
    faults.point("conflict")
    sent = {"user_id": actor.user_id, "application_id": application_id, "at": clock.now()}
    found = db.session.execute(_seat_and_sheet_of(), sent).all()
    if not found:
        raise NotFound
    return found


@functools.cache
def _seat_and_sheet_of() -> Select[Any]:
    """What :func:`_seat_and_sheet` asks, put together once: every save while one scores asks it."""
    person = bindparam("user_id", type_=Uuid)
    # Long, and the same for every score of the sheet: it comes with the first.
    is_first = func.row_number().over(order_by=AssessmentScore.criterion) == 1
    return (
        select(
            Assignment.id, queries.clear_for(person, bindparam("at", type_=DateTime(timezone=True))).label("is_clear"),
            Consensus.state.label("consensus"), Assessment, AssessmentScore, Application.state, Application.reference,
            case((is_first, calls.content_column())).label("content"),
        )
        .join(Application, Application.id == Assignment.application_id)
        .join(Call, Call.id == Application.call_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(Consensus, Consensus.application_id == Assignment.application_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .outerjoin(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.application_id == bindparam("application_id"),
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == person,
        )
        .order_by(AssessmentScore.criterion)
        .execution_options(populate_existing=True)
    )  # fmt: skip


def store(opened: OpenSheet, sheet: SheetInput, shown: tuple[Shown, ...] | None = None) -> None:
    """Write a whole sheet; raises :class:`FieldsChanged` for what another window wrote since it was shown."""
    fields.store(opened, sheet, shown)


@act(
    "assessment.save_field",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="wrote on an assessment of {subject}",
)
def save_field(actor: Actor, application_id: UUID, name: str, values: tuple[str, ...], number: int) -> FieldSaved:
    """Store one score or one text as a browser sent it; the same again is nothing new.

    Raises :class:`~grants.dossiers.merging.AnswerChanged` with both where another window wrote since, and
    :class:`NotFound` for a field that is not on the sheet.
    """
    return fields.stored(open_sheet(actor, application_id), name, values, number)


@act(
    "assessment.take_over",
    needs=Permission.ASSESSMENT_SCORE,
    scope=queries.application_scope,
    says="took answers from a file into an assessment of {subject}",
)
def take_over(
    actor: Actor, application_id: UUID, given: tuple[tuple[str, tuple[str, ...]], ...], shown: tuple[Shown, ...]
) -> tuple[str, ...]:
    """Store the fields that were ticked, each where it still stands as it was shown; returns those that were left."""
    opened = open_sheet(actor, application_id)
    numbers = {each.question: each.number for each in shown}
    to_store, left = [], []
    for name, values in given:
        question = opened.question(name)
        answer = checked(opened, question, values)
        outcome, _ = judged(opened, question, answer, numbers.get(name, merging.UNSEEN))
        if outcome is Outcome.STORE:
            to_store.append(answer)
        elif outcome is not Outcome.KEEP:
            left.append(name)
    opened.write(to_store)
    return tuple(left)
