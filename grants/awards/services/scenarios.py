"""A scenario is saved and changed until a list is decided from it."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from sqlalchemy import func, select

from grants.awards import queries, rules
from grants.awards.models import SelectionScenario
from grants.awards.rules import ScenarioInput
from grants.awards.services.deciding import confirmed_list, refuse_conflicted, refuse_open_list
from grants.awards.services.solving import ask_solve
from grants.calls import queries as calls
from grants.core import acts, encoding
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid
from grants.core.permissions import Actor, Permission
from grants.evaluation.queries import call_scope


@act(
    "selection.save_scenario",
    needs=Permission.SELECTION_DECIDE,
    scope=call_scope,
    says="saved a scenario for the selection of {subject}",
)
def save_scenario(actor: Actor, call_id: UUID, values: ScenarioInput) -> int:
    """Save a way to select from the list of a call, or change one that no standing list was decided from; its number."""
    values = values.checked()
    call = calls.call_by_id(call_id)
    # Whoever saves one chooses no order of ties: it is what the panel said in signed minutes.
    values = replace(values, plan=replace(values.plan, panel_order=queries.order_said(call_id)))
    refuse_open_list(call_id)
    rules.refuse_second_list(confirmed_list(call_id))
    found, waiting, _ = queries.live_list(call, rules.plan_of(call.content.selection))
    refuse_conflicted(actor, [row.application_id for row in found.rows] + [row.id for row in waiting])
    asked = {row.reference: row.requested for row in found.rows}
    draws = call.content.draw is not None
    rows = db.session.scalars(select(SelectionScenario).where(SelectionScenario.call_id == call_id)).all()
    wrong = rules.wrong_name(values.name, values.number, {row.number: row.name for row in rows})
    wrong |= rules.wrong_departures(values.plan, asked, call.content.selection, found.budget, draws=draws)
    if wrong:
        raise Invalid("The scenario was not saved.", wrong)
    if values.plan.has_minima:
        # Whether it can be reckoned with is told on its page.
        ask_solve(call_id)
    assert actor.user_id is not None, "only a person saves a scenario"
    if values.number is None:
        last = db.session.scalar(select(func.max(SelectionScenario.number)).where(SelectionScenario.call_id == call_id))
        number = (last or 0) + 1
        db.session.add(
            SelectionScenario(
                call_id=call_id, number=number, name=values.name, plan=encoding.encode(values.plan),
                made_by=actor.user_id, made_at=acts.moment(),
            )
        )  # fmt: skip
        return number
    row = locked(SelectionScenario, queries.scenario_of(call_id, values.number).id)
    check_version(row, values.version)
    row.name, row.plan = values.name, encoding.encode(values.plan)
    row.made_by, row.made_at = actor.user_id, acts.moment()
    return row.number
