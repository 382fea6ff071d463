"""Unit costs: so many units at the rate of the call, exact to the cent, typed as units or as euros, never rounded."""

from __future__ import annotations

from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.agreements.rules import Move
from grants.agreements.rules.annexes import budget_table
from grants.agreements.rules.moving import units_problem
from grants.agreements.rules.transferring import Flexibility, TransferInput, transfer
from grants.budgets import queries
from grants.budgets.rules import (
    BudgetContent,
    BudgetRules,
    Category,
    Cell,
    Severity,
    UnitCost,
    field_name,
    findings,
    from_mapping,
    read_cells,
    rules_problems,
    to_mapping,
    totals,
    unit_problem,
)
from grants.budgets.rules.units import read_units, spelled, step_of, units_in
from grants.core.errors import Invalid
from grants.core.money import Money, euros
from grants.reporting.rules import Judged, actual_rules, judgement_problems

CITY = UUID(int=1)
DAYS = UnitCost("T", "trainee day", euros(350))
HALVES = UnitCost("T", "trainee day", euros(350), decimals=1)
CATEGORIES = (Category("T", "Training", in_flat_rate_base=False), Category("P", "Personnel"))


def under(unit: UnitCost = DAYS) -> BudgetRules:
    return BudgetRules(CATEGORIES, unit_costs=(unit,))


units = st.builds(
    UnitCost, st.just("T"), st.just("day"), st.integers(1, 10**6).map(lambda step: Money(step * 100)), st.integers(0, 2)
)


@given(units, st.integers(0, 10**6))
def test_every_number_of_units_is_exact_and_is_read_back(unit: UnitCost, count: int) -> None:
    amount = Money(step_of(unit).cents * count)

    found = units_in(unit, amount)
    assert found == Fraction(count, 10**unit.decimals)
    assert found is not None
    assert read_units(f"{spelled(found)} units", unit) == amount


@given(units, st.integers(0, 10**9))
def test_what_is_no_number_of_units_is_named_with_the_nearest(unit: UnitCost, cents: int) -> None:
    said = unit_problem(under(unit), "T", Money(cents))

    assert bool(said) == (cents % step_of(unit).cents != 0)
    assert unit_problem(under(unit), "P", Money(cents)) == ""


@pytest.mark.parametrize(
    ("text", "unit", "cents"),
    [
        ("12 units", DAYS, 4_200_00),
        ("1 unit", DAYS, 350_00),
        ("12,5 u", HALVES, 4_375_00),
        ("12.50 units", HALVES, 4_375_00),
    ],
)
def test_units_are_typed_by_their_word(text: str, unit: UnitCost, cents: int) -> None:
    name = field_name(CITY, "T")

    read = read_cells(under(unit), [CITY], {name: text})

    assert [cell.amount.cents for cell in read.cells] == [cents]
    assert read.reworded and not read.errors


@pytest.mark.parametrize("text", ["12,5 units", "1e3 units", "-2 units", "twelve units"])
def test_parts_of_a_unit_and_what_is_no_number_are_refused(text: str) -> None:
    name = field_name(CITY, "T")

    assert list(read_cells(under(), [CITY], {name: text}).errors) == [name]
    with pytest.raises(Invalid, match="parts of a unit"):
        read_units("12,25 units", HALVES)


def test_in_another_category_units_are_no_amount() -> None:
    name = field_name(CITY, "P")

    assert list(read_cells(under(), [CITY], {name: "12 units"}).errors) == [name]


def test_a_budget_says_which_amount_is_no_number_of_units() -> None:
    wrong = totals(under(), [Cell(CITY, "T", euros(4_100))])
    right = totals(under(), [Cell(CITY, "T", euros(4_200)), Cell(CITY, "P", Money(1))])

    (found,) = [each for each in findings(under(), wrong, {CITY: "City"}) if each.code == "unit_cost"]
    assert found.severity is Severity.BROKEN
    assert "Enter 11, which are EUR 3\u00a0850.00 or 12, which are EUR 4\u00a0200.00" in found.explanation
    assert found.place == field_name(CITY, "T")
    (kept,) = [each for each in findings(under(), right, {CITY: "City"}) if each.code == "unit_cost"]
    assert (kept.severity, kept.title) == (Severity.KEPT, "Training: 12 × EUR 350.00 per trainee day")


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        (UnitCost("X", "day", euros(1)), "no category"),
        (UnitCost("T", " ", euros(1)), "without a name"),
        (UnitCost("T", "day", Money(0)), "rate of zero"),
        (UnitCost("T", "day", euros(1), decimals=3), "0 to 2 decimals"),
        (UnitCost("T", "day", Money(105), decimals=1), "no whole cents"),
    ],
)
def test_a_call_with_a_wrong_unit_cost_is_not_published(unit: UnitCost, words: str) -> None:
    assert [words in problem.message for problem in rules_problems(under(unit))] == [True]


