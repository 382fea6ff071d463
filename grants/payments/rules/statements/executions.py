"""A list of executed payments as CSV, for who has no bank channel: read row by row, in the spelling its bringer names. Pure.

Nothing is guessed: which mark parts the cents is said with the file, and a row that cannot be read says why and is not left
out. What a row means for an order is for the same matching as a line of a bank's file.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from grants.core import clock
from grants.core.errors import Invalid, quoted
from grants.core.money import ZERO, Money, parse_money
from grants.core.text import Dialect, csv_lines
from grants.payments.rules.statements.values import Direction, Line

ROWS_MAX = 2_000
TEXT_MAX = 500_000
HEADS = ("Order or end-to-end id", "Amount, EUR", "Value date", "Bank reference")


class Spelling(StrEnum):
    """How amounts are written in a list, and with it what parts its columns: spreadsheets tie the two together."""

    COMMA = "comma"
    POINT = "point"

    @property
    def words(self) -> str:
        """What the form calls it."""
        return {
            Spelling.COMMA: "Comma before the cents (1.234,56), columns parted by semicolons",
            Spelling.POINT: "Point before the cents (1,234.56), columns parted by commas",
        }[self]

    @property
    def parts(self) -> str:
        """What parts the columns."""
        return ";" if self is Spelling.COMMA else ","

    @property
    def cents(self) -> re.Pattern[str]:
        """An amount in this spelling: thousands may be parted by the other mark, or a space."""
        mark, other = (",", r"\.") if self is Spelling.COMMA else (r"\.", ",")
        lead = rf"(?:[0-9]+|[1-9][0-9]{{0,2}}(?:[{other} \u00a0\u202f][0-9]{{3}})+)"
        return re.compile(rf"{lead}(?:{mark}[0-9]{{1,2}})?")


@dataclass(frozen=True, slots=True)
class Execution:
    """One row: the order it names as typed, what the bank paid, on which day, and how the bank calls it."""

    row: int
    named: str
    amount: Money
    value_on: date
    bank_reference: str

    def line(self, end_to_end_id: str) -> Line:
        """The same as a line of the bank; the list says one day, so it is booked on its value date."""
        return Line(
            self.amount,
            Direction.DEBIT,
            self.value_on,
            self.value_on,
            bank_reference=self.bank_reference,
            end_to_end_id=end_to_end_id,
        )


@dataclass(frozen=True, slots=True)
class RowProblem:
    """What is wrong with a row, by its number in the list (the line of heads is the first)."""

    row: int
    words: str

    def __str__(self) -> str:
        return f"Row {self.row}: {self.words}"


@dataclass(frozen=True, slots=True)
class ExecutionList:
    """A list as it was read: its rows, and the rows that could not be."""

    rows: tuple[Execution, ...]
    problems: tuple[RowProblem, ...]


def template(spelling: Spelling) -> str:
    """An empty list with its heads, to be filled; spreadsheets open it with the marks of its spelling."""
    return csv_lines([HEADS], Dialect.SPREADSHEET if spelling is Spelling.COMMA else Dialect.PROGRAM)


def read_executions(text: str, spelling: Spelling, today: date) -> ExecutionList:
    """Read a list; raises :class:`Invalid` where it is none, with the way out."""
    if len(text) > TEXT_MAX:
        raise Invalid(f"The list is longer than {TEXT_MAX} characters. Bring it in parts.")
    try:
        lines = list(csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=spelling.parts))
    except csv.Error as error:
        raise Invalid(
            "The list cannot be read: a quotation mark is opened and not closed, so that one cell runs on over the rest of "
            "the list. Close or take out the mark, and bring the list again."
        ) from error
    while lines and not any(cell.strip() for cell in lines[-1]):
        lines.pop()
    if not lines or tuple(cell.strip() for cell in lines[0][: len(HEADS)]) != HEADS:
        raise Invalid(
            f"The first row must be {template(spelling).strip()} as in the template. If it is, the list is written with the "
            "other marks: choose the other spelling."
        )
    if len(lines) < 2:
        raise Invalid("The list has no row under its heads. Fill in a payment and bring it again.")
    if len(lines) - 1 > ROWS_MAX:
        raise Invalid(f"The list has {len(lines) - 1} rows; at most {ROWS_MAX} are read at once. Bring it in parts.")
    rows: list[Execution] = []
    problems: list[RowProblem] = []
    for number, cells in enumerate(lines[1:], start=2):
        if any(cell.strip() for cell in cells):
            _read(number, [cell.strip() for cell in cells], spelling, today, rows, problems)
    problems += _twice(rows)
    return ExecutionList(tuple(rows), tuple(sorted(problems, key=lambda each: each.row)))


def _read(
    number: int,
    cells: Sequence[str],
    spelling: Spelling,
    today: date,
    rows: list[Execution],
    problems: list[RowProblem],
) -> None:
    wrong: list[str] = []
    if len(cells) < len(HEADS) or any(cells[len(HEADS) :]):
        problems.append(
            RowProblem(number, f"it has {len(cells)} cells; write {len(HEADS)}, parted by “{spelling.parts}”.")
        )
        return
    named, typed, day, reference = cells[: len(HEADS)]
    if not named or len(named) > 50:
        wrong.append("name the order, by its reference or its end-to-end id.")
    if len(reference) > 100:
        wrong.append("the bank reference is longer than 100 characters.")
    amount = _amount(typed, spelling, wrong)
    value_on = _day(day, today, wrong)
    if wrong or amount is None or value_on is None:
        problems += [RowProblem(number, words) for words in wrong]
        return
    rows.append(Execution(number, named, amount, value_on, " ".join(reference.split())))


def _amount(typed: str, spelling: Spelling, wrong: list[str]) -> Money | None:
    if spelling.cents.fullmatch(typed) is None:
        shown = "1.234,56" if spelling is Spelling.COMMA else "1,234.56"
        wrong.append(
            f"{quoted(typed)} is no amount with a {spelling.value} before the cents. Write it as {shown}, or choose the other "
            "spelling for the whole list."
        )
        return None
    try:
        amount = parse_money(typed)
    except Invalid as error:
        wrong.append(str(error))
        return None
    if amount == ZERO:
        wrong.append("the amount is zero. Leave out what the bank did not pay.")
        return None
    return amount


_DOTTED = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


def _day(typed: str, today: date, wrong: list[str]) -> date | None:
    """A day as 2024-05-31 or 31.5.2024; with slashes nobody knows which number is the month."""
    dotted = _DOTTED.fullmatch(typed)
    spelled = f"{dotted[3]}-{int(dotted[2]):02d}-{int(dotted[1]):02d}" if dotted else typed
    try:
        day = date.fromisoformat(spelled) if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", spelled) else None
    except ValueError:
        day = None
    if day is None:
        wrong.append(f"{quoted(typed)} is no day. Write it as 2024-05-31 or 31.05.2024.")
    elif day > today:
        wrong.append(
            f"{clock.long_date(day)} is after today. The bank has not paid it yet: leave the row out until it has."
        )
        return None
    return day


def _twice(rows: Sequence[Execution]) -> list[RowProblem]:
    """A bank pays an order once: a second row that names it is a slip."""
    seen: dict[str, int] = {}
    problems = []
    for each in rows:
        first = seen.setdefault(each.named.upper(), each.row)
        if first != each.row:
            problems.append(RowProblem(each.row, f"{each.named} stands in row {first} already. Take out one of them."))
    return problems
