"""Acts on recoveries: what was paid too much is established, booked as it comes back, or waived with a reason."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import PaymentKind
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Event, Posting
from grants.payments import queries, rules
from grants.payments.models import PaymentRequest, Recovery, RecoveryReceipt
from grants.payments.rules import ReceiptInput, RecoveryInput, RecoverySummary
from grants.payments.services import parts
from grants.payments.services.locks import lock_grant, scope_of_grant
from grants.payments.services.passing import post_paid
from grants.payments.services.requests import dims_of, today
from grants.payments.states import RECOVERY, RecoveryState


def scope_of_recovery(recovery_id: UUID) -> Scope:
    """Where the grant of a recovery lies, its money locked."""
    return scope_of_grant(get(Recovery, recovery_id).grant_id)


@act(
    "recovery.establish",
    needs=Permission.RECOVERY_ESTABLISH,
    scope=scope_of_grant,
    says="established recovery {subject}",
)
def establish(actor: Actor, grant_id: UUID, given: RecoveryInput) -> RecoverySummary:
    """Establish what the balance found to be paid too much as a debt of the city (E13), and tell the city."""
    demand_fresh(actor)
    grant = lock_grant(grant_id)
    refuse_conflict(actor, grant_id)
    earlier = db.session.scalar(select(Recovery.reference).where(Recovery.grant_id == grant_id))
    if earlier is not None:
        raise Refused(f"The recovery from this grant is established already, as {earlier}.")
    balance = _balance_of(grant_id)
    too_much = books.balance(Account.PREFINANCING, grant_id=grant_id)
    if balance is None or grant.final_amount is None or not too_much:
        raise Refused("Nothing is to be recovered: the balance of this grant found nothing that was paid too much.")
    rules.check_recovery(given, today())
    acts.reason(given.reason.strip())
    row = Recovery(
        grant_id=grant_id,
        request_id=balance.id,
        reference=f"{grant.reference}-D1",
        amount=too_much,
        reason=given.reason.strip(),
        due_on=given.due_on,
        state=RecoveryState.ESTABLISHED.value,
        established_at=acts.moment(),
        established_by=actor.user_id,
    )
    db.session.add(row)
    ledger.post(
        Event.RECOVERY_ORDERED,
        source_key=f"recovery:{row.id}:established",
        effective_on=today(),
        description=f"{row.reference}: paid too much, to be paid back",
        # The coordinator owes it, and whose advance is not covered is whose the books say it is.
        legs=legs.legs_e13(
            {(grant.coordinator_id, None): too_much},
            dims_of(grant, row),
            uncovered=queries.standing(grant_id, Account.PREFINANCING),
        ),
    )
    _tell(grant, row)
    return RecoverySummary(row.id, row.reference, RecoveryState.ESTABLISHED, too_much)


@act("recovery.book", needs=Permission.RECOVERY_BOOK, scope=scope_of_recovery, says="booked a receipt for {subject}")
def book_receipt(
    actor: Actor, recovery_id: UUID, given: ReceiptInput, *, version: int | None = None
) -> RecoverySummary:
    """Book money that came back, by its value date and the bank's reference (E14); the commitment it used opens again."""
    demand_fresh(actor)
    row = locked(Recovery, recovery_id)
    refuse_conflict(actor, row.grant_id)
    check_version(row, version)
    RECOVERY.target(RecoveryState(row.state), "book")
    faults.point("four_eyes")
    if actor.user_id == row.established_by:
        raise Refused("You established this recovery, so somebody else must book what comes in. Ask a colleague.")
    people.refuse_tied_to(actor.user_id, (row.established_by, row.established_at))
    rules.check_receipt(given, clock.in_zone(row.established_at).date(), today())
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
    return RecoverySummary(row.id, row.reference, RecoveryState(row.state), owed(row))


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
            reopened=parts.reopened(row, owed=still, received=receipt.amount),
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
            reopened=parts.reopened(row, owed=still, received=receipt.amount),
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
    receipt = RecoveryReceipt(
        recovery_id=row.id,
        amount=settled,
        above=amount - settled,
        value_on=value_on,
        bank_reference=bank_reference,
        own_account_id=own_account_id,
        booked_by=booked_by,
    )
    db.session.add(receipt)
    return receipt


def _finish(row: Recovery, still: Money, receipt: RecoveryReceipt) -> None:
    if receipt.amount == still:
        RECOVERY.move(row, "book")


@act("recovery.waive", needs=Permission.RECOVERY_WAIVE, scope=scope_of_recovery, says="waived recovery {subject}")
def waive(actor: Actor, recovery_id: UUID, *, reason: str, version: int | None = None) -> RecoverySummary:
    """Waive what is still owed, with the reason (E16); what was paid stays in the books as paid."""
    demand_fresh(actor)
    row = locked(Recovery, recovery_id)
    refuse_conflict(actor, row.grant_id)
    check_version(row, version)
    RECOVERY.target(RecoveryState(row.state), "waive")
    if not reason.strip():
        raise Invalid(
            "The reason is missing.", {"reason": "Say why the debt is waived, and on which decision it rests."}
        )
    still = owed(row)
    acts.reason(reason.strip())
    RECOVERY.move(row, "waive")
    row.waived, row.waived_at, row.waived_by, row.waive_reason = still, acts.moment(), actor.user_id, reason.strip()
    grant = get(Grant, row.grant_id)
    ledger.post(
        Event.WAIVED,
        source_key=f"recovery:{row.id}:waived",
        effective_on=today(),
        description=f"{row.reference}: waived",
        legs=legs.legs_e16(still, dims_of(grant, row)),
    )
    _tell(grant, row)
    return RecoverySummary(row.id, row.reference, RecoveryState.WAIVED, ZERO)


def _balance_of(grant_id: UUID) -> PaymentRequest | None:
    return db.session.scalars(
        select(PaymentRequest).where(
            PaymentRequest.grant_id == grant_id,
            PaymentRequest.kind == PaymentKind.BALANCE.value,
            PaymentRequest.approved.is_not(None),
        )
    ).one_or_none()


def owed(row: Recovery) -> Money:
    """What is still owed of a recovery."""
    received = db.session.scalars(select(RecoveryReceipt.amount).where(RecoveryReceipt.recovery_id == row.id))
    return row.amount - total(received)


def _tell(grant: Grant, row: Recovery) -> None:
    readers = identity.users_with(Permission.PAYMENT_REQUEST_SUBMIT, agreements.scope(grant))
    people.mail(
        [each.id for each in readers],
        "recovery",
        "grant",
        grant.id,
        reference=grant.reference,
        recovery=row.reference,
        state=RecoveryState(row.state).value,
    )
