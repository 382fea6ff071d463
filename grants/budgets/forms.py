"""What is sent of a budget's grid: keeps every typed text, and says in a sentence what cannot be read."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask import request
from wtforms import HiddenField, SelectField

from grants.budgets import rules
from grants.budgets.rules import (
    Ambiguous,
    Asked,
    BudgetRules,
    Cell,
    ItemKind,
    Marks,
    Months,
    Note,
    Package,
    PlanItem,
    PlannedPackage,
    Reading,
    Shown,
    Source,
    SourceKind,
)
from grants.core.errors import Invalid
from grants.core.money import CENTS_MAX, ZERO, Money, plain
from grants.core.text import without_turns
from grants.web.forms import VERSION_DIGITS_MAX, Form, choices

# A script sends at most so many cells at once: more than any table on a screen has.
CELLS_MAX = 5_000
SENT_CHARACTERS_MAX = 1_000_000


class BudgetForm(Form):
    """Version and key; the cells are read from what was sent, by name, and nothing else is.

    ``shown`` carries how often each cell had been saved and its amount, so that only what somebody else changed
    meanwhile comes back.
    """

    version = HiddenField()
    shown = HiddenField()
    marks = SelectField(
        "How you write numbers",
        choices=choices(
            [
                (Marks.UNSAID.value, "Any way; ask me when it is unclear"),
                (Marks.DOT.value, "1.234,50 or 1 234,50"),
                (Marks.COMMA.value, "1,234.50"),
            ]
        ),
        default=Marks.UNSAID.value,
        validate_choice=False,
    )

    reading: Reading = Reading((), {}, {}, ())

    def read(
        self, budget_rules: BudgetRules, organisations: Sequence[UUID], packages: Sequence[Package] = ()
    ) -> Reading:
        """What the sent grid says."""
        typed = request.form.to_dict()
        self.reading = rules.read_cells(budget_rules, organisations, typed, packages, rules.read_marks(self.marks.data))
        return self.reading

    def show(self, cells: Mapping[str, tuple[int, int]]) -> None:
        """Carry what the page shows."""
        self.shown.data, self.shown.raw_data = json.dumps(cells, separators=(",", ":")), None

    def shown_of(self, cells: Sequence[Cell]) -> tuple[Shown, ...]:
        """What the writer saw of each of these cells; a cell the form says nothing of was empty."""
        try:
            carried = json.loads(self.shown.data or "{}")
        except (ValueError, RecursionError):
            carried = {}
        found = carried if isinstance(carried, dict) else {}
        return tuple(shown_of_pair(found.get(cell.place)) for cell in cells)

    def grid_problems(self, names: Mapping[str, str]) -> list[tuple[str, str]]:
        """Sentence and field id of each cell that could not be read; ``names`` say row and column in words."""
        return [(f"{names.get(place, place)}: {text}", place) for place, text in self.reading.errors.items()]


NOTHING = Shown(0, ZERO)


def shown_of_pair(sent: Any) -> Shown:
    """A pair of whole numbers; anything else was never shown by us, so it counts as stale."""
    match sent:
        case [int(number), int(cents)] if 0 <= number < 10**VERSION_DIGITS_MAX and 0 <= cents <= CENTS_MAX:
            return Shown(number, Money(cents))
    return NOTHING


@dataclass(frozen=True, slots=True)
class Unread:
    """A cell a script sent that cannot be read as an amount, and why; ``ways`` are the two readings of an unclear one."""

    place: str
    sentence: str
    asks: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """What a script sent of the grid: cells with what was shown of each, how texts were read, what could not be."""

    cells: tuple[Cell, ...]
    shown: tuple[Shown, ...]
    echoes: Mapping[str, str]
    unread: tuple[Unread, ...]


def read_sent(text: str, marks: Marks) -> Sent:
    """Cells as the script of the grid sends them: ``[[place, text, number, cents], ...]``; raises :class:`Invalid`."""
    cells, shown, echoes, unread = [], [], {}, []
    for place, typed, before in _listed(text):
        try:
            amount = rules.read_amount(typed, marks)
        except Invalid as error:
            unread.append(Unread(place, str(error), isinstance(error, Ambiguous)))
            continue
        cell = rules.cell_at(place, amount)
        if cell is None:
            raise Invalid("The table sent a cell this budget cannot have. Reload the page.")
        cells.append(cell)
        shown.append(before)
        if read := rules.how_read(typed, amount):
            echoes[place] = read
    return Sent(tuple(cells), tuple(shown), echoes, tuple(unread))


def _listed(text: str) -> list[tuple[str, str, Shown]]:
    try:
        found = json.loads(text) if len(text) <= SENT_CHARACTERS_MAX else None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or len(found) > CELLS_MAX:
        raise Invalid("The table could not be read as it was sent. Reload the page, then type it again.")
    cells = []
    for each in found:
        match each:
            case [str(place), str(typed), number, cents]:
                cells.append((place, typed, shown_of_pair([number, cents])))
            case _:
                raise Invalid("The table could not be read as it was sent. Reload the page, then type it again.")
    return cells


# --- beside the amounts -----------------------------------------------------------------------------------------

# As many empty lines are offered for further sources.
BLANK_LINES = 3


class NotesForm(Form):
    """The sentences asked of public administrations, read by the names of their fields."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.typed: dict[str, str] = {}
        self.wrong: dict[str, str] = {}

    def read(self, asked: Sequence[Asked]) -> tuple[Note, ...]:
        """The sentences that were sent; what is too long is kept in ``wrong`` beside its field."""
        found = []
        for each in asked:
            if each.place in request.form:
                text = self.typed[each.place] = without_turns(request.form[each.place])
                try:
                    found.append(Note(each.organisation_id, each.kind, rules.read_note(text)))
                except Invalid as error:
                    self.wrong[each.place] = str(error)
        return tuple(found)

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Every sentence with the id of its field."""
        return super().what_is_wrong() + [(sentence, place) for place, sentence in self.wrong.items()]


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of the table of sources as typed, with a sentence for each part that is wrong."""

    name: str = ""
    kind: str = SourceKind.OWN.value
    amount: str = ""
    confirmed: bool = False
    wrong: Mapping[str, str] = field(default_factory=dict)


