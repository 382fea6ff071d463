"""The disbursement register: every movement of the bank account in a period, with the order behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import aliased

from grants.agreements.models import Grant
from grants.agreements.states import PaymentKind
from grants.calls.models import Call
from grants.core.db import db, get
from grants.core.money import ZERO, Money, total
from grants.documents.queries import movements
from grants.documents.queries.marks import Marks, marks
from grants.documents.queries.movements import Known, Place
from grants.documents.queries.overview import ON_PAPER, paid_by_bank
from grants.documents.queries.payments import day, paid_by_orders
from grants.documents.queries.scopes import call_ids, scope_of
from grants.documents.rules import (
    SYNTHETIC,
    Cell,
    Check,
    Column,
    ColumnKind,
    Figures,
    Period,
    ScopeKind,
    Table,
    Thing,
    with_totals,
)
from grants.identity.models import Organisation
from grants.ledger.accounts import Account, Side
from grants.ledger.models import LedgerEntry, LedgerLeg
from grants.ledger.rules import Event, reference
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentOrderSignature, PaymentRequest, RecoveryReceipt
from grants.payments.rules import WORDS
from grants.payments.states import Step
from grants.programmes.models import Programme

NAME, TITLE = "disbursement-register", "Disbursement register"
KINDS = (ScopeKind.CALL, ScopeKind.PROGRAMME)
MONEY, DATE, NUMBER = ColumnKind.MONEY, ColumnKind.DATE, ColumnKind.NUMBER
BANK = (Account.BANK.value,)

_OTHER_KINDS: Mapping[Event, str] = {
    Event.RECOVERY_RECEIVED: "Paid back",
    Event.PAYMENT_RETURNED: "Returned by the bank",
    Event.REVERSED: "Reversal",
    Event.RECEIPT_UNIDENTIFIED: "Unidentified receipt",
    Event.RECOVERY_INTEREST: "Interest received",
}


@dataclass(frozen=True, slots=True)
class Disbursement:
    """One movement of the bank account: what left is above zero, what came back below."""

    entry: str
    executed_on: date
    order: str | None
    call: str | None
    grant_id: UUID | None
    grant: str | None
    pilot: str | None
    beneficiary: str | None
    kind: str
    requested_on: date | None
    authorised_on: date | None
    bank_reference: str | None
    amount: Money
    remark: str


def register(reference: str, as_of: datetime, period: Period) -> tuple[Figures, list[Check]]:
    """All disbursements of a call or a programme in a period, as known at a moment, and what they must agree with.

    The totals by month and kind are worked out in a worker: the catalogue adds them.
    """
    found = scope_of(KINDS, reference)
    place, known = Place(call_ids=call_ids(found)), movements.at(as_of, period)
    lines = list(disbursements(place, known))
    programme = _programme(found.kind, found.id)
    calls = db.session.scalars(select(Call).where(Call.id.in_(place.call_ids)).order_by(Call.reference)).all()
    marked = marks(calls, {line.grant_id for line in lines if line.grant_id})
    whole = found.kind is ScopeKind.PROGRAMME
    out, back = _parted(lines)
    figures = Figures(
        name=NAME,
        title=TITLE,
        scope_kind=found.kind,
        scope_reference=found.reference,
        scope_title=found.title,
        programme=programme.name,
        as_of=as_of,
        period=period,
        summary=(
            ("Payments booked by the bank", out),
            ("Returned, reversed or paid back", back),
            ("Control total: net of what came back", out + back),
            ("Movements", len(lines)),
        ),
        behind=(BANK, BANK, BANK, ()),
        tables=(
            _lines(lines, marked, whole),
            *([_by_call(lines, calls)] if whole else []),
            _by_grant(lines),
            _by_kind(lines),
        ),
        notes=(
            "Every movement of the bank account in the ledger, by value date. What left the account is above zero, what came back below.",
            "The bank is told the order’s reference with each transfer; the list is the file in which the order left.",
        ),
        synthetic=marked.words,
    )
    return figures, _checks(place, known, lines)


def _programme(kind: ScopeKind, scope_id: UUID) -> Programme:
    return get(Programme, scope_id if kind is ScopeKind.PROGRAMME else get(Call, scope_id).programme_id)


def _parted(lines: Sequence[Disbursement]) -> tuple[Money, Money]:
    return (
        total(line.amount for line in lines if line.amount > ZERO),
        total(line.amount for line in lines if line.amount < ZERO),
    )


def disbursements(place: Place, known: Known) -> Iterator[Disbursement]:
    """The movements by value date and entry, streamed a thousand at a time; three statements however many there are."""
    reversed_by, returned_by = _undone(place, known)
    receipts = _receipts(place)
    authorised = aliased(PaymentOrderSignature)
    statement = (
        select(
            *(LedgerEntry.id, LedgerEntry.number, LedgerEntry.event, LedgerEntry.effective_on, LedgerEntry.source_key),
            *(LedgerLeg.side, LedgerLeg.cents, LedgerLeg.grant_id, LedgerLeg.document_id),
            *(PaymentOrder.reference.label("order"), Call.reference.label("call"), Grant.reference.label("grant")),
            func.coalesce(Grant.acronym, Grant.title).label("pilot"),
            *(Organisation.name.label("beneficiary"), PaymentRequest.kind, PaymentRequest.submitted_at),
            *(authorised.signed_at, PaymentBatch.reference.label("batch")),
        )
        .join(LedgerEntry, LedgerEntry.id == LedgerLeg.entry_id)
        .outerjoin(Call, Call.id == LedgerLeg.call_id)
        .outerjoin(Grant, Grant.id == LedgerLeg.grant_id)
        .outerjoin(Organisation, Organisation.id == LedgerLeg.organisation_id)
        .outerjoin(PaymentOrder, PaymentOrder.id == LedgerLeg.document_id)
        .outerjoin(PaymentRequest, PaymentRequest.id == PaymentOrder.request_id)
        .outerjoin(PaymentBatch, PaymentBatch.id == PaymentOrder.batch_id)
        .outerjoin(
            authorised,
            (authorised.order_id == PaymentOrder.id)
            & (authorised.step == Step.AUTHORISED.value)
            & authorised.voided_at.is_(None),
        )
        .where(place.condition, LedgerLeg.account == Account.BANK.value, *known.conditions)
        .order_by(LedgerEntry.effective_on, LedgerEntry.number, LedgerLeg.position)
        .execution_options(yield_per=1_000)
    )
    for row in db.session.execute(statement):
        yield Disbursement(
            entry=reference(row.number, row.effective_on),
            executed_on=row.effective_on,
            order=row.order,
            call=row.call,
            grant_id=row.grant_id,
            grant=row.grant,
            pilot=row.pilot,
            beneficiary=row.beneficiary,
            kind=_kind(row),
            requested_on=day(row.submitted_at),
            authorised_on=day(row.signed_at),
            bank_reference=receipts.get(row.source_key) or row.batch,
            amount=row.cents if row.side == Side.CREDIT.value else -row.cents,
            remark=_remark(row, reversed_by, returned_by),
        )


def _kind(row: Any) -> str:
    other = _OTHER_KINDS.get(Event(row.event))
    if other is not None:
        return other
    return WORDS[PaymentKind(row.kind)] if row.kind else Event(row.event).label


def _remark(row: Any, reversed_by: Mapping[UUID, str], returned_by: Mapping[UUID, str]) -> str:
    if row.id in reversed_by:
        return f"Reversed by {reversed_by[row.id]}"
    if row.event == Event.ORDER_BOOKED.value and row.document_id in returned_by:
        return f"Returned by {returned_by[row.document_id]}"
    return ""


def _undone(place: Place, known: Known) -> tuple[dict[UUID, str], dict[UUID, str]]:
    """What was reversed, by entry, and which orders came back, each with the entry that says so; whenever that was."""
    statement = (
        select(
            LedgerEntry.event,
            LedgerEntry.number,
            LedgerEntry.effective_on,
            LedgerEntry.reverses_id,
            LedgerLeg.document_id,
        )
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
        .where(
            place.condition,
            LedgerLeg.account == Account.BANK.value,
            LedgerEntry.event.in_((Event.REVERSED.value, Event.PAYMENT_RETURNED.value)),
            LedgerEntry.recorded_at < known.recorded_before,
        )
    )
    reversed_by: dict[UUID, str] = {}
    returned_by: dict[UUID, str] = {}
    for event, number, effective_on, reverses_id, document_id in db.session.execute(statement):
        if event == Event.REVERSED.value and reverses_id is not None:
            reversed_by[reverses_id] = reference(number, effective_on)
        elif document_id is not None:
            returned_by[document_id] = reference(number, effective_on)
    return reversed_by, returned_by


def _receipts(place: Place) -> dict[str, str]:
    """The bank's reference of every receipt for a recovery, by the key of its entry."""
    entries = (
        select(LedgerEntry.source_key)
        .join(LedgerLeg, LedgerLeg.entry_id == LedgerEntry.id)
        .where(
            place.condition, LedgerLeg.account == Account.BANK.value, LedgerEntry.event == Event.RECOVERY_RECEIVED.value
        )
    )
    key = func.concat("recovery_receipt:", RecoveryReceipt.id, ":received")
    statement = select(key, RecoveryReceipt.bank_reference).where(key.in_(entries))
    return {source_key: bank_reference for source_key, bank_reference in db.session.execute(statement)}


