"""The budget of an application."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.applications import queries, services
from grants.applications.queries import Workplace
from grants.applications.rules import BudgetInput
from grants.applications.views.frame import bp, team_context
from grants.budgets.forms import BudgetForm
from grants.core.errors import Conflict
from grants.core.money import plain
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/budget")
@requires(Permission.APPLICATION_READ)
def budget(ref: str) -> Any:
    """The grid with its totals and the rules of the call."""
    place = queries.workplace(current_actor(), ref)
    return _budget_page(place, BudgetForm(data={"version": str(place.budget.version)}))


@bp.post("/applications/<ref>/budget")
@requires(Permission.APPLICATION_EDIT)
def save_budget(ref: str) -> Any:
    """Save the amounts; what cannot be read, or was changed meanwhile, comes back as typed."""
    form, place = BudgetForm(), queries.workplace(current_actor(), ref)
    own = [each for each in place.budget.organisations if each in queries.own_rows(current_actor(), place.application)]
    reading = form.read(place.budget.rules, own)
    if not reading.errors:
        try:
            with form.refusals():
                given = BudgetInput(reading.cells, form.version_shown())
                services.save_budget(current_actor(), place.application.id, given)
                _say_how_read(reading.reworded)
                return see_other(".budget", ref=ref)
        except Conflict as error:
            return _budget_clash(ref, form, error), 409
    return _budget_page(place, form), 422


def _say_how_read(reworded: tuple[tuple[str, str], ...]) -> None:
    flash("The budget is saved.", "success")
    for typed, read in reworded[:12]:
        flash(f"“{typed}” was read as EUR {read}.", "success")


def _budget_clash(ref: str, form: BudgetForm, error: Conflict) -> str:
    place = queries.workplace(current_actor(), ref)
    form.problems.append(str(error))
    form.try_again(place.budget.version)
    clashes = [
        (place.budget.cell_names[name], plain(place.budget.amount(cell.organisation_id, cell.category)), text)
        for cell in form.reading.cells
        if (name := place.budget.field_name(cell.organisation_id, cell.category)) in place.budget.cell_names
        and cell.amount != place.budget.amount(cell.organisation_id, cell.category)
        and (text := form.reading.typed[name]) is not None
    ]
    return _budget_page(place, form, clashes)


def _budget_page(place: Workplace, form: BudgetForm, clashes: list[tuple[str, str, str]] | None = None) -> str:
    return page(
        "applications/budget.html",
        form=form,
        clashes=clashes or [],
        own=queries.own_rows(current_actor(), place.application),
        **team_context(place),
    )
