"""Which units together satisfy the rules, as a whole-number programme solved by HiGHS and checked again in whole cents.

HiGHS reckons in floating point within a tolerance: each answer is added up again exactly, and one that is a cent
too much is excluded by a cut and asked for anew. So a tolerance never selects, and what exists is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from math import gcd
from typing import Any

from grants.awards.ranking.rows import Bound, Candidate, Limits, Unit, Walk, minimum_words
from grants.calls.rules import SelectionRules
from grants.core.errors import Refused
from grants.core.money import ZERO, Money

CUTS_MAX = 500
# What the solver may take for one list, however often it is asked for it, and how far one question may branch.
SECONDS_MAX = 10.0
NODES_MAX = 200_000
INFINITY = float("inf")


class TooHard(Exception):
    """No proven answer within the limits; it becomes a sentence where it is known what may be loosened."""


_left: ContextVar[list[float] | None] = ContextVar("seconds_left", default=None)


@contextmanager
def bounded() -> Iterator[None]:
    """All questions asked within share one limit of time; the outermost sets it."""
    if _left.get() is not None:
        yield
        return
    token = _left.set([SECONDS_MAX])
    try:
        yield
    finally:
        _left.reset(token)


@dataclass(slots=True)
class Programme:
    """Rows and columns as they are gathered; every column is a whole number between zero and its upper bound."""

    cost: list[int] = field(default_factory=list)
    upper: list[int] = field(default_factory=list)
    rows: list[tuple[float, float, dict[int, int]]] = field(default_factory=list)

    def column(self, cost: int, upper: int = 1) -> int:
        """A new column; its number."""
        self.cost.append(cost)
        self.upper.append(upper)
        return len(self.cost) - 1

    def at_most(self, most: float, terms: Mapping[int, int]) -> None:
        """The sum of these terms is at most this."""
        if terms:
            self.rows.append((-INFINITY, most, dict(terms)))

    def at_least(self, least: float, terms: Mapping[int, int]) -> None:
        """The sum of these terms is at least this."""
        self.rows.append((least, INFINITY, dict(terms)))

    def solve(self, fixed: Mapping[int, int]) -> list[int] | None:
        """The columns of a cheapest answer, or None where there is none."""
        if not self.cost:
            # Nothing to choose from: what is demanded is met by nothing, or not at all.
            return [] if all(least <= 0 <= most for least, most, _ in self.rows) else None
        import highspy
        import numpy as np

        starts: list[int] = [0]
        index: list[int] = []
        value: list[int] = []
        for _, _, terms in self.rows:
            index += terms.keys()
            value += terms.values()
            starts.append(len(index))
        model = highspy.HighsModel()
        lp = model.lp_
        lp.num_col_, lp.num_row_ = len(self.cost), len(self.rows)
        lp.col_cost_ = np.array(self.cost, dtype=np.double)
        lp.col_lower_ = np.array([fixed.get(at, 0) for at in range(len(self.cost))], dtype=np.double)
        lp.col_upper_ = np.array([fixed.get(at, most) for at, most in enumerate(self.upper)], dtype=np.double)
        lp.row_lower_ = np.array([least for least, _, _ in self.rows], dtype=np.double)
        lp.row_upper_ = np.array([most for _, most, _ in self.rows], dtype=np.double)
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_ = np.array(starts, dtype=np.int32)
        lp.a_matrix_.index_ = np.array(index, dtype=np.int32)
        lp.a_matrix_.value_ = np.array(value, dtype=np.double)
        lp.integrality_ = [highspy.HighsVarType.kInteger] * len(self.cost)
        return _run(highspy, model)


def _run(highspy: Any, model: Any) -> list[int] | None:
    left = _left.get()
    assert left is not None, "every question has a limit"
    if left[0] <= 0:
        raise TooHard
    solver = highspy.Highs()
    # One thread, one seed and no gap: the same answer on every machine, and a proven one.
    for name, value in (
        ("output_flag", False), ("threads", 1), ("random_seed", 1), ("mip_rel_gap", 0.0), ("mip_abs_gap", 0.5),
        ("mip_feasibility_tolerance", 1e-9), ("time_limit", left[0]), ("mip_max_nodes", NODES_MAX),
    ):  # fmt: skip
        solver.setOptionValue(name, value)
    solver.passModel(model)
    solver.run()
    left[0] -= solver.getRunTime()
    status = solver.getModelStatus()
    if status in (highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible):
        return None
    if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kModelEmpty):
        raise TooHard
    return [round(value) for value in solver.getSolution().col_value]


@dataclass(slots=True)
class Asked:
    """A question: which of these units, beside what a walk selected, for the lowest cost."""

    walk: Walk
    units: Sequence[Unit]
    cost: Callable[[Unit], int]
    must: frozenset[int] = frozenset()
    # How many of the missing countries and small cities may stay missing, at what cost each; None: none.
    slack: tuple[int, int] | None = None
    # What each unit brings that counts once, however many bring it: by name, how much that lowers the cost.
    brings_once: Callable[[Unit], Iterable[tuple[str, int]]] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The units of a cheapest answer, and what stays missing of each minimum where that was allowed."""

    units: tuple[Unit, ...]
    missing: Mapping[Bound, int]