def _lines(lines: Sequence[Disbursement], marked: Marks, with_call: bool) -> Table:
    columns = (
        *(Column("Entry", of=Thing.ENTRY), Column("Executed", DATE), Column("Order", share=3, of=Thing.ORDER)),
        *([Column("Call", share=3, of=Thing.CALL)] if with_call else []),
        *(Column("Grant", share=3, of=Thing.GRANT), Column("Beneficiary", share=4), Column("Kind", share=3)),
        *(Column("Requested", DATE), Column("Authorised", DATE), Column("Bank list or reference", share=3)),
        *(Column("Amount", MONEY), Column("Remark", share=2), Column(SYNTHETIC)),
    )
    rows: list[tuple[Cell, ...]] = [
        (
            *(line.entry, line.executed_on, line.order),
            *((line.call,) if with_call else ()),
            *(line.grant, line.beneficiary, line.kind, line.requested_on, line.authorised_on, line.bank_reference),
            *(line.amount, line.remark or None, marked.of(line.grant_id)),
        )
        for line in lines
    ]
    return with_totals("Disbursements", columns, rows)


_SUMS = (
    Column("Payments", NUMBER),
    Column("Paid out", MONEY),
    Column("Came back", MONEY),
    Column("Net", MONEY, accounts=BANK),
)


