"""The work plan of an application: work packages with their lines, written in one table and drawn as a timeline."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.applications import queries, services
from grants.applications.queries import Workplace
from grants.applications.rules import PlanInput
from grants.applications.views.frame import bp, team_context
from grants.budgets.forms import PlanForm
from grants.budgets.rules import MONTHS_MAX, plan_mark
from grants.core.errors import Conflict
from grants.core.permissions import Permission
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/applications/<ref>/plan")
@requires(Permission.APPLICATION_READ)
def plan(ref: str) -> Any:
    """The work plan and its timeline."""
    place = queries.workplace(current_actor(), ref)
    return _plan_page(place, PlanForm(place.budget.content.plan))


@bp.post("/applications/<ref>/plan")
@requires(Permission.APPLICATION_EDIT)
def save_plan(ref: str) -> Any:
    """Save the whole work plan; what is wrong, or was changed meanwhile, comes back as typed."""
    form, place = PlanForm(), queries.workplace(current_actor(), ref)
    stored = place.budget.content.plan
    months_max = place.application.call.content.duration_months or MONTHS_MAX
    given = form.read(stored, place.budget.organisations, months_max)
    try:
        if given is not None:
            with form.refusals():
                services.save_plan(current_actor(), place.application.id, PlanInput(given, form.mark.data))
                flash("The work plan is saved.", "success")
                return see_other(".plan", ref=ref)
    except Conflict as error:
        form.problems.append(f"{error} The timeline shows what stands now; saving what you typed below replaces it.")
        form.try_again(place.budget.version)
        form.mark.data, form.mark.raw_data = plan_mark(stored), None
        return _plan_page(place, form), 409
    return _plan_page(place, form), 422


def _plan_page(place: Workplace, form: PlanForm) -> str:
    writes = queries.own_rows(current_actor(), place.application)
    return page("applications/plan.html", form=form, own=writes, **team_context(place))
