"""What is sent of a budget's grid: keeps every typed text, and says in a sentence what cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
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
    Marks,
    Note,
    Package,
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
        self.texts: dict[str, str] = {}
        self.wrong: dict[str, str] = {}

    def read(self, asked: Sequence[Asked]) -> tuple[Note, ...]:
        """The sentences that were sent; what is too long is kept in ``wrong`` beside its field."""
        found = []
        for each in asked:
            if each.place in request.form:
                text = self.texts[each.place] = without_turns(request.form[each.place])
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
