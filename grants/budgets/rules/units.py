"""Unit costs: an amount is so many units at the rate of the call, exact to the cent, so that units are never stored. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from grants.budgets.rules.values import BudgetRules, Category, Finding, Severity, Totals, UnitCost, field_name
from grants.core.errors import Invalid, Problem, quoted
from grants.core.money import CENTS_MAX, ZERO, Money

DECIMALS_MAX = 2

# “12 units”, “12,5 u”: units are told apart from euros by their word.
_UNITS = re.compile(r"^\s*(?P<number>[0-9]{1,9}(?:[.,][0-9]{1,4})?)\s*(?:u|units?)\s*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class UnitLine:
    """What one partner, or all of them, has of a category that is paid by units."""

    label: str
    unit: UnitCost
    amount: Money

    @property
    def units(self) -> str:
        """``12.5``; what is no number of units says so."""
        found = units_in(self.unit, self.amount)
        return spelled(found) if found is not None else "no number of them"


def step_of(unit: UnitCost) -> Money:
    """What the smallest part of a unit costs.

    >>> step_of(UnitCost("T", "trainee day", Money(350_00), decimals=1)).cents
    3500
    """
    return Money(unit.rate.cents // 10**unit.decimals)


def units_in(unit: UnitCost, amount: Money) -> Fraction | None:
    """How many units an amount is; None where it is no number of units the call allows.

    >>> units_in(UnitCost("T", "trainee day", Money(350_00)), Money(4_200_00))
    Fraction(12, 1)
    """
    step = step_of(unit)
    return None if amount.cents % step.cents else Fraction(amount.cents, unit.rate.cents)


def spelled(units: Fraction) -> str:
    """``12`` or ``12.5``.

    >>> spelled(Fraction(25, 2))
    '12.5'
    """
    hundredths = units * 10**DECIMALS_MAX
    whole, rest = divmod(int(hundredths), 10**DECIMALS_MAX)
    return f"{whole}.{rest:02d}".rstrip("0") if rest else str(whole)


def label_with_unit(rules: BudgetRules, category: Category) -> str:
    """``Training, at EUR 350.00 per trainee day``; the label alone of what is paid as costs."""
    unit = rules.unit_of(category.code)
    return f"{category.label}, at {unit.rate} per {unit.unit}" if unit is not None else category.label


def formula(unit: UnitCost, amount: Money) -> str:
    """``12 × EUR 350.00 per trainee day``."""
    found = units_in(unit, amount)
    return f"{spelled(found)} × {unit.rate} per {unit.unit}" if found is not None else not_units(unit, amount)


def not_units(unit: UnitCost, amount: Money) -> str:
    """Why an amount is no number of units, with the nearest ones that are."""
    step = step_of(unit)
    below = Money(amount.cents // step.cents * step.cents)
    above = below + step
    kind = "whole units" if not unit.decimals else f"units with at most {unit.decimals} decimals"
    nearest = " or ".join(
        f"{spelled(Fraction(each.cents, unit.rate.cents))}, which {'is' if each == unit.rate else 'are'} {each}"
        for each in (below, above)
    )
    return f"{amount} is no number of {kind} at {unit.rate} per {unit.unit}. Enter {nearest}"


def read_units(text: str, unit: UnitCost) -> Money | None:
    """The amount of units typed as such (``12 units``); None where the text is an amount.

    Raises :class:`Invalid` for more decimals than the call allows.

    >>> read_units("12,5 units", UnitCost("T", "trainee day", Money(350_00), decimals=1)).cents
    437500
    >>> read_units("4200", UnitCost("T", "trainee day", Money(350_00))) is None
    True
    """
    found = _UNITS.match(text)
    if found is None:
        return None
    number = Fraction(found["number"].replace(",", "."))
    if (number * 10**unit.decimals).denominator != 1:
        allowed = "whole units" if not unit.decimals else f"at most {unit.decimals} decimals"
        raise Invalid(f"{quoted(text.strip())} has parts of a unit this call does not count. Enter {allowed}.")
    cents = int(number * 10**unit.decimals) * step_of(unit).cents
    if cents > CENTS_MAX:
        raise Invalid(
            f"{quoted(text.strip())} are {Money(cents)}, above the limit of {Money(CENTS_MAX)}. Check the number."
        )
    return Money(cents)


def unit_lines(rules: BudgetRules, rows: Sequence[tuple[str, tuple[Money, ...]]]) -> tuple[UnitLine, ...]:
    """The units of each named row of sums, category by category, without what has none."""
    codes = [category.code for category in rules.categories]
    return tuple(
        UnitLine(name, unit, amounts[codes.index(unit.category)])
        for unit in rules.unit_costs
        if unit.category in codes
        for name, amounts in rows
        if amounts[codes.index(unit.category)]
    )


def unit_findings(rules: BudgetRules, worked: Totals) -> list[Finding]:
    """Each category paid by units: every amount in it is a number of units."""
    found = []
    for unit in rules.unit_costs:
        category = rules.category(unit.category)
        if category is None or not worked.total:
            continue
        column = rules.categories.index(category)
        wrong = [each for each in worked.slices if units_in(unit, each.amounts[column]) is None]
        found += [
            Finding(
                "unit_cost",
                Severity.BROKEN,
                f"{category.label} is paid by {unit.unit}, and one amount is no number of them.",
                f"{not_units(unit, each.amounts[column])}.",
                place=field_name(each.organisation_id, category.code, each.work_package, each.period),
            )
            for each in wrong
        ]
        whole = worked.by_category[column]
        if not wrong and whole:
            found.append(
                Finding("unit_cost", Severity.KEPT, f"{category.label}: {formula(unit, whole)}", f"{whole} in all.")
            )
    return found


def unit_problem(rules: BudgetRules, code: str, amount: Money) -> str:
    """Why an amount of this category is no number of units, without its full stop; empty where it is or need not be."""
    unit = rules.unit_of(code)
    return not_units(unit, amount) if unit is not None and units_in(unit, amount) is None else ""


def unit_rules_problems(rules: BudgetRules) -> list[Problem]:
    """What is wrong with the unit costs of a call before anybody may use them."""
    found: list[Problem] = []
    codes = [each.category for each in rules.unit_costs]
    entered = {category.code for category in rules.entered}
    found += [
        Problem("unit_costs", f"there is no category “{code}” that applicants enter.")
        for code in codes
        if code not in entered
    ]
    if len(set(codes)) < len(codes):
        found.append(Problem("unit_costs", "name a category twice. Give each one rate."))
    for each in rules.unit_costs:
        if not each.unit.strip():
            found.append(Problem("unit_costs", "have a unit without a name. Say what is counted, as “trainee day”."))
        if each.rate <= ZERO:
            found.append(Problem("unit_costs", "have a rate of zero. Enter what one unit is paid."))
        elif not 0 <= each.decimals <= DECIMALS_MAX:
            found.append(Problem("unit_costs", f"count units with 0 to {DECIMALS_MAX} decimals."))
        elif each.rate.cents % 10**each.decimals:
            found.append(
                Problem(
                    "unit_costs",
                    f"have a rate of {each.rate}, of which {each.decimals} decimals are no whole cents. Take fewer decimals, "
                    "or another rate.",
                )
            )
    return found
