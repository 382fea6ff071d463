"""Reads of payments: the inbox of the circuit, one request, one order, one list, a grant's payments, and who must do what."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, Select, func, select, tuple_, type_coerce

from grants.agreements import queries as agreements
from grants.agreements.models import BankAccount, Grant
from grants.agreements.rules import GrantView
from grants.agreements.states import BankAccountState, PaymentKind
from grants.core import clock, files
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.errors import NotFound, Problem
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger import rules as ledger_rules
from grants.ledger.rules import Balances
from grants.payments import rules
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.rules import (
    AccountLine,
    BatchView,
    Decision,
    LedgerAsk,
    Limits,
    MoneyPosition,
    OrderView,
    RequestView,
    SignatureView,
)
from grants.payments.states import BEFORE_EXPORT, DECIDED, OrderState, RequestState, Step
from grants.reporting.models import PeriodicReport

INBOX_ROWS = 50
ROWS_MAX = 200
OPEN_ORDERS = (*BEFORE_EXPORT, OrderState.EXPORTED)

P = Permission


# --- Requests -------------------------------------------------------------------------------------------------------


def request_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind a request's reference; raises :class:`NotFound` where the person may not know it."""
    return _request_row(actor, reference, P.PAYMENT_ORDER_READ).id


def request(actor: Actor, reference: str) -> RequestView:
    """One request for the people of the circuit, in a constant number of statements; raises :class:`NotFound`."""
    return _requests([_request_row(actor, reference, P.PAYMENT_ORDER_READ)])[0]


