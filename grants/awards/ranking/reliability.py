"""How far evaluators agree: Krippendorff's alpha, who is connected with whom, and when a model has nothing to say. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from enum import StrEnum

from grants.awards.ranking.variance import Sheet

# Severity is told only of whoever scored so many applications, and learnt only where people score so many on average.
# Of fewer applications no order is advised on.
APPLICATIONS_MIN = 3
SHEETS_MIN = 3


class Metric(StrEnum):
    """How far apart two scores are: different or not, by how many others lie between, by their distance."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    INTERVAL = "interval"


def alpha(units: Iterable[Sequence[float]], metric: Metric = Metric.INTERVAL) -> float | None:
    """Krippendorff's alpha over units with two scores or more; None where all scores are alike or nothing pairs.

    1 is full agreement, 0 what chance alone would give.

    >>> alpha([(1, 1), (2, 2), (3, 3)])
    1.0
    """
    paired = [tuple(unit) for unit in units if len(unit) > 1]
    held = Counter(value for unit in paired for value in unit)
    whole = sum(held.values())
    values = sorted(held)
    if len(values) < 2:
        return None
    apart = _distance(metric, values, held)
    seen = 0.0
    for unit in paired:
        counted = Counter(unit)
        pairs = sum(
            counted[one] * counted[other] * apart(one, other) for one in counted for other in counted if one != other
        )
        seen += pairs / (len(unit) - 1)
    expected = sum(held[one] * held[other] * apart(one, other) for one in values for other in values if one != other)
    return 1.0 - (whole - 1) * seen / expected


def _distance(metric: Metric, values: Sequence[float], held: Counter[float]) -> Callable[[float, float], float]:
    match metric:
        case Metric.NOMINAL:
            return lambda one, other: float(one != other)
        case Metric.INTERVAL:
            return lambda one, other: (one - other) ** 2
        case Metric.ORDINAL:
            upto, running = {}, 0.0
            for value in values:
                # The middle of each value in the order of all scores.
                upto[value] = running + held[value] / 2
                running += held[value]
            return lambda one, other: (upto[one] - upto[other]) ** 2


def components(sheets: Sequence[Sheet]) -> tuple[tuple[str, ...], ...]:
    """The applications that hang together through shared evaluators, the largest group first."""
    above: dict[str, str] = {}

    def root(key: str) -> str:
        while above.setdefault(key, key) != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    for one in sheets:
        first, second = sorted((root(f"a{one.application}"), root(f"e{one.evaluator}")))
        above[second] = first
    groups: dict[str, set[str]] = defaultdict(set)
    for one in sheets:
        groups[root(f"a{one.application}")].add(one.application)
    return tuple(sorted((tuple(sorted(group)) for group in groups.values()), key=lambda group: (-len(group), group)))


NAMED_MAX = 3


def _named(applications: Sequence[str]) -> str:
    """References of a few, and how many more."""
    shown = ", ".join(applications[:NAMED_MAX])
    more = len(applications) - NAMED_MAX
    return f"{shown} and {more} more" if more > 0 else shown


def why_not(
    sheets: Sequence[Sheet], incomplete: Sequence[str], each: int, *, applications_min: int = APPLICATIONS_MIN
) -> str:
    """Why nothing can be said at all, as a sentence; empty where the model may be asked.

    ``incomplete`` are the applications with fewer than ``each`` submitted sheets; of fewer than ``applications_min`` no order
    is advised on.
    """
    if incomplete:
        count = len(incomplete)
        has = "application has" if count == 1 else "applications have"
        return (
            f"{count} {has} fewer than {each} submitted score sheets: {_named(incomplete)}. An order of a part would "
            "mislead; ask again when all sheets are in."
        )
    if len({one.application for one in sheets}) < applications_min:
        return f"Fewer than {applications_min} applications have score sheets. There is no order to advise on."
    if len({one.score for one in sheets}) == 1:
        return "All scores are the same. Nothing tells the applications apart."
    by_application: dict[str, set[float]] = defaultdict(set)
    for one in sheets:
        by_application[one.application].add(one.score)
    if all(len(scores) == 1 for scores in by_application.values()):
        return (
            "The evaluators of each application gave it exactly the same score. Chance cannot be told from such scores; "
            "the official order is all there is."
        )
    return ""


def why_shrunken(sheets: Sequence[Sheet]) -> str:
    """Why severity cannot be told from quality, as a sentence; empty where the model may learn it."""
    people = len({one.evaluator for one in sheets})
    mean = len(sheets) / people
    if mean < SHEETS_MIN:
        return (
            f"The evaluators scored {mean:.1f} applications each on average; with fewer than {SHEETS_MIN} a severe evaluator "
            "cannot be told from weak applications."
        )
    groups = components(sheets)
    if len(groups) > 1:
        parts = "; ".join(_named(group) for group in groups[:NAMED_MAX])
        return (
            f"The applications fall into {len(groups)} groups that share no evaluator ({parts}). Between the groups a severe "
            "panel cannot be told from weak applications."
        )
    return ""