def _sums(lines: Sequence[Disbursement]) -> tuple[Cell, ...]:
    out, back = _parted(lines)
    return (sum(line.amount > ZERO for line in lines), out, back, out + back)


def _grouped(lines: Sequence[Disbursement], key: str) -> dict[str, list[Disbursement]]:
    found: dict[str, list[Disbursement]] = {}
    for line in lines:
        found.setdefault(getattr(line, key) or "–", []).append(line)
    return dict(sorted(found.items()))


def _by_call(lines: Sequence[Disbursement], calls: Sequence[Call]) -> Table:
    own = _grouped(lines, "call")
    rows = [(call.reference, call.title, *_sums(own.get(call.reference, []))) for call in calls]
    return with_totals("By call", (Column("Call", share=3, of=Thing.CALL), Column("Title", share=6), *_SUMS), rows)


def _by_grant(lines: Sequence[Disbursement]) -> Table:
    rows = [(grant, own[0].pilot, own[0].beneficiary, *_sums(own)) for grant, own in _grouped(lines, "grant").items()]
    columns = (Column("Grant", share=3, of=Thing.GRANT), Column("Pilot", share=4), Column("Beneficiary", share=4))
    return with_totals("By grant", (*columns, *_SUMS), rows)


def _by_kind(lines: Sequence[Disbursement]) -> Table:
    rows = [(kind, *_sums(own)) for kind, own in _grouped(lines, "kind").items()]
    return with_totals("By kind", (Column("Kind", share=6), *(replace(each, accounts=()) for each in _SUMS)), rows)


def _checks(place: Place, known: Known, lines: Sequence[Disbursement]) -> list[Check]:
    """The same sums by the ledger's balances, by the budget, and by the orders themselves, grant by grant."""
    net = total(line.amount for line in lines)
    bank = movements.moved(place, Account.BANK, known)
    beside = _beside(place, known, bank)
    paid = movements.moved(place, Account.CONSUMED, known)
    by_grant: dict[UUID | None, Money] = {}
    for line in lines:
        by_grant[line.grant_id] = by_grant.get(line.grant_id, ZERO) + line.amount
    for grant_id in sorted({*bank, *by_grant, *paid, *beside}, key=str):
        name = f"the grant {grant_id}" if grant_id else "no grant"
        there = paid.get(grant_id, ZERO) + beside.get(grant_id, ZERO)
        for where, amount in (
            ("its bank movements", -bank.get(grant_id, ZERO)),
            (f"Paid in its statement{_apart(beside.get(grant_id, ZERO))}", there),
        ):
            check = Check(f"Net paid to {name}", by_grant.get(grant_id, ZERO), where, amount)
            if not check.agrees:
                return [check]
    grants, apart = len([each for each in by_grant if each]), total(beside.values())
    return [
        Check("Control total", net, "the movement of account 1000 Bank in the ledger", -total(bank.values())),
        Check(
            "Control total",
            net,
            "the movement of account B400 Consumed, which is Paid in overview and grant statements" + _apart(apart),
            total(paid.values()) + apart,
        ),
        Check("Control total", net, ON_PAPER + _apart(apart), paid_by_orders(place, known) + apart),
        Check(
            f"Net paid, summed over {grants} {'grant' if grants == 1 else 'grants'} one by one",
            total(by_grant.values()),
            "each grant’s own bank movements",
            -total(bank.values()),
        ),
    ]


def _beside(place: Place, known: Known, bank: Mapping[UUID | None, Money]) -> dict[UUID | None, Money]:
    """What the bank moved for each grant beside what is Paid of it: interest and receipts that are not of it, less what was
    set off or told later without cash, and less what came back once it was closed.
    """
    paid = paid_by_bank(place, known)
    return {grant_id: -bank.get(grant_id, ZERO) - paid.get(grant_id, ZERO) for grant_id in {*bank, *paid}}


def _apart(amount: Money) -> str:
    """What the register lists beside Paid, in words; nothing where it lists the same."""
    return (
        f", and {amount} beside it: interest, what was set off, told later, or came back for a closed grant"
        if amount
        else ""
    )
