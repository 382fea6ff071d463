"""Costs line by line: what a line says, how typed rows are read, when it is refused, what counts as the same cost. Pure."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from functools import lru_cache
from uuid import UUID

from grants.budgets.rules import BudgetRules
from grants.core import clock
from grants.core.errors import Invalid, quoted
from grants.core.money import Money, NegativeAmounts, parse_money, plain
from grants.core.text import fold

EURO = "EUR"
LINES_MAX = 3_000
_Say = Callable[["Column", str], None]
# Typed rows with a mistake are told up to so many; the rest once these are mended.
MISTAKES_SHOWN_MAX = 100
CELL_CHARACTERS_MAX = 300


class Column(StrEnum):
    """The columns of a list of costs, in their order; the first row of a file names them."""

    PARTNER = "partner"
    CATEGORY = "category"
    DAY = "day"
    INVOICE = "invoice"
    SUPPLIER = "supplier"
    WORKER = "worker"
    WHAT = "what"
    CURRENCY = "currency"
    AMOUNT = "amount"
    CORRECTION = "correction"
    FILE = "file"


NEEDED = (Column.PARTNER, Column.CATEGORY, Column.DAY, Column.AMOUNT)


class Same(StrEnum):
    """By what a line is the same cost as another one."""

    FILE = "file"
    INVOICE = "invoice"
    WORK = "work"

    @property
    def words(self) -> str:
        """Within a sentence."""
        match self:
            case Same.FILE:
                return "the same file"
            case Same.INVOICE:
                return "the same supplier and invoice number"
            case Same.WORK:
                return "the same person on the same day"


class Verdict(StrEnum):
    """What a person decides of a cost that is declared elsewhere too: no double funding, with the reason, or not accepted."""

    OVERRIDE = "override"
    CUT = "cut"

    @property
    def words(self) -> str:
        """As people choose it."""
        match self:
            case Verdict.OVERRIDE:
                return "It is paid once only: the line stays"
            case Verdict.CUT:
                return "It is not accepted here"


@dataclass(frozen=True, slots=True)
class CostLineInput:
    """A line as it was understood: everything of it but its amount in euros, which the rates give."""

    number: int
    organisation_id: UUID
    category: str
    day: date
    invoice: str
    supplier: str
    worker: str
    what: str
    currency: str
    amount: Money
    is_correction: bool
    file_name: str
    file_sha256: str | None

    @property
    def supplier_key(self) -> str:
        """The supplier as it is compared."""
        return supplier_key(self.supplier)

    @property
    def invoice_key(self) -> str:
        """The number as it is compared; empty where no supplier is named with it."""
        return invoice_key(self.invoice) if self.supplier_key else ""

    @property
    def fingerprint(self) -> str:
        """The hash of what the line says: a decision on it holds while it stays the same."""
        parts = (
            *(str(self.organisation_id), self.category, self.day.isoformat(), self.invoice_key, self.supplier_key),
            *(fold(self.worker), self.currency, str(self.amount.cents), self.file_sha256 or ""),
        )
        return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with one typed row: where, and how it is mended."""

    row: int
    column: str
    sentence: str


@dataclass(frozen=True, slots=True)
class ReadLines:
    """What typed rows come to: lines and mistakes; nothing is kept while there is one."""

    lines: tuple[CostLineInput, ...]
    mistakes: tuple[Mistake, ...]


@dataclass(frozen=True, slots=True)
class LinesAsked:
    """What the rows of a report are read against. ``partners`` are those whose costs the person may declare."""

    partners: Mapping[str, UUID]
    rules: BudgetRules
    starts_on: date
    ends_before: date
    # Names of evidence that was uploaded, with the hash of each.
    files: Mapping[str, str]
    needs_file: bool = False
    # Why nothing of a partner is declared; and of who leaves within the period, the first day without its part.
    barred: Mapping[UUID, str] = field(default_factory=dict)
    parts_end_before: Mapping[UUID, date] = field(default_factory=dict)


