"""The exact assignment: asked for, made by a job, kept as a run with its certificate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db, locked
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.evaluation import matching, queries, rules
from grants.evaluation.models import Assignment, AssignmentRun
from grants.evaluation.rules import Consortium, PoolMember, RunInput, RunResult
from grants.evaluation.services.records import explained, last_run, run_row
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
    _refuse_bad_run(values)
    if not queries.consortia(call_id):
        raise Refused("No application of this call is eligible yet. Assign evaluators after the eligibility check.")
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


def _refuse_bad_run(values: RunInput) -> None:
    if not values.seed.strip() or len(values.seed) > 100:
        raise Invalid("The seed is missing.", {"seed": "Write any word or number, at most 100 characters."})
    if values.due_at is not None and values.due_at <= acts.moment():
        raise Invalid("The deadline has passed.", {"due_on": "Choose a day after today, or leave it empty."})


@act(
    "assignment.run",
    needs=Permission.ASSIGNMENT_DECIDE,
    scope=queries.call_scope,
    says="assigned evaluators in {subject}",
)
def run(actor: Actor, call_id: UUID, values: RunInput) -> RunResult:
    """Fill every empty seat of the call by the exact assignment; seats that stand stay, or as few as possible move.

    Kept as a run whether or not it could be solved. Run again with nothing changed it adds nothing.
    """
    jobs.progress(0, 4, "Reading applications, evaluators and declarations")
    call = calls.call_by_id(call_id)
    found = queries.consortia(call_id)
    members = queries.pool(call_id)
    seats = seats_of(one.application_id for one in found)
    instance, kept_away = _instance(call, found, members, values, seats)
    jobs.progress(1, 4, f"Finding the best of all assignments for {len(found)} applications")
    result = matching.assign(instance)
    before = last_run(call_id)
    if isinstance(result, matching.Infeasible):
        row = run_row(call_id, before, instance, result, values, call)
        db.session.add(row)
        jobs.progress(4, 4, "No assignment exists; the reasons are on the page")
        return RunResult(row.id, RunStatus.INFEASIBLE, 0, result.reasons)
    jobs.progress(2, 4, "Checking the proof")
    assert matching.verify(instance, result) == (), "the certificate was checked pair by pair"
    jobs.progress(3, 4, "Working out the reasons for each seat, and giving the seats out")
    row = run_row(call_id, before, instance, result, values, call)
    row.explanations = explained(instance, result, call, found, members, kept_away)
    db.session.add(row)
    by_id = {member.id: member for member in members}
    new = _give_out(instance, result, by_id, seats, values, row)
    start_evaluation(found)
    tell_evaluators(call, [by_id[evaluator_id] for _, evaluator_id in new])
    jobs.progress(4, 4, "Done")
    return RunResult(row.id, RunStatus.SOLVED, len(new))


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
) -> tuple[matching.Instance, dict[matching.Pair, str]]:
    """What the assignment depends on, and of each pair that may not meet why not."""
    stated = queries.declarations(one.application_id for one in found)
    movable = movable_pairs(seats) if values.standing is StandingRule.MOVABLE else frozenset()
    stood = {(seat.application_id, seat.evaluator_id) for seat in seats}
    # Who lost a seat on an application does not get it again.
    lost = pairs_in([one.application_id for one in found], SeatState.VOIDED)
    kept_away, utilities = {}, {}
    fitting = rules.fitting(call.content, members)
    for one in found:
        for member in members:
            pair = (one.application_id, member.id)
            said = stated.get((member.user_id, one.application_id), (None, None))
            utilities[pair] = fitting.utility(member, one)
            why = rules.why_not(member, one, *said, countries=values.countries, due=values.due_at)
            if not why and pair in lost:
                why = f"{member.name} had a seat on it."
            if why and pair not in stood:
                kept_away[pair] = why
    settings = call.content.assignment
    instance = matching.Instance(
        tuple(
            matching.Subject(one.application_id, one.title, call.content.language, _kept_out(one, values.countries))
            for one in found
        ),
        tuple(
            matching.Seatholder(
                member.id, member.load_max, member.load_min, member.name, member.country_code,
                str(member.organisation_id or ""), frozenset(member.roles), frozenset(member.languages),
            )
            for member in members
        ),
        call.content.evaluators_per_application,
        utilities,
        frozenset(kept_away),
        frozenset(stood - movable),
        values.seed.strip(),
        matching.GroupRules(settings.country_max, settings.organisation_max, settings.roles, settings.reader),
        settings.floor,
        frozenset(movable),
    )  # fmt: skip
    return instance, kept_away


def _kept_out(about: Consortium, countries: CountryRule) -> frozenset[str]:
    """The countries whose evaluators are kept from an application."""
    return frozenset(about.country_codes) if countries is CountryRule.KEPT_AWAY else frozenset()
