"""The call's financial overview: its budget, and every grant with what was committed, accepted, paid and is open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db, get
from grants.core.money import ZERO, Money, total
from grants.documents.queries import movements
from grants.documents.queries.marks import Marks, marks
from grants.documents.queries.payments import back_after_closure, paid_by_orders
from grants.documents.queries.scopes import call_id_of
from grants.documents.rules import (
    SYNTHETIC,
    Cell,
    Check,
    Column,
    ColumnKind,
    Figures,
    ScopeKind,
    Thing,
    agreeing,
    with_totals,
)
from grants.identity import queries as identity
from grants.ledger import queries as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import AsOf, Balances
from grants.programmes.models import Programme

NAME, TITLE = "call-financial-overview", "Financial overview of the call"
MONEY, NUMBER = ColumnKind.MONEY, ColumnKind.NUMBER

# What the overview says of each grant, column by column: words and the accounts whose balances are added.
OF_A_GRANT: tuple[tuple[str, tuple[Account, ...]], ...] = (
    ("Committed", (Account.LEGALLY_COMMITTED, Account.CONSUMED)),
    ("Accepted", (Account.GRANT_COSTS,)),
    ("Pre-financing granted, not yet cleared", (Account.PREFINANCING,)),
    ("Retained", (Account.RETENTION,)),
    ("Payable", (Account.PAYABLE,)),
    ("In transit", (Account.IN_TRANSIT,)),
    ("To be paid back", (Account.RECOVERY_RECEIVABLE,)),
    ("Paid", (Account.CONSUMED,)),
    ("Open", (Account.LEGALLY_COMMITTED,)),
)
BUDGET: tuple[tuple[str, Account], ...] = (
    ("Budget authorised", Account.BUDGET_AUTHORISED),
    ("Free", Account.AVAILABLE),
    ("Reserved by selection decisions", Account.RESERVED),
    ("Committed, agreement not yet signed", Account.COMMITTED),
    ("Open legal commitments", Account.LEGALLY_COMMITTED),
    ("Paid", Account.CONSUMED),
)

PAID_NOTE = (
    "Amounts in euros, from the ledger. Paid means booked by the bank, less what was paid back. What is set off across "
    "grants counts as paid on one and as paid back on the other; what comes back for a closed grant opens nothing again and "
    "is not taken off. Interest is no part of it."
)
ON_PAPER = "payment orders executed, less receipts and returns, with what was set off"
PREFINANCING_NOTE = (
    "Pre-financing granted, not yet cleared is the pre-financing approved, less the accepted costs set off against it. "
    "What of it is not paid yet also stands under Payable or In transit, and what is kept back under Retained."
)


def known_at(moment: datetime) -> AsOf:
    """The books as known at a moment."""
    return AsOf(recorded_before=moment, effective_to=clock.in_zone(moment).date())


def balances_of_grants(call_id: UUID, moment: datetime) -> dict[UUID, Balances]:
    """Where every grant of a call stands at a moment, by account: what the overview and each grant's statement read."""
    found: dict[UUID, dict[Account, Money]] = {}
    for row in ledger.balances(by=("grant_id",), call_id=call_id, as_of=known_at(moment)):
        if row.dims.grant_id is not None:
            found.setdefault(row.dims.grant_id, {})[row.account] = row.amount
    return {grant_id: Balances(amounts) for grant_id, amounts in found.items()}


