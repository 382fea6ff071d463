"""What was granted, declared, accepted and paid: of one grant and of all grants of a call, each in a constant number of statements."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.rules import GrantView
from grants.agreements.states import SIGNED, values
from grants.budgets import queries as budgets
from grants.budgets.models import Budget, BudgetLine
from grants.budgets.rules import BudgetContent, Cell
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity.models import Organisation
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.oversight.rules.spending import DECLARED, GrantMoney, GrantSpent, Judgement, Reported, Spent, time_gone
from grants.reporting.models import AcceptedCost, PeriodicReport, ReportVersion
from grants.reporting.states import ReportState


@reader
def grant_money(grant: GrantView) -> Asking[GrantMoney]:
    """In one statement, however many partners and lines; who may read it was decided by the caller."""
    about: list[Asking[Any]] = [
        _budget(grant),
        _reports(grant.id),
        books.balances.asking(by=("organisation_id",), accounts=(Account.CONSUMED,), grant_id=grant.id),
    ]
    budget, reports, consumed = yield from side_by_side(about)
    paid = {row.dims.organisation_id: row.amount for row in consumed if row.dims.organisation_id and row.amount}
    known = {each.organisation_id: each.name for each in grant.beneficiaries}
    involved = {cell.organisation_id for each in reports for cell in each.cells} | {*paid}
    missing = involved - known.keys()
    if missing:
        rows = yield from ask(select(Organisation.id, Organisation.name).where(Organisation.id.in_(missing)))
        known |= {row.id: row.name for row in rows}
    maxima = {each.organisation_id: each.maximum for each in grant.beneficiaries}
    return GrantMoney(budget, maxima, reports, paid, known)


def _budget(grant: GrantView) -> Asking[BudgetContent | None]:
    if grant.revision is None or grant.budget_id is None:
        return None
    content = (yield from budgets.stored.asking(grant.budget_id)).content
    return content if content.totals.total else None


def _reports(grant_id: UUID) -> Asking[tuple[Reported, ...]]:
    of_grant = select(PeriodicReport.budget_id).where(PeriodicReport.grant_id == grant_id)
    reports, kept, lines, judged = yield [
        select(PeriodicReport).where(PeriodicReport.grant_id == grant_id).order_by(PeriodicReport.number),
        select(Budget.id, Budget.rules).where(Budget.id.in_(of_grant)),
        select(BudgetLine.budget_id, BudgetLine.organisation_id, BudgetLine.category, BudgetLine.amount)
        .where(BudgetLine.budget_id.in_(of_grant))
        .order_by(BudgetLine.budget_id, BudgetLine.organisation_id, BudgetLine.category),
        select(AcceptedCost)
        .join(PeriodicReport, PeriodicReport.id == AcceptedCost.report_id)
        .where(PeriodicReport.grant_id == grant_id)
        .order_by(AcceptedCost.report_id, AcceptedCost.organisation_id, AcceptedCost.category),
    ]
    rules = {row.id: budgets.rules_of(row) for row in kept}
    cells: dict[UUID, list[Cell]] = {row.id: [] for row in kept}
    for line in lines:
        cells[line.budget_id].append(Cell(line.organisation_id, line.category, line.amount))
    said: dict[UUID, dict[tuple[UUID, str], Judgement]] = {row.id: {} for row in reports}
    for cost in judged:
        said[cost.report_id][cost.organisation_id, cost.category] = Judgement(cost.accepted, cost.reason)
    return tuple(
        Reported(
            row.number,
            row.reference,
            ReportState(row.state),
            row.starts_on,
            row.ends_before,
            rules[row.budget_id],
            tuple(cells[row.budget_id]),
            said[row.id],
        )
        for row in reports
    )


@reader
def call_spending(actor: Actor, call_id: UUID, today: date) -> Asking[tuple[GrantSpent, ...]]:
    """Every signed grant of a call in the reach of the reader, by reference: in one statement, however many there are."""
    in_reach = (Grant.call_id == call_id, Grant.state.in_(values(SIGNED)), agreements.visible(actor))
    newest = (
        select(ReportVersion.report_id, func.max(ReportVersion.number).label("number"))
        .group_by(ReportVersion.report_id)
        .subquery()
    )
    about: list[Asking[Any]] = [
        ask(select(Grant).where(*in_reach).order_by(Grant.reference)),
        ask(
            select(PeriodicReport.grant_id, PeriodicReport.accepted_total, ReportVersion.declared_total)
            .join(Grant, Grant.id == PeriodicReport.grant_id)
            .join(newest, newest.c.report_id == PeriodicReport.id)
            .join(
                ReportVersion,
                (ReportVersion.report_id == newest.c.report_id) & (ReportVersion.number == newest.c.number),
            )
            .where(*in_reach, PeriodicReport.state.in_([each.value for each in DECLARED]))
        ),
        books.balances.asking(by=("grant_id",), accounts=(Account.CONSUMED,), call_id=call_id),
    ]
    grants, reports, consumed = yield from side_by_side(about)
    declared: dict[UUID, Money] = {}
    accepted: dict[UUID, Money] = {}
    for row in reports:
        declared[row.grant_id] = declared.get(row.grant_id, ZERO) + row.declared_total
        accepted[row.grant_id] = accepted.get(row.grant_id, ZERO) + (row.accepted_total or ZERO)
    paid = {row.dims.grant_id: row.amount for row in consumed}
    return tuple(
        GrantSpent(
            row.reference,
            Spent(
                row.acronym or row.title,
                row.reference,
                row.maximum,
                declared.get(row.id, ZERO),
                accepted.get(row.id, ZERO),
                paid.get(row.id, ZERO),
            ),
            time_gone(row.starts_on, row.ends_before, today),
        )
        for row in grants
    )
