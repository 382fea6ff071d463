"""What is said beside the official list: the whole advice, shrunken means, or nothing, each with its sentence. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from grants.awards.ranking import reliability
from grants.awards.ranking.advice import Advice, Severity, advise
from grants.awards.ranking.quadrature import LEARNED, OTHERS_SPREAD, Prior
from grants.awards.ranking.variance import SCALE, Components, Sheet, reml
from grants.awards.states import AdviceKind

# Counts up whenever the same sheets may give other numbers.
METHOD = 1
# With severity at zero the model only draws means towards the middle.
SHRUNKEN = Prior("shrunken means", severity_fixed=0.0)


@dataclass(frozen=True, slots=True)
class Judged:
    """One run: what was said, why not more, and the numbers, ready to be kept."""

    kind: AdviceKind
    reason: str
    result: dict[str, Any]


def judge(
    sheets: Sequence[Sheet],
    places: int,
    *,
    each: int,
    incomplete: Sequence[str],
    say: Callable[[str], None] = lambda words: None,
) -> Judged:
    """The advice on these sheets. ``incomplete`` names applications with fewer sheets than they need.

    Reliability is always of all sheets, never of a part: among the best few it is near zero whatever evaluators do.
    """
    nothing = reliability.why_not(sheets, incomplete, each)
    if nothing:
        return Judged(AdviceKind.NOTHING, nothing, {})
    say("Estimating how much evaluators agree")
    measured = _reliability(sheets, reml(sheets), each)
    shrunken = reliability.why_shrunken(sheets)
    say("Averaging ranks over everything the scores leave open")
    found = advise(sheets, places, SHRUNKEN, draws=0) if shrunken else advise(sheets, places)
    if shrunken:
        rows = [
            {"id": one.application, "sheets": one.sheets, "mean": one.mean, "effect": one.effect}
            for one in sorted(found.applications, key=lambda one: (-one.effect, one.application))
        ]
        return Judged(AdviceKind.SHRUNKEN, shrunken, {"rows": rows, "people": [], "reliability": measured})
    return Judged(AdviceKind.FULL, "", _whole(found, measured, each))


def settings(places: int, each: int) -> dict[str, Any]:
    """Everything a run was made with, so that it can be made again."""
    return {
        "method": METHOD,
        "model": LEARNED.name,
        "scale": f"{SCALE:g}",
        "severity_prior": f"half-normal {LEARNED.severity:g}",
        "other_priors": f"half-normal {OTHERS_SPREAD:g}",
        "sheets_min": reliability.SHEETS_MIN,
        "each": each,
        "places": places,
    }


def _whole(found: Advice, measured: dict[str, Any], each: int) -> dict[str, Any]:
    rows = []
    for one in found.applications:
        row = asdict(one)
        row["id"] = row.pop("application")
        rows.append(row)
    spreads = asdict(found.spreads)
    low, high = (_of_mean(spreads[name], each) for name in ("reliability_low", "reliability_high"))
    measured |= {"icc_low": spreads["reliability_low"], "icc_high": spreads["reliability_high"]}
    measured |= {"icc_mean_low": low, "icc_mean_high": high}
    return {
        "rows": rows,
        "people": [_person(one) for one in found.evaluators],
        "spreads": spreads,
        "reliability": measured,
    }


def _person(one: Severity) -> dict[str, Any]:
    """Of whoever scored very few nothing is told: the number would be of the applications, not of the person."""
    told = one.sheets >= reliability.SHEETS_MIN
    return {
        "id": one.evaluator, "sheets": one.sheets, "effect": one.effect if told else None,
        "low": one.low if told else None, "high": one.high if told else None,
    }  # fmt: skip


def _reliability(sheets: Sequence[Sheet], found: Components, each: int) -> dict[str, Any]:
    units: dict[str, list[float]] = defaultdict(list)
    for one in sheets:
        units[one.application].append(one.score)
    alpha = reliability.alpha(units.values())
    return {
        "applications": round(found.applications, 9),
        "evaluators": round(found.evaluators, 9),
        "residual": round(found.residual, 9),
        "icc": round(found.icc(), 9),
        "icc_mean": round(found.icc(each), 9),
        "alpha": None if alpha is None else round(alpha, 9),
    }


def _of_mean(single: float, each: int) -> float:
    """The reliability of a mean over several sheets, from that of one (Spearman and Brown).

    >>> _of_mean(0.25, 3)
    0.5
    """
    return round(each * single / (1 + (each - 1) * single), 9)
