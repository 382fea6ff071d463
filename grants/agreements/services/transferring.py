"""Budget is moved within a signed grant, as far as its call lets that happen without an amendment."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries, rules
from grants.agreements.models import Beneficiary, BudgetTransfer, Grant
from grants.agreements.queries import money_locked
from grants.agreements.rules import TransferInput
from grants.agreements.services.holding import refuse_held
from grants.agreements.services.terminating import refuse_over
from grants.agreements.states import GrantState, TransferLevel
from grants.budgets import queries as budgets
from grants.budgets import services as budget_writes
from grants.budgets.rules import BudgetContent, Cell
from grants.core import acts, jobs
from grants.core.acts import act
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity import services as people
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event, legs_e20


@act("budget.transfer", needs=Permission.BUDGET_TRANSFER, scope=money_locked, says="moved budget within {subject}")
def move_budget(actor: Actor, grant_id: UUID, given: TransferInput) -> int:
    """Move costs from one partner and category to another; between partners the maximum goes with them (E20).

    Everything that was ever moved counts, back-moves too. Returns the number of the move.
    """
    acts.subject("grant_agreement", grant_id)
    grant = get(Grant, grant_id)
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("Budget is moved while a grant is in force. Before its signature the city revises its budget.")
    if grant.final_amount is not None:
        raise Refused("The final amount of this grant is decided, so its budget moves no more.")
    refuse_over(grant, "its budget moves no more")
    rules.refuse_fixed_packages(queries.fixed_packages(grant_id))
    refuse_held(grant, frozenset({given.from_organisation_id, given.to_organisation_id}))
    shown, budget = queries.view(grant), _budget_of(grant)
    flexible = queries.flexibility(grant_id)
    if flexible is None:
        raise Refused("The call of this grant lets no budget be moved without an amendment. Ask for an amendment.")
    made = rules.transfer(
        given,
        budget,
        flexible,
        {each.organisation_id: each.maximum for each in shown.beneficiaries},
        queries.held_of(grant_id),
        {each.organisation_id: each.name for each in shown.beneficiaries},
        queries.gone(grant_id),
    )
    number = len(queries.transfers(grant_id)) + 1
    row = BudgetTransfer(
        grant_id=grant_id,
        number=number,
        from_organisation_id=given.from_organisation_id,
        from_category=given.from_category,
        to_organisation_id=given.to_organisation_id,
        to_category=given.to_category,
        amount=given.amount,
        maximum_moved=made.maximum_moved,
        level=made.level.value,
        reason=clean_text(given.reason),
        cumulative_after=flexible.used + given.amount,
        made_by=actor.user_id,
        made_at=acts.moment(),
    )
    db.session.add(row)
    acts.reason(row.reason)
    assert grant.budget_id is not None, "the budget is the grant's own"
    write_budget(grant.budget_id, budget, made.budget)
    if made.maximum_moved:
        _move_maximum(grant, row)
        # A balance that waits for its decision asks for what fits under the maxima now.
        jobs.queue(
            "jobs.payments.follow_agreement",
            subject=("grant", grant.id),
            unique=f"jobs.payments.follow_agreement:{grant.id}:transfer:{number}",
            asker=jobs.Asker.PROGRAM,
            grant_id=grant.id,
            version_no=len(shown.versions),
        )
    if made.level is TransferLevel.NOTIFY:
        _tell(actor, grant, row)
    return number


def _budget_of(grant: Grant) -> BudgetContent:
    if grant.budget_id is None or queries.revision_row(grant.id) is None:
        raise Refused(
            "This grant was prepared before grants had a budget of their own, so nothing of it is moved here."
        )
    return budgets.stored(grant.budget_id).content


def write_budget(budget_id: UUID, before: BudgetContent, after: BudgetContent) -> None:
    """Plain helper of whatever changes the budget of a grant in force: what is another amount now is written, and no more."""
    if before.rules != after.rules:
        budget_writes.move(budget_id, after.rules)
    for organisation_id in after.organisations:
        if organisation_id not in before.organisations:
            budget_writes.add_organisation(budget_id, organisation_id)
    db.session.flush()
    old, new = _amounts(before), _amounts(after)
    changed = [
        Cell(*key[:2], new.get(key, ZERO), work_package=key[2], period=key[3])
        for key in dict.fromkeys((*old, *new))
        if old.get(key, ZERO) != new.get(key, ZERO)
    ]
    budget_writes.write_cells(budget_id, changed, None)


def _amounts(budget: BudgetContent) -> dict[tuple[UUID, str, str, int], Money]:
    return {(cell.organisation_id, cell.category, cell.work_package, cell.period): cell.amount for cell in budget.cells}


def _move_maximum(grant: Grant, row: BudgetTransfer) -> None:
    """The maxima of both follow, and the ledger says so; the partners are locked."""
    shares = {
        each.organisation_id: each
        for each in db.session.scalars(select(Beneficiary).where(Beneficiary.grant_id == grant.id))
    }
    giver, taker = shares[row.from_organisation_id], shares[row.to_organisation_id]
    giver.maximum, taker.maximum = giver.maximum - row.maximum_moved, taker.maximum + row.maximum_moved
    ledger.post(
        Event.TRANSFERRED,
        source_key=f"transfer:{grant.id}:{row.number}",
        effective_on=acts.today(),
        description=f"{grant.reference}: part of one partner’s maximum moves to another",
        legs=legs_e20(
            row.maximum_moved,
            Dimensions(grant.fund_source_id, grant.call_id, grant.id, document_id=grant.id),
            giver=row.from_organisation_id,
            taker=row.to_organisation_id,
        ),
    )


def _tell(actor: Actor, grant: Grant, row: BudgetTransfer) -> None:
    """Above what is free the programme is told."""
    officers = identity.users_with(Permission.AGREEMENT_PREPARE, queries.scope(grant))
    people.mail(
        sorted(each.id for each in officers),
        "budget_moved",
        "grant",
        grant.id,
        reference=grant.reference,
        title=grant.title,
        by=actor.name,
        amount=str(row.amount),
        cumulative=str(row.cumulative_after),
        words=row.reason,
    )
