"""The balance of the bank held against the ledger's, account by account and statement by statement (I14)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ScalarSelect, Select, case, cast, func, select, union_all
from sqlalchemy.orm import aliased

from grants.core.db import db
from grants.core.errors import Problem
from grants.core.money import Money
from grants.ledger.accounts import Account, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.rules.proofs import Checked
from grants.payments.models import BankLine, BankStatement, OwnAccount, PaymentOrder
from grants.payments.rules.statements.booking import Proof
from grants.payments.rules.statements.values import Direction
from grants.payments.states import BookedAs

PROBLEMS_MAX = 100


def _signed_leg() -> Any:
    cents = cast(LedgerLeg.cents, BigInteger)
    return case((LedgerLeg.side == Side.DEBIT.value, cents), else_=-cents)


def _signed_line() -> Any:
    cents = cast(BankLine.amount, BigInteger)
    return case((BankLine.direction == Direction.CREDIT.value, cents), else_=-cents)


def _is_set_aside() -> Any:
    return func.coalesce(BankLine.booked_as == BookedAs.SET_ASIDE.value, False)


def _moved() -> Any:
    """What each entry moved on an account of the programme."""
    return (
        select(
            LedgerLeg.entry_id,
            LedgerLeg.own_account_id.label("account_id"),
            LedgerEntry.effective_on,
            func.sum(_signed_leg()).label("cents"),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .where(LedgerLeg.account == Account.BANK.value, LedgerLeg.own_account_id.is_not(None))
        .group_by(LedgerLeg.entry_id, LedgerLeg.own_account_id, LedgerEntry.effective_on)
    )


def _told() -> Any:
    """Which entries each line tells of: its own, or those of the orders of the file it pays whole that no line tells of alone."""
    alone = select(BankLine.id.label("line_id"), BankLine.entry_id.label("entry_id")).where(
        BankLine.entry_id.is_not(None)
    )
    of_order = aliased(BankLine)
    by_itself = select(of_order.id).where(
        of_order.order_id == PaymentOrder.id, of_order.booked_as == BookedAs.ORDER.value
    )
    whole = (
        select(BankLine.id, LedgerEntry.id)
        .join(PaymentOrder, PaymentOrder.batch_id == BankLine.batch_id)
        .join(LedgerEntry, LedgerEntry.source_key == func.concat("payment_order:", PaymentOrder.id, ":booked"))
        .where(~by_itself.correlate(PaymentOrder).exists())
    )
    return union_all(alone, whole)


def proof_of(account_id: UUID | ScalarSelect[UUID], position: int) -> Proof:
    """A statement's closing balance beside what the ledger moved up to its last day, and why they differ. One statement."""
    ends = select(BankStatement.closing, BankStatement.to_on).where(
        BankStatement.own_account_id == account_id, BankStatement.position == position
    )
    first = select(BankStatement.opening).where(BankStatement.own_account_id == account_id, BankStatement.position == 1)
    to_on = ends.with_only_columns(BankStatement.to_on).scalar_subquery()
    moved, told = _moved().where(LedgerLeg.own_account_id == account_id).cte("moved"), _told().cte("told")
    stated = (
        select(BankLine.id, _signed_line().label("cents"), _is_set_aside().label("is_set_aside"))
        .join(BankStatement, BankStatement.id == BankLine.statement_id)
        .where(BankLine.own_account_id == account_id, BankStatement.position <= position)
        .cte("stated")
    )
    by_then = select(told.c.entry_id).join(stated, stated.c.id == told.c.line_id)
    named = select(told.c.line_id)
    row = db.session.execute(
        select(
            ends.with_only_columns(BankStatement.closing).scalar_subquery(),
            first.scalar_subquery(),
            _sum(select(moved.c.cents).where(moved.c.effective_on <= to_on)),
            *(
                _sum(select(stated.c.cents).where(stated.c.id.not_in(named), stated.c.is_set_aside == aside))
                for aside in (False, True)
            ),
            _sum(select(moved.c.cents).where(moved.c.effective_on <= to_on, moved.c.entry_id.not_in(by_then))),
            _sum(select(moved.c.cents).where(moved.c.effective_on > to_on, moved.c.entry_id.in_(by_then))),
        )
    ).one()
    closing, before, *sums = row
    return Proof(closing, before, *map(Money, sums))


def _sum(statement: Select[Any]) -> Any:
    inner = statement.subquery()
    return select(cast(func.coalesce(func.sum(inner.c.cents), 0), BigInteger)).scalar_subquery()


def checked() -> Checked:
    """I14 over all statements; it applies once there is one."""
    number = db.session.scalar(select(func.count()).select_from(BankStatement)) or 0
    words = "Between two statements each account moved as the ledger says, but for lines nothing was booked from and what no statement tells yet."
    if not number:
        return Checked("I14", words, not_applicable="No statement of the bank came yet.")
    return Checked("I14", words, number, "statements", tuple(problems()))


def problems() -> Iterator[Problem]:
    """I14: lines sum to what each statement moved, and what was booked of a line moved the account by as much.

    Then two balances differ by lines that nothing was booked from, by bookings no statement tells yet, and by days; by
    nothing else.
    """
    yield from _statements_off()
    yield from _lines_off()


def _statements_off() -> Iterator[Problem]:
    before = BankStatement.__table__.alias("before")
    lines = (
        select(BankLine.statement_id, func.sum(_signed_line()).label("cents"))
        .where(BankLine.statement_id.is_not(None))
        .group_by(BankLine.statement_id)
        .subquery()
    )
    began = func.coalesce(before.c.closing, BankStatement.opening)
    moved = cast(BankStatement.closing, BigInteger) - cast(began, BigInteger)
    told = func.coalesce(lines.c.cents, 0)
    statement = (
        select(OwnAccount.reference, BankStatement.position, moved, told)
        .join(OwnAccount, OwnAccount.id == BankStatement.own_account_id)
        .outerjoin(before, before.c.id == BankStatement.previous_id)
        .outerjoin(lines, lines.c.statement_id == BankStatement.id)
        .where(moved != told)
        .order_by(OwnAccount.reference, BankStatement.position)
    )
    for account, position, said, summed in db.session.execute(statement.limit(PROBLEMS_MAX)):
        words = f"I14: statement {position} moved the account by {Money(int(said))}, its lines by {Money(int(summed))}."
        yield Problem(account, words)


def _lines_off() -> Iterator[Problem]:
    moved, told = _moved().subquery("moved"), _told().subquery("told")
    fits = moved.c.account_id == BankLine.own_account_id
    booked = func.coalesce(func.sum(moved.c.cents).filter(fits), 0)
    statement = (
        select(OwnAccount.reference, BankLine.number, _signed_line(), booked)
        .join(OwnAccount, OwnAccount.id == BankLine.own_account_id)
        .join(told, told.c.line_id == BankLine.id)
        .outerjoin(moved, moved.c.entry_id == told.c.entry_id)
        .group_by(OwnAccount.reference, BankLine.id)
        .having(booked != _signed_line())
        .order_by(OwnAccount.reference, BankLine.number)
    )
    for account, number, said, moved_cents in db.session.execute(statement.limit(PROBLEMS_MAX)):
        words = (
            f"I14: line {number} is of {Money(int(said))}; the ledger moved the account by {Money(int(moved_cents))}."
        )
        yield Problem(account, words)


__all__ = ["checked", "problems", "proof_of"]
