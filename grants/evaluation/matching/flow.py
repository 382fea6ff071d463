"""Integer min-cost flow, one aim after the other, each proved by prices over all pairs; OR-tools is imported inside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from grants.core.errors import Refused
from grants.evaluation.matching.arrays import Arrays

# Above this number of open pairs a network starts with the best pairs only; pricing adds what was left out.
DENSE_PAIRS_MAX = 50_000
BEST_PER_APPLICATION = 30
BEST_PER_EVALUATOR = 90
BLOCK_PAIRS = 2_000_000

CostOf = Callable[[Any, Any], Any]


@dataclass(slots=True)
class Face:
    """The assignments still in question: pairs open, pairs fixed (with those locked), loads that may follow.

    ``beyond`` is twice by how much the pairs fixed exceed what each evaluator is to be brought near to, also below 0.
    """

    open: Any
    need: Any
    least: Any
    most: Any
    beyond: Any
    rows: Any
    columns: Any


@dataclass(slots=True)
class Step:
    """What one aim answers: the pairs that carry flow, the prices, how often pairs were added, the value of the cost."""

    rows: Any
    columns: Any
    row_price: Any
    column_price: Any
    pool_price: int
    rounds: int
    cost: int


def whole(arrays: Arrays) -> Face:
    """Every assignment that keeps the locked pairs."""
    np = arrays.np
    none = np.zeros(0, dtype=np.int64)
    return Face(arrays.open, arrays.need, arrays.must, arrays.room, 2 * arrays.fixed_by - arrays.twice_aim, none, none)


def solve(
    arrays: Arrays, face: Face, cost_of: CostOf, *, steps: int = 0, known: tuple[Any, Any] | None = None
) -> Step | None:
    """The least cost on a face; None when no assignment exists.

    Solve on a part of the pairs, price all others with the potentials, add what could help, repeat. ``steps`` is
    what one unit of unevenness of the loads costs; ``known`` pairs are feasible and always part of the network.
    """
    np = arrays.np
    chosen = _first_pairs(arrays, face, cost_of, known)
    rounds = 0
    while True:
        rounds += 1
        rows, columns = np.nonzero(chosen)
        cost = cost_of(rows, columns)
        flow = _flow(arrays, face, rows, columns, cost, steps)
        if flow is None and chosen is not face.open:
            chosen = face.open
            continue
        if flow is None:
            return None
        row_price, column_price, pool_price = _prices(arrays, face, rows, columns, cost, flow, steps)
        if chosen is face.open:
            break
        added = _add_underpriced(arrays, face, cost_of, row_price, column_price, chosen)
        if not added:
            break
    used, by = rows[flow], columns[flow]
    load = np.bincount(by, minlength=arrays.columns)
    value = int(cost[flow].sum()) + steps * int((face.beyond * load + load * load).sum())
    return Step(used, by, row_price, column_price, pool_price, rounds, value)


def narrow(arrays: Arrays, face: Face, step: Step, cost_of: CostOf, *, steps: int = 0) -> Face:
    """Of a face exactly those assignments that cost as little as the step found (complementary slackness)."""
    np = arrays.np
    tight = np.zeros_like(face.open)
    fixed_rows, fixed_columns = [face.rows], [face.columns]
    for rows, columns, reduced in priced(arrays, face, cost_of, step.row_price, step.column_price):
        equal, fixed = reduced == 0, reduced < 0
        tight[rows[equal], columns[equal]] = True
        fixed_rows.append(rows[fixed])
        fixed_columns.append(columns[fixed])
    taken_at = np.bincount(np.concatenate(fixed_rows[1:]), minlength=arrays.rows).astype(np.int64)
    taken_by = np.bincount(np.concatenate(fixed_columns[1:]), minlength=arrays.columns).astype(np.int64)
    low, high = load_range(np, face, step.column_price, step.pool_price, steps)
    return Face(
        tight, face.need - taken_at, np.maximum(low - taken_by, 0), high - taken_by, face.beyond + 2 * taken_by,
        np.concatenate(fixed_rows), np.concatenate(fixed_columns),
    )  # fmt: skip


def load_range(np: Any, face: Face, column_price: Any, pool_price: int, steps: int) -> tuple[Any, Any]:
    """The loads that cost least at these prices: each further seat costs ``steps`` * (2 * (load - aim) + 1) more."""
    margin = column_price - pool_price
    if not steps:
        return np.where(margin < 0, face.most, face.least), np.where(margin > 0, face.least, face.most)
    # The k-th seat above those fixed costs steps * (beyond + 2 * k - 1): below zero it is taken, at zero either way.
    limit = -margin
    below = -((-limit) // steps) - 1  # the largest whole number strictly below limit / steps
    up_to = limit // steps
    low = (below + 1 - face.beyond) // 2
    high = (up_to + 1 - face.beyond) // 2
    return np.clip(low, face.least, face.most), np.clip(high, face.least, face.most)


def priced(arrays: Arrays, face: Face, cost_of: CostOf, row_price: Any, column_price: Any) -> Any:
    """All open pairs with their reduced cost, in blocks of rows so that memory stays small."""
    np = arrays.np
    block = max(1, BLOCK_PAIRS // max(1, arrays.columns))
    for first in range(0, arrays.rows, block):
        rows, columns = np.nonzero(face.open[first : first + block])
        rows += first
        yield rows, columns, cost_of(rows, columns) + row_price[rows] - column_price[columns]


def _add_underpriced(
    arrays: Arrays, face: Face, cost_of: CostOf, row_price: Any, column_price: Any, chosen: Any
) -> int:
    """Add to the network what could still improve the assignment; how many pairs that were."""
    added = 0
    for rows, columns, reduced in priced(arrays, face, cost_of, row_price, column_price):
        better = reduced < 0
        rows, columns = rows[better], columns[better]
        new = ~chosen[rows, columns]
        chosen[rows[new], columns[new]] = True
        added += int(new.sum())
    return added


def _first_pairs(arrays: Arrays, face: Face, cost_of: CostOf, known: tuple[Any, Any] | None) -> Any:
    """All open pairs, or of a very large instance the best of each row and column."""
    np = arrays.np
    if face.open.sum() <= DENSE_PAIRS_MAX:
        return face.open
    chosen = np.zeros_like(face.open)
    per_row, per_column = min(arrays.columns, BEST_PER_APPLICATION), min(arrays.rows, BEST_PER_EVALUATOR)
    worth = np.where(face.open, arrays.utility, np.int16(-1))
    block = max(1, BLOCK_PAIRS // max(1, arrays.columns))
    for first in range(0, arrays.rows, block):
        best = np.argpartition(-worth[first : first + block], per_row - 1, axis=1)[:, :per_row]
        np.put_along_axis(chosen[first : first + block], best, True, axis=1)
    block = max(1, BLOCK_PAIRS // max(1, arrays.rows))
    for first in range(0, arrays.columns, block):
        best = np.argpartition(-worth[:, first : first + block], per_column - 1, axis=0)[:per_column]
        np.put_along_axis(chosen[:, first : first + block], best, True, axis=0)
    chosen &= face.open
    if known is not None:
        chosen[known] |= face.open[known]
    return chosen


def _flow(arrays: Arrays, face: Face, rows: Any, columns: Any, cost: Any, steps: int) -> Any:
    """Which pairs carry flow, as a mask; None when the network cannot carry it all."""
    from ortools.graph.python import min_cost_flow

    np = arrays.np
    pool, seats = arrays.rows + arrays.columns, int(face.need.sum())
    spare = face.most - face.least
    # The solver has been known to crash on unbalanced supply: sums are made equal here and checked before it runs.
    if int(face.least.sum()) > seats or (spare < 0).any() or (face.need < 0).any():
        return None
    solver = min_cost_flow.SimpleMinCostFlow()
    arcs = solver.add_arcs_with_capacity_and_unit_cost(
        rows.astype(np.int32), (columns + arrays.rows).astype(np.int32), np.ones(len(rows), dtype=np.int64), cost
    )
    # Nobody can have more than there are applications; without that, steps could be many.
    spare = np.minimum(spare, arrays.rows)
    owner = np.repeat(np.arange(arrays.columns), spare) if steps else np.arange(arrays.columns)
    nth = np.arange(len(owner)) - np.repeat(np.cumsum(spare) - spare, spare) if steps else np.zeros(len(owner))
    unit = steps * ((face.beyond + 2 * face.least)[owner] + 2 * nth.astype(np.int64) + 1)
    solver.add_arcs_with_capacity_and_unit_cost(
        (owner + arrays.rows).astype(np.int32), np.full(len(owner), pool, dtype=np.int32),
        np.ones(len(owner), dtype=np.int64) if steps else spare, unit,
    )  # fmt: skip
    supply = np.concatenate([face.need, -face.least, [int(face.least.sum()) - seats]])
    assert int(supply.sum()) == 0, "supply and demand must balance"
    solver.set_nodes_supplies(np.arange(pool + 1, dtype=np.int32), supply)
    status = solver.solve()
    if status == solver.INFEASIBLE:
        return None
    if status == solver.BAD_COST_RANGE:
        raise Refused("The numbers of this run are too large to be solved exactly. Split the call into panels.")
    assert status == solver.OPTIMAL, f"the solver answered {status}"
    return solver.flows(arcs).astype(bool)


def _prices(
    arrays: Arrays, face: Face, rows: Any, columns: Any, cost: Any, flow: Any, steps: int
) -> tuple[Any, Any, int]:
    """Potentials of the nodes: shortest distances in the residual network, which has no negative circle.

    Bellman-Ford over arrays: every residual arc ends with a reduced cost of zero or more.
    """
    np = arrays.np
    order = np.lexsort((rows, columns))
    free = order[~flow[order]]
    free_columns, starts = np.unique(columns[free], return_index=True)
    free_rows, free_cost = rows[free], cost[free]
    used_rows, used_columns, used_cost = rows[flow], columns[flow], cost[flow]
    load = np.bincount(used_columns, minlength=arrays.columns)
    to_pool, from_pool = load < face.most, load > face.least
    give = steps * (face.beyond + 2 * load + 1)
    take = steps * (face.beyond + 2 * load - 1)
    row_price = np.zeros(arrays.rows, dtype=np.int64)
    column_price = np.zeros(arrays.columns, dtype=np.int64)
    pool_price = 0
    for _ in range(2 * (arrays.rows + arrays.columns) + 2):
        before = (row_price.copy(), column_price.copy(), pool_price)
        if len(free):
            reach = np.minimum.reduceat(row_price[free_rows] + free_cost, starts)
            column_price[free_columns] = np.minimum(column_price[free_columns], reach)
        if to_pool.any():
            pool_price = min(pool_price, int((column_price + give)[to_pool].min()))
        column_price[from_pool] = np.minimum(column_price[from_pool], (pool_price - take)[from_pool])
        np.minimum.at(row_price, used_rows, column_price[used_columns] - used_cost)
        if pool_price == before[2] and (row_price == before[0]).all() and (column_price == before[1]).all():
            return row_price, column_price, pool_price
    raise AssertionError("an optimal flow leaves no negative circle")
