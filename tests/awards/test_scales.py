"""The ranked list in any scale: means, weights, what the panel moved, and the properties every list has."""

from __future__ import annotations

import random
from dataclasses import replace
from fractions import Fraction
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.awards.ranking import Bar, RankingRules, Scored, below_threshold, rank, score_max, score_of
from grants.awards.states import LineRule, Outcome
from grants.calls.rules import Half
from grants.core.money import Money, euros, total

SPACE = UUID("00000000-0000-0000-0000-00000000abd0")
MARKS = (0, 6, 14, 20)
UTTER = RankingRules(
    tuple(
        Bar(key, key.capitalize(), Fraction(weight), marks=MARKS)
        for key, weight in zip(
            ("fit", "technical", "spread", "budget", "team", "ethics"), (2, 2, 3, 1, 1, 1), strict=True
        )
    ),
    tie_order=("fit", "technical"),
    means=True,
    total_on_score=True,
    shift_max_half=60,
)
HORIZON = RankingRules(
    tuple(
        Bar(key, key.capitalize(), weight, 6, tuple(range(11)))
        for key, weight in (("excellence", Fraction(1)), ("impact", Fraction(3, 2)), ("quality", Fraction(1)))
    ),
    20,
    ("impact", "excellence"),
)


def one(number: int, rules: RankingRules, *halves: Half, shift: int = 0, requested: Money | None = None) -> Scored:
    keys = [bar.key for bar in rules.bars]
    return Scored(
        uuid5(SPACE, str(number)), f"R-{number:04d}", f"Pilot {number}", dict(zip(keys, halves, strict=True)),
        requested or euros(100), shift,
    )  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Scored], RankingRules, Money]:
    """Lists of means of two or three marks each, with moves of the panel, thresholds of both kinds, and a budget."""
    rules = replace(
        UTTER,
        total_threshold_half=draw(st.sampled_from((None, 80, 120))),
        total_on_score=draw(st.booleans()),
        line=draw(st.sampled_from(LineRule)),
        tie_order=draw(st.sampled_from(((), ("fit",), ("technical", "fit")))),
        bars=tuple(replace(bar, threshold_half=draw(st.sampled_from((None, 6)))) for bar in UTTER.bars),
    )
    mean = st.lists(st.sampled_from(MARKS), min_size=2, max_size=3).map(lambda given: Fraction(sum(given), len(given)))
    found = [
        one(
            number, rules, *(draw(mean) for _ in rules.bars), shift=draw(st.integers(-60, 60)),
            requested=Money(draw(st.integers(0, 30_000))),
        )
        for number in range(draw(st.integers(0, 8)))
    ]  # fmt: skip
    return found, rules, Money(draw(st.integers(0, 90_000)))


