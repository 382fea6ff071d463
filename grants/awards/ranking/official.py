"""The official ranked list from consensus scores: thresholds, weights, ties in the declared order, the budget line.

Pure and exact: scores are whole half points, weights are fractions, money is cents. No float.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby, pairwise
from math import lcm
from uuid import UUID

from grants.awards.rules import points
from grants.awards.states import LineRule, Outcome
from grants.core.money import ZERO, Money, total


@dataclass(frozen=True, slots=True)
class Bar:
    """One award criterion as the ranking needs it; the threshold is on the score before any weight."""

    key: str
    name: str
    weight: Fraction = Fraction(1)
    threshold_half: int | None = None


@dataclass(frozen=True, slots=True)
class RankingRules:
    """How a call ranks. ``tie_order`` names criteria, first the one that decides first.

    ``reserve_max`` is the length of the reserve list; None puts every application below the line on it.
    """

    bars: tuple[Bar, ...]
    total_threshold_half: int | None = None
    tie_order: tuple[str, ...] = ()
    line: LineRule = LineRule.STOP
    reserve_max: int | None = None

    def __post_init__(self) -> None:
        keys = [bar.key for bar in self.bars]
        if not keys or len(set(keys)) != len(keys):
            raise ValueError("a call has one or more criteria, each with its own key")
        if not set(self.tie_order) <= set(keys) or len(set(self.tie_order)) != len(self.tie_order):
            raise ValueError("the order for ties names criteria of the call, each once")
        if any(bar.weight <= 0 for bar in self.bars):
            raise ValueError("a weight is above zero")


@dataclass(frozen=True, slots=True)
class Scored:
    """One application with its consensus scores in half points, by criterion key."""

    application_id: UUID
    reference: str
    title: str
    halves: Mapping[str, int]
    requested: Money


@dataclass(frozen=True, slots=True)
class Ranked:
    """One row of the ranked list.

    ``rank`` is None below a threshold. Applications that stay tied share a rank. ``running_total`` adds up what
    is asked for down to this row. ``missing`` is how much too little was left for the straddling row.
    """

    application_id: UUID
    reference: str
    title: str
    halves: Mapping[str, int]
    rank: int | None
    score: Fraction
    unweighted_half: int
    requested: Money
    outcome: Outcome
    running_total: Money
    straddles: bool = False
    missing: Money = ZERO
    tied_with: tuple[UUID, ...] = ()
    tie_words: str = ""
    threshold_words: str = ""
    # Which rule kept the row out or brought it in; what is recommended where that is not what was asked for.
    rule_words: str = ""
    recommended: Money | None = None
    conditions: str = ""

    @property
    def amount(self) -> Money:
        """What it gets if it is selected."""
        return self.requested if self.recommended is None else self.recommended


@dataclass(frozen=True, slots=True)
class RankedList:
    """The whole list: ranked rows first, best first, then those below a threshold by reference."""

    rows: tuple[Ranked, ...]
    budget: Money
    used: Money
    undecided_ties: tuple[tuple[UUID, ...], ...] = ()
    # Which minima no choice can reach, and what they would have to be.
    relaxed: tuple[str, ...] = ()

    @property
    def left(self) -> Money:
        """What stays free at the line."""
        return self.budget - self.used

    @property
    def selected(self) -> tuple[Ranked, ...]:
        """The rows that get money."""
        return tuple(row for row in self.rows if row.outcome is Outcome.SELECTED)

    @property
    def straddling(self) -> tuple[Ranked, ...]:
        """The first row or tied rows that ask for more than is left; empty when everything fits."""
        return tuple(row for row in self.rows if row.straddles)

    @property
    def line_words(self) -> str:
        """The budget line in one sentence."""
        count = len(self.selected)
        sentence = f"Budget line: {count} selected, {self.left} left of {self.budget}."
        if not self.straddling:
            return sentence + " Nobody above the thresholds is left out."
        first = self.straddling[0]
        if len(self.straddling) == 1:
            return sentence + f" Rank {first.rank}, “{first.title}”, asks for {first.missing} more than is left."
        return sentence + (
            f" {len(self.straddling)} applications share rank {first.rank}; together they ask for {first.missing} more than is left."
        )


def rank(scored: Iterable[Scored], rules: RankingRules, budget: Money, panel_order: Sequence[UUID] = ()) -> RankedList:
    """The official list. The order of the input changes nothing, and the selected never exceed ``budget``.

    ``panel_order`` is the panel's recorded order for applications the declared rules leave tied. A tie that
    nothing decides is never broken by chance or alphabet: the tied share a rank, and where they do not all
    fit under the line together, none of them is selected.
    """
    if budget < ZERO:
        raise ValueError("a budget is zero or more")
    everyone = sorted(scored, key=lambda one: (one.reference, one.application_id))
    for one in everyone:
        _check_scores(one, rules)
    failing = {one.application_id: below_threshold(one.halves, rules) for one in everyone}
    passing = [one for one in everyone if not failing[one.application_id]]
    order = {application_id: number for number, application_id in enumerate(panel_order)}
    key = _key(rules, order)
    groups = [tuple(group) for _, group in groupby(sorted(passing, key=key), key=key)]
    rows, used = _draw_line(groups, rules, budget)
    words = _tie_words(groups, rules, order)
    ranked = [_with_words(row, words.get(row.application_id, "")) for row in rows]
    below = [_below(one, rules, failing[one.application_id]) for one in everyone if failing[one.application_id]]
    assert total(row.requested for row in ranked if row.outcome is Outcome.SELECTED) == used <= budget
    ties = tuple(tuple(one.application_id for one in group) for group in groups if len(group) > 1)
    return RankedList((*ranked, *below), budget, used, ties)


def score_of(halves: Mapping[str, int], rules: RankingRules) -> Fraction:
    """The weighted score in points.

    >>> score_of({"a": 9, "b": 6}, RankingRules((Bar("a", "A"), Bar("b", "B", Fraction(3, 2)))))
    Fraction(9, 1)
    """
    # Whole numbers over one denominator: a list of a thousand asks for this several times a row.
    under = lcm(*(bar.weight.denominator for bar in rules.bars))
    weighted = sum(halves[bar.key] * bar.weight.numerator * (under // bar.weight.denominator) for bar in rules.bars)
    return Fraction(weighted, 2 * under)


def below_threshold(halves: Mapping[str, int], rules: RankingRules) -> str:
    """Which thresholds are missed, as a sentence; empty when none is. Weights play no part in this test.

    5 + 5 + 2 misses a threshold of 3 for each criterion although the sum of 12 is above 10.
    """
    missed = [
        f"{bar.name} has {points(halves[bar.key])} and needs {points(bar.threshold_half)}"
        for bar in rules.bars
        if bar.threshold_half is not None and halves[bar.key] < bar.threshold_half
    ]
    whole = sum(halves[bar.key] for bar in rules.bars)
    if rules.total_threshold_half is not None and whole < rules.total_threshold_half:
        missed.append(f"the total is {points(whole)} and must be {points(rules.total_threshold_half)}")
    return f"Below the threshold: {'; '.join(missed)}." if missed else ""


def score_words(score: Fraction) -> str:
    """A weighted score exactly, or to three decimals where it has no end (a weight of one third)."""
    if score.denominator == 1:
        return str(score.numerator)
    whole = (score.numerator * 2000 + score.denominator) // (score.denominator * 2)
    text = f"{whole // 1000}.{whole % 1000:03d}".rstrip("0")
    return text if Fraction(text) == score else f"about {text}"


def _check_scores(one: Scored, rules: RankingRules) -> None:
    for bar in rules.bars:
        if bar.key not in one.halves or not isinstance(one.halves[bar.key], int) or one.halves[bar.key] < 0:
            raise ValueError(f"{one.reference} has no consensus score for {bar.name}")
    if one.requested < ZERO:
        raise ValueError(f"{one.reference} asks for less than nothing")


def _key(rules: RankingRules, panel: Mapping[UUID, int]) -> Callable[[Scored], tuple[object, ...]]:
    last = len(panel)
    return lambda one: (
        -score_of(one.halves, rules),
        *(-one.halves[key] for key in rules.tie_order),
        panel.get(one.application_id, last),
    )


def _draw_line(groups: Sequence[tuple[Scored, ...]], rules: RankingRules, budget: Money) -> tuple[list[Ranked], Money]:
    rows: list[Ranked] = []
    used, running = ZERO, ZERO
    open_line, straddled, reserved = True, False, 0
    for group in groups:
        number = len(rows) + 1
        asked = total(one.requested for one in group)
        fits = open_line and used + asked <= budget
        first_too_big = not fits and not straddled
        missing = used + asked - budget if first_too_big else ZERO
        if fits:
            used = used + asked
            outcome = Outcome.SELECTED
        else:
            straddled = True
            open_line = rules.line is LineRule.SKIP
            # A tied group goes on the reserve list whole or not at all.
            on_reserve = rules.reserve_max is None or reserved + len(group) <= rules.reserve_max
            reserved = reserved + len(group) if on_reserve else (rules.reserve_max or 0)
            outcome = Outcome.RESERVE if on_reserve else Outcome.NOT_FUNDED
        for one in group:
            running = running + one.requested
            rows.append(
                Ranked(
                    one.application_id,
                    one.reference,
                    one.title,
                    dict(one.halves),
                    number,
                    score_of(one.halves, rules),
                    sum(one.halves[bar.key] for bar in rules.bars),
                    one.requested,
                    outcome,
                    running,
                    straddles=first_too_big,
                    missing=missing,
                    tied_with=tuple(other.application_id for other in group if other is not one),
                )
            )
    return rows, used


def _below(one: Scored, rules: RankingRules, words: str) -> Ranked:
    return Ranked(
        one.application_id, one.reference, one.title, dict(one.halves), None, score_of(one.halves, rules),
        sum(one.halves[bar.key] for bar in rules.bars), one.requested, Outcome.BELOW_THRESHOLD, ZERO, threshold_words=words,
    )  # fmt: skip


def _with_words(row: Ranked, words: str) -> Ranked:
    return replace(row, tie_words=words)


def _tie_words(groups: Sequence[tuple[Scored, ...]], rules: RankingRules, panel: Mapping[UUID, int]) -> dict[UUID, str]:
    """For each application that shares its score with another: how that tie was decided, or that it is not."""
    names = {bar.key: bar.name for bar in rules.bars}
    words: dict[UUID, str] = {}
    by_score = [
        [one for group in same for one in group]
        for _, same in groupby(groups, key=lambda group: score_of(group[0].halves, rules))
    ]
    for level in by_score:
        for upper, lower in pairwise(level):
            sentence = _decided_by(upper, lower, rules, names, panel)
            for one in (upper, lower):
                words[one.application_id] = (
                    f"{words[one.application_id]} {sentence}" if one.application_id in words else sentence
                )
    return words


def _decided_by(
    upper: Scored, lower: Scored, rules: RankingRules, names: Mapping[str, str], panel: Mapping[UUID, int]
) -> str:
    both = f"“{upper.title}” and “{lower.title}” both have {score_words(score_of(upper.halves, rules))}"
    for key in rules.tie_order:
        if upper.halves[key] != lower.halves[key]:
            return (
                f"{both}; “{upper.title}” stands first with {points(upper.halves[key])} against "
                f"{points(lower.halves[key])} for {names[key]}."
            )
    last = len(panel)
    if panel.get(upper.application_id, last) != panel.get(lower.application_id, last):
        return f"{both} and are equal by every declared rule; the panel put “{upper.title}” first."
    if not rules.tie_order:
        return f"{both} and share their rank: the call declares no order for ties."
    order = ", then ".join(names[key] for key in rules.tie_order)
    return f"{both} and share their rank: {order} {'is' if len(rules.tie_order) == 1 else 'are'} equal too."
