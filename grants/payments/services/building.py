"""Acts by which orders are put into one file: built, made and checked, opened, discarded; sending is another module's."""

from __future__ import annotations

import io
import secrets
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import rules as agreeing
from grants.agreements.models import BankAccount, Grant
from grants.agreements.rules import PayeeAddress
from grants.agreements.services import refuse_conflicts
from grants.agreements.states import BankAccountState, PaymentKind
from grants.calls.models import Call
from grants.core import acts, clock, faults, files, jobs, references
from grants.core.acts import act
from grants.core.db import among, check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission
from grants.dossiers.rules import clean_text
from grants.identity import queries as identity
from grants.identity.rules import demand_fresh
from grants.payments import queries, rules
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentRequest
from grants.payments.rules import BatchSummary
from grants.payments.rules.pay_runs import (
    ORDERS_MAX,
    FileInput,
    FileLayout,
    FileLine,
    lines_of,
    refuse_past_day,
    run_of,
)
from grants.payments.rules.sepa.table import Finding
from grants.payments.rules.sepa.values import Layout, PayRun
from grants.payments.services import pain
from grants.payments.services.elsewhere import refuse_sent_elsewhere
from grants.payments.services.hands import refuse_hands
from grants.payments.services.holding import paid_costs_of
from grants.payments.services.locks import lock_grants, orders_locked, scope_of_batch
from grants.payments.services.orders import refuse_left_before
from grants.payments.services.own_accounts import paying_account
from grants.payments.services.stopping import refuse_orders_ahead
from grants.payments.states import BATCH, ORDER, BatchState, OrderState, Step
from grants.programmes.models import Programme
from grants.reporting.models import PeriodicReport

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
XML = "application/xml"


@act("payment_file.build", needs=Permission.PAYMENT_FILE_BUILD, says="built the payment file {subject}")
def build(actor: Actor, order_ids: tuple[UUID, ...], given: FileInput) -> BatchSummary:
    """Put authorised orders into one file, its content frozen; a job then makes and checks it. Nothing leaves yet."""
    demand_fresh(actor)
    if not 0 < len(set(order_ids)) <= ORDERS_MAX:
        raise Invalid(f"Choose between 1 and {ORDERS_MAX} orders.", {"orders": "Tick the orders of the file."})
    refuse_past_day(given.execution_on, acts.today())
    grants, orders = lock_orders(actor, order_ids, Permission.PAYMENT_FILE_BUILD)
    programme_id = _one_programme(grants)
    paying_account(given.own_account_id, programme_id)
    refuse_stopped(orders, grants)
    code = get(Programme, programme_id).code
    reference = next_reference(code)
    batch = PaymentBatch(
        reference=reference,
        # With six digits by chance: a database restored from a backup never mints an identifier anew.
        message_id=f"{reference}-{secrets.token_hex(3)}",
        own_account_id=given.own_account_id,
        layout=given.layout.value,
        execution_on=given.execution_on,
        state=BatchState.BUILDING.value,
        built_at=acts.moment(),
        built_by=actor.user_id,
        orders=len(orders),
        total=total(order.amount for order in orders),
        content=[],
    )
    refuse_hands(actor, orders, Step.SENT)
    for order in orders:
        _put_in(order, batch)
    batch.content = [line.stored() for line in lines_now(orders)]
    db.session.add(batch)
    jobs.queue(
        "jobs.payments.make_batch_file",
        subject=("payment_batch", batch.id),
        unique=f"payment_batch:{batch.id}",
        batch_id=str(batch.id),
    )
    return BatchSummary(batch.id, batch.reference, batch.orders, batch.total)


def lock_orders(
    actor: Actor, order_ids: Sequence[UUID], needed: Permission
) -> tuple[dict[UUID, Grant], list[PaymentOrder]]:
    """The orders and their grants, locked in the one order for everybody; each must lie in the person's scope.

    The number of statements does not grow with the orders.
    """
    of_orders = select(PaymentOrder.grant_id).where(among(PaymentOrder.id, order_ids))
    grants = lock_grants(db.session.scalars(of_orders).all())
    faults.point("scope")
    for grant in grants.values():
        if not actor.may(needed, agreements.scope(grant)):
            raise NotFound
    refuse_conflicts(actor, grants)
    orders = orders_locked(order_ids)
    if len(orders) != len(set(order_ids)):
        raise NotFound
    return grants, sorted(orders, key=lambda order: order.reference)