class SourcesForm(Form):
    """All sources beside the grant, line by line, and the mark of those shown."""

    mark = HiddenField()

    def __init__(self, sources: Sequence[Source] = (), **options: Any) -> None:
        super().__init__(**options)
        self.lines = [SourceLine(each.name, each.kind.value, plain(each.amount), each.confirmed) for each in sources]
        if not self.is_submitted():
            self.mark.data = rules.sources_mark(sources)

    @property
    def shown_lines(self) -> list[SourceLine]:
        """The lines with some empty ones after them."""
        return [*self.lines, *[SourceLine()] * BLANK_LINES]

    def read(self, marks: Marks = Marks.UNSAID) -> tuple[Source, ...] | None:
        """The sources as sent, empty lines left out; None where a line is wrong and says why."""
        found, self.lines = [], []
        for number in range(rules.SOURCES_MAX + BLANK_LINES):
            line = _sent_line(number)
            if not line.name.strip() and not line.amount.strip():
                continue
            try:
                found.append(_source(line, marks))
            except Invalid as error:
                line = replace(line, wrong=error.problems)
            self.lines.append(line)
        return None if any(line.wrong for line in self.lines) else tuple(found)

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Every sentence with the id of its field."""
        return super().what_is_wrong() + [
            (f"Line {number + 1}: {sentence}", rules.source_field(number, part))
            for number, line in enumerate(self.lines)
            for part, sentence in line.wrong.items()
        ]


def _sent_line(number: int) -> SourceLine:
    def sent(part: str) -> str:
        return without_turns(request.form.get(rules.source_field(number, part), ""))

    return SourceLine(sent("name"), sent("kind"), sent("amount"), bool(sent("confirmed")))


def _source(line: SourceLine, marks: Marks) -> Source:
    try:
        amount = rules.read_amount(line.amount, marks)
    except Invalid as error:
        raise Invalid("The amount cannot be read.", {"amount": str(error)}) from error
    if line.kind not in {kind.value for kind in SourceKind}:
        raise Invalid("The kind is not known.", {"kind": "Choose one of the kinds shown."})
    return rules.checked_source(line.name, SourceKind(line.kind), amount, confirmed=line.confirmed)


# --- the work plan ----------------------------------------------------------------------------------------------

BLANK_ITEMS = 2
_PACKAGE_TITLE = re.compile(r"wp-WP[0-9]{1,6}-title$")


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of the work plan as typed: a work package, or something in it."""

    place: str
    kind: str = ItemKind.TASK.value
    title: str = ""
    owner: str = ""
    months: str = ""
    wrong: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PlanBlock:
    """A work package and its lines as typed; without a code it is the empty one for a new work package."""

    code: str
    head: PlanLine
    lines: tuple[PlanLine, ...]


