"""The arithmetic of budgets: partner x category in exact cents, flat rate, funding rate, and the rules of a call."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from typing import Any, assert_never
from uuid import UUID

from grants.core import encoding
from grants.core.errors import Conflict, Invalid, Problem
from grants.core.money import ZERO, Money, Rounding, parse_money, plain, total


class EnvelopeRule(StrEnum):
    """Whether a request may lie below an award amount of the call or must equal one."""

    CEILING = "ceiling"
    EXACT = "exact"


class Purpose(StrEnum):
    """What a budget says: what is planned, what was granted, what was spent."""

    PLANNED = "planned"
    GRANTED = "granted"
    ACTUAL = "actual"


class Severity(StrEnum):
    """A broken rule stops the sending; a warning does not; a kept rule is shown so that people see it was looked at."""

    BROKEN = "broken"
    WARNING = "warning"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Category:
    """A column of the budget. ``entered`` is false for the one computed by the flat rate.

    Subcontracting and financial support to third parties stand outside the flat-rate base (domain.md B-01).
    """

    code: str
    label: str
    in_flat_rate_base: bool = True
    entered: bool = True
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Envelope:
    """An award amount of the call."""

    code: str
    amount: Money


@dataclass(frozen=True, slots=True)
class CategoryLimit:
    """A category that may take at most a share of the whole (\u201csubcontracting stays below 30 %\u201d)."""

    category: str
    share_max: Fraction


@dataclass(frozen=True, slots=True)
class BudgetRules:
    """Everything a call says about budgets; rates are exact fractions (``Fraction(1, 4)`` is 25 %)."""

    categories: tuple[Category, ...]
    flat_rate: Fraction | None = None
    funding_rate: Fraction = Fraction(1)
    envelopes: tuple[Envelope, ...] = ()
    envelope_rule: EnvelopeRule = EnvelopeRule.CEILING
    limits: tuple[CategoryLimit, ...] = ()

    def category(self, code: str) -> Category | None:
        """The category of that code, or None."""
        return next((category for category in self.categories if category.code == code), None)

    @property
    def entered(self) -> tuple[Category, ...]:
        """The columns people type into."""
        return tuple(category for category in self.categories if category.entered)

    @property
    def computed(self) -> Category | None:
        """The column of the flat rate, if the call has one."""
        return next((category for category in self.categories if not category.entered), None)


@dataclass(frozen=True, slots=True)
class Cell:
    """One amount of one organisation in one category."""

    organisation_id: UUID
    category: str
    amount: Money


@dataclass(frozen=True, slots=True)
class OrganisationTotals:
    """One row: amounts by category in the order of the rules, the flat rate included."""

    organisation_id: UUID
    amounts: tuple[Money, ...]
    direct: Money
    flat_rate_base: Money
    indirect: Money
    total: Money
    requested: Money


@dataclass(frozen=True, slots=True)
class Totals:
    """All rows, the sum of each column, and the whole; rows and columns always agree to the cent."""

    rows: tuple[OrganisationTotals, ...]
    by_category: tuple[Money, ...]
    direct: Money
    indirect: Money
    total: Money
    requested: Money

    def row(self, organisation_id: UUID) -> OrganisationTotals:
        """The row of one organisation; a KeyError where it has none."""
        for row in self.rows:
            if row.organisation_id == organisation_id:
                return row
        raise KeyError(organisation_id)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule looked at: what it says, the value, the limit, the remedy, and the field to mend."""

    code: str
    severity: Severity
    title: str
    explanation: str = ""
    figures: tuple[tuple[str, Money], ...] = ()
    remedy: str = ""
    place: str = ""

    @property
    def sentence(self) -> str:
        """Rule, value, limit and remedy in one go, for the check page and a list of problems."""
        return " ".join(part for part in (self.title, self.explanation, self.remedy) if part)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the grid form was read as: cells, a sentence for each field that could not be read, and what was reworded.

    ``typed`` keeps every text as it came, so that the page can give it back.
    """

    cells: tuple[Cell, ...]
    errors: Mapping[str, str]
    typed: Mapping[str, str]
    reworded: tuple[tuple[str, str], ...]


class BudgetChanged(Conflict):
    """Somebody else saved this budget first; the page shows both."""


# --- totals ---------------------------------------------------------------------------------------------------


def totals(rules: BudgetRules, cells: Iterable[Cell], organisations: Sequence[UUID] | None = None) -> Totals:
    """All totals. Amounts given for the computed column or an unknown category are ignored, never added.

    The flat rate is rounded half-up **once per organisation**; the request is rounded down, so that
    it never exceeds the funding rate.

    >>> from uuid import UUID
    >>> staff = Category("A", "Personnel"); indirect = Category("E", "Indirect", entered=False)
    >>> rules = BudgetRules((staff, indirect), flat_rate=Fraction(1, 4))
    >>> totals(rules, [Cell(UUID(int=1), "A", Money(1001))]).total.cents
    1251
    """
    amounts: dict[tuple[UUID, str], Money] = {}
    for cell in cells:
        category = rules.category(cell.category)
        if category is not None and category.entered:
            key = (cell.organisation_id, cell.category)
            amounts[key] = amounts.get(key, ZERO) + cell.amount
    order = list(organisations) if organisations is not None else list(dict.fromkeys(who for who, _ in amounts))
    rows = tuple(_row(rules, who, amounts) for who in order)
    by_category = tuple(total(row.amounts[column] for row in rows) for column in range(len(rules.categories)))
    result = Totals(
        rows=rows,
        by_category=by_category,
        direct=total(row.direct for row in rows),
        indirect=total(row.indirect for row in rows),
        total=total(row.total for row in rows),
        requested=total(row.requested for row in rows),
    )
    assert total(by_category) == result.total, "rows and columns must agree to the cent"
    assert result.direct + result.indirect == result.total
    return result


def _row(rules: BudgetRules, who: UUID, amounts: Mapping[tuple[UUID, str], Money]) -> OrganisationTotals:
    direct = total(amounts.get((who, category.code), ZERO) for category in rules.entered)
    base = total(amounts.get((who, c.code), ZERO) for c in rules.entered if c.in_flat_rate_base)
    indirect = ZERO
    if rules.flat_rate is not None and rules.computed is not None:
        indirect = base.share(rules.flat_rate, rounding=Rounding.HALF_UP)
    whole = direct + indirect
    return OrganisationTotals(
        organisation_id=who,
        amounts=tuple(amounts.get((who, c.code), ZERO) if c.entered else indirect for c in rules.categories),
        direct=direct,
        flat_rate_base=base,
        indirect=indirect,
        total=whole,
        requested=whole.share(rules.funding_rate, rounding=Rounding.DOWN),
    )


# --- reading the grid -----------------------------------------------------------------------------------------


def field_name(organisation_id: UUID, category: str) -> str:
    """The name and the id of one cell's field: what a broken rule links to."""
    return f"cell-{organisation_id}-{category}"


