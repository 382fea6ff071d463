"""The sums of a budget, exact to the cent: flat rate, funding rate, by partner, work package, period and category."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from grants.budgets.rules.values import BudgetRules, Cell, OrganisationTotals, SliceTotals, Totals
from grants.core.money import ZERO, Money, Rounding, total

# Amounts by organisation, then by period and work package, then by category.
Amounts = Mapping[UUID, Mapping[tuple[int, str], Mapping[str, Money]]]


def totals(rules: BudgetRules, cells: Iterable[Cell], organisations: Sequence[UUID] | None = None) -> Totals:
    """All totals. Amounts given for the computed column or an unknown category are ignored, never added.

    The flat rate is rounded half-up **once for each organisation and period** (F9 of the finance rules); work packages
    share that sum by largest remainder. The request is rounded down, so that it never exceeds the funding rate.

    >>> from fractions import Fraction
    >>> from grants.budgets.rules.values import Category
    >>> staff = Category("A", "Personnel"); indirect = Category("E", "Indirect", entered=False)
    >>> rules = BudgetRules((staff, indirect), flat_rate=Fraction(1, 4))
    >>> totals(rules, [Cell(UUID(int=1), "A", Money(1001))]).total.cents
    1251
    """
    amounts = _gathered(rules, cells)
    order = list(organisations) if organisations is not None else list(amounts)
    by_organisation = {who: _slices(rules, who, amounts.get(who, {})) for who in order}
    rows = tuple(_row(rules, who, by_organisation[who]) for who in order)
    by_category = tuple(total(row.amounts[column] for row in rows) for column in range(len(rules.categories)))
    result = Totals(
        rows=rows,
        slices=tuple(each for slices in by_organisation.values() for each in slices),
        by_category=by_category,
        direct=total(row.direct for row in rows),
        indirect=total(row.indirect for row in rows),
        total=total(row.total for row in rows),
        requested=total(row.requested for row in rows),
    )
    assert total(by_category) == result.total, "rows and columns must agree to the cent"
    assert total(each.total for each in result.slices) == result.total, "slices must agree to the cent"
    assert result.direct + result.indirect == result.total
    return result


def _gathered(rules: BudgetRules, cells: Iterable[Cell]) -> Amounts:
    """Amounts of the entered columns; axes this budget does not have are added up."""
    amounts: dict[UUID, dict[tuple[int, str], dict[str, Money]]] = {}
    for cell in cells:
        category = rules.category(cell.category)
        if category is not None and category.entered:
            where = (cell.period if rules.period_months else 0, cell.work_package if rules.by_work_package else "")
            parts = amounts.setdefault(cell.organisation_id, {}).setdefault(where, {})
            parts[cell.category] = parts.get(cell.category, ZERO) + cell.amount
    return amounts


def package_order(code: str) -> tuple[bool, int, str]:
    """WP2 before WP10, and what stands in no work package last.

    >>> sorted(["", "WP10", "WP2"], key=package_order)
    ['WP2', 'WP10', '']
    """
    return (not code, len(code), code)


def _slices(rules: BudgetRules, who: UUID, amounts: Mapping[tuple[int, str], Mapping[str, Money]]) -> list[SliceTotals]:
    """The slices of one organisation that hold anything, by period and work package."""
    found = []
    amounts = {where: parts for where, parts in amounts.items() if any(parts.values())}
    for period in sorted({period for period, _ in amounts}):
        packages = sorted((package for when, package in amounts if when == period), key=package_order)
        entered = [amounts[period, package] for package in packages]
        bases = [total(parts.get(c.code, ZERO) for c in rules.entered if c.in_flat_rate_base) for parts in entered]
        for package, parts, indirect in zip(packages, entered, _flat_rate(rules, bases), strict=True):
            columns = tuple(parts.get(c.code, ZERO) if c.entered else indirect for c in rules.categories)
            found.append(SliceTotals(who, package, period, columns, total(columns)))
    return found


def _flat_rate(rules: BudgetRules, bases: Sequence[Money]) -> Sequence[Money]:
    """The flat rate on the sum of these bases, rounded once, and each base's part of it."""
    if rules.flat_rate is None or rules.computed is None:
        return [ZERO] * len(bases)
    whole = total(bases).share(rules.flat_rate, rounding=Rounding.HALF_UP)
    return whole.split([base.cents for base in bases]) if total(bases) else [ZERO] * len(bases)


def _row(rules: BudgetRules, who: UUID, slices: Sequence[SliceTotals]) -> OrganisationTotals:
    amounts = tuple(total(each.amounts[column] for each in slices) for column in range(len(rules.categories)))
    columns = list(zip(rules.categories, amounts, strict=True))
    whole = total(amounts)
    return OrganisationTotals(
        organisation_id=who,
        amounts=amounts,
        direct=total(amount for category, amount in columns if category.entered),
        flat_rate_base=total(a for category, a in columns if category.entered and category.in_flat_rate_base),
        indirect=total(amount for category, amount in columns if not category.entered),
        total=whole,
        requested=whole.share(rules.funding_rate, rounding=Rounding.DOWN),
    )
