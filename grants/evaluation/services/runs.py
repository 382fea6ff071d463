"""The exact assignment: asked for, made by a job, kept as a run with its certificate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.calls import queries as calls
from grants.calls.rules import CallView
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.evaluation import matching, queries, rules
from grants.evaluation.models import AssignmentRun
from grants.evaluation.rules import Consortium, PoolMember, RunInput, RunResult
from grants.evaluation.services.seats import give_seat, pairs_in, standing_pairs, start_evaluation, tell_evaluators
from grants.evaluation.states import RunStatus, SeatState


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
    """Fill every empty seat of the call by the exact assignment; seats that stand stay.

    Kept as a run whether or not it could be solved. Run again with nothing changed it adds nothing.
    """
    jobs.progress(0, 3, "Reading applications, evaluators and declarations")
    call = calls.call_by_id(call_id)
    found = queries.consortia(call_id)
    members = queries.pool(call_id)
    instance = _instance(call, found, members, values)
    jobs.progress(1, 3, f"Finding the best of all assignments for {len(found)} applications")
    result = matching.assign(instance)
    number = 1 + (
        db.session.scalar(select(func.count()).select_from(AssignmentRun).where(AssignmentRun.call_id == call_id)) or 0
    )
    row = _run_row(call_id, number, instance, result, values)
    db.session.add(row)
    if isinstance(result, matching.Infeasible):
        jobs.progress(3, 3, "No assignment exists; the reasons are on the page")
        return RunResult(row.id, RunStatus.INFEASIBLE, 0, result.reasons)
    jobs.progress(2, 3, "Checking the proof and giving out the seats")
    assert matching.verify(instance, result) == (), "the certificate was checked pair by pair"
    by_id = {member.id: member for member in members}
    new = [pair for pair in result.pairs if pair not in instance.locked]
    for application_id, evaluator_id in new:
        utility = instance.utilities.get((application_id, evaluator_id), 0)
        give_seat(application_id, by_id[evaluator_id], utility, values.due_at, run_id=row.id)
    start_evaluation(found)
    tell_evaluators(call, [by_id[evaluator_id] for _, evaluator_id in new])
    jobs.progress(3, 3, "Done")
    return RunResult(row.id, RunStatus.SOLVED, len(new))


def _instance(
    call: CallView, found: Sequence[Consortium], members: Sequence[PoolMember], values: RunInput
) -> matching.Instance:
    stated = queries.declarations(one.application_id for one in found)
    locked_pairs = standing_pairs(one.application_id for one in found)
    # Who lost a seat on an application does not get it again.
    lost = pairs_in([one.application_id for one in found], SeatState.VOIDED)
    forbidden, utilities = set(), {}
    for one in found:
        for member in members:
            pair = (one.application_id, member.id)
            said = stated.get((member.user_id, one.application_id), (None, None))
            utilities[pair] = rules.utility(member, one, call.content.language)
            if pair in locked_pairs:
                continue
            if rules.why_not(member, one, *said, countries=values.countries) or pair in lost:
                forbidden.add(pair)
    return matching.Instance(
        tuple(matching.Subject(one.application_id, one.title) for one in found),
        tuple(matching.Seatholder(member.id, member.load_max, member.load_min, member.name) for member in members),
        call.content.evaluators_per_application,
        utilities,
        frozenset(forbidden),
        frozenset(locked_pairs),
        values.seed.strip(),
    )


def _run_row(
    call_id: UUID,
    number: int,
    instance: matching.Instance,
    result: matching.Matched | matching.Infeasible,
    values: RunInput,
) -> AssignmentRun:
    solved = isinstance(result, matching.Matched)
    return AssignmentRun(
        call_id=call_id,
        number=number,
        input_sha256=input_hash(instance),
        seed=instance.seed,
        settings={
            "per_application": instance.per_application,
            "keep_countries_apart": values.countries.value,
            "topic_worth": rules.TOPIC_WORTH,
            "language_worth": rules.LANGUAGE_WORTH,
        },
        status=(RunStatus.SOLVED if solved else RunStatus.INFEASIBLE).value,
        objective=result.total if isinstance(result, matching.Matched) else None,
        bound=result.bound if isinstance(result, matching.Matched) else None,
        reasons=[] if isinstance(result, matching.Matched) else list(result.reasons),
        certificate=_certificate(result),
        applications=len(instance.applications),
        evaluators=len(instance.evaluators),
        seats=len(result.pairs) if isinstance(result, matching.Matched) else 0,
        seats_new=len(result.pairs) - len(instance.locked) if isinstance(result, matching.Matched) else 0,
        pairs_priced=result.priced_pairs if isinstance(result, matching.Matched) else 0,
        rounds=result.rounds if isinstance(result, matching.Matched) else 0,
    )


def _certificate(result: matching.Matched | matching.Infeasible) -> dict[str, Any]:
    if isinstance(result, matching.Infeasible):
        return {}
    proof = result.certificate
    return {
        "applications": {str(key): value for key, value in proof.application_prices.items()},
        "evaluators": {str(key): value for key, value in proof.evaluator_prices.items()},
        "pool": proof.pool_price,
        "shift": proof.shift,
        "tie_bits": proof.tie_bits,
    }


def input_hash(instance: matching.Instance) -> bytes:
    """SHA-256 of everything the assignment depends on, the same for any order of it."""
    return rules.digest(
        {
            "applications": sorted(str(subject.id) for subject in instance.applications),
            "evaluators": sorted([str(person.id), person.load_min, person.load_max] for person in instance.evaluators),
            "per_application": instance.per_application,
            "utilities": sorted([str(a), str(e), value] for (a, e), value in instance.utilities.items()),
            "forbidden": sorted([str(a), str(e)] for a, e in instance.forbidden),
            "locked": sorted([str(a), str(e)] for a, e in instance.locked),
            "seed": instance.seed,
        }
    )