_MINUS = re.compile("^\\s*[-\u2212]")


def read_amount(text: str) -> Money:
    """An amount of a cost line: any European spelling, never below zero, empty is zero; raises :class:`Invalid`."""
    if not text.strip():
        return ZERO
    amount = parse_money(text)
    if _MINUS.match(text):
        raise Invalid("The amount is below zero. A budget holds amounts of zero or more.")
    return amount


def read_cells(rules: BudgetRules, organisations: Sequence[UUID], typed: Mapping[str, str]) -> Reading:
    """What was typed into the grid. Only the entered columns of these organisations are looked at.

    A field for the computed column, another organisation or an invented category is not read at all.
    """
    cells, errors, kept, reworded = [], {}, {}, []
    for who in organisations:
        for category in rules.entered:
            name = field_name(who, category.code)
            text = kept[name] = typed.get(name, "")
            try:
                amount = read_amount(text)
            except Invalid as error:
                errors[name] = str(error)
                continue
            cells.append(Cell(who, category.code, amount))
            if text.strip() and re.sub("[\\s\u00a0]", "", text) not in _own_spellings(amount):
                reworded.append((text.strip(), plain(amount)))
    return Reading(tuple(cells), errors, kept, tuple(reworded))


def _own_spellings(amount: Money) -> set[str]:
    spelled = re.sub("[\\s\u00a0]", "", plain(amount))
    return {spelled, spelled.removesuffix(".00")}


# --- the rules of a call --------------------------------------------------------------------------------------


def percent(rate: Fraction) -> str:
    """``25 %``, with decimals only where there are some.

    >>> percent(Fraction(1, 8))
    '12.5 %'
    """
    thousandths = rate * 100_000
    whole, rest = divmod(round(thousandths), 1000)
    decimals = f".{rest:03d}".rstrip("0") if rest else ""
    return f"{whole}{decimals}\u00a0%"


def findings(rules: BudgetRules, worked: Totals, names: Mapping[UUID, str]) -> tuple[Finding, ...]:
    """Every rule of the call looked at against these totals, broken ones first; a call without money has none."""
    if not rules.categories:
        return ()
    found = [*_empty(worked), *_envelope(rules, worked), *_limits(rules, worked)]
    found += [finding for row in worked.rows for finding in _organisation(rules, row, names)]
    if rules.flat_rate is not None and rules.computed is not None:
        found.append(_flat_rate(rules, worked))
    order = {Severity.BROKEN: 0, Severity.WARNING: 1, Severity.KEPT: 2}
    return tuple(sorted(found, key=lambda finding: order[finding.severity]))