def answer(asked: Asked) -> Answer | None:
    """A cheapest answer that holds in whole cents, or None where there is none.

    Raises :class:`Refused` where none was proven within the limits, with what to loosen.
    """
    try:
        with bounded():
            return _answer(asked)
    except TooHard:
        raise Refused(_too_hard(asked.walk.limits)) from None


def _too_hard(limits: Limits) -> str:
    rules = limits.rules
    named = [
        minimum_words(bound, rules) for bound in (Bound.COUNTRIES_MIN, Bound.SMALL_CITIES_MIN) if _demands(rules, bound)
    ]
    if limits.exclusive:
        named.append(f"{len(limits.exclusive)} groups of which at most one is selected")
    if rules.one_per_city:
        named.append("one selected application for each city")
    if rules.strands:
        named.append(f"{len(rules.strands)} strands of the budget")
    if rules.country_amount_max is not None:
        named.append("the most money for one country")
    if rules.country_max is not None:
        named.append("the most applications from one country")
    loosen = "; ".join(named) or "the rules of selection"
    return (
        f"These rules together are too hard to reckon with: no proven answer was found within {SECONDS_MAX:.0f} seconds. "
        f"Loosen or leave out one of them: {loosen}."
    )


def _demands(rules: SelectionRules, bound: Bound) -> bool:
    return bool(rules.countries_min if bound is Bound.COUNTRIES_MIN else rules.small_cities_min)


def _answer(asked: Asked) -> Answer | None:
    programme, taken = Programme(), {}
    units = [unit for unit in asked.units if unit.number in asked.must or not asked.walk.breaches(unit)]
    for unit in units:
        taken[unit.number] = programme.column(asked.cost(unit))
    if asked.must - taken.keys():
        return None
    _ceilings(programme, asked.walk, units, taken)
    _once(programme, asked, units, taken)
    slacks = _minima(programme, asked, units, taken)
    fixed = {taken[number]: 1 for number in asked.must}
    for _ in range(CUTS_MAX):
        values = programme.solve(fixed)
        if values is None:
            return None
        chosen = tuple(unit for unit in units if values[taken[unit.number]])
        over = _over(asked.walk, chosen)
        if not over:
            return Answer(chosen, {bound: values[at] for bound, at in slacks.items()})
        for group in over:
            programme.at_most(len(group) - 1, {taken[unit.number]: 1 for unit in group})
    raise TooHard


def _once(programme: Programme, asked: Asked, units: Sequence[Unit], taken: Mapping[int, int]) -> None:
    """A column for each name that counts once: it is there only where one of its holders is."""
    brings = asked.brings_once
    if brings is None:
        return
    holders: dict[str, tuple[int, list[int]]] = {}
    for unit in units:
        for name, worth in brings(unit):
            most, found = holders.setdefault(name, (worth, []))
            holders[name] = (max(most, worth), [*found, taken[unit.number]])
    for name in sorted(holders):
        worth, columns = holders[name]
        has = programme.column(-worth)
        programme.at_most(0, {has: 1, **dict.fromkeys(columns, -1)})


Inside = Callable[[Candidate], bool]


