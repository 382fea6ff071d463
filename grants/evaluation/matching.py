"""Exact assignment of evaluators to applications by integer min-cost flow, with a certificate that no better one exists.

Pure: values in, values out. OR-tools is imported inside the functions, since only a worker ever needs it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from grants.core.errors import Refused

UTILITY_MAX = 1000

# Above this number of allowed pairs the network starts with the best pairs only; pricing adds what was left out.
DENSE_PAIRS_MAX = 50_000
BEST_PER_APPLICATION = 30
BEST_PER_EVALUATOR = 90
TIE_BITS_MAX = 20
TIE_BITS_MIN = 8


@dataclass(frozen=True, slots=True)
class Seatholder:
    """One evaluator and how many applications this person must and may take."""

    id: UUID
    load_max: int
    load_min: int = 0
    label: str = ""


@dataclass(frozen=True, slots=True)
class Subject:
    """One application to be assessed."""

    id: UUID
    label: str = ""


Pair = tuple[UUID, UUID]
"""(application, evaluator)."""


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything an assignment depends on. Pairs without a utility count as 0; forbidden pairs never meet.

    ``locked`` pairs stand already and stay. ``seed`` decides between equally good assignments, always the same way.
    """

    applications: tuple[Subject, ...]
    evaluators: tuple[Seatholder, ...]
    per_application: int
    utilities: Mapping[Pair, int] = field(default_factory=dict)
    forbidden: frozenset[Pair] = frozenset()
    locked: frozenset[Pair] = frozenset()
    seed: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Prices from which anybody can recompute the bound: no assignment can be worth more.

    One price a seat of each application, one a seat of each evaluator, one for the pool of seats, in the
    integer cost ``-(utility * 2**shift + tie)``.
    """

    application_prices: Mapping[UUID, int]
    evaluator_prices: Mapping[UUID, int]
    pool_price: int
    shift: int
    tie_bits: int


@dataclass(frozen=True, slots=True)
class Matched:
    """The best assignment, in order of application and evaluator id, with its proof."""

    pairs: tuple[Pair, ...]
    total: int
    bound: int
    rounds: int
    priced_pairs: int
    certificate: Certificate


@dataclass(frozen=True, slots=True)
class Infeasible:
    """No assignment exists: each sentence names who or what is missing and the way out."""

    reasons: tuple[str, ...]


def assign(instance: Instance) -> Matched | Infeasible:
    """The assignment of greatest total utility, or the reasons why there is none.

    The same for any order of the input. Raises ``ValueError`` for a programmer's error (unknown ids, a
    utility outside 0 to 1000) and :class:`Refused` when the numbers are too large to be solved exactly.
    """
    _check(instance)
    if not instance.applications:
        return Matched((), 0, 0, 0, 0, Certificate({}, {person.id: 0 for person in instance.evaluators}, 0, 0, 0))
    network = _Network(instance)
    reasons = _simple_reasons(instance)
    if reasons:
        return Infeasible(reasons)
    return network.solve() or Infeasible(network.hall_reasons())


def verify(instance: Instance, found: Matched) -> tuple[str, ...]:
    """Everything wrong with an assignment or its certificate, recomputed pair by pair without the solver."""
    problems = list(_broken_rules(instance, found.pairs))
    utilities = instance.utilities
    if sum(utilities.get(pair, 0) for pair in found.pairs) != found.total:
        problems.append("the stored total differs from the sum of the pairs")
    if instance.applications and dual_bound(instance, found.certificate) != found.total:
        problems.append("the prices do not prove the stored total")
    if found.bound != found.total:
        problems.append("the stored bound differs from the total")
    return tuple(problems)


def dual_bound(instance: Instance, certificate: Certificate) -> int:
    """The greatest total utility any assignment could have, by the certificate's prices (Lagrangian bound)."""
    shift, tie_bits = certificate.shift, certificate.tie_bits
    application_keys = {subject.id: _key(instance.seed, "application", subject.id) for subject in instance.applications}
    evaluator_keys = {person.id: _key(instance.seed, "evaluator", person.id) for person in instance.evaluators}
    pool = certificate.pool_price
    bound = 0
    for subject in instance.applications:
        price = certificate.application_prices[subject.id]
        bound += (pool - price) * instance.per_application
        for person in instance.evaluators:
            pair = (subject.id, person.id)
            if pair in instance.forbidden and pair not in instance.locked:
                continue
            tie = _mix(application_keys[subject.id], evaluator_keys[person.id]) & ((1 << tie_bits) - 1)
            cost = -((instance.utilities.get(pair, 0) << shift) + tie)
            reduced = cost + price - certificate.evaluator_prices[person.id]
            bound += reduced if pair in instance.locked else min(0, reduced)
    fixed = _fixed_loads(instance)
    for person in instance.evaluators:
        margin = certificate.evaluator_prices[person.id] - pool
        bound += margin * (max(person.load_min, fixed[person.id]) if margin > 0 else person.load_max)
    return -bound >> shift