def call_overview(reference: str, as_of: datetime) -> Figures:
    """The call's financial overview as known at a moment: its budget, and every grant with what was done for it."""
    call = get(Call, call_id_of(reference))
    budget = ledger.of(call_id=call.id, as_of=known_at(as_of))
    by_grant = balances_of_grants(call.id, as_of)
    grants = db.session.scalars(select(Grant).where(Grant.id.in_(list(by_grant))).order_by(Grant.reference)).all()
    marked = marks([call], list(by_grant))
    rows = _rows(grants, by_grant, marked)
    return Figures(
        name=NAME,
        title=TITLE,
        scope_kind=ScopeKind.CALL,
        scope_reference=call.reference,
        scope_title=call.title,
        programme=get(Programme, call.programme_id).name,
        as_of=as_of,
        summary=tuple((label, budget[account]) for label, account in BUDGET),
        behind=tuple((account.value,) for _, account in BUDGET),
        tables=(
            with_totals("Grants", _columns(), rows),
            with_totals(
                "By country of the coordinator",
                (Column("Country"), Column("Grants", NUMBER), *(Column(label, MONEY) for label, _ in OF_A_GRANT)),
                _by_country(rows),
            ),
            agreeing(_checks(call.id, as_of, budget, by_grant, grants)),
        ),
        notes=(PAID_NOTE, PREFINANCING_NOTE),
        synthetic=marked.words,
    )


def _columns() -> tuple[Column, ...]:
    return (
        Column("Grant", share=3, of=Thing.GRANT),
        Column("Pilot", share=3),
        Column("Coordinator", share=3),
        Column("Country", share=2),
        *(
            Column(label, MONEY, accounts=tuple(account.value for account in accounts))
            for label, accounts in OF_A_GRANT
        ),
        Column(SYNTHETIC),
    )


def _rows(grants: Sequence[Grant], by_grant: Mapping[UUID, Balances], marked: Marks) -> list[tuple[Cell, ...]]:
    names = identity.organisations(grant.coordinator_id for grant in grants)
    return [
        (
            grant.reference,
            grant.acronym or grant.title,
            names[grant.coordinator_id].name,
            names[grant.coordinator_id].country_code,
            *(total(by_grant[grant.id][account] for account in accounts) for _, accounts in OF_A_GRANT),
            marked.of(grant.id),
        )
        for grant in grants
    ]


def _by_country(rows: Sequence[tuple[Cell, ...]]) -> list[tuple[Cell, ...]]:
    first, last = 4, 4 + len(OF_A_GRANT)
    found: list[tuple[Cell, ...]] = []
    for country in sorted({str(row[3]) for row in rows}):
        own = [row for row in rows if row[3] == country]
        found.append((country, len(own), *(_sum(row[place] for row in own) for place in range(first, last))))
    return found


def _sum(cells: Iterable[Cell]) -> Money:
    return total(cell for cell in cells if isinstance(cell, Money))


def paid_by_bank(place: movements.Place, known: movements.Known) -> dict[UUID | None, Money]:
    """What is paid of each grant by its general accounts: what Paid must be. Two statements."""
    out, late = movements.paid_out(place, known), back_after_closure(place, known)
    return {grant_id: out.get(grant_id, ZERO) + late.get(grant_id, ZERO) for grant_id in {*out, *late}}


def _checks(
    call_id: UUID, as_of: datetime, budget: Balances, by_grant: Mapping[UUID, Balances], grants: Sequence[Grant]
) -> list[Check]:
    place, known = movements.Place(call_ids=(call_id,)), movements.at(as_of)
    paid = total(found[Account.CONSUMED] for found in by_grant.values())
    bank = paid_by_bank(place, known)
    for grant in grants:
        paid_grant = Check(
            f"Paid to {grant.reference}",
            by_grant[grant.id][Account.CONSUMED],
            "the bank account in the ledger",
            bank.get(grant.id, ZERO),
        )
        if not paid_grant.agrees:
            return [paid_grant]
    return [
        Check(
            "Budget authorised",
            budget[Account.BUDGET_AUTHORISED],
            "the sum of its parts",
            total(budget[account] for _, account in BUDGET[1:]),
        ),
        Check("Paid, all grants", paid, "the paid part of the call’s budget", budget[Account.CONSUMED]),
        Check(
            "Paid, all grants",
            paid,
            "the bank account in the ledger, which the disbursement register lists",
            total(bank.values()),
        ),
        Check("Paid, all grants", paid, ON_PAPER, paid_by_orders(place, known)),
        Check(
            "Open legal commitments",
            total(found[Account.LEGALLY_COMMITTED] for found in by_grant.values()),
            "the call’s budget",
            budget[Account.LEGALLY_COMMITTED],
        ),
    ]
