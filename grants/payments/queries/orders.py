"""Reads of payment orders with their circuit, and of the accounts they go to."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements import rules as agreeing
from grants.agreements.models import BankAccount, Grant
from grants.agreements.rules import IN_CONFLICT, AccountView, PayeeAddress, WaitingRule
from grants.agreements.states import BankAccountState, PayeeMatch, PaymentKind
from grants.core import acts, clock
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.identity import queries as identity
from grants.payments import rules
from grants.payments.models import (
    BankImport,
    BankStatus,
    PaymentBatch,
    PaymentOrder,
    PaymentOrderSignature,
    PaymentRequest,
)
from grants.payments.queries.requests import by_id, evidence_of
from grants.payments.rules import (
    AccountLine,
    OrderView,
    SignatureView,
)
from grants.payments.rules.hands import Hands
from grants.payments.rules.returns import TOOK_FOR_SECOND, took_for_second
from grants.payments.states import CAME_BACK, OrderState, StatusOutcome, Step
from grants.reporting.models import PeriodicReport

ROWS_MAX = 200


def order_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind an order's reference; raises :class:`NotFound` where the person may not know it."""
    found = db.session.scalar(visible_orders(actor, select(PaymentOrder.id)).where(PaymentOrder.reference == reference))
    if found is None:
        raise NotFound
    return found


def order_ids_of(actor: Actor, references: Sequence[str]) -> tuple[UUID, ...]:
    """The ids behind references; raises :class:`NotFound` when one is not there for this person."""
    statement = visible_orders(actor, select(PaymentOrder.id)).where(PaymentOrder.reference.in_(references))
    found = tuple(db.session.scalars(statement.order_by(PaymentOrder.id)))
    if len(found) != len(set(references)):
        raise NotFound
    return found


def order(actor: Actor, reference: str) -> OrderView:
    """One order with its circuit, in a constant number of statements; raises :class:`NotFound`."""
    row = db.session.scalars(
        visible_orders(actor, select(PaymentOrder)).where(PaymentOrder.reference == reference)
    ).one_or_none()
    if row is None:
        raise NotFound
    return order_views([row])[0]


def lock_of(actor: Actor, order: OrderView, hands: Hands) -> str | None:
    """Why this person cannot take the next step of an order, or None; the act checks it again."""
    held = rules.lock_of(order, actor.user_id, hands)
    if held is None and agreements.in_conflict_with(actor, order.grant_id):
        return IN_CONFLICT
    return held


def why_gone(actor: Actor, references: Sequence[str]) -> tuple[str, ...]:
    """For each order that was ticked and can no longer be: who did what with it, and what comes next."""
    rows = db.session.scalars(
        visible_orders(actor, select(PaymentOrder))
        .where(PaymentOrder.reference.in_(references))
        .order_by(PaymentOrder.reference)
    ).all()
    deeds = identity.last_deeds("payment_order", [row.id for row in rows])
    found = []
    for row in rows:
        last, next_step = deeds.get(row.id), rules.order_next(OrderState(row.state))
        who = ""
        if last is not None:
            name = "you" if last.user_id == actor.user_id else last.name
            at = clock.in_zone(last.at)
            who = f"{name} {acts.words(last.verb, row.reference)} on {clock.long_date(at.date())}, {at:%H:%M}. "
        found.append(f"{row.reference}: {who}{next_step}")
    return tuple(found)


def visible_orders(actor: Actor, statement: Select[Any]) -> Select[Any]:
    return statement.join(Grant, Grant.id == PaymentOrder.grant_id).where(
        agreements.visible(actor, Permission.PAYMENT_ORDER_READ)
    )


