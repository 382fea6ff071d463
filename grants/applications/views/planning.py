"""The work plan of an application: work packages with their lines, written in one table and drawn as a timeline."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.applications import queries, services
from grants.applications.queries import Workplace
from grants.applications.rules import PlanInput
from grants.applications.views.frame import bp, team_context
from grants.budgets.forms import PlanForm
from grants.budgets.rules import MONTHS_MAX, PlannedPackage, plan_mark
from grants.core.errors import Conflict
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other

MEANWHILE = " It was also changed elsewhere while you were working; those changes are kept in it."


@bp.get("/applications/<ref>/plan")
@requires(Permission.APPLICATION_READ)
def plan(ref: str) -> Any:
    """The work plan and its timeline."""
    place = queries.workplace(current_actor(), ref)
    return _plan_page(place, PlanForm(place.budget.content.plan))


@bp.post("/applications/<ref>/plan")
@requires(Permission.APPLICATION_EDIT)
def save_plan(ref: str) -> Any:
    """Save every line that can be; what is wrong, or was changed by two people, comes back as typed."""
    form, place = PlanForm(), queries.workplace(current_actor(), ref)
    stored = place.budget.content.plan
    months_max = place.application.call.content.duration_months or MONTHS_MAX
    given = form.read(stored, {row.organisation_id: row.name for row in place.budget.rows}, months_max)
    status, saved = 422, None
    try:
        with form.refusals():
            if given is not None:
                saved = _save(place, form, given)
    except Conflict as error:
        status = 409
        form.problems.append(f"{error} Nothing is saved yet. Look at the timeline, then save again.")
    if saved is not None and not form.is_wrong:
        flash(f"The work plan is saved.{MEANWHILE if form.was_overtaken else ''}", "success")
        return see_other(".plan", ref=ref)
    if saved is None:
        form.carry(stored)
    else:
        form.settle(saved)
        form.problems.append(
            "What is marked below is not saved yet and stands as you typed it. Everything else is saved."
        )
        place = queries.workplace(current_actor(), ref)
    form.try_again(place.budget.version)
    return _plan_page(place, form), status


def _save(place: Workplace, form: PlanForm, given: tuple[PlannedPackage, ...]) -> tuple[str, ...]:
    """The codes of the work packages as they now stand."""
    stored = place.budget.content.plan
    if form.is_wrong and given == stored:
        return tuple(each.code for each in stored)
    return services.save_plan(current_actor(), place.application.id, PlanInput(given, plan_mark(stored)))


def _plan_page(place: Workplace, form: PlanForm) -> str:
    writes = queries.own_rows(current_actor(), place.application)
    return page("applications/plan.html", form=form, own=writes, **team_context(place))