class PlanForm(Form):
    """The whole work plan, and the mark of the one shown."""

    mark = HiddenField()

    def __init__(self, plan: Sequence[PlannedPackage] = (), **options: Any) -> None:
        super().__init__(**options)
        self.blocks = [_block(each) for each in plan] + [_block(PlannedPackage("", ""))]
        if not self.is_submitted():
            self.mark.data = rules.plan_mark(plan)

    def read(
        self, stored: Sequence[PlannedPackage], owners: Collection[UUID], months_max: int
    ) -> tuple[PlannedPackage, ...] | None:
        """The plan as sent; None where a line is wrong and says why. A work package without a title is left out.

        One that somebody added meanwhile, of which the form knew nothing, stays; one that somebody took away meanwhile
        comes back as a new one, for what was typed in it is not thrown away.
        """
        found, self.blocks = [], []
        for place, package in _sent_places(stored):
            if package is not None and f"{place}-title" not in request.form:
                self.blocks.append(_block(package))
                found.append(package)
                continue
            prefix, code, standing = place, package.code if package else "", package.items if package else ()
            head, package = _read_head(prefix, code, owners, months_max)
            lines, items, after = [], [], 0
            for number in range(rules.ITEMS_MAX):
                line, item = _read_item(f"{prefix}-{number}", owners, months_max, is_new=number >= len(standing))
                if line is not None:
                    lines.append(line)
                    after = number + 1
                if item is not None:
                    items.append(item)
            if package is None and lines:
                # It only lacks its title; its lines would be lost without a word.
                head = replace(head, wrong={"title": "Give the work package a title, or empty its lines too."})
            self.blocks.append(PlanBlock(code, head, (*lines, *_blank(prefix, after))))
            if package is not None:
                found.append(replace(package, items=tuple(items)))
        if len(found) > rules.PACKAGES_MAX:
            self.problems.append(
                f"A work plan has at most {rules.PACKAGES_MAX} work packages. Put small ones together."
            )
        is_wrong = any(line.wrong for block in self.blocks for line in (block.head, *block.lines))
        return None if is_wrong or self.problems else tuple(found)

    def what_is_wrong(self) -> list[tuple[str, str]]:
        """Every sentence with the id of its field."""
        return super().what_is_wrong() + [
            (
                f"{f'Work package {block.code}' if block.code else 'A new work package'}: {sentence}",
                f"{line.place}-{part}",
            )
            for block in self.blocks
            for line in (block.head, *block.lines)
            for part, sentence in line.wrong.items()
        ]


