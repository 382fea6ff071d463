"""Whether the books are right: the journal's own checks, the payments', and those that need several stages at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, case, cast, func, select

from grants.agreements.models import Beneficiary, Grant
from grants.applications.models import Application
from grants.calls.models import Call
from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import ZERO, Money, total
from grants.identity.models import Organisation
from grants.ledger import queries as ledger
from grants.ledger import rules as ledger_rules
from grants.ledger.accounts import Account, Ledger, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.rules import Balances, Event
from grants.payments import queries as payments
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest, Recovery
from grants.payments.states import BatchState
from grants.programmes.models import FundSource
from grants.reporting.models import PeriodicReport

PROBLEMS_MAX = 100

# Where each id in a leg must be found. A document is whatever an entry rests on.
DIMENSIONS: Mapping[str, tuple[Any, ...]] = {
    "fund_source_id": (FundSource,),
    "call_id": (Call,),
    "grant_id": (Grant,),
    "organisation_id": (Organisation,),
    "document_id": (Call, Application, Grant, PeriodicReport, PaymentRequest, PaymentOrder, PaymentBatch, Recovery),
}


def verify_ledger() -> tuple[Problem, ...]:
    """What is wrong in the books now, the first hundred; empty is right.

    Checked, by the numbers of the invariants: I1 every entry balances; I2 debits are credits in each ledger; I3 a
    call's budget is the sum of its parts, floors included; I4 open and consumed commitment is the signed maximum less
    what was decommitted, partner maxima add up to it, and all of them fit the call's budget; I5 paid <= committed <=
    awarded <= budget, as it stands now; I6 net cash is what the accounts hold; I7 and other floors after every entry;
    I8 the ceiling before the balance; I9 after it, what the books hold as accepted is the final amount; I10 no partner consumed more than the own maximum; I12 orders and what was
    booked for them; I13 count and total of every batch; I15 four eyes on every order; and that every id a leg names
    is there.

    Held elsewhere: how I9 and I11 are worked out, by the rules that compute them and their properties; I16 by ``grants audit verify``; I17
    and I18 by the statements, which are compared byte for byte; I21 by triggers and the state machines.

    Not yet applicable: offset of debts and interest on them (E15, E18), I14 (no bank statements are read), I19 (no forecast), I20 (no register of invoices and work
    days), I10 for cost categories (no transfers between them), and I5 at past moments.
    """
    found: list[Problem] = []
    for check in (
        ledger.verify,
        payments.verify,
        _dimensions,
        _trial_balance,
        _commitments,
        _partners,
        _calls,
        _batches,
    ):
        found += check()
        if len(found) >= PROBLEMS_MAX:
            break
    return tuple(found[:PROBLEMS_MAX])


def _dimensions() -> list[Problem]:
    """Ids in legs are no foreign keys: each must be a row of the stage that owns it."""
    problems = []
    for name, named in ledger.dimension_ids().items():
        there: set[UUID] = set()
        for model in DIMENSIONS[name]:
            there |= set(db.session.scalars(select(model.id).where(model.id.in_(named))))
        what = name.removesuffix("_id").replace("_", " ")
        problems += [
            Problem(f"{what} {lost}", f"The ledger names this {what}, but there is none.")
            for lost in sorted(named - there)
        ]
    return problems


def _trial_balance() -> list[Problem]:
    """I2: debits are credits in each of the ledgers."""
    off: dict[Ledger, Money] = {}
    for row in ledger.trial_balance():
        off[row.account.ledger] = off.get(row.account.ledger, ZERO) + row.debits - row.credits
    return [
        Problem(f"{name.value} ledger", f"I2: it is off by {amount}.") for name, amount in sorted(off.items()) if amount
    ]


def _signed() -> list[Grant]:
    """Every agreement that entered into force, by reference."""
    return list(db.session.scalars(select(Grant).where(Grant.in_force_at.is_not(None)).order_by(Grant.reference)))


def _decommitted() -> dict[UUID, Money]:
    """What closures gave back, by grant, reversed ones left out."""
    undone = select(LedgerEntry.reverses_id).where(LedgerEntry.reverses_id.is_not(None)).scalar_subquery()
    cents = cast(LedgerLeg.cents, BigInteger)
    statement = (
        select(LedgerLeg.grant_id, func.sum(case((LedgerLeg.side == Side.DEBIT.value, cents), else_=-cents)))
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(
            LedgerEntry.event == Event.DECOMMITTED.value,
            LedgerLeg.account == Account.LEGALLY_COMMITTED.value,
            LedgerEntry.id.not_in(undone),
        )
        .group_by(LedgerLeg.grant_id)
    )
    return {grant_id: Money(abs(int(net))) for grant_id, net in db.session.execute(statement)}


def _commitments() -> list[Problem]:
    """I4 for every grant in force or closed."""
    grants, decommitted = _signed(), _decommitted()
    balances = ledger.grants_balances([grant.id for grant in grants])
    return [
        problem
        for grant in grants
        for problem in ledger_rules.commitment_problems(
            grant.reference, balances[grant.id], maximum=grant.maximum, decommitted=decommitted.get(grant.id, ZERO)
        )
    ]


def _partners() -> list[Problem]:
    """I4 and I10: partner maxima add up to the grant's, and nobody consumed more than the own one."""
    grants = {grant.id: grant for grant in _signed()}
    maxima: dict[UUID, dict[UUID | None, Money]] = {}
    for row in db.session.scalars(select(Beneficiary).where(Beneficiary.grant_id.in_(grants))):
        maxima.setdefault(row.grant_id, {})[row.organisation_id] = row.maximum
    problems = []
    for grant_id, grant in grants.items():
        spread = total(maxima.get(grant_id, {}).values())
        if spread != grant.maximum:
            problems.append(
                Problem(grant.reference, f"I4: partners may have {spread} together, the grant {grant.maximum}.")
            )
    consumed = ledger.balances(by=("grant_id", "organisation_id"), accounts=(Account.CONSUMED,))
    for line in consumed:
        holder = grants.get(line.dims.grant_id) if line.dims.grant_id else None
        if holder is None:
            continue
        own = maxima.get(holder.id, {}).get(line.dims.organisation_id, ZERO)
        if line.amount > own:
            words = f"I10: a partner consumed {line.amount}; the own maximum is {own}."
            problems.append(Problem(f"{holder.reference}, organisation {line.dims.organisation_id}", words))
    return problems


