"""A budget as a workbook to be filled without the program, and read again: a line a partner, work package and period.

Written before any sign-in with empty lines, or for a team with its lines and what stands in them. Whoever hands a file over
has looked into it first (``core.file_checks``); what is read of a workbook is bounded by ``dossiers.offline``.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

from grants.budgets.rules import (
    BudgetRules,
    Cell,
    Marks,
    Package,
    axes,
    field_name,
    label_with_unit,
    read_amount,
    read_units,
)
from grants.core.errors import Invalid, quoted
from grants.core.money import CENTS_MAX, ZERO, Money, total
from grants.core.text import fold
from grants.dossiers.offline import book_rows

SHEET = "Budget"
# Lines of the file for everybody, whose partners nobody knows yet.
EMPTY_LINES = 40
_BEFORE = ("Partner", "Work package", "Period")
# The same bytes whenever it is made.
_MOMENT = datetime(2000, 1, 1)


@dataclass(frozen=True, slots=True)
class SheetLine:
    """One line of the sheet: whose, of which work package and period, and the amounts that stand by category."""

    name: str
    organisation_id: UUID
    work_package: str = ""
    period: int = 0
    amounts: Mapping[str, Money] | None = None

    @property
    def key(self) -> str:
        """What the last column says, by which the line is found again."""
        return f"{self.organisation_id}~{self.work_package}~{self.period}"


@dataclass(frozen=True, slots=True)
class FilledCell:
    """One amount of a filled sheet, and its cell."""

    cell: Cell
    where: str


@dataclass(frozen=True, slots=True)
class FilledBudget:
    """What a filled workbook says: amounts that could be read, and what could not, each with its cell."""

    cells: tuple[FilledCell, ...]
    problems: tuple[str, ...]


def lines_of(
    rules: BudgetRules, rows: Sequence[tuple[UUID, str]], packages: Sequence[Package], cells: Sequence[Cell]
) -> tuple[SheetLine, ...]:
    """Every line a team's sheet has, work package by work package, with what stands."""
    standing = {cell.place: cell.amount for cell in cells}
    return tuple(
        SheetLine(
            name,
            who,
            work_package,
            period,
            {
                category.code: standing[place]
                for category in rules.entered
                if (place := field_name(who, category.code, work_package, period)) in standing
            },
        )
        for work_package, period in axes(rules, packages)
        for who, name in rows
    )


def _columns(rules: BudgetRules) -> tuple[str, ...]:
    return (*_BEFORE, *(category.label for category in rules.entered), "Total", "Field")


def written(title: str, notes: Sequence[str], rules: BudgetRules, lines: Sequence[SheetLine]) -> bytes:
    """The workbook: a sheet of amounts and one that says how to fill it; without lines, empty ones for everybody."""
    import xlsxwriter  # only where somebody asks for it

    made = io.BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    book.set_properties({"title": title, "created": _MOMENT})
    bold = book.add_format({"bold": True, "text_wrap": True})
    euros = book.add_format({"num_format": "#,##0.00", "border": 1})
    words = book.add_format({"num_format": "@"})
    sheet = book.add_worksheet(SHEET)
    columns = _columns(rules)
    for place, name in enumerate(columns):
        sheet.set_column(place, place, 34 if place == 0 else 16)
        sheet.write_string(0, place, name, bold)
    sheet.freeze_panes(1, len(_BEFORE))
    first, last = len(_BEFORE), len(_BEFORE) + len(rules.entered) - 1
    for number, line in enumerate(lines or [None] * EMPTY_LINES, start=1):
        if line is not None:
            for place, text in enumerate((line.name, line.work_package, rules.period_words(line.period))):
                sheet.write_string(number, place, text, words)
            sheet.write_string(number, len(columns) - 1, line.key, words)
        for place, category in enumerate(rules.entered, start=first):
            amount = (line.amounts or {}).get(category.code) if line is not None else None
            if amount:
                sheet.write_number(number, place, Decimal(amount.cents) / 100, euros)
            else:
                sheet.write_blank(number, place, None, euros)
        total = sum((each.cents for each in (line.amounts or {}).values()) if line is not None else (), 0)
        letters = f"{_letter(first)}{number + 1}:{_letter(last)}{number + 1}"
        sheet.write_formula(number, len(columns) - 2, f"=SUM({letters})", euros, Decimal(total) / 100)
    said = book.add_worksheet("How to fill it in")
    said.set_column(0, 0, 120)
    for number, note in enumerate((title, *_told(rules), *notes)):
        said.write_string(number, 0, note, book.add_format({"text_wrap": True, "bold": number == 0}))
    book.close()
    return made.getvalue()


def _letter(place: int) -> str:
    """The letters of a column, as a spreadsheet writes them.

    >>> _letter(0), _letter(25), _letter(26)
    ('A', 'Z', 'AA')
    """
    found = ""
    while place >= 0:
        found, place = chr(ord("A") + place % 26) + found, place // 26 - 1
    return found


