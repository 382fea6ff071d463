"""The exact assignment: asked for, made by a job, kept as a run with its certificate."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from time import perf_counter
from uuid import UUID

from sqlalchemy import select

from grants.applications.models import Application
from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, clock, jobs
from grants.core.acts import act
from grants.core.db import among, db, locked
from grants.core.errors import Conflict, NotAllowed, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation import matching, queries, rules
from grants.evaluation.models import Assignment, AssignmentRun
from grants.evaluation.rules import Consortium, PoolMember, RunInput, RunResult
from grants.evaluation.services.records import explained, input_of, last_run, run_row
from grants.evaluation.services.seats import (
    give_seat,
    movable_pairs,
    pairs_in,
    seats_of,
    start_evaluation,
    tell_evaluators,
    void_seat,
)
from grants.evaluation.states import CountryRule, RunStatus, SeatState, StandingRule


@act(
    "assignment.request",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="asked for evaluators to be assigned in {subject}",
)
def request_run(actor: Actor, call_id: UUID, values: RunInput) -> UUID:
    """Ask for a run of the exact assignment; a job makes it. Returns the job's id."""
    rules.refuse_bad_run(values, acts.moment())
    applications = queries.consortia(call_id)
    if not applications:
        raise Refused("No application of this call is eligible yet. Assign evaluators after the eligibility check.")
    rules.refuse_too_large(len(applications), len(queries.pool(call_id)))
    acts.subject("call", call_id)
    return jobs.queue(
        "jobs.evaluation.assign",
        subject=("call", call_id),
        call_id=str(call_id),
        seed=values.seed.strip(),
        due_at=values.due_at.isoformat() if values.due_at else None,
        keep_countries_apart=values.countries.value,
        standing=values.standing.value,
    )


CHANGED = (
    "A declaration, a seat or the pool changed while the assignment was worked out. Nothing was given out; ask again."
)


class ChangedMeanwhile(Conflict):
    """What an assignment depends on changed while it was worked out."""


Solver = Callable[[matching.Instance], matching.Matched | matching.Infeasible]


def run(actor: Actor, call_id: UUID, values: RunInput, solver: Solver = matching.assign) -> RunResult:
    """Fill every empty seat of the call by the exact assignment; seats that stand stay, or as few as possible move.

    Worked out while nothing is held, however long that takes, and given out only if all of it is as it was read.
    Applications in which the person who asks has a conflict stay as they are, and nothing that comes of it hangs on who
    has their seats (docs/decisions/0022). Run again with nothing changed it adds nothing. Raises :class:`Conflict` when something changed twice.
    """
    if not actor.may(Permission.ASSIGNMENT_DECIDE, Scope.of(("call", call_id))):
        raise NotAllowed("Evaluators are assigned by the programme manager of this call.", Permission.ASSIGNMENT_DECIDE)
    for _ in range(2):
        jobs.progress(0, 4, "Reading applications, evaluators and declarations")
        instance = _read(actor, call_id, values).instance
        # What was read is plain now: no row and no snapshot is held while it is worked out.
        db.session.rollback()
        # Without how many: the page shows it to whoever assigns in the call, and of some one of them may be shut.
        jobs.progress(1, 4, "Finding the best of all assignments")
        worked_out = work_out(instance, solver)
        try:
            return give_out(actor, call_id, values, worked_out)
        except ChangedMeanwhile as error:
            changed = error
    raise changed


@dataclass(frozen=True, slots=True)
class WorkedOut:
    """All that takes long about a run, which hangs on its input alone: made while no transaction is open.

    ``spelled`` is the input in its one spelling and ``packed`` the same compressed; ``milliseconds`` is how long the seats
    were looked for, ``reasons`` are the numbers behind each new one.
    """

    spelled: bytes
    packed: bytes
    result: matching.Matched | matching.Infeasible
    milliseconds: int
    reasons: Mapping[matching.Pair, matching.Explained]


