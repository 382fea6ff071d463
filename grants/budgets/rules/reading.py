"""Amounts as people type or paste them: three European spellings, how each was read, and what can be read two ways."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from uuid import UUID

from grants.budgets.rules.units import read_units
from grants.budgets.rules.values import BudgetRules, Cell, Package, Reading, field_name
from grants.core.errors import Invalid, quoted
from grants.core.money import ZERO, Money, parse_money, plain, without_currency

# As many characters of one cell are looked at; no amount is longer.
TEXT_CHARACTERS_MAX = 60


class Marks(StrEnum):
    """What a person's full stop and comma mean, where they have said so."""

    UNSAID = ""
    # 1.234,50
    DOT = "dot"
    # 1,234.50
    COMMA = "comma"


class Ambiguous(Invalid):
    """“1.234” is a thousand and more for one person and one euro and a bit for another: it is asked back, never guessed."""


_MINUS = re.compile("^\\s*[-\u2212]")
# One mark and three digits after it: thousands, or a spreadsheet's three decimals.
_TWO_WAYS = re.compile(r"^(?P<lead>[1-9][0-9]{0,2})(?P<mark>[.,])(?P<rest>[0-9]{3})$")


def read_amount(text: str, marks: Marks = Marks.UNSAID) -> Money:
    """An amount of a cost line: any European spelling, never below zero, empty is zero.

    Raises :class:`Ambiguous` for what can be read two ways as long as nobody said what the marks mean, and
    :class:`Invalid` for everything that is no amount.

    >>> read_amount("1.234", Marks.DOT).cents
    123400
    """
    tidy = text.strip()
    if not tidy:
        return ZERO
    if len(tidy) > TEXT_CHARACTERS_MAX:
        raise Invalid(f"{quoted(tidy[:20])} and what follows is no amount. Write euros and at most two decimals.")
    found = _TWO_WAYS.match(without_currency(tidy))
    if found is not None:
        return _read_with(marks, found)
    amount = parse_money(tidy)
    if _MINUS.match(text):
        raise Invalid("The amount is below zero. A budget holds amounts of zero or more.")
    return amount


def _read_with(marks: Marks, found: re.Match[str]) -> Money:
    lead, mark, rest = found["lead"], found["mark"], found["rest"]
    whole = Money(int(lead + rest) * 100)
    match marks:
        case Marks.UNSAID:
            # What is cut off is never offered as the same amount.
            is_exact, short = rest.endswith("0"), f"{lead}{mark}{rest[:2]}"
            meant = short if is_exact else f"{lead} and three decimals"
            instead = short if is_exact else "round it yourself to two decimals"
            raise Ambiguous(
                f"{quoted(lead + mark + rest)} can be read two ways: {plain(whole)} or {meant}. "
                f"Write {lead} {rest} or {instead}, or say above the table how you write numbers."
            )
        case Marks.DOT if mark == ".":
            return whole
        case Marks.COMMA if mark == ",":
            return whole
    raise Invalid(
        f"{quoted(lead + mark + rest)} has three decimals the way you write numbers. Write at most two; round it yourself, "
        "so that the sums are yours."
    )


def read_marks(text: str | None) -> Marks:
    """What somebody said of their marks; anything unknown is nothing said."""
    return Marks(text) if text in {each.value for each in Marks} else Marks.UNSAID


def how_read(text: str, amount: Money) -> str:
    """How a text was read, where its spelling is not ours: ``1 234.50`` for “1.234,50”; nothing where there is nothing to say."""
    typed = re.sub("[\\s\u00a0\u202f]", "", text)
    return plain(amount) if typed and typed not in _own_spellings(amount) else ""


def _own_spellings(amount: Money) -> set[str]:
    spelled = re.sub("[\\s\u00a0]", "", plain(amount))
    return {spelled, spelled.removesuffix(".00")}


def read_cells(
    rules: BudgetRules,
    organisations: Sequence[UUID],
    typed: Mapping[str, str],
    packages: Sequence[Package] = (),
    marks: Marks = Marks.UNSAID,
) -> Reading:
    """What was typed into the grid. Only the entered columns of these organisations are looked at.

    A field for the computed column, another organisation or an invented category is not read at all, and a cell whose
    field was not sent stays as it is.
    """
    cells, errors, kept, reworded = [], {}, {}, []
    for work_package, period, who in ((w, p, o) for w, p in axes(rules, packages) for o in organisations):
        for category in rules.entered:
            name = field_name(who, category.code, work_package, period)
            if name not in typed:
                continue
            text = kept[name] = typed[name]
            try:
                amount = read_in(rules, category.code, text, marks)
            except Invalid as error:
                errors[name] = str(error)
                continue
            cells.append(Cell(who, category.code, amount, work_package, period))
            if read := how_read(text, amount):
                reworded.append((text.strip(), read))
    return Reading(tuple(cells), errors, kept, tuple(reworded))


def read_in(rules: BudgetRules, code: str, text: str, marks: Marks = Marks.UNSAID) -> Money:
    """An amount of a category: in euros, or in units where it is paid by them and the text says units."""
    unit = rules.unit_of(code)
    units = read_units(text, unit) if unit is not None else None
    return read_amount(text, marks) if units is None else units


def axes(rules: BudgetRules, packages: Sequence[Package]) -> tuple[tuple[str, int], ...]:
    """Work package and period of every slice a grid may hold, outside a work package last."""
    codes = [package.code for package in packages] if rules.by_work_package else []
    return tuple((code, period) for code in (*codes, "") for period in rules.periods)
