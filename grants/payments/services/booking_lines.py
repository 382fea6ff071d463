"""What of a file that was brought explains itself is booked: payments it carried out, money that came, and what came back.

Whatever fits no order and no debt to the cent is left to people, but for money that came: that is real, and stands among the
unidentified receipts until somebody says what it is for.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import among, among_texts, db, get
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries as identity
from grants.identity.rules.standing_in import tied_by
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import Dimensions, Event, Posting
from grants.payments import queries
from grants.payments.models import (
    BankImport,
    BankLine,
    BankStatement,
    OwnAccount,
    PaymentOrder,
    Recovery,
    RecoveryReceipt,
)
from grants.payments.queries.bank_candidates import candidates_for, line_of, told_orders
from grants.payments.queries.whole_files import KnownFile, file_candidates, files_for
from grants.payments.rules.statements.booking import booking_day, received_day
from grants.payments.rules.statements.matching import Match, match_lines, match_returns
from grants.payments.rules.statements.values import LINES_MAX, Direction, Line
from grants.payments.services import parts
from grants.payments.services.booking import CameBack, Executed, book_executed, book_returned, days_sent
from grants.payments.services.hands import kept_apart
from grants.payments.services.locks import lock_grants, orders_locked
from grants.payments.services.recoveries import can_receive, owed, owed_since, receive
from grants.payments.states import AT_BANK, BookedAs, ImportState, OrderState

RECOVERY_NAMED = re.compile(r"(?<![A-Z0-9-])([A-Z0-9]+-\d{4}-G-\d{4,}-D\d+)(?![A-Z0-9-])")


@dataclass(frozen=True, slots=True)
class LinesBooked:
    """How many lines explained themselves, and how many came in unidentified."""

    booked: int
    unidentified: int


@act("bank_line.book", needs=Permission.BANK_STATEMENT_IMPORT, says="booked {subject} as the bank told it")
def book_lines(actor: Actor, import_id: UUID) -> LinesBooked:
    """Book of the accounts a file told of whatever explains itself; a second time finds nothing left to book.

    An order is booked by end-to-end id, amount and account together; a whole file by its identifier and sum; a receipt by
    the reference of the recovery. What came back, or is paid back, is booked once a statement tells it: a notice alone has
    no balance that proves it. Of an order this person may not see, or signed for, nothing is booked: somebody else does.
    """
    brought = get(BankImport, import_id)
    acts.subject("bank_import", import_id)
    if brought.state != ImportState.IMPORTED.value:
        return LinesBooked(0, 0)
    acts.reason(f"As the bank told in {brought.reference}.")
    accounts = _accounts(actor, import_id)
    open_lines = _open_lines(accounts)
    told = open_lines.values()
    orders, files = _meant(told), files_for(told)
    of_files = [order.id for order in _orders_of(files)]
    recoveries = _recoveries_named(told)
    grants = _reachable(actor, lock_grants(_grants_of([*orders, *of_files], recoveries)))
    rows = {order.id: order for order in orders_locked([*orders, *of_files]) if order.grant_id in grants}
    ties = identity.ties_of(actor.user_id)
    debts = {
        row.reference: row
        for row in _recoveries_locked(recoveries)
        if row.grant_id in grants and not tied_by([(row.confirmed_by, row.confirmed_at)], ties, acts.moment())
    }
    lines = _locked_lines(open_lines)
    said = {line.id: line_of(line) for line in lines}
    booked = 0
    for account_id in sorted(accounts):
        of_account = [line for line in lines if line.own_account_id == account_id]
        booked += _book_account(actor, account_id, of_account, said, rows, grants, debts)
    return LinesBooked(booked, _receive_rest(lines, said))


def _accounts(actor: Actor, import_id: UUID) -> set[UUID]:
    """The accounts a file told of, as far as this person works there."""
    told = select(BankLine.own_account_id).where(BankLine.import_id == import_id)
    stated = select(BankStatement.own_account_id).where(BankStatement.import_id == import_id)
    rows = db.session.scalars(select(OwnAccount).where(OwnAccount.id.in_(told) | OwnAccount.id.in_(stated)))
    faults.point("scope")
    return {
        row.id for row in rows if actor.may(Permission.BANK_STATEMENT_IMPORT, Scope.of(("programme", row.programme_id)))
    }


class Naming(Protocol):
    """What of a line says what it may be for."""

    @property
    def direction(self) -> str: ...
    @property
    def is_reversal(self) -> bool: ...
    @property
    def end_to_end_id(self) -> str: ...
    @property
    def payment_id(self) -> str: ...
    @property
    def remittance(self) -> str: ...


def _open_lines(accounts: Collection[UUID]) -> dict[UUID, Naming]:
    """What the open lines of these accounts name, by the id of each: whole rows are read once they are locked."""
    named = (BankLine.direction, BankLine.is_reversal, BankLine.end_to_end_id, BankLine.payment_id, BankLine.remittance)
    statement = select(BankLine.id, *named).where(BankLine.own_account_id.in_(accounts), BankLine.matched_at.is_(None))
    rows = db.session.execute(statement.order_by(BankLine.booked_on, BankLine.number).limit(LINES_MAX))
    return {row.id: typing.cast(Naming, row) for row in rows}


def _locked_lines(ids: Collection[UUID]) -> list[BankLine]:
    """These lines under their locks, but for those that somebody booked meanwhile."""
    statement = select(BankLine).where(among(BankLine.id, ids)).order_by(BankLine.booked_on, BankLine.number)
    rows = db.session.scalars(statement.with_for_update().execution_options(populate_existing=True))
    return [row for row in rows if row.matched_at is None]


def _meant(lines: Iterable[Naming]) -> list[UUID]:
    """The orders that lines name."""
    named = {line.end_to_end_id for line in lines if line.end_to_end_id}
    by_name = among_texts(PaymentOrder.end_to_end_id, named) | among_texts(PaymentOrder.reference, named)
    return list(db.session.scalars(select(PaymentOrder.id).where(by_name))) if named else []


def _orders_of(files: Mapping[UUID, KnownFile]) -> list[PaymentOrder]:
    if not files:
        return []
    return list(db.session.scalars(select(PaymentOrder).where(PaymentOrder.batch_id.in_(files))))


def _recoveries_named(lines: Iterable[Naming]) -> set[str]:
    return {found for line in lines for found in recovery_names(line)}


def recovery_names(line: Naming) -> tuple[str, ...]:
    """The recoveries that a receipt names in its reference or its text."""
    if line.direction == Direction.DEBIT.value or line.is_reversal:
        return ()
    text = f"{line.end_to_end_id} {line.remittance}".upper()
    return tuple(sorted(set(RECOVERY_NAMED.findall(text))))


def _grants_of(order_ids: Collection[UUID], recoveries: Collection[str]) -> list[UUID]:
    of_orders = select(PaymentOrder.grant_id).where(PaymentOrder.id.in_(order_ids))
    of_debts = select(Recovery.grant_id).where(Recovery.reference.in_(recoveries))
    return list(db.session.scalars(of_orders.union(of_debts)))


def _reachable(actor: Actor, grants: Mapping[UUID, Grant]) -> dict[UUID, Grant]:
    """The grants this person may pay from: what lies elsewhere, or is shut by a conflict, is left to others."""
    faults.point("conflict")
    shut = agreements.conflicts_among(actor, grants)
    return {
        grant_id: grant
        for grant_id, grant in grants.items()
        if actor.may(Permission.BANK_STATEMENT_IMPORT, agreements.scope(grant)) and grant_id not in shut
    }


def _recoveries_locked(references: Collection[str]) -> list[Recovery]:
    statement = select(Recovery).where(Recovery.reference.in_(references)).order_by(Recovery.id).with_for_update()
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def _book_account(
    actor: Actor,
    account_id: UUID,
    lines: Sequence[BankLine],
    said: Mapping[UUID, Line],
    orders: Mapping[UUID, PaymentOrder],
    grants: Mapping[UUID, Grant],
    debts: Mapping[str, Recovery],
) -> int:
    faults.point("matching")
    by_key = {line.line_key: line for line in lines}
    told = {key: said[line.id] for key, line in by_key.items()}
    named = files_for(lines)
    files = file_candidates(named, orders.values(), told_orders(list(orders)) if named else ())
    found = match_lines(told, account_id, candidates_for(orders.values(), account_id), files)
    executed: list[tuple[BankLine, list[Executed]]] = []
    shut = kept_apart(actor.user_id, orders.values())
    left_on = days_sent(orders.values())
    for key, match in found.items():
        meant = _executed(by_key[key], match, orders, grants, shut, left_on)
        if meant:
            executed.append((by_key[key], meant))
    new = [each for _, several in executed for each in several if each.order.state != OrderState.EXECUTED.value]
    entries = book_executed(actor.user_id, new)
    for line, several in executed:
        _mark_paid(line, found[line.line_key], several, entries)
    proved = [line for line in lines if _is_proved(line)]
    _return_paid(account_id, {line.line_key: line for line in proved if line.matched_at is None}, told, orders, grants)
    _mark_told_before([line for line in lines if line.matched_at is None])
    for line in proved if debts else ():
        if line.matched_at is None:
            _receive_debt(actor, line, grants, debts)
    return sum(line.matched_at is not None for line in lines)


def _is_proved(line: BankLine) -> bool:
    """Whether a statement tells of a line: its balances prove it, and nothing proves a notice, which anybody can write."""
    return line.statement_id is not None


def _executed(
    line: BankLine,
    match: Match,
    orders: Mapping[UUID, PaymentOrder],
    grants: Mapping[UUID, Grant],
    shut: Collection[UUID],
    left_on: Mapping[UUID, date],
) -> list[Executed]:
    """The orders a line carries out, if each of them may be booked by this person on a day that can be; else none."""
    if match.file is not None:
        meant = [each for each in orders.values() if each.batch_id == match.file.id and _waits(each)]
    else:
        meant = [orders[match.order.id]] if match.order is not None else []
    found = []
    for order in meant:
        if order.state == OrderState.EXECUTED.value:
            assert order.value_on is not None, "an executed order has its day"
            found.append(Executed(order, grants[order.grant_id], order.value_on, line.own_account_id))
            continue
        day = booking_day(line_of(line), left_on[order.id], acts.today())
        if day is None or order.id in shut:
            return []
        found.append(Executed(order, grants[order.grant_id], day, line.own_account_id))
    return found


def _waits(order: PaymentOrder) -> bool:
    return OrderState(order.state) in AT_BANK


def _mark_paid(line: BankLine, match: Match, several: Sequence[Executed], entries: Mapping[UUID, UUID]) -> None:
    if match.file is not None:
        mark(line, BookedAs.FILE, batch_id=match.file.id)
        return
    (only,) = several
    entry_id = entries.get(only.order.id) or queries.entry_of(f"payment_order:{only.order.id}:booked")
    mark(line, BookedAs.ORDER, entry_id, order_id=only.order.id)


def mark(
    line: BankLine,
    booked_as: BookedAs,
    entry_id: UUID | None = None,
    *,
    order_id: UUID | None = None,
    batch_id: UUID | None = None,
    recovery_id: UUID | None = None,
) -> None:
    """Write what a line was booked as; once, and for ever."""
    line.booked_as, line.entry_id, line.matched_at = booked_as.value, entry_id, acts.moment()
    line.order_id, line.batch_id, line.recovery_id = order_id, batch_id, recovery_id


def _return_paid(
    account_id: UUID,
    back: Mapping[str, BankLine],
    told: Mapping[str, Line],
    orders: Mapping[UUID, PaymentOrder],
    grants: Mapping[UUID, Grant],
) -> None:
    """Payments that came back whole, by the end-to-end id of the payment, after whatever the same file booked of them."""
    found = match_returns({key: told[key] for key in back}, account_id, candidates_for(orders.values(), account_id))
    for key, order_id in found.items():
        line, order = back[key], orders[order_id]
        day = received_day(told[key], acts.today())
        if order.value_on is not None and day >= order.value_on:
            reason = line.return_reason or "MS03"
            entry_id = book_returned(CameBack(order, grants[order.grant_id], reason, day), account_id)
            mark(line, BookedAs.RETURN, entry_id, order_id=order_id)


def _mark_told_before(lines: Sequence[BankLine]) -> None:
    """A receipt that was entered by hand, by the reference the bank gives it: the line is the bank's word on it."""
    named = {line.bank_reference for line in lines if line.bank_reference and line.direction == Direction.CREDIT.value}
    told = select(BankLine.entry_id).where(BankLine.entry_id.is_not(None))
    key = func.concat("recovery_receipt:", RecoveryReceipt.id, ":received")
    statement = (
        select(RecoveryReceipt, LedgerEntry.id)
        .join(LedgerEntry, LedgerEntry.source_key == key)
        .where(
            among_texts(RecoveryReceipt.bank_reference, named),
            LedgerEntry.event == Event.RECOVERY_RECEIVED.value,
            LedgerEntry.id.not_in(told),
        )
    )
    known = {
        (each.own_account_id, each.bank_reference, each.amount + each.interest + each.above): (
            each.recovery_id,
            entry_id,
        )
        for each, entry_id in (db.session.execute(statement) if named else ())
    }
    for line in lines:
        if line.direction == Direction.CREDIT.value:
            fits = known.pop((line.own_account_id, line.bank_reference, line.amount), None)
            if fits is not None:
                mark(line, BookedAs.RECOVERY, fits[1], recovery_id=fits[0])