def _told(rules: BudgetRules) -> Iterator[str]:
    """What a call asks of a budget, in words: limits and guidance."""
    yield "Write euros with at most two decimals. As text, 1 234,50 and 1.234,50 and 1,234.50 are read alike."
    yield "Write results, not formulas: a formula in a cell of amounts is not read. The column “Total” is only for you."
    yield "Leave the head and the last column as they are. In an empty line, write the partner as the application names it."
    if rules.by_work_package:
        yield "Amounts stand by work package: write its code, for example WP1. Empty means outside every work package."
    if rules.periods != (0,):
        known = "; ".join(f"{period}: {rules.period_words(period)}" for period in rules.periods)
        yield f"Amounts stand by period: write its number or its months. {known}."
    for category in rules.entered:
        if category.hint:
            yield f"{category.label}: {category.hint}"
        if rules.unit_of(category.code) is not None:
            yield f"{label_with_unit(rules, category)}. Write euros, or units as in “12 units”."
    if rules.computed is not None and rules.flat_rate is not None:
        outside = ", ".join(each.label for each in rules.entered if not each.in_flat_rate_base)
        without = f", without {outside}" if outside else ""
        yield f"{rules.computed.label} is worked out for you: {_percent(rules.flat_rate)} of the direct costs{without}."
    for limit in rules.limits:
        label = next((each.label for each in rules.categories if each.code == limit.category), limit.category)
        share = f" {_percent(limit.share_max)} of the whole" if limit.share_max is not None else ""
        amount = f" {limit.amount_max}" if limit.amount_max is not None else ""
        yield f"{label}: at most{share}{' and' if share and amount else ''}{amount}."
    if rules.organisation_max is not None:
        yield f"One organisation asks for at most {rules.organisation_max}."
    if rules.envelopes:
        amounts = ", ".join(f"{each.amount}" for each in rules.envelopes)
        yield f"Award amounts of the call ({rules.envelope_rule.value}): {amounts}."
    for lump in rules.lump_sums:
        yield f"{lump.work_package}, {lump.title}: exactly {lump.amount}."


def _percent(share: Fraction) -> str:
    return f"{Decimal(share.numerator) * 100 / Decimal(share.denominator):f} %"


# --- reading --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Places:
    """What a line may be about: organisations by their folded names, work packages and periods of this budget."""

    rules: BudgetRules
    names: Mapping[str, Sequence[UUID]]
    known: frozenset[str]
    packages: Mapping[str, str]
    periods: Mapping[str, int]


def read(
    data: bytes, rules: BudgetRules, rows: Sequence[tuple[UUID, str]], packages: Sequence[Package], marks: Marks
) -> FilledBudget:
    """The amounts of a filled workbook; each problem names its cell. Raises :class:`Invalid` where it is no such file.

    In a line found by its key an emptied cell is zero; in one found by the names people wrote it says nothing.
    """
    columns = _columns(rules)
    lines = [
        (*line, *[None] * (len(columns) - len(line))) for line in book_rows(data, columns_max=len(columns), sheet=SHEET)
    ]
    head = tuple(str(value or "").strip() for value in (lines[0] if lines else ()))
    if head != columns:
        raise Invalid(
            "This is not the budget sheet of this call, or its head was changed. Download it here, and fill in its lines."
        )
    places = _places(rules, rows, packages)
    found: dict[str, FilledCell] = {}
    problems: list[str] = []
    for number, line in enumerate(lines[1:], start=2):
        if all(
            value in (None, "") for value in (*line[: len(_BEFORE)], *line[len(_BEFORE) : len(columns) - 2], line[-1])
        ):
            continue
        try:
            where = _place_of(line, number, places)
        except Invalid as error:
            problems.append(str(error))
            continue
        _read_line(line, number, where, places, marks, found, problems)
    if not found and not problems:
        raise Invalid("No amount was found in the workbook. Fill in the lines of the sheet “Budget”.")
    return FilledBudget(tuple(found.values()), tuple(problems))


def _places(rules: BudgetRules, rows: Sequence[tuple[UUID, str]], packages: Sequence[Package]) -> _Places:
    names: dict[str, list[UUID]] = {}
    for who, name in rows:
        names.setdefault(fold(name.removesuffix(" (lead)")), []).append(who)
    return _Places(
        rules,
        names,
        frozenset(SheetLine("", who, code, period).key for code, period in axes(rules, packages) for who, _ in rows),
        {fold(package.code): package.code for package in packages} if rules.by_work_package else {},
        {words: period for period in rules.periods for words in (str(period), fold(rules.period_words(period)))},
    )


_Where = tuple[UUID, str, int, bool]


