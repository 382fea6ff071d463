"""Writing on a consensus while it is a draft: field by field or whole, by one chair or several, and every version of each field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, NotAllowed, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.merging import Shown
from grants.dossiers.rules import Answer
from grants.evaluation import queries, rules
from grants.evaluation.models import Assessment, Assignment, Consensus, ConsensusScore, ConsensusWriting
from grants.evaluation.rules import FieldSaved, MarkInput, SheetInput
from grants.evaluation.services import fields
from grants.evaluation.services.fields import FieldsChanged, OpenFields, contested
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState


def refuse_reading(actor: Actor, application_id: UUID) -> Application:
    """The application, locked, for somebody who leads its consensus: declared free of conflict, still in evaluation."""
    assert actor.user_id is not None
    if queries.declaration_of(actor.user_id, application_id).declared is None:
        raise NotAllowed("Declare first whether you have a conflict of interest with this application.")
    queries.refuse_conflict(actor.user_id, application_id)
    application = locked(Application, application_id)
    queries.refuse_own_seat(actor, application_id)
    queries.refuse_closed(application)
    return application


def _refuse_incomplete(application: Application, per_application: int) -> None:
    seats = db.session.execute(
        select(Assignment.id, Assessment.state)
        .outerjoin(Assessment, Assessment.assignment_id == Assignment.id)
        .where(Assignment.application_id == application.id, Assignment.state == SeatState.ACTIVE.value)
    ).all()
    submitted = sum(state == AssessmentState.SUBMITTED.value for _, state in seats)
    if submitted < per_application:
        raise Refused(
            f"{application.reference} has {submitted} submitted {'assessment' if submitted == 1 else 'assessments'}; "
            f"{per_application} are needed before the consensus. Wait for the others, or fill an empty seat."
        )


def consensus_row(application_id: UUID) -> Consensus | None:
    """The consensus of an application, locked; None where nobody has begun it."""
    return db.session.scalars(
        select(Consensus)
        .where(Consensus.application_id == application_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()


@dataclass(slots=True, kw_only=True)
class OpenConsensus(OpenFields):
    """The consensus of an application, locked and in draft; a row is made where nobody has begun it."""

    row: Consensus
    scores: dict[str, ConsensusScore]

    def number(self, name: str) -> int:
        """Which version of a field stands; 0 where nothing was ever written."""
        return int(self.row.numbers.get(name, 0))

    def text_of(self, name: str, number: int) -> str | None:
        """The text of a version of a field; None where there is none."""
        found = self._writing(name, number)
        return None if found is None else found.text

    def last_of(self, name: str) -> tuple[datetime, UUID | None]:
        """When the version that stands was saved, and by whom."""
        found = self._writing(name, self.number(name))
        return (self.row.saved_at, self.row.written_by) if found is None else (found.saved_at, found.saved_by)

    @property
    def saved_at(self) -> datetime:
        """When the consensus was saved last."""
        return self.row.saved_at

    def write(self, answers: Sequence[Answer]) -> None:
        """Write these fields, each with its version; a whole form that changes nothing still says who saved it."""
        row, actor = self.row, acts.running_act().actor
        assert actor.user_id is not None
        row.written_by, row.saved_at = actor.user_id, acts.moment()
        row.saves += 1
        numbers = dict(row.numbers)
        for answer in answers:
            name = answer.question
            self.answers[name] = answer
            numbers[name] = int(numbers.get(name, 0)) + 1
            db.session.add(
                ConsensusWriting(
                    consensus_id=row.id, field=name, number=numbers[name], saved_at=acts.moment(),
                    saved_by=actor.user_id, text=rules.as_kept(self.question(name), answer),
                )
            )  # fmt: skip
        row.numbers = numbers
        row.text = self.sheet.remark
        changed = {answer.question for answer in answers}
        for mark in self.sheet.marks:
            if changed & {rules.mark_field(mark.criterion), rules.comment_field(mark.criterion)}:
                self._put(mark)

    def _put(self, mark: MarkInput) -> None:
        score = self.scores.get(mark.criterion)
        if score is None:
            score = ConsensusScore(consensus_id=self.row.id, criterion=mark.criterion, half=None, comment="")
            self.scores[mark.criterion] = score
            db.session.add(score)
        score.half, score.comment = mark.half, mark.comment

    def _writing(self, name: str, number: int) -> ConsensusWriting | None:
        return db.session.scalars(
            select(ConsensusWriting).where(
                ConsensusWriting.consensus_id == self.row.id,
                ConsensusWriting.field == name,
                ConsensusWriting.number == number,
            )
        ).one_or_none()


def open_consensus(actor: Actor, application_id: UUID, version: int | None = None) -> OpenConsensus:
    """The consensus, locked and in draft, begun where there is none; only when every assessment is in."""
    application = refuse_reading(actor, application_id)
    content = calls.call_by_id(application.call_id).content
    _refuse_incomplete(application, content.evaluators_least)
    row = consensus_row(application_id)
    if row is None:
        if version:
            raise Conflict("This consensus is no longer here. Reload the page to see what stands now.")
        row = Consensus(
            application_id=application_id, state=ConsensusState.DRAFT.value, text="", written_by=actor.user_id,
            saved_at=acts.moment(), saves=0, agreed_by=[], numbers={},
        )  # fmt: skip
        db.session.add(row)
    else:
        check_version(row, version)
        if row.state != ConsensusState.DRAFT.value:
            raise Refused(rules.no_draft_words(ConsensusState(row.state)))
    found = db.session.scalars(select(ConsensusScore).where(ConsensusScore.consensus_id == row.id))
    scores = {score.criterion: score for score in found}
    marks = [MarkInput(key, score.half, score.comment) for key, score in scores.items()]
    return OpenConsensus(
        marking=content.marking, definition=rules.asked(content.marking, rules.CONSENSUS_WORDS), row=row, scores=scores,
        answers=rules.answers_of(marks, row.text),
    )  # fmt: skip


def store(opened: OpenConsensus, sheet: SheetInput, shown: tuple[Shown, ...] | None = None) -> None:
    """Write a whole consensus; raises :class:`FieldsChanged` for what somebody else wrote since it was shown."""
    fields.store(opened, sheet, shown, rules.CHANGED_BY_ANOTHER)


def refuse_unseen(opened: OpenConsensus, sheet: SheetInput) -> None:
    """Raise :class:`FieldsChanged` where something stands that the sender of the whole form was not shown."""
    unseen = [
        contested(opened, opened.question(name), None, answer)
        for name, answer in rules.answers_of(sheet.marks, sheet.remark).items()
        if opened.answer(name) != answer
    ]
    if unseen:
        raise FieldsChanged(unseen, rules.CHANGED_BY_ANOTHER)


@act(
    "consensus.save_field",
    needs=Permission.CONSENSUS_WRITE,
    scope=queries.application_scope,
    says="wrote on the consensus on {subject}",
)
def save_consensus_field(
    actor: Actor, application_id: UUID, name: str, values: tuple[str, ...], number: int
) -> FieldSaved:
    """Store one score or one text of the draft as a browser sent it; the same again is nothing new.

    Raises :class:`~grants.dossiers.merging.AnswerChanged` with both texts where somebody else wrote since, and
    :class:`~grants.core.errors.NotFound` for a field that is none.
    """
    return fields.stored(open_consensus(actor, application_id), name, values, number)
