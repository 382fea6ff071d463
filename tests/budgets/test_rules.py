"""The arithmetic of budgets: rows and columns agree to the cent, the flat rate is rounded once, rules say their remedy."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.budgets import rules
from grants.budgets.rules import (
    Ambiguous,
    Beside,
    BudgetContent,
    BudgetRules,
    Category,
    CategoryLimit,
    Cell,
    Envelope,
    EnvelopeRule,
    LumpSum,
    Marks,
    Package,
    Severity,
    Totals,
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
        ("1.000,50 \u20ac", 100050),
        ("1 000,50\u00a0\u20ac", 100050),
        ("1,000.50 EUR", 100050),
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


@pytest.mark.parametrize(
    ("typed", "marks", "cents"),
    [
        ("1.234", Marks.DOT, 123400),
        ("1,234", Marks.COMMA, 123400),
        ("EUR 250.000", Marks.DOT, 25000000),
        ("1.234,50", Marks.COMMA, 123450),
    ],
)
def test_whoever_said_what_the_marks_mean_is_not_asked(typed: str, marks: Marks, cents: int) -> None:
    assert rules.read_amount(typed, marks) == Money(cents)


@pytest.mark.parametrize("typed", ["1.234", "1,234", "EUR 250.000", "12.500", "1.234 \u20ac"])
def test_what_can_be_read_two_ways_is_asked_back(typed: str) -> None:
    with pytest.raises(Ambiguous, match="can be read two ways"):
        rules.read_amount(typed)


@pytest.mark.parametrize(("typed", "marks"), [("1.234", Marks.COMMA), ("1,234", Marks.DOT)])
def test_three_decimals_are_no_amount_for_whoever_writes_so(typed: str, marks: Marks) -> None:
    with pytest.raises(Invalid, match="three decimals"):
        rules.read_amount(typed, marks)


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

    # A field that was not sent is left as it stands, and not emptied.
    assert reading.cells == (Cell(A, "personnel", Money(123450)),)
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


def broken(asked: BudgetRules, worked: Totals) -> list[str]:
    return [each.sentence for each in rules.findings(asked, worked, NAMES) if each.severity is Severity.BROKEN]


def test_a_request_equal_to_the_largest_award_is_kept() -> None:
    worked = rules.totals(RULES, [Cell(A, "subcontracting", euros(1_500_000))], [A])

    assert broken(RULES, worked) == []
    assert finding("envelope", rules.findings(RULES, worked, NAMES)).title == "Within award amount L"


def test_an_exact_award_must_be_met_and_the_nearest_is_named() -> None:
    exact = BudgetRules(CATEGORIES, Fraction(1, 4), Fraction(1), RULES.envelopes, EnvelopeRule.EXACT)
    near = rules.totals(exact, [Cell(A, "subcontracting", euros(980_000))], [A])
    met = rules.totals(exact, [Cell(A, "subcontracting", euros(1_000_000))], [A])

    assert finding("envelope", rules.findings(exact, near, NAMES)).remedy == "Raise the budget by EUR 20\u00a0000.00."
    assert broken(exact, met) == []


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

    assert [each.sentence for each in rules.findings(RULES, some, NAMES) if each.severity is Severity.WARNING] == [
        "Żółtowice has no amount in the budget. Enter one, or leave it if this partner takes part without money."
    ]
    assert broken(RULES, none)[0] == "The budget is empty. Enter at least one amount."


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


# --- work packages and periods ----------------------------------------------------------------------------------

SLICED = BudgetRules(CATEGORIES, Fraction(1, 4), by_work_package=True, period_months=12, duration_months=30)
PACKAGES = (Package("WP1", "Listen"), Package("WP2", "Build"))
sliced_cells = st.lists(
    st.builds(
        Cell,
        st.sampled_from([A, B, C]),
        codes,
        amounts,
        st.sampled_from(["WP1", "WP2", "WP10", ""]),
        st.sampled_from([1, 2, 3]),
    ),
    max_size=40,
)


@given(sliced_cells, st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_slices_rows_and_columns_agree_whatever_the_order_of_cells(cells: list[Cell], dice: object) -> None:
    worked = rules.totals(SLICED, cells, [A, B, C])
    shuffled = list(cells)
    dice.shuffle(shuffled)

    for row in worked.rows:
        own = [each for each in worked.slices if each.organisation_id == row.organisation_id]
        columns = zip(*(each.amounts for each in own), strict=True)
        assert row.amounts == (tuple(map(total, columns)) if own else (ZERO,) * 4)
    assert rules.totals(SLICED, shuffled, [A, B, C]) == worked


def test_the_flat_rate_is_rounded_once_for_each_period_and_shared_by_work_packages() -> None:
    cells = [
        Cell(A, "personnel", Money(1), "WP1", 1),
        Cell(A, "personnel", Money(1), "WP2", 1),
        Cell(A, "personnel", Money(2), "WP2", 2),
    ]

    worked = rules.totals(SLICED, cells, [A])

    # 25 % of two cents is half a cent, so one: once for each period, and the first of equal packages gets it.
    assert worked.indirect == Money(2)
    assert [(each.work_package, each.period, each.amounts[3].cents) for each in worked.slices] == [
        ("WP1", 1, 1),
        ("WP2", 1, 0),
        ("WP2", 2, 1),
    ]


def test_axes_a_budget_does_not_have_are_added_up() -> None:
    cells = [Cell(A, "personnel", Money(100), "WP1", 1), Cell(A, "personnel", Money(11), "WP2", 2)]

    assert rules.totals(RULES, cells, [A]).row(A).amounts[0] == Money(111)


def test_periods_are_stretches_of_months_and_the_last_may_be_shorter() -> None:
    assert [SLICED.period_words(period) for period in SLICED.periods] == [
        "months 1 to 12",
        "months 13 to 24",
        "months 25 to 30",
    ]
    assert RULES.periods == (0,)


def test_what_stands_in_no_work_package_is_a_broken_rule_that_names_its_field() -> None:
    worked = rules.totals(SLICED, [Cell(B, "travel", euros(40), "", 2), Cell(A, "travel", euros(1), "WP1", 1)], [A, B])

    broken = finding("packages", rules.findings(SLICED, worked, NAMES, Beside(PACKAGES)))

    assert broken.severity is Severity.BROKEN
    assert broken.title == "EUR 50.00 stands in no work package."
    assert broken.place == rules.field_name(B, "travel", "", 2)


def test_a_broken_rule_links_to_the_largest_field_of_its_category() -> None:
    limited = BudgetRules(
        CATEGORIES[:3], limits=(CategoryLimit("subcontracting", Fraction(3, 10)),), by_work_package=True
    )
    cells = [Cell(A, "subcontracting", euros(10), "WP1"), Cell(A, "subcontracting", euros(30), "WP2")]

    found = rules.findings(limited, rules.totals(limited, cells, [A]), NAMES, Beside(PACKAGES))

    assert finding("limit_subcontracting", found).place == rules.field_name(A, "subcontracting", "WP2")


@given(sliced_cells)
@settings(max_examples=50)
def test_a_snapshot_by_work_package_round_trips(cells: list[Cell]) -> None:
    known = {cell.place: cell for cell in cells if cell.category in ("personnel", "subcontracting", "travel")}
    content = BudgetContent(SLICED, (A, B, C), tuple(known.values()), PACKAGES)

    again = rules.from_mapping(rules.to_mapping(content))

    assert again.totals == content.totals
    assert again.packages == PACKAGES
    assert rules.to_mapping(again) == rules.to_mapping(content)


def test_a_budget_without_new_axes_is_frozen_as_it_always_was() -> None:
    """Its hash stays, so that nothing looks changed since it was sent."""
    frozen = rules.to_mapping(BudgetContent(RULES, (A,), (Cell(A, "personnel", euros(1)),)))

    assert frozen["cells"] == [{"organisation_id": str(A), "category": "personnel", "amount": 100}]
    assert list(frozen) == ["rules", "organisations", "cells"]
    assert set(frozen["rules"]) == {
        "categories", "flat_rate", "funding_rate", "envelopes", "envelope_rule", "limits",
    }  # fmt: skip


@pytest.mark.parametrize("place", ["", "cell-", "cell-x-A", f"cell-{A}-A~WP1~x", f"cell-{A}-A~WP1~９", "row~1"])
def test_a_name_no_field_has_is_no_cell(place: str) -> None:
    assert rules.cell_at(place, ZERO) is None


@given(
    st.builds(
        Cell, st.uuids(), st.sampled_from(["A", "C1", "x-y"]), amounts, st.sampled_from(["", "WP1"]), st.integers(0, 99)
    )
)
def test_a_cell_is_found_again_by_the_name_of_its_field(cell: Cell) -> None:
    assert rules.cell_at(cell.place, cell.amount) == cell


# --- ceilings and lump sums --------------------------------------------------------------------------------------


def test_a_category_over_its_amount_says_value_limit_and_remedy() -> None:
    limited = replace(RULES, limits=(CategoryLimit("travel", amount_max=euros(10)),), envelopes=())

    broken = finding(
        "limit_travel", rules.findings(limited, rules.totals(limited, [Cell(A, "travel", euros(12))]), NAMES)
    )

    assert broken.severity is Severity.BROKEN
    assert broken.sentence == (
        "Travel is EUR 2.00 too high. Travel may be at most EUR 10.00 in all: EUR 10.00. You entered EUR 12.00. "
        "Lower this category."
    )


def test_one_organisation_asks_for_no_more_than_its_maximum() -> None:
    capped = replace(RULES, organisation_max=euros(100), envelopes=())
    cells = [Cell(A, "subcontracting", euros(100)), Cell(B, "travel", euros(81))]

    found = rules.findings(capped, rules.totals(capped, cells, [A, B]), NAMES)

    assert finding("organisation_max", found).title == "Żółtowice asks for EUR 1.25 too much."
    assert finding("organisation_max", found).place == rules.field_name(B, "travel")


LUMP_SUMS = (LumpSum("WP1", "Listen", euros(125)), LumpSum("WP2", "Build", euros(50)))
LUMPED = replace(RULES, by_work_package=True, lump_sums=LUMP_SUMS, envelopes=())


def test_a_work_package_paid_as_a_lump_sum_costs_exactly_that() -> None:
    cells = [
        Cell(A, "personnel", euros(60), "WP1"),
        Cell(B, "personnel", euros(40), "WP1"),
        Cell(A, "travel", euros(44), "WP2"),
    ]

    found = rules.findings(LUMPED, rules.totals(LUMPED, cells, [A, B]), NAMES, Beside(PACKAGES))
    missed, met = (each for each in found if each.code == "lump_sum")

    assert (met.severity, missed.severity) == (Severity.KEPT, Severity.BROKEN)
    assert missed.sentence == (
        "WP2 Build does not equal its lump sum. This call pays exactly EUR 50.00 for it; its amounts add up to EUR 55.00. "
        "Reduce the amounts of WP2 by EUR 5.00."
    )
    assert missed.place == rules.field_name(A, "travel", "WP2")


def test_faults_of_axes_and_ceilings_are_named() -> None:
    bad = replace(
        RULES,
        limits=(CategoryLimit("travel"), CategoryLimit("personnel", Fraction(3))),
        period_months=6,
        lump_sums=(LumpSum("WP 1", "Listen", euros(1)), LumpSum("WP 1", "Build", ZERO)),
    )

    assert rules.rules_problems(LUMPED) == ()
    assert sorted({problem.place for problem in rules.rules_problems(bad)}) == [
        "budget_grid.period_months", "budget_limits", "lump_sums",
    ]  # fmt: skip
    assert len(rules.rules_problems(bad)) == 6