# What is no part of a supplier's name: forms of companies as they are written across Europe.
_FORMS = frozenset(
    [
        "ab",
        "ae",
        "ag",
        "as",
        "asa",
        "bv",
        "bvba",
        "da",
        "doo",
        "ee",
        "eirl",
        "eood",
        "epe",
        "eurl",
        "gmbh",
        "ike",
        "inc",
        "kft",
        "kg",
        "lda",
        "ltd",
        "limited",
        "mbh",
        "nv",
        "ohg",
        "ood",
        "oy",
        "oyj",
        "plc",
        "sa",
        "sas",
        "sarl",
        "sas",
        "sia",
        "sl",
        "snc",
        "spa",
        "spzoo",
        "sprl",
        "srl",
        "sro",
        "uab",
        "ug",
        "vof",
        "zrt",
        "zoo",
    ]
)


@lru_cache(maxsize=10_000)
def supplier_key(name: str) -> str:
    """A supplier's name without accents, marks, order of words and the form of its company.

    >>> supplier_key("Łódzka Drukarnia Sp. z o.o."), supplier_key("DRUKARNIA  LODZKA, sp.z o.o.")
    ('drukarnia lodzka', 'drukarnia lodzka')
    """
    plain_words = fold(name)
    joined = re.sub(r"\bsp\W*z\W*o\W*o\b", " ", plain_words)
    joined = re.sub(r"\b((?:[a-z]\.){2,}|[a-z](?:\.[a-z])+)", lambda found: found[0].replace(".", ""), joined)
    words = [word for word in re.findall(r"\w+", joined) if word not in _FORMS]
    return " ".join(sorted(words))


def invoice_key(number: str) -> str:
    """A number without marks, spaces and noughts before its first digit.

    >>> invoice_key("FV 2023/0017"), invoice_key("fv-2023-0017"), invoice_key("0017"), invoice_key("17")
    ('FV20230017', 'FV20230017', '17', '17')
    """
    return re.sub(r"[\W_]+", "", number).upper().lstrip("0")


def worker_key(name: str) -> str:
    """A person as compared: words without accents, in order of the alphabet."""
    return " ".join(sorted(re.findall(r"\w+", fold(name))))


def read_lines(rows: Sequence[Sequence[object]], asked: LinesAsked) -> ReadLines:
    """Typed or imported rows as lines. The first row names the columns; empty rows are passed over.

    Every row is looked at, so that all mistakes are told at once; nothing is guessed.
    """
    if not rows:
        return ReadLines((), (Mistake(1, "", "There is nothing here. Paste rows, or choose a file."),))
    columns, mistakes = _columns(rows[0])
    if mistakes:
        return ReadLines((), tuple(mistakes))
    filled = [(number, row) for number, row in enumerate(rows[1:], start=2) if any(_text(cell) for cell in row)]
    if len(filled) > LINES_MAX:
        found = (
            f"There are {len(filled)} lines; a report holds {LINES_MAX}. Put small costs of one kind and day together."
        )
        return ReadLines((), (Mistake(1, "", found),))
    lines: list[CostLineInput] = []
    for number, row in filled:
        given = {column: row[place] if place < len(row) else None for column, place in columns.items()}
        line, wrong = _line(number, given, asked)
        mistakes += wrong
        lines += [line] if line else []
    mistakes += _twice(lines)
    return ReadLines(tuple(lines), tuple(sorted(mistakes, key=lambda each: each.row)))


def _columns(head: Sequence[object]) -> tuple[dict[Column, int], list[Mistake]]:
    found: dict[Column, int] = {}
    unknown = []
    for place, cell in enumerate(head):
        name = fold(_text(cell))
        if name in list(Column):
            found.setdefault(Column(name), place)
        elif name:
            unknown.append(_text(cell))
    missing = [column.value for column in NEEDED if column not in found]
    if not missing and not unknown:
        return found, []
    sentence = "The first row names the columns: " + ", ".join(column.value for column in Column) + "."
    if missing:
        sentence += f" Missing: {', '.join(missing)}."
    if unknown:
        sentence += f" Not known: {', '.join(quoted(each) for each in unknown[:5])}."
    return found, [Mistake(1, "", sentence)]


