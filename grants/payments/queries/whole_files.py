"""Payment files that the bank books in one sum: what became of the orders of each, and what other lines tell of them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, union_all

from grants.core.db import among_texts, db
from grants.core.money import ZERO, Money, total
from grants.payments.models import BankLine, PaymentBatch, PaymentOrder
from grants.payments.rules.statements.values import Direction, Line
from grants.payments.rules.statements.whole_files import BLOCK, FileCandidate, is_whole
from grants.payments.states import AT_BANK, BOOKED, BatchState, OrderState


@dataclass(frozen=True, slots=True)
class KnownFile:
    """A file that was sent, and whether a line was booked as the whole of it."""

    batch: PaymentBatch
    has_line: bool


class Paying(Protocol):
    """What of a line says which payment or file it is."""

    @property
    def end_to_end_id(self) -> str: ...
    @property
    def payment_id(self) -> str: ...


def files_for(lines: Iterable[Paying]) -> dict[UUID, KnownFile]:
    """The files that lines without a payment of their own name. One statement, none where no line names one."""
    named = {line.payment_id for line in lines if line.payment_id and not line.end_to_end_id}
    return _files(PaymentBatch.message_id.in_(named | {each.removesuffix(BLOCK) for each in named})) if named else {}


def file_known(batch_id: UUID) -> KnownFile | None:
    """One file that was sent."""
    return _files(PaymentBatch.id == batch_id).get(batch_id)


def _files(wanted: ColumnElement[bool]) -> dict[UUID, KnownFile]:
    line = select(BankLine.id).where(BankLine.batch_id == PaymentBatch.id)
    rows = db.session.execute(
        select(PaymentBatch, line.exists()).where(wanted, PaymentBatch.state == BatchState.SENT.value)
    )
    return {batch.id: KnownFile(batch, has_line) for batch, has_line in rows}


def file_candidates(
    files: Mapping[UUID, KnownFile], orders: Iterable[PaymentOrder], told: Collection[UUID]
) -> list[FileCandidate]:
    """These files as matching sees them, beside their orders; ``told`` are those that a line tells of already.

    A file of which an order is not among these, since whoever asks does not reach it, is left out: nothing is said of a part.
    """
    of_files: dict[UUID, list[PaymentOrder]] = {}
    for order in orders:
        if order.batch_id is not None and order.batch_id in files:
            of_files.setdefault(order.batch_id, []).append(order)
    return [
        file_candidate(files[batch_id], several, told)
        for batch_id, several in of_files.items()
        if len(several) == files[batch_id].batch.orders
    ]


def file_candidate(known: KnownFile, orders: Sequence[PaymentOrder], told: Collection[UUID]) -> FileCandidate:
    """One file beside all of its orders."""
    batch = known.batch
    waiting = [order.amount for order in orders if OrderState(order.state) in AT_BANK]
    booked = [order for order in orders if OrderState(order.state) in BOOKED]
    by_hand = [order.amount for order in booked if order.id not in told]
    rejected = [order.amount for order in orders if order.state == OrderState.BANK_REJECTED.value]
    return FileCandidate(
        id=batch.id,
        reference=batch.reference,
        message_id=batch.message_id,
        account_id=batch.own_account_id,
        orders=batch.orders,
        total=batch.total,
        waiting=len(waiting),
        waiting_total=total(waiting),
        by_hand=len(by_hand),
        by_hand_total=total(by_hand),
        told=len(booked) - len(by_hand),
        rejected=len(rejected),
        rejected_total=total(rejected),
        has_line=known.has_line,
    )


# ------------------------------------------------------------------------- one movement, told whole and in parts


def names_file() -> ColumnElement[bool]:
    """Whether a line is a debit under the name of a file and of no payment of it."""
    named = BankLine.payment_id.in_((PaymentBatch.message_id, func.concat(PaymentBatch.message_id, BLOCK)))
    went = (BankLine.direction == Direction.DEBIT.value) & ~BankLine.is_reversal
    return named & went & (BankLine.end_to_end_id == "")


def parts_told(account_id: UUID, lines: Iterable[Line]) -> dict[str, list[BankLine]]:
    """By the name of a file that one of these lines is in one sum: the lines that told its payments one by one before. One
    statement, none where no line is such a sum.
    """
    sums = {line.payment_id for line in lines if is_whole(line)}
    if not sums:
        return {}
    messages = {name.removesuffix(BLOCK): name for name in sums}
    rows = db.session.execute(
        select(PaymentBatch.message_id, BankLine)
        .join(PaymentOrder, PaymentOrder.batch_id == PaymentBatch.id)
        .join(BankLine, BankLine.end_to_end_id == PaymentOrder.end_to_end_id)
        .where(
            PaymentBatch.message_id.in_(sums | set(messages)),
            PaymentBatch.state == BatchState.SENT.value,
            BankLine.own_account_id == account_id,
            BankLine.direction == Direction.DEBIT.value,
            BankLine.is_reversal.is_(False),
            BankLine.amount == PaymentOrder.amount,
        )
        .order_by(BankLine.number)
    )
    found: dict[str, list[BankLine]] = {}
    for message, row in rows:
        for name in {message, f"{message}{BLOCK}"} & sums:
            found.setdefault(name, []).append(row)
    return found


def told_whole(account_id: UUID, lines: Sequence[Line]) -> set[tuple[str, int]]:
    """Of these payments, by end-to-end id and cents, those whose whole file a line of the account told of before. One statement.

    A line that is not booked as the file yet must be of what these payments of it sum to.
    """
    ids = {line.end_to_end_id for line in lines if line.end_to_end_id and line.direction is Direction.DEBIT}
    if not ids:
        return set()
    of_order = (PaymentOrder.end_to_end_id, PaymentOrder.amount, BankLine.id, BankLine.amount, BankLine.batch_id)
    asked = (
        select(*of_order)
        .join(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .where(
            among_texts(PaymentOrder.end_to_end_id, ids),
            PaymentBatch.state == BatchState.SENT.value,
            BankLine.own_account_id == account_id,
        )
    )
    booked = asked.join(BankLine, BankLine.batch_id == PaymentBatch.id)
    waits = asked.join(BankLine, names_file()).where(BankLine.matched_at.is_(None))
    rows = db.session.execute(union_all(booked, waits)).all()
    brought = {(line.end_to_end_id, line.amount.cents) for line in lines}
    sums: dict[UUID, Money] = {}
    for end_to_end_id, amount, line_id, _, _ in rows:
        if (end_to_end_id, amount.cents) in brought:
            sums[line_id] = sums.get(line_id, ZERO) + amount
    return {
        (end_to_end_id or "", amount.cents)
        for end_to_end_id, amount, line_id, whole, batch_id in rows
        if batch_id is not None or sums.get(line_id) == whole
    }
