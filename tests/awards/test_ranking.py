"""The official ranked list: exact, within the budget, the same in any order, every tie explained."""

from __future__ import annotations

import cProfile
import random
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from uuid import UUID, uuid5

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.awards.queries.lists import shown_rows
from grants.awards.queries.ranked import hash_of
from grants.awards.ranking import Bar, RankedList, RankingRules, Scored, below_threshold, rank, score_words
from grants.awards.rules import ROWS_ON_A_PAGE, part, points
from grants.awards.states import LineRule, Outcome
from grants.core.money import ZERO, Money, euros, total

SPACE = UUID("00000000-0000-0000-0000-00000000abce")
BARS = (
    Bar("excellence", "Excellence", threshold_half=6),
    Bar("impact", "Impact", Fraction(3, 2), threshold_half=6),
    Bar("quality", "Implementation", threshold_half=6),
)
HUNDRED = euros(100)
HORIZON = RankingRules(BARS, 20, ("excellence", "impact"))


def one(number: int, halves: tuple[int, int, int], requested: Money = HUNDRED) -> Scored:
    keys = ("excellence", "impact", "quality")
    return Scored(
        uuid5(SPACE, str(number)), f"PCP-2027-A-{number:04d}", f"Pilot {number}",
        dict(zip(keys, halves, strict=True)), requested,
    )  # fmt: skip


@st.composite
def lists(draw: st.DrawFn) -> tuple[list[Scored], RankingRules, Money]:
    size = draw(st.integers(0, 12))
    half = st.integers(4, 10)
    # Half of the amounts are equal, so that the line often falls exactly on a cent.
    amount = st.one_of(st.just(euros(100)), st.integers(0, 30_000).map(Money))
    scored = [one(number, draw(st.tuples(half, half, half)), draw(amount)) for number in range(size)]
    rules = RankingRules(
        BARS, draw(st.sampled_from((None, 20))), draw(st.sampled_from(((), ("impact",), ("excellence", "impact")))),
        draw(st.sampled_from(LineRule)), draw(st.sampled_from((None, 0, 2))),
    )  # fmt: skip
    return scored, rules, Money(draw(st.integers(0, 120_000)))


@settings(max_examples=150, deadline=None)
@given(lists())
def test_the_selected_never_exceed_the_budget(case: tuple[list[Scored], RankingRules, Money]) -> None:
    scored, rules, budget = case

    found = rank(scored, rules, budget)

    assert total(row.requested for row in found.selected) == found.used
    assert found.used <= budget
    assert sorted(row.reference for row in found.rows) == sorted(item.reference for item in scored)


@settings(max_examples=100, deadline=None)
@given(lists(), st.randoms(use_true_random=False))
def test_the_order_of_the_input_changes_nothing(
    case: tuple[list[Scored], RankingRules, Money], chance: random.Random
) -> None:
    scored, rules, budget = case

    assert rank(chance.sample(scored, len(scored)), rules, budget) == rank(scored, rules, budget)


@settings(max_examples=100, deadline=None)
@given(lists())
def test_nobody_is_selected_before_a_better_one_unless_the_line_may_skip(
    case: tuple[list[Scored], RankingRules, Money],
) -> None:
    scored, rules, budget = case

    found = rank(scored, rules, budget)

    ranks = [row.rank for row in found.rows if row.rank is not None]
    assert ranks == sorted(ranks)
    outcomes = [row.outcome is Outcome.SELECTED for row in found.rows if row.rank is not None]
    if rules.line is LineRule.STOP:
        assert outcomes == sorted(outcomes, reverse=True)
    for row in found.rows:
        assert (row.outcome is Outcome.BELOW_THRESHOLD) == (below_threshold(row.halves, rules) != "")
        # Whoever is tied meets the same fate.
        assert {other.outcome for other in found.rows if other.application_id in row.tied_with} <= {row.outcome}


def test_thresholds_are_tested_before_weights() -> None:
    high_sum = one(1, (10, 10, 4))
    weighted_only = one(2, (6, 7, 6))

    found = rank([high_sum, weighted_only], HORIZON, euros(1000))

    assert found.selected == ()
    assert [row.threshold_words for row in found.rows] == [
        "Below the threshold: Implementation has 2 and needs 3.",
        "Below the threshold: the total is 9.5 and must be 10.",
    ]


def test_weights_order_the_list() -> None:
    impact = one(1, (7, 9, 7))
    excellence = one(2, (9, 7, 7))

    found = rank([excellence, impact], HORIZON, euros(1000))

    assert [(row.title, row.rank, row.score) for row in found.rows] == [
        ("Pilot 1", 1, Fraction(55, 4)),
        ("Pilot 2", 2, Fraction(53, 4)),
    ]


def test_a_tie_is_decided_by_the_declared_order_and_said_in_words() -> None:
    # 4.5 + 1.5 x 3 + 3.5 and 3 + 1.5 x 4 + 3.5 are both 12.5.
    first, second = one(1, (9, 6, 7)), one(2, (6, 8, 7))

    found = rank([second, first], HORIZON, euros(1000))

    sentence = "“Pilot 1” and “Pilot 2” both have 12.5; “Pilot 1” stands first with 4.5 against 3 for Excellence."
    assert [(row.title, row.rank, row.tie_sentences) for row in found.rows] == [
        ("Pilot 1", 1, (sentence,)),
        ("Pilot 2", 2, (sentence,)),
    ]