def _of_strand(strand: str) -> Inside:
    return lambda one: one.strand == strand


def _of_country(country: str) -> Inside:
    return lambda one: one.country == country


def _money_ceilings(walk: Walk, units: Sequence[Unit]) -> list[tuple[Money, Inside]]:
    """What is left of the budget, of each strand and of each country, and what counts against it."""
    found: list[tuple[Money, Inside]] = [(walk.limits.budget - walk.used, lambda one: True)]
    for strand, ceiling in sorted(walk.limits.ceilings.items()):
        found.append((ceiling - walk.strands.get(strand, ZERO), _of_strand(strand)))
    most = walk.limits.rules.country_amount_max
    if most is not None:
        for country in sorted({country for unit in units for country in unit.countries}):
            found.append((most - walk.amounts.get(country, ZERO), _of_country(country)))
    return found


def _cents(unit: Unit, inside: Inside) -> int:
    return sum(one.amount.cents for one in unit.members if inside(one))


def _ceilings(programme: Programme, walk: Walk, units: Sequence[Unit], taken: Mapping[int, int]) -> None:
    """Every ceiling as a row. Money is divided by what all amounts have in common, so that numbers stay small."""
    scale = gcd(*(one.amount.cents for unit in units for one in unit.members)) or 1
    for left, inside in _money_ceilings(walk, units):
        sums = {taken[unit.number]: _cents(unit, inside) // scale for unit in units}
        programme.at_most(left.cents // scale, {at: cents for at, cents in sums.items() if cents})
    if walk.limits.rules.country_max is not None:
        for country in sorted({country for unit in units for country in unit.countries}):
            many = {taken[unit.number]: unit.countries[country] for unit in units if country in unit.countries}
            programme.at_most(walk.limits.rules.country_max - walk.countries[country], many)
    for together in _at_most_one(walk, units):
        programme.at_most(1, {taken[number]: count for number, count in together.items()})


def _at_most_one(walk: Walk, units: Sequence[Unit]) -> Iterable[dict[int, int]]:
    """How often each unit holds a city, or one of a group, of which there may be one."""
    found: dict[object, dict[int, int]] = {}
    for unit in units:
        for one in unit.members:
            keys: list[object] = [*sorted(one.cities)] if walk.limits.rules.one_per_city else []
            keys += [at for at, group in enumerate(walk.limits.exclusive) if one.application_id in group]
            for key in keys:
                held = found.setdefault(key, {})
                held[unit.number] = held.get(unit.number, 0) + 1
    return [held for held in found.values() if sum(held.values()) > 1]


def _minima(programme: Programme, asked: Asked, units: Sequence[Unit], taken: Mapping[int, int]) -> dict[Bound, int]:
    """Each unmet minimum as a row over what its units bring; returns the columns of what may stay missing."""
    slacks: dict[Bound, int] = {}
    brought: dict[Bound, Callable[[Unit], Iterable[str]]] = {
        Bound.COUNTRIES_MIN: lambda unit: unit.countries.keys() - asked.walk.countries.keys(),
        Bound.SMALL_CITIES_MIN: lambda unit: unit.small_cities - asked.walk.small,
    }
    for place, (bound, missing) in enumerate(sorted(asked.walk.unmet().items())):
        holders: dict[str, list[int]] = {}
        for unit in units:
            for name in brought[bound](unit):
                holders.setdefault(name, []).append(taken[unit.number])
        terms: dict[int, int] = {}
        for name in sorted(holders):
            has = programme.column(0)
            programme.at_most(0, {has: 1, **dict.fromkeys(holders[name], -1)})
            terms[has] = 1
        if asked.slack is not None:
            slacks[bound] = programme.column(asked.slack[place], missing)
            terms[slacks[bound]] = 1
        programme.at_least(missing, terms)
    return slacks


def _over(walk: Walk, chosen: Sequence[Unit]) -> list[list[Unit]]:
    """Groups of units that exceed a ceiling in whole cents, whatever a tolerance said; empty when all holds."""
    found = []
    for left, inside in _money_ceilings(walk, chosen):
        group = [unit for unit in chosen if _cents(unit, inside)]
        if sum(_cents(unit, inside) for unit in group) > left.cents:
            found.append(group)
    return found
