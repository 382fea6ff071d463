"""Why no assignment exists: plain counting first, then the set that Hall's condition names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.values import Seatholder, Subject


def simple_reasons(arrays: Arrays) -> tuple[str, ...]:
    """What plain counting already shows; the sets that only a flow shows come from :func:`hall_reasons`."""
    instance = arrays.instance
    name = {person.id: person.label or str(person.id) for person in instance.evaluators}
    label = {subject.id: f"“{subject.label or subject.id}”" for subject in instance.applications}
    fixed = [
        f"{name[evaluator]} is fixed for {label[application]} and has a conflict with it. Release this seat first."
        for application, evaluator in sorted(instance.locked)
        if not arrays.allowed[arrays.row[application], arrays.column[evaluator]]
    ]
    return (*fixed, *by_themselves(arrays), *_evaluators(arrays), *_sums(arrays))


def by_themselves(arrays: Arrays) -> list[str]:
    """Of the reasons those of one application by itself: they name nobody, and hang on no seat and no load elsewhere."""
    reasons: list[str] = []
    free_of = arrays.allowed.sum(axis=1)
    for i, subject in enumerate(arrays.applications):
        label, seats, free = f"“{subject.label or subject.id}”", int(arrays.seats[i]), int(free_of[i])
        if arrays.fixed_at[i] > seats:
            reasons.append(
                f"{arrays.fixed_at[i]} evaluators are fixed for {label}, which needs {seats}. Release some of them."
            )
        if free < seats:
            reasons.append(
                f"{label} needs {seats} evaluators, and only {free} may take it "
                f"({arrays.columns - free} are kept from it by a conflict or rule). "
                f"Add {count(seats - free, 'evaluator')} without a conflict to the pool."
            )
    return reasons


def _evaluators(arrays: Arrays) -> list[str]:
    reasons: list[str] = []
    open_to = arrays.allowed.sum(axis=0)
    for j, person in enumerate(arrays.evaluators):
        name = person.label or str(person.id)
        if arrays.fixed_by[j] > person.load_max:
            reasons.append(
                f"{name} is fixed for {count(int(arrays.fixed_by[j]), 'application')} and may take {person.load_max}. "
                "Raise this person’s maximum or release a seat."
            )
        if open_to[j] < person.load_min:
            reasons.append(
                f"{name} must take at least {person.load_min}, and only {count(int(open_to[j]), 'application')} "
                "may go to this person. Lower the minimum."
            )
    return reasons


def _sums(arrays: Arrays) -> list[str]:
    seats, most, least = int(arrays.seats.sum()), int(arrays.most.sum()), int(arrays.least.sum())
    each = arrays.instance.per_application
    reasons: list[str] = []
    if most < seats:
        reasons.append(
            f"{seats} seats are to be filled ({count(arrays.rows, 'application')} with "
            f"{each} evaluators each), and {count(arrays.columns, 'evaluator')} may take {most} in all. "
            f"{count(seats - most, 'seat')} too few: add evaluators or raise their maximum."
        )
    if least > seats:
        reasons.append(
            f"The minimum loads add up to {least}, and there are only {seats} seats. Lower the minima by {least - seats} in all."
        )
    return reasons


def count(number: int, noun: str) -> str:
    """1 seat, 2 seats."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def hall_reasons(arrays: Arrays) -> tuple[str, ...]:
    """Why no assignment exists although plain counting allows one: the set of applications or people that is too tight."""
    flow, missing = _elastic_flow(arrays)
    if missing.any():
        return (_tight_applications(arrays, flow, missing),)
    return (_tight_evaluators(arrays, flow),)


def _elastic_flow(arrays: Arrays) -> tuple[Any, Any]:
    """As many seats as can be filled, and with those as much of the minimum loads as can be met."""
    from ortools.graph.python import min_cost_flow

    np, room, must = arrays.np, arrays.room, arrays.must
    rows, columns = np.nonzero(arrays.open)
    pool, seats = arrays.rows + arrays.columns, int(arrays.need.sum())
    least = np.minimum(must, room)
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        rows.astype(np.int32), (columns + arrays.rows).astype(np.int32),
        np.ones(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64),
    )  # fmt: skip
    ends = np.arange(arrays.rows, pool, dtype=np.int32)
    sink = np.full(arrays.columns, pool, dtype=np.int32)
    solver.add_arcs_with_capacity_and_unit_cost(ends, sink, least, np.full(arrays.columns, -1, dtype=np.int64))
    solver.add_arcs_with_capacity_and_unit_cost(ends, sink, room - least, np.zeros(arrays.columns, dtype=np.int64))
    short = solver.add_arcs_with_capacity_and_unit_cost(
        np.arange(arrays.rows, dtype=np.int32), np.full(arrays.rows, pool, dtype=np.int32),
        arrays.need, np.full(arrays.rows, seats + 1, dtype=np.int64),
    )  # fmt: skip
    solver.set_nodes_supplies(
        np.arange(pool + 1, dtype=np.int32), np.concatenate([arrays.need, [0] * arrays.columns, [-seats]])
    )
    status = solver.solve()
    assert status == solver.OPTIMAL, f"the elastic network always has an answer, not {status}"
    taken = np.zeros((arrays.rows, arrays.columns), dtype=bool)
    used = solver.flows(arcs).astype(bool)
    taken[rows[used], columns[used]] = True
    return taken, solver.flows(short)


def _tight_applications(arrays: Arrays, taken: Any, missing: Any) -> str:
    """By Hall's condition: from an empty seat, everything reachable is a set that needs more than it can get."""
    np, room = arrays.np, arrays.room
    reached = missing > 0
    while True:
        people = (arrays.open & ~taken)[reached].any(axis=0)
        grown = reached | taken[:, people].any(axis=1)
        if (grown == reached).all():
            break
        reached = grown
    need = int(arrays.need[reached].sum())
    choices = arrays.open[reached].sum(axis=0)
    places = int(np.minimum(room, choices).sum())
    who = [arrays.evaluators[j] for j in np.nonzero((choices > 0) & people)[0]]
    what = [arrays.applications[i] for i in np.nonzero(reached)[0]]
    return (
        f"{listed(what, 'application')} still need {count(need, 'seat')}, and all evaluators who may take them have {places} left "
        f"for them ({listed(who, 'evaluator')} {'is' if len(who) == 1 else 'are'} full). "
        f"{count(need - places, 'seat')} missing: raise these people’s maximum or add evaluators without a conflict there."
    )


def _tight_evaluators(arrays: Arrays, taken: Any) -> str:
    """The mirror image: people whose minimum cannot be met because too few applications may go to them."""
    np, must = arrays.np, arrays.must
    load = taken.sum(axis=0)
    reached = load < must
    while True:
        things = (arrays.open & ~taken)[:, reached].any(axis=1)
        grown = reached | taken[things].any(axis=0)
        if (grown == reached).all():
            break
        reached = grown
    least = int(must[reached].sum())
    places = int(np.minimum(arrays.need, arrays.open[:, reached].sum(axis=1)).sum())
    who = [arrays.evaluators[j] for j in np.nonzero(reached)[0]]
    return (
        f"{listed(who, 'evaluator')} must together take {least} more, and only {count(places, 'seat')} may go to them. "
        f"Lower their minimum by {least - places} in all."
    )


def listed(things: Sequence[Seatholder] | Sequence[Subject], noun: str, most: int = 6) -> str:
    """“A”, “B” and 3 more applications."""
    names = [f"“{thing.label or thing.id}”" for thing in things[:most]]
    if len(things) > most:
        return ", ".join(names) + f" and {len(things) - most} more {noun}s"
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else f"no {noun}"