def _fixed_loads(instance: Instance) -> dict[UUID, int]:
    loads = {person.id: 0 for person in instance.evaluators}
    for _, evaluator in instance.locked:
        loads[evaluator] += 1
    return loads


def _check(instance: Instance) -> None:
    applications = {subject.id for subject in instance.applications}
    evaluators = {person.id for person in instance.evaluators}
    if len(applications) != len(instance.applications) or len(evaluators) != len(instance.evaluators):
        raise ValueError("an application or evaluator is named twice")
    if instance.per_application < 1:
        raise ValueError("an application needs at least one evaluator")
    for person in instance.evaluators:
        if not 0 <= person.load_min <= person.load_max:
            raise ValueError(f"the loads of {person.label or person.id} are not 0 <= minimum <= maximum")
    # The pairs of the utilities, of which there may be millions, are looked up once: where the network is made.
    for application, evaluator in instance.forbidden | instance.locked:
        if application not in applications or evaluator not in evaluators:
            raise ValueError(f"the pair {(application, evaluator)} names nobody of this instance")
    for utility in set(instance.utilities.values()):
        if not isinstance(utility, int) or not 0 <= utility <= UTILITY_MAX:
            raise ValueError(f"a utility is a whole number from 0 to {UTILITY_MAX}, not {utility!r}")


def _simple_reasons(instance: Instance) -> tuple[str, ...]:
    """What plain counting already shows; the sets that only a flow shows come from :meth:`_Network.hall_reasons`."""
    reasons: list[str] = []
    seats = len(instance.applications) * instance.per_application
    label = {subject.id: f"“{subject.label or subject.id}”" for subject in instance.applications}
    name = {person.id: person.label or str(person.id) for person in instance.evaluators}
    for application, evaluator in sorted(instance.locked & instance.forbidden):
        reasons.append(
            f"{name[evaluator]} is fixed for {label[application]} and has a conflict with it. Release this seat first."
        )
    blocked: dict[UUID, int] = dict.fromkeys(label, 0)
    closed: dict[UUID, int] = dict.fromkeys(name, 0)
    for application, evaluator in instance.forbidden:
        blocked[application] += 1
        closed[evaluator] += 1
    fixed_at: dict[UUID, int] = dict.fromkeys(label, 0)
    fixed_by: dict[UUID, int] = dict.fromkeys(name, 0)
    for application, evaluator in instance.locked:
        fixed_at[application] += 1
        fixed_by[evaluator] += 1
    for subject in sorted(instance.applications, key=lambda subject: subject.id):
        if fixed_at[subject.id] > instance.per_application:
            reasons.append(
                f"{fixed_at[subject.id]} evaluators are fixed for {label[subject.id]}, which needs {instance.per_application}. "
                "Release some of them."
            )
        free = len(instance.evaluators) - blocked[subject.id]
        if free < instance.per_application:
            missing = instance.per_application - free
            reasons.append(
                f"{label[subject.id]} needs {instance.per_application} evaluators, and only {free} may take it "
                f"({blocked[subject.id]} are kept from it by a conflict or rule). "
                f"Add {_count(missing, 'evaluator')} without a conflict to the pool."
            )
    for person in sorted(instance.evaluators, key=lambda person: person.id):
        if fixed_by[person.id] > person.load_max:
            reasons.append(
                f"{name[person.id]} is fixed for {_count(fixed_by[person.id], 'application')} and may take {person.load_max}. "
                "Raise this person’s maximum or release a seat."
            )
        open_to = len(instance.applications) - closed[person.id]
        if open_to < person.load_min:
            reasons.append(
                f"{name[person.id]} must take at least {person.load_min}, and only {_count(open_to, 'application')} "
                "may go to this person. Lower the minimum."
            )
    most = sum(person.load_max for person in instance.evaluators)
    if most < seats:
        reasons.append(
            f"{seats} seats are to be filled ({_count(len(instance.applications), 'application')} with "
            f"{instance.per_application} evaluators each), and {_count(len(instance.evaluators), 'evaluator')} may take {most} in all. "
            f"{_count(seats - most, 'seat')} too few: add evaluators or raise their maximum."
        )
    least = sum(person.load_min for person in instance.evaluators)
    if least > seats:
        reasons.append(
            f"The minimum loads add up to {least}, and there are only {seats} seats. Lower the minima by {least - seats} in all."
        )
    return tuple(reasons)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _key(seed: str, side: str, thing: UUID) -> int:
    """64 bits of SHA-256 of the seed and one id: what a tie between equals is decided by."""
    digest = hashlib.sha256(f"{seed}\n{side}\n{thing}".encode()).digest()
    return int.from_bytes(digest[:8], "big")