@reader
def order_views(rows: Sequence[PaymentOrder]) -> Asking[tuple[OrderView, ...]]:
    """Orders as frozen values, in two statements however many there are."""
    if not rows:
        return ()
    about: list[Asking[Any]] = [
        _requests_and_reports({row.request_id for row in rows}),
        by_id.asking(Grant, {row.grant_id for row in rows}),
        by_id.asking(BankAccount, {row.bank_account_id for row in rows}),
        by_id.asking(PaymentBatch, {row.batch_id for row in rows if row.batch_id}),
        identity.organisations.asking({row.payee_id for row in rows}),
        _signatures([row.id for row in rows]),
        times_paid.asking({row.bank_account_id for row in rows}),
        _accounts_about(rows),
        _reissues(rows),
    ]
    found = yield from side_by_side(about)
    (requests, reports), grants, accounts, batches, names, signatures, paid, told, reissues = found
    return tuple(
        _order_view(
            row,
            requests[row.request_id],
            reports.get(requests[row.request_id].report_id),
            grants[row.grant_id],
            _account_line(
                row, accounts[row.bank_account_id], grants[row.grant_id], paid.get(row.bank_account_id, NEVER), told
            ),
            names[row.payee_id].name,
            batches[row.batch_id].reference if row.batch_id else None,
            tuple(signatures.get(row.id, ())),
            *reissues,
        )
        for row in rows
    )


def _reissues(rows: Sequence[PaymentOrder]) -> Asking[tuple[dict[UUID, str], dict[UUID, str]]]:
    """What orders issue again, by the id of that one, and as what those that came back are issued again."""
    came_back = [row.id for row in rows if OrderState(row.state) in CAME_BACK]
    wanted = [row.reissue_of for row in rows if row.reissue_of]
    if not came_back and not wanted:
        return {}, {}
    asked = select(PaymentOrder.id, PaymentOrder.reference, PaymentOrder.reissue_of, PaymentOrder.state).where(
        PaymentOrder.id.in_(wanted) | PaymentOrder.reissue_of.in_(came_back)
    )
    again: dict[UUID, str] = {}
    issued: dict[UUID, str] = {}
    for order_id, reference, reissue_of, state in (yield from ask(asked)):
        again[order_id] = reference
        if reissue_of and state != OrderState.CANCELLED.value:
            issued[reissue_of] = reference
    return again, issued


def came_back(request_id: UUID) -> tuple[PaymentOrder, ...]:
    """The orders of a request that came back, that no other issues again and nobody let go: their money is still here. One
    statement."""
    again = aliased(PaymentOrder)
    issued = exists().where(again.reissue_of == PaymentOrder.id, again.state != OrderState.CANCELLED.value)
    statement = select(PaymentOrder).where(
        PaymentOrder.request_id == request_id,
        PaymentOrder.state.in_([state.value for state in CAME_BACK]),
        PaymentOrder.let_go_on.is_(None),
        ~issued.correlate(PaymentOrder),
    )
    return tuple(db.session.scalars(statement.order_by(PaymentOrder.reference)))


def _requests_and_reports(request_ids: Collection[UUID]) -> Asking[tuple[dict[UUID, Any], dict[UUID, Any]]]:
    requests = yield from by_id.asking(PaymentRequest, request_ids)
    reports = yield from by_id.asking(PeriodicReport, {each.report_id for each in requests.values() if each.report_id})
    return requests, reports


def _order_view(
    row: PaymentOrder,
    asked: PaymentRequest,
    report: PeriodicReport | None,
    grant: Grant,
    account: AccountLine,
    payee: str,
    batch_reference: str | None,
    signatures: tuple[SignatureView, ...],
    again: Mapping[UUID, str],
    issued: Mapping[UUID, str],
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
        evidence=evidence_of(report),
        grant_id=grant.id,
        grant_reference=grant.reference,
        acronym=grant.acronym or grant.title,
        call_id=grant.call_id,
        payee=payee,
        payee_id=row.payee_id,
        account=account,
        suspended_on=asked.suspended_on,
        prepared_by=row.prepared_by,
        verified_by=row.verified_by,
        authorised_by=row.authorised_by,
        sent_by=row.sent_by,
        executed_by=row.executed_by,
        batch_reference=batch_reference,
        value_on=row.value_on,
        cancel_reason=row.cancel_reason,
        came_back_on=row.came_back_on,
        bank_reason=row.bank_reason,
        reissue_of=again.get(row.reissue_of) if row.reissue_of else None,
        issued_as=issued.get(row.id),
        let_go=row.let_go_on is not None,
        signatures=signatures,
    )


