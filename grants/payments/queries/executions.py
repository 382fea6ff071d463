"""What the rows of a list of executed payments are, beside the orders and lines that stand: for its preview and its act."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core.db import among_texts, db
from grants.core.permissions import Actor, Permission
from grants.payments.models import BankImport, BankLine, PaymentOrder
from grants.payments.queries.bank_candidates import candidates_for
from grants.payments.queries.whole_files import told_whole
from grants.payments.rules.statements.executions import Execution
from grants.payments.rules.statements.matching import Match, match_lines
from grants.payments.rules.statements.values import BankFile, Direction, Line


@dataclass(frozen=True, slots=True)
class ListedRow:
    """One row of a list beside what stands: the line it would be, the order it executes, or why it waits for people."""

    execution: Execution
    line: Line
    match: Match
    # A line of the bank tells of it already: nothing of it is new.
    is_known: bool

    @property
    def words(self) -> str:
        """What becomes of it, in a sentence."""
        if self.is_known:
            return "The bank told of it before: nothing is booked again."
        if self.match.order is not None:
            return self.match.words
        return f"{self.match.words} It will wait for people, as a line that is not booked."

    @property
    def books(self) -> bool:
        """Whether an order is booked by it."""
        return not self.is_known and self.match.order is not None


def listed_rows(actor: Actor, account_id: UUID, rows: Sequence[Execution]) -> tuple[ListedRow, ...]:
    """The rows beside what stands of an account; a constant number of statements. Orders beyond reach are unknown here."""
    named = {each.named.upper() for each in rows}
    upper = (func.upper(PaymentOrder.reference), func.upper(PaymentOrder.end_to_end_id))
    orders = db.session.scalars(
        select(PaymentOrder)
        .join(Grant, Grant.id == PaymentOrder.grant_id)
        .where(
            agreements.visible(actor, Permission.PAYMENT_ORDER_READ),
            PaymentOrder.end_to_end_id.is_not(None),
            among_texts(upper[0], named) | among_texts(upper[1], named),
        )
    ).all()
    by_name = {name.upper(): order for order in orders for name in (order.reference, order.end_to_end_id) if name}
    lines = {}
    for each in rows:
        order = by_name.get(each.named.upper())
        lines[str(each.row)] = each.line(order.end_to_end_id or "" if order is not None else each.named[:35])
    found = match_lines(lines, account_id, candidates_for(orders, account_id))
    told = _told(account_id, lines.values()) | told_whole(account_id, tuple(lines.values()))
    return tuple(
        ListedRow(each, lines[str(each.row)], found[str(each.row)], _what(lines[str(each.row)]) in told)
        for each in rows
    )


def _what(line: Line) -> tuple[str, int]:
    return line.end_to_end_id, line.amount.cents


def _told(account_id: UUID, lines: Iterable[Line]) -> set[tuple[str, int]]:
    """Which payments lines of the bank tell of: end-to-end id and amount."""
    ids = {line.end_to_end_id for line in lines if line.end_to_end_id}
    found = db.session.execute(
        select(BankLine.end_to_end_id, BankLine.amount).where(
            BankLine.own_account_id == account_id,
            among_texts(BankLine.end_to_end_id, ids),
            BankLine.direction == Direction.DEBIT.value,
            BankLine.is_reversal.is_(False),
        )
    )
    return {(named, amount.cents) for named, amount in found}


def listed_before(account_id: UUID, lines: Sequence[Line]) -> dict[tuple[str, int], BankLine]:
    """The lines of lists that no statement has told of yet, by end-to-end id and amount: one of these payments each."""
    ids = {line.end_to_end_id for line in lines if line.end_to_end_id}
    if not ids:
        return {}
    rows = db.session.scalars(
        select(BankLine)
        .join(BankImport, BankImport.id == BankLine.import_id)
        .where(
            BankImport.kind == BankFile.EXECUTIONS.value,
            BankLine.own_account_id == account_id,
            BankLine.statement_id.is_(None),
            among_texts(BankLine.end_to_end_id, ids),
        )
        .order_by(BankLine.number)
    )
    return {(row.end_to_end_id, row.amount.cents): row for row in rows}
