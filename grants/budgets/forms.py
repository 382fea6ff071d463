"""What is sent of a budget's grid: keeps every typed text, and says in a sentence what cannot be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import request
from wtforms import HiddenField, SelectField

from grants.budgets import rules
from grants.budgets.rules import Ambiguous, BudgetRules, Cell, Marks, Package, Reading, Shown
from grants.core.errors import Invalid
from grants.core.money import CENTS_MAX, ZERO, Money
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
        except ValueError:
            carried = {}
        found = carried if isinstance(carried, dict) else {}
        return tuple(_shown(found.get(cell.place)) for cell in cells)

    def grid_problems(self, names: Mapping[str, str]) -> list[tuple[str, str]]:
        """Sentence and field id of each cell that could not be read; ``names`` say row and column in words."""
        return [(f"{names.get(place, place)}: {text}", place) for place, text in self.reading.errors.items()]


NOTHING = Shown(0, ZERO)


def _shown(sent: Any) -> Shown:
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
                cells.append((place, typed, _shown([number, cents])))
            case _:
                raise Invalid("The table could not be read as it was sent. Reload the page, then type it again.")
    return cells
