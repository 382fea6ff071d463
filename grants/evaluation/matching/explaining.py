"""Why a pair: its rank, who fits better and why not them, and what the total loses without it; all by numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from grants.evaluation.matching import mixed
from grants.evaluation.matching.arrays import Arrays
from grants.evaluation.matching.values import Instance, Matched, Pair

# Shortest ways between all evaluators cost the cube of their number; beyond this nothing is said about the loss.
EVALUATORS_MAX = 600
# With rules on groups each pair is solved again; beyond so many new seats that would take too long.
RESOLVED_MAX = 400
UNREACHED = 1 << 40


@dataclass(frozen=True, slots=True)
class Better:
    """Somebody who fits better and is not seated: forbidden, full, or worth more elsewhere."""

    evaluator: Any
    utility: int
    why: str


@dataclass(frozen=True, slots=True)
class Explained:
    """The numbers behind one pair. ``loss`` is None where it was not worked out, -1 where no other assignment exists."""

    utility: int
    rank: int
    allowed: int
    better: tuple[Better, ...]
    loss: int | None


def explain(instance: Instance, found: Matched) -> dict[Pair, Explained]:
    """Every pair that the run itself gave: of locked pairs there is nothing to explain."""
    arrays = Arrays(instance)
    np = arrays.np
    new = [pair for pair in found.pairs if pair not in instance.locked]
    losses = _losses(arrays, found, new)
    taken = np.zeros_like(arrays.open)
    if found.pairs:
        taken[arrays.places(found.pairs)] = True
    loads = taken.sum(axis=0)
    told = {}
    for application, evaluator in new:
        i, j = arrays.row[application], arrays.column[evaluator]
        worth = int(arrays.utility[i, j])
        above = arrays.utility[i] > worth
        better = []
        for k in sorted(np.nonzero(above & ~taken[i])[0].tolist(), key=lambda k: (-int(arrays.utility[i, k]), k)):
            why = "forbidden" if not arrays.allowed[i, k] else "full" if loads[k] >= arrays.most[k] else "elsewhere"
            better.append(Better(arrays.evaluators[k].id, int(arrays.utility[i, k]), why))
        rank = 1 + int((above & arrays.allowed[i]).sum())
        told[application, evaluator] = Explained(
            worth, rank, int(arrays.allowed[i].sum()), tuple(better[:10]), losses.get((application, evaluator))
        )
    return told


def _losses(arrays: Arrays, found: Matched, new: list[Pair]) -> dict[Pair, int]:
    if arrays.instance.standing or not new:
        return {}
    if found.solver != "flow":
        return mixed.losses(arrays, found, new) if len(new) <= RESOLVED_MAX else {}
    if arrays.columns > EVALUATORS_MAX:
        return {}
    np = arrays.np
    ways = _ways(arrays, found)
    losses: dict[Pair, int] = {}
    taken = np.zeros_like(arrays.open)
    taken[arrays.places(found.pairs)] = True
    for pair in new:
        i, j = arrays.row[pair[0]], arrays.column[pair[1]]
        free = np.nonzero(arrays.open[i] & ~taken[i])[0]
        least = int((ways[free, j] - arrays.utility[i, free]).min()) if len(free) else UNREACHED
        losses[pair] = -1 if least >= UNREACHED // 2 else least + int(arrays.utility[i, j])
    return losses


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