@settings(max_examples=80, deadline=None)
@given(cases(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing_and_the_selected_stay_within_the_budget(
    case: tuple[list[Scored], RankingRules, Money], chance: random.Random
) -> None:
    scored, rules, budget = case

    found = rank(scored, rules, budget)

    assert rank(chance.sample(scored, len(scored)), rules, budget) == found
    assert total(row.requested for row in found.selected) == found.used <= budget
    assert [row.score for row in found.rows if row.rank] == sorted(
        (row.score for row in found.rows if row.rank), reverse=True
    )
    for row in found.rows:
        assert row.score == score_of(row.halves, rules, row.shift_half)


@settings(max_examples=80, deadline=None)
@given(cases(), st.data())
def test_raising_one_mark_never_lowers_a_rank(
    case: tuple[list[Scored], RankingRules, Money], data: st.DataObject
) -> None:
    scored, rules, budget = case
    if not scored:
        return
    chosen = data.draw(st.sampled_from(scored))
    key = data.draw(st.sampled_from([bar.key for bar in rules.bars]))
    higher = data.draw(st.sampled_from([mark for mark in MARKS if mark >= chosen.halves[key]]))
    raised = replace(chosen, halves={**chosen.halves, key: higher})

    before, after = (
        {row.application_id: row.rank for row in rank(each, rules, budget).rows}[chosen.application_id]
        for each in (scored, [raised if each is chosen else each for each in scored])
    )

    # Without a rank it was below a threshold: whatever comes is no lower.
    assert before is None or (after is not None and after <= before)


def test_the_highest_score_is_100_and_130_with_the_panel() -> None:
    found = rank([one(1, UTTER, *[20] * 6, shift=60)], UTTER, euros(100))

    assert score_max(UTTER) == (100, 130)
    assert found.rows[0].score == 130


@pytest.mark.parametrize("half", [8, 21, 1, -6])
def test_an_unknown_mark_is_refused(half: int) -> None:
    marks = replace(UTTER, means=False)

    with pytest.raises(ValueError, match="R-0001 has"):
        rank([one(1, marks, half, *[20] * 5)], marks, euros(100))


def test_a_mean_lies_within_the_scale() -> None:
    assert rank([one(1, UTTER, Fraction(40, 3), *[20] * 5)], UTTER, euros(100)).rows[0].score == Fraction(280, 3)
    with pytest.raises(ValueError, match="which is no mark of its scale"):
        rank([one(1, UTTER, Fraction(61, 3), *[20] * 5)], UTTER, euros(100))


@pytest.mark.parametrize("shift", [61, -61, 1_000])
def test_a_move_beyond_the_bound_is_refused(shift: int) -> None:
    with pytest.raises(ValueError, match="moved further than its call allows"):
        rank([one(1, UTTER, *[20] * 6, shift=shift)], UTTER, euros(100))


def test_thresholds_stand_beside_weights() -> None:
    # 5 + 5 + 2 fails although 12 is above 10, whatever the weights are.
    for weight in (Fraction(1), Fraction(3, 2), Fraction(9)):
        bars = tuple(replace(bar, weight=weight if bar.key == "impact" else bar.weight) for bar in HORIZON.bars)
        rules = replace(HORIZON, bars=bars)
        words = {
            halves: below_threshold(one(1, rules, *halves).halves, rules)
            for halves in ((10, 10, 4), (6, 7, 6), (6, 8, 6))
        }
        assert words == {
            (10, 10, 4): "Below the threshold: Quality has 2 and needs 3.",
            (6, 7, 6): "Below the threshold: the total is 9.5 and must be 10.",
            (6, 8, 6): "",
        }


def test_a_threshold_on_the_score_counts_weights_and_the_panel() -> None:
    rules = replace(UTTER, total_threshold_half=120)
    bare, moved = one(1, rules, *[Fraction(23, 2)] * 6), one(2, rules, *[Fraction(23, 2)] * 6, shift=5)

    found = rank([bare, moved], rules, euros(1000))

    assert [(row.title, row.outcome, row.threshold_words) for row in found.rows] == [
        ("Pilot 2", Outcome.SELECTED, ""),
        ("Pilot 1", Outcome.BELOW_THRESHOLD, "Below the threshold: the score is 57.5 and must be 60."),
    ]


def test_a_tie_of_means_is_decided_by_the_declared_order_and_said_in_words() -> None:
    first = one(1, UTTER, 20, 14, 14, 14, 14, 14)
    second = one(2, UTTER, 14, 14, 14, Fraction(52, 3), Fraction(52, 3), Fraction(52, 3), shift=2)

    found = rank([second, first], UTTER, euros(150))

    sentence = "“Pilot 1” and “Pilot 2” both have 76; “Pilot 1” stands first with 10 against 7 for Fit."
    assert [(row.rank, row.tie_sentences) for row in found.rows] == [(1, (sentence,)), (2, (sentence,))]
    assert found.line_words.startswith("Budget line: 1 selected, EUR 50.00 left of EUR 150.00. Rank 2, “Pilot 2”")