@dataclass(frozen=True, slots=True)
class _AboutAccounts:
    """What is said of the accounts of a list of orders."""

    # Payees who had another confirmed account before these: by payee, the moments at which accounts were confirmed.
    confirmed: dict[UUID, list[datetime]]
    shared: dict[str, tuple[str, ...]]
    rules: dict[UUID, tuple[WaitingRule, ...]]


def _accounts_about(rows: Sequence[PaymentOrder]) -> Asking[_AboutAccounts]:
    orders = [row.id for row in rows]
    about: list[Asking[Any]] = [
        ask(
            select(BankAccount.organisation_id, BankAccount.confirmed_at).where(
                BankAccount.organisation_id.in_({row.payee_id for row in rows}), BankAccount.confirmed_at.is_not(None)
            )
        ),
        agreements.shared_with_accounts.asking({row.bank_account_id for row in rows}),
        agreements.waiting_rules.asking(
            select(Grant.call_id)
            .join(PaymentOrder, PaymentOrder.grant_id == Grant.id)
            .where(PaymentOrder.id.in_(orders))
        ),
    ]
    moments, shared, laid_down = yield from side_by_side(about)
    confirmed: dict[UUID, list[datetime]] = {}
    for organisation_id, at in moments:
        confirmed.setdefault(organisation_id, []).append(at)
    return _AboutAccounts(confirmed, shared, laid_down)


def _account_line(
    order: PaymentOrder, account: BankAccount, grant: Grant, paid: Paid, told: _AboutAccounts
) -> AccountLine:
    waits, changed, age = None, "", ""
    if account.confirmed_at is not None:
        now = clock.now()
        day = clock.in_zone(account.confirmed_at).date()
        rule = agreeing.rule_on(told.rules.get(grant.call_id, ()), day)
        first_day = agreeing.payable_from(account.confirmed_at, rule)
        waits = first_day if clock.in_zone(now).date() < first_day else None
        is_first = all(each >= account.confirmed_at for each in told.confirmed.get(account.organisation_id, ()))
        changed = agreeing.changed_words(account.confirmed_at, order.created_at, rule, is_first=is_first)
        age = agreeing.age_words(account.confirmed_at, now)
    match = PayeeMatch(account.payee_match).words if account.payee_match else ""
    return AccountLine(
        masked=agreeing.masked(account.iban),
        holder=account.holder,
        entered_by=account.entered_by,
        entered_at=account.entered_at,
        confirmed_by=account.confirmed_by,
        confirmed_at=account.confirmed_at,
        stands=account.state == BankAccountState.CONFIRMED.value,
        paid_before=paid.times,
        age=age,
        paid=agreeing.paid_words(paid.times, paid.last_on),
        waits_until=waits,
        changed=changed,
        shared=agreeing.shared_words(told.shared.get(account.iban, ())),
        match=f"{match} (“{account.payee_match_name}”)" if account.payee_match_name else match,
        address=agreements.address_of(account).line,
    )


def _signatures(order_ids: Sequence[UUID]) -> Asking[dict[UUID, list[SignatureView]]]:
    rows = yield from ask(
        select(PaymentOrderSignature)
        .where(PaymentOrderSignature.order_id.in_(order_ids))
        .order_by(PaymentOrderSignature.signed_at, PaymentOrderSignature.id)
    )
    # Steps taken in one moment (a test, the demo) stand in the order of the circuit.
    rows = sorted(rows, key=lambda row: (row.signed_at, list(Step).index(Step(row.step))))
    named = {person for row in rows for person in (row.user_id, row.stand_in_for) if person}
    people = yield from identity.people.asking(named)
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
                people[row.stand_in_for].name if row.stand_in_for else "",
                tuple(row.evidence or ()),
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class Paid:
    """How often an account was paid to, and the bank's day of the last time."""

    times: int
    last_on: date | None