def _line(number: int, given: Mapping[Column, object], asked: LinesAsked) -> tuple[CostLineInput | None, list[Mistake]]:
    """One row; None where something of it is wrong."""
    wrong: list[Mistake] = []

    def said(column: Column, sentence: str) -> None:
        wrong.append(Mistake(number, column.value, sentence))

    words = {column: _text(given.get(column)) for column in Column}
    for column, text in words.items():
        if len(text) > CELL_CHARACTERS_MAX:
            said(column, f"This is longer than {CELL_CHARACTERS_MAX} characters. Shorten it.")
    partner = _partner(words[Column.PARTNER], asked, said)
    category = _category(words[Column.CATEGORY], asked.rules, said)
    day = _day(given.get(Column.DAY), asked, said)
    _bound(partner, day, asked, said)
    currency = _currency(words[Column.CURRENCY], said)
    is_correction = _yes(words[Column.CORRECTION], said)
    amount = _amount(given.get(Column.AMOUNT), said, is_correction=is_correction)
    file_name = words[Column.FILE]
    sha256 = asked.files.get(file_name) if file_name else None
    if file_name and sha256 is None:
        said(Column.FILE, f"{quoted(file_name)} is no file of this report. Upload it under this name, or leave it out.")
    if words[Column.INVOICE] and not words[Column.SUPPLIER]:
        said(Column.SUPPLIER, "An invoice names its supplier. Enter who sent it.")
    if wrong or partner is None or category is None or day is None or amount is None:
        return None, wrong
    return (
        CostLineInput(
            *(number, partner, category, day, words[Column.INVOICE], words[Column.SUPPLIER], words[Column.WORKER]),
            *(words[Column.WHAT], currency, amount, is_correction, file_name, sha256),
        ),
        [],
    )


def _partner(text: str, asked: LinesAsked, said: _Say) -> UUID | None:
    found = _folded(tuple(asked.partners.items())).get(fold(text))
    if found is None:
        names = ", ".join(sorted(asked.partners))
        said(Column.PARTNER, f"{quoted(text)} is no partner whose costs you declare. Write one of: {names}.")
    return found


def _bound(partner: UUID | None, day: date | None, asked: LinesAsked, said: _Say) -> None:
    """Costs of a partner count from its accession until it leaves."""
    if partner is None:
        return
    if words := asked.barred.get(partner):
        said(Column.PARTNER, words)
        return
    ends_before = asked.parts_end_before.get(partner)
    if ends_before is not None and day is not None and day >= ends_before:
        last = clock.long_date(clock.add_days(ends_before, -1))
        said(
            Column.DAY,
            f"This partner took part until {last}. A cost of a later day is not eligible: leave the row out.",
        )


@lru_cache(maxsize=16)
def _folded(partners: tuple[tuple[str, UUID], ...]) -> Mapping[str, UUID]:
    """Partners by their name as it is compared."""
    return {fold(name): organisation_id for name, organisation_id in partners}


def _category(text: str, rules: BudgetRules, said: _Say) -> str | None:
    for category in rules.entered:
        if fold(text) in {fold(category.code), fold(category.label)}:
            return category.code
    codes = ", ".join(f"{category.code} {category.label}" for category in rules.entered)
    said(
        Column.CATEGORY, f"{quoted(text)} is no category of this report. Write the letter or the name of one: {codes}."
    )
    return None


