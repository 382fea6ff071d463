"""The arithmetic of budgets: rows and columns agree to the cent, the flat rate is rounded once, rules say their remedy."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.budgets import rules
from grants.budgets.rules import (
    BudgetContent,
    BudgetRules,
    Category,
    CategoryLimit,
    Cell,
    Envelope,
    EnvelopeRule,
    Severity,
)
from grants.core.errors import Invalid
from grants.core.money import ZERO, Money, Rounding, euros, total

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
NAMES = {A: "Târgu Ștefănel", B: "Żółtowice", C: "Kővárhely"}
CATEGORIES = (
    Category("personnel", "Personnel"),
    Category("subcontracting", "Subcontracting", in_flat_rate_base=False),
    Category("travel", "Travel"),
    Category("indirect", "Indirect costs", entered=False),
)
RULES = BudgetRules(
    CATEGORIES,
    flat_rate=Fraction(1, 4),
    envelopes=(Envelope("S", euros(500_000)), Envelope("M", euros(1_000_000)), Envelope("L", euros(1_500_000))),
)
amounts = st.integers(min_value=0, max_value=10**13).map(Money)
codes = st.sampled_from(["personnel", "subcontracting", "travel", "indirect", "invented"])
grids = st.lists(st.builds(Cell, st.sampled_from([A, B, C]), codes, amounts), max_size=40)


@given(grids, st.sampled_from([Fraction(1), Fraction(7, 10), Fraction(1, 3)]))
@settings(max_examples=200)
def test_rows_and_columns_agree_to_the_cent(cells: list[Cell], funding_rate: Fraction) -> None:
    worked = rules.totals(BudgetRules(CATEGORIES, Fraction(1, 4), funding_rate), cells, [A, B, C])

    assert total(row.total for row in worked.rows) == total(worked.by_category) == worked.total
    assert worked.direct + worked.indirect == worked.total
    assert worked.requested == total(row.requested for row in worked.rows)
    assert ZERO <= worked.requested <= worked.total


@given(grids)
@settings(max_examples=200)
def test_the_flat_rate_is_worked_out_from_the_base_alone_and_rounded_once(cells: list[Cell]) -> None:
    worked = rules.totals(RULES, cells, [A, B, C])

    for row in worked.rows:
        base = total(
            c.amount
            for c in cells
            if c.organisation_id == row.organisation_id and c.category in ("personnel", "travel")
        )
        assert row.indirect == base.share(Fraction(1, 4), rounding=Rounding.HALF_UP)


@given(grids, amounts)
@settings(max_examples=100)
def test_a_typed_flat_rate_changes_nothing(cells: list[Cell], amount: Money) -> None:
    tampered = [*cells, Cell(A, "indirect", amount), Cell(B, "approved", amount)]

    assert rules.totals(RULES, tampered, [A, B, C]) == rules.totals(RULES, cells, [A, B, C])


@given(grids, st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_order_of_cells_changes_no_total(cells: list[Cell], dice: object) -> None:
    shuffled = list(cells)
    dice.shuffle(shuffled)

    assert rules.totals(RULES, shuffled, [A, B, C]) == rules.totals(RULES, cells, [A, B, C])


def test_half_a_cent_is_rounded_up_once_for_each_organisation() -> None:
    cells = [Cell(A, "personnel", Money(2)), Cell(B, "personnel", Money(2))]

    worked = rules.totals(RULES, cells, [A, B])

    assert [row.indirect.cents for row in worked.rows] == [1, 1]
    assert worked.by_category[3] == Money(2)


def test_ten_times_ten_cents_is_one_euro() -> None:
    plain_rules = BudgetRules((Category("x", "X"),))

    worked = rules.totals(plain_rules, [Cell(A, "x", Money(10))] * 10)

    assert worked.total == Money(100)


def test_subcontracting_stands_outside_the_base() -> None:
    worked = rules.totals(RULES, [Cell(A, "personnel", euros(100)), Cell(A, "subcontracting", euros(1_000))])

    assert worked.indirect == euros(25)
    assert worked.row(A).flat_rate_base == euros(100)


def test_an_organisation_without_amounts_has_a_row_of_zeros() -> None:
    worked = rules.totals(RULES, [], [A, B])

    assert [row.total for row in worked.rows] == [ZERO, ZERO]
    with pytest.raises(KeyError):
        worked.row(C)


@pytest.mark.parametrize(
    ("typed", "cents"),
    [
        ("1.000,50", 100050),
        ("1,000.50", 100050),
        ("1 000,50", 100050),
        ("1\u00a0000,5", 100050),
        ("EUR 1'000.50", 100050),
        ("1.000", 100000),
        ("", 0),
        ("  ", 0),
        ("0", 0),
    ],
)
def test_european_spellings_are_read_alike(typed: str, cents: int) -> None:
    assert rules.read_amount(typed) == Money(cents)


@pytest.mark.parametrize(
    "typed", ["1.0000", "1e6", "NaN", "Infinity", "-0", "-1", "\u22125,00", "１００", "1,2,3", "9" * 20, "=1+1"]
)
def test_what_is_no_amount_is_refused_with_a_sentence(typed: str) -> None:
    with pytest.raises(Invalid):
        rules.read_amount(typed)


def test_the_grid_reads_only_its_own_fields() -> None:
    typed = {
        rules.field_name(A, "personnel"): "1.234,50",
        rules.field_name(A, "travel"): "oops",
        rules.field_name(A, "indirect"): "999999",
        rules.field_name(C, "personnel"): "5",
        "amount_approved": "1",
        "status": "paid",
    }

    reading = rules.read_cells(RULES, [A], typed)

    assert reading.cells == (Cell(A, "personnel", Money(123450)), Cell(A, "subcontracting", ZERO))
    assert list(reading.errors) == [rules.field_name(A, "travel")]
    assert reading.typed[rules.field_name(A, "travel")] == "oops"
    assert reading.reworded == (("1.234,50", "1\u00a0234.50"),)


def test_an_amount_in_our_own_spelling_is_not_echoed() -> None:
    typed = {rules.field_name(A, "personnel"): "1\u00a0234.50", rules.field_name(A, "travel"): "12"}

    assert rules.read_cells(RULES, [A], typed).reworded == ()


def finding(code: str, found: tuple[rules.Finding, ...]) -> rules.Finding:
    (one,) = [each for each in found if each.code == code]
    return one


def test_a_request_above_the_largest_award_says_value_limit_and_remedy() -> None:
    worked = rules.totals(RULES, [Cell(A, "subcontracting", euros(1_600_000))], [A])

    broken = finding("envelope", rules.findings(RULES, worked, NAMES))

    assert broken.severity is Severity.BROKEN
    assert broken.sentence == (
        "The request is EUR 100\u00a0000.00 above the largest award amount. "
        "You ask for EUR 1\u00a0600\u00a0000.00; the largest award amount of this call is EUR 1\u00a0500\u00a0000.00. "
        "Reduce the budget by EUR 100\u00a0000.00."
    )
    assert broken.place == rules.field_name(A, "personnel")


def test_a_request_equal_to_the_largest_award_is_kept() -> None:
    worked = rules.totals(RULES, [Cell(A, "subcontracting", euros(1_500_000))], [A])

    assert rules.problems(RULES, worked, NAMES) == ()
    assert finding("envelope", rules.findings(RULES, worked, NAMES)).title == "Within award amount L"


def test_an_exact_award_must_be_met_and_the_nearest_is_named() -> None:
    exact = BudgetRules(CATEGORIES, Fraction(1, 4), Fraction(1), RULES.envelopes, EnvelopeRule.EXACT)
    near = rules.totals(exact, [Cell(A, "subcontracting", euros(980_000))], [A])
    met = rules.totals(exact, [Cell(A, "subcontracting", euros(1_000_000))], [A])

    assert finding("envelope", rules.findings(exact, near, NAMES)).remedy == "Raise the budget by EUR 20\u00a0000.00."
    assert rules.problems(exact, met, NAMES) == ()


def test_a_category_over_its_share_links_to_its_largest_cell() -> None:
    limited = BudgetRules(CATEGORIES, None, Fraction(1), (), limits=(CategoryLimit("subcontracting", Fraction(3, 10)),))
    limited = BudgetRules(CATEGORIES[:3], None, Fraction(1), (), limits=limited.limits)
    cells = [
        Cell(A, "personnel", euros(60)),
        Cell(A, "subcontracting", euros(10)),
        Cell(B, "subcontracting", euros(30)),
    ]

    broken = finding("limit_subcontracting", rules.findings(limited, rules.totals(limited, cells, [A, B]), NAMES))

    assert broken.severity is Severity.BROKEN
    assert broken.title == "Subcontracting is EUR 10.00 too high."
    assert broken.place == rules.field_name(B, "subcontracting")


def test_a_partner_without_money_is_a_warning_and_an_empty_budget_is_broken() -> None:
    some = rules.totals(RULES, [Cell(A, "personnel", euros(1))], [A, B])
    none = rules.totals(RULES, [], [A])

    assert [problem.message for problem in rules.warnings(RULES, some, NAMES)] == [
        "Żółtowice has no amount in the budget. Enter one, or leave it if this partner takes part without money."
    ]
    assert rules.problems(RULES, none, NAMES)[0].message == "The budget is empty. Enter at least one amount."


@pytest.mark.parametrize(
    ("rate", "words"),
    [
        (Fraction(1, 4), "25\u00a0%"),
        (Fraction(1, 8), "12.5\u00a0%"),
        (Fraction(1), "100\u00a0%"),
        (Fraction(1, 3), "33.333\u00a0%"),
    ],
)
def test_rates_are_written_as_percentages(rate: Fraction, words: str) -> None:
    assert rules.percent(rate) == words


def test_faults_of_budget_rules_are_named() -> None:
    two = (*CATEGORIES, Category("other", "Other", entered=False))
    bad = BudgetRules(
        two, Fraction(1, 4), Fraction(3, 2), (Envelope("S", ZERO),), limits=(CategoryLimit("x", Fraction(1)),)
    )

    assert rules.rules_problems(RULES) == ()
    assert [problem.place for problem in rules.rules_problems(bad)] == [
        "budget.flat_rate",
        "budget.funding_rate",
        "budget.envelopes",
        "budget.limits",
    ]


@given(grids)
@settings(max_examples=50)
def test_a_snapshot_round_trips_with_the_same_totals(cells: list[Cell]) -> None:
    known = {
        (c.organisation_id, c.category): c for c in cells if c.category in ("personnel", "subcontracting", "travel")
    }
    content = BudgetContent(RULES, (A, B, C), tuple(known.values()))

    again = rules.from_mapping(rules.to_mapping(content))

    assert again.totals == content.totals
    assert rules.to_mapping(again) == rules.to_mapping(content)
