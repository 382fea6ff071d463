"""Which accounts of the programme a person reads of, which lines of them, and which lines wait for somebody."""

from __future__ import annotations

from sqlalchemy import ColumnElement, func, or_, select, true

from grants.agreements.models import Grant
from grants.core.permissions import Actor, Permission
from grants.payments.models import BankClaim, BankLine, OwnAccount, PaymentOrder, Recovery
from grants.payments.queries.orders import visible_orders
from grants.payments.states import BookedAs

# Lines that wait for somebody: nothing was booked from them, or nobody knows yet what they are for.
UNIDENTIFIED = (BankLine.booked_as == BookedAs.UNIDENTIFIED.value) & BankLine.identified_at.is_(None)


OPEN = BankLine.matched_at.is_(None) | UNIDENTIFIED


def is_open_line(row: BankLine) -> bool:
    """The same of a row."""
    unidentified = row.booked_as == BookedAs.UNIDENTIFIED.value and row.identified_at is None
    return row.matched_at is None or unidentified


def in_reach(actor: Actor) -> ColumnElement[bool]:
    """The accounts whose statements a person reads: those of a whole programme, so a role of one call reaches none."""
    if actor.everywhere(Permission.PAYMENT_ORDER_READ):
        return true()
    return OwnAccount.programme_id.in_(actor.places(Permission.PAYMENT_ORDER_READ, "programme"))


def not_shut(actor: Actor) -> ColumnElement[bool]:
    """Lines that name no order this person may not see: of what a conflict shuts, no name and no amount is told."""
    if not actor.barred_from():
        return true()
    seen = visible_orders(actor, select(PaymentOrder.id))
    # The statement around may join orders, claims and debts of its own: of it, only the line is meant here.
    said = select(BankClaim.order_id).where(BankClaim.line_id == BankLine.id, BankClaim.order_id.is_not(None))
    shut = select(PaymentOrder.id).where(
        or_(
            PaymentOrder.end_to_end_id == BankLine.end_to_end_id,
            PaymentOrder.reference == BankLine.end_to_end_id,
            PaymentOrder.id == BankLine.order_id,
            PaymentOrder.id.in_(said.correlate(BankLine)),
        ),
        PaymentOrder.id.not_in(seen),
    )
    owed = select(BankClaim.recovery_id).where(BankClaim.line_id == BankLine.id, BankClaim.recovery_id.is_not(None))
    told_text = func.upper(func.concat(BankLine.end_to_end_id, " ", BankLine.remittance))
    debts = (
        select(Recovery.id)
        .join(Grant, Grant.id == Recovery.grant_id)
        .where(
            or_(
                Recovery.id == BankLine.recovery_id,
                Recovery.id.in_(owed.correlate(BankLine)),
                # Of an open line, whatever it names; with a letter or digit behind, the name is another recovery's.
                OPEN & told_text.op("~")(func.concat(r"(^|[^A-Z0-9-])", Recovery.reference, r"($|[^A-Z0-9-])")),
            ),
            Grant.application_id.in_(actor.barred("application")),
        )
    )
    return ~shut.correlate(BankLine).exists() & ~debts.correlate(BankLine).exists()