def _one_programme(grants: dict[UUID, Grant]) -> UUID:
    found = set(
        db.session.scalars(select(Call.programme_id).where(Call.id.in_({grant.call_id for grant in grants.values()})))
    )
    if len(found) != 1:
        raise Refused(
            "These orders are of several programmes, and a file leaves from the account of one. Build one for each."
        )
    return found.pop()


def refuse_stopped(orders: Sequence[PaymentOrder], grants: dict[UUID, Grant]) -> None:
    """No order leaves while its clock stands still, nor to an account that was replaced or is too new; accounts are locked."""
    refuse_sent_elsewhere(orders)
    refuse_left_before(orders)
    _refuse_suspended(orders)
    _refuse_held(orders)
    refuse_orders_ahead(orders, grants)
    accounts = _locked_accounts(orders)
    faults.point("four_eyes")
    stopped = [order.reference for order in orders if order.bank_account_id not in accounts]
    if stopped:
        raise Refused(
            f"The bank account was replaced after these orders were prepared: {', '.join(stopped[:10])}. The initiator must "
            "change them to the new account; they are then verified and authorised again."
        )
    _refuse_waiting(orders, grants, accounts)


def _refuse_suspended(orders: Sequence[PaymentOrder]) -> None:
    asked = {order.request_id for order in orders}
    found = select(PaymentRequest.reference, PaymentRequest.suspended_on).where(PaymentRequest.id.in_(asked))
    for reference, since in db.session.execute(found.order_by(PaymentRequest.reference)):
        rules.refuse_suspended(reference, since)


def _refuse_held(orders: Sequence[PaymentOrder]) -> None:
    """Nothing leaves of a grant that is suspended, nor costs of a beneficiary whose part is; mostly none is, at one statement."""
    today = acts.today()
    for grant_id, found in agreements.holds({order.grant_id for order in orders}).items():
        if not any(each.stands(today) for each in found):
            continue
        for order in (each for each in orders if each.grant_id == grant_id):
            try:
                agreeing.refuse_held(found, paid_costs_of(order.request_id), today)
            except Refused as error:
                raise Refused(f"{order.reference}: {error}") from error