def _calls() -> list[Problem]:
    """I4 and I5 for every call, as it stands now."""
    by_call: dict[UUID, dict[Account, Money]] = {}
    for row in ledger.balances(by=("call_id",)):
        if row.dims.call_id is not None:
            by_call.setdefault(row.dims.call_id, {})[row.account] = row.amount
    decommitted = _decommitted()
    awarded: dict[UUID, Money] = {}
    for grant in _signed():
        awarded[grant.call_id] = awarded.get(grant.call_id, ZERO) + grant.maximum - decommitted.get(grant.id, ZERO)
    problems: list[Problem] = []
    for call_id, reference in db.session.execute(
        select(Call.id, Call.reference).where(Call.id.in_(by_call)).order_by(Call.reference)
    ):
        found = Balances(by_call[call_id])
        problems += ledger_rules.order_problems(
            reference,
            paid=found.cash_out,
            committed=found[Account.LEGALLY_COMMITTED] + found[Account.CONSUMED],
            awarded=awarded.get(call_id, ZERO),
            budget=found[Account.BUDGET_AUTHORISED],
        )
    return problems


def _batches() -> list[Problem]:
    """I13: a file that was not discarded holds as many orders and as much money as it says, a discarded one none."""
    statement = (
        select(
            PaymentBatch.reference,
            PaymentBatch.orders,
            PaymentBatch.total,
            func.count(PaymentOrder.id),
            func.coalesce(func.sum(cast(PaymentOrder.amount, BigInteger)), 0),
        )
        .outerjoin(PaymentOrder, PaymentOrder.batch_id == PaymentBatch.id)
        .where(PaymentBatch.state != BatchState.DISCARDED.value)
        .group_by(PaymentBatch.id)
        .order_by(PaymentBatch.reference)
    )
    return [
        Problem(reference, f"I13: its file says {orders} orders and {said}, it holds {count} and {Money(int(cents))}.")
        for reference, orders, said, count, cents in db.session.execute(statement)
        if (orders, said.cents) != (count, int(cents))
    ]
