"""Payments that left by the bank's own word: debits that name an order, whatever became of it here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, case, cast, func, or_, select
from sqlalchemy.orm import aliased

from grants.core.db import db
from grants.payments.models import BankLine, PaymentBatch, PaymentOrder
from grants.payments.queries.bank_candidates import told_orders
from grants.payments.queries.whole_files import names_file
from grants.payments.rules.statements.values import Direction
from grants.payments.states import BookedAs, OrderState


@dataclass(frozen=True, slots=True)
class Left:
    """An order that a line of the bank says was paid: the line by its number, none where it was booked so."""

    reference: str
    line: int | None


def told_as_left(order_ids: Collection[UUID]) -> dict[UUID, Left]:
    """Of these orders, those that a debit names which is neither booked as them nor taken back, alone or as a file in one sum
    that waits for people. One statement.

    Taken back is a debit by a credit of a statement with the same identifier; a notice alone takes nothing back.
    """
    if not order_ids:
        return {}
    signed = case((BankLine.direction == Direction.DEBIT.value, BankLine.amount), else_=-BankLine.amount)
    out = func.sum(cast(signed, BigInteger))
    first = func.min(BankLine.number).filter(_IS_DEBIT)
    alone = (
        select(PaymentOrder.id, PaymentOrder.reference, first.label("line"))
        .join(BankLine, _names(PaymentOrder))
        .where(PaymentOrder.id.in_(order_ids), _IS_DEBIT | _TAKES_BACK)
        .group_by(PaymentOrder.id)
        .having((out > 0) & first.is_not(None))
    )
    whole = (
        select(PaymentOrder.id, PaymentOrder.reference, func.min(BankLine.number))
        .join(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .join(BankLine, names_file())
        .where(PaymentOrder.id.in_(order_ids), BankLine.matched_at.is_(None))
        .group_by(PaymentOrder.id)
    )
    both = alone.union_all(whole).order_by("reference", "line")
    found: dict[UUID, Left] = {}
    for order_id, reference, number in db.session.execute(both):
        found.setdefault(order_id, Left(reference, number))
    return found


_BOOKED = func.coalesce(BankLine.booked_as, "").in_([BookedAs.ORDER.value, BookedAs.RETURN.value])
_IS_DEBIT = (BankLine.direction == Direction.DEBIT.value) & ~BankLine.is_reversal & ~_BOOKED
_TAKES_BACK = (BankLine.direction == Direction.CREDIT.value) & BankLine.statement_id.is_not(None) & ~_BOOKED


def _names(order: type[PaymentOrder]) -> ColumnElement[bool]:
    return or_(BankLine.end_to_end_id == order.end_to_end_id, BankLine.end_to_end_id == order.reference)


def paid_before(order_ids: Collection[UUID]) -> dict[UUID, Left]:
    """Of these orders, those that issue again what was paid after all, as far back as it was issued. Two statements."""
    chain = (
        select(PaymentOrder.id.label("asked"), PaymentOrder.reissue_of.label("earlier"))
        .where(PaymentOrder.id.in_(order_ids), PaymentOrder.reissue_of.is_not(None))
        .cte("chain", recursive=True)
    )
    before = aliased(PaymentOrder)
    chain = chain.union(
        select(chain.c.asked, before.reissue_of)
        .join(before, before.id == chain.c.earlier)
        .where(before.reissue_of.is_not(None))
    )
    rows = db.session.execute(
        select(chain.c.asked, before.id, before.reference, before.state)
        .join(before, before.id == chain.c.earlier)
        .order_by(before.reference)
    ).all()
    left = told_as_left([row.id for row in rows])
    found: dict[UUID, Left] = {}
    for row in rows:
        if row.state == OrderState.EXECUTED.value:
            found.setdefault(row.asked, Left(row.reference, None))
        elif row.id in left:
            found.setdefault(row.asked, left[row.id])
    return found


def named_by(line: BankLine) -> PaymentOrder | None:
    """The order of ours that a line names by its end-to-end id."""
    if not line.end_to_end_id:
        return None
    named = or_(PaymentOrder.end_to_end_id == line.end_to_end_id, PaymentOrder.reference == line.end_to_end_id)
    return db.session.scalars(select(PaymentOrder).where(named).order_by(PaymentOrder.reference).limit(1)).one_or_none()


def taken_back(order_id: UUID) -> bool:
    """Whether what statements say left for an order, and is not booked, came back to the cent."""
    signed = case((BankLine.direction == Direction.DEBIT.value, BankLine.amount), else_=-BankLine.amount)
    statement = (
        select(func.sum(cast(signed, BigInteger)), func.count())
        .select_from(PaymentOrder)
        .join(BankLine, _names(PaymentOrder))
        .where(PaymentOrder.id == order_id, ~_BOOKED, BankLine.statement_id.is_not(None))
    )
    left, lines = db.session.execute(statement).one()
    return bool(lines) and left == 0


def is_told(order_id: UUID) -> bool:
    """Whether a line of the bank tells of an order already, alone or with its whole file."""
    return bool(told_orders([order_id]))


def issued_again(order_id: UUID) -> list[PaymentOrder]:
    """The orders that issue one again, one after the other, without what was cancelled."""
    found: list[PaymentOrder] = []
    asked: UUID | None = order_id
    while asked is not None:
        standing = select(PaymentOrder).where(
            PaymentOrder.reissue_of == asked, PaymentOrder.state != OrderState.CANCELLED.value
        )
        following = db.session.scalars(standing).one_or_none()
        found += [following] if following else []
        asked = following.id if following else None
    return found


__all__ = ["Left", "is_told", "issued_again", "named_by", "paid_before", "taken_back", "told_as_left"]
