"""A file of evaluators: read line by line, compared with what stands, and told before anything is written.

The file becomes a table of texts first, whatever it was; what each line would do is decided here and nowhere else.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from grants.cities.rules import COUNTRIES, country_code
from grants.core.errors import Invalid, no_such, quoted
from grants.core.text import csv_lines
from grants.evaluation.rules.employers import employer_words, read_employers, unclear_day
from grants.evaluation.rules.heads import columns_of
from grants.evaluation.rules.pool import (
    POOL_LOAD_MAX,
    TOPIC_LEVELS,
    PoolMember,
    checked_member,
    digest,
    lowers_too_far,
)
from grants.evaluation.rules.values import EvaluatorInput
from grants.identity.rules import checked_name, normal_email

# A column and the sentence on what is wrong in it.
_Wrong = Callable[[str, str], None]
IMPORT_LINES_MAX = 1_000
IMPORT_BYTES_MAX = 500_000
# So many lines are taken over at once; a longer file is a job, which takes so many with each of its acts.
IMPORT_AT_ONCE = 50
# What a line may say, in the order of the template; only these three must be there.
IMPORT_COLUMNS = (
    "email", "name", "country", "languages", "topics", "roles", "least", "most", "available_from",
    "available_until", "organisations", "target", "town",
)  # fmt: skip
# What the file of a pool tells besides, which no file sets: a line that brings it back is read without it.
TOLD_COLUMNS = ("state", "accepted_version", "applications", "submitted", "gender")
_NEEDED = ("email", "name", "country")
_FIELDS = {
    "country_code": "country", "languages": "languages", "topics": "topics", "roles": "roles", "load_min": "least",
    "load_max": "most", "load_target": "target", "available_until": "available_until",
    "town": "town",
}  # fmt: skip
TEMPLATE_LINE = (
    "anna.example@example.org", "Anna Example", "FI", "en native | sv reading", "", "technical", "0", "10",
    "2027-01-10", "2027-03-31", "University of Turku (2019-09-01 to now) | City of Turku (2015 to 2019-08)", "8",
    "Turku",
)  # fmt: skip


class LineDeed(StrEnum):
    """What a line of a file would do."""

    MADE = "made"
    INVITED = "invited"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"

    @property
    def words(self) -> str:
        """As the preview calls it."""
        return {
            "made": "Joins the pool", "invited": "Is invited by mail", "changed": "Is changed", "same": "Stays as it is",
            "refused": "Is left out",
        }[self.value]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Known:
    """What the program knows of an address: the account, its entry or invitation, and what stands against it."""

    user_id: UUID
    member: PoolMember | None = None
    # The offer of an invitation that waits; and in words how an earlier one ended for good.
    offered: EvaluatorInput | None = None
    ended: str = ""
    holds_role: bool = False
    unfit: str = ""


@dataclass(frozen=True, slots=True)
class ImportLine:
    """One line of a file with what it would do; ``problems`` are cells with a sentence each."""

    number: int
    email: str
    name: str
    deed: LineDeed
    values: EvaluatorInput | None = None
    problems: tuple[str, ...] = ()
    changes: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        """What it would do, as a hash that stays the same wherever the line stands and once the person has an account."""
        values = replace(self.values, user_id=UUID(int=0)) if self.values is not None else None
        return digest([self.email, self.name, self.deed, repr(values), self.changes]).hex()


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What a whole file would do, line by line."""

    lines: tuple[ImportLine, ...] = ()
    # Columns of the file that a file may not set.
    ignored: tuple[str, ...] = ()

    @property
    def ignored_words(self) -> str:
        """Which columns change nothing; empty where there are none.

        >>> ImportPlan(ignored=("state", "gender")).ignored_words
        'No file sets these columns, so they are not read: state, gender.'
        """
        return f"No file sets these columns, so they are not read: {', '.join(self.ignored)}." if self.ignored else ""

    def count(self, deed: LineDeed) -> int:
        """How many lines would do that."""
        return sum(line.deed is deed for line in self.lines)

    @property
    def counts(self) -> tuple[tuple[LineDeed, int], ...]:
        """Each deed with how many lines do it."""
        return tuple((deed, self.count(deed)) for deed in LineDeed)

    @property
    def doing(self) -> tuple[ImportLine, ...]:
        """The lines that would write something."""
        return tuple(line for line in self.lines if line.deed in (LineDeed.MADE, LineDeed.INVITED, LineDeed.CHANGED))

    @property
    def does_something(self) -> bool:
        """Whether anything would be written."""
        return bool(self.doing)

    @property
    def takes_a_job(self) -> bool:
        """Whether it is too much for one request."""
        return len(self.doing) > IMPORT_AT_ONCE

    @property
    def sha256(self) -> bytes:
        """What it would do, as a hash: shown and confirmed are one and the same, or nothing is written."""
        return digest([[line.number, line.email, line.deed, repr(line.values), line.changes] for line in self.lines])


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """How far the newest long file of a call is."""

    done: int
    total: int
    left_out: int
    # Nothing more happens by itself; and in words why not all of it was taken over.
    is_over: bool
    error: str = ""

    @property
    def words(self) -> str:
        """The same as sentences."""
        if not self.is_over:
            return f"{self.done} of {self.total} lines are done. You can go on working meanwhile."
        found = [f"{self.done - self.left_out} of {self.total} lines were taken over."]
        if self.left_out:
            found.append(
                f"{self.left_out} {'was' if self.left_out == 1 else 'were'} left out: what they rest on changed since you saw them."
            )
        if self.done < self.total:
            found.append(self.error or "Then it was stopped.")
        if self.left_out or self.done < self.total:
            found.append("Upload the file again to see what is still to do; nobody is invited twice.")
        return " ".join(found)


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What a call lets a line say: its topics by value with their words, and its roles."""

    topics: Mapping[str, str] = field(default_factory=dict)
    roles: tuple[str, ...] = ()


def book_table(rows: Iterable[Sequence[object]]) -> list[list[str]]:
    """The lines of a workbook as texts; days are written as ISO does, whole numbers without a point."""
    return [[_cell(value) for value in row] for row in rows]


def _cell(value: object) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return value.date().isoformat()
        case date():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value).strip()


def table_text(table: Iterable[Sequence[str]]) -> str:
    """The table in one spelling, which is what somebody confirms; nothing in it is a formula where it is opened."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(table)
    return written.getvalue()


