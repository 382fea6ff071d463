"""The grid form of a budget: keeps every typed text, gives back cells or a sentence for each field that cannot be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from flask import request
from wtforms import HiddenField

from grants.budgets import rules
from grants.budgets.rules import BudgetRules, Reading
from grants.web.forms import Form


class BudgetForm(Form):
    """Version and key; the cells are read from what was sent, by name, and nothing else is."""

    version = HiddenField()

    reading: Reading = Reading((), {}, {}, ())

    def read(self, budget_rules: BudgetRules, organisations: Sequence[UUID]) -> Reading:
        """What the sent grid says."""
        self.reading = rules.read_cells(budget_rules, organisations, request.form.to_dict())
        return self.reading

    def grid_problems(self, names: Mapping[str, str]) -> list[tuple[str, str]]:
        """Sentence and field id of each cell that could not be read; ``names`` say row and column in words."""
        return [(f"{names.get(place, place)}: {text}", place) for place, text in self.reading.errors.items()]