def _blank(prefix: str, after: int) -> tuple[PlanLine, ...]:
    return tuple(PlanLine(f"{prefix}-{number}") for number in range(after, min(after + BLANK_ITEMS, rules.ITEMS_MAX)))


def _block(package: PlannedPackage) -> PlanBlock:
    prefix = f"wp-{package.code or 'new'}"
    head = PlanLine(prefix, "package", package.title, str(package.lead_id or ""), _typed_months(package.months))
    lines = tuple(
        PlanLine(
            f"{prefix}-{number}", item.kind.value, item.title, str(item.owner_id or ""), _typed_months(item.months)
        )
        for number, item in enumerate(package.items)
    )
    return PlanBlock(package.code, head, (*lines, *_blank(prefix, len(lines))))


def _typed_months(months: Months | None) -> str:
    if months is None:
        return ""
    return str(months.first) if months.first == months.last else f"{months.first}-{months.last}"


def _sent_places(stored: Sequence[PlannedPackage]) -> list[tuple[str, PlannedPackage | None]]:
    """Where in the form each work package stands: those of the plan, those taken away meanwhile, and the empty one."""
    known = {f"wp-{each.code}": each for each in stored}
    gone = [name.removesuffix("-title") for name in request.form if _PACKAGE_TITLE.match(name)]
    return [
        *known.items(),
        *((place, None) for place in gone[: rules.PACKAGES_MAX] if place not in known),
        ("wp-new", None),
    ]


def _sent_plan_line(place: str) -> PlanLine:
    def sent(part: str) -> str:
        return without_turns(request.form.get(f"{place}-{part}", ""))

    return PlanLine(place, sent("kind") or ItemKind.TASK.value, sent("title"), sent("owner"), sent("months"))


def _read_head(
    place: str, code: str, owners: Collection[UUID], months_max: int
) -> tuple[PlanLine, PlannedPackage | None]:
    line = _sent_plan_line(place)
    if not line.title.strip():
        return (line if code else _refuse_nameless(line)), None
    title, owner, months, wrong = _read_parts(line, owners, months_max, months_needed=False)
    return replace(line, wrong=wrong), PlannedPackage(code, title, owner, months)


def _read_item(
    place: str, owners: Collection[UUID], months_max: int, *, is_new: bool
) -> tuple[PlanLine | None, PlanItem | None]:
    line = _sent_plan_line(place)
    if not line.title.strip():
        # An emptied title takes a line away that stood; a line begun without one is not lost without a word.
        line = _refuse_nameless(line) if is_new else line
        return (line if line.wrong else None), None
    title, owner, months, wrong = _read_parts(line, owners, months_max, months_needed=True)
    if line.kind not in {kind.value for kind in ItemKind}:
        wrong = {**wrong, "kind": "Choose one of the kinds shown."}
    if wrong or months is None:
        return replace(line, wrong=wrong), None
    return line, PlanItem(ItemKind(line.kind), title, owner, months)


def _refuse_nameless(line: PlanLine) -> PlanLine:
    if not line.owner and not line.months.strip():
        return line
    return replace(line, wrong={"title": "Give this line a title, or empty who does it and its months too."})


def _read_parts(
    line: PlanLine, owners: Collection[UUID], months_max: int, *, months_needed: bool
) -> tuple[str, UUID | None, Months | None, dict[str, str]]:
    wrong: dict[str, str] = {}
    title, months = line.title, None
    try:
        title = rules.read_title(line.title)
    except Invalid as error:
        wrong["title"] = str(error)
    if line.months.strip():
        try:
            months = rules.read_months(line.months, months_max)
        except Invalid as error:
            wrong["months"] = str(error)
    elif months_needed:
        wrong["months"] = "Enter the month, for example 3, or the months, for example 3-9."
    owner = next((who for who in owners if str(who) == line.owner), None)
    if line.owner and owner is None:
        wrong["owner"] = "Choose one of the partners shown."
    return title, owner, months, wrong