def test_two_rates_of_one_category_are_refused() -> None:
    both = BudgetRules(CATEGORIES, unit_costs=(DAYS, HALVES))

    assert "twice" in rules_problems(both)[0].message
    assert rules_problems(under()) == ()


def test_a_snapshot_keeps_unit_costs_and_an_older_one_keeps_its_hash() -> None:
    content = BudgetContent(under(HALVES), (CITY,), (Cell(CITY, "T", euros(35)),))
    assert from_mapping(to_mapping(content)) == content
    assert "unit_costs" not in to_mapping(BudgetContent(BudgetRules(CATEGORIES), (CITY,), ()))["rules"]


def test_a_report_is_judged_in_units() -> None:
    rules = actual_rules(under())
    declared = [Cell(CITY, "T", euros(4_200))]

    def said(accepted: Money) -> list[str]:
        judged = [Judged(CITY, "T", euros(4_200), accepted, "Two did not come.")]
        return [each.message for each in judgement_problems(declared, judged, {CITY: euros(9_000)}, rules)]

    assert said(euros(3_500)) == []
    assert "is no number of whole units" in said(euros(3_400))[0]


def test_the_grid_shows_the_units_of_each_partner_and_of_all() -> None:
    content = BudgetContent(under(HALVES), (CITY,), (Cell(CITY, "T", euros(4_375)),))

    shown = queries.view_of(content, {CITY: "City"})

    assert [(line.label, line.units) for line in shown.unit_lines] == [("City", "12.5"), ("All partners", "12.5")]


def test_the_agreement_states_the_unit_and_its_rate() -> None:
    content = BudgetContent(under(HALVES), (CITY,), (Cell(CITY, "T", euros(4_375)),))

    stated = budget_table(content, {CITY: "City"}, "Application A, version 1")

    assert stated.categories == ("Training, at EUR 350.00 per trainee day", "Personnel")


@pytest.mark.parametrize(
    ("source", "target", "amount", "said"),
    [("P", "T", 350, ""), ("P", "T", 400, "no number"), ("T", "P", 400, "no number"), ("T", "P", 4_300, "")],
)
def test_a_move_leaves_no_part_of_a_unit(source: str, target: str, amount: int, said: str) -> None:
    """Into a category paid by units and out of it whole units move; all that is there may go."""
    cells = (Cell(CITY, "T", euros(4_300)), Cell(CITY, "P", euros(9_000)))
    budget, maxima = BudgetContent(under(), (CITY,), cells), {CITY: euros(20_000)}
    whole = Flexibility(euros(20_000), euros(20_000), euros(20_000))
    given = TransferInput(CITY, source, CITY, target, euros(amount), "More trainees came.")
    has = {"T": euros(4_300), "P": euros(9_000)}[source]

    words = units_problem(budget, Move(euros(amount), CITY, source, CITY, target), has)
    assert said in words and bool(said) == bool(words)
    if not said:
        assert transfer(given, budget, whole, maxima, {}, {}).maximum_moved == Money(0)
        return
    with pytest.raises(Invalid) as refused:
        transfer(given, budget, whole, maxima, {}, {})
    assert said in refused.value.problems["amount"]


def test_more_units_than_the_limit_of_amounts_are_refused() -> None:
    dear = UnitCost("T", "trainee day", euros(100_000))
    assert read_units("99999999 units", dear) == euros(9_999_999_900_000)
    with pytest.raises(Invalid, match="above the limit"):
        read_units("999999999 units", dear)
