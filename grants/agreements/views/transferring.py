"""The page of what was moved within the budget of a grant, and how one moves it."""

from __future__ import annotations

from typing import Any

from flask import flash

from grants.agreements import queries, services
from grants.agreements.forms import TransferForm, transfer_form
from grants.agreements.rules import GrantView
from grants.agreements.states import GrantState
from grants.agreements.views.frame import P, bp, grant_of
from grants.budgets import queries as budgets
from grants.budgets.rules import BudgetContent
from grants.core.errors import Refused
from grants.web.routing import current_actor, page, requires, see_other


@bp.get("/grants/<ref>/transfers")
@requires(P.AGREEMENT_READ)
def transfers(ref: str) -> Any:
    """Every move of a grant's budget, and how much may still be moved."""
    grant = grant_of(ref)
    return _transfers(grant, _budget_of(grant))


@bp.post("/grants/<ref>/transfers")
@requires(P.BUDGET_TRANSFER)
def move_budget(ref: str) -> Any:
    grant = grant_of(ref)
    budget = _budget_of(grant)
    if budget is None:
        raise Refused("This grant has no budget of its own, so nothing of it is moved here.")
    form = transfer_form(grant, budget.rules)
    if form.validate_on_submit():
        with form.refusals():
            services.move_budget(current_actor(), grant.id, form.to_input())
            flash("The budget is moved. Reports are held against it from now on.", "success")
            return see_other(".transfers", ref=ref)
    return _transfers(grant, budget, form)


def _budget_of(grant: GrantView) -> BudgetContent | None:
    if grant.budget_id is None or grant.revision is None:
        return None
    return budgets.stored(grant.budget_id).content


def _transfers(grant: GrantView, budget: BudgetContent | None, form: TransferForm | None = None) -> Any:
    flexible = queries.flexibility(grant.id)
    may = current_actor().may(P.BUDGET_TRANSFER, queries.scope_of_view(grant)) and grant.state is GrantState.IN_FORCE
    moves = may and flexible is not None and budget is not None
    labels = {each.code: each.label for each in budget.rules.categories} if budget is not None else {}
    shown = page(
        "agreements/transfers.html",
        grant=grant,
        found=queries.transfers(grant.id),
        flexible=flexible,
        labels=labels,
        form=(form or transfer_form(grant, budget.rules)) if moves and budget is not None else None,
    )
    return shown, 422 if form is not None else 200