def work_out(instance: matching.Instance, solver: Solver) -> WorkedOut:
    """Seats, their proof checked pair by pair, and the reasons for each."""
    began = perf_counter()
    result = solver(instance)
    took = round((perf_counter() - began) * 1_000)
    spelled = input_of(instance)
    reasons: Mapping[matching.Pair, matching.Explained] = {}
    if isinstance(result, matching.Matched):
        jobs.progress(2, 4, "Checking the proof, and working out the reasons for each seat")
        assert matching.verify(instance, result) == (), "the certificate was checked pair by pair"
        reasons = matching.explain(instance, result)
    return WorkedOut(spelled, zlib.compress(spelled, 6), result, took, reasons)


@dataclass(frozen=True, slots=True)
class _ReadNow:
    """Everything a run starts from, as it stands at one moment."""

    call: CallView
    found: tuple[Consortium, ...]
    members: tuple[PoolMember, ...]
    instance: matching.Instance
    kept_away: Mapping[matching.Pair, str]
    # Applications of the call that stay as they are: shut to who asks.
    shut: frozenset[UUID]
    # Who is left out of the whole run because they are not there.
    absent: tuple[UUID, ...]


def _read(actor: Actor, call_id: UUID, values: RunInput) -> _ReadNow:
    call = calls.call_by_id(call_id)
    every = queries.consortia(call_id)
    # Whoever asks decides nothing about those, and learns nothing of who sits there: each is a seat of every evaluator.
    shut = queries.unseatable(actor, [one.application_id for one in every])
    found = tuple(one for one in every if one.application_id not in shut)
    members = queries.pool(call_id, actor)
    rules.refuse_too_large(len(every), len(members))
    seats = seats_of(one.application_id for one in found)
    today = clock.today()
    instance, kept_away = _instance(call, found, members, values, seats, today)
    absent = tuple(one.id for one in members if not one.stepped_down_at and rules.why_absent(one, values.due_at, today))
    return _ReadNow(call, found, members, instance, kept_away, shut, absent)


@act(
    "assignment.run",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="assigned evaluators in {subject}",
)
def give_out(actor: Actor, call_id: UUID, values: RunInput, worked_out: WorkedOut) -> RunResult:
    """Keep a run that was worked out, solved or not, and give out its seats; :class:`ChangedMeanwhile` if it no longer holds."""
    now, result = _read(actor, call_id, values), worked_out.result
    call, found, members, instance = now.call, now.found, now.members, now.instance
    if input_of(instance) != worked_out.spelled:
        raise ChangedMeanwhile(CHANGED)
    seats = _held_seats(instance)
    row = run_row(call_id, last_run(call_id), instance, result, values, call, now.shut)
    row.input_sha256, row.input = hashlib.sha256(worked_out.spelled).digest(), worked_out.packed
    row.milliseconds = worked_out.milliseconds
    row.settings = {**row.settings, "absent": sorted(str(one) for one in now.absent)}
    if isinstance(result, matching.Infeasible):
        db.session.add(row)
        jobs.progress(4, 4, "No assignment exists; the reasons are on the page")
        return RunResult(row.id, RunStatus.INFEASIBLE, 0, result.reasons)
    jobs.progress(3, 4, "Giving the seats out")
    row.explanations = explained(worked_out.reasons, call, found, members, now.kept_away)
    db.session.add(row)
    by_id = {member.id: member for member in members}
    new = _give_out(instance, result, by_id, seats, values, row)
    start_evaluation(found)
    tell_evaluators(call, [by_id[evaluator_id] for _, evaluator_id in new])
    jobs.progress(4, 4, "Done")
    return RunResult(row.id, RunStatus.SOLVED, len(new))


def _held_seats(instance: matching.Instance) -> tuple[Assignment, ...]:
    """The seats that stand, their applications held; :class:`ChangedMeanwhile` where they are not those that were read.

    Whoever changes one seat by hand, or writes on a sheet, holds its application and not the call: without this a run would
    empty a seat that was locked meanwhile, or whose sheet was just sent.
    """
    ids = [one.id for one in instance.applications]
    still = select(Application.id).where(among(Application.id, ids), Application.state.in_(queries.IN_EVALUATION))
    held = db.session.execute(still.order_by(Application.reference).with_for_update(of=Application)).all()
    seats = seats_of(ids)
    stood = {(seat.application_id, seat.evaluator_id) for seat in seats}
    unmoved = instance.standing <= movable_pairs(seats)
    if len(held) != len(ids) or stood != instance.locked | instance.standing or not unmoved:
        raise ChangedMeanwhile(CHANGED)
    return seats


