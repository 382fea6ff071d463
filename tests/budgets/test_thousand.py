"""A thousand random budgets, added up a second time in plain whole numbers by nothing of ours, and equal to the cent."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Context, Decimal
from fractions import Fraction
from uuid import UUID

from grants.budgets import rules
from grants.budgets.rules import BudgetRules, Category, Cell
from grants.core.money import Money

BUDGETS = 1_000
RATES = ("0", "0.25", "0.07", "0.125", "0.3333")
FUNDING = ("1", "0.7", "0.85", "0.5", "0.9999")
EXACT = Context(prec=60)


@dataclass(frozen=True)
class Entered:
    """One budget as a plain list: organisation, category, cents, work package, period."""

    rate: str
    funding: str
    categories: dict[str, bool]
    by_work_package: bool
    months: int
    organisations: tuple[UUID, ...]
    rows: tuple[tuple[UUID, str, int, str, int], ...]

    @property
    def rules(self) -> BudgetRules:
        """The same, as the program is told it."""
        return BudgetRules(
            categories=(
                *(Category(code, code, in_flat_rate_base=inside) for code, inside in self.categories.items()),
                Category("E", "Indirect", entered=False),
            ),
            flat_rate=Fraction(self.rate),
            funding_rate=Fraction(self.funding),
            by_work_package=self.by_work_package,
            period_months=self.months,
            duration_months=24 if self.months else 0,
        )

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The same, as cells."""
        return tuple(Cell(who, code, Money(cents), package, period) for who, code, cents, package, period in self.rows)


def entered(dice: random.Random) -> Entered:
    """One budget by chance: small and large amounts, many cells empty."""
    by_work_package, months = dice.random() < 0.5, dice.choice((0, 0, 6, 12))
    packages = [f"WP{number}" for number in range(1, dice.randint(1, 12))] or [""] if by_work_package else [""]
    periods = range(1, 24 // months + 1) if months else (0,)
    categories = {code: dice.random() < 0.7 for code in "ABCDFG"[: dice.randint(1, 6)]}
    organisations = tuple(UUID(int=dice.getrandbits(128)) for _ in range(dice.randint(1, 6)))
    most = 10 ** dice.choice((1, 3, 8, 11))
    rows = [
        (who, code, dice.randrange(most), package, period)
        for who in organisations
        for code in categories
        for package in packages
        for period in periods
        if dice.random() < 0.4
    ]
    dice.shuffle(rows)
    return Entered(
        dice.choice(RATES), dice.choice(FUNDING), categories, by_work_package, months, organisations, tuple(rows)
    )


def half_up(cents: int, rate: str) -> int:
    """The rate of so many cents, rounded half up, in decimals."""
    return int(EXACT.multiply(Decimal(cents), Decimal(rate)).quantize(Decimal(1), ROUND_HALF_UP, EXACT))


def cut(cents: int, rate: str) -> int:
    """The rate of so many cents, the rest of a cent cut off."""
    return int(EXACT.multiply(Decimal(cents), Decimal(rate)))


def shared(whole: int, weights: dict[str, int]) -> dict[str, int]:
    """Cent by cent to whoever is furthest below the exact share; WP2 before WP10 where two are equally far."""
    order = sorted(weights, key=lambda code: (len(code), code))
    all_of_it = sum(weights.values())
    parts = {code: whole * weights[code] // all_of_it if all_of_it else 0 for code in order}
    short = {code: Fraction(whole * weights[code], all_of_it) - parts[code] if all_of_it else 0 for code in order}
    for code in sorted(order, key=lambda code: -short[code])[: whole - sum(parts.values())]:
        parts[code] += 1
    return parts


def recomputed(budget: Entered) -> dict[str, int]:
    """Every sum by its name, from the plain list alone."""
    sums: dict[str, int] = defaultdict(int)
    bases: dict[tuple[UUID, int], dict[str, int]] = defaultdict(dict)
    for who, code, cents, package, period in budget.rows:
        if not cents:
            continue
        sums[f"{who} {code}"] += cents
        sums[f"{who} {package} {period}"] += cents
        sums[f"all {code}"] += cents
        of_period = bases[who, period]
        of_period[package] = of_period.get(package, 0) + (cents if budget.categories[code] else 0)
    for (who, period), of_period in bases.items():
        indirect = half_up(sum(of_period.values()), budget.rate)
        sums[f"{who} E"] += indirect
        sums["all E"] += indirect
        for package, part in shared(indirect, of_period).items():
            sums[f"{who} {package} {period}"] += part
    for who in budget.organisations:
        sums[f"{who}"] = sum(sums[f"{who} {code}"] for code in (*budget.categories, "E"))
        sums[f"{who} asked"] = cut(sums[f"{who}"], budget.funding)
    sums["all"] = sum(sums[f"{who}"] for who in budget.organisations)
    sums["asked"] = sum(sums[f"{who} asked"] for who in budget.organisations)
    return {name: cents for name, cents in sums.items() if cents}


def by_the_program(budget: Entered) -> dict[str, int]:
    """The same sums as the program has them."""
    worked = rules.totals(budget.rules, budget.cells, budget.organisations)
    codes = [category.code for category in budget.rules.categories]
    sums = {"all": worked.total.cents, "asked": worked.requested.cents}
    sums |= {f"all {code}": amount.cents for code, amount in zip(codes, worked.by_category, strict=True)}
    for row in worked.rows:
        who = row.organisation_id
        sums |= {f"{who} {code}": amount.cents for code, amount in zip(codes, row.amounts, strict=True)}
        sums |= {f"{who}": row.total.cents, f"{who} asked": row.requested.cents}
    for each in worked.slices:
        sums[f"{each.organisation_id} {each.work_package} {each.period}"] = each.total.cents
    return {name: cents for name, cents in sums.items() if cents}


def test_a_thousand_random_budgets_agree_with_a_plain_recomputation_to_the_cent() -> None:
    dice = random.Random(20221115)
    kinds = set()
    for number in range(BUDGETS):
        budget = entered(dice)
        kinds.add((budget.by_work_package, bool(budget.months)))

        assert by_the_program(budget) == recomputed(budget), f"budget {number}"
    assert len(kinds) == 4
