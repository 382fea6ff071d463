"""The rules of a call looked at against the sums of a budget: what is broken, by how much, and how to mend it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never
from uuid import UUID

from grants.budgets.rules.funding import Beside, financing_findings, sentence_findings
from grants.budgets.rules.units import unit_findings, unit_rules_problems
from grants.budgets.rules.values import (
    BudgetRules,
    Category,
    CategoryLimit,
    Envelope,
    EnvelopeRule,
    Finding,
    OrganisationTotals,
    Package,
    Severity,
    Totals,
    field_name,
    is_package_code,
)
from grants.core.errors import Problem
from grants.core.money import ZERO, Money, Rounding, total


def percent(rate: Fraction) -> str:
    """``25 %``, with decimals only where there are some.

    >>> percent(Fraction(1, 8))
    '12.5\xa0%'
    """
    thousandths = rate * 100_000
    whole, rest = divmod(round(thousandths), 1000)
    decimals = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{whole}{decimals}\u00a0%"


NOTHING_BESIDE = Beside()


@dataclass(frozen=True, slots=True)
class _Look:
    """What is looked at: the rules, the sums, and the words for organisations and work packages."""

    rules: BudgetRules
    worked: Totals
    names: Mapping[UUID, str]
    packages: Sequence[Package]

    def place(self, who: UUID, category: str) -> str:
        """The field of one category of an organisation: the one with the largest amount, else the first it has."""
        column = self.rules.categories.index(found) if (found := self.rules.category(category)) else 0
        own = [each for each in self.worked.slices if each.organisation_id == who]
        if own:
            largest = max(own, key=lambda each: each.amounts[column])
            return field_name(who, category, largest.work_package, largest.period)
        return field_name(who, category, self.packages[0].code if self.packages else "", self.rules.periods[0])

    @property
    def first_place(self) -> str:
        """The first field of the grid; nothing where it has none."""
        if not self.worked.rows or not self.rules.entered:
            return ""
        return self.place(self.worked.rows[0].organisation_id, self.rules.entered[0].code)


def findings(
    rules: BudgetRules, worked: Totals, names: Mapping[UUID, str], beside: Beside = NOTHING_BESIDE
) -> tuple[Finding, ...]:
    """Every rule of the call looked at against these totals, broken ones first; a call without money has none."""
    if not rules.categories:
        return ()
    look = _Look(rules, worked, names, beside.packages)
    found = [*_empty(worked), *_packages(look), *_envelope(look), *_limits(look), *_lump_sums(look)]
    found += unit_findings(rules, worked)
    found += financing_findings(worked, beside.sources)
    found += [finding for row in worked.rows for finding in _organisation(look, row)]
    found += sentence_findings(rules, worked, names, beside)
    if rules.flat_rate is not None and rules.computed is not None:
        found.append(_flat_rate(rules, worked))
    order = {Severity.BROKEN: 0, Severity.WARNING: 1, Severity.KEPT: 2}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


def _empty(worked: Totals) -> list[Finding]:
    if worked.total:
        return []
    return [Finding("empty", Severity.BROKEN, "The budget is empty.", remedy="Enter at least one amount.")]


def _packages(look: _Look) -> list[Finding]:
    """Where amounts are entered by work package, there is one, and nothing stands outside."""
    if not look.rules.by_work_package:
        return []
    if not look.packages:
        remedy = "Add your work packages on the page of the work plan."
        return [Finding("packages", Severity.BROKEN, "The budget has no work package yet.", remedy=remedy)]
    outside = [each for each in look.worked.slices if not each.work_package and each.total]
    if not outside:
        return []
    largest = max(outside, key=lambda each: each.total)
    entered = [place for place, category in enumerate(look.rules.categories) if category.entered]
    column = max(entered, key=lambda place: largest.amounts[place])
    return [
        Finding(
            "packages",
            Severity.BROKEN,
            f"{total(each.total for each in outside)} stands in no work package.",
            "This call asks for every amount by work package.",
            remedy="Move it into the lines of your work packages.",
            place=field_name(largest.organisation_id, look.rules.categories[column].code, "", largest.period),
        )
    ]


def _envelope(look: _Look) -> list[Finding]:
    rules = look.rules
    if not rules.envelopes or not look.worked.total:
        return []
    asked, place = look.worked.requested, look.first_place
    ordered = sorted(rules.envelopes, key=lambda envelope: envelope.amount)
    match rules.envelope_rule:
        case EnvelopeRule.CEILING:
            return [_ceiling(ordered, asked, place)]
        case EnvelopeRule.EXACT:
            return [_exact(ordered, asked, place)]
        case never:
            assert_never(never)


def _ceiling(ordered: Sequence[Envelope], asked: Money, place: str) -> Finding:
    largest = ordered[-1]
    if asked > largest.amount:
        over = asked - largest.amount
        return Finding(
            "envelope",
            Severity.BROKEN,
            f"The request is {over} above the largest award amount.",
            f"You ask for {asked}; the largest award amount of this call is {largest.amount}.",
            (("You ask for", asked), ("The most this call awards", largest.amount), ("Reduce by", over)),
            f"Reduce the budget by {over}.",
            place,
        )
    fits = next(envelope for envelope in ordered if asked <= envelope.amount)
    return Finding(
        "envelope",
        Severity.KEPT,
        f"Within award amount {fits.code}",
        f"{asked} of at most {fits.amount}.",
    )


def _exact(ordered: Sequence[Envelope], asked: Money, place: str) -> Finding:
    if any(envelope.amount == asked for envelope in ordered):
        return Finding("envelope", Severity.KEPT, "The request equals an award amount of this call", f"{asked}.")
    nearest = min(ordered, key=lambda envelope: (abs((envelope.amount - asked).cents), envelope.amount.cents))
    gap = Money(abs((nearest.amount - asked).cents))
    verb = "Reduce" if asked > nearest.amount else "Raise"
    amounts = ", ".join(str(envelope.amount) for envelope in ordered)
    return Finding(
        "envelope",
        Severity.BROKEN,
        "The request equals none of the award amounts.",
        f"You ask for {asked}; this call awards exactly {amounts}.",
        (("You ask for", asked), ("The nearest award amount", nearest.amount), (f"{verb} by", gap)),
        f"{verb} the budget by {gap}.",
        place,
    )


def _limits(look: _Look) -> list[Finding]:
    rules, worked, found = look.rules, look.worked, []
    for limit in rules.limits:
        category = rules.category(limit.category)
        if category is None or not worked.total:
            continue
        amount = worked.by_category[rules.categories.index(category)]
        for rule, most, figure in _ceilings(category, limit, worked.total):
            if amount > most:
                over = amount - most
                found.append(
                    Finding(
                        f"limit_{category.code}",
                        Severity.BROKEN,
                        f"{category.label} is {over} too high.",
                        f"{rule}: {most}. You entered {amount}.",
                        ((figure, most), ("You entered", amount), ("Over by", over)),
                        "Lower this category or raise others." if limit.share_max else "Lower this category.",
                        _largest_field(look, category),
                    )
                )
            else:
                found.append(Finding(f"limit_{category.code}", Severity.KEPT, rule, f"{amount} of at most {most}."))
    return found


def _ceilings(category: Category, limit: CategoryLimit, whole: Money) -> list[tuple[str, Money, str]]:
    """Each ceiling of a category: the rule in words, the most it allows, and what that figure is."""
    found = []
    if limit.share_max is not None:
        most = whole.share(limit.share_max, rounding=Rounding.DOWN)
        rate = percent(limit.share_max)
        found.append((f"{category.label} may be at most {rate} of the total", most, f"{rate} of {whole}"))
    if limit.amount_max is not None:
        rule = f"{category.label} may be at most {limit.amount_max} in all"
        found.append((rule, limit.amount_max, "The most this call allows"))
    return found


def _lump_sums(look: _Look) -> list[Finding]:
    """Each work package the call pays as a lump sum costs exactly that, over all partners."""
    found = []
    for lump in look.rules.lump_sums:
        costs = total(each.total for each in look.worked.slices if each.work_package == lump.work_package)
        gap = Money(abs((costs - lump.amount).cents))
        name = f"{lump.work_package} {lump.title}"
        if not gap:
            found.append(Finding("lump_sum", Severity.KEPT, f"{name} equals its lump sum", f"{costs}."))
            continue
        verb = "Reduce" if costs > lump.amount else "Raise"
        found.append(
            Finding(
                "lump_sum",
                Severity.BROKEN,
                f"{name} does not equal its lump sum.",
                f"This call pays exactly {lump.amount} for it; its amounts add up to {costs}.",
                (("The lump sum", lump.amount), ("Your amounts, indirect costs included", costs), (f"{verb} by", gap)),
                f"{verb} the amounts of {lump.work_package} by {gap}.",
                _package_field(look, lump.work_package),
            )
        )
    return found


def _package_field(look: _Look, code: str) -> str:
    """The largest field of a work package, else its first."""
    own = [each for each in look.worked.slices if each.work_package == code]
    entered = [place for place, category in enumerate(look.rules.categories) if category.entered]
    if own:
        largest = max(own, key=lambda each: each.total)
        column = max(entered, key=lambda place: largest.amounts[place])
        return field_name(largest.organisation_id, look.rules.categories[column].code, code, largest.period)
    if not look.worked.rows or not entered:
        return ""
    who, category = look.worked.rows[0].organisation_id, look.rules.categories[entered[0]]
    return field_name(who, category.code, code, look.rules.periods[0])


def _largest_field(look: _Look, category: Category) -> str:
    column = look.rules.categories.index(category)
    row = max(look.worked.rows, key=lambda each: each.amounts[column])
    return look.place(row.organisation_id, category.code)


def _organisation(look: _Look, row: OrganisationTotals) -> list[Finding]:
    name = look.names.get(row.organisation_id, "One partner")
    most = look.rules.organisation_max
    if most is not None and row.requested > most:
        over = row.requested - most
        return [
            Finding(
                "organisation_max",
                Severity.BROKEN,
                f"{name} asks for {over} too much.",
                f"One organisation may ask for at most {most} in this call; {name} asks for {row.requested}.",
                (("Asked for", row.requested), ("The most for one organisation", most), ("Reduce by", over)),
                f"Reduce the amounts of {name} by {over}.",
                look.place(row.organisation_id, _largest_category(look.rules, row).code),
            )
        ]
    if row.total or not look.rules.entered:
        return []
    return [
        Finding(
            "no_amount",
            Severity.WARNING,
            f"{name} has no amount in the budget.",
            remedy="Enter one, or leave it if this partner takes part without money.",
            place=look.place(row.organisation_id, look.rules.entered[0].code),
        )
    ]


def _largest_category(rules: BudgetRules, row: OrganisationTotals) -> Category:
    columns = [
        (amount, category) for category, amount in zip(rules.categories, row.amounts, strict=True) if category.entered
    ]
    return max(columns, key=lambda each: each[0])[1]


def _flat_rate(rules: BudgetRules, worked: Totals) -> Finding:
    assert rules.flat_rate is not None and rules.computed is not None
    outside = [category.label.lower() for category in rules.entered if not category.in_flat_rate_base]
    without = f", not counting {' and '.join(outside)}" if outside else ""
    rate = percent(rules.flat_rate)
    return Finding(
        "flat_rate",
        Severity.KEPT,
        f"{rules.computed.label}: {rate} of direct costs{without}",
        "Computed for each partner and rounded to a cent once; nobody types it.",
        (
            (f"Direct costs counted{without}", total(row.flat_rate_base for row in worked.rows)),
            (f"{rate} of that, by partner", worked.indirect),
        ),
    )


def rules_problems(rules: BudgetRules) -> tuple[Problem, ...]:
    """What is wrong with the budget rules of a call before anybody may use them."""
    found: list[Problem] = []
    codes = [category.code for category in rules.categories]
    found += [
        Problem("budget.categories", f"the code \u201c{code}\u201d is used twice.")
        for code in sorted({c for c in codes if codes.count(c) > 1})
    ]
    if rules.categories and not rules.entered:
        found.append(Problem("budget.categories", "there is no category to enter an amount in."))
    computed = [category for category in rules.categories if not category.entered]
    if len(computed) > 1 or bool(computed) != (rules.flat_rate is not None):
        found.append(
            Problem("budget.flat_rate", "a flat rate needs exactly one computed category, and the other way round.")
        )
    if not 0 < rules.funding_rate <= 1:
        found.append(Problem("budget.funding_rate", "the funding rate lies above 0 % and at most at 100 %."))
    if rules.flat_rate is not None and not 0 <= rules.flat_rate <= 1:
        found.append(Problem("budget.flat_rate", "the flat rate lies between 0 % and 100 %."))
    if any(envelope.amount <= ZERO for envelope in rules.envelopes):
        found.append(Problem("budget.envelopes", "an award amount is more than zero."))
    found += [
        Problem("budget.limits", f"there is no category \u201c{limit.category}\u201d.")
        for limit in rules.limits
        if limit.category not in codes
    ]
    return (*found, *_axes_problems(rules), *_cap_problems(rules), *unit_rules_problems(rules))


def _axes_problems(rules: BudgetRules) -> list[Problem]:
    found = []
    if rules.period_months and not rules.duration_months:
        found.append(Problem("budget_grid.period_months", "needs the length of a pilot in months."))
    if rules.lump_sums and not rules.by_work_package:
        found.append(Problem("lump_sums", "need a budget by work package. Set budget_grid.by_work_package to yes."))
    codes = [lump.work_package for lump in rules.lump_sums]
    if len(set(codes)) < len(codes):
        found.append(Problem("lump_sums", "name a work package twice. Give each one sum."))
    if any(not lump.amount or not is_package_code(lump.work_package) for lump in rules.lump_sums):
        found.append(
            Problem(
                "lump_sums", "have a work package without an amount, or with a code other than letters and figures."
            )
        )
    return found


def _cap_problems(rules: BudgetRules) -> list[Problem]:
    found = [
        Problem("budget_limits", f"give \u201c{limit.category}\u201d neither a share nor an amount.")
        for limit in rules.limits
        if limit.share_max is None and limit.amount_max is None
    ]
    if any(limit.share_max is not None and not 0 <= limit.share_max <= 1 for limit in rules.limits):
        found.append(Problem("budget_limits", "have a share outside 0 % to 100 %."))
    return found