def problems(rules: BudgetRules, worked: Totals, names: Mapping[UUID, str]) -> tuple[Problem, ...]:
    """The broken rules alone, each with the id of the field to mend (or ``budget``) and its sentence."""
    return tuple(
        Problem(finding.place or "budget", finding.sentence)
        for finding in findings(rules, worked, names)
        if finding.severity is Severity.BROKEN
    )


def warnings(rules: BudgetRules, worked: Totals, names: Mapping[UUID, str]) -> tuple[Problem, ...]:
    """What should be looked at but does not stop the sending."""
    return tuple(
        Problem(finding.place or "budget", finding.sentence)
        for finding in findings(rules, worked, names)
        if finding.severity is Severity.WARNING
    )


def _first_field(rules: BudgetRules, worked: Totals) -> str:
    if not worked.rows or not rules.entered:
        return ""
    return field_name(worked.rows[0].organisation_id, rules.entered[0].code)


def _empty(worked: Totals) -> list[Finding]:
    if worked.total:
        return []
    return [Finding("empty", Severity.BROKEN, "The budget is empty.", remedy="Enter at least one amount.")]


def _envelope(rules: BudgetRules, worked: Totals) -> list[Finding]:
    if not rules.envelopes or not worked.total:
        return []
    asked, place = worked.requested, _first_field(rules, worked)
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


def _limits(rules: BudgetRules, worked: Totals) -> list[Finding]:
    found = []
    for limit in rules.limits:
        category = rules.category(limit.category)
        if category is None or not worked.total:
            continue
        amount = worked.by_category[rules.categories.index(category)]
        most = worked.total.share(limit.share_max, rounding=Rounding.DOWN)
        rule = f"{category.label} may be at most {percent(limit.share_max)} of the total"
        if amount > most:
            over = amount - most
            found.append(
                Finding(
                    f"limit_{category.code}",
                    Severity.BROKEN,
                    f"{category.label} is {over} too high.",
                    f"{rule}: {most}. You entered {amount}.",
                    (
                        (f"{percent(limit.share_max)} of {worked.total}", most),
                        ("You entered", amount),
                        ("Over by", over),
                    ),
                    "Lower this category or raise others.",
                    _largest_field(rules, worked, category),
                )
            )
        else:
            found.append(Finding(f"limit_{category.code}", Severity.KEPT, rule, f"{amount} of at most {most}."))
    return found


def _largest_field(rules: BudgetRules, worked: Totals, category: Category) -> str:
    column = rules.categories.index(category)
    row = max(worked.rows, key=lambda each: each.amounts[column])
    return field_name(row.organisation_id, category.code)


def _organisation(rules: BudgetRules, row: OrganisationTotals, names: Mapping[UUID, str]) -> list[Finding]:
    if row.total or not rules.entered:
        return []
    name = names.get(row.organisation_id, "One partner")
    return [
        Finding(
            "no_amount",
            Severity.WARNING,
            f"{name} has no amount in the budget.",
            remedy="Enter one, or leave it if this partner takes part without money.",
            place=field_name(row.organisation_id, rules.entered[0].code),
        )
    ]


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
    return tuple(found)


# --- snapshots ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BudgetContent:
    """A budget as it stood at one moment; totals follow from it."""

    rules: BudgetRules
    organisations: tuple[UUID, ...]
    cells: tuple[Cell, ...]

    @property
    def totals(self) -> Totals:
        """The totals of this content."""
        return totals(self.rules, self.cells, self.organisations)


def to_mapping(content: BudgetContent) -> dict[str, Any]:
    """The content as plain JSON with one order and without zeros, for a snapshot and its hash."""
    order = {who: place for place, who in enumerate(content.organisations)}
    columns = {category.code: place for place, category in enumerate(content.rules.categories)}
    kept = sorted(
        (cell for cell in content.cells if cell.amount),
        key=lambda cell: (order[cell.organisation_id], columns[cell.category]),
    )
    return {
        "rules": encoding.encode(content.rules),
        "organisations": [str(who) for who in content.organisations],
        "cells": [encoding.encode(cell) for cell in kept],
    }


def from_mapping(stored: Mapping[str, Any]) -> BudgetContent:
    """What :func:`to_mapping` made, as frozen values again."""
    content: BudgetContent = encoding.decode({"value": dict(stored)}, BudgetContent)
    return content
