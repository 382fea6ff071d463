"""What the bank did with payments is booked: those it carried out, rejected, or sent back.

One fact has one key, from whichever side it is told: typed by hand, listed in a file, or read off a statement.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.core import clock
from grants.core.db import among, db, get, locked
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.rules import Dimensions, Event, Legs, Posting
from grants.payments import queries
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest
from grants.payments.queries.several import settled
from grants.payments.rules.returns import needs_other_account, reason_words
from grants.payments.services import parts
from grants.payments.services.interest_orders import legs_of_interest, paying_interest, pays_interest
from grants.payments.services.locks import requests_locked
from grants.payments.services.passing import post_paid
from grants.payments.services.requests import dims_of, tell
from grants.payments.services.telling import tell_each
from grants.payments.states import ORDER, REQUEST, RequestState


@dataclass(frozen=True, slots=True)
class Executed:
    """An order the bank carried out: when, and from which account of the programme."""

    order: PaymentOrder
    grant: Grant
    value_on: date
    own_account_id: UUID | None


def book_executed(by: UUID | None, executed: Sequence[Executed], *, deed: str = "execute") -> dict[UUID, UUID]:
    """Book orders as carried out (E8) by somebody, locked before with their grants; the entry of each by order.

    A request is paid when nothing of it is left. Orders of one grant are booked one after the other, since each consumes
    what the next one finds.
    """
    for each in executed:
        ORDER.move(each.order, deed)
        each.order.executed_by, each.order.value_on = by, each.value_on
        # Of what was paid after all, the record of acts keeps that it was rejected.
        each.order.came_back_on = each.order.bank_reason = None
    entries: dict[UUID, UUID] = {}
    for at_once in _one_of_each_grant(executed):
        postings = [
            (each.grant, _booked(each, found)) for each, found in zip(at_once, _legs_booked(at_once), strict=True)
        ]
        written = post_paid(postings)
        entries |= {each.order.id: entry_id for each, entry_id in zip(at_once, written, strict=True)}
    _settle({each.order.request_id: each.grant for each in executed})
    return entries


def book_after_all(by: UUID, each: Executed, lies_with: PaymentOrder) -> UUID:
    """Book an order the bank rejected and carried out nevertheless: what came back is in transit again (E9c), then paid (E8).

    ``lies_with`` is the order whose money it is by now: itself, or the last that issued it again and came back too.
    """
    ledger.post(
        Event.ORDER_REISSUED,
        source_key=f"payment_order:{each.order.id}:after_all",
        effective_on=each.value_on,
        description=f"{each.order.reference}: the bank carried it out after it had rejected it",
        legs=sent_again(each.order, lies_with, each.grant),
    )
    return book_executed(by, [each], deed="pay_after_all")[each.order.id]


def sent_again(order: PaymentOrder, lies_with: PaymentOrder, grant: Grant) -> legs.Legs:
    """The legs of E9c: what came back of an earlier order is in transit again, part by part as it came back."""
    if pays_interest(order):
        return legs_of_interest(Event.ORDER_REISSUED, order, dims_of(grant, order))
    came_back = queries.moved_for(order.request_id, Account.RETURNED)[lies_with.id]
    return legs.legs_e9c(came_back, dims_of(grant, order), earlier=dims_of(grant, lies_with))


def _one_of_each_grant(executed: Sequence[Executed]) -> Iterable[list[Executed]]:
    waiting = list(executed)
    while waiting:
        taken: dict[UUID, Executed] = {}
        for each in waiting:
            taken.setdefault(each.grant.id, each)
        yield list(taken.values())
        done = {each.order.id for each in taken.values()}
        waiting = [each for each in waiting if each.order.id not in done]


def _dims(each: Executed) -> Dimensions:
    return dims_of(each.grant, each.order, own_account_id=each.own_account_id)


def _legs_booked(at_once: Sequence[Executed]) -> list[Legs]:
    """The legs of E8 of each of these; what is paid as interest consumes nothing of a grant."""
    interest = paying_interest([each.order for each in at_once])
    of_grants = [(each.order, _dims(each)) for each in at_once if each.order.id not in interest]
    found = {order.id: each for (order, _), each in zip(of_grants, parts.legs_booked(of_grants), strict=True)}
    return [
        found[each.order.id]
        if each.order.id in found
        else legs_of_interest(Event.ORDER_BOOKED, each.order, _dims(each))
        for each in at_once
    ]


def _booked(each: Executed, found: Legs) -> Posting:
    return Posting(
        Event.ORDER_BOOKED,
        f"payment_order:{each.order.id}:booked",
        each.value_on,
        f"{each.order.reference}: booked by the bank",
        found,
    )


def _settle(grants: Mapping[UUID, Grant]) -> None:
    """The requests of which nothing is left to pay are paid, and their cities are told; ``grants`` by request. The number of
    statements does not grow with them."""
    db.session.flush()
    rows = requests_locked(grants)
    paid = settled(grants)
    done = [row for row in rows if row.id in paid]
    for row in done:
        REQUEST.move(row, "pay")
    tell_each("payment_executed", [(grants[row.id], row) for row in done])


@dataclass(frozen=True, slots=True)
class CameBack:
    """An order the bank rejected, or returned: why as the bank said it, and on which day."""

    order: PaymentOrder
    grant: Grant
    reason: str
    on: date


def book_rejected(rejected: Sequence[CameBack]) -> None:
    """Book orders the bank never carried out (E9a), locked before with their grants: what was in transit came back.

    The budget does not move, since nothing was consumed; each is issued again by another order.
    """
    for each in rejected:
        ORDER.move(each.order, "bank_reject")
        each.order.came_back_on, each.order.bank_reason = each.on, each.reason
    ledger.post_many([_rejected(each) for each in rejected])
    for each in rejected:
        _tell_came_back(each)


def _rejected(each: CameBack) -> Posting:
    return Posting(
        Event.ORDER_REJECTED,
        f"payment_order:{each.order.id}:rejected",
        each.on,
        f"{each.order.reference}: rejected by the bank",
        _legs_rejected(each),
    )


def _legs_rejected(each: CameBack) -> legs.Legs:
    dims = dims_of(each.grant, each.order)
    if pays_interest(each.order):
        return legs_of_interest(Event.ORDER_REJECTED, each.order, dims)
    in_transit = queries.moved_for(each.order.request_id, Account.IN_TRANSIT).get(each.order.id, {})
    return legs.legs_e9a(in_transit, dims)


def book_returned(each: CameBack, own_account_id: UUID, *, from_account: Account = Account.BANK) -> UUID:
    """Book an executed order whose money came back (E9b): its commitment opens again as its booking consumed it.

    ``from_account`` is the unidentified receipts where it was taken for one of them first. What the request was paid by it
    is to be paid again.
    """
    ORDER.move(each.order, "return")
    each.order.came_back_on, each.order.bank_reason = each.on, each.reason
    posting = Posting(
        Event.PAYMENT_RETURNED,
        f"payment_order:{each.order.id}:returned",
        each.on,
        f"{each.order.reference}: returned by the bank",
        _legs_returned(each, own_account_id, from_account),
    )
    (entry_id,) = post_paid([(each.grant, posting)])
    request = locked(PaymentRequest, each.order.request_id)
    if request.state == RequestState.PAID.value:
        REQUEST.move(request, "come_back_in_part" if request.refused else "come_back")
    _tell_came_back(each)
    return entry_id


def _legs_returned(each: CameBack, own_account_id: UUID, from_account: Account) -> legs.Legs:
    dims = dims_of(each.grant, each.order, own_account_id=own_account_id)
    if pays_interest(each.order):
        return legs_of_interest(Event.PAYMENT_RETURNED, each.order, dims, taken_from=from_account)
    consumed = queries.moved_for(each.order.request_id, Account.CONSUMED).get(each.order.id, {})
    return legs.legs_e9b_parts(consumed, dims, from_account=from_account)


def _tell_came_back(each: CameBack) -> None:
    request = get(PaymentRequest, each.order.request_id)
    wanted = (
        "Enter another bank account of yours, with a letter of the bank; a second person confirms it before you are paid."
        if needs_other_account(each.reason)
        else "Look whether the account we pay to is right, and tell us if it is not. We issue the payment again."
    )
    words = {"order": each.order.reference, "reason": reason_words(each.reason), "wanted": wanted}
    tell(each.grant, "payment_came_back", request, **words)


def sent_on(order: PaymentOrder) -> date:
    """The day an order left for the bank."""
    return days_sent([order])[order.id]


def days_sent(orders: Iterable[PaymentOrder]) -> dict[UUID, date]:
    """The day each of these orders left; those that did not are left out. One statement."""
    several = list(orders)
    ids = {order.batch_id for order in several if order.batch_id is not None}
    asked = select(PaymentBatch.id, PaymentBatch.sent_at).where(among(PaymentBatch.id, ids))
    days = {batch_id: clock.in_zone(sent_at).date() for batch_id, sent_at in db.session.execute(asked) if sent_at}
    return {order.id: days[order.batch_id] for order in several if order.batch_id in days}
