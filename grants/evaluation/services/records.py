"""What a run of the assignment leaves on the record: inputs with their hash, parameters, proof, differences, reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from grants.calls.rules import CallView
from grants.core.db import db
from grants.evaluation import matching, rules
from grants.evaluation.models import AssignmentRun
from grants.evaluation.rules import Consortium, PoolMember, RunInput
from grants.evaluation.states import RunStatus

# Those who fit better and are not seated, of whom the reason is kept.
BETTER_MAX = 5


def last_run(call_id: UUID) -> AssignmentRun | None:
    """The run before."""
    return db.session.scalars(
        select(AssignmentRun).where(AssignmentRun.call_id == call_id).order_by(AssignmentRun.number.desc()).limit(1)
    ).one_or_none()


def run_row(
    call_id: UUID,
    before: AssignmentRun | None,
    instance: matching.Instance,
    result: matching.Matched | matching.Infeasible,
    values: RunInput,
    call: CallView,
    left_out: Collection[UUID] = (),
) -> AssignmentRun:
    """The run as it is kept, without its input and the reasons of its seats; ``left_out`` were shut to who asked for it."""
    row = AssignmentRun(
        call_id=call_id,
        number=1 + (before.number if before else 0),
        seed=instance.seed,
        settings={
            "per_application": instance.per_application,
            "keep_countries_apart": values.countries.value,
            "standing": values.standing.value,
            "weights": dict(call.content.assignment.weights),
            "rules": list(call.content.assignment.groups),
            "floor": instance.floor,
            "targets": sum(one.load_target is not None for one in instance.evaluators),
            rules.SHUT_TO_WHO_ASKED: sorted(str(each) for each in left_out),
        },
        applications=len(instance.applications),
        evaluators=len(instance.evaluators),
        explanations={},
    )
    if isinstance(result, matching.Infeasible):
        named = {subject.id: subject.label or str(subject.id) for subject in instance.applications}
        row.status = RunStatus.INFEASIBLE.value
        row.reasons = rules.kept_of_run(result.reasons, named, result.alone)
        row.changes = rules.kept_of_run(result.changes, named, result.alone)
        row.certificate, row.difference, row.solver = {}, {}, ""
        row.seats = row.seats_new = row.pairs_priced = row.rounds = 0
        return row
    _fill(row, before, instance, result)
    return row


def _fill(
    row: AssignmentRun, before: AssignmentRun | None, instance: matching.Instance, result: matching.Matched
) -> None:
    stood = instance.locked | instance.standing
    row.status, row.reasons = RunStatus.SOLVED.value, []
    named = {subject.id: subject.label or str(subject.id) for subject in instance.applications}
    broken = _broken(instance, named)
    row.changes = rules.kept_of_run(broken, named, broken)
    row.objective, row.bound, row.ideal = result.total, result.bound, result.ideal
    row.floor, row.spread, row.solver = result.floor, result.spread, _versions(result.solver)
    row.certificate = _certificate(result)
    row.seats, row.seats_new = len(result.pairs), len(set(result.pairs) - stood)
    row.pairs_priced, row.rounds = result.priced_pairs, result.rounds
    row.difference = {
        "run": before.number if before else None,
        "given": row.seats_new,
        "taken": len(stood - set(result.pairs)),
        "kept": len(stood & set(result.pairs)),
        "total": None if before is None or before.objective is None else result.total - before.objective,
        "floor": None if before is None or before.floor is None else result.floor - before.floor,
        "spread": None if before is None or before.spread is None else result.spread - before.spread,
    }


def _broken(instance: matching.Instance, named: Mapping[UUID, str]) -> list[str]:
    """A sentence for each application on which seats that stand break a rule on groups, whoever gets the others."""
    found = matching.broken_by_locked(instance)
    return [
        f"“{named[application_id]}”: {'; '.join(rules.lacking_words(broken))}."
        for application_id, broken in sorted(found.items(), key=lambda each: (named[each[0]], each[0]))
    ]


def _versions(solver: str) -> str:
    from importlib.metadata import version

    used = f"OR-tools {version('ortools')}"
    return used if solver == "flow" else f"{used}, {rules.SEARCHER} {version('highspy')}"


def _certificate(result: matching.Matched) -> dict[str, Any]:
    return {
        "steps": [
            {
                "aim": step.aim,
                "value": step.value,
                "applications": {str(key): value for key, value in step.application_prices.items()},
                "evaluators": {str(key): value for key, value in step.evaluator_prices.items()},
                "pool": step.pool_price,
            }
            for step in result.certificate.steps
        ],
        # Every seat of the answer, those that stood too.
        "seats": [[str(application), str(evaluator)] for application, evaluator in result.pairs],
    }


def explained(
    reasons: Mapping[matching.Pair, matching.Explained],
    call: CallView,
    found: Sequence[Consortium],
    members: Sequence[PoolMember],
    kept_away: Mapping[matching.Pair, str],
) -> dict[str, Any]:
    """The numbers behind every seat that the run gave, by application and evaluator."""
    about, by_id = {one.application_id: one for one in found}, {member.id: member for member in members}
    fitting = rules.fitting(call.content, members)
    told: dict[str, Any] = {}
    for (application_id, evaluator_id), one in reasons.items():
        parts = fitting.parts(by_id[evaluator_id], about[application_id])
        better = [
            {
                "evaluator": str(other.evaluator),
                "utility": other.utility,
                "why": other.why,
                "what": list(other.what),
                # The sentence without the name, which is looked up when it is shown.
                "rule": kept_away.get((application_id, other.evaluator), "").removeprefix(
                    f"{by_id[other.evaluator].name} "
                ),
                "load_max": by_id[other.evaluator].load_max,
                # What the total loses with this person in this seat, and how many more seats would have to move.
                "cost": None if other.cost is None else [other.cost.total, other.cost.moved],
            }
            for other in one.better[:BETTER_MAX]
        ]
        told.setdefault(str(application_id), {})[str(evaluator_id)] = {
            "utility": one.utility,
            "parts": [[part.name, part.points, part.of] for part in parts],
            "rank": one.rank,
            "allowed": one.allowed,
            "better": better,
            "loss": one.loss,
            "moved": one.moved,
            "load": one.load,
            **({} if one.target is None else {"target": one.target}),
        }
    return told


def input_of(instance: matching.Instance) -> bytes:
    """Everything the assignment depends on, in one spelling: what is hashed and kept."""
    return rules.spelled(matching.canonical(instance))
