"""The official ranked list: thresholds, weights, what the panel moved, ties in the declared order, the budget line.

Pure and exact: marks are whole half points or exact means of them, weights are fractions, money is cents. No float.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from itertools import groupby, pairwise
from math import lcm
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

from grants.awards.ranking.ranked import Bar, Ranked, RankedList, RankingRules, Scored
from grants.awards.rules import points
from grants.awards.states import LineRule, Outcome
from grants.calls.rules import NEW_COUNTRY, TIE_WORDS, UNCOVERED_TOPIC, Half, exact_words
from grants.core.money import ZERO, Money, total

# The name later modules know it by.
score_words = exact_words


def rank(
    scored: Iterable[Scored],
    rules: RankingRules,
    budget: Money,
    panel_order: Sequence[UUID] = (),
    drawn: Sequence[UUID] = (),
) -> RankedList:
    """The official list. The order of the input changes nothing, and the selected never exceed ``budget``.

    ``panel_order`` is the order recorded for applications the declared rules leave tied. A tie that
    nothing decides is never broken by chance or alphabet: the tied share a rank, and where they do not all
    fit under the line together, none of them is selected. ``drawn`` were drawn by lot, in drawn order:
    they take the places they have together, and everybody else keeps their own.
    """
    if budget < ZERO:
        raise ValueError("a budget is zero or more")
    everyone = sorted(scored, key=lambda one: (one.reference, one.application_id))
    for one in everyone:
        _check_scores(one, rules)
    order = {application_id: number for number, application_id in enumerate(panel_order)}
    placed = _placed(everyone, rules)
    keyed = [(_key(each, order), each) for each in placed if not each.below]
    told: _Told = {}
    if not TIE_WORDS.keys().isdisjoint(rules.tie_order):
        keyed, told = _by_those_above([each for _, each in keyed], rules, order)
    if drawn:
        keyed = _with_drawn(keyed, drawn)
    keyed.sort(key=itemgetter(0))
    groups = [tuple(each for _, each in group) for _, group in groupby(keyed, key=itemgetter(0))]
    sentences = _tie_sentences(groups, rules, order, frozenset(drawn), told)
    ranked, used = _draw_line(groups, rules, budget, sentences)
    below = [_below(each) for each in placed if each.below]
    assert total(row.requested for row in ranked if row.outcome is Outcome.SELECTED) == used <= budget
    ties = tuple(tuple(each.one.application_id for each in group) for group in groups if len(group) > 1)
    return RankedList((*ranked, *below), budget, used, ties)


class _Placed(NamedTuple):
    """An application with all that is reckoned of its scores, once: a list of a thousand asks for it several times a row.

    ``whole`` is the score as a whole number over the denominator of the list, by which it is ordered fast; ``score`` the
    same in points, ``bare`` the sum of the marks before any weight, in half points; ``ties`` the scores that decide a tie,
    whole too, the best first; ``below`` which thresholds it misses.
    """

    one: Scored
    whole: int
    score: Fraction
    bare: Half
    ties: tuple[int, ...]
    below: str


_Group = tuple[_Placed, ...]
_Keyed = tuple[tuple[Any, ...], _Placed]


def _placed(everyone: Sequence[Scored], rules: RankingRules) -> list[_Placed]:
    parts = lcm(1, *(half.denominator for one in everyone for half in one.halves.values()))
    weighing = lcm(*(bar.weight.denominator for bar in rules.bars))
    under = weighing * parts
    weights = [(bar.key, bar.weight.numerator * (weighing // bar.weight.denominator)) for bar in rules.bars]
    # Rules that look at those ranked higher have no score of their own.
    looks_above = {key: 0 for key in rules.tie_order if key in TIE_WORDS}
    made: dict[int, Fraction] = {}
    found = []
    for one in everyone:
        wholes = {bar.key: (half := one.halves[bar.key]).numerator * (parts // half.denominator) for bar in rules.bars}
        whole = sum(wholes[key] * weight for key, weight in weights) + one.shift_half * under
        bare = sum(wholes.values())
        if looks_above:
            wholes |= looks_above
        ties = tuple([-wholes[key] for key in rules.tie_order])
        score = made.get(whole)
        if score is None:
            score = made[whole] = Fraction(whole, 2 * under)
        sum_half = bare if parts == 1 else _whole(Fraction(bare, parts))
        found.append(_Placed(one, whole, score, sum_half, ties, _below_words(one.halves, rules, score, sum_half)))
    return found


# Of two neighbours that share their score: which rule put the first before the second, and what of the first it went by.
_Told = dict[tuple[UUID, UUID], tuple[str, str]]


def _by_those_above(
    placed: Sequence[_Placed], rules: RankingRules, panel: Mapping[UUID, int]
) -> tuple[list[_Keyed], _Told]:
    """The order where a rule for ties looks at those ranked higher: of each score one place is given after the other.

    Each rule in turn keeps those it prefers among those left; who is kept by all takes the next place, several together if
    the panel puts none first, and counts from then on among those ranked higher.
    """
    topics, countries = set[str](), set[str]()
    keyed: list[_Keyed] = []
    told: _Told = {}
    for whole, level in groupby(sorted(placed, key=lambda each: -each.whole), key=lambda each: each.whole):
        left, step = list(level), 0
        while left:
            kept, dropped = left, dict[UUID, str]()
            for number, name in enumerate(rules.tie_order):
                values = {each.one.application_id: _worth(each, name, number, topics, countries) for each in kept}
                best = min(values.values())
                dropped |= {key: name for key, value in values.items() if value != best}
                kept = [each for each in kept if values[each.one.application_id] == best]
            first = min(panel.get(each.one.application_id, len(panel)) for each in kept)
            kept = [each for each in kept if panel.get(each.one.application_id, len(panel)) == first]
            for each in kept:
                keyed.append(((-whole, step), each))
                new = {UNCOVERED_TOPIC: ", ".join(sorted(each.one.topics - topics)), NEW_COUNTRY: each.one.country}
                for key, name in dropped.items():
                    told[each.one.application_id, key] = name, new.get(name, "")
            topics |= {topic for each in kept for topic in each.one.topics}
            countries |= {each.one.country for each in kept}
            taken = {each.one.application_id for each in kept}
            left, step = [each for each in left if each.one.application_id not in taken], step + 1
    return keyed, told


def _worth(placed: _Placed, name: str, number: int, topics: set[str], countries: set[str]) -> int:
    """How one rule for ties sees an application; the lowest is preferred."""
    if name == UNCOVERED_TOPIC:
        return 0 if placed.one.topics - topics else 1
    if name == NEW_COUNTRY:
        return 0 if placed.one.country and placed.one.country not in countries else 1
    return placed.ties[number]


def _with_drawn(keyed: Sequence[_Keyed], drawn: Sequence[UUID]) -> list[_Keyed]:
    """Those that were drawn take the places they have together, in drawn order. Nobody else is tied with one of them."""
    keys = {each.one.application_id: key for key, each in keyed}
    places = sorted(keys[application_id] for application_id in drawn)
    keys |= {
        application_id: (*key, place) for place, (application_id, key) in enumerate(zip(drawn, places, strict=True))
    }
    return [(keys[each.one.application_id], each) for _, each in keyed]


def _whole(half: Half) -> Half:
    return half.numerator if half.denominator == 1 else half


def score_of(halves: Mapping[str, Half], rules: RankingRules, shift_half: int = 0) -> Fraction:
    """The weighted score in points, with what the panel moved it by.

    >>> score_of({"a": 9, "b": 6}, RankingRules((Bar("a", "A"), Bar("b", "B", Fraction(3, 2)))))
    Fraction(9, 1)
    """
    return (sum((halves[bar.key] * bar.weight for bar in rules.bars), Fraction(0)) + shift_half) / 2


def score_max(rules: RankingRules) -> tuple[Fraction, Fraction]:
    """The highest weighted score in points, without and with the furthest move of the panel.

    >>> bars = (Bar("a", "A", Fraction(7), marks=(0, 6, 14, 20)), Bar("b", "B", Fraction(3), marks=(0, 6, 14, 20)))
    >>> score_max(RankingRules(bars, shift_max_half=60))
    (Fraction(100, 1), Fraction(130, 1))
    """
    best = {bar.key: max(bar.marks, default=0) for bar in rules.bars}
    return score_of(best, rules), score_of(best, rules, rules.shift_max_half)


def below_threshold(halves: Mapping[str, Half], rules: RankingRules, shift_half: int = 0) -> str:
    """Which thresholds are missed, as a sentence; empty when none is. Weights play no part in the test of a criterion,
    and none in that of the total unless the call tests the score.

    5 + 5 + 2 misses a threshold of 3 for each criterion although the sum of 12 is above 10.
    """
    bare = _whole(sum(halves[bar.key] for bar in rules.bars))
    return _below_words(halves, rules, score_of(halves, rules, shift_half), bare)


def _below_words(halves: Mapping[str, Half], rules: RankingRules, score: Fraction, bare: Half) -> str:
    missed = [
        f"{bar.name} has {points(halves[bar.key])} and needs {points(bar.threshold_half)}"
        for bar in rules.bars
        if bar.threshold_half is not None and _is_less(halves[bar.key], bar.threshold_half)
    ]
    least = rules.total_threshold_half
    if least is not None and rules.total_on_score:
        if _is_less(score, Fraction(least, 2)):
            missed.append(f"the score is {exact_words(score)} and must be {points(least)}")
    elif least is not None and _is_less(bare, least):
        missed.append(f"the total is {points(bare)} and must be {points(least)}")
    return f"Below the threshold: {'; '.join(missed)}." if missed else ""


def _is_less(half: Half, than: Half) -> bool:
    """The order of exact numbers by whole ones: that of fractions takes ten times as long."""
    return half.numerator * than.denominator < than.numerator * half.denominator


def _check_scores(one: Scored, rules: RankingRules) -> None:
    for bar in rules.bars:
        half = one.halves.get(bar.key)
        if not isinstance(half, int | Fraction) or half.numerator < 0:
            raise ValueError(f"{one.reference} has no official score for {bar.name}")
        if not _is_a_score(half, bar, rules):
            raise ValueError(f"{one.reference} has {points(half)} for {bar.name}, which is no mark of its scale")
    if abs(one.shift_half) > rules.shift_max_half:
        raise ValueError(f"the score of {one.reference} is moved further than its call allows")
    if one.requested < ZERO:
        raise ValueError(f"{one.reference} asks for less than nothing")


def _is_a_score(half: Half, bar: Bar, rules: RankingRules) -> bool:
    """Whether a score can come about: a mark of the scale, or a mean of such."""
    if not bar.marks:
        return rules.means or isinstance(half, int)
    if rules.means:
        return not _is_less(half, bar.marks[0]) and not _is_less(bar.marks[-1], half)
    return half in bar.marks


def _key(placed: _Placed, panel: Mapping[UUID, int]) -> tuple[Any, ...]:
    last = panel.get(placed.one.application_id, len(panel)) if panel else 0
    return (-placed.whole, *placed.ties, last)


def _draw_line(
    groups: Sequence[_Group], rules: RankingRules, budget: Money, sentences: Mapping[UUID, tuple[str, ...]]
) -> tuple[list[Ranked], Money]:
    rows: list[Ranked] = []
    used, running = ZERO, ZERO
    open_line, straddled, reserved = True, False, 0
    for group in groups:
        number = len(rows) + 1
        asked = total(each.one.requested for each in group)
        tied = tuple(each.one.application_id for each in group) if len(group) > 1 else ()
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
        for one, _, score, bare, _, _ in group:
            running = running + one.requested
            rows.append(
                Ranked(
                    one.application_id,
                    one.reference,
                    one.title,
                    dict(one.halves),
                    number,
                    score,
                    bare,
                    one.requested,
                    outcome,
                    running,
                    first_too_big,
                    missing,
                    tied,
                    sentences.get(one.application_id, ()),
                    shift_half=one.shift_half,
                )
            )
    return rows, used


def _below(placed: _Placed) -> Ranked:
    one = placed.one
    return Ranked(
        one.application_id, one.reference, one.title, dict(one.halves), None, placed.score, placed.bare,
        one.requested, Outcome.BELOW_THRESHOLD, ZERO, threshold_words=placed.below, shift_half=one.shift_half,
    )  # fmt: skip


def _tie_sentences(
    groups: Sequence[_Group], rules: RankingRules, panel: Mapping[UUID, int], drawn: frozenset[UUID], told: _Told
) -> dict[UUID, tuple[str, ...]]:
    """For each application that shares its score with another: how that tie was decided, or that it is not."""
    names = {bar.key: bar.name for bar in rules.bars} | TIE_WORDS
    found: dict[UUID, tuple[str, ...]] = {}
    for _, same in groupby(groups, key=lambda group: group[0].whole):
        level = [each for group in same for each in group]
        if len(level) == 1:
            continue
        score = exact_words(level[0].score)
        before: tuple[str, ...] = ()
        for first, second in pairwise(level):
            upper, lower = first.one, second.one
            both = f"“{upper.title}” and “{lower.title}” both have {score}"
            if drawn and {upper.application_id, lower.application_id} <= drawn:
                sentence = f"{both}; they were drawn by lot, “{upper.title}” before “{lower.title}”."
            else:
                sentence = f"{both}{_decided_by(first, second, rules, names, panel, told)}"
            found[upper.application_id] = (*before, sentence)
            before = (sentence,)
        found[level[-1].one.application_id] = before
    return found


def _decided_by(
    first: _Placed,
    second: _Placed,
    rules: RankingRules,
    names: Mapping[str, str],
    panel: Mapping[UUID, int],
    told: _Told,
) -> str:
    upper, lower = first.one, second.one
    decided = told.get((upper.application_id, lower.application_id)) if told else None
    if decided is not None and decided[0] == UNCOVERED_TOPIC:
        return (
            f"; “{upper.title}” stands first: it covers what no application ranked higher covers ({decided[1]}), and "
            f"“{lower.title}” covers nothing of that kind."
        )
    if decided is not None and decided[0] == NEW_COUNTRY:
        return (
            f"; “{upper.title}” stands first: no application ranked higher leads from its country ({decided[1]}), and one does "
            f"from that of “{lower.title}”."
            if lower.country
            else f"; “{upper.title}” stands first: no application ranked higher leads from its country ({decided[1]}), and that "
            f"of “{lower.title}” is not known."
        )
    for key, one, other in zip(rules.tie_order, first.ties, second.ties, strict=True):
        if one != other and (decided is None or decided[0] == key):
            return (
                f"; “{upper.title}” stands first with {points(upper.halves[key])} against "
                f"{points(lower.halves[key])} for {names[key]}."
            )
    last = len(panel)
    if panel and panel.get(upper.application_id, last) != panel.get(lower.application_id, last):
        return f" and are equal by every declared rule; the order recorded for ties puts “{upper.title}” first."
    if not rules.tie_order:
        return " and share their rank: the call declares no order for ties."
    order = ", then ".join(names[key] for key in rules.tie_order)
    return f" and share their rank: {order} {'is' if len(rules.tie_order) == 1 else 'are'} equal too."
