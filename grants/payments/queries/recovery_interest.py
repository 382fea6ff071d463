"""Interest on debts that were paid late: what is open of it, what it is made of, and what is still to be booked."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from uuid import UUID

from sqlalchemy import exists, or_, select

from grants.core.db import db
from grants.core.money import ZERO, Money, total
from grants.core.together import Asking, ask, reader
from grants.payments.models import InterestWaiver, PaymentOffset, Recovery, RecoveryInterest, RecoveryReceipt
from grants.payments.rules.interest import InterestLine, Late
from grants.payments.states import InterestState


def interest_open(recovery_id: UUID) -> Money:
    """What of the confirmed interest on a debt is neither paid nor waived."""
    due = select(RecoveryInterest.amount).where(
        RecoveryInterest.recovery_id == recovery_id, RecoveryInterest.state == InterestState.CONFIRMED.value
    )
    paid = select(RecoveryReceipt.interest).where(RecoveryReceipt.recovery_id == recovery_id)
    waived = select(InterestWaiver.amount).where(InterestWaiver.recovery_id == recovery_id)
    return total(db.session.scalars(due)) - total(db.session.scalars(paid)) - total(db.session.scalars(waived))


def late_payments(row: Recovery) -> tuple[Late, ...]:
    """What of a debt was paid after its last day and bears no interest yet, receipts and offsets, oldest first."""
    if row.due_on is None:
        return ()
    live = RecoveryInterest.state != InterestState.REFUSED.value
    receipts = select(RecoveryReceipt.id, RecoveryReceipt.amount, RecoveryReceipt.value_on).where(
        RecoveryReceipt.recovery_id == row.id,
        RecoveryReceipt.value_on > row.due_on,
        RecoveryReceipt.amount > ZERO,
        ~exists().where(RecoveryInterest.receipt_id == RecoveryReceipt.id, live),
    )
    offsets = select(PaymentOffset.id, PaymentOffset.amount, PaymentOffset.offset_on).where(
        PaymentOffset.recovery_id == row.id,
        PaymentOffset.offset_on > row.due_on,
        ~exists().where(RecoveryInterest.offset_id == PaymentOffset.id, live),
    )
    found = [Late(each.id, None, each.amount, each.value_on) for each in db.session.execute(receipts)]
    found += [Late(None, each.id, each.amount, each.offset_on) for each in db.session.execute(offsets)]
    return tuple(sorted(found, key=lambda each: (each.paid_on, str(each.receipt_id or each.offset_id))))


def interest_waiting(grant_id: UUID) -> Asking[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Debts of a grant whose interest waits for its second person, and those paid late that bear none yet, by reference."""
    mine = Recovery.grant_id == grant_id
    live = RecoveryInterest.state != InterestState.REFUSED.value
    proposed = select(Recovery.reference).where(
        mine,
        exists().where(
            RecoveryInterest.recovery_id == Recovery.id, RecoveryInterest.state == InterestState.PROPOSED.value
        ),
    )
    receipt = exists().where(
        RecoveryReceipt.recovery_id == Recovery.id,
        RecoveryReceipt.value_on > Recovery.due_on,
        RecoveryReceipt.amount > ZERO,
        ~exists().where(RecoveryInterest.receipt_id == RecoveryReceipt.id, live).correlate(RecoveryReceipt),
    )
    offset = exists().where(
        PaymentOffset.recovery_id == Recovery.id,
        PaymentOffset.offset_on > Recovery.due_on,
        ~exists().where(RecoveryInterest.offset_id == PaymentOffset.id, live).correlate(PaymentOffset),
    )
    late = select(Recovery.reference).where(mine, or_(receipt, offset))
    waiting, to_reckon = yield [proposed.order_by(Recovery.reference), late.order_by(Recovery.reference)]
    return tuple(row.reference for row in waiting), tuple(row.reference for row in to_reckon)


@reader
def interest_lines(recovery_ids: Iterable[UUID]) -> Asking[dict[UUID, list[InterestLine]]]:
    """The interest on these debts that was not refused, line by line. One statement."""
    statement = (
        select(RecoveryInterest)
        .where(
            RecoveryInterest.recovery_id.in_(list(recovery_ids)),
            RecoveryInterest.state != InterestState.REFUSED.value,
        )
        .order_by(RecoveryInterest.paid_on, RecoveryInterest.created_at, RecoveryInterest.id)
    )
    found: dict[UUID, list[InterestLine]] = {}
    for row in (yield from ask(statement)):
        found.setdefault(row.recovery_id, []).append(
            InterestLine(
                InterestState(row.state),
                row.principal,
                row.due_on,
                row.paid_on,
                row.days,
                row.reference_on,
                Decimal(row.reference),
                row.table_number,
                Decimal(row.margin),
                row.day_count,
                row.amount,
                row.booked_by,
            )
        )
    return found


def waived_of(recovery_id: UUID) -> Money:
    """What of the interest on a debt was waived."""
    return total(db.session.scalars(select(InterestWaiver.amount).where(InterestWaiver.recovery_id == recovery_id)))
