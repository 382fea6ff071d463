"""Stepping down from a whole call: the seats whose sheets are not in become free, what was submitted stands; and coming back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.core import acts
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.dossiers.rules import clean_text
from grants.evaluation import queries, rules
from grants.evaluation.models import Assessment, Assignment, Evaluator, EvaluatorAcceptance
from grants.evaluation.services.consensus import consensus_row
from grants.evaluation.services.leaving import REASON_MISSING
from grants.evaluation.services.seats import void_seat
from grants.evaluation.states import AssessmentState, ConsensusState, SeatState
from grants.identity import services as people
from grants.identity.queries import users_with


@act(
    "evaluator.step_down",
    needs=Permission.CONFLICT_DECLARE,
    scope=queries.call_scope,
    says="stepped down from evaluating in {subject}",
)
def step_down(actor: Actor, call_id: UUID, reason: str, version: int | None = None) -> int:
    """Stop evaluating in a call: no seat comes any more, and each whose sheet is not in is free. Returns how many.

    What was submitted stands, with its seat and its consensus; where nothing stands the acceptance of the contract is
    taken back too. Raises :class:`Refused` once the last assessment is in, or for whoever stepped down already.
    """
    held = _held_applications(call_id, actor.user_id)
    entry = _entry(call_id, actor.user_id)
    if entry.stepped_down_at is not None:
        raise Refused("You stepped down from this call already, perhaps in another tab. Nothing was changed.")
    check_version(entry, version)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": REASON_MISSING})
    seats = _own_seats(entry, held)
    if not any(is_open for _, is_open in seats) and _has_seat(entry):
        raise Refused(rules.ALL_SUBMITTED)
    acts.reason(words)
    entry.stepped_down_at, entry.stepped_down_why = acts.moment(), words
    freed = sum(is_open and _gave_back(seat, entry.user_id, words) for seat, is_open in seats)
    if not _has_seat(entry):
        _take_back_acceptance(entry, words)
    # Without a number: a mail is read by who is a manager when it leaves, and whose conflicts may have come since. Which
    # seats are free stands on the page, of what is open to them then.
    _tell(actor, _managers(call_id), call_id, "evaluator_stepped_down", words=words)
    return freed


@act(
    "evaluator.come_back",
    needs=Permission.CONFLICT_DECLARE,
    scope=queries.call_scope,
    says="evaluates again in {subject}",
)
def come_back(actor: Actor, call_id: UUID, version: int | None = None) -> None:
    """Be there for new seats again; those given back stay free for others."""
    entry = _entry(call_id, actor.user_id)
    if entry.stepped_down_at is None:
        raise Refused("You are in the pool of this call. Nothing was changed.")
    check_version(entry, version)
    entry.stepped_down_at = entry.stepped_down_why = None
    _tell(actor, _managers(call_id), call_id, "evaluator_came_back")


def _entry(call_id: UUID, user_id: UUID | None) -> Evaluator:
    found = db.session.scalars(
        select(Evaluator)
        .where(Evaluator.call_id == call_id, Evaluator.user_id == user_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def _held_applications(call_id: UUID, user_id: UUID | None) -> dict[UUID, Application]:
    """The applications on which somebody has a seat, locked in the order in which a file of seats locks them.

    Applications come before the entry in the pool, as wherever seats change by hand: so neither waits for the other. And as
    whoever submits locks the application too, a sheet is in before this, or not at all.
    """
    seats = (
        select(Assignment.application_id)
        .join(Evaluator, Evaluator.id == Assignment.evaluator_id)
        .where(
            Evaluator.call_id == call_id,
            Evaluator.user_id == user_id,
            Assignment.state == SeatState.ACTIVE.value,
        )
    )
    rows = db.session.scalars(
        select(Application)
        .where(Application.id.in_(seats))
        .order_by(Application.reference)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows}


def _own_seats(entry: Evaluator, held: Mapping[UUID, Application]) -> list[tuple[Assignment, bool]]:
    """The seats of somebody in evaluation, each with whether its sheet is still open; their applications are locked."""
    found = db.session.execute(
        select(Assignment.id, Assignment.application_id)
        .where(Assignment.evaluator_id == entry.id, Assignment.state == SeatState.ACTIVE.value)
        .order_by(Assignment.application_id)
    ).all()
    if any(application_id not in held for _, application_id in found):
        raise Conflict("You got another seat at this very moment. Look at what you have now, and send it again.")
    seats = []
    for seat_id, application_id in found:
        seat = locked(Assignment, seat_id)
        if held[application_id].state not in queries.IN_EVALUATION or seat.state != SeatState.ACTIVE.value:
            continue
        sheet = db.session.scalar(select(Assessment.state).where(Assessment.assignment_id == seat_id))
        seats.append((seat, sheet != AssessmentState.SUBMITTED.value))
    return seats


def _has_seat(entry: Evaluator) -> bool:
    """Whether a seat of this person stands, in whatever became of its application."""
    standing = select(Assignment.id).where(
        Assignment.evaluator_id == entry.id, Assignment.state == SeatState.ACTIVE.value
    )
    return db.session.scalar(select(standing.exists())) is True


def _gave_back(seat: Assignment, user_id: UUID, words: str) -> bool:
    """Whether the seat is empty now; one whose consensus is agreed stays as the record of how it was."""
    consensus = consensus_row(seat.application_id)
    if consensus is not None and consensus.state == ConsensusState.AGREED.value:
        return False
    void_seat(seat, user_id, f"{rules.GIVEN_BACK}{words}")
    return True


def _take_back_acceptance(entry: Evaluator, words: str) -> None:
    """Nothing of this person stands in the call: with the acceptance everything shuts, and it is asked for anew."""
    rows = select(EvaluatorAcceptance).where(
        EvaluatorAcceptance.call_id == entry.call_id,
        EvaluatorAcceptance.user_id == entry.user_id,
        EvaluatorAcceptance.withdrawn_at.is_(None),
    )
    for row in db.session.scalars(rows.order_by(EvaluatorAcceptance.number).with_for_update()):
        row.withdrawn_at, row.withdrawn_why = acts.moment(), words


def _managers(call_id: UUID) -> list[UUID]:
    return [each.id for each in users_with(Permission.ASSIGNMENT_DECIDE, Scope.of(("call", call_id)))]


def _tell(actor: Actor, managers: Iterable[UUID], call_id: UUID, letter: str, **values: object) -> None:
    call = calls.call_by_id(call_id)
    people.mail(managers, letter, "call", call_id, call_title=call.title, slug=call.slug, name=actor.name, **values)