def _place_of(line: tuple[object, ...], number: int, places: _Places) -> _Where:
    """Whose line it is, of which work package and period, and whether its key says so; raises Invalid with the cell."""
    key = str(line[-1] or "").strip()
    if key:
        if key not in places.known:
            raise Invalid(
                f"{SHEET}!{_letter(len(line) - 1)}{number}: this line is of another application, or its partner or work package "
                "is not there any more. Its amounts were not read."
            )
        who, of_package, of_period = key.split("~")
        return UUID(who), of_package, int(of_period), True
    name, code, words = (str(value if value is not None else "").strip() for value in line[: len(_BEFORE)])
    owners = places.names.get(fold(name.removesuffix(" (lead)")), ())
    if not name:
        raise Invalid(f"{SHEET}!A{number}: this line has amounts and names no partner. Write whose they are.")
    if len(owners) != 1:
        raise Invalid(
            f"{SHEET}!A{number}: {quoted(name)} is no partner of this application. Write the name as it stands there."
        )
    if code and not places.rules.by_work_package:
        raise Invalid(f"{SHEET}!B{number}: the amounts of this call do not stand by work package. Empty this cell.")
    if code and fold(code) not in places.packages:
        raise Invalid(
            f"{SHEET}!B{number}: {quoted(code)} is no work package of this budget. Add it to the work plan first."
        )
    period = places.periods.get(fold(words), 0 if places.rules.periods == (0,) else None)
    if period is None:
        raise Invalid(f"{SHEET}!C{number}: {quoted(words)} is no period of this call. Write its number.")
    return owners[0], places.packages.get(fold(code), ""), period, False


def _read_line(
    line: tuple[object, ...],
    number: int,
    where: _Where,
    places: _Places,
    marks: Marks,
    found: dict[str, FilledCell],
    problems: list[str],
) -> None:
    who, code, period, is_keyed = where
    for column, category in enumerate(places.rules.entered, start=len(_BEFORE)):
        at, value = f"{SHEET}!{_letter(column)}{number}", line[column]
        if value in (None, "") and not is_keyed:
            continue
        place = field_name(who, category.code, code, period)
        if place in found:
            problems.append(f"{at}: this amount stands in {found[place].where} already. Only the first was read.")
            continue
        try:
            found[place] = FilledCell(
                Cell(who, category.code, _amount_in(places.rules, category.code, value, marks), code, period), at
            )
        except Invalid as error:
            problems.append(f"{at}: {error}")
    if wrong := _other_total(line, number, places, marks):
        problems.append(wrong)


def _other_total(line: tuple[object, ...], number: int, places: _Places, marks: Marks) -> str:
    """What is wrong with a total that somebody typed over ours; a formula is worked out from the amounts and says nothing."""
    typed = line[-2]
    if (isinstance(typed, str) and typed.lstrip().startswith("=")) or not isinstance(
        typed, int | float | Decimal | str
    ):
        return ""
    amounts = line[len(_BEFORE) : len(_BEFORE) + len(places.rules.entered)]
    try:
        said = amount_of(typed, marks)
        is_so = total(
            _amount_in(places.rules, category.code, each, marks)
            for category, each in zip(places.rules.entered, amounts, strict=True)
            if each != ""
        )
    except Invalid:
        return ""  # The cell that is no amount is named by itself.
    if typed == "" or said == is_so:
        return ""
    apart = max(said, is_so) - min(said, is_so)
    return (
        f"{SHEET}!{_letter(len(line) - 2)}{number}: the total says {said}, and its amounts are {is_so}, {apart} apart. Correct "
        "the amounts, or empty the total: it is worked out from them."
    )


def _amount_in(rules: BudgetRules, code: str, value: object, marks: Marks) -> Money:
    """The amount in a cell of a category: units where it is paid by them and the text says units, as on the page."""
    unit = rules.unit_of(code)
    units = read_units(value, unit) if unit is not None and isinstance(value, str) else None
    return amount_of(value, marks) if units is None else units


def amount_of(value: object, marks: Marks) -> Money:
    """The amount in one cell of a workbook; raises :class:`Invalid`.

    >>> amount_of(1234.5, Marks.UNSAID).cents, amount_of("1.234,50", Marks.UNSAID).cents
    (123450, 123450)
    """
    match value:
        case None:
            return ZERO
        case bool() | date() | time():
            raise Invalid("A date or yes and no is no amount. Format the cell as a number.")
        case int() | float() | Decimal():
            return _from_number(Decimal(str(value)))
        case str() if value.lstrip().startswith("="):
            raise Invalid("A formula is not read, for its result may be an old one. Write the result.")
        case str():
            return read_amount(value, marks)
        case _:
            raise Invalid("A formula is not read, for its result may be an old one. Write the result.")


def _from_number(value: Decimal) -> Money:
    # A spreadsheet keeps 17 digits of a double: what lies within a thousandth of a cent of a cent was typed as that cent.
    if not value.is_finite():
        raise Invalid("This is no number.")
    if value < 0:
        raise Invalid("The amount is below zero. A budget holds amounts of zero or more.")
    if value * 100 > CENTS_MAX:
        raise Invalid("The amount is larger than any budget here. Write euros, not cents.")
    cents = (value * 100).to_integral_value()
    if abs(value * 100 - cents) > Decimal("0.001"):
        raise Invalid(f"{value} has more than two decimals. Round it yourself, so that the sums are yours.")
    return Money(int(cents))