_WORD = (1 << 64) - 1


def _mix(first: int, second: int) -> int:
    """Mix two keys into one 64-bit number (the finaliser of SplitMix64); the arrays of the solver do the same."""
    word = (first ^ ((second << 32 | second >> 32) & _WORD)) & _WORD
    word = (word ^ (word >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    word = (word ^ (word >> 27)) * 0x94D049BB133111EB & _WORD
    return word ^ (word >> 31)


def _broken_rules(instance: Instance, pairs: Sequence[Pair]) -> list[str]:
    problems: list[str] = []
    if len(set(pairs)) != len(pairs):
        problems.append("a pair appears twice")
    for pair in pairs:
        if pair in instance.forbidden:
            problems.append(f"the pair {pair} is forbidden")
    problems += [f"the fixed pair {pair} is gone" for pair in sorted(instance.locked - set(pairs))]
    seats: dict[UUID, int] = {subject.id: 0 for subject in instance.applications}
    loads: dict[UUID, int] = {person.id: 0 for person in instance.evaluators}
    for application, evaluator in pairs:
        seats[application] += 1
        loads[evaluator] += 1
    problems += [
        f"{application} has {count} evaluators"
        for application, count in seats.items()
        if count != instance.per_application
    ]
    problems += [
        f"{person.id} has {loads[person.id]} applications"
        for person in instance.evaluators
        if not person.load_min <= loads[person.id] <= person.load_max
    ]
    return problems


class _Network:
    """The instance as arrays in order of the ids, whatever order it came in."""

    def __init__(self, instance: Instance) -> None:
        import numpy as np

        self.np = np
        self.instance = instance
        self.applications = sorted(instance.applications, key=lambda subject: subject.id)
        self.evaluators = sorted(instance.evaluators, key=lambda person: person.id)
        self.row = {subject.id: index for index, subject in enumerate(self.applications)}
        self.column = {person.id: index for index, person in enumerate(self.evaluators)}
        self.rows, self.columns = len(self.applications), len(self.evaluators)
        self.utility = np.zeros((self.rows, self.columns), dtype=np.int16)
        if instance.utilities:
            self.utility[self._places()] = np.fromiter(instance.utilities.values(), np.int16, len(instance.utilities))
        self.open = np.ones((self.rows, self.columns), dtype=bool)
        for application, evaluator in instance.forbidden | instance.locked:
            self.open[self.row[application], self.column[evaluator]] = False
        self.need = np.full(self.rows, instance.per_application, dtype=np.int64)
        self.most = np.array([person.load_max for person in self.evaluators], dtype=np.int64)
        self.least = np.array([person.load_min for person in self.evaluators], dtype=np.int64)
        for application, evaluator in instance.locked:
            self.need[self.row[application]] -= 1
            self.most[self.column[evaluator]] -= 1
            self.least[self.column[evaluator]] -= 1
        self.least = np.maximum(self.least, 0)
        self.row_keys = np.array([_key(instance.seed, "application", s.id) for s in self.applications], dtype=np.uint64)
        column_keys = [_key(instance.seed, "evaluator", person.id) for person in self.evaluators]
        self.column_keys = np.array([(key << 32 | key >> 32) & _WORD for key in column_keys], dtype=np.uint64)
        self.tie_bits, self.shift = self._digits()

    def _places(self) -> tuple[Any, Any]:
        """Row and column of each utility; by the numbers of the ids, which are hashed three times as fast."""
        row, column = ({key.int: place for key, place in places.items()} for places in (self.row, self.column))
        pairs = self.instance.utilities
        try:
            # Lists, not generators, which take twice as long.
            rows = [row[application.int] for application, _ in pairs]
            columns = [column[evaluator.int] for _, evaluator in pairs]
        except KeyError as error:
            raise ValueError(f"a pair with {UUID(int=error.args[0])} names nobody of this instance") from None
        np = self.np
        return np.fromiter(rows, np.int64, len(pairs)), np.fromiter(columns, np.int64, len(pairs))

    def _digits(self) -> tuple[int, int]:
        """How many bits the tie-break gets and by how much a utility is shifted, so that all fits 64 bits.

        The ties of all pairs together stay below one unit of utility. The solver multiplies each cost
        by the number of nodes, hence the third term; two bits are kept free.
        """
        pairs = self.rows * self.instance.per_application
        room = 60 - (UTILITY_MAX + 1).bit_length() - (self.rows + self.columns + 2).bit_length()
        tie_bits = min(TIE_BITS_MAX, room - pairs.bit_length())
        if tie_bits < TIE_BITS_MIN:
            raise Refused(
                f"{self.rows} applications and {self.columns} evaluators are too many to be assigned exactly in one run. "
                "Split the call into panels and assign each by itself."
            )
        return tie_bits, tie_bits + pairs.bit_length()

    def solve(self) -> Matched | None:
        """Solve on a part of the pairs, price all others with the potentials, add what could help, repeat."""
        np = self.np
        chosen = self._first_pairs()
        rounds = 0
        while True:
            rounds += 1
            rows, columns = np.nonzero(chosen)
            cost = self._cost(rows, columns)
            flow = self._flow(rows, columns, cost)
            if flow is None and chosen.sum() < self.open.sum():
                chosen = self.open
                continue
            if flow is None:
                return None
            row_price, column_price, pool_price = self._prices(rows, columns, cost, flow)
            better = self._underpriced(row_price, column_price) & ~chosen
            if not better.any():
                break
            chosen = chosen | better
        pairs = {
            (self.applications[i].id, self.evaluators[j].id) for i, j in zip(rows[flow], columns[flow], strict=True)
        }
        pairs |= self.instance.locked
        ordered = tuple(sorted(pairs))
        certificate = Certificate(
            {subject.id: int(row_price[i]) for i, subject in enumerate(self.applications)},
            {person.id: int(column_price[j]) for j, person in enumerate(self.evaluators)},
            int(pool_price), self.shift, self.tie_bits,
        )  # fmt: skip
        total = sum(self.instance.utilities.get(pair, 0) for pair in ordered)
        bound = self._bound(rows, columns, cost, flow, certificate)
        assert bound == total, "the prices must prove the assignment"
        return Matched(ordered, total, bound, rounds, int(self.open.sum()), certificate)

    def _first_pairs(self) -> Any:
        """All open pairs, or of a very large instance the best of each row and column."""
        np = self.np
        if self.open.sum() <= DENSE_PAIRS_MAX:
            return self.open
        worth = np.where(self.open, self.utility, -1)
        chosen = np.zeros_like(self.open)
        per_row = min(self.columns, BEST_PER_APPLICATION)
        best = np.argpartition(-worth, per_row - 1, axis=1)[:, :per_row]
        np.put_along_axis(chosen, best, True, axis=1)
        per_column = min(self.rows, BEST_PER_EVALUATOR)
        best = np.argpartition(-worth, per_column - 1, axis=0)[:per_column]
        np.put_along_axis(chosen, best, True, axis=0)
        return chosen & self.open

    def _cost(self, rows: Any, columns: Any) -> Any:
        np = self.np
        word = self.row_keys[rows] ^ self.column_keys[columns]
        word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        word = word ^ (word >> np.uint64(31))
        tie = (word & np.uint64((1 << self.tie_bits) - 1)).astype(np.int64)
        return -((self.utility[rows, columns].astype(np.int64) << self.shift) + tie)

    def _flow(self, rows: Any, columns: Any, cost: Any) -> Any:
        """Which pairs carry flow, as a mask; None when the network cannot carry it all."""
        from ortools.graph.python import min_cost_flow

        np = self.np
        pool = self.rows + self.columns
        spare = self.most - self.least
        seats = int(self.need.sum())
        # The solver has been known to crash on unbalanced supply: sums are made equal here and checked before it runs.
        if int(self.least.sum()) > seats or (spare < 0).any() or (self.need < 0).any():
            return None
        solver = min_cost_flow.SimpleMinCostFlow()
        arcs = solver.add_arcs_with_capacity_and_unit_cost(
            rows.astype(np.int32), (columns + self.rows).astype(np.int32), np.ones(len(rows), dtype=np.int64), cost
        )
        ends = np.arange(self.rows, pool, dtype=np.int32)
        solver.add_arcs_with_capacity_and_unit_cost(
            ends, np.full(self.columns, pool, dtype=np.int32), spare, np.zeros(self.columns, dtype=np.int64)
        )
        supply = np.concatenate([self.need, -self.least, [int(self.least.sum()) - seats]])
        assert int(supply.sum()) == 0, "supply and demand must balance"
        solver.set_nodes_supplies(np.arange(pool + 1, dtype=np.int32), supply)
        status = solver.solve()
        if status == solver.INFEASIBLE:
            return None
        if status == solver.BAD_COST_RANGE:
            raise Refused("The numbers of this run are too large to be solved exactly. Split the call into panels.")
        assert status == solver.OPTIMAL, f"the solver answered {status}"
        return solver.flows(arcs).astype(bool)

    def _prices(self, rows: Any, columns: Any, cost: Any, flow: Any) -> tuple[Any, Any, int]:
        """Potentials of the nodes: shortest distances in the residual network, which has no negative circle.

        Bellman-Ford over arrays: every residual arc ends with a reduced cost of zero or more.
        """
        np = self.np
        order = np.lexsort((rows, columns))
        free = order[~flow[order]]
        free_columns, starts = np.unique(columns[free], return_index=True)
        used_rows, used_columns, used_cost = rows[flow], columns[flow], cost[flow]
        load = np.bincount(used_columns, minlength=self.columns)
        to_pool, from_pool = load < self.most, load > self.least
        row_price = np.zeros(self.rows, dtype=np.int64)
        column_price = np.zeros(self.columns, dtype=np.int64)
        pool_price = 0
        for _ in range(2 * (self.rows + self.columns) + 2):
            before = (row_price.copy(), column_price.copy(), pool_price)
            if len(free):
                reach = np.minimum.reduceat(row_price[rows[free]] + cost[free], starts)
                column_price[free_columns] = np.minimum(column_price[free_columns], reach)
            if to_pool.any():
                pool_price = min(pool_price, int(column_price[to_pool].min()))
            column_price[from_pool] = np.minimum(column_price[from_pool], pool_price)
            np.minimum.at(row_price, used_rows, column_price[used_columns] - used_cost)
            if (
                pool_price == before[2]
                and np.array_equal(row_price, before[0])
                and np.array_equal(column_price, before[1])
            ):
                return row_price, column_price, pool_price
        raise AssertionError("an optimal flow leaves no negative circle")

    def _underpriced(self, row_price: Any, column_price: Any) -> Any:
        """All open pairs that could still improve the assignment, in blocks of rows so that memory stays small."""
        np = self.np
        found = np.zeros_like(self.open)
        block = max(1, 2_000_000 // max(1, self.columns))
        for first in range(0, self.rows, block):
            rows, columns = np.nonzero(self.open[first : first + block])
            rows += first
            reduced = self._cost(rows, columns) + row_price[rows] - column_price[columns]
            found[rows[reduced < 0], columns[reduced < 0]] = True
        return found

    def _bound(self, rows: Any, columns: Any, cost: Any, flow: Any, certificate: Certificate) -> int:
        """The bound of :func:`dual_bound`, quickly: pricing has shown that pairs not chosen add nothing to it."""
        pool = certificate.pool_price
        row_price = [certificate.application_prices[subject.id] for subject in self.applications]
        column_price = [certificate.evaluator_prices[person.id] for person in self.evaluators]
        bound = sum((pool - price) * self.instance.per_application for price in row_price)
        np = self.np
        locked = sorted(self.instance.locked)
        used_rows = [*rows[flow].tolist(), *(self.row[application] for application, _ in locked)]
        used_columns = [*columns[flow].tolist(), *(self.column[evaluator] for _, evaluator in locked)]
        costs = self._cost(np.array(used_rows, dtype=np.int64), np.array(used_columns, dtype=np.int64)).tolist()
        for number, (i, j, price) in enumerate(zip(used_rows, used_columns, costs, strict=True)):
            reduced = price + row_price[i] - column_price[j]
            bound += reduced if number >= int(flow.sum()) else min(0, reduced)
        fixed = _fixed_loads(self.instance)
        for j, person in enumerate(self.evaluators):
            margin = column_price[j] - pool
            bound += margin * (max(person.load_min, fixed[person.id]) if margin > 0 else person.load_max)
        return int(-bound >> self.shift)

    def hall_reasons(self) -> tuple[str, ...]:
        """Why no assignment exists although plain counting allows one: the set of applications or people that is too tight."""
        flow, missing = self._elastic_flow()
        if missing.any():
            return (self._tight_applications(flow, missing),)
        return (self._tight_evaluators(flow),)

    def _elastic_flow(self) -> tuple[Any, Any]:
        """As many seats as can be filled, and with those as much of the minimum loads as can be met."""
        from ortools.graph.python import min_cost_flow

        np = self.np
        rows, columns = np.nonzero(self.open)
        pool, seats = self.rows + self.columns, int(self.need.sum())
        least = np.minimum(self.least, self.most)
        solver = min_cost_flow.SimpleMinCostFlow()
        arcs = solver.add_arcs_with_capacity_and_unit_cost(
            rows.astype(np.int32), (columns + self.rows).astype(np.int32),
            np.ones(len(rows), dtype=np.int64), np.zeros(len(rows), dtype=np.int64),
        )  # fmt: skip
        ends = np.arange(self.rows, pool, dtype=np.int32)
        sink = np.full(self.columns, pool, dtype=np.int32)
        solver.add_arcs_with_capacity_and_unit_cost(ends, sink, least, np.full(self.columns, -1, dtype=np.int64))
        solver.add_arcs_with_capacity_and_unit_cost(
            ends, sink, self.most - least, np.zeros(self.columns, dtype=np.int64)
        )
        short = solver.add_arcs_with_capacity_and_unit_cost(
            np.arange(self.rows, dtype=np.int32), np.full(self.rows, pool, dtype=np.int32),
            self.need, np.full(self.rows, seats + 1, dtype=np.int64),
        )  # fmt: skip
        solver.set_nodes_supplies(
            np.arange(pool + 1, dtype=np.int32), np.concatenate([self.need, [0] * self.columns, [-seats]])
        )
        status = solver.solve()
        assert status == solver.OPTIMAL, f"the elastic network always has an answer, not {status}"
        taken = np.zeros((self.rows, self.columns), dtype=bool)
        used = solver.flows(arcs).astype(bool)
        taken[rows[used], columns[used]] = True
        return taken, solver.flows(short)

    def _tight_applications(self, taken: Any, missing: Any) -> str:
        """By Hall's condition: from an empty seat, everything reachable is a set that needs more than it can get."""
        np = self.np
        reached = missing > 0
        while True:
            people = (self.open & ~taken)[reached].any(axis=0)
            grown = reached | taken[:, people].any(axis=1)
            if (grown == reached).all():
                break
            reached = grown
        need = int(self.need[reached].sum())
        choices = self.open[reached].sum(axis=0)
        places = int(np.minimum(self.most, choices).sum())
        who = [self.evaluators[j] for j in np.nonzero((choices > 0) & people)[0]]
        what = [self.applications[i] for i in np.nonzero(reached)[0]]
        return (
            f"{_listed(what, 'application')} still need {_count(need, 'seat')}, and all evaluators who may take them have {places} left "
            f"for them ({_listed(who, 'evaluator')} {'is' if len(who) == 1 else 'are'} full). "
            f"{_count(need - places, 'seat')} missing: raise these people’s maximum or add evaluators without a conflict there."
        )

    def _tight_evaluators(self, taken: Any) -> str:
        """The mirror image: people whose minimum cannot be met because too few applications may go to them."""
        np = self.np
        load = taken.sum(axis=0)
        reached = load < self.least
        while True:
            things = (self.open & ~taken)[:, reached].any(axis=1)
            grown = reached | taken[things].any(axis=0)
            if (grown == reached).all():
                break
            reached = grown
        least = int(self.least[reached].sum())
        places = int(np.minimum(self.need, self.open[:, reached].sum(axis=1)).sum())
        who = [self.evaluators[j] for j in np.nonzero(reached)[0]]
        return (
            f"{_listed(who, 'evaluator')} must together take {least} more, and only {_count(places, 'seat')} may go to them. "
            f"Lower their minimum by {least - places} in all."
        )


def _listed(things: Sequence[Seatholder] | Sequence[Subject], noun: str, most: int = 6) -> str:
    """“A”, “B” and 3 more applications."""
    names = [f"“{thing.label or thing.id}”" for thing in things[:most]]
    if len(things) > most:
        return ", ".join(names) + f" and {len(things) - most} more {noun}s"
    return ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1] if names else f"no {noun}"
