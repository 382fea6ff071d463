"""Whether an assignment keeps every rule and its prices prove it, recomputed pair by pair without the solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.flow import CostOf, Face, Step, load_range, narrow, priced, whole
from grants.evaluation.matching.values import (
    Certificate,
    Instance,
    Matched,
    Pair,
    Prices,
    Seatholder,
    Subject,
    groups_of,
)

KEPT, TOTAL, SPREAD = "kept", "total", "spread"
FLOW, PROGRAMME = "flow", "programme"


def solver_of(instance: Instance) -> str:
    """Which solver answers an instance: a flow, or where it cannot say the rules, a search for a programme."""
    asks = instance.groups.any or instance.floor
    return PROGRAMME if instance.applications and asks else FLOW


def aims_of(instance: Instance) -> tuple[str, ...]:
    """The steps of the proof of an instance, each once and in this order."""
    if not instance.applications:
        return ()
    # Where rules on groups decide how many pairs can be kept, the ideal is the best total whatever is kept.
    return (KEPT, TOTAL, SPREAD) if instance.standing and solver_of(instance) == FLOW else (TOTAL, SPREAD)


def strange_steps(instance: Instance, found: Matched) -> list[str]:
    """Why a certificate is not of this instance: by another solver, or other steps than its aims.

    Any other step in front would cut down what the later ones are compared with, and so prove whatever it left.
    """
    problems = []
    if found.solver != solver_of(instance):
        problems.append("another solver is named than the rules of the inputs ask for")
    aims, asked = tuple(step.aim for step in found.certificate.steps), aims_of(instance)
    if aims != asked:
        problems.append(f"its steps are {', '.join(map(str, aims)) or 'none'}, not {', '.join(asked) or 'none'}")
    return problems


def verify(instance: Instance, found: Matched) -> tuple[str, ...]:
    """Everything wrong with an assignment or its certificate."""
    problems = list(broken_rules(instance, found.pairs)) or strange_steps(instance, found)
    if problems:
        return tuple(problems)
    arrays = Arrays(instance)
    total, worst, spread = arrays.sums(found.pairs)
    kept = len(instance.standing & set(found.pairs))
    if total != found.total:
        problems.append("the stored total differs from the sum of the pairs")
    if (spread, kept) != (found.spread, found.kept) or (found.pairs and worst != found.floor):
        problems.append("a stored sum differs from that of the pairs")
    if not instance.applications:
        return tuple(problems)
    # What a search found lies beside the steps, whose seats are the best without its rules.
    reached = {KEPT: kept, TOTAL: total, SPREAD: spread} if found.solver == FLOW else {TOTAL: found.ideal}
    problems += [
        f"the prices do not prove the stored {aim}"
        for aim, value, bound in bounds(arrays, found.certificate)
        if not value == bound == reached.get(aim, value) or (aim == TOTAL and bound != found.ideal)
    ]
    if found.bound < found.total or found.ideal < found.total:
        problems.append("the stored bound differs from the total")
    if found.solver == FLOW and not found.ideal == found.bound == found.total:
        problems.append("the stored bound differs from the total")
    return tuple(problems)


def bounds(arrays: Arrays, certificate: Certificate) -> list[tuple[str, int, int]]:
    """Each aim, its stored value, and the best any assignment could reach by the prices of the certificate."""
    np = arrays.np
    face, found = whole(arrays), []
    for prices in certificate.steps:
        row_price = np.array([prices.application_prices[s.id] for s in arrays.applications], dtype=np.int64)
        column_price = np.array([prices.evaluator_prices[p.id] for p in arrays.evaluators], dtype=np.int64)
        cost_of, steps = aim_cost(arrays, prices.aim)
        step = Step(face.rows, face.columns, row_price, column_price, prices.pool_price, 0, 0)
        least = lagrangian(arrays, face, step, cost_of, steps)
        found.append(
            (
                prices.aim,
                prices.value,
                least + fixed_spread(face) if steps else fixed_worth(arrays, face, prices.aim) - least,
            )
        )
        face = narrow(arrays, face, step, cost_of, steps=steps)
    return found


def aim_cost(arrays: Arrays, aim: str) -> tuple[CostOf, int]:
    """The cost of a pair under one aim, and of one unit of unevenness."""
    np = arrays.np
    if aim == SPREAD:
        return (lambda rows, columns: np.zeros(len(rows), dtype=np.int64)), 1
    if aim == TOTAL:
        return (lambda rows, columns: -arrays.utility[rows, columns].astype(np.int64)), 0
    stands = np.zeros((arrays.rows, arrays.columns), dtype=bool)
    if arrays.instance.standing:
        stands[arrays.places(sorted(arrays.instance.standing))] = True
    return (lambda rows, columns: -stands[rows, columns].astype(np.int64)), 0


def lagrangian(arrays: Arrays, face: Face, step: Step, cost_of: CostOf, steps: int) -> int:
    """What every assignment of a face costs at least, by these prices."""
    bound = int((face.need * (step.pool_price - step.row_price)).sum())
    for _, _, reduced in priced(arrays, face, cost_of, step.row_price, step.column_price):
        bound += int(reduced[reduced < 0].sum())
    load, _ = load_range(arrays.np, face, step.column_price, step.pool_price, steps)
    margin = step.column_price - step.pool_price
    return bound + int((margin * load + steps * (face.beyond * load + load * load)).sum())


def fixed_spread(face: Face) -> int:
    """The squared distances of the loads that are fixed already."""
    return int((face.beyond * face.beyond // 4).sum())


def fixed_worth(arrays: Arrays, face: Face, aim: str) -> int:
    """What locked pairs, and those the steps before have fixed, add to an aim."""
    np = arrays.np
    locked = np.array(arrays.locked, dtype=np.int64).reshape(-1, 2)
    cost_of, _ = aim_cost(arrays, aim)
    rows, columns = np.concatenate([locked[:, 0], face.rows]), np.concatenate([locked[:, 1], face.columns])
    return -int(cost_of(rows, columns).sum())


def prices(arrays: Arrays, aim: str, value: int, step: Step) -> Prices:
    """The prices of one step by id."""
    return Prices(
        aim, value, {one.id: int(price) for one, price in zip(arrays.applications, step.row_price, strict=True)},
        {one.id: int(price) for one, price in zip(arrays.evaluators, step.column_price, strict=True)},
        int(step.pool_price),
    )  # fmt: skip


def broken_rules(instance: Instance, pairs: tuple[Pair, ...]) -> list[str]:
    """Each rule that these pairs break, as a sentence for programmers."""
    problems: list[str] = []
    if len(set(pairs)) != len(pairs):
        problems.append("a pair appears twice")
    problems += [f"the pair {pair} is forbidden" for pair in _closed(instance, pairs)]
    problems += [f"the fixed pair {pair} is gone" for pair in sorted(instance.locked - set(pairs))]
    loads = Counter(evaluator for _, evaluator in pairs)
    people = {person.id: person for person in instance.evaluators}
    each: dict[Any, list[Any]] = {subject.id: [] for subject in instance.applications}
    for application, evaluator in pairs:
        each[application].append(people[evaluator])
    held = locked_by_application(instance)
    for subject in instance.applications:
        wanted = instance.seats_of(subject)
        if len(each[subject.id]) != wanted:
            problems.append(f"{subject.id} has {len(each[subject.id])} evaluators")
        fixed = [people[evaluator] for evaluator in held.get(subject.id, ())]
        problems += [
            f"{subject.id}: {kind} {what}" for kind, what in broken_groups(instance, subject, each[subject.id], fixed)
        ]
    problems += [
        f"{person.id} has {loads[person.id]} applications"
        for person in instance.evaluators
        if not person.load_min <= loads[person.id] <= person.load_max
    ]
    return problems


def broken_groups(
    instance: Instance, subject: Subject, people: Sequence[Seatholder], held: Sequence[Seatholder] = ()
) -> list[tuple[str, str]]:
    """The rules on groups that the evaluators of one application break, as (kind, what).

    ``held`` are those of them whose seats are locked. What these break by themselves counts against nobody: as many of a
    group as are locked may stay, and where no seat is left to be filled no role, no gender and no language is asked for.
    """
    rules, found = instance.groups, []
    for kind, most in rules.limits:
        if (kind, subject.id) not in instance.exempt:
            stands = _counts(held, kind)
            counts = sorted(_counts(people, kind).items())
            found += [(kind, what) for what, count in counts if count > max(most, stands[what])]
    if len(held) >= instance.seats_of(subject):
        return found
    for role in rules.roles:
        if (f"role:{role}", subject.id) not in instance.exempt and not any(role in one.roles for one in people):
            found.append(("role", role))
    for gender in rules.genders:
        if (f"gender:{gender}", subject.id) not in instance.exempt and not any(one.gender == gender for one in people):
            found.append(("gender", gender))
    reader = ("reader", subject.id) not in instance.exempt and rules.needs_reader and subject.language
    if reader and not any(subject.language in one.languages for one in people):
        found.append(("reader", subject.language))
    return found


def broken_by_locked(instance: Instance) -> dict[UUID, list[tuple[str, str]]]:
    """By application the rules on groups that its locked pairs break by themselves, whoever gets what is left."""
    people = {person.id: person for person in instance.evaluators}
    held, found = locked_by_application(instance), {}
    for subject in instance.applications:
        seated = [people[evaluator] for evaluator in held.get(subject.id, ())]
        broken = broken_groups(instance, subject, seated) if seated else []
        if len(seated) < instance.seats_of(subject):
            broken = [(kind, what) for kind, what in broken if kind in ("country", "organisation")]
        if broken:
            found[subject.id] = broken
    return found


def locked_by_application(instance: Instance) -> dict[UUID, list[UUID]]:
    """Who is locked on each application."""
    held: dict[UUID, list[UUID]] = {}
    for application, evaluator in sorted(instance.locked):
        held.setdefault(application, []).append(evaluator)
    return held


def _counts(people: Sequence[Seatholder], kind: str) -> Counter[str]:
    return Counter(group for person in people for group in groups_of(person, kind))


def _closed(instance: Instance, pairs: tuple[Pair, ...]) -> list[Pair]:
    """Of these pairs those that may not meet."""
    closed = [pair for pair in pairs if pair in instance.forbidden]
    if instance.grid is not None:
        rows, columns = (
            {one: n for n, one in enumerate(ids)} for ids in (instance.grid.applications, instance.grid.evaluators)
        )
        closed += [pair for pair in pairs if not instance.grid.open[rows[pair[0]], columns[pair[1]]]]
    return closed