def _give_out(
    instance: matching.Instance,
    result: matching.Matched,
    by_id: Mapping[UUID, PoolMember],
    seats: Sequence[Assignment],
    values: RunInput,
    row: AssignmentRun,
) -> list[matching.Pair]:
    """End the seats that had to move, give the new ones."""
    wanted = set(result.pairs)
    for seat in seats:
        if (seat.application_id, seat.evaluator_id) not in wanted:
            void_seat(locked(Assignment, seat.id), by_id[seat.evaluator_id].user_id, f"Moved by run {row.number}.")
    stood = {(seat.application_id, seat.evaluator_id) for seat in seats}
    new = [pair for pair in result.pairs if pair not in stood]
    for application_id, evaluator_id in new:
        utility = instance.utilities.get((application_id, evaluator_id), 0)
        give_seat(application_id, by_id[evaluator_id], utility, values.due_at, run_id=row.id)
    return new


def _instance(
    call: CallView,
    found: Sequence[Consortium],
    members: Sequence[PoolMember],
    values: RunInput,
    seats: Sequence[Assignment],
    today: date,
) -> tuple[matching.Instance, dict[matching.Pair, str]]:
    """What the assignment depends on, and of each pair that may not meet why not."""
    movable = movable_pairs(seats) if values.standing is StandingRule.MOVABLE else frozenset()
    stood = {(seat.application_id, seat.evaluator_id) for seat in seats}
    fitting = rules.fitting(call.content, members)
    utilities = {(one.application_id, member.id): fitting.utility(member, one) for one in found for member in members}
    kept_away = {pair: why for pair, why in _kept_away(found, members, values, today) if pair not in stood}
    settings = call.content.assignment
    instance = matching.Instance(
        tuple(
            matching.Subject(one.application_id, one.title, call.content.language, _kept_out(one, values.countries))
            for one in found
        ),
        tuple(
            replace(
                queries.rules_holder(member, settings),
                load_max=max(0, member.load_max - member.unseen),
                load_target=None if member.load_target is None else max(0, member.load_target - member.unseen),
                # Whoever stepped down owes nothing any more.
                load_min=0 if member.stepped_down_at else max(0, member.load_min - member.unseen),
            )
            for member in members
        ),
        call.content.evaluators_per_application,
        utilities,
        frozenset(kept_away),
        frozenset(stood - movable),
        values.seed.strip(),
        queries.group_rules(settings),
        settings.floor,
        frozenset(movable),
    )  # fmt: skip
    return instance, kept_away


def _kept_away(
    found: Sequence[Consortium], members: Sequence[PoolMember], values: RunInput, today: date
) -> Iterator[tuple[matching.Pair, str]]:
    """Each pair that may not meet, with why not."""
    ids, people = [one.application_id for one in found], [member.user_id for member in members]
    stated = queries.declarations(ids)
    shut_out, clear = queries.shut_out(ids, people), queries.clear_people(people, ids, people)
    # Who lost a seat on an application does not get it again.
    lost = pairs_in(ids, SeatState.VOIDED)
    for one in found:
        for member in members:
            pair, whose = (one.application_id, member.id), (member.user_id, one.application_id)
            said = stated.get(whose, rules.Said())
            why = rules.why_not(member, one, said, countries=values.countries, due=values.due_at, today=today)
            if not why and whose in shut_out:
                why = f"{member.name} has a conflict of interest with it."
            if not why and whose not in clear:
                why = rules.why_shut(member)
            if not why and pair in lost:
                why = f"{member.name} had a seat on it."
            if why:
                yield pair, why


def _kept_out(about: Consortium, countries: CountryRule) -> frozenset[str]:
    """The countries whose evaluators are kept from an application."""
    return frozenset(about.country_codes) if countries is CountryRule.KEPT_AWAY else frozenset()
