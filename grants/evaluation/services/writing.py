"""Writing on a score sheet, field by field: what may be stored, what another window changed meanwhile, and every version of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.rules import Criterion, Marking
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, get
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers import merging
from grants.dossiers.merging import AnswerChanged, Contested, Outcome, Shown
from grants.dossiers.rules import Answer, Definition, Question
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
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState


class FieldsChanged(Conflict):
    """Another window of the same person changed these fields after they were shown; nothing was stored."""

    def __init__(self, contested: Sequence[Contested]) -> None:
        super().__init__(rules.CHANGED_ELSEWHERE)
        self.contested = tuple(contested)


@dataclass(slots=True)
class OpenSheet:
    """The evaluator's own sheet, open to be written; there is no row before the first word."""

    seat_id: UUID
    row: Assessment | None
    scores: dict[str, AssessmentScore]
    marking: Marking
    definition: Definition
    answers: dict[str, Answer] = field(default_factory=dict)

    @property
    def written(self) -> Assessment:
        """The row of a sheet on which something is written."""
        assert self.row is not None, "the sheet is begun before it is read"
        return self.row

    @property
    def sheet(self) -> SheetInput:
        """The sheet as it stands."""
        return rules.sheet_of(self.answers, self.marking.criteria)

    def criterion_of(self, question: Question) -> Criterion:
        """The criterion whose score a field holds."""
        return next(one for one in self.marking.criteria if rules.mark_field(one.key) == question.key)

    def number(self, name: str) -> int:
        """Which version of a field stands; 0 where nothing was ever written."""
        return int(self.row.numbers.get(name, 0)) if self.row is not None else 0


def open_sheet(actor: Actor, application_id: UUID, version: int | None = None) -> OpenSheet:
    """The sheet of this person on an application that is in evaluation, inside an act that has locked the application.

    Two statements. All that write on a sheet or take its seat lock the application first, so they queue.
    """
    found = _seat_and_sheet(actor, application_id)
    _, is_clear, consensus, row, _ = found[0]
    if not is_clear:
        raise NotFound
    application = get(Application, application_id)
    queries.refuse_closed(application)
    if consensus == ConsensusState.AGREED.value:
        raise Refused("The consensus is agreed; assessments of this application no longer change.")
    if row is None and version:
        raise Conflict("This sheet is no longer here. Reload the page to see what stands now.")
    if row is not None:
        check_version(row, version)
        if row.state != AssessmentState.DRAFT.value:
            raise Refused(
                "You have submitted this assessment; it no longer changes. Ask the programme manager to reopen it."
            )
    content = calls.call_by_id(application.call_id).content
    scores = {each[4].criterion: each[4] for each in found if each[4] is not None}
    marks = [MarkInput(key, score.half, score.comment) for key, score in scores.items()]
    definition = rules.asked(content.marking, rules.REMARK_WORDS)
    standing = rules.answers_of(marks, row.remark if row is not None else "")
    return OpenSheet(found[0][0], row, scores, content.marking, definition, standing)


