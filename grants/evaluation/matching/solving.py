"""The best assignment in the order of the aims: floor, pairs kept, total, even loads, and last a tie-break."""

from __future__ import annotations

from collections.abc import Sequence

from grants.evaluation.matching import mixed
from grants.evaluation.matching.arrays import Arrays, check
from grants.evaluation.matching.flow import narrow, solve, whole
from grants.evaluation.matching.proof import FLOW, KEPT, SPREAD, TOTAL, aim_cost, aims_of, prices, solver_of
from grants.evaluation.matching.reasons import by_themselves, hall_reasons, simple_reasons
from grants.evaluation.matching.relaxing import relaxations
from grants.evaluation.matching.values import Certificate, Infeasible, Instance, Matched

NO_GROUP = "Each seat could be filled, but not so that every application keeps the rules on groups."


def assign(instance: Instance) -> Matched | Infeasible:
    """The best assignment, or the reasons why there is none and the fewest rules to set aside.

    The same for any order of the input. Raises ``ValueError`` for a programmer's error (unknown ids, a
    utility outside 0 to 1000) and :class:`Refused` when the numbers are too large to be solved exactly.
    """
    check(instance)
    if not instance.applications:
        return Matched((), 0, 0, 0, 0, Certificate())
    arrays = Arrays(instance)
    reasons = simple_reasons(arrays)
    found = None if reasons else by_flow(arrays, aims_of(instance))
    if found is None:
        return Infeasible(reasons or hall_reasons(arrays), *relaxations(arrays), tuple(by_themselves(arrays)))
    if solver_of(instance) == FLOW:
        return found
    better = mixed.assign(arrays, found)
    if better is None:
        return Infeasible((NO_GROUP,), *relaxations(arrays))
    return better


def by_flow(arrays: Arrays, aims: Sequence[str]) -> Matched | None:
    """The optimum without rules on groups and floor, each aim on what the one before left equal."""
    face, known, rounds, steps = whole(arrays), None, 0, []
    for aim in aims:
        cost_of, unit = aim_cost(arrays, aim)
        step = solve(arrays, face, cost_of, steps=unit, known=known)
        if step is None:
            return None
        rounds += step.rounds
        steps.append((aim, step))
        known = (step.rows, step.columns)
        face = narrow(arrays, face, step, cost_of, steps=unit)
    last = solve(arrays, face, lambda rows, columns: -arrays.ties(rows, columns), known=known)
    assert last is not None, "what was found is still an answer"
    np = arrays.np
    rows, columns = np.concatenate([face.rows, last.rows]), np.concatenate([face.columns, last.columns])
    pairs = arrays.pairs(rows, columns)
    total, worst, spread = arrays.sums(pairs)
    kept = len(arrays.instance.standing & set(pairs))
    values = {KEPT: kept, TOTAL: total, SPREAD: spread}
    certificate = Certificate(tuple(prices(arrays, aim, values[aim], step) for aim, step in steps))
    return Matched(pairs, total, total, rounds, int(arrays.open.sum()), certificate, total, worst, spread, kept)