def _request_row(actor: Actor, reference: str, permission: Permission) -> PaymentRequest:
    found = db.session.scalars(
        select(PaymentRequest)
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(PaymentRequest.reference == reference, agreements.visible(actor, permission))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def forecast(actor: Actor, reference: str) -> tuple[MoneyPosition, Decision]:
    """Where the grant stands now, and what approving the whole request would pay, retain and clear.

    Raises :class:`NotFound`, and :class:`Refused` with the rule where the whole cannot be approved.
    """
    row = _request_row(actor, reference, P.PAYMENT_ORDER_READ)
    grant = db.session.scalars(select(Grant).where(Grant.id == row.grant_id)).one()
    found, limits = books.of(grant_id=grant.id), limits_of(grant)
    return rules.position(found, limits), rules.decide(PaymentKind(row.kind), found, limits, row.requested)


def limits_of(grant: Grant) -> Limits:
    """What the agreement allows."""
    return Limits(grant.maximum, grant.interim_ceiling, grant.prefinancing, grant.retention)


def _requests(rows: Sequence[PaymentRequest]) -> tuple[RequestView, ...]:
    """Requests as frozen values, in five statements however many there are."""
    grants = _by_id(Grant, {row.grant_id for row in rows})
    reports = _by_id(PeriodicReport, {row.report_id for row in rows if row.report_id})
    names = identity.organisations({grant.coordinator_id for grant in grants.values()})
    people = identity.people({row.decided_by for row in rows if row.decided_by})
    sums = _order_sums({row.id for row in rows})
    return tuple(
        RequestView(
            id=row.id,
            version=row.version,
            reference=row.reference,
            number=row.number,
            kind=PaymentKind(row.kind),
            state=RequestState(row.state),
            grant_id=row.grant_id,
            grant_reference=grants[row.grant_id].reference,
            acronym=grants[row.grant_id].acronym or grants[row.grant_id].title,
            payee=names[grants[row.grant_id].coordinator_id].name,
            report_reference=reports[row.report_id].reference if row.report_id else None,
            report_number=reports[row.report_id].number if row.report_id else None,
            report_accepted_on=_accepted_on(reports.get(row.report_id) if row.report_id else None),
            requested=row.requested,
            submitted_at=row.submitted_at,
            due_on=row.due_on,
            decided_at=row.decided_at,
            decided_by=people[row.decided_by].name if row.decided_by else None,
            decision_reason=row.decision_reason,
            decision=_decision(row),
            ordered=sums[row.id][0],
            executed=sums[row.id][1],
        )
        for row in rows
    )


def _decision(row: PaymentRequest) -> Decision | None:
    if row.approved is None or row.payable is None:
        return None
    return Decision(
        row.approved,
        row.payable,
        row.retained or ZERO,
        row.cleared or ZERO,
        row.deferred or ZERO,
        row.recoverable or ZERO,
    )


def _accepted_on(report: PeriodicReport | None) -> date | None:
    return clock.in_zone(report.decided_at).date() if report and report.decided_at else None


def _order_sums(request_ids: Iterable[UUID]) -> dict[UUID, tuple[Money, Money]]:
    """What is in live orders and what was executed, for each request."""
    ids = list(request_ids)
    found: dict[UUID, tuple[Money, Money]] = {request_id: (ZERO, ZERO) for request_id in ids}
    statement = select(PaymentOrder.request_id, PaymentOrder.amount, PaymentOrder.state).where(
        PaymentOrder.request_id.in_(ids), PaymentOrder.state != OrderState.CANCELLED.value
    )
    for request_id, amount, state in db.session.execute(statement):
        ordered, executed = found[request_id]
        found[request_id] = (ordered + amount, executed + amount if state == OrderState.EXECUTED.value else executed)
    return found


def _by_id(model: Any, ids: Iterable[UUID]) -> dict[UUID, Any]:
    wanted = set(ids)
    if not wanted:
        return {}
    return {row.id: row for row in db.session.scalars(select(model).where(model.id.in_(wanted)))}


# --- Orders ---------------------------------------------------------------------------------------------------------


def order_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind an order's reference; raises :class:`NotFound` where the person may not know it."""
    found = db.session.scalar(
        _visible_orders(actor, select(PaymentOrder.id)).where(PaymentOrder.reference == reference)
    )
    if found is None:
        raise NotFound
    return found


def order_ids_of(actor: Actor, references: Sequence[str]) -> tuple[UUID, ...]:
    """The ids behind references; raises :class:`NotFound` when one is not there for this person."""
    statement = _visible_orders(actor, select(PaymentOrder.id)).where(PaymentOrder.reference.in_(references))
    found = tuple(db.session.scalars(statement.order_by(PaymentOrder.id)))
    if len(found) != len(set(references)):
        raise NotFound
    return found


def order(actor: Actor, reference: str) -> OrderView:
    """One order with its circuit, in a constant number of statements; raises :class:`NotFound`."""
    row = db.session.scalars(
        _visible_orders(actor, select(PaymentOrder)).where(PaymentOrder.reference == reference)
    ).one_or_none()
    if row is None:
        raise NotFound
    return _orders([row])[0]


def _visible_orders(actor: Actor, statement: Select[Any]) -> Select[Any]:
    return statement.join(Grant, Grant.id == PaymentOrder.grant_id).where(
        agreements.visible(actor, P.PAYMENT_ORDER_READ)
    )


def _orders(rows: Sequence[PaymentOrder]) -> tuple[OrderView, ...]:
    """Orders as frozen values, in nine statements however many there are."""
    requests = _by_id(PaymentRequest, {row.request_id for row in rows})
    reports = _by_id(PeriodicReport, {each.report_id for each in requests.values() if each.report_id})
    grants = _by_id(Grant, {row.grant_id for row in rows})
    accounts = _by_id(BankAccount, {row.bank_account_id for row in rows})
    batches = _by_id(PaymentBatch, {row.batch_id for row in rows if row.batch_id})
    names = identity.organisations({row.payee_id for row in rows})
    signatures = _signatures([row.id for row in rows])
    paid = _times_paid({row.bank_account_id for row in rows})
    return tuple(
        _order_view(
            row,
            requests[row.request_id],
            reports.get(requests[row.request_id].report_id),
            grants[row.grant_id],
            _account_line(accounts[row.bank_account_id], paid.get(row.bank_account_id, 0)),
            names[row.payee_id].name,
            batches[row.batch_id].reference if row.batch_id else None,
            tuple(signatures.get(row.id, ())),
        )
        for row in rows
    )


def _order_view(
    row: PaymentOrder,
    asked: PaymentRequest,
    report: PeriodicReport | None,
    grant: Grant,
    account: AccountLine,
    payee: str,
    batch_reference: str | None,
    signatures: tuple[SignatureView, ...],
) -> OrderView:
    return OrderView(
        id=row.id,
        version=row.version,
        reference=row.reference,
        state=OrderState(row.state),
        amount=row.amount,
        due_on=row.due_on,
        request_reference=asked.reference,
        kind=PaymentKind(asked.kind),
        report_number=report.number if report else None,
        report_accepted_on=_accepted_on(report),
        grant_id=grant.id,
        grant_reference=grant.reference,
        acronym=grant.acronym or grant.title,
        payee=payee,
        payee_id=row.payee_id,
        account=account,
        prepared_by=row.prepared_by,
        verified_by=row.verified_by,
        authorised_by=row.authorised_by,
        exported_by=row.exported_by,
        executed_by=row.executed_by,
        batch_reference=batch_reference,
        value_on=row.value_on,
        cancel_reason=row.cancel_reason,
        signatures=signatures,
    )


def _account_line(account: BankAccount, paid_before: int) -> AccountLine:
    return AccountLine(
        masked=f"{account.iban[:4]} •••• {account.iban[-4:]}",
        holder=account.holder,
        entered_by=account.entered_by,
        confirmed_by=account.confirmed_by,
        stands=account.state == BankAccountState.CONFIRMED.value,
        paid_before=paid_before,
    )


def _signatures(order_ids: Sequence[UUID]) -> dict[UUID, list[SignatureView]]:
    rows = db.session.scalars(
        select(PaymentOrderSignature)
        .where(PaymentOrderSignature.order_id.in_(order_ids))
        .order_by(PaymentOrderSignature.signed_at, PaymentOrderSignature.id)
    ).all()
    # Steps taken in one moment (a test, the demo) stand in the order of the circuit.
    rows = sorted(rows, key=lambda row: (row.signed_at, list(Step).index(Step(row.step))))
    people = identity.people({row.user_id for row in rows})
    found: dict[UUID, list[SignatureView]] = {}
    for row in rows:
        found.setdefault(row.order_id, []).append(
            SignatureView(
                Step(row.step),
                row.user_id,
                people[row.user_id].name,
                row.signed_at,
                row.amount,
                row.note,
                row.voided_at,
                row.voided_why,
            )
        )
    return found


def _times_paid(account_ids: Iterable[UUID]) -> dict[UUID, int]:
    statement = (
        select(PaymentOrder.bank_account_id, func.count())
        .where(PaymentOrder.bank_account_id.in_(list(account_ids)), PaymentOrder.state == OrderState.EXECUTED.value)
        .group_by(PaymentOrder.bank_account_id)
    )
    return {account_id: int(count) for account_id, count in db.session.execute(statement)}


# --- Batches --------------------------------------------------------------------------------------------------------


def batch_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind a batch's reference; raises :class:`NotFound` where the person may not know it."""
    return _batch_row(actor, reference).id


def batch(actor: Actor, reference: str) -> BatchView:
    """One list of orders that left together; raises :class:`NotFound`."""
    return batch_view(_batch_row(actor, reference))


def batches(actor: Actor, *, limit: int = 20) -> tuple[tuple[str, datetime, int, Money], ...]:
    """Reference, moment, number of orders and total of the newest lists the person may see."""
    mine = _visible_orders(actor, select(PaymentOrder.batch_id)).where(PaymentOrder.batch_id.is_not(None))
    rows = db.session.scalars(
        select(PaymentBatch)
        .where(PaymentBatch.id.in_(mine.scalar_subquery()))
        .order_by(PaymentBatch.exported_at.desc(), PaymentBatch.reference.desc())
        .limit(limit)
    )
    return tuple((row.reference, row.exported_at, row.orders, row.total) for row in rows)


def batch_view(row: PaymentBatch) -> BatchView:
    """A batch as a frozen value; who may see it was decided by the caller."""
    orders = db.session.scalars(
        select(PaymentOrder).where(PaymentOrder.batch_id == row.id).order_by(PaymentOrder.reference)
    ).all()
    return BatchView(
        id=row.id,
        reference=row.reference,
        exported_at=row.exported_at,
        exported_by=identity.person(row.exported_by).name,
        orders=_orders(orders),
        total=row.total,
        file_name=files.view(row.file_id).name if row.file_id else None,
        file_sha256=row.file_sha256,
    )


def _batch_row(actor: Actor, reference: str) -> PaymentBatch:
    """A batch all of whose orders the person may see."""
    row = db.session.scalars(select(PaymentBatch).where(PaymentBatch.reference == reference)).one_or_none()
    if row is None:
        raise NotFound
    seen = db.session.scalar(
        _visible_orders(actor, select(func.count(PaymentOrder.id))).where(PaymentOrder.batch_id == row.id)
    )
    if seen != row.orders:
        raise NotFound
    return row


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """An account in full, for the list the accounting officer hands to the bank."""

    holder: str
    iban: str
    bic: str | None


def account_numbers(order_ids: Sequence[UUID]) -> dict[UUID, AccountNumber]:
    """The full accounts of orders, for the list only."""
    statement = select(PaymentOrder.id, BankAccount.holder, BankAccount.iban, BankAccount.bic).join(
        BankAccount, BankAccount.id == PaymentOrder.bank_account_id
    )
    return {
        order_id: AccountNumber(holder, iban, bic)
        for order_id, holder, iban, bic in db.session.execute(statement.where(PaymentOrder.id.in_(order_ids)))
    }


# --- The inbox ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One thing on its way to payment: a request or an order, what it waits for, and whether this person may do it."""

    reference: str
    request: RequestView | None
    order: OrderView | None
    due_on: date
    amount: Money
    deed: str
    yours: bool
    locked: str | None

    @property
    def thing(self) -> RequestView | OrderView:
        """The request or the order."""
        found = self.order or self.request
        assert found is not None, "a row is one of the two"
        return found


@dataclass(frozen=True, slots=True)
class Inbox:
    """Open requests and orders by due day; ``next_key`` leads to the later ones."""

    rows: tuple[InboxRow, ...]
    next_key: str | None
    count: int
    total: Money


def inbox(actor: Actor, *, after: str | None = None, limit: int = INBOX_ROWS) -> Inbox:
    """What is on its way to payment and visible to this person, earliest due day first.

    A constant number of statements. Requests wait for a decision or an order, orders for the next of four people.
    """
    asked = _open_requests(actor)
    waiting = _visible_orders(actor, select(PaymentOrder)).where(
        PaymentOrder.state.in_([state.value for state in OPEN_ORDERS])
    )
    counted = [
        (reference, Money(int(amount)))
        for statement in (
            asked.with_only_columns(PaymentRequest.reference, _to_pay(PaymentRequest)),
            waiting.with_only_columns(PaymentOrder.reference, _cents(PaymentOrder.amount)),
        )
        for reference, amount in db.session.execute(statement)
    ]
    requests = db.session.scalars(_paged(asked, PaymentRequest, after, limit)).all()
    orders = db.session.scalars(_paged(waiting, PaymentOrder, after, limit)).all()
    rows = [
        *(_request_line(actor, each) for each in _requests(requests)),
        *(_order_line(actor, each) for each in _orders(orders)),
    ]
    rows = sorted(rows, key=lambda row: (row.due_on, row.reference))
    shown = rows[:limit]
    last = shown[-1] if len(rows) > limit else None
    return Inbox(
        tuple(shown),
        f"{last.due_on.isoformat()}.{last.reference}" if last else None,
        len(counted),
        total(amount for _, amount in counted),
    )


def _open_requests(actor: Actor) -> Select[Any]:
    """Requests that wait for a decision, or are payable and not yet wholly in orders."""
    undecided = PaymentRequest.state == RequestState.SUBMITTED.value
    owed = PaymentRequest.state.in_([state.value for state in DECIDED]) & (_to_pay(PaymentRequest) > 0)
    return (
        select(PaymentRequest)
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(agreements.visible(actor, P.PAYMENT_ORDER_READ), undecided | owed)
    )


def _to_pay(row: type[PaymentRequest]) -> ColumnElement[Any]:
    """Requested while undecided; afterwards what is payable and in no live order."""
    ordered = (
        select(func.coalesce(func.sum(_cents(PaymentOrder.amount)), 0))
        .where(PaymentOrder.request_id == row.id, PaymentOrder.state != OrderState.CANCELLED.value)
        .scalar_subquery()
    )
    return func.coalesce(_cents(row.payable) - ordered, _cents(row.requested))


def _cents(amount: Any) -> ColumnElement[int]:
    """As a plain number: sums come back wider than the column."""
    return type_coerce(amount, BigInteger)


def _paged(statement: Select[Any], model: Any, after: str | None, limit: int) -> Select[Any]:
    day, _, reference = (after or "").partition(".")
    try:
        key = (date.fromisoformat(day), reference)
    except ValueError:
        key = None
    if key is not None:
        statement = statement.where(tuple_(model.due_on, model.reference) > tuple_(*key))
    return statement.order_by(model.due_on, model.reference).limit(limit + 1)


def _request_line(actor: Actor, found: RequestView) -> InboxRow:
    if found.is_open:
        return InboxRow(
            found.reference, found, None, found.due_on, found.requested, "decide", actor.can(P.PAYMENT_REQUEST_DECIDE), None
        )  # fmt: skip
    return InboxRow(
        found.reference, found, None, found.due_on, found.to_order, "prepare", actor.can(P.PAYMENT_ORDER_PREPARE), None
    )


_DEEDS = {
    OrderState.PREPARED: ("verify", P.PAYMENT_ORDER_VERIFY),
    OrderState.VERIFIED: ("authorise", P.PAYMENT_ORDER_AUTHORISE),
    OrderState.AUTHORISED: ("export", P.PAYMENT_ORDER_EXECUTE),
    OrderState.EXPORTED: ("execute", P.PAYMENT_ORDER_EXECUTE),
}


def _order_line(actor: Actor, found: OrderView) -> InboxRow:
    deed, permission = _DEEDS[found.state]
    locked = rules.lock_of(found, actor.user_id)
    yours = actor.can(permission) and locked is None
    return InboxRow(found.reference, None, found, found.due_on, found.amount, deed, yours, locked)


# --- A grant's payments ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class GrantPayments:
    """The payments page of a grant: where its money stands, its schedule, requests and orders."""

    grant: GrantView
    position: MoneyPosition
    requests: tuple[RequestView, ...]
    orders: tuple[OrderView, ...]


def grant_payments(actor: Actor, reference: str) -> GrantPayments:
    """A grant's payments for everybody who may read its agreement; raises :class:`NotFound`."""
    grant = agreements.grant(actor, reference)
    requests = db.session.scalars(
        select(PaymentRequest).where(PaymentRequest.grant_id == grant.id).order_by(PaymentRequest.number)
    ).all()
    orders = db.session.scalars(
        select(PaymentOrder).where(PaymentOrder.grant_id == grant.id).order_by(PaymentOrder.reference).limit(ROWS_MAX)
    ).all()
    limits = Limits(grant.maximum, grant.limits.interim_ceiling, grant.limits.prefinancing, grant.limits.retention)
    return GrantPayments(
        grant, rules.position(books.of(grant_id=grant.id), limits), _requests(requests), _orders(orders)
    )


def money_of(grant_ids: Sequence[UUID]) -> dict[UUID, Balances]:
    """The balances of grants, for pages that list them."""
    return books.grants_balances(grant_ids)


# --- Duties and checks ----------------------------------------------------------------------------------------------


def duties(actor: Actor, at: datetime) -> tuple[Duty, ...]:
    """What this person must do so that money is paid: decide, prepare, verify, authorise, export, book; or give an account."""
    found: list[Duty] = []
    if actor.can(P.PAYMENT_ORDER_READ):
        found += [_duty(row) for row in inbox(actor, limit=ROWS_MAX).rows if row.yours]
    if actor.can(P.PAYMENT_REQUEST_SUBMIT) and actor.can(P.BANK_ACCOUNT_ENTER):
        found += _account_duties(actor)
    return tuple(found)


_BUTTONS = {
    "decide": ("Decide", "Look at the request"),
    "prepare": ("Prepare the order for", "Prepare the order"),
    "verify": ("Verify the order for", "Verify"),
    "authorise": ("Authorise the order for", "Authorise"),
    "export": ("Export the order for", "Open the order"),
    "execute": ("Mark as executed the order for", "Enter the value date"),
}


def _duty(row: InboxRow) -> Duty:
    verb, button = _BUTTONS[row.deed]
    thing = row.thing
    endpoint = "payments.order" if row.order else "payments.request_page"
    subject = "the request of" if row.deed == "decide" else ""
    return Duty(
        " ".join(f"{verb} {subject} {thing.acronym}".split()),
        f"{thing.reason}, {row.amount}, {thing.payee}",
        button,
        endpoint,
        {"ref": row.reference},
        due_at=clock.local_to_utc(datetime.combine(row.due_on, datetime.max.time().replace(microsecond=0)), clock.BRUSSELS),
    )  # fmt: skip


def _account_duties(actor: Actor) -> list[Duty]:
    """Money is approved and the coordinator has no account it could be paid to."""
    confirmed = select(BankAccount.organisation_id).where(BankAccount.state == BankAccountState.CONFIRMED.value)
    proposed = select(BankAccount.organisation_id).where(BankAccount.state == BankAccountState.PROPOSED.value)
    statement = (
        select(Grant.reference, func.coalesce(Grant.acronym, Grant.title))
        .join(PaymentRequest, PaymentRequest.grant_id == Grant.id)
        .where(
            agreements.visible(actor, P.BANK_ACCOUNT_ENTER),
            PaymentRequest.state.in_([state.value for state in (RequestState.SUBMITTED, *DECIDED)]),
            Grant.coordinator_id.not_in(confirmed),
            Grant.coordinator_id.not_in(proposed),
        )
        .distinct()
        .order_by(Grant.reference)
        .limit(20)
    )
    return [
        Duty(
            f"Give a bank account for {name}",
            f"{reference}: a payment waits and there is no account to pay it to.",
            "Enter the account",
            "agreements.account",
            {"ref": reference},
        )
        for reference, name in db.session.execute(statement)
    ]


def count_orders() -> int:
    """How many payment orders there are, cancelled ones included."""
    return db.session.scalar(select(func.count()).select_from(PaymentOrder)) or 0


def paid_total() -> Money:
    """The sum of all executed orders."""
    return total(db.session.scalars(select(PaymentOrder.amount).where(PaymentOrder.state == OrderState.EXECUTED.value)))


def verify() -> tuple[Problem, ...]:
    """I8, I12 and I15 over all requests and orders; empty is right. Assembled with the ledger's own checks in oversight."""
    found: list[Problem] = []
    rows = db.session.scalars(select(PaymentOrder).order_by(PaymentOrder.reference)).all()
    for start in range(0, len(rows), ROWS_MAX):
        for view in _orders(rows[start : start + ROWS_MAX]):
            found += rules.circuit_problems(view)
    found += _unbooked(rows)
    found += _over_ceiling()
    return tuple(found)


def _unbooked(rows: Sequence[PaymentOrder]) -> list[Problem]:
    """I12: every order that left is booked as sent, every executed one as booked, and no other."""
    expected = set()
    for row in rows:
        if row.state in {OrderState.EXPORTED.value, OrderState.EXECUTED.value}:
            expected.add(f"payment_order:{row.id}:sent")
        if row.state == OrderState.EXECUTED.value:
            expected.add(f"payment_order:{row.id}:booked")
    booked = set(books.source_keys("payment_order:"))
    names = {str(row.id): row.reference for row in rows}
    return [
        Problem(names.get(key.split(":")[1], key), "I12: what the ledger booked is not what the order says.")
        for key in sorted(expected ^ booked)
    ]


def _over_ceiling() -> list[Problem]:
    """I8: before the balance nothing above the ceiling of a grant."""
    grants = db.session.scalars(
        select(Grant).where(Grant.in_force_at.is_not(None), Grant.final_amount.is_(None)).order_by(Grant.reference)
    ).all()
    balances = books.grants_balances([grant.id for grant in grants])
    return [
        problem
        for grant in grants
        for problem in ledger_rules.ceiling_problems(grant.reference, balances[grant.id], ceiling=grant.interim_ceiling)
    ]


# --- The ledger's pages ---------------------------------------------------------------------------------------------

CSV_ROWS_MAX = 5_000


@dataclass(frozen=True, slots=True)
class GrantName:
    """How a page names a grant in a list."""

    reference: str
    acronym: str


@dataclass(frozen=True, slots=True)
class LedgerPage:
    """Entries with the names of their grants; ``unknown_grant`` says that a filter named none."""

    page: books.EntryPage
    grants: dict[UUID, GrantName]
    unknown_grant: bool


def ledger(actor: Actor, asked: LedgerAsk, *, after: str | None = None, limit: int = books.PAGE_ENTRIES) -> LedgerPage:
    """The journal as this person may see it, newest first, with running balance where one account is asked for."""
    grant_id, unknown = None, False
    if asked.grant_reference:
        try:
            grant_id = agreements.id_of(actor, asked.grant_reference)
        except NotFound:
            unknown = True
    by_name = tuple(row.id for row in agreements.grants(actor, search=asked.text)) if asked.text else ()
    narrowed = books.EntryFilter(
        account=asked.account,
        event=asked.event,
        grant_id=grant_id,
        effective_from=asked.from_on,
        effective_before=clock.add_days(asked.to_on, 1) if asked.to_on else None,
        text=asked.text,
        text_grant_ids=by_name,
    )
    if unknown:
        return LedgerPage(books.EntryPage((), None, narrowed), {}, True)
    found = books.entries(actor, narrowed, after=after, limit=limit)
    return LedgerPage(found, _grant_names({each for row in found.rows for each in row.grant_ids}), False)


def _grant_names(grant_ids: Iterable[UUID]) -> dict[UUID, GrantName]:
    return {
        grant_id: GrantName(grant.reference, grant.acronym or grant.title)
        for grant_id, grant in _by_id(Grant, grant_ids).items()
    }


def ledger_lines(actor: Actor, asked: LedgerAsk) -> Iterator[Sequence[object]]:
    """The same list as rows for a CSV, at most 5,000."""
    found = ledger(actor, asked, limit=CSV_ROWS_MAX)
    yield ("entry", "date", "event", "what", "grant", "amount_eur", "moved_eur", "balance_eur")
    for row in found.page.rows:
        names = "; ".join(found.grants[each].reference for each in row.grant_ids if each in found.grants)
        yield (row.ref, row.effective_on, row.event.value, row.description, names, row.amount, row.moved, row.balance)


@dataclass(frozen=True, slots=True)
class EntryPage:
    """One entry with everything a page names: grants, organisations, people, and the document behind it."""

    entry: books.EntryView
    grants: dict[UUID, GrantName]
    organisations: dict[UUID, str]
    people: dict[UUID, str]
    request: RequestView | None
    order: OrderView | None


def ledger_entry(actor: Actor, ref: str) -> EntryPage:
    """One entry of the journal, its documents, acts and people; raises :class:`NotFound`."""
    found = books.entry(actor, ref)
    organisations = identity.organisations({leg.dims.organisation_id for leg in found.legs if leg.dims.organisation_id})
    people = identity.people({line.user_id for line in found.acts if line.user_id})
    documents = {leg.dims.document_id for leg in found.legs if leg.dims.document_id}
    orders = _orders(list(_by_id(PaymentOrder, documents).values()))
    requests = _requests(list(_by_id(PaymentRequest, documents).values()))
    return EntryPage(
        entry=found,
        grants=_grant_names({leg.dims.grant_id for leg in found.legs if leg.dims.grant_id}),
        organisations={each: view.name for each, view in organisations.items()},
        people={each: person.name for each, person in people.items()},
        request=requests[0] if requests else None,
        order=orders[0] if orders else None,
    )
