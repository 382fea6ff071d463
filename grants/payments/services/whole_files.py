"""Two people say that a line of the bank is a whole payment file in one sum: what it can be, and the booking of its orders.

A line that is the file to the cent, of which every order waits, is booked by itself. This is for what is left to people: a
line that names no file or of which some orders came back or were entered by hand.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import acts
from grants.core.db import db, get
from grants.core.errors import Invalid, Refused
from grants.core.permissions import Actor, Permission
from grants.payments.models import BankLine, PaymentBatch, PaymentOrder
from grants.payments.queries.bank_candidates import line_of, told_orders
from grants.payments.queries.left import issued_again
from grants.payments.queries.whole_files import file_candidate, file_candidates, file_known, files_for
from grants.payments.rules.statements.booking import booking_day
from grants.payments.rules.statements.whole_files import FileCandidate, refuse_other_file, refuse_unfit_file
from grants.payments.services.booking import Executed, book_after_all, book_executed, days_sent
from grants.payments.services.booking_lines import mark
from grants.payments.services.building import lock_orders
from grants.payments.services.hands import refuse_signers
from grants.payments.services.orders import refuse_let_go
from grants.payments.states import AT_BANK, CAME_BACK, BookedAs, OrderState


@dataclass(frozen=True, slots=True)
class WholeFile:
    """A file that was sent with all its orders, under the locks of its money."""

    batch: PaymentBatch
    grants: dict[UUID, Grant]
    orders: tuple[PaymentOrder, ...]
    seen: FileCandidate

    def in_state(self, *states: OrderState) -> list[PaymentOrder]:
        """Its orders that are in one of these states."""
        return [order for order in self.orders if OrderState(order.state) in states]


def file_named(actor: Actor, reference: str) -> WholeFile:
    """A file by its reference, whose every order this person may reach; raises :class:`Invalid`."""
    found = db.session.scalars(select(PaymentBatch).where(PaymentBatch.reference == reference)).one_or_none()
    missing = Invalid(
        "It cannot be booked like this.", {"named": "There is no payment file of this reference that was sent."}
    )
    if found is None or file_known(found.id) is None or not _may(actor, found.id):
        raise missing
    return file_of(actor, found.id)


def _may(actor: Actor, batch_id: UUID) -> bool:
    grants = select(Grant).where(Grant.id.in_(select(PaymentOrder.grant_id).where(PaymentOrder.batch_id == batch_id)))
    barred = actor.barred("application")
    return all(
        actor.may(Permission.PAYMENT_ORDER_READ, agreements.scope(grant)) and grant.application_id not in barred
        for grant in db.session.scalars(grants)
    )


def file_of(actor: Actor, batch_id: UUID) -> WholeFile:
    """A file that was sent, its grants and orders locked; raises :class:`NotFound` where an order is beyond reach."""
    ids = list(db.session.scalars(select(PaymentOrder.id).where(PaymentOrder.batch_id == batch_id)))
    grants, orders = lock_orders(actor, ids, Permission.PAYMENT_ORDER_READ)
    known = file_known(batch_id)
    assert known is not None, "a file that was sent stays sent"
    return WholeFile(known.batch, grants, tuple(orders), file_candidate(known, orders, told_orders(ids)))


def refuse_file_named(line: BankLine, said: WholeFile | None, *, puts_away: bool) -> None:
    """A line that names a file of ours is no other one, and is not put away while it can be booked as that file."""
    named = files_for([line])
    orders = db.session.scalars(select(PaymentOrder).where(PaymentOrder.batch_id.in_(named))).all() if named else ()
    meant = next(iter(file_candidates(named, orders, told_orders([order.id for order in orders]))), None)
    refuse_other_file(line_of(line), meant, said.batch.reference if said else None, puts_away=puts_away)


def refuse_file(line: BankLine, found: WholeFile, by: UUID | None) -> None:
    """Refuse to say that a line is this file where the two differ, or by whoever the circuit keeps apart from an order of it."""
    after_all = refuse_unfit_file(line_of(line), line.own_account_id, found.seen)
    days = days_sent(found.orders)
    early = [order for order in found.orders if booking_day(line_of(line), days[order.id], acts.today()) is None]
    if early:
        raise Refused(
            f"The bank booked this line before {found.batch.reference} left. Ask it which payments the line is."
        )
    if after_all:
        for order in found.in_state(OrderState.BANK_REJECTED):
            refuse_issued_again(order)
    assert by is not None, "a person explains a line"
    refuse_signers(by, found.orders)


def book_file(line: BankLine, found: WholeFile, by: UUID) -> None:
    """Book each order of the file that the bank has, and what it rejected and carried out nevertheless; none of them twice.

    What was entered by hand is in the books: the line is the bank's word on it.
    """
    after_all = refuse_unfit_file(line_of(line), line.own_account_id, found.seen)
    days = days_sent(found.orders)
    waiting = []
    for order in found.in_state(*AT_BANK):
        day = booking_day(line_of(line), days[order.id], acts.today())
        assert day is not None, "checked before"
        waiting.append(Executed(order, found.grants[order.grant_id], day, line.own_account_id))
    rejected = found.in_state(OrderState.BANK_REJECTED) if after_all else []
    book_executed(by, waiting)
    for order in rejected:
        day = booking_day(line_of(line), days[order.id], acts.today())
        assert day is not None, "checked before"
        book_rejected_order(line, order, day, by)
    mark(line, BookedAs.FILE, batch_id=found.batch.id)


def book_rejected_order(line: BankLine, order: PaymentOrder, day: date, by: UUID) -> UUID:
    """Book what the bank rejected and carried out nevertheless, not before the day it said no; its entry."""
    assert order.came_back_on is not None, "a rejected order has its day"
    lies_with = (order, *issued_again(order.id))[-1]
    since = max(day, *(each.came_back_on for each in (order, lies_with) if each.came_back_on))
    return book_after_all(by, Executed(order, get(Grant, order.grant_id), since, line.own_account_id), lies_with)


def refuse_issued_again(order: PaymentOrder) -> None:
    """What the bank rejected is not booked after all while it is issued again, or given up."""
    for again in issued_again(order.id):
        if OrderState(again.state) not in CAME_BACK:
            raise Refused(
                f"{again.reference} issues {order.reference} again. Cancel it first, discarding its file; if it left "
                "already, ask the bank for one of the two payments back: once it came back, this line is booked."
            )
    refuse_let_go((order, *issued_again(order.id))[-1])
