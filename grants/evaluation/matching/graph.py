"""How the seats of a call hang together: whether severity of evaluators can be told apart from worth of applications.

Two evaluators who share an application can be compared, and so can whoever is linked to them by others in between.
Between two parts without a link nothing can: marks of one say nothing about how strict the other is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable

from grants.evaluation.rules import TO_COMPARE, SeatGraph


def seat_graph(pairs: Iterable[tuple[Hashable, Hashable]]) -> SeatGraph:
    """The graph of these (application, evaluator); the same for any order, and a pair counts once.

    >>> told = seat_graph([("A", "eva"), ("A", "ulf"), ("B", "ulf"), ("C", "ida")])
    >>> told.parts, told.fewest, told.most, told.few, told.effective
    ((2, 1), 1, 2, 3, 1)
    """
    wanted = set(pairs)
    above: dict[tuple[str, Hashable], tuple[str, Hashable]] = {}

    def head(node: tuple[str, Hashable]) -> tuple[str, Hashable]:
        above.setdefault(node, node)
        while above[node] != node:
            # Halving the way keeps long chains short.
            above[node] = above[above[node]]
            node = above[node]
        return node

    for application, evaluator in wanted:
        above[head(("application", application))] = head(("evaluator", evaluator))
    loads = Counter(evaluator for _, evaluator in wanted)
    parts = Counter(head(("application", one)) for one in {application for application, _ in wanted})
    return SeatGraph(
        len(wanted),
        len(loads),
        tuple(sorted(parts.values(), reverse=True)),
        min(loads.values(), default=0),
        max(loads.values(), default=0),
        sum(count < TO_COMPARE for count in loads.values()),
    )
