"""Seats on applications: given, filled by hand, emptied."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select

from grants.applications import services as applications
from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.evaluation import matching, queries, rules
from grants.evaluation.models import Assessment, Assignment, Consensus, Evaluator, ScoreShift
from grants.evaluation.rules import Consortium, Fitting, PoolMember
from grants.evaluation.services.consensus import open_agreed, reopen_consensus
from grants.evaluation.services.drafting import consensus_row
from grants.evaluation.services.scored import mean_told
from grants.evaluation.states import SEAT, SHIFT, ConsensusState, CountryRule, SeatState, ShiftState
from grants.identity import services as people
from grants.identity.policy import Role

# A reason is told by mail and stands in every history.
REASON_CHARACTERS_MAX = 2_000
# The letters to whoever loses a seat by hand.
EMPTIED, HANDED_OVER = "assignment_emptied", "assignment_handed_over"

SEAT_EMPTIED = "A seat was emptied, so the evaluators agree anew."
# The same where the score is a mean of sheets.
SEAT_LEFT = "The sheet of an emptied seat counts no more."


def void_seat(seat: Assignment, user_id: UUID, reason: str) -> None:
    """Empty a seat: the role ends, the sheet counts no more, a consensus already begun opens again."""
    # Whose seat it was and why is not for the panel: it may be their conflict.
    with mean_told(seat.application_id, "a seat was emptied", SEAT_LEFT, by=user_id):
        SEAT.move(seat, "void")
        seat.voided_at, seat.void_reason = acts.moment(), reason
    people.end_role(user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=seat.application_id)
    row = consensus_row(seat.application_id)
    match row:
        case Consensus(state=ConsensusState.AGREED.value):
            open_agreed(acts.running_act().actor, row, SEAT_EMPTIED, named=False)
        case Consensus(state=ConsensusState.PROPOSED.value):
            reopen_consensus(row)


def start_again(application_id: UUID, reason: str) -> None:
    """Everybody leaves the seats of an application, inside an act that has locked it: their sheets stay as history.

    The consensus is a draft again with its versions, a move of the score is replaced, and new evaluators get the seats.
    """
    application = locked(Application, application_id)
    for seat in seats_of([application_id]):
        left = locked(Evaluator, seat.evaluator_id).user_id
        void_seat(seat, left, reason)
        people.mail([left], EMPTIED, "application", application_id, reference=application.reference, words=reason)
    moved = select(ScoreShift).where(
        ScoreShift.application_id == application_id, ScoreShift.state == ShiftState.CONFIRMED.value
    )
    for shift in db.session.scalars(moved.with_for_update()):
        SHIFT.move(shift, "replace")


def standing_pairs(application_ids: Iterable[UUID]) -> set[matching.Pair]:
    """Application and evaluator of every seat that stands."""
    return pairs_in(application_ids, SeatState.ACTIVE)


def seats_of(application_ids: Iterable[UUID]) -> tuple[Assignment, ...]:
    """Every seat that stands on these applications, in a steady order."""
    return tuple(
        db.session.scalars(
            select(Assignment)
            .where(Assignment.application_id.in_(list(application_ids)), Assignment.state == SeatState.ACTIVE.value)
            .order_by(Assignment.application_id, Assignment.evaluator_id)
            .execution_options(populate_existing=True)
        )
    )


def movable_pairs(seats: Sequence[Assignment]) -> frozenset[matching.Pair]:
    """Of these seats those a run may move: given by a run, not locked, and nothing written on them yet."""
    begun = set(
        db.session.scalars(
            select(Assessment.assignment_id).where(Assessment.assignment_id.in_([seat.id for seat in seats]))
        )
    )
    return frozenset(
        (seat.application_id, seat.evaluator_id)
        for seat in seats
        if seat.run_id is not None and not seat.locked and seat.id not in begun
    )


def pairs_in(application_ids: Iterable[UUID], state: SeatState) -> set[matching.Pair]:
    """Application and evaluator of every seat in one state."""
    rows = db.session.execute(
        select(Assignment.application_id, Assignment.evaluator_id).where(
            Assignment.application_id.in_(list(application_ids)), Assignment.state == state.value
        )
    )
    return {(application_id, evaluator_id) for application_id, evaluator_id in rows}


def give_seat(
    application_id: UUID,
    member: PoolMember,
    utility: int,
    due_at: datetime | None,
    *,
    run_id: UUID | None = None,
    hand_reason: str | None = None,
) -> UUID:
    """A seat with its role on the application."""
    seat = Assignment(
        application_id=application_id,
        evaluator_id=member.id,
        run_id=run_id,
        state=SeatState.ACTIVE.value,
        utility=utility,
        due_at=due_at,
        hand_reason=hand_reason,
    )
    db.session.add(seat)
    people.give_role(member.user_id, Role.ASSIGNED_EVALUATOR, kind="application", object_id=application_id)
    return seat.id


def start_evaluation(found: Sequence[Consortium]) -> None:
    """Applications that got their first seats are under evaluation from now on."""
    for one in found:
        application = locked(Application, one.application_id)
        if application.state == ApplicationState.ELIGIBLE.value:
            applications.move(application.id, "evaluate")


def tell_evaluators(call: CallView, members: Sequence[PoolMember]) -> None:
    """One mail for each evaluator with new seats, whatever their number."""
    counts: dict[UUID, int] = {}
    for member in members:
        counts[member.user_id] = counts.get(member.user_id, 0) + 1
    for user_id, count in sorted(counts.items()):
        people.mail([user_id], "assignment_made", "call", call.id, call_title=call.title, count=count)


def to_change_by_hand(actor: Actor, application_id: UUID, reason: str) -> tuple[Application, str]:
    """The application, locked, and the reason cleaned: what every change of seats by hand asks first, whatever it is.

    Nobody manages the seats of what they assess or have a conflict with, also where the results are public and the
    evaluation is repeated; the seats of an application that is no longer in evaluation stand.
    """
    application = locked(Application, application_id)
    if queries.unseatable(actor, [application_id]):
        raise NotFound
    queries.refuse_own_seat(actor, application_id)
    queries.refuse_closed(application)
    words = clean_text(reason)
    if not words:
        raise Invalid("A reason is missing.", {"reason": "Say why, in a sentence; it is kept on the record."})
    if len(words) > REASON_CHARACTERS_MAX:
        raise Invalid(
            "The reason is too long.",
            {"reason": f"This has {len(words)} characters; the limit is {REASON_CHARACTERS_MAX}. Cut it."},
        )
    acts.reason(words)
    return application, words


def refuse_decided(application: Application) -> None:
    """Raise :class:`Refused` once the evaluation is over or the consensus is agreed."""
    queries.refuse_closed(application)
    consensus = consensus_row(application.id)
    if consensus is not None and consensus.state == ConsensusState.AGREED.value:
        raise Refused(f"{rules.SEATS_DECIDED} The programme manager can open the consensus again first.")


def take_seat_by_hand(application: Application, seat: Assignment, words: str, *, letter: str = EMPTIED) -> None:
    """Empty a seat inside an act that began with :func:`to_change_by_hand`, and tell who had it by mail.

    ``letter`` is :data:`HANDED_OVER` where somebody else has it now; who that is, is not theirs to know: evaluators are
    named to nobody beside the programme. Refused while the seat is locked or the consensus is agreed.
    """
    refuse_decided(application)
    if seat.locked:
        raise Refused("This seat is locked. Unlock it first.")
    left = locked(Evaluator, seat.evaluator_id).user_id
    void_seat(seat, left, f"Handed over: {words}" if letter == HANDED_OVER else words)
    db.session.flush()
    people.mail([left], letter, "application", application.id, reference=application.reference, words=words)


@dataclass(frozen=True, slots=True)
class SeatingRoom:
    """What seats given by hand are checked by, read once an act: the pool, the consortia, the rules of the call."""

    actor: Actor
    call: CallView
    members: Mapping[UUID, PoolMember]
    about: Mapping[UUID, Consortium]
    countries: CountryRule
    fitting: Fitting


def seating_room(
    actor: Actor, call: CallView, application_ids: Collection[UUID], evaluator_ids: Collection[UUID]
) -> SeatingRoom:
    """The room of these applications, inside an act that has locked them; whose seats change is locked here, in a steady order.

    What is refused there is refused by what this person may know of.
    """
    whose = select(Evaluator.id).where(Evaluator.call_id == call.id, Evaluator.id.in_(evaluator_ids))
    db.session.execute(whose.order_by(Evaluator.id).with_for_update()).all()
    members = queries.pool(call.id, actor)
    return SeatingRoom(
        actor,
        call,
        {member.id: member for member in members},
        {one.application_id: one for one in queries.consortia_of(application_ids)},
        queries.country_rule(call.id),
        rules.fitting(call.content, members),
    )


def seat_by_hand(
    room: SeatingRoom, application: Application, evaluator_id: UUID, words: str, due_at: datetime | None
) -> None:
    """A seat for an evaluator of the pool, inside an act that has locked the application; refused for whatever a run would not do either.

    Who has it is for the act to tell: one mail to each, whatever their number.
    """
    call, application_id = room.call, application.id
    member = room.members.get(evaluator_id)
    if member is None:
        raise Invalid("Choose an evaluator.", {"evaluator": "Choose an evaluator of this call’s pool."})
    about = room.about[application_id]
    said = queries.declaration_of(member.user_id, application_id)
    why = rules.why_not(member, about, said, countries=room.countries, due=due_at)
    if not why and not queries.clear_people([member.user_id], [application_id], [member.user_id]):
        why = rules.why_shut(member)
    if why:
        raise Refused(f"{why} Choose somebody else.")
    # The act itself may have given or taken seats since the room was read.
    rules.refuse_load(member, _load(room.actor, evaluator_id) - member.load)
    standing = standing_pairs([application_id])
    if len(standing) >= call.content.evaluators_per_application:
        raise Refused(f"{application.reference} has all its evaluators ({len(standing)}). Void a seat first.")
    if (application_id, evaluator_id) in standing | pairs_in([application_id], SeatState.VOIDED):
        raise Refused(f"{member.name} has or had a seat on {application.reference}. Choose somebody else.")
    with mean_told(application_id, "another seat was given", "Its assessment is awaited.", by=member.user_id):
        give_seat(application_id, member, room.fitting.utility(member, about), due_at, hand_reason=words)
    start_evaluation([about])


def _load(actor: Actor, evaluator_id: UUID) -> int:
    held = select(func.count(Assignment.id)).where(
        Assignment.evaluator_id == evaluator_id,
        Assignment.state == SeatState.ACTIVE.value,
        queries.not_barred(actor),
    )
    return db.session.scalar(held) or 0


@act(
    "assignment.export_list",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=calls.lies_in,
    says="took the seats of {subject} out as a file",
)
def export_seats(actor: Actor, call_id: UUID, rows: int, kind: str) -> None:
    """Put on the record that a list of who assesses what leaves the program; nothing leaves unless this is kept."""
    acts.subject("call", call_id)
    acts.reason(f"{rows} rows as {kind}.")


@act(
    "assignment.export_run",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=calls.lies_in,
    says="took a run of the assignment of {subject} out as a file",
)
def export_run(actor: Actor, call_id: UUID, number: int, sha256: str) -> None:
    """Put on the record which run leaves the program, and the SHA-256 of the very file that does."""
    acts.subject("call", call_id)
    acts.reason(f"Run {number}, a file with the SHA-256 {sha256}.")
