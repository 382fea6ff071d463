"""Which spreads are likely: a lattice of standard deviations with their weights, found without any chance.

Likelihood is smooth and even in the spread of applications and of evaluators, so equal steps from zero integrate it to far
below what ranks can show (the trapezoid rule on a smooth, falling function).
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from grants.awards.ranking.variance import Design, likelihood

Spot = tuple[float, float, float]
Place = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Prior:
    """What is held likely before any score is seen, on a scale of five points.

    ``severity`` is the spread of a half-normal prior on the spread among evaluators; ``severity_fixed`` puts that spread itself
    instead. ``uniform_to`` puts the other two spreads evenly between zero and itself; None takes half-normal ones of 2 points.
    ``mean_fixed`` takes the plain mean of all scores for the mean, else it is free.
    """

    name: str
    severity: float = 0.5
    severity_fixed: float | None = None
    uniform_to: float | None = None
    mean_fixed: bool = False


LEARNED = Prior("learned severity")
# Heyard and others, 2022, and the default model of ERforResearch: each evaluator's severity has spread 0.5; the spread of single
# marks about it and the noise, both uniform up to 2, are told apart by nothing and count here as one.
SNSF = Prior("SNSF default", severity_fixed=0.5, uniform_to=2.0, mean_fixed=True)
OTHERS_SPREAD = 2.0


def log_prior(prior: Prior, spread: float, severity: float, noise: float) -> float:
    """The logarithm of the prior at these spreads, without a constant; minus infinity where it forbids them.

    >>> log_prior(SNSF, 2.5, 0.5, 1.0)
    -inf
    """
    if prior.uniform_to is None:
        value = -0.5 * (spread**2 + noise**2) / OTHERS_SPREAD**2
    else:
        most = prior.uniform_to
        if spread > most or noise >= most * math.sqrt(2):
            return -math.inf
        # The density of the root of the sum of two squares, each root uniform.
        arc = math.pi / 2 - (2 * math.acos(most / noise) if noise > most else 0.0)
        value = math.log(noise * arc)
    if prior.severity_fixed is None:
        value -= 0.5 * severity**2 / prior.severity**2
    return value


@dataclass(frozen=True, slots=True)
class Node:
    """One triple of spreads and how much of the whole it stands for."""

    spread: float
    severity: float
    noise: float
    weight: float


# Half a point of step about the best spot lowers the logarithm by half its square: in standard deviations.
STEP_FINE, STEP_WIDE = 1.25, 1.7
DEEP_FINE, DEEP_WIDE = 9.0, 4.5
KEPT_FINE, KEPT_WIDE = 0.9995, 0.97
WIDE_FROM = 300
NODES_MAX = 20_000


def nodes_of(design: Design, prior: Prior, *, finer: float = 1.0) -> tuple[Node, ...]:
    """The lattice of a design under a prior, its weights summing to one; ``finer`` divides every step, for checks."""
    mean = float(design.scores.mean()) if prior.mean_fixed else None
    fixed = prior.severity_fixed

    def worth(spot: Spot) -> float:
        spread, log_noise, severity = abs(spot[0]), spot[1], abs(spot[2])
        if not -9.0 < log_noise < 3.0:
            return -math.inf
        noise = math.exp(log_noise)
        before = log_prior(prior, spread, severity, noise)
        if before == -math.inf:
            return before
        return before + log_noise + likelihood(design, spread, severity, noise, mean).value

    wide = len(design.applications) >= WIDE_FROM and finer == 1.0
    best, top = _climb(worth, (0.7, math.log(0.8), 0.4 if fixed is None else fixed), 2 if fixed is not None else 3)
    step = (STEP_WIDE if wide else STEP_FINE) / finer
    steps = [step * _width(worth, best, top, number) for number in (0, 1)]
    across = _width(worth, best, top, 2) if fixed is None else 1.0
    # A hill cut by the fold at zero is no bell: closer steps.
    steps.append(step * across * (0.6 if best[2] < 3 * across else 1.0))
    found = _flood(worth, best, (steps[0], steps[1], steps[2]), DEEP_WIDE if wide else DEEP_FINE, fixed)
    return _weighted(found, KEPT_WIDE if wide else KEPT_FINE)


def _climb(worth: Callable[[Spot], float], start: Spot, free: int) -> tuple[Spot, float]:
    """Near the top of a smooth hill: steps along each axis by the parabola through three spots, until they are small."""
    at, value = start, worth(start)
    sizes = [0.2, 0.2, 0.2]
    for _ in range(12):
        largest = 0.0
        for number in range(free):
            size = sizes[number]
            above, below = _moved(at, number, size), _moved(at, number, -size)
            up, down = worth(above), worth(below)
            bend = up - 2 * value + down
            shift = 0.5 * size * (down - up) / bend if bend < 0 and math.isfinite(bend) else 0.0
            tried = _moved(at, number, max(-2 * size, min(2 * size, shift)))
            found = max(((value, at), (up, above), (down, below), (worth(tried), tried)), key=lambda one: one[0])
            if found[0] > value:
                value, at = found
            sizes[number] = max(0.02, min(0.4, 2 * abs(shift))) if shift else size / 2
            largest = max(largest, abs(shift))
        if largest < 0.02:
            break
    return (abs(at[0]), at[1], abs(at[2])), value


def _moved(spot: Spot, number: int, by: float) -> Spot:
    moved = list(spot)
    moved[number] += by
    return moved[0], moved[1], moved[2]


def _width(worth: Callable[[Spot], float], best: Spot, top: float, number: int) -> float:
    """How far along an axis the logarithm falls by one half: a standard deviation, whatever the shape."""
    for size in (0.02, 0.05, 0.1, 0.2, 0.4):
        falls = [top - worth(_moved(best, number, by)) for by in (size, -size)]
        fall = sum(one for one in falls if math.isfinite(one)) / max(1, sum(map(math.isfinite, falls)))
        if fall > 0.1:
            return size / math.sqrt(2 * fall)
    return 0.4


def _flood(
    worth: Callable[[Spot], float], best: Spot, steps: Spot, deep: float, fixed: float | None
) -> dict[Place, tuple[Spot, float]]:
    """Every lattice place reached from the best spot that is not ``deep`` below the highest."""

    def spot_of(place: Place) -> Spot:
        severity = fixed if fixed is not None else place[2] * steps[2]
        return place[0] * steps[0], best[1] + place[1] * steps[1], severity

    begin = (round(best[0] / steps[0]), 0, round(best[2] / steps[2]) if fixed is None else 0)
    found = {begin: (spot_of(begin), worth(spot_of(begin)))}
    edge, high = deque([begin]), found[begin][1]
    while edge and len(found) < NODES_MAX:
        place = edge.popleft()
        if found[place][1] < high - deep:
            continue
        for number in (0, 1, 2) if fixed is None else (0, 1):
            for by in (-1, 1):
                near = list(place)
                near[number] += by
                beside = (near[0], near[1], near[2])
                if beside in found or (number != 1 and near[number] < 0):
                    continue
                value = worth(spot_of(beside))
                found[beside] = (spot_of(beside), value)
                high = max(high, value)
                edge.append(beside)
    return found


def _weighted(found: dict[Place, tuple[Spot, float]], kept: float) -> tuple[Node, ...]:
    """The heaviest places that hold ``kept`` of the whole; what lies on the fold at zero counts half."""
    high = max(value for _, value in found.values())
    heavy = []
    for place in sorted(found):
        spot, value = found[place]
        half = 0.5 ** ((spot[0] == 0.0) + (spot[2] == 0.0))
        heavy.append((half * math.exp(value - high), spot))
    heavy.sort(key=lambda one: (-one[0], one[1]))
    whole = math.fsum(weight for weight, _ in heavy)
    taken, held = [], 0.0
    for weight, spot in heavy:
        if held >= kept * whole:
            break
        taken.append((weight, spot))
        held += weight
    return tuple(Node(spot[0], spot[2], math.exp(spot[1]), weight / held) for weight, spot in taken)