def _day(given: object, asked: LinesAsked, said: _Say) -> date | None:
    """The day, which lies in the period of the report (bad input 9): a cost of another day is not eligible in it."""
    try:
        day = given.date() if isinstance(given, datetime) else clock.read_date(_text(given))
    except Invalid as error:
        said(Column.DAY, str(error))
        return None
    if asked.starts_on <= day < asked.ends_before:
        return day
    last = clock.long_date(clock.add_days(asked.ends_before, -1))
    said(
        Column.DAY,
        f"{clock.long_date(day)} lies outside the period of this report, {clock.long_date(asked.starts_on)} to {last}. "
        "A cost of another period is declared in the report of that one.",
    )
    return None


def _currency(text: str, said: _Say) -> str:
    code = text.upper() or EURO
    if not re.fullmatch(r"[A-Z]{3}", code):
        said(
            Column.CURRENCY,
            f"{quoted(text)} is no currency. Write its three letters, for example PLN, or nothing for euros.",
        )
    return code


def _yes(text: str, said: _Say) -> bool:
    folded = fold(text)
    if folded not in {"", "no", "yes"}:
        said(Column.CORRECTION, f"{quoted(text)} is neither yes nor no.")
    return folded == "yes"


def _amount(given: object, said: _Say, *, is_correction: bool) -> Money | None:
    """The amount in the line's own currency, in hundredths; below zero only where the line is marked as a correction."""
    try:
        amount = parse_money(_text(given), negative=NegativeAmounts.ALLOWED if is_correction else None)
    except Invalid as error:
        sentence = str(error)
        if "below zero" in sentence:
            sentence += " A correction of an earlier cost says yes in the column of corrections."
        said(Column.AMOUNT, sentence)
        return None
    if not amount:
        said(Column.AMOUNT, "The amount is zero. Leave the line out.")
        return None
    return amount


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case datetime():
            return clock.long_date(value.date())
        case _:
            return re.sub(r"\s+", " ", str(value)).strip()


def _twice(lines: Iterable[CostLineInput]) -> list[Mistake]:
    """Rows that say the very same: one cost typed twice."""
    seen: dict[tuple[str, str], int] = {}
    found = []
    for line in lines:
        key = (line.fingerprint, fold(line.what))
        if key in seen and (line.invoice_key or line.worker or line.file_sha256):
            found.append(
                Mistake(
                    line.number,
                    Column.AMOUNT.value,
                    f"This is row {seen[key]} again. Leave one of the two out, or say in “what” how they differ.",
                )
            )
        seen.setdefault(key, line.number)
    return found


HEAD: tuple[str, ...] = tuple(column.value for column in Column)


def as_row(line: CostLineInput, partner: str) -> tuple[str, ...]:
    """A line as it is typed, to be changed in the list it came from."""
    return (
        *(partner, line.category, line.day.isoformat(), line.invoice, line.supplier, line.worker, line.what),
        *(
            "" if line.currency == EURO else line.currency,
            plain(line.amount),
            "yes" if line.is_correction else "",
            line.file_name,
        ),
    )


def as_text(rows: Iterable[Sequence[object]]) -> str:
    """Rows as the text of the box in which they are mended: one line each, tabs between."""
    return "\n".join("\t".join(_text(cell).replace("\t", " ") for cell in row) for row in rows)


def from_text(text: str) -> list[list[str]]:
    """What stands in that box, or was pasted into it from a spreadsheet: tabs between, else semicolons.

    >>> from_text("a;b\\n1;2")
    [['a', 'b'], ['1', '2']]
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    mark = "\t" if "\t" in text else ";"
    return [[cell.strip() for cell in line.split(mark)] for line in lines]


def renumbered(lines: Iterable[CostLineInput]) -> tuple[CostLineInput, ...]:
    """Numbered from one, as they are kept."""
    return tuple(replace(line, number=number) for number, line in enumerate(lines, 1))


def own_partners(names: Mapping[UUID, str], own: Collection[UUID]) -> dict[str, UUID]:
    """The partners whose costs a person declares, by name."""
    return {names[each]: each for each in own if each in names}
