"""Assignments with rules on groups and a floor for the worst application, by HiGHS over the pairs that matter."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from grants.core.errors import Refused
from grants.evaluation.matching import programme
from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.values import UTILITY_MAX, Matched

# Up to here every pair is in the programme from the start; above, the best of each application are, and others as
# the prices of the relaxed programme ask for them. Beyond PAIRS_MAX others are not asked for.
ALL_PAIRS_MAX = 12_000
PAIRS_MAX = 1_000_000
BEST_PER_APPLICATION = 40
BEST_OF_A_RULE = 12
# Pairs whose reduced cost is higher than this are left out of the search until it shows that they matter.
NEAR = 12.0
# Of a large programme the next one begins with those whose reduced cost in the one before was no higher than this.
NEAR_BEFORE = 60.0
NEXT_TO_NOTHING = 1.0
# A large programme may stop this close to its own bound; how even its loads are matters less than its total.
GAP = 0.0005
EVEN_GAP = 0.005
TIE_PART = 1 << 13


def assign(arrays: Arrays, ideal: Matched) -> Matched | None:
    """The best under all rules; None where none exists. ``ideal`` is the optimum without them, over all pairs."""
    return _solve(arrays, ideal)


def _candidates(arrays: Arrays, ideal: Matched) -> Any:
    """All open pairs, or of a large call the best of each application, those of the flow and those a rule asks for."""
    np = arrays.np
    if arrays.open.sum() <= ALL_PAIRS_MAX:
        return arrays.open
    chosen = np.zeros_like(arrays.open)
    worth = np.where(arrays.open, arrays.utility, np.int16(-1))
    _mark(np, chosen, worth, BEST_PER_APPLICATION)
    rules = arrays.instance.groups
    for role in rules.roles:
        has = np.array([role in person.roles for person in arrays.evaluators], dtype=bool)
        _mark(np, chosen, np.where(has[None, :], worth, np.int16(-1)), BEST_OF_A_RULE)
    for gender in rules.genders:
        said = np.array([person.gender == gender for person in arrays.evaluators], dtype=bool)
        _mark(np, chosen, np.where(said[None, :], worth, np.int16(-1)), BEST_OF_A_RULE)
    if rules.needs_reader:
        reads = np.array([[s.language in p.languages for p in arrays.evaluators] for s in arrays.applications])
        _mark(np, chosen, np.where(reads, worth, np.int16(-1)), BEST_OF_A_RULE)
    chosen[arrays.places(ideal.pairs)] = True
    if arrays.instance.standing:
        chosen[arrays.places(sorted(arrays.instance.standing))] = True
    return chosen & arrays.open


def _mark(np: Any, chosen: Any, worth: Any, most: int) -> None:
    order = np.argsort(-worth, axis=1, kind="stable")[:, :most]
    np.put_along_axis(chosen, order, np.take_along_axis(worth, order, 1) >= 0, axis=1)


@dataclass(frozen=True, slots=True)
class _Held:
    """What the aims before have reached and the next one keeps."""

    floor: int = 0
    kept: int | None = None
    total: int | None = None
    # The number of a pair that must be in it.
    forced: int | None = None


@dataclass(frozen=True, slots=True)
class _Answer:
    """The columns chosen, the least cost any answer could have, the reduced costs, and that least cost unrounded."""

    chosen: Any
    least: float
    reduced: Any
    relaxed: float


@dataclass(slots=True)
class _Search:
    """The pairs in question and where the search among them begins."""

    arrays: Arrays
    rows: Any
    columns: Any
    starts: list[Any]
    large: bool


def _solve(arrays: Arrays, ideal: Matched) -> Matched | None:
    np = arrays.np
    mask = arrays.open if arrays.open.sum() <= PAIRS_MAX else _candidates(arrays, ideal)
    rows, columns = np.nonzero(mask)
    first = np.nonzero(_candidates(arrays, ideal)[rows, columns])[0]
    search = _Search(arrays, rows, columns, [first], len(rows) > ALL_PAIRS_MAX)
    held, rounds = _Held(), 0
    best = _best(search, _total(search, held))
    if best is None:
        return None
    if arrays.instance.floor:
        held, rounds = _highest_floor(search, best.chosen)
    if arrays.instance.standing:
        held = replace(held, kept=_most_kept(search, held))
    # Without anything new to hold, the first answer stands.
    if rounds or held.kept is not None:
        best = _best(search, _total(search, held))
        assert best is not None, "what the aims before found is still an answer"
    chosen = _evenest(search, held, best)
    pairs = arrays.pairs(rows[chosen], columns[chosen])
    total, worst, spread = arrays.sums(pairs)
    most = int(_locked_worth(arrays).sum()) + math.floor(-best.least + 1e-4)
    bound = min(ideal.ideal, max(total, most)) if len(rows) == int(arrays.open.sum()) else ideal.ideal
    return Matched(
        pairs, total, bound, ideal.rounds + rounds, int(arrays.open.sum()), ideal.certificate, ideal.ideal, worst,
        spread, len(arrays.instance.standing & set(pairs)), "programme",
    )  # fmt: skip


def _start(search: _Search, held: _Held) -> programme.Programme:
    """The programme with what is held already."""
    arrays, rows, columns = search.arrays, search.rows, search.columns
    np = arrays.np
    made, _ = programme.build(arrays, rows, columns)
    worth = arrays.utility[rows, columns].astype(np.int64)
    if held.floor:
        lines = made.add_rows(held.floor - _locked_worth(arrays), np.full(arrays.rows, np.inf))
        made.enter(lines[rows], np.arange(len(rows)), worth)
    if held.kept is not None:
        stands = _standing(arrays)[rows, columns]
        line = made.add_rows([held.kept], [np.inf])
        made.enter(np.full(int(stands.sum()), line[0]), np.nonzero(stands)[0], 1)
    if held.total is not None:
        line = made.add_rows([held.total], [np.inf])
        made.enter(np.full(len(rows), line[0]), np.arange(len(rows)), worth)
    if held.forced is not None:
        made.enter(made.add_rows([1], [np.inf]), [held.forced], 1)
    return made


def _total(search: _Search, held: _Held) -> programme.Matrix:
    return _start(search, held).gather()


def _best(search: _Search, matrix: programme.Matrix, *, gap: float = GAP, known: Sequence[int] = ()) -> _Answer | None:
    """The least cost: the relaxed programme with all pairs priced, then the search among those near its prices.

    ``known`` pairs are an answer, if not the best one, so that the search has one from the start.
    """
    np = matrix.np
    count = len(search.rows)
    extra = np.arange(count, len(matrix.cost))
    relaxed = _relaxed(matrix, [np.concatenate([first, extra]) for first in search.starts], count)
    if relaxed is None:
        return None
    value, values, reduced = relaxed
    if search.large:
        # The next question of the same call is much alike: it begins with the pairs that mattered here.
        search.starts = [
            np.nonzero((reduced[:count] <= NEAR_BEFORE) & (matrix.upper[:count] > 0))[0],
            search.starts[-1],
        ]
    wholes = matrix.whole == 1
    if (np.abs(values - np.rint(values))[wholes] < 1e-6).all():
        return _Answer(np.nonzero(values[:count] > 0.5)[0], value, reduced, value)
    near, able = NEAR, matrix.upper > 0
    able[count:] = True
    while True:
        inside = (reduced <= near) & able
        inside[count:] = True
        inside[np.asarray(known, dtype=np.int64)] = True
        inside |= matrix.lower > 0
        columns = np.nonzero(inside)[0]
        # And a pair without which any answer would be as much dearer stays.
        sure = wholes & able & (reduced < -near)
        solver = matrix.highs(columns, sure=None if search.large else sure)
        if search.large:
            solver.setOptionValue("mip_rel_gap", gap)
        else:
            # What is near the prices is so few that its proof is found sooner than a good guess.
            solver.setOptionValue("mip_heuristic_effort", 0.0)
            solver.setOptionValue("mip_detect_symmetry", False)
        found = programme.run(solver)
        everything = len(columns) == int(able.sum()) and (search.large or not sure.any())
        if found is None and everything:
            return None
        if found is None:
            near = near * 8 if near < 1e5 else math.inf
            continue
        cost = float(solver.getInfo().objective_function_value)
        # A pair left out would make any answer dearer than the relaxed programme by more than `near`.
        if cost - value <= near + 1e-6 or everything or search.large:
            least = min(max(value, min(float(solver.getInfo().mip_dual_bound), value + near)), cost)
            return _Answer(_below(columns[np.asarray(found) > 0.5], count), least, reduced, value)
        near = cost - value + 1e-3


def _below(columns: Any, count: int) -> Any:
    return columns[columns < count]


def _relaxed(matrix: programme.Matrix, starts: Sequence[Any], count: int) -> tuple[float, Any, Any] | None:
    """Value, columns and reduced costs of the relaxed programme; pairs are added until no price asks for more.

    ``starts`` are columns to begin with, the next where the ones before have no answer; all of them at last.
    """
    np = matrix.np
    narrower = [first for first in starts if len(first) < len(matrix.cost)]
    for first in (*narrower, np.arange(len(matrix.cost))):
        columns, solver = first, matrix.highs(first, relaxed=1)
        found = programme.run(solver)
        while found is not None:
            reduced = matrix.reduced(solver.getSolution().row_dual)
            missing = reduced < -1e-6
            missing[columns] = False
            missing &= matrix.upper > 0
            if not missing.any():
                values = np.zeros(len(matrix.cost))
                values[columns] = np.asarray(found)
                return float(solver.getInfo().objective_function_value), values, reduced
            added = np.nonzero(missing)[0]
            columns = np.concatenate([columns, added])
            matrix.widen(solver, added)
            found = programme.run(solver)
    return None


def _highest_floor(search: _Search, chosen: Any) -> tuple[_Held, int]:
    """By bisection, to one hundredth of what an application could get; each answer is an assignment that keeps it."""
    arrays = search.arrays
    np, rounds = arrays.np, 0
    low = _worst(search, chosen)
    worth = np.sort(np.where(arrays.open, arrays.utility, np.int16(0)), axis=1)[:, ::-1].astype(np.int64)
    reach = [int(worth[i, : arrays.need[i]].sum()) for i in range(arrays.rows)]
    high = int((np.array(reach) + _locked_worth(arrays)).min())
    step = max(1, UTILITY_MAX * arrays.instance.per_application // 100)
    while high - low > step:
        rounds += 1
        middle = (low + high + 1) // 2
        found = _best(search, _total(search, _Held(middle)), gap=0.02)
        if found is None:
            high = middle - 1
        else:
            low = _worst(search, found.chosen)
    return _Held(low), rounds


def _most_kept(search: _Search, held: _Held) -> int:
    """How many of the standing pairs can be kept at most."""
    made = _start(search, held)
    stands = _standing(search.arrays)[search.rows, search.columns]
    made.cost[0] = -stands.astype(search.arrays.np.float64)
    found = _best(search, made.gather(), gap=0.0)
    assert found is not None, "an assignment exists"
    return int(stands[found.chosen].sum())


def _evenest(search: _Search, held: _Held, best: _Answer) -> Any:
    """With the total held, the smallest sum of squared distances of the loads from their aims, and between equals the tie-break.

    Only pairs that an assignment of this total can have are looked at: by the prices of the relaxed programme.
    """
    arrays, rows, columns = search.arrays, search.rows, search.columns
    np = arrays.np
    total = int(arrays.utility[rows, columns][best.chosen].astype(np.int64).sum())
    made = _start(search, replace(held, total=total))
    count = np.minimum(np.maximum(arrays.room, 0), arrays.rows)
    owner = np.repeat(np.arange(arrays.columns), count)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(count) - count, count)
    # As many steps are taken whatever the answer: the same more for each keeps what may be missed in proportion.
    beyond = (2 * arrays.fixed_by - arrays.twice_aim + int(arrays.twice_aim.max(initial=0)))[owner]
    steps = made.add_columns(beyond + 2 * nth + 1, np.ones(len(owner)), whole=0)
    lines = made.add_rows(np.zeros(arrays.columns), np.zeros(arrays.columns))
    made.enter(lines[columns], np.arange(len(rows)), 1)
    made.enter(lines[owner], steps, -1)
    # The ties of all pairs together stay below one unit of unevenness.
    part = max(2, TIE_PART >> max(1, int(arrays.need.sum())).bit_length())
    made.cost[0] = -(arrays.ties(rows, columns) % part) / TIE_PART
    matrix = made.gather()
    # Of a large call, whose total may stop short of the bound, only pairs that cost the total next to nothing.
    slack = NEXT_TO_NOTHING if search.large else -total - best.relaxed + 1e-5
    matrix.upper[: len(rows)][best.reduced[: len(rows)] > slack] = 0
    matrix.upper[best.chosen] = 1
    if not search.large:
        matrix.lower[: len(rows)][best.reduced[: len(rows)] < -slack] = 1
    able = np.nonzero(matrix.upper[: len(rows)] > 0)[0]
    found = _best(replace(search, starts=[able]), matrix, gap=EVEN_GAP, known=best.chosen)
    return best.chosen if found is None else found.chosen


def _worst(search: _Search, chosen: Any) -> int:
    np, arrays = search.arrays.np, search.arrays
    rows, columns = search.rows[chosen], search.columns[chosen]
    worth = np.bincount(rows, weights=arrays.utility[rows, columns], minlength=arrays.rows)
    return int((worth + _locked_worth(arrays)).min())


def _locked_worth(arrays: Arrays) -> Any:
    worth = arrays.np.zeros(arrays.rows, dtype=arrays.np.int64)
    for i, j in arrays.locked:
        worth[i] += int(arrays.utility[i, j])
    return worth


def _standing(arrays: Arrays) -> Any:
    stands = arrays.np.zeros_like(arrays.open)
    if arrays.instance.standing:
        stands[arrays.places(sorted(arrays.instance.standing))] = True
    return stands


def losses(
    arrays: Arrays, found: Matched, asked: Sequence[tuple[int, int, int | None]]
) -> dict[tuple[int, int, int | None], int]:
    """What the total loses without a pair, or with somebody else in this seat, by (row, column, column instead).

    All rules and the floor are held, and each is solved again; -1 where no assignment is left.
    """
    np = arrays.np
    rows, columns = np.nonzero(arrays.open)
    search = _Search(arrays, rows, columns, [np.arange(len(rows))], len(rows) > ALL_PAIRS_MAX)
    if search.large:
        return {}
    matrix = _total(search, _Held(found.floor if arrays.instance.floor else 0))
    locked = int(_locked_worth(arrays).sum())
    place = {(int(i), int(j)): number for number, (i, j) in enumerate(zip(rows, columns, strict=True))}
    solver = matrix.highs(np.arange(len(matrix.cost)), relaxed=1)
    told = {}
    for i, j, k in asked:
        out, into = place[i, j], None if k is None else place[i, k]
        solver.changeColBounds(out, 0.0, 0.0)
        if into is not None:
            solver.changeColBounds(into, 1.0, 1.0)
        value = _value(search, matrix, solver, out, into)
        told[i, j, k] = -1 if value is None else found.total - locked - value
        for number in (out, into):
            if number is not None:
                solver.changeColBounds(number, 0.0, 1.0)
    return told


def _value(search: _Search, matrix: programme.Matrix, solver: Any, out: int, into: int | None) -> int | None:
    """The best total of open pairs at these bounds: of the relaxed programme where that is whole already."""
    np = matrix.np
    values = programme.run(solver)
    if values is None:
        return None
    if (np.abs(np.asarray(values) - np.rint(values)) <= 1e-6).all():
        return -round(float(solver.getInfo().objective_function_value))
    matrix.upper[out] = 0
    if into is not None:
        matrix.lower[into] = 1
    other = _best(search, matrix)
    matrix.upper[out] = 1
    if into is not None:
        matrix.lower[into] = 0
    return None if other is None else int(_worth_of(search, other.chosen))


def _worth_of(search: _Search, chosen: Any) -> int:
    worth = search.arrays.utility[search.rows, search.columns][chosen]
    return int(worth.astype(search.arrays.np.int64).sum())


def without(arrays: Arrays, found: Matched, i: int, j: int) -> tuple[int, int, int] | None:
    """How many standing pairs can be kept without one pair, the best total found and what none exceeds, all rules held.

    At every size: a large call is searched as it was the first time, so the two totals may lie a little apart. None where no
    assignment exists; :class:`Refused` where only the best pairs were searched and none of them made one.
    """
    np, instance = arrays.np, arrays.instance
    pair = frozenset({(arrays.applications[i].id, arrays.evaluators[j].id)})
    closed = Arrays(replace(instance, forbidden=instance.forbidden | pair, standing=instance.standing - pair))
    candidates = _candidates(closed, found)
    rows, columns = np.nonzero(closed.open if closed.open.sum() <= PAIRS_MAX else candidates)
    first = np.nonzero(candidates[rows, columns])[0]
    search = _Search(closed, rows, columns, [first], len(rows) > ALL_PAIRS_MAX)
    held = _Held(found.floor if instance.floor else 0)
    best = _best(search, _total(search, held))
    if best is not None and instance.standing:
        held = replace(held, kept=_most_kept(search, held))
        best = _best(search, _total(search, held))
        assert best is not None, "what was found is still an answer"
    whole = len(rows) == int(closed.open.sum())
    if best is None and not whole:
        raise Refused(
            "Without this seat none of the best pairs makes an assignment; whether others would was not worked out."
        )
    if best is None:
        return None
    fixed = int(_locked_worth(closed).sum())
    total = fixed + _worth_of(search, best.chosen)
    bound = max(total, fixed + math.floor(-best.least + 1e-4)) if whole else max(total, found.ideal)
    kept = 0 if held.kept is None else held.kept
    return kept + len(instance.standing & instance.locked), total, bound


def again(arrays: Arrays, found: Matched, i: int, j: int, k: int | None) -> tuple[int, int] | None:
    """How many standing pairs can be kept and the best total, without one pair and with another, all rules held."""
    np, instance = arrays.np, arrays.instance
    without = frozenset({(arrays.applications[i].id, arrays.evaluators[j].id)})
    closed = Arrays(replace(instance, forbidden=instance.forbidden | without))
    rows, columns = np.nonzero(closed.open)
    search = _Search(closed, rows, columns, [np.arange(len(rows))], len(rows) > ALL_PAIRS_MAX)
    into = None if k is None else int(np.nonzero((rows == i) & (columns == k))[0][0])
    held = _Held(found.floor if instance.floor else 0, forced=into)
    if _best(search, _total(search, held)) is None:
        return None
    held = replace(held, kept=_most_kept(search, held))
    best = _best(search, _total(search, held))
    assert best is not None and held.kept is not None, "what was found is still an answer"
    return (
        held.kept + len(instance.standing & instance.locked),
        _worth_of(search, best.chosen) + int(_locked_worth(closed).sum()),
    )
