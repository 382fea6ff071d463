"""What comes back for a recovery is booked: typed by hand, read off a statement, or told later of an unidentified receipt."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import rules as legs
from grants.ledger.rules import Event, Posting
from grants.payments import queries, rules
from grants.payments.models import PaymentOffset, Recovery, RecoveryReceipt
from grants.payments.queries.recovery_interest import interest_open
from grants.payments.rules import ReceiptInput, RecoverySummary
from grants.payments.services import parts
from grants.payments.services.locks import scope_of_grant
from grants.payments.services.passing import post_paid
from grants.payments.services.requests import dims_of
from grants.payments.states import OWED, PAYABLE_BACK, RECOVERY, RecoveryState


def scope_of_recovery(recovery_id: UUID) -> Scope:
    """Where the grant of a recovery lies, its money locked."""
    return scope_of_grant(get(Recovery, recovery_id).grant_id)


@act("recovery.book", needs=Permission.RECOVERY_BOOK, scope=scope_of_recovery, says="booked a receipt for {subject}")
def book_receipt(
    actor: Actor, recovery_id: UUID, given: ReceiptInput, *, version: int | None = None
) -> RecoverySummary:
    """Book money that came back, by its value date and the bank's reference (E14); the commitment it used opens again."""
    demand_fresh(actor)
    row = locked(Recovery, recovery_id)
    refuse_conflict(actor, row.grant_id)
    check_version(row, version)
    if not interest_open(row.id):
        RECOVERY.target(RecoveryState(row.state), "book")
    refuse_booking(actor.user_id, row)
    rules.check_receipt(given, owed_since(row), acts.today())
    known = given.bank_reference.strip()
    receipts = select(RecoveryReceipt.id).where(RecoveryReceipt.recovery_id == row.id)
    if db.session.scalar(receipts.where(RecoveryReceipt.bank_reference == known)) is not None:
        raise Invalid(
            "This receipt is booked already.",
            {
                "bank_reference": f"A receipt with the reference {known} is booked for this recovery. Compare it with the statement."
            },
        )
    grant = get(Grant, row.grant_id)
    receive(row, grant, given.amount, given.value_on, known, actor.user_id, _received_on(grant, given.own_account_id))
    return RecoverySummary(row.id, row.reference, RecoveryState(row.state), owed(row), row.number)


def refuse_booking(user_id: UUID | None, row: Recovery) -> None:
    """Whoever confirmed a debt books nothing that settles it."""
    faults.point("four_eyes")
    if user_id == row.confirmed_by:
        raise Refused("You confirmed this recovery, so somebody else must book what comes in. Ask a colleague.")
    people.refuse_tied_to(user_id, (row.confirmed_by, row.confirmed_at))


def owed_since(row: Recovery) -> date:
    """The day from which a debt is owed."""
    assert row.confirmed_at is not None, "what is owed was confirmed"
    return clock.in_zone(row.confirmed_at).date()


def _received_on(grant: Grant, chosen: UUID | None) -> UUID | None:
    """The account money came to: the chosen one, or the only one the programme has."""
    mine = queries.receiving_accounts(grant.call_id)
    if chosen is not None and chosen in mine:
        return chosen
    if chosen is not None or len(mine) > 1:
        raise Invalid("Choose the account the money came to.", {"own_account": "Choose an account of the programme."})
    return next(iter(mine), None)


def receive(
    row: Recovery,
    grant: Grant,
    amount: Money,
    value_on: date,
    bank_reference: str,
    booked_by: UUID | None,
    own_account_id: UUID | None,
) -> UUID:
    """Book money that came back for a recovery (E14), locked before with its grant; returns the entry.

    What is above the debt stands among the unidentified receipts, with the grant it came for: it is the city's.
    """
    still = owed(row)
    receipt = _receipt(row, amount, value_on, bank_reference, booked_by, own_account_id)
    posting = Posting(
        Event.RECOVERY_RECEIVED,
        f"recovery_receipt:{receipt.id}:received",
        value_on,
        f"{row.reference}: paid back, bank reference {bank_reference}",
        legs.legs_e14(
            amount,
            dims_of(grant, row, own_account_id=own_account_id),
            owed=still,
            interest=receipt.interest,
            reopened=parts.reopened(row, owed=still, received=receipt.amount) if receipt.amount else (),
        ),
    )
    (entry_id,) = post_paid([(grant, posting)])
    _finish(row, still, receipt)
    return entry_id


def identify(
    row: Recovery,
    grant: Grant,
    amount: Money,
    value_on: date,
    bank_reference: str,
    booked_by: UUID,
    own_account_id: UUID,
) -> UUID:
    """An unidentified receipt turns out to pay back a recovery (E22): the same, out of what stands unidentified."""
    still = owed(row)
    receipt = _receipt(row, amount, value_on, bank_reference, booked_by, own_account_id)
    posting = Posting(
        Event.RECEIPT_UNIDENTIFIED,
        f"recovery_receipt:{receipt.id}:received",
        value_on,
        f"{row.reference}: paid back, bank reference {bank_reference}, told later",
        legs.legs_e22_identified(
            receipt.amount,
            dims_of(grant, row),
            interest=receipt.interest,
            reopened=parts.reopened(row, owed=still, received=receipt.amount) if receipt.amount else (),
        ),
    )
    (entry_id,) = post_paid([(grant, posting)])
    _finish(row, still, receipt)
    return entry_id


def _receipt(
    row: Recovery,
    amount: Money,
    value_on: date,
    bank_reference: str,
    booked_by: UUID | None,
    own_account_id: UUID | None,
) -> RecoveryReceipt:
    settled = min(amount, owed(row))
    interest = min(amount - settled, interest_open(row.id))
    receipt = RecoveryReceipt(
        recovery_id=row.id,
        amount=settled,
        interest=interest,
        above=amount - settled - interest,
        value_on=value_on,
        bank_reference=bank_reference,
        own_account_id=own_account_id,
        booked_by=booked_by,
    )
    db.session.add(receipt)
    return receipt


def _finish(row: Recovery, still: Money, receipt: RecoveryReceipt) -> None:
    if receipt.amount:
        RECOVERY.move(row, "book" if receipt.amount == still else "book_part")


def owed(row: Recovery) -> Money:
    """What is still owed of a recovery, locked before; nothing before it is confirmed or once it is waived or cancelled."""
    if RecoveryState(row.state) not in OWED:
        return ZERO
    received = db.session.scalars(select(RecoveryReceipt.amount).where(RecoveryReceipt.recovery_id == row.id))
    set_off = db.session.scalars(select(PaymentOffset.amount).where(PaymentOffset.recovery_id == row.id))
    return row.amount - total(received) - total(set_off)


def can_receive(row: Recovery) -> bool:
    """Whether something of a debt, or of the interest on it, is open and can come in."""
    return RecoveryState(row.state) in PAYABLE_BACK or bool(interest_open(row.id))
