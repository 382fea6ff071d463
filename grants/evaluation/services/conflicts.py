"""Acts of declaring conflicts and ruling on them; a conflict bars at once and empties a seat."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Assignment, ConflictDeclaration, Evaluator
from grants.evaluation.rules import Answered
from grants.evaluation.services.seats import void_seat
from grants.evaluation.states import Declared, Ruled, Ruling, SeatState
from grants.identity import services as people


@act(
    "conflict.declare",
    needs=Permission.CONFLICT_DECLARE,
    scope=queries.call_scope,
    says="answered about conflicts of interest with {subject}",
)
def declare(actor: Actor, call_id: UUID, answers: tuple[Answered, ...]) -> int:
    """Store what the person declares about applications of a call; returns how many conflicts now stand.

    A conflict bars the person from the application at once and empties a seat they had on it.
    """
    allowed = queries.may_declare(actor, call_id)
    cleaned = [rules.clean_declaration(answer) for answer in answers]
    stored = {row.application_id: row for row in _own_declarations(actor, [a.application_id for a in cleaned])}
    conflicts = 0
    for answer in cleaned:
        if answer.application_id not in allowed:
            raise NotFound
        row = stored.get(answer.application_id)
        if row is not None and (row.declared, row.reason or "") == (answer.declared.value, answer.reason):
            continue
        if answer.declared is Declared.NONE:
            _refuse_taking_back(row)
        _store(actor, row, answer)
        if answer.declared is Declared.CONFLICT:
            conflicts += 1
            _keep_away(actor.user_id, call_id, answer.application_id, answer.reason)
    return conflicts


def _own_declarations(actor: Actor, application_ids: Sequence[UUID]) -> Sequence[ConflictDeclaration]:
    return db.session.scalars(
        select(ConflictDeclaration)
        .where(
            ConflictDeclaration.user_id == actor.user_id,
            ConflictDeclaration.application_id.in_(application_ids),
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _refuse_taking_back(row: ConflictDeclaration | None) -> None:
    """A doubt that waits for a ruling is settled by the ruling, not by the person who has it."""
    if row is not None and row.declared == Declared.UNSURE.value and row.ruling is None:
        raise Refused(
            "You said you are unsure about one of these applications, and the programme manager has not ruled yet. "
            "Wait for the ruling; until then you can only declare a conflict. Nothing was changed."
        )


def _store(actor: Actor, row: ConflictDeclaration | None, answer: Answered) -> None:
    if row is None:
        row = ConflictDeclaration(user_id=actor.user_id, application_id=answer.application_id)
        db.session.add(row)
    row.declared, row.reason = answer.declared.value, answer.reason or None
    row.declared_at = acts.moment()
    # A new declaration opens the question again; what was ruled before stays in the audit record.
    row.ruling = row.ruling_reason = row.ruled_by = row.ruled_at = None


@act(
    "conflict.rule",
    needs=Permission.CONFLICT_CONFIRM,
    scope=queries.declaration_scope,
    says="ruled on a conflict of interest with {subject}",
)
def rule(actor: Actor, declaration_id: UUID, ruling: Ruling, reason: str, version: int | None = None) -> Ruled:
    """Confirm a conflict, or clear a doubt or a declared conflict, with a reason. Nobody rules on their own.

    A ruling that comes after the evaluation is recorded and bars; the record of the evaluation stands as it was.
    """
    row = locked(ConflictDeclaration, declaration_id)
    check_version(row, version)
    faults.point("four_eyes")
    if row.user_id == actor.user_id:
        raise Refused("You cannot rule on your own declaration. Ask another programme manager.")
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; it is kept on the record."})
    acts.reason(words)
    row.ruling, row.ruling_reason = ruling.value, words
    row.ruled_by, row.ruled_at = actor.user_id, acts.moment()
    application = locked(Application, row.application_id)
    match ruling:
        case Ruling.CONFIRMED:
            return _keep_away(row.user_id, application.call_id, application.id, words)
        case Ruling.CLEARED:
            people.lift_bar(row.user_id, "application", application.id)
            return Ruled.NOTHING_MORE


def _keep_away(user_id: UUID | None, call_id: UUID, application_id: UUID, reason: str) -> Ruled:
    """Bar a person from an application until the results of its call are public, and empty their seat on it.

    Only while it is in evaluation, where the seat can be filled and the consensus agreed anew: afterwards a seat
    and a consensus are the record of how it was decided.

    Before results are published the bar has no end; the act that publishes them gives it one, or moves it. The call
    is locked here and there, so that no bar is made in between.
    """
    assert user_id is not None, "the program itself declares nothing"
    results_public_at = calls.results_public_at(call_id)
    if results_public_at is None or results_public_at > acts.moment():
        people.bar(user_id, "application", application_id, until=results_public_at)
    seat = db.session.scalars(
        select(Assignment)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Assignment.application_id == application_id,
            Assignment.state == SeatState.ACTIVE.value,
            Evaluator.user_id == user_id,
        )
        .with_for_update(of=Assignment)
    ).one_or_none()
    if seat is None:
        return Ruled.NOTHING_MORE
    if locked(Application, application_id).state not in queries.IN_EVALUATION:
        return Ruled.RECORD_STANDS
    void_seat(seat, user_id, f"Conflict of interest: {reason}")
    return Ruled.SEAT_EMPTIED
