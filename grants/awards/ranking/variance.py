"""Crossed random effects, pure: sheets as sums, their likelihood given the spreads, and REML estimates of the spreads.

A score is the mean of all + what is of the application + what is of the evaluator + noise. Effects of applications are
integrated out first, so that the largest matrix has a row for each evaluator. numpy is loaded only where this runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[Any, np.dtype[Any]]

# A score is one of at most so many points, whatever the call's own scale: the spreads are told on it.
SCALE = 5.0


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole of one submitted score sheet: who, about which application, and the score from 0 to 5."""

    application: str
    evaluator: str
    score: float


@dataclass(frozen=True, slots=True)
class Design:
    """Sheets as the sums the model needs; applications and evaluators sorted, so that no order of input matters."""

    applications: tuple[str, ...]
    evaluators: tuple[str, ...]
    scores: Floats
    rows: Floats
    columns: Floats
    # Sheets of each application and each evaluator, and the sums of their scores.
    held: Floats
    given: Floats
    held_sum: Floats
    given_sum: Floats
    # Every ordered pair of evaluators that share an application, with that application.
    pair_place: Floats
    pair_row: Floats

    @property
    def count(self) -> int:
        """How many sheets there are."""
        return len(self.scores)


def design_of(sheets: Iterable[Sheet]) -> Design:
    """Sheets in a canonical order, summed."""
    import numpy as np

    ordered = sorted(sheets, key=lambda one: (one.application, one.evaluator, one.score))
    applications = sorted({one.application for one in ordered})
    evaluators = sorted({one.evaluator for one in ordered})
    row_of = {key: number for number, key in enumerate(applications)}
    column_of = {key: number for number, key in enumerate(evaluators)}
    rows = np.array([row_of[one.application] for one in ordered], dtype=np.int64)
    columns = np.array([column_of[one.evaluator] for one in ordered], dtype=np.int64)
    scores = np.array([one.score for one in ordered], dtype=np.float64)
    held = np.bincount(rows, minlength=len(applications)).astype(np.float64)
    starts = np.concatenate(([0], np.cumsum(held)[:-1])).astype(np.int64)
    # Sheets stand application by application: each is paired with all of its own application.
    size = held[rows].astype(np.int64)
    first = np.repeat(np.arange(len(rows)), size)
    within = np.arange(len(first)) - np.repeat(np.cumsum(size) - size, size)
    second = starts[rows[first]] + within
    return Design(
        tuple(applications),
        tuple(evaluators),
        scores,
        rows,
        columns,
        held,
        np.bincount(columns, minlength=len(evaluators)).astype(np.float64),
        np.bincount(rows, scores, len(applications)),
        np.bincount(columns, scores, len(evaluators)),
        columns[first] * len(evaluators) + columns[second],
        rows[first],
    )


@dataclass(frozen=True, slots=True)
class Likelihood:
    """How likely the scores are at given spreads, and what the effects are worked out from.

    ``own`` is the variance of an application's effect that no evaluator shares. ``factor`` is the Cholesky factor of the
    effects of evaluators and of the mean; its last row is of the scores.
    """

    value: float
    logs: float
    square: float
    own: Floats
    factor: Floats


def likelihood(design: Design, spread: float, severity: float, noise: float, mean: float | None = None) -> Likelihood:
    """The model at these standard deviations; the mean of all is free unless it is given. Zero spreads are allowed."""
    import numpy as np

    m, weight = len(design.evaluators), 1.0 / noise**2
    own = spread**2 / (1.0 + design.held * spread**2 * weight)
    held_sum, given_sum, scores = design.held_sum, design.given_sum, design.scores
    if mean is not None:
        scores = scores - mean
        held_sum, given_sum = held_sum - design.held * mean, given_sum - design.given * mean
    lost = own * weight**2
    size = m + (mean is None)
    # Bordered by the scores: one factorisation gives determinant, means and the sum of squares. Only the lower half is read.
    matrix = np.zeros((size + 1, size + 1))
    shared = np.bincount(design.pair_place, lost[design.pair_row], m * m).reshape(m, m)
    np.multiply(shared, -(severity**2), out=matrix[:m, :m])
    matrix[np.arange(m), np.arange(m)] += 1.0 + severity**2 * design.given * weight
    by_column = np.bincount(design.columns, (lost * held_sum)[design.rows], m)
    matrix[size, :m] = severity * (given_sum * weight - by_column)
    if mean is None:
        beside = np.bincount(design.columns, (lost * design.held)[design.rows], m)
        matrix[m, :m] = severity * (design.given * weight - beside)
        matrix[m, m] = design.count * weight - (lost * design.held**2).sum()
        matrix[size, m] = held_sum.sum() * weight - (lost * design.held * held_sum).sum()
    # A little more than there is, so that scores without any noise still factorise; taken off again.
    whole = (scores @ scores) * weight - (lost * held_sum**2).sum()
    matrix[size, size] = whole * 2 + 1.0
    factor = np.linalg.cholesky(matrix)
    square = max(float(whole - factor[size, :size] @ factor[size, :size]), 1e-300)
    diagonal = np.diag(factor)[:size]
    logs = float(np.log1p(design.held * spread**2 * weight).sum() + 2 * np.log(diagonal).sum())
    value = -0.5 * (logs + 2 * design.count * float(np.log(noise)) + square)
    return Likelihood(value, logs, square, own, factor)