NEVER = Paid(0, None)


@reader
def times_paid(account_ids: Iterable[UUID]) -> Asking[dict[UUID, Paid]]:
    """For each of these accounts that was ever paid to, how often and when last. One statement."""
    statement = (
        select(PaymentOrder.bank_account_id, func.count(), func.max(PaymentOrder.value_on))
        .where(PaymentOrder.bank_account_id.in_(list(account_ids)), PaymentOrder.state == OrderState.EXECUTED.value)
        .group_by(PaymentOrder.bank_account_id)
    )
    return {account_id: Paid(int(count), last_on) for account_id, count, last_on in (yield from ask(statement))}


def payments_to(accounts: Sequence[AccountView]) -> dict[UUID, str]:
    """For each of these accounts, in words, how often it was paid to; lent to the pages of agreements."""
    paid = times_paid([each.id for each in accounts]) if accounts else {}
    found = {each.id: paid.get(each.id, NEVER) for each in accounts}
    return {account_id: agreeing.paid_words(each.times, each.last_on) for account_id, each in found.items()}


@dataclass(frozen=True, slots=True)
class AccountNumber:
    """An account in full, for the list the accounting officer hands to the bank."""

    holder: str
    iban: str
    bic: str | None
    # Without town and country where the account was entered before they were asked for.
    address: PayeeAddress = field(default_factory=PayeeAddress)


def account_numbers(order_ids: Sequence[UUID]) -> dict[UUID, AccountNumber]:
    """The full accounts of orders, for the list only."""
    statement = select(PaymentOrder.id, BankAccount).join(BankAccount, BankAccount.id == PaymentOrder.bank_account_id)
    return {
        order_id: AccountNumber(account.holder, account.iban, account.bic, agreements.address_of(account))
        for order_id, account in db.session.execute(statement.where(PaymentOrder.id.in_(order_ids)))
    }


@dataclass(frozen=True, slots=True)
class StatusView:
    """What the bank said of an order in a report, and what came of it."""

    import_reference: str
    end_to_end_id: str
    order: str | None
    status: str
    reason: str
    outcome: StatusOutcome
    told_at: datetime

    @property
    def warning(self) -> str:
        """What else is to be known of it; empty where nothing is."""
        return TOOK_FOR_SECOND if self.outcome is StatusOutcome.NOTED and took_for_second(self.reason) else ""


def statuses_of(order_id: UUID) -> tuple[StatusView, ...]:
    """What the bank said of an order, the first word first. One statement."""
    return _statuses(BankStatus.order_id == order_id, BankStatus.told_at)


def statuses_in(actor: Actor, import_id: UUID) -> tuple[StatusView, ...]:
    """What a report says of the orders this person may see, and of identifiers that are none. One statement."""
    seen = visible_orders(actor, select(PaymentOrder.id))
    told = (BankStatus.import_id == import_id) & (BankStatus.order_id.is_(None) | BankStatus.order_id.in_(seen))
    return _statuses(told, BankStatus.end_to_end_id)


def _statuses(where: Any, by: Any) -> tuple[StatusView, ...]:
    rows = db.session.execute(
        select(BankStatus, BankImport.reference, PaymentOrder.reference)
        .join(BankImport, BankImport.id == BankStatus.import_id)
        .outerjoin(PaymentOrder, PaymentOrder.id == BankStatus.order_id)
        .where(where)
        .order_by(by, BankStatus.id)
        .limit(ROWS_MAX)
    )
    return tuple(
        StatusView(brought, row.end_to_end_id, order, row.status, row.reason, StatusOutcome(row.outcome), row.told_at)
        for row, brought, order in rows
    )