def _seat_and_sheet(actor: Actor, application_id: UUID) -> Sequence[Any]:
    """Seat, whether no conflict bars it, consensus and sheet with its scores, in one statement; :class:`NotFound` without an active seat."""
    found = db.session.execute(
        select(
            Assignment.id, queries.clear_for(actor.user_id), Consensus.state, Assessment, AssessmentScore,
        )
        .join(Application, Application.id == Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .outerjoin(Consensus, Consensus.application_id == Assignment.application_id)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .outerjoin(AssessmentScore, AssessmentScore.assessment_id == Assessment.id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == actor.user_id,
        )
        .order_by(AssessmentScore.criterion)
        .execution_options(populate_existing=True)
    ).all()  # fmt: skip
    if not found:
        raise NotFound
    return found


def store(opened: OpenSheet, sheet: SheetInput, shown: tuple[Shown, ...] | None = None) -> None:
    """Write a whole sheet; raises :class:`FieldsChanged` for what another window wrote since it was shown."""
    typed = rules.answers_of(sheet.marks, sheet.remark)
    numbers = None if shown is None else {each.question: each.number for each in shown}
    to_store, contested = [], []
    for name, answer in typed.items():
        question = _question(opened, name)
        seen = opened.number(name) if numbers is None else numbers.get(name, merging.UNSEEN)
        outcome, base = _judged(opened, question, answer, seen)
        if outcome is Outcome.STORE:
            to_store.append(answer)
        elif outcome is not Outcome.KEEP:
            contested.append(_contested(opened, question, base, answer))
    if contested:
        raise FieldsChanged(contested)
    _write(opened, to_store)


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
    opened = open_sheet(actor, application_id)
    question = _question(opened, name)
    answer = _checked(opened, question, values)
    outcome, base = _judged(opened, question, answer, number)
    if outcome is Outcome.STORE:
        _write(opened, [answer])
    elif outcome is not Outcome.KEEP:
        raise AnswerChanged(question, _contested(opened, question, base, answer))
    stands = opened.answers.get(name, Answer(name))
    return FieldSaved(
        number=opened.number(name),
        saved_at=opened.row.saved_at if opened.row is not None else acts.moment(),
        missing=tuple(rules.lacking(opened.sheet, opened.marking).items()),
        other=None if stands == answer else rules.as_sent(question, stands),
    )


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
        question = _question(opened, name)
        answer = _checked(opened, question, values)
        outcome, _ = _judged(opened, question, answer, numbers.get(name, merging.UNSEEN))
        if outcome is Outcome.STORE:
            to_store.append(answer)
        elif outcome is not Outcome.KEEP:
            left.append(name)
    _write(opened, to_store)
    return tuple(left)


def _question(opened: OpenSheet, name: str) -> Question:
    found = opened.definition.question(name)
    if found is None:
        raise NotFound
    return found


def _checked(opened: OpenSheet, question: Question, values: Sequence[str]) -> Answer:
    """What was sent for one field, as it is stored; raises :class:`Invalid` for what is on no scale or over the limit."""
    answer = rules.read_sent(question, values)
    if rules.is_mark(question):
        if answer.empty and any(values):
            raise Invalid(
                "This is not on the scale.",
                {question.key: rules.off_scale(opened.criterion_of(question), opened.marking)},
            )
        return answer
    alone = SheetInput((), answer.text)
    return Answer(question.key, rules.tidy(alone, opened.marking).remark)


def _judged(opened: OpenSheet, question: Question, typed: Answer, seen: int) -> tuple[Outcome, Answer | None]:
    """What may become of an answer, by the rule of all documents; one more statement where it was not shown what stands."""
    name = question.key
    standing, stored = opened.number(name), opened.answers.get(name, Answer(name))
    base = _base(opened, question, seen) if seen != standing else None
    outcome = merging.judged(question, base=base, stored=stored, typed=typed, is_shown=seen == standing)
    return outcome, base


def _base(opened: OpenSheet, question: Question, seen: int) -> Answer | None:
    if seen == 0:
        return Answer(question.key)
    if opened.row is None or seen < 0:
        return None
    text = db.session.scalar(
        select(AssessmentVersion.text).where(
            AssessmentVersion.assessment_id == opened.row.id,
            AssessmentVersion.field == question.key,
            AssessmentVersion.number == seen,
        )
    )
    return None if text is None else rules.kept(question, text)


def _contested(opened: OpenSheet, question: Question, base: Answer | None, typed: Answer) -> Contested:
    name = question.key
    stored = opened.answers.get(name, Answer(name))
    saved_by = acts.running_act().actor.user_id
    return Contested(name, opened.number(name), base or Answer(name), stored, typed, opened.written.saved_at, saved_by)


def _write(opened: OpenSheet, answers: Sequence[Answer]) -> None:
    """Write these fields, each with its version; a sheet is begun by the first save, also of nothing."""
    row = opened.row
    if row is None:
        row = opened.row = Assessment(
            assignment_id=opened.seat_id,
            state=AssessmentState.DRAFT.value,
            remark="",
            saved_at=acts.moment(),
            saves=0,
            numbers={},
            submitted_at=None,
        )
        db.session.add(row)
    row.saved_at = acts.moment()
    row.saves += 1
    numbers = dict(row.numbers)
    for answer in answers:
        question = _question(opened, answer.question)
        opened.answers[answer.question] = answer
        numbers[answer.question] = int(numbers.get(answer.question, 0)) + 1
        db.session.add(
            AssessmentVersion(
                assessment_id=row.id,
                field=answer.question,
                number=numbers[answer.question],
                text=rules.as_kept(question, answer),
                saved_at=acts.moment(),
                saved_by=acts.running_act().actor.user_id,
            )
        )
    row.numbers = numbers
    _put(opened, row, {answer.question for answer in answers})


def _put(opened: OpenSheet, row: Assessment, changed: set[str]) -> None:
    """What everybody reads: the scores and texts that stand."""
    sheet = opened.sheet
    if rules.REMARK in changed:
        row.remark = sheet.remark
    for mark in sheet.marks:
        if not changed & {rules.mark_field(mark.criterion), rules.comment_field(mark.criterion)}:
            continue
        score = opened.scores.get(mark.criterion)
        if score is None:
            score = AssessmentScore(assessment_id=row.id, criterion=mark.criterion, half=None, comment="")
            opened.scores[mark.criterion] = score
            db.session.add(score)
        score.half, score.comment = mark.half, mark.comment
