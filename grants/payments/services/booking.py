"""What the bank did is booked: payments it carried out, money that came, and what of a brought file explains itself.

One fact has one key, from whichever side it is told: typed by hand, listed in a file, or read off a statement. Whatever
fits no order and no debt to the cent is left to people, but for money that came: that is real, and stands among the
unidentified receipts until somebody says what it is for.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import among, db, get, locked
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries as identity
from grants.identity.rules.standing_in import tied_by
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.accounts import Account
from grants.ledger.models import LedgerEntry
from grants.ledger.rules import Dimensions, Event, Legs, Posting
from grants.payments import queries
from grants.payments.models import (
    BankImport,
    BankLine,
    BankStatement,
    OwnAccount,
    PaymentBatch,
    PaymentOrder,
    PaymentRequest,
    Recovery,
    RecoveryReceipt,
)
from grants.payments.queries.several import settled
from grants.payments.queries.statements import candidates_for, file_candidates, files_for, line_of
from grants.payments.rules.returns import needs_other_account, reason_words
from grants.payments.rules.statements.booking import booking_day, received_day
from grants.payments.rules.statements.matching import Match, match_lines, match_returns
from grants.payments.rules.statements.values import LINES_MAX, Direction, Line
from grants.payments.services import parts
from grants.payments.services.hands import kept_apart
from grants.payments.services.interest_orders import legs_of_interest, paying_interest, pays_interest
from grants.payments.services.locks import lock_grants, orders_locked, requests_locked
from grants.payments.services.passing import post_paid
from grants.payments.services.recoveries import can_receive, owed, owed_since, receive
from grants.payments.services.requests import dims_of, tell
from grants.payments.services.telling import tell_each
from grants.payments.states import (
    AT_BANK,
    ORDER,
    REQUEST,
    BookedAs,
    ImportState,
    OrderState,
    RequestState,
)

RECOVERY_NAMED = re.compile(r"(?<![A-Z0-9-])([A-Z0-9]+-\d{4}-G-\d{4,}-D\d+)(?![A-Z0-9-])")


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


# ---------------------------------------------------------------------------------------------- lines of a file


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
    told = _open_lines(accounts)
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
    lines = _locked_lines([line.id for line in told])
    booked = 0
    for account_id in sorted(accounts):
        of_account = [line for line in lines if line.own_account_id == account_id]
        booked += _book_account(actor, account_id, of_account, rows, grants, debts)
    return LinesBooked(booked, _receive_rest(lines))


def _accounts(actor: Actor, import_id: UUID) -> set[UUID]:
    """The accounts a file told of, as far as this person works there."""
    told = select(BankLine.own_account_id).where(BankLine.import_id == import_id)
    stated = select(BankStatement.own_account_id).where(BankStatement.import_id == import_id)
    rows = db.session.scalars(select(OwnAccount).where(OwnAccount.id.in_(told) | OwnAccount.id.in_(stated)))
    faults.point("scope")
    return {
        row.id for row in rows if actor.may(Permission.BANK_STATEMENT_IMPORT, Scope.of(("programme", row.programme_id)))
    }


def _open_lines(accounts: Collection[UUID]) -> list[BankLine]:
    statement = select(BankLine).where(BankLine.own_account_id.in_(accounts), BankLine.matched_at.is_(None))
    return list(db.session.scalars(statement.order_by(BankLine.booked_on, BankLine.number).limit(LINES_MAX)))


def _locked_lines(ids: Collection[UUID]) -> list[BankLine]:
    """These lines under their locks, but for those that somebody booked meanwhile."""
    statement = select(BankLine).where(BankLine.id.in_(ids)).order_by(BankLine.booked_on, BankLine.number)
    rows = db.session.scalars(statement.with_for_update().execution_options(populate_existing=True))
    return [row for row in rows if row.matched_at is None]


def _meant(lines: Iterable[BankLine]) -> list[UUID]:
    """The orders that lines name."""
    named = {line.end_to_end_id for line in lines if line.end_to_end_id}
    by_name = PaymentOrder.end_to_end_id.in_(named) | PaymentOrder.reference.in_(named)
    return list(db.session.scalars(select(PaymentOrder.id).where(by_name))) if named else []


def _orders_of(files: Mapping[UUID, PaymentBatch]) -> list[PaymentOrder]:
    if not files:
        return []
    return list(db.session.scalars(select(PaymentOrder).where(PaymentOrder.batch_id.in_(files))))


def _recoveries_named(lines: Iterable[BankLine]) -> set[str]:
    return {found for line in lines for found in recovery_names(line_of(line))}


def recovery_names(line: Line) -> tuple[str, ...]:
    """The recoveries that a receipt names in its reference or its text."""
    if line.direction is Direction.DEBIT or line.is_reversal:
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
    orders: Mapping[UUID, PaymentOrder],
    grants: Mapping[UUID, Grant],
    debts: Mapping[str, Recovery],
) -> int:
    faults.point("matching")
    by_key = {line.line_key: line for line in lines}
    told = {key: line_of(line) for key, line in by_key.items()}
    files = file_candidates(files_for(lines), orders.values())
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
    _return_paid(account_id, [line for line in lines if _is_proved(line)], orders, grants)
    _mark_told_before([line for line in lines if line.matched_at is None])
    for line in lines:
        if line.matched_at is None and _is_proved(line):
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
    account_id: UUID, lines: Sequence[BankLine], orders: Mapping[UUID, PaymentOrder], grants: Mapping[UUID, Grant]
) -> None:
    """Payments that came back whole, by the end-to-end id of the payment, after whatever the same file booked of them."""
    back = {line.line_key: line for line in lines if line.matched_at is None}
    told = {key: line_of(line) for key, line in back.items()}
    found = match_returns(told, account_id, candidates_for(orders.values(), account_id))
    for key, order_id in found.items():
        line, order = back[key], orders[order_id]
        day = received_day(line_of(line), acts.today())
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
            RecoveryReceipt.bank_reference.in_(named),
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
    named = recovery_names(line_of(line))
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


def _receive_rest(lines: Iterable[BankLine]) -> int:
    """Whatever else came in is real: it stands among the unidentified receipts (E22) until somebody says what it is for.

    What looks like a payment that came back is no receipt: it waits for the order it belongs to.
    """
    came = [
        line for line in lines if line.matched_at is None and is_receipt(line_of(line)) and not _waits_for_proof(line)
    ]
    entries = ledger.post_many([unidentified(line) for line in came])
    for line, entry_id in zip(came, entries, strict=True):
        mark(line, BookedAs.UNIDENTIFIED, entry_id)
    return len(came)


def _waits_for_proof(line: BankLine) -> bool:
    """Whether a notice names a recovery: a statement books it, or two people say what it is."""
    return not _is_proved(line) and bool(recovery_names(line_of(line)))


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
