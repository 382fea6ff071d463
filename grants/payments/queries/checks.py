"""Counts of payments, and the checks of all requests and orders."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from sqlalchemy import func, or_, select

from grants.agreements.models import Grant
from grants.core import clock
from grants.core.db import db
from grants.core.errors import Problem
from grants.ledger import queries as books
from grants.ledger import rules as ledger_rules
from grants.ledger.models import LedgerEntry
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentRequest, PaymentRequestPart, Recovery, RecoveryReceipt
from grants.payments.queries.orders import ROWS_MAX, order_views
from grants.payments.states import OrderState


def verify() -> tuple[Problem, ...]:
    """I8, I9, I11, I12 and I15 over all requests and orders; empty is right. Assembled with the ledger's own checks in oversight."""
    found: list[Problem] = []
    rows = db.session.scalars(select(PaymentOrder).order_by(PaymentOrder.reference)).all()
    for start in range(0, len(rows), ROWS_MAX):
        for view in order_views(rows[start : start + ROWS_MAX]):
            found += rules.circuit_problems(view)
    found += _unbooked(rows)
    found += _other_days()
    found += _parts_off()
    found += _over_ceiling()
    found += _not_final()
    return tuple(found)


def _unbooked(rows: Sequence[PaymentOrder]) -> list[Problem]:
    """I12: every order that left is booked as sent, every executed one as booked, and no other."""
    expected = set()
    for row in rows:
        if row.state in {OrderState.SENT.value, OrderState.EXECUTED.value}:
            expected.add(f"payment_order:{row.id}:sent")
        if row.state == OrderState.EXECUTED.value:
            expected.add(f"payment_order:{row.id}:booked")
    booked = set(books.source_keys("payment_order:"))
    names = {str(row.id): row.reference for row in rows}
    return [
        Problem(names.get(key.split(":")[1], key), "I12: what the ledger booked is not what the order says.")
        for key in sorted(expected ^ booked)
    ]


def _parts_off() -> list[Problem]:
    """I11: the parts of a decided request sum to it, amount by amount; what was decided before parts were kept has none."""
    names = ("requested", "approved", "refused", "payable", "retained", "cleared", "deferred", "recoverable")
    wholes = [getattr(PaymentRequest, name) for name in names]
    sums = [func.sum(getattr(PaymentRequestPart, name)) for name in names]
    statement = (
        select(PaymentRequest.reference)
        .join(PaymentRequestPart, PaymentRequestPart.request_id == PaymentRequest.id)
        .group_by(PaymentRequest.id)
        .having(or_(*(part.is_distinct_from(whole) for part, whole in zip(sums, wholes, strict=True))))
        .order_by(PaymentRequest.reference)
    )
    return [
        Problem(reference, "I11: its parts by partner do not sum to what was decided.")
        for reference in db.session.scalars(statement)
    ]


def _other_days() -> list[Problem]:
    """I12: an order was executed, and a recovery came in, on the day as of which the ledger booked it."""
    day = LedgerEntry.effective_on
    order_key = func.concat("payment_order:", PaymentOrder.id, ":booked")
    receipt_key = func.concat("recovery_receipt:", RecoveryReceipt.id, ":received")
    orders = (
        select(PaymentOrder.reference, PaymentOrder.value_on, day)
        .join(LedgerEntry, LedgerEntry.source_key == order_key)
        .where(PaymentOrder.value_on != day)
    )
    receipts = (
        select(Recovery.reference, RecoveryReceipt.value_on, day)
        .join(Recovery, Recovery.id == RecoveryReceipt.recovery_id)
        .join(LedgerEntry, LedgerEntry.source_key == receipt_key)
        .where(RecoveryReceipt.value_on != day)
    )
    found: list[tuple[str, date, date]] = []
    for statement in (orders, receipts):
        found += [(reference, said, booked) for reference, said, booked in db.session.execute(statement) if said]
    return [
        Problem(
            reference,
            f"I12: its value date is {clock.long_date(said)}; the ledger booked it as of {clock.long_date(booked)}.",
        )
        for reference, said, booked in sorted(found)
    ]


def _over_ceiling() -> list[Problem]:
    """I8: before the balance nothing above the ceiling of a grant."""
    grants = db.session.scalars(
        select(Grant).where(Grant.in_force_at.is_not(None), Grant.final_amount.is_(None)).order_by(Grant.reference)
    ).all()
    balances = books.grants_balances([grant.id for grant in grants])
    return [
        problem
        for grant in grants
        for problem in ledger_rules.ceiling_problems(grant.reference, balances[grant.id], ceiling=grant.interim_ceiling)
    ]


def _not_final() -> list[Problem]:
    """I9: once the final amount is decided, it is what the books hold as accepted."""
    grants = db.session.scalars(select(Grant).where(Grant.final_amount.is_not(None)).order_by(Grant.reference)).all()
    balances = books.grants_balances([grant.id for grant in grants])
    return [
        problem
        for grant in grants
        if grant.final_amount is not None
        for problem in ledger_rules.final_problems(grant.reference, balances[grant.id], final=grant.final_amount)
    ]