def test_each_tie_is_told_once_whatever_a_title_is_made_of() -> None:
    titles = ("Roofs. “Green”", "Streets. “Cool”", "Courts. ")
    scored = [replace(one(number, (8, 8, 8)), title=title) for number, title in enumerate(titles, 1)]

    found = rank(scored, HORIZON, euros(1000))

    why = "both have 14 and share their rank: Excellence, then Impact are equal too."
    told = tuple(f"“{first}” and “{second}” {why}" for first, second in pairwise(titles))
    assert [row.tie_sentences for row in found.rows] == [told[:1], told, told[1:]]
    assert part(shown_rows(found, {}, {}, {}), 1).ties == told


def test_a_tie_nothing_decides_shares_its_rank_and_falls_together() -> None:
    better, left, right = one(1, (9, 9, 9)), one(2, (8, 8, 8)), one(3, (8, 8, 8))

    found = rank([left, right, better], HORIZON, euros(250))

    assert [(row.rank, row.outcome, row.straddles) for row in found.rows] == [
        (1, Outcome.SELECTED, False),
        (2, Outcome.RESERVE, True),
        (2, Outcome.RESERVE, True),
    ]
    assert found.undecided_ties == ((left.application_id, right.application_id),)
    assert found.line_words == (
        "Budget line: 1 selected, EUR 150.00 left of EUR 250.00. "
        "2 applications share rank 2; together they ask for EUR 50.00 more than is left."
    )


def calls_for(count: int) -> int:
    """How many calls a list takes on which all are tied, with its hash and its rows as they are shown."""
    scored = [one(number, (8, 8, 8)) for number in range(count)]
    profile = cProfile.Profile()
    with profile:
        found = rank(scored, HORIZON, euros(1000))
        hash_of(found)
        shown = part(shown_rows(found, {}, {}, {}), 1).rows
        assert len([row.score_words for row in shown]) == ROWS_ON_A_PAGE
    return sum(each.callcount for each in profile.getstats())


def test_a_list_takes_no_more_for_each_row_the_longer_its_ties_are() -> None:
    few, many = calls_for(200), calls_for(800)

    assert many < 4.1 * few
    # A page shows a hundred of a thousand: what only those need is made for those.
    assert many / 800 < 105


def test_the_panel_may_decide_such_a_tie() -> None:
    better, left, right = one(1, (9, 9, 9)), one(2, (8, 8, 8)), one(3, (8, 8, 8))

    found = rank([left, right, better], HORIZON, euros(250), (right.application_id, left.application_id))

    assert [(row.title, row.rank, row.outcome) for row in found.rows] == [
        ("Pilot 1", 1, Outcome.SELECTED),
        ("Pilot 3", 2, Outcome.SELECTED),
        ("Pilot 2", 3, Outcome.RESERVE),
    ]
    assert found.rows[1].tie_sentences == (
        "“Pilot 3” and “Pilot 2” both have 14 and are equal by every declared rule; the order recorded for ties puts “Pilot 3” first.",
    )
    assert found.undecided_ties == ()


def listed(budget: Money, line: LineRule) -> RankedList:
    asked = (euros(100), euros(100), euros(50))
    scored = [one(number, (10 - number, 9, 9), amount) for number, amount in enumerate(asked, 1)]
    return rank(scored, RankingRules(BARS, 20, ("excellence",), line), budget)


def test_the_line_falls_at_the_exact_cent() -> None:
    enough = listed(euros(200), LineRule.STOP)
    one_cent_short = listed(euros(200) - Money(1), LineRule.STOP)

    assert [row.outcome for row in enough.rows] == [Outcome.SELECTED, Outcome.SELECTED, Outcome.RESERVE]
    assert enough.left == ZERO
    assert [row.outcome for row in one_cent_short.rows] == [Outcome.SELECTED, Outcome.RESERVE, Outcome.RESERVE]
    assert [(row.title, row.missing) for row in one_cent_short.straddling] == [("Pilot 2", Money(1))]


def test_skipping_funds_what_still_fits() -> None:
    found = listed(euros(150), LineRule.SKIP)

    assert [row.outcome for row in found.rows] == [Outcome.SELECTED, Outcome.RESERVE, Outcome.SELECTED]
    assert [row.title for row in found.straddling] == ["Pilot 2"]
    assert found.left == ZERO
    assert found.line_words == (
        "Budget line: 1 selected above it, 1 below it with EUR 50.00, EUR 0.00 left of EUR 150.00. Above the line rank "
        "selects; below it whatever still fits is funded. Rank 2, “Pilot 2”, asks for EUR 50.00 more than the ranks above leave."
    )


def test_the_reserve_list_has_a_length() -> None:
    scored = [one(number, (10 - number, 9, 9)) for number in range(1, 5)]

    found = rank(scored, RankingRules(BARS, 20, ("excellence",), reserve_max=2), euros(100))

    assert [row.outcome for row in found.rows] == [
        Outcome.SELECTED,
        Outcome.RESERVE,
        Outcome.RESERVE,
        Outcome.NOT_FUNDED,
    ]


def test_a_missing_score_is_never_zero() -> None:
    missing = Scored(uuid5(SPACE, "9"), "PCP-2027-A-0009", "Pilot 9", {"excellence": 8, "impact": 8}, euros(1))

    with pytest.raises(ValueError, match="PCP-2027-A-0009 has no official score for Implementation"):
        rank([missing], HORIZON, euros(1))


@pytest.mark.parametrize(
    ("score", "words"), [(Fraction(9), "9"), (Fraction(55, 4), "13.75"), (Fraction(10, 3), "about 3.333")]
)
def test_scores_are_written_exactly_or_said_to_be_rounded(score: Fraction, words: str) -> None:
    assert score_words(score) == words
    assert points(9) == "4.5"
