"""The orders and files that lines of the bank are held against, and what each line is beside them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import func, or_, select

from grants.core.db import db
from grants.core.permissions import Actor
from grants.ledger.models import LedgerEntry
from grants.payments.models import BankLine, PaymentBatch, PaymentOrder
from grants.payments.queries.orders import visible_orders
from grants.payments.queries.whole_files import file_candidates, files_for
from grants.payments.rules.statements.matching import OPEN_STATES, Candidate, Match, match_lines
from grants.payments.rules.statements.values import Direction, Line
from grants.payments.states import BookedAs

# Orders that one page of lines is held against.
CANDIDATES_MAX = 2_000


def candidates_for(rows: Iterable[PaymentOrder], account_id: UUID) -> list[Candidate]:
    """Orders as matching sees them, from the account each left from; two statements.

    What left before files named their account could have left from any, and before payments had an identifier, by its
    reference.
    """
    orders = list(rows)
    batches = {order.batch_id for order in orders if order.batch_id}
    left_from: dict[UUID, UUID | None] = {
        batch_id: own
        for batch_id, own in db.session.execute(
            select(PaymentBatch.id, PaymentBatch.own_account_id).where(PaymentBatch.id.in_(batches))
        )
    }
    told = told_orders([order.id for order in orders])
    return [_candidate(order, left_from.get(order.batch_id) if order.batch_id else None, account_id, told) for order in orders]  # fmt: skip


def _candidate(order: PaymentOrder, left_from: UUID | None, account_id: UUID, told: Collection[UUID]) -> Candidate:
    return Candidate(
        order.id,
        order.reference,
        order.end_to_end_id or order.reference,
        order.amount,
        left_from or account_id,
        order.state,
        has_line=order.id in told,
    )


def told_orders(order_ids: Collection[UUID]) -> set[UUID]:
    """Which of these orders a line tells of already, alone or with its whole file."""
    alone = select(BankLine.order_id).where(
        BankLine.order_id.in_(order_ids), BankLine.booked_as == BookedAs.ORDER.value
    )
    whole = (
        select(PaymentOrder.id)
        .join(BankLine, BankLine.batch_id == PaymentOrder.batch_id)
        .where(PaymentOrder.id.in_(order_ids))
    )
    return {order_id for order_id in db.session.scalars(alone.union(whole)) if order_id}


def entry_of(source_key: str) -> UUID:
    """The entry that was booked under a key."""
    return db.session.scalars(select(LedgerEntry.id).where(LedgerEntry.source_key == source_key)).one()


def line_of(row: BankLine) -> Line:
    """A line that stands, as the plain value."""
    return Line(
        amount=row.amount,
        direction=Direction(row.direction),
        booked_on=row.booked_on,
        value_on=row.value_on,
        is_reversal=row.is_reversal,
        bank_reference=row.bank_reference,
        end_to_end_id=row.end_to_end_id,
        instruction_id=row.instruction_id,
        payment_id=row.payment_id,
        transaction_code=row.transaction_code,
        return_reason=row.return_reason,
        counterparty=row.counterparty,
        counterparty_iban=row.counterparty_iban,
        remittance=row.remittance,
        parts=row.parts,
    )


def matches(actor: Actor, rows: Sequence[BankLine]) -> dict[str, Match]:
    """What each line is, held against the orders and the files it could mean: three statements, and one where it names a file."""
    named = files_for(rows)
    orders = _candidates(actor, {row.end_to_end_id for row in rows if row.end_to_end_id}, named) if rows else {}
    found: dict[str, Match] = {}
    told = told_orders(list(orders)) if orders else set()
    files = file_candidates(named, [order for order, _ in orders.values()], told)
    for account_id in {row.own_account_id for row in rows}:
        lines = {row.line_key: line_of(row) for row in rows if row.own_account_id == account_id}
        mine = [_candidate(order, left_from, account_id, told) for order, left_from in orders.values()]
        found |= match_lines(lines, account_id, mine, files)
    return found


def _candidates(
    actor: Actor, named: Collection[str], files: Collection[UUID]
) -> dict[UUID, tuple[PaymentOrder, UUID | None]]:
    """Orders the bank has, and those that lines name whatever their state, alone or with their file, with the account of their
    file, as far as the person may see them."""
    # What a line names comes first: however many are on their way, it is not cut off.
    is_named = func.coalesce(PaymentOrder.end_to_end_id.in_(named), False) | PaymentOrder.reference.in_(named)
    is_named |= func.coalesce(PaymentOrder.batch_id.in_(files), False)
    meant = or_(PaymentOrder.state.in_(OPEN_STATES), is_named)
    asked: Any = select(PaymentOrder, PaymentBatch.own_account_id)
    wanted = (
        visible_orders(actor, asked)
        .outerjoin(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .where(meant)
        .order_by(is_named.desc(), PaymentOrder.reference)
        .limit(CANDIDATES_MAX)
    )
    return {row.id: (row, left_from) for row, left_from in db.session.execute(wanted)}
