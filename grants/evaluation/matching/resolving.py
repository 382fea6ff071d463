"""What the total loses without a pair, or with another person in its seat: by the prices of the flow, or solved again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from grants.evaluation.matching import mixed
from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.proof import KEPT, TOTAL
from grants.evaluation.matching.solving import by_flow
from grants.evaluation.matching.values import Instance, Matched, Pair

# Shortest ways between all evaluators cost the cube of their number; beyond this nothing is said about the loss.
EVALUATORS_MAX = 600
# With rules on groups each pair is solved again; beyond so many new seats that would take too long.
RESOLVED_MAX = 400
# Where seats could move every question is an assignment of its own; beyond so many open pairs in all of them no more are asked.
PAIRS_MAX = 4_000_000
UNREACHED = 1 << 40


class Question(NamedTuple):
    """By row and column: what is lost without the pair, or with somebody else in this very seat."""

    i: int
    j: int
    instead: int | None = None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the total loses, -1 where no assignment is left; and how many more seats that stood would have to move."""

    total: int
    moved: int = 0


NONE_LEFT = Cost(-1)


def costs(
    arrays: Arrays, found: Matched, new: Sequence[Pair], better: Mapping[Pair, Sequence[int]]
) -> dict[Question, Cost]:
    """The costs that could be worked out in good time, of these pairs and of those who might sit there instead.

    On the flow all of them; elsewhere, where each is solved again, the best of those who fit better.
    """
    if not new:
        return {}
    asked: list[Question] = []
    for pair in new:
        i, j = arrays.row[pair[0]], arrays.column[pair[1]]
        asked += [Question(i, j), *(Question(i, j, k) for k in better[pair])]
    by_flow_alone = found.solver == "flow"
    if by_flow_alone and not arrays.instance.standing:
        return _by_ways(arrays, found, asked) if arrays.columns <= EVALUATORS_MAX else {}
    asked = _first(asked)
    if not arrays.instance.standing:
        told = mixed.losses(arrays, found, asked) if len(new) <= RESOLVED_MAX else {}
        return {Question(*one): Cost(loss) for one, loss in told.items()}
    pairs = int(arrays.open.sum())
    if len(asked) * pairs > PAIRS_MAX or (not by_flow_alone and pairs > mixed.ALL_PAIRS_MAX):
        return {}
    again = _flow_again if by_flow_alone else mixed.again
    return {one: _against(found, again(arrays, found, *one)) for one in asked}


@dataclass(frozen=True, slots=True)
class Loss:
    """What the total loses without a pair: at least and at most, which are one number wherever the search was exact.

    ``moved`` more seats that stood would have to move; with none of the three no assignment without the pair exists.
    """

    least: int | None = None
    most: int | None = None
    moved: int = 0


def loss_without(instance: Instance, found: Matched, pair: Pair) -> Loss:
    """What the total loses without one pair that a run gave, solved again without it: at any size, however long that takes."""
    arrays = Arrays(instance)
    i, j = arrays.row[pair[0]], arrays.column[pair[1]]
    if found.solver == "flow":
        told = _flow_again(arrays, found, i, j, None)
        again = None if told is None else (told[0], told[1], told[1])
    else:
        again = mixed.without(arrays, found, i, j)
    if again is None:
        return Loss()
    kept, total, bound = again
    return Loss(found.total - bound, found.total - total, found.kept - kept)


def _first(asked: Sequence[Question]) -> list[Question]:
    """Of each pair the question without anybody and that about the best other one."""
    found: dict[tuple[int, int, bool], Question] = {}
    for one in asked:
        found.setdefault((one.i, one.j, one.instead is None), one)
    return list(found.values())


def _against(found: Matched, answer: tuple[int, int] | None) -> Cost:
    """The cost of an answer of (kept, total)."""
    return NONE_LEFT if answer is None else Cost(found.total - answer[1], found.kept - answer[0])


def _flow_again(arrays: Arrays, found: Matched, i: int, j: int, k: int | None) -> tuple[int, int] | None:
    """How many standing pairs can be kept and the best total, without one pair and with another."""
    application, instance = arrays.applications[i].id, arrays.instance
    forced = frozenset() if k is None else frozenset({(application, arrays.evaluators[k].id)})
    without = frozenset({(application, arrays.evaluators[j].id)})
    other = by_flow(
        Arrays(replace(instance, forbidden=instance.forbidden | without, locked=instance.locked | forced)),
        [KEPT, TOTAL],
    )
    return None if other is None else (other.kept, other.total)


def _by_ways(arrays: Arrays, found: Matched, asked: Sequence[Question]) -> dict[Question, Cost]:
    np = arrays.np
    ways = _ways(arrays, found)
    taken = np.zeros_like(arrays.open)
    taken[arrays.places(found.pairs)] = True
    told = {}
    for one in asked:
        i, j, k = one
        # Whoever takes the seat has one too many, who leaves one too few: the shortest way between them evens it out.
        free = np.nonzero(arrays.open[i] & ~taken[i])[0] if k is None else np.array([k])
        least = int((ways[free, j] - arrays.utility[i, free]).min()) if len(free) else UNREACHED
        told[one] = NONE_LEFT if least >= UNREACHED // 2 else Cost(least + int(arrays.utility[i, j]))
    return told


def _ways(arrays: Arrays, found: Matched) -> Any:
    """The least loss by which one seat too many of an evaluator becomes one too many of another: shortest residual ways.

    Taking a pair away and filling its seat again changes the best flow along exactly one such way.
    """
    np = arrays.np
    pool = arrays.columns
    ways = np.full((pool + 1, pool + 1), UNREACHED, dtype=np.int64)
    taken = np.zeros_like(arrays.open)
    taken[arrays.places(found.pairs)] = True
    loads = taken.sum(axis=0)
    taken &= arrays.open
    for i in range(arrays.rows):
        held, free = np.nonzero(taken[i])[0], np.nonzero(arrays.open[i] & ~taken[i])[0]
        if len(held) and len(free):
            loss = arrays.utility[i, held].astype(np.int64)[:, None] - arrays.utility[i, free].astype(np.int64)[None, :]
            place = np.ix_(held, free)
            ways[place] = np.minimum(ways[place], loss)
    ways[:pool, pool][loads < arrays.most] = 0
    ways[pool, :pool][loads > np.maximum(arrays.least, arrays.fixed_by)] = 0
    np.fill_diagonal(ways, 0)
    for k in range(pool + 1):
        np.minimum(ways, ways[:, k : k + 1] + ways[k : k + 1, :], out=ways)
    return ways
