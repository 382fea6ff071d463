"""What people type about milestones and about what is accepted of a report."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from markupsafe import Markup
from wtforms import HiddenField, StringField, TextAreaField

from grants.budgets.rules import Cell
from grants.core.errors import Invalid, Problem, Problems, Refused
from grants.core.money import ZERO
from grants.reporting.rules import Decision, Judged, ReceiptsInput
from grants.web.forms import A_PAGE, A_PARAGRAPH, ContestedForm, DateField, MoneyField, Needed


class MilestoneForm(ContestedForm):
    """A milestone as reached."""

    achieved_on = DateField("Reached on", [Needed("Enter the day, for example 3 May 2024.")])
    report = TextAreaField(
        "How the criterion is met", [A_PAGE, Needed("Say in a few sentences how the criterion is met.")]
    )


class ExpectedForm(ContestedForm):
    """When a milestone is expected now, and why."""

    expected_on = DateField("Expected on", [Needed("Enter the day, for example 3 May 2027.")])
    reason = TextAreaField("Why", [A_PARAGRAPH, Needed("Say why it is expected on that day; the other side reads it.")])


class ReceiptsForm(ContestedForm):
    """What the action earned, and of what."""

    amount = MoneyField("Receipts of the action", [Needed("Enter an amount, zero if the action earned nothing.")])
    words = TextAreaField(
        "What they are", [A_PARAGRAPH, Needed("Say what the receipts are, or that the action earned nothing.")]
    )

    def to_input(self) -> ReceiptsInput:
        """What was declared."""
        return ReceiptsInput(self.amount.data or ZERO, self.words.data or "")


class AnswerForm(ContestedForm):
    """Words of the officer for the city."""

    answer = TextAreaField(
        "Your words for the city", [A_PAGE, Needed("Write what is missing or wrong; the city reads it.")]
    )


class AcceptMilestoneForm(ContestedForm):
    """An acceptance, with words where there are some."""

    answer = TextAreaField("Your words for the city (optional)", [A_PAGE])


class SendForm(ContestedForm):
    """Nothing but the deed, the version it was seen at, and the hash of what was seen."""

    seen = HiddenField()
    # Where each part of the report is written: its title and its page.
    places: Mapping[str, tuple[str, str]] = {}

    def add_problem(self, error: Invalid | Refused, but_not: Container[str] = ()) -> None:
        """What keeps the report from being sent, each sentence behind a link to the part it is about."""
        if isinstance(error, Problems):
            self.problems += [self._linked(each) for each in error.found]
        else:
            super().add_problem(error, but_not)

    def _linked(self, problem: Problem) -> str:
        key, _, field = problem.place.partition("#")
        if key not in self.places:
            return str(problem)
        title, href = self.places[key]
        return Markup('<a href="{}">{}</a>: {}').format(f"{href}#{field}" if field else href, title, problem.message)


class AcceptForm(ContestedForm):
    """One accepted amount and one reason for each declared amount; rows are added for one report."""

    answer = TextAreaField("Your words for the city (optional)", [A_PAGE])

    cells: tuple[Cell, ...] = ()

    def to_input(self) -> Decision:
        """What was judged."""
        return Decision(
            tuple(
                Judged(
                    cell.organisation_id,
                    cell.category,
                    cell.amount,
                    self[field_name(cell)].data or ZERO,
                    (self[f"reason-{field_name(cell)}"].data or "").strip() or None,
                )
                for cell in self.cells
            ),
            self.answer.data or "",
        )


def field_name(cell: Cell) -> str:
    """The name of the field of one accepted amount; the judgement's problems name the same place."""
    return f"accepted-{cell.organisation_id}-{cell.category}"


def accept_form(cells: Iterable[Cell], labels: dict[tuple[Any, str], str], version: int) -> AcceptForm:
    """The form for one report: everything declared stands as accepted until the officer lowers it."""
    rows = tuple(cells)
    fields: dict[str, Any] = {"cells": rows}
    for cell in rows:
        label = labels[cell.organisation_id, cell.category]
        fields[field_name(cell)] = MoneyField(f"Accepted: {label}", [Needed("Enter an amount, zero if none.")])
        fields[f"reason-{field_name(cell)}"] = StringField(f"Reason for less: {label}", [A_PARAGRAPH])
    stands: dict[str, Any] = {field_name(cell): cell.amount for cell in rows}
    return type("AcceptForm", (AcceptForm,), fields)(data={"version": str(version), **stands})
