"""Expected ranks: in what order applications stand once chance and severity are allowed for. Advice; it changes nothing.

Scores are noisy and evaluators differ in severity, which a model learns where they share applications. A rank is averaged over
everything the scores leave open. The same sheets give the same numbers, bit for bit, in any order and on any day.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grants.awards.ranking.quadrature import LEARNED, Node, Prior, nodes_of
from grants.awards.ranking.variance import Design, Sheet, design_of, likelihood

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[Any]]
    Whole = np.ndarray[Any, np.dtype[np.int64]]

DRAWS, DRAWS_WIDE, WIDE_FROM = 10_000, 4_000, 300
# Few enough rows that a block of a thousand columns stays in the cache.
BLOCK = 96


@dataclass(frozen=True, slots=True)
class Advised:
    """One application. ``rank`` is expected; ``half`` and ``wide`` are the ranks between which it lies with 50 and 90 %.

    ``fundable`` is how likely it is among the best so many; ``sucra`` is 1 for certainly first and 0 for certainly last;
    ``percentile`` is the expected rank as a share of all in percent.
    """

    application: str
    sheets: int
    mean: float
    rank: float
    half: tuple[int, int]
    wide: tuple[int, int]
    fundable: float
    sucra: float
    percentile: float
    effect: float


@dataclass(frozen=True, slots=True)
class Severity:
    """One evaluator: points more (mild) or fewer (severe) than colleagues would give, with 95 % limits."""

    evaluator: str
    sheets: int
    effect: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Spreads:
    """What the model learnt on average: standard deviations on a scale of five points, and the reliability of one sheet."""

    applications: float
    evaluators: float
    noise: float
    reliability: float
    reliability_low: float
    reliability_high: float
    nodes: int


@dataclass(frozen=True, slots=True)
class Advice:
    """The whole advice, best expected rank first, evaluators from the most severe to the mildest."""

    applications: tuple[Advised, ...]
    evaluators: tuple[Severity, ...]
    spreads: Spreads


def advise(
    sheets: Iterable[Sheet], places: int, prior: Prior = LEARNED, *, draws: int | None = None, finer: float = 1.0
) -> Advice:
    """Expected ranks with what is unsure about them. ``places`` is how many could be funded. With ``draws=0`` no intervals."""
    design = design_of(sheets)
    nodes = nodes_of(design, prior, finer=finer)
    if draws is None:
        draws = DRAWS if len(design.applications) < WIDE_FROM else DRAWS_WIDE
    return _gathered(design, nodes, prior, places, draws)


def expected_ranks(sheets: Iterable[Sheet], prior: Prior = LEARNED, *, finer: float = 1.0) -> dict[str, float]:
    """Only the expected ranks, without draws."""
    found = advise(sheets, 1, prior, draws=0, finer=finer)
    return {one.application: one.rank for one in found.applications}


@dataclass(frozen=True, slots=True)
class _Posterior:
    """The effects of applications and evaluators at one node: means, own variances and what is shared."""

    means: Floats
    own: Floats
    shared: Floats
    severity: Floats
    severity_variance: Floats


def _posterior(design: Design, node: Node, mean: float | None) -> _Posterior:
    import numpy as np

    n, m = len(design.applications), len(design.evaluators)
    found = likelihood(design, node.spread, node.severity, node.noise, mean)
    size = m + (mean is None)
    # The inverse of a triangle, so that nothing below needs a solver.
    inverse = _inverse(found.factor[:size, :size])
    coefficients = inverse.T @ found.factor[size, :size]
    beside = np.zeros((n, size))
    np.add.at(beside, (design.rows, design.columns), node.severity)
    if mean is None:
        beside[:, m] = design.held
    scaled = (found.own / node.noise**2)[:, None] * beside
    sums = design.held_sum - (0.0 if mean is None else design.held * mean)
    means = found.own / node.noise**2 * sums - scaled @ coefficients
    return _Posterior(
        means,
        found.own,
        scaled @ inverse.T,
        node.severity * coefficients[:m],
        node.severity**2 * (inverse[:, :m] ** 2).sum(axis=0),
    )


def _inverse(lower: Floats) -> Floats:
    """The inverse of a lower triangle, by halves: products are much faster than a general inverse."""
    import numpy as np

    size = len(lower)
    if size <= 48:
        return np.linalg.inv(lower)
    cut = size // 2
    found = np.zeros((size, size))
    found[:cut, :cut] = _inverse(lower[:cut, :cut])
    found[cut:, cut:] = _inverse(lower[cut:, cut:])
    found[cut:, :cut] = -(found[cut:, cut:] @ lower[cut:, :cut]) @ found[:cut, :cut]
    return found


def _gathered(design: Design, nodes: Sequence[Node], prior: Prior, places: int, draws: int) -> Advice:
    import numpy as np

    n, m = len(design.applications), len(design.evaluators)
    mean = float(design.scores.mean()) if prior.mean_fixed else None
    table = _normal_table()
    ranks, effects = np.zeros(n), np.zeros(n)
    severity, second = np.zeros(m), np.zeros(m)
    counts = np.zeros((n, n), dtype=np.int64)
    chance = _chance(design)
    for node, taken in zip(nodes, _shares([node.weight for node in nodes], draws), strict=True):
        at = _posterior(design, node, mean)
        ranks += node.weight * _expected(at, table)
        effects += node.weight * at.means
        severity += node.weight * at.severity
        second += node.weight * (at.severity_variance + at.severity**2)
        if taken:
            counts += _ranked_draws(at, taken, chance)
    alike = _alike(design)
    ranks, effects = _levelled(ranks, alike), _levelled(effects, alike)
    counts = np.array([counts[group].sum(axis=0) for group in alike], dtype=np.int64)[_group_of(alike, n)]
    advised = [_advised(design, number, ranks, effects, counts, places) for number in range(n)]
    spread = np.sqrt(np.maximum(second - severity**2, 0.0))
    limits = (severity, severity - 1.96 * spread, severity + 1.96 * spread)
    people = []
    for number, key in enumerate(design.evaluators):
        effect, lowest, highest = _rounded(*(limit[number] for limit in limits))
        people.append(Severity(key, int(design.given[number]), effect, lowest, highest))
    return Advice(
        tuple(sorted(advised, key=lambda one: (one.rank, one.application))),
        tuple(sorted(people, key=lambda one: (one.effect, one.evaluator))),
        _spreads(nodes),
    )


def _expected(at: _Posterior, table: Floats) -> Floats:
    """One and how many are expected to be better, from the chance of each pair; each pair is looked at once."""
    import numpy as np

    n = len(at.means)
    ranks = np.ones(n)
    # Single precision is enough for one pair, and a thousand pairs are added up in double.
    shared, means = at.shared.astype(np.float32), at.means.astype(np.float32)
    whole = (at.own + (at.shared**2).sum(axis=1)).astype(np.float32)
    for start in range(0, n, BLOCK):
        end = min(start + BLOCK, n)
        z = shared[start:end] @ shared[start:].T
        z *= -2.0
        z += whole[start:end, None]
        z += whole[None, start:]
        np.maximum(z, 1e-9, out=z)
        np.sqrt(z, out=z)
        np.divide(means[None, start:] - means[start:end, None], z, out=z)
        better = _below(z, table)
        own = better[:, : end - start]
        own[np.arange(end - start), np.arange(end - start)] = 0.0
        ranks[start:end] += better.sum(axis=1, dtype=np.float64)
        ranks[end:] += (end - start) - better[:, end - start :].sum(axis=0, dtype=np.float64)
    return ranks


FINE, FAR = 512, 6.0


def _normal_table() -> Floats:
    import numpy as np

    half = int(FINE * FAR)
    return np.array(
        [0.5 * math.erfc(-number / FINE / math.sqrt(2)) for number in range(-half, half + 2)], dtype=np.float32
    )


def _below(z: Floats, table: Floats) -> Floats:
    """The normal distribution function, by straight lines between 512 places a unit: right to 2e-7."""
    import numpy as np

    np.clip(z, -FAR, FAR, out=z)
    z += FAR
    z *= FINE
    place = z.astype(np.intp)
    z -= place
    low = table.take(place)
    place += 1
    high = table.take(place)
    high -= low
    high *= z
    high += low
    return high


def _shares(weights: Sequence[float], draws: int) -> list[int]:
    """How many draws each node gets: whole numbers by largest remainder, in all exactly ``draws``.

    >>> _shares([0.5, 0.3, 0.2], 4)
    [2, 1, 1]
    """
    exact = [weight * draws for weight in weights]
    whole = [math.floor(one) for one in exact]
    order = sorted(range(len(exact)), key=lambda number: (whole[number] - exact[number], number))
    for number in order[: draws - sum(whole)]:
        whole[number] += 1
    return whole


def _seed(design: Design) -> int:
    """The chance of the draws comes from the sheets alone, and not from what people or applications are called."""
    held = hashlib.sha256(design.scores.tobytes() + design.rows.tobytes() + design.columns.tobytes())
    return int.from_bytes(held.digest()[:8], "big")


def simulated_orders(sheets: Iterable[Sheet], draws: int, prior: Prior = LEARNED) -> Iterator[tuple[str, ...]]:
    """The applications from best to worst in each of so many exact draws; the same sheets give the same draws."""
    design = design_of(sheets)
    nodes = nodes_of(design, prior)
    mean = float(design.scores.mean()) if prior.mean_fixed else None
    chance = _chance(design)
    for node, taken in zip(nodes, _shares([node.weight for node in nodes], draws), strict=True):
        if taken:
            for order in _drawn(_posterior(design, node, mean), taken, chance).tolist():
                yield tuple(design.applications[number] for number in order)


def _chance(design: Design) -> np.random.Generator:
    import numpy as np

    return np.random.Generator(np.random.PCG64(_seed(design)))


def _drawn(at: _Posterior, draws: int, chance: np.random.Generator) -> Whole:
    """The numbers of the applications from best to worst, a row for each draw."""
    import numpy as np

    values = chance.standard_normal((draws, len(at.means))) * np.sqrt(at.own)
    values += chance.standard_normal((draws, at.shared.shape[1])) @ at.shared.T
    values += at.means
    return np.argsort(-values, axis=1, kind="stable")


def _ranked_draws(at: _Posterior, draws: int, chance: np.random.Generator) -> Whole:
    """How often each application came out at each rank in exact draws."""
    import numpy as np

    n = len(at.means)
    places = _drawn(at, draws, chance) * n + np.arange(n)[None, :]
    return np.bincount(places.ravel(), minlength=n * n).reshape(n, n)


def _alike(design: Design) -> list[list[int]]:
    """Applications the data cannot tell apart: the same evaluators and the same sum of scores."""
    held: dict[tuple[Any, ...], list[int]] = {}
    people: list[list[int]] = [[] for _ in design.applications]
    for row, column in zip(design.rows.tolist(), design.columns.tolist(), strict=True):
        people[row].append(column)
    for number, columns in enumerate(people):
        held.setdefault((tuple(columns), round(float(design.held_sum[number]), 9)), []).append(number)
    return list(held.values())


def _group_of(alike: Sequence[Sequence[int]], n: int) -> Whole:
    import numpy as np

    found = np.zeros(n, dtype=np.int64)
    for number, group in enumerate(alike):
        found[list(group)] = number
    return found


def _levelled(values: Floats, alike: Sequence[Sequence[int]]) -> Floats:
    levelled = values.copy()
    for group in alike:
        levelled[list(group)] = values[list(group)].mean()
    return levelled


def _advised(design: Design, number: int, ranks: Floats, effects: Floats, counts: Whole, places: int) -> Advised:
    n = len(design.applications)
    rank = float(ranks[number])
    reached = counts[number].cumsum()
    whole = int(reached[-1])
    at = [int((reached < share * whole).sum()) + 1 if whole else round(rank) for share in (0.25, 0.75, 0.05, 0.95)]
    fundable = float(reached[min(places, n) - 1]) / whole if whole and places > 0 else 0.0
    rounded = _rounded(
        design.held_sum[number] / design.held[number], rank, fundable, (n - rank) / (n - 1) if n > 1 else 1.0,
        100 * (rank - 0.5) / n, effects[number],
    )  # fmt: skip
    mean, rank, fundable, sucra, percentile, effect = rounded
    return Advised(
        design.applications[number], int(design.held[number]), mean, rank, (at[0], at[1]), (at[2], at[3]),
        fundable, sucra, percentile, effect,
    )  # fmt: skip


def _rounded(*values: Any) -> tuple[float, ...]:
    """Nine decimals: more than anybody reads, fewer than a sum in another order could change. No minus before a zero."""
    return tuple(round(float(value), 9) + 0.0 for value in values)


def _spreads(nodes: Sequence[Node]) -> Spreads:
    """Means over the lattice. The reliability of one sheet keeps its limits by its root, which lies about evenly."""

    def mean(values: Iterable[float]) -> float:
        return math.fsum(node.weight * value for node, value in zip(nodes, values, strict=True))

    roots = [node.spread / math.hypot(node.spread, node.severity, node.noise) for node in nodes]
    middle = mean(roots)
    spread = math.sqrt(max(mean(root**2 for root in roots) - middle**2, 0.0))
    low, high = max(0.0, middle - 1.96 * spread), min(1.0, middle + 1.96 * spread)
    told = _rounded(
        mean(node.spread for node in nodes), mean(node.severity for node in nodes), mean(node.noise for node in nodes),
        mean(root**2 for root in roots), low**2, high**2,
    )  # fmt: skip
    return Spreads(told[0], told[1], told[2], told[3], told[4], told[5], len(nodes))
