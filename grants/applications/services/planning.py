"""Acts on what stands beside the amounts of a draft's budget: sentences on costs, who else pays, the work plan."""

from __future__ import annotations

from uuid import UUID

from grants.applications import queries, rules
from grants.applications.queries import Gate
from grants.applications.rules import PlanInput, SourcesInput
from grants.applications.services.drafting import refuse_unaccepted, refuse_unwritable
from grants.budgets import services as budgets
from grants.budgets.rules import Note
from grants.core import acts
from grants.core.acts import act
from grants.core.errors import Refused
from grants.core.permissions import Actor, Permission


def _open(actor: Actor, application_id: UUID) -> tuple[Gate, UUID]:
    """The gate of an application that may be written in now, and its budget."""
    gate = queries.gate(actor, application_id)
    refuse_unwritable(application_id, gate.state)
    rules.refuse_late(gate.times, acts.moment())
    refuse_unaccepted(gate.own, joins=gate.joins)
    assert gate.budget_id is not None, "what can be written in has a budget"
    return gate, gate.budget_id


@act(
    "application.explain_costs",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="explained costs in the budget of application {subject}",
)
def explain_costs(actor: Actor, application_id: UUID, notes: tuple[Note, ...]) -> None:
    """Store the sentences asked of public administrations; a partner explains the own costs only."""
    acts.subject("application", application_id)
    gate, budget_id = _open(actor, application_id)
    budgets.write_notes(budget_id, [note for note in notes if gate.writes_row(note.organisation_id)])


@act(
    "application.save_sources",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="changed the sources beside the grant in application {subject}",
)
def save_sources(actor: Actor, application_id: UUID, given: SourcesInput) -> None:
    """Replace the sources beside the grant, which the lead and the editors answer for; raises
    :class:`~grants.budgets.rules.BudgetChanged` when somebody else saved them meanwhile.
    """
    acts.subject("application", application_id)
    gate, budget_id = _open(actor, application_id)
    if not gate.writes_all:
        raise Refused("The lead and the editors enter who else pays. Ask one of them to add or change a source.")
    budgets.write_sources(budget_id, given.sources, given.mark)


@act(
    "application.save_plan",
    needs=Permission.APPLICATION_EDIT,
    scope=queries.scope_of,
    says="changed the work plan of application {subject}",
)
def save_plan(actor: Actor, application_id: UUID, given: PlanInput) -> tuple[str, ...]:
    """Replace the work plan, which every partner writes, and say the codes its work packages have; raises :class:`~grants.budgets.rules.BudgetChanged` when
    somebody else saved it meanwhile.
    """
    acts.subject("application", application_id)
    _, budget_id = _open(actor, application_id)
    return budgets.write_plan(budget_id, given.packages, given.mark)