def piece_text(table: Sequence[Sequence[str]], plan: ImportPlan) -> str:
    """Head and lines of a file that would write something."""
    return table_text([table[0], *(table[line.number - 1] for line in plan.doing)])


def template_text() -> str:
    """The empty file with one line that shows how each cell is written."""
    return csv_lines([IMPORT_COLUMNS, TEMPLATE_LINE])


def addresses(table: Sequence[Sequence[str]]) -> frozenset[str]:
    """Every address of a table, as far as it can be read: what to look up before :func:`plan`."""
    head = [cell.casefold() for cell in table[0]] if table else []
    if "email" not in head:
        return frozenset()
    place, found = head.index("email"), set()
    for row in table[1:]:
        try:
            found.add(normal_email(row[place] if place < len(row) else ""))
        except Invalid:
            continue
    return frozenset(found)


def plan(table: Sequence[Sequence[str]], known: Mapping[str, Known], asked: ImportRules) -> ImportPlan:
    """What each line of a table would do; raises :class:`Invalid` where it is no table of evaluators at all."""
    columns = columns_of(table, IMPORT_COLUMNS, _NEEDED, beside=TOLD_COLUMNS)
    filled = [(number, row) for number, row in enumerate(table[1:], 2) if any(row)]
    if not filled:
        raise Invalid("The file has no line below its head. Write one line for each evaluator.")
    if len(filled) > IMPORT_LINES_MAX:
        raise Invalid(
            f"The file has {len(filled)} lines; the limit is {IMPORT_LINES_MAX}. Split it into several files."
        )
    lines: list[ImportLine] = []
    seen: dict[str, int] = {}
    for number, row in filled:
        line = _line(number, row, columns, known, asked)
        if line.email and line.email in seen:
            sentence = f"{_place(columns, 'email', number)}: {line.email} stands in line {seen[line.email]} already."
            line = ImportLine(number, line.email, line.name, LineDeed.REFUSED, problems=(sentence,))
        seen.setdefault(line.email, number)
        lines.append(line)
    return ImportPlan(tuple(lines), tuple(name for name in columns if name in TOLD_COLUMNS))


def _place(columns: Sequence[str], name: str, number: int) -> str:
    """A cell as a spreadsheet calls it."""
    return f"{chr(ord('A') + columns.index(name))}{number}" if name in columns else f"Line {number}"