def _receive_debt(actor: Actor, line: BankLine, grants: Mapping[UUID, Grant], debts: Mapping[str, Recovery]) -> None:
    """Book a receipt that names one recovery which is still owed (E14); whoever confirmed it books nothing of it."""
    named = recovery_names(line)
    debt = debts.get(named[0]) if len(named) == 1 else None
    if debt is None or not can_receive(debt) or debt.confirmed_by == actor.user_id:
        return
    day = received_day(line_of(line), acts.today())
    if day < owed_since(debt) or not parts.comes_back(debt, min(line.amount, owed(debt))):
        return
    entry_id = receive(
        debt, grants[debt.grant_id], line.amount, day, bank_name(line), actor.user_id, line.own_account_id
    )
    mark(line, BookedAs.RECOVERY, entry_id, recovery_id=debt.id)


def bank_name(line: BankLine) -> str:
    """What a line is called at the bank, and here where the bank gave no reference."""
    return line.bank_reference or f"line {line.number}"


def _receive_rest(lines: Iterable[BankLine], said: Mapping[UUID, Line]) -> int:
    """Whatever else came in is real: it stands among the unidentified receipts (E22) until somebody says what it is for.

    What looks like a payment that came back is no receipt: it waits for the order it belongs to.
    """
    came = [
        line for line in lines if line.matched_at is None and is_receipt(said[line.id]) and not _waits_for_proof(line)
    ]
    entries = ledger.post_many([unidentified(line) for line in came])
    for line, entry_id in zip(came, entries, strict=True):
        mark(line, BookedAs.UNIDENTIFIED, entry_id)
    return len(came)


def _waits_for_proof(line: BankLine) -> bool:
    """Whether a notice names a recovery: a statement books it, or two people say what it is."""
    return not _is_proved(line) and bool(recovery_names(line))


def is_receipt(line: Line) -> bool:
    """Whether money came in that is no payment of ours coming back."""
    comes_back = line.is_reversal or line.return_reason or line.end_to_end_id
    return line.direction is Direction.CREDIT and (not comes_back or bool(recovery_names(line)))


def unidentified(line: BankLine) -> Posting:
    """What a receipt is booked as until somebody says what it is for."""
    return Posting(
        Event.RECEIPT_UNIDENTIFIED,
        f"bank_line:{line.id}:received",
        received_day(line_of(line), acts.today()),
        f"Received, bank reference {bank_name(line)}: not known what for",
        legs.legs_e22_received(line.amount, line_dims(line)),
    )


def line_dims(line: BankLine) -> Dimensions:
    """What the legs of a line are about that belongs to no grant."""
    return Dimensions(document_id=line.id, own_account_id=line.own_account_id)