@dataclass(frozen=True, slots=True)
class Components:
    """Variances by restricted maximum likelihood: of applications, of evaluators, of the rest."""

    applications: float
    evaluators: float
    residual: float

    def icc(self, sheets: int = 1) -> float:
        """How much of the variance of a mean over so many sheets is of the applications: absolute agreement."""
        rest = (self.evaluators + self.residual) / sheets
        whole = self.applications + rest
        return self.applications / whole if whole > 0 else 0.0


NEWTON_STEPS_MAX = 60
# A ratio of standard deviations below this is tried at zero, where restricted likelihood often puts it.
NEARLY_ZERO = 1e-3

Point = tuple[float, float]


def reml(sheets: Sequence[Sheet]) -> Components:
    """Variance components by REML, exactly zero where the data put one there.

    The residual variance has a closed form given the two others as ratios of it, so two numbers are searched.
    """
    design, turned = design_of(sheets), False
    if len(design.evaluators) > len(design.applications):
        # The matrix has a row for each of the fewer.
        design, turned = design_of(Sheet(one.evaluator, one.application, one.score) for one in sheets), True
    degrees = design.count - 1

    def profile(at: Point) -> tuple[float, float]:
        found = likelihood(design, abs(at[0]), abs(at[1]), 1.0)
        return found.logs + degrees * math.log(found.square), found.square / degrees

    ratios = _descend(lambda at: profile(at)[0], (1.0, 0.5))
    noise = profile(ratios)[1]
    rows, columns = ratios[0] ** 2 * noise, ratios[1] ** 2 * noise
    return Components(columns, rows, noise) if turned else Components(rows, columns, noise)


def _descend(deviance: Callable[[Point], float], start: Point) -> Point:
    """The lowest point of a smooth function that is even in both numbers: Newton steps, halved until they go down."""
    import numpy as np

    at, value = start, deviance(start)
    for _ in range(NEWTON_STEPS_MAX):
        slope, bend = _derivatives(deviance, at, value)
        values, vectors = np.linalg.eigh(bend)
        # Where the surface bends the wrong way, the step still goes down.
        bent = np.maximum(np.abs(values), 1e-9)
        step = -vectors @ ((vectors.T @ slope) / bent)
        step = step * min(1.0, 1.5 / max(float(np.abs(step).max()), 1e-300))
        moved = at
        for half in range(30):
            tried = (abs(at[0] + step[0] / 2**half), abs(at[1] + step[1] / 2**half))
            worth = deviance(tried)
            if worth <= value:
                moved, value = tried, worth
                break
        for number in (0, 1):
            if 0 < moved[number] < NEARLY_ZERO:
                tried = (0.0, moved[1]) if number == 0 else (moved[0], 0.0)
                worth = deviance(tried)
                if worth <= value + 1e-9:
                    moved, value = tried, worth
        still = max(abs(moved[0] - at[0]) / (at[0] + 1e-3), abs(moved[1] - at[1]) / (at[1] + 1e-3)) < 1e-5
        at = moved
        if still:
            break
    return at


def _derivatives(deviance: Callable[[Point], float], at: Point, value: float) -> tuple[Floats, Floats]:
    import numpy as np

    wide, high = (1e-3 * max(number, 0.05) for number in at)
    right, left = deviance((at[0] + wide, at[1])), deviance((at[0] - wide, at[1]))
    above, below = deviance((at[0], at[1] + high)), deviance((at[0], at[1] - high))
    corner = deviance((at[0] + wide, at[1] + high))
    cross = (corner - right - above + value) / (wide * high)
    slope = np.array([(right - left) / (2 * wide), (above - below) / (2 * high)])
    bend = np.array([[(right - 2 * value + left) / wide**2, cross], [cross, (above - 2 * value + below) / high**2]])
    return slope, bend