def _locked_accounts(orders: Sequence[PaymentOrder]) -> dict[UUID, BankAccount]:
    """The accounts of these orders that stand confirmed."""
    rows = db.session.scalars(
        select(BankAccount)
        .where(BankAccount.id.in_({order.bank_account_id for order in orders}))
        .order_by(BankAccount.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return {row.id: row for row in rows if row.state == BankAccountState.CONFIRMED.value}


def _refuse_waiting(
    orders: Sequence[PaymentOrder], grants: dict[UUID, Grant], accounts: dict[UUID, BankAccount]
) -> None:
    laid_down = agreements.waiting_rules({grant.call_id for grant in grants.values()})
    for order in orders:
        confirmed_at = accounts[order.bank_account_id].confirmed_at
        assert confirmed_at is not None, "what stands was confirmed"
        of_call = laid_down.get(grants[order.grant_id].call_id, ())
        rule = agreeing.rule_on(of_call, clock.in_zone(confirmed_at).date())
        try:
            agreeing.refuse_waiting(agreeing.payable_from(confirmed_at, rule), acts.today())
        except Refused as error:
            raise Refused(f"{order.reference}: {error}") from error


def _put_in(order: PaymentOrder, batch: PaymentBatch) -> None:
    ORDER.move(order, "put_in_file")
    order.batch_id = batch.id
    if order.end_to_end_id is None:
        order.end_to_end_id = f"{order.reference}-{secrets.token_hex(3)}"


def lines_now(orders: Sequence[PaymentOrder]) -> list[FileLine]:
    """What a file of these orders says, as they stand now."""
    accounts = queries.account_numbers([order.id for order in orders])
    names = identity.organisations({order.payee_id for order in orders})
    asked = select(PaymentRequest.id, PaymentRequest.kind, PeriodicReport.number).outerjoin(
        PeriodicReport, PeriodicReport.id == PaymentRequest.report_id
    )
    reasons = {
        request_id: rules.reason_words(PaymentKind(kind), number)
        for request_id, kind, number in db.session.execute(
            asked.where(PaymentRequest.id.in_({order.request_id for order in orders}))
        )
    }
    return [
        FileLine(
            order_id=str(order.id),
            reference=order.reference,
            end_to_end_id=order.end_to_end_id or "",
            cents=order.amount.cents,
            payee=names[order.payee_id].name,
            holder=accounts[order.id].holder,
            iban=accounts[order.id].iban,
            bic=accounts[order.id].bic or "",
            reason=reasons[order.request_id],
            **_address_of(accounts[order.id].address),
        )
        for order in orders
    ]


def _address_of(address: PayeeAddress) -> dict[str, str]:
    """The address as a file says it; of an account from before addresses were asked for, none."""
    if not address.town:
        return {}
    return {
        "country": address.country_code,
        "town": address.town,
        "postcode": address.postcode or "",
        "street": address.street or "",
        "building": address.building or "",
    }


def next_reference(programme_code: str) -> str:
    """The reference of the next file of a programme."""
    series = f"{programme_code}-{acts.today().year}-B"
    return f"{series}-{references.next_number(series):04d}"


@act(
    "payment_file.make",
    needs=Permission.PAYMENT_FILE_BUILD,
    scope=scope_of_batch,
    says="made the payment file {subject}",
)
def make_batch_file(actor: Actor, batch_id: UUID) -> BatchSummary:
    """Write and check the file of a batch, once: its hash is then frozen. Where a rule refuses it there is no file."""
    batch = locked(PaymentBatch, batch_id)
    acts.subject("payment_batch", batch_id)
    refuse_conflict_with_any(actor, batch_id)
    if batch.state == BatchState.BUILDING.value:
        data, findings = written(batch)
        problems = [{"code": each.code.value, "where": each.where, "what": each.what} for each in findings]
        if data is None:
            BATCH.move(batch, "refuse")
        else:
            _freeze(batch, data)
            BATCH.move(batch, "make")
        batch.problems = problems
    return BatchSummary(batch.id, batch.reference, batch.orders, batch.total, batch.file_sha256)


def _freeze(batch: PaymentBatch, data: bytes) -> None:
    is_list = batch.layout == FileLayout.XLSX
    file = files.keep_bytes(
        data,
        name=f"{batch.reference}.{'xlsx' if is_list else 'xml'}",
        media_type=XLSX if is_list else XML,
        kind="payment_batch",
        object_id=batch.id,
        role="list",
    )
    batch.file_id, batch.file_sha256 = file.id, file.sha256


def written(batch: PaymentBatch) -> tuple[bytes | None, tuple[Finding, ...]]:
    """The bytes of a batch and what the rules say; no bytes where one refuses. The same batch gives the same bytes."""
    faults.point("file_rules")
    lines = lines_of(batch.content)
    if batch.layout == FileLayout.XLSX:
        return sheet(batch.reference, batch.built_at, lines), ()
    made = pain.make(run_of_batch(batch), acts.today())
    return made.data, made.findings


def run_of_batch(batch: PaymentBatch) -> PayRun:
    """The run a batch was built as."""
    assert batch.own_account_id is not None and batch.execution_on is not None, "what is built has account and day"
    return run_of(
        lines_of(batch.content),
        queries.own_account_by_id(batch.own_account_id),
        message_id=batch.message_id,
        created_at=batch.built_at,
        on=batch.execution_on,
        layout=Layout(batch.layout),
    )


@act(
    "payment_file.discard",
    needs=Permission.PAYMENT_FILE_DISCARD,
    scope=scope_of_batch,
    says="discarded the payment file {subject}",
)
def discard(actor: Actor, batch_id: UUID, *, reason: str, version: int | None = None) -> BatchSummary:
    """Take the orders out of a file that has not been sent: it is void for ever, they can be put into another."""
    demand_fresh(actor)
    batch = locked(PaymentBatch, batch_id)
    check_version(batch, version)
    refuse_conflict_with_any(actor, batch_id)
    if not clean_text(reason):
        raise Invalid("The reason is missing.", {"reason": "Say why this file is not sent."})
    BATCH.move(batch, "discard")
    acts.reason(clean_text(reason))
    batch.discarded_at, batch.discarded_by = acts.moment(), actor.user_id
    batch.discard_reason = clean_text(reason)
    for order in orders_of(batch_id):
        ORDER.move(order, "take_out")
        order.batch_id = None
    return BatchSummary(batch.id, batch.reference, batch.orders, batch.total, batch.file_sha256)


def orders_of(batch_id: UUID) -> list[PaymentOrder]:
    """The orders in a batch, locked, by reference."""
    rows = db.session.scalars(
        select(PaymentOrder)
        .where(PaymentOrder.batch_id == batch_id, PaymentOrder.state == OrderState.IN_FILE.value)
        .order_by(PaymentOrder.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return sorted(rows, key=lambda order: order.reference)


@act(
    "payment_batch.open_file",
    needs=Permission.PAYMENT_ORDER_EXECUTE,
    scope=scope_of_batch,
    says="opened the file of batch {subject}",
)
def open_batch_file(actor: Actor, batch_id: UUID) -> FileView:
    """Open the file with its account numbers, on the record: the very bytes that were frozen."""
    batch = locked(PaymentBatch, batch_id)
    acts.subject("payment_batch", batch_id)
    refuse_conflict_with_any(actor, batch_id)
    if batch.state == BatchState.DISCARDED.value:
        raise Refused("This file is void: it was discarded and must not reach the bank. Build another one.")
    if batch.state == BatchState.READY.value:
        # Bytes that are out can reach the bank whatever becomes of the file here.
        raise Refused(
            "The file is handed out once it is sent: from then on its orders are in no other file. Send it first."
        )
    if batch.file_id is None:
        raise Refused("The file is not made. Look at its page: it is still being made, or the rules refuse it.")
    if batch.recorded_at is None:
        raise Refused(
            "The record of this file does not lie outside the database yet, and it is handed out after that: a restored "
            "database would not know that it was sent. A worker leaves the record; look again in a moment."
        )
    return files.view(batch.file_id)


def refuse_conflict_with_any(actor: Actor, batch_id: UUID) -> None:
    """Refuse whoever stands in conflict with one of the grants a file pays."""
    grants = select(PaymentOrder.grant_id).where(PaymentOrder.batch_id == batch_id).distinct()
    refuse_conflicts(actor, db.session.scalars(grants).all())


def sheet(reference: str, built_at: datetime, lines: Sequence[FileLine]) -> bytes:
    """The list as XLSX: the same bytes whenever it is made, text never a formula, amounts as numbers."""
    import xlsxwriter

    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # Without a fixed time each file would differ.
    book.set_properties({"title": f"Payment list {reference}", "created": built_at.replace(tzinfo=None)})
    bold, amount = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    page = book.add_worksheet("Payments")
    heads = ("Order", "Beneficiary", "Account holder", "IBAN", "BIC", "Amount, EUR", "Reference", "End-to-end id")
    page.write_row(0, 0, heads, bold)
    page.set_column(0, 7, 26)
    for line, each in enumerate(lines, start=1):
        for column, text in enumerate((each.reference, each.payee, each.holder, each.iban, each.bic)):
            if text:
                page.write_string(line, column, text)
        page.write_number(line, 5, _decimal(each.amount), amount)
        page.write_string(line, 6, f"{each.reference} {each.reason}")
        page.write_string(line, 7, each.end_to_end_id)
    end = len(lines) + 2
    page.write_string(end, 0, f"{len(lines)} orders, control total", bold)
    page.write_number(end, 5, _decimal(total(each.amount for each in lines)), amount)
    book.close()
    return written.getvalue()


def _decimal(amount: Money) -> Decimal:
    return Decimal(amount.cents) / 100