def _line(
    number: int, row: Sequence[str], columns: Sequence[str], known: Mapping[str, Known], asked: ImportRules
) -> ImportLine:
    problems: list[str] = []

    def wrong(name: str, sentence: str) -> None:
        problems.append(f"{_place(columns, name, number)}: {sentence}")

    if any(row[len(columns) :]):
        problems.append(f"Line {number} has {len(row)} cells; the file has {len(columns)} columns.")
    cells = dict(zip(columns, (*row, *[""] * len(columns)), strict=False))
    for name, text in cells.items():
        if name not in TOLD_COLUMNS and text[:1] in "=+-@\t\r" and text:
            wrong(name, f"{quoted(text)} looks like a formula. Write it as plain text.")
    email = name = ""
    try:
        email = normal_email(cells["email"])
    except Invalid as error:
        wrong("email", str(error))
    try:
        name = checked_name(cells["name"])
    except Invalid as error:
        wrong("name", str(error))
    found = known.get(email)
    values = _values(cells, found, asked, wrong)
    if found is not None and found.unfit:
        wrong("email", found.unfit)
    if found is not None and found.ended and found.member is None:
        wrong("email", found.ended)
    member = found.member if found is not None else None
    if member is not None and values is not None and (too_few := lowers_too_far(member, values.load_max)):
        wrong("most", f"{too_few} Write a larger number.")
    if problems or values is None:
        return ImportLine(number, email, name, LineDeed.REFUSED, problems=tuple(problems))
    deed, changes = _deed(found, values)
    return ImportLine(number, email, name, deed, values, changes=changes)


def _values(cells: Mapping[str, str], found: Known | None, asked: ImportRules, wrong: _Wrong) -> EvaluatorInput | None:
    """The entry a line would leave; a column the file does not have keeps what stands."""
    base = _standing(found)
    values = replace(base, user_id=found.user_id if found is not None else UUID(int=0))
    failed: list[str] = []

    def no(name: str, sentence: str) -> None:
        failed.append(name)
        wrong(name, sentence)

    try:
        values = replace(values, country_code=country_code(_country(cells["country"])))
    except Invalid as error:
        no("country", str(error))
    if "languages" in cells:
        values = replace(values, languages=_split(cells["languages"]), language_levels=())
    if "topics" in cells:
        levels = _topics(cells["topics"], asked, no)
        values = replace(values, topics=tuple(key for key, _ in levels), topic_levels=levels)
    if "roles" in cells:
        values = replace(values, roles=_roles(cells["roles"], asked, no))
    least, most = (_number(cells, *each, no) for each in (("least", values.load_min), ("most", values.load_max)))
    values = replace(values, load_min=least, load_max=most, load_target=_target(cells, values.load_target, no))
    values = replace(values, available=_days(cells, values.available, no), town=cells.get("town", values.town))
    if "organisations" in cells:
        try:
            values = replace(values, employers=read_employers(cells["organisations"]))
        except Invalid as error:
            no("organisations", str(error))
    try:
        values = checked_member(values)
    except Invalid as error:
        for name, sentence in error.problems.items():
            if _FIELDS.get(name, "email") not in failed:
                wrong(_FIELDS.get(name, "email"), sentence)
        return None
    return None if failed else values


def _standing(found: Known | None) -> EvaluatorInput:
    if found is not None and found.member is not None:
        return entry_of(found.member)
    if found is not None and found.offered is not None:
        return found.offered
    return EvaluatorInput(UUID(int=0), "", (), (), 0, 10, employers=())


def entry_of(member: PoolMember) -> EvaluatorInput:
    """The entry of a member as it would be typed again."""
    return EvaluatorInput(
        member.user_id, member.country_code, member.languages, member.topics, member.load_min, member.load_max,
        topic_levels=tuple((topic, member.level_of(topic)) for topic in member.topics),
        language_levels=tuple((one, member.levels.get(one, "fluent")) for one in member.languages),
        roles=member.roles, available=(member.available_from, member.available_until), employers=member.employers,
        load_target=member.load_target, town=member.town,
    )  # fmt: skip


def _deed(found: Known | None, values: EvaluatorInput) -> tuple[LineDeed, tuple[str, ...]]:
    if found is None:
        return LineDeed.INVITED, ()
    if found.member is None and found.offered is None:
        return (LineDeed.MADE if found.holds_role else LineDeed.INVITED), ()
    changes = differs(_standing(found), values)
    return (LineDeed.CHANGED if changes else LineDeed.SAME), changes


