"""What two people say of a file that was sent elsewhere, and its orders recorded as sent by it."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID, uuid4

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.calls.models import Call
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.money import total
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity.rules import demand_fresh
from grants.identity.services import refuse_tied_to
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest, SentElsewhere, SentElsewhereLine
from grants.payments.rules.outside import Fate
from grants.payments.rules.pay_runs import FileLayout
from grants.payments.services.building import lines_now, lock_orders, next_reference
from grants.payments.services.sending import leave
from grants.payments.states import ORDER, BatchState, OrderState
from grants.programmes.models import Programme


@act(
    "sent_file.propose",
    needs=Permission.SENT_FILE_PROPOSE,
    says="proposed what became of the payment file {subject}, sent elsewhere",
)
def propose(actor: Actor, sent_id: UUID, decision: Fate, *, reason: str, version: int | None = None) -> None:
    """Say what became of a file that this database does not know; another person confirms it."""
    demand_fresh(actor)
    _refuse_in_part(actor, Permission.SENT_FILE_PROPOSE)
    row = _undecided(sent_id, version)
    if row.decision is not None:
        raise Refused("Something is proposed already. The authorising officer confirms or refuses it first.")
    if not clean_text(reason):
        raise Invalid("The reason is missing.", {"reason": "Say how you know, for example by the bank’s statement."})
    row.decision, row.reason = decision.value, clean_text(reason)
    row.proposed_by, row.proposed_at = actor.user_id, acts.moment()
    acts.reason(clean_text(reason))


@act(
    "sent_file.confirm",
    needs=Permission.SENT_FILE_CONFIRM,
    says="confirmed what became of the payment file {subject}, sent elsewhere",
)
def confirm(actor: Actor, sent_id: UUID, *, version: int | None = None) -> None:
    """Confirm it, as another person: never received, its payments are free again; sent, its orders are recorded as sent."""
    row = _to_decide(actor, sent_id, version)
    row.confirmed_by, row.confirmed_at = actor.user_id, acts.moment()


@act(
    "sent_file.refuse",
    needs=Permission.SENT_FILE_CONFIRM,
    says="refused what was proposed of the payment file {subject}, sent elsewhere",
)
def refuse(actor: Actor, sent_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Refuse it: what became of the file is open again."""
    row = _to_decide(actor, sent_id, version)
    if not clean_text(reason):
        raise Invalid("The reason is missing.", {"reason": "Say what speaks against it."})
    acts.reason(clean_text(reason))
    row.decision = row.reason = row.proposed_by = row.proposed_at = None


def _refuse_in_part(actor: Actor, needed: Permission) -> None:
    """Such a file names payments of any grant, also of those this database does not know: only who may everywhere, and is in
    conflict with nothing, says what became of it."""
    faults.point("scope")
    if not actor.everywhere(needed) or actor.barred_from():
        raise NotFound


def _undecided(sent_id: UUID, version: int | None) -> SentElsewhere:
    row = locked(SentElsewhere, sent_id)
    check_version(row, version)
    if row.confirmed_at is not None:
        raise Refused("What became of this file is confirmed already and stays.")
    return row


def _to_decide(actor: Actor, sent_id: UUID, version: int | None) -> SentElsewhere:
    demand_fresh(actor)
    _refuse_in_part(actor, Permission.SENT_FILE_CONFIRM)
    row = _undecided(sent_id, version)
    if row.decision is None:
        raise Refused("Nothing is proposed of this file. The accounting officer says first what became of it.")
    faults.point("four_eyes")
    if row.proposed_by == actor.user_id:
        raise Refused("You proposed this, so somebody else decides on it. Ask another authorising officer.")
    refuse_tied_to(actor.user_id, (row.proposed_by, row.proposed_at))
    return row


@act(
    "sent_file.enter",
    needs=Permission.PAYMENT_FILE_SEND,
    says="recorded orders as sent by the payment file {subject}, sent elsewhere",
)
def enter_as_sent(actor: Actor, sent_id: UUID, *, version: int | None = None) -> int:
    """Record the authorised orders of a file as sent by it (E7 on its day), once that is confirmed; how many they were.

    What the restored database does not know yet is prepared, verified and authorised anew, and recorded then.
    """
    demand_fresh(actor)
    row = locked(SentElsewhere, sent_id)
    check_version(row, version)
    if row.decision != Fate.SENT.value or row.confirmed_at is None:
        raise Refused("First two people say that the bank has this file. Then its orders are recorded as sent.")
    pairs = _pairs(sent_id)
    if not pairs:
        raise Refused(
            "No order of this file is authorised here. Prepare, verify and authorise its orders anew, or discard the file "
            "they stand in; then record them."
        )
    grants, orders = lock_orders(actor, [order_id for _, order_id in pairs], Permission.PAYMENT_FILE_SEND)
    code = db.session.scalar(
        select(Programme.code)
        .join(Call, Call.programme_id == Programme.id)
        .join(Grant, Grant.call_id == Call.id)
        .where(Grant.id == orders[0].grant_id)
    )
    batch = _entered_batch(actor, row, next_reference(str(code)), orders)
    line_of = {order_id: line for line, order_id in pairs}
    for order in orders:
        order.end_to_end_id = order.end_to_end_id or line_of[order.id].end_to_end_id
        ORDER.move(order, "put_in_file")
        order.batch_id = batch.id
        line_of[order.id].order_id = order.id
    batch.content = [line.stored() for line in lines_now(orders)]
    db.session.add(batch)
    on = clock.in_zone(row.sent_at).date()
    leave(actor, orders, grants, on=on, told=f"sent in {batch.reference}, known by the record of {row.message_id}")
    return len(orders)


def _entered_batch(
    actor: Actor, row: SentElsewhere, reference: str, orders: Sequence[PaymentOrder]
) -> PaymentBatch:  # fmt: skip
    return PaymentBatch(
        id=uuid4(),
        reference=reference,
        # The file keeps its own id in its record; this is what of it is known here.
        message_id=f"{row.message_id}-{reference}",
        layout=FileLayout.XLSX.value,
        state=BatchState.SENT.value,
        built_at=acts.moment(),
        built_by=actor.user_id,
        orders=len(orders),
        total=total(order.amount for order in orders),
        content=[],
        sent_at=row.sent_at,
        sent_by=actor.user_id,
        recorded_at=acts.moment(),
    )


def _pairs(sent_id: UUID) -> list[tuple[SentElsewhereLine, UUID]]:
    """Open lines of a file, each with the authorised order that it paid: by end-to-end id, else by request and amount."""
    lines = db.session.scalars(
        select(SentElsewhereLine)
        .where(SentElsewhereLine.sent_id == sent_id, SentElsewhereLine.order_id.is_(None))
        .order_by(SentElsewhereLine.number)
    ).all()
    rows = db.session.execute(
        select(PaymentOrder.id, PaymentOrder.end_to_end_id, PaymentOrder.amount, PaymentRequest.reference)
        .join(PaymentRequest, PaymentRequest.id == PaymentOrder.request_id)
        .where(PaymentOrder.state == OrderState.AUTHORISED.value)
        .where(PaymentRequest.reference.in_(sorted({line.request_reference for line in lines})))
        .order_by(PaymentOrder.reference)
    ).all()
    free = list(rows)
    found = []
    for line in lines:
        fits = [
            row for row in free
            if (row.reference, row.amount) == (line.request_reference, line.amount)
            and row.end_to_end_id in (None, line.end_to_end_id)
        ]  # fmt: skip
        best = next((row for row in fits if row.end_to_end_id), fits[0] if fits else None)
        if best is not None:
            free.remove(best)
            found.append((line, best.id))
    return found