def differs(before: EvaluatorInput, after: EvaluatorInput) -> tuple[str, ...]:
    """What would be another value, column by column, in words."""
    told = zip(IMPORT_COLUMNS[2:], cells_of(before), cells_of(after), strict=True)
    return tuple(f"{name}: {old or 'nothing'} → {new or 'nothing'}" for name, old, new in told if old != new)


def cells_of(values: EvaluatorInput) -> tuple[str, ...]:
    """An entry as the cells of a file from the country on: what an export writes and an import reads back."""
    languages, levels = dict(values.language_levels), dict(values.topic_levels)
    start, end = values.available
    return (
        values.country_code,
        " | ".join(f"{one} {languages.get(one, 'fluent')}" for one in sorted(values.languages)),
        " | ".join(f"{one} {levels.get(one, max(TOPIC_LEVELS))}" for one in sorted(values.topics)),
        " | ".join(sorted(values.roles)),
        str(values.load_min),
        str(values.load_max),
        start.isoformat() if start else "",
        end.isoformat() if end else "",
        " | ".join(sorted(employer_words(values.employers or ()).splitlines())),
        "" if values.load_target is None else str(values.load_target),
        values.town,
    )


def _country(text: str) -> str:
    """A country by its two letters or its English name."""
    names = {name.casefold(): code for code, name in COUNTRIES.items()}
    return names.get(text.casefold(), text)


def _split(text: str) -> tuple[str, ...]:
    parts = re.split(r"[|\n]" if "|" in text or "\n" in text else r"[;,]", text)
    return tuple(part.strip() for part in parts if part.strip())


def _topics(text: str, asked: ImportRules, wrong: _Wrong) -> tuple[tuple[str, int], ...]:
    """“mobility 3 | Warm homes”: each by its short name or its words, with 1 to 3 behind it where it is said."""
    known = {words.casefold(): key for key, words in asked.topics.items()} | {
        key.casefold(): key for key in asked.topics
    }
    found: dict[str, int] = {}
    for part in _split(text):
        name, _, level = part.rpartition(" ")
        key = known.get(part.casefold())
        if key is not None:
            found[key] = max(TOPIC_LEVELS)
        elif level.isascii() and level.isdecimal() and name.casefold() in known:
            if int(level) not in TOPIC_LEVELS:
                wrong("topics", f"{quoted(part)}: how well it is known is 1, 2 or 3.")
            found[known[name.casefold()]] = int(level)
        else:
            wrong("topics", no_such("topic", part, asked.topics) if asked.topics else "This call asks for no topics.")
    return tuple(found.items())


def _roles(text: str, asked: ImportRules, wrong: _Wrong) -> tuple[str, ...]:
    known = {role.casefold(): role for role in asked.roles}
    found = []
    for part in _split(text):
        if part.casefold() in known:
            found.append(known[part.casefold()])
        else:
            wrong("roles", no_such("role", part, asked.roles))
    return tuple(dict.fromkeys(found))


def _number(cells: Mapping[str, str], column: str, standing: int, wrong: _Wrong) -> int:
    text = cells.get(column, "")
    if text.isascii() and text.isdecimal() and len(text) < 6:
        return int(text)
    if text:
        wrong(column, f"{quoted(text)} is no whole number from 0 to {POOL_LOAD_MAX}.")
    return standing


def _target(cells: Mapping[str, str], standing: int | None, wrong: _Wrong) -> int | None:
    """The number aimed at: an empty cell says none, a file without the column keeps what stands."""
    if "target" not in cells:
        return standing
    text = cells["target"]
    if not text or (text.isascii() and text.isdecimal() and len(text) < 6):
        return int(text) if text else None
    wrong("target", f"{quoted(text)} is no whole number from 0 to {POOL_LOAD_MAX}. Leave it empty for none.")
    return standing


def _days(
    cells: Mapping[str, str], standing: tuple[date | None, date | None], wrong: _Wrong
) -> tuple[date | None, date | None]:
    found = list(standing)
    for place, column in enumerate(("available_from", "available_until")):
        if column in cells:
            try:
                found[place] = date.fromisoformat(cells[column]) if cells[column] else None
            except ValueError:
                is_none = f"{quoted(cells[column])} is no day. Write it as 2027-01-31."
                wrong(column, unclear_day(cells[column]) or is_none)
    return found[0], found[1]
