"""Acts of payments: open and decide requests, carry orders through four hands, let them leave in a list, book them.

Every act here locks the call, then the grant, then its partners, then requests and orders: whoever
pays from the same grant waits, and checks what then stands.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import BankAccount, Beneficiary, Grant
from grants.agreements.states import GRANT, BankAccountState, GrantState, PaymentKind
from grants.calls.models import Call
from grants.core import acts, clock, faults, files, jobs, references
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Problem, Problems, Refused
from grants.core.files import FileView
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission, Scope
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event
from grants.payments import queries, rules
from grants.payments.models import PaymentBatch, PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.rules import BatchSummary, BatchView, Decision, DecisionInput, OrderSummary, RequestSummary
from grants.payments.states import DECIDED, ORDER, REQUEST, OrderState, RequestState, Step
from grants.programmes.models import Programme
from grants.reporting import queries as reports
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportKind, ReportState

BATCH_ORDERS_MAX = 100
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


# --- Locks and scopes -----------------------------------------------------------------------------------------------


def lock_grant(grant_id: UUID) -> Grant:
    """The grant, locked after its call and before its partners: the one order in which money is locked."""
    call_id = get(Grant, grant_id).call_id
    locked(Call, call_id)
    grant = locked(Grant, grant_id)
    db.session.scalars(
        select(Beneficiary.id).where(Beneficiary.grant_id == grant_id).order_by(Beneficiary.id).with_for_update()
    ).all()
    return grant


def scope_of_grant(grant_id: UUID) -> Scope:
    """Where a grant lies, its money locked."""
    return agreements.scope(lock_grant(grant_id))


def scope_of_report(report_id: UUID) -> Scope:
    """Where the grant of a report lies, its money locked."""
    return scope_of_grant(get(PeriodicReport, report_id).grant_id)


def scope_of_request(request_id: UUID) -> Scope:
    """Where the grant of a request lies, its money locked."""
    return scope_of_grant(get(PaymentRequest, request_id).grant_id)


def scope_of_order(order_id: UUID) -> Scope:
    """Where the grant of an order lies, its money locked."""
    return scope_of_grant(get(PaymentOrder, order_id).grant_id)


# --- Requests -------------------------------------------------------------------------------------------------------


@act("payment_request.open_prefinancing", needs=Permission.AGREEMENT_READ, scope=scope_of_grant)
def open_prefinancing(actor: Actor, grant_id: UUID) -> RequestSummary | None:
    """The signed schedule opens the request for pre-financing; None where the call has none, or it is open already.

    Opening moves no money, so it takes no right of its own: what opens it is the agreement in force.
    """
    grant = lock_grant(grant_id)
    _refuse_not_in_force(grant)
    if not grant.prefinancing or _request_of(grant_id, PaymentKind.PREFINANCING) is not None:
        return None
    assert grant.in_force_at is not None, "a grant in force has the moment it came into force"
    due_on = rules.prefinancing_due_on(clock.in_zone(grant.in_force_at).date(), grant.starts_on)
    return _open(grant, PaymentKind.PREFINANCING, None, grant.prefinancing, due_on)


@act("payment_request.open_for_report", needs=Permission.AGREEMENT_READ, scope=scope_of_report)
def open_for_report(actor: Actor, report_id: UUID) -> RequestSummary | None:
    """An accepted report opens its request: an interim one for its costs, the final one for the balance."""
    report = locked(PeriodicReport, report_id)
    grant = lock_grant(report.grant_id)
    _refuse_not_in_force(grant)
    if report.state != ReportState.ACCEPTED.value or report.submitted_at is None or report.accepted_total is None:
        raise Refused("A payment is requested by an accepted report; this one is not accepted.")
    if db.session.scalar(select(PaymentRequest.id).where(PaymentRequest.report_id == report_id)) is not None:
        return None
    due_on = rules.report_due_on(clock.in_zone(report.submitted_at).date())
    if report.kind == ReportKind.FINAL.value:
        return _open(grant, PaymentKind.BALANCE, report, _final_amount(grant), due_on)
    return _open(grant, PaymentKind.INTERIM, report, report.accepted_total, due_on)


def _open(
    grant: Grant, kind: PaymentKind, report: PeriodicReport | None, requested: Money, due_on: date
) -> RequestSummary:
    number = 1 + (
        db.session.scalar(select(func.count()).select_from(PaymentRequest).where(PaymentRequest.grant_id == grant.id))
        or 0
    )
    request = PaymentRequest(
        grant_id=grant.id,
        number=number,
        reference=f"{grant.reference}-{number}",
        kind=kind.value,
        report_id=report.id if report else None,
        requested=requested,
        submitted_at=acts.moment(),
        due_on=due_on,
        state=RequestState.SUBMITTED.value,
    )
    db.session.add(request)
    return _request_summary(request)


def _final_amount(grant: Grant) -> Money:
    accepted = db.session.scalars(
        select(PeriodicReport.accepted_total).where(
            PeriodicReport.grant_id == grant.id, PeriodicReport.state == ReportState.ACCEPTED.value
        )
    ).all()
    return rules.final_amount(_limits(grant), [amount for amount in accepted if amount is not None])


def _refuse_not_in_force(grant: Grant) -> None:
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("Payments need an agreement in force: signed by both sides and not closed.")


@act("payment_request.decide", needs=Permission.PAYMENT_REQUEST_DECIDE, scope=scope_of_request)
def decide(actor: Actor, request_id: UUID, given: DecisionInput, *, version: int | None = None) -> RequestSummary:
    """Approve a request, wholly or in part: the amounts follow from the ledger as it stands under the lock, and are posted.

    Pre-financing posts E6, an interim request E10 cut to the ceiling, the balance E11 or E11b and E12.
    """
    demand_fresh(actor)
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    grant = lock_grant(request.grant_id)
    _refuse_not_in_force(grant)
    rules.check_decision(request.requested, given)
    kind = PaymentKind(request.kind)
    if kind is PaymentKind.BALANCE:
        _refuse_open_before_balance(grant, request)
    faults.point("ceiling")
    decision = rules.decide(kind, books.of(grant_id=grant.id), _limits(grant), given.approved)
    REQUEST.move(request, "approve" if given.approved == request.requested else "approve_in_part")
    _keep(request, decision, actor, given.reason)
    _post(grant, request, kind, decision)
    if not decision.payable:
        db.session.flush()
        REQUEST.move(request, "clear")
    _tell(grant, "payment_decided", request)
    return _request_summary(request)


@act("payment_request.reject", needs=Permission.PAYMENT_REQUEST_DECIDE, scope=scope_of_request)
def reject(actor: Actor, request_id: UUID, *, reason: str, version: int | None = None) -> RequestSummary:
    """Reject a request with a reason the coordinator will read; nothing is posted."""
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why; the coordinator will read it and may reply."})
    acts.reason(reason.strip())
    REQUEST.move(request, "reject")
    request.decided_at, request.decided_by, request.decision_reason = acts.moment(), actor.user_id, reason.strip()
    _tell(get(Grant, request.grant_id), "payment_decided", request)
    return _request_summary(request)


def _limits(grant: Grant) -> rules.Limits:
    return rules.Limits(grant.maximum, grant.interim_ceiling, grant.prefinancing, grant.retention)


def _refuse_open_before_balance(grant: Grant, request: PaymentRequest) -> None:
    undecided = db.session.scalars(
        select(PaymentRequest.reference)
        .where(
            PaymentRequest.grant_id == grant.id,
            PaymentRequest.state == RequestState.SUBMITTED.value,
            PaymentRequest.id != request.id,
        )
        .order_by(PaymentRequest.number)
    ).all()
    if undecided:
        raise Refused(f"Decide {', '.join(undecided)} first: the balance settles everything before it.")


def _keep(request: PaymentRequest, decision: Decision, actor: Actor, reason: str) -> None:
    request.decided_at, request.decided_by = acts.moment(), actor.user_id
    request.decision_reason = reason.strip() or None
    if reason.strip():
        acts.reason(reason.strip())
    request.approved, request.payable, request.retained = decision.approved, decision.payable, decision.retained
    request.cleared, request.deferred, request.recoverable = decision.cleared, decision.deferred, decision.recoverable


def _post(grant: Grant, request: PaymentRequest, kind: PaymentKind, decision: Decision) -> None:
    dims = _dims(grant, request)
    match kind:
        case PaymentKind.PREFINANCING:
            _book(
                Event.PREFINANCING_AUTHORISED,
                request,
                "pre-financing authorised",
                legs.legs_e6(decision.approved, dims, retention=decision.retained),
            )
        case PaymentKind.INTERIM:
            if decision.booked:
                _book(
                    Event.INTERIM_AUTHORISED,
                    request,
                    "interim payment authorised",
                    legs.legs_e10(decision.booked, dims, cash=decision.payable),
                )
        case PaymentKind.BALANCE:
            _post_balance(grant, request, decision, dims)


def _post_balance(grant: Grant, request: PaymentRequest, decision: Decision, dims: Dimensions) -> None:
    steps = rules.final_steps(books.of(grant_id=grant.id), decision.approved)
    if steps.increase:
        _book(
            Event.FINAL_ABOVE,
            request,
            "final amount above accepted so far",
            legs.legs_e11(steps.increase, dims, outstanding=steps.outstanding),
        )
    if steps.decrease:
        _book(
            Event.FINAL_BELOW,
            request,
            "final amount below accepted so far",
            legs.legs_e11b(steps.decrease, dims),
        )
    if steps.retention:
        _book(
            Event.RETENTION_RELEASED,
            request,
            "retention released",
            legs.legs_e12(steps.retention, dims, outstanding=steps.outstanding_after),
        )
    grant.final_amount = decision.approved


def _book(event: Event, request: PaymentRequest, words: str, lines: legs.Legs) -> None:
    ledger.post(
        event,
        source_key=f"payment_request:{request.id}:{event.value}",
        effective_on=_today(),
        description=f"{request.reference}: {words}",
        legs=lines,
    )


def _dims(grant: Grant, document: PaymentRequest | PaymentOrder) -> Dimensions:
    return Dimensions(
        fund_source_id=grant.fund_source_id,
        call_id=grant.call_id,
        grant_id=grant.id,
        organisation_id=grant.coordinator_id,
        document_id=document.id,
    )


def _today() -> date:
    return clock.in_zone(acts.moment()).date()


def _tell(grant: Grant, template: str, request: PaymentRequest) -> None:
    readers = identity.users_with(Permission.PAYMENT_REQUEST_SUBMIT, agreements.scope(grant))
    people.mail(
        [each.id for each in readers],
        template,
        "grant",
        grant.id,
        reference=grant.reference,
        request=request.reference,
        state=RequestState(request.state).value,
    )


def _request_of(grant_id: UUID, kind: PaymentKind) -> PaymentRequest | None:
    return db.session.scalars(
        select(PaymentRequest).where(
            PaymentRequest.grant_id == grant_id,
            PaymentRequest.kind == kind.value,
            PaymentRequest.state != RequestState.REJECTED.value,
        )
    ).one_or_none()


def _request_summary(request: PaymentRequest) -> RequestSummary:
    return RequestSummary(request.id, request.reference, RequestState(request.state))


# --- Orders ---------------------------------------------------------------------------------------------------------


@act("payment_order.prepare", needs=Permission.PAYMENT_ORDER_PREPARE, scope=scope_of_request)
def prepare(actor: Actor, request_id: UUID, *, amount: Money | None = None, version: int | None = None) -> OrderSummary:
    """Prepare an order for what is left of a decided request, or for part of it, to the coordinator's confirmed account."""
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    grant = lock_grant(request.grant_id)
    if RequestState(request.state) not in DECIDED:
        raise Refused("An order needs an approved request with something left to pay.")
    assert request.payable is not None, "a decided request says what is payable"
    faults.point("ceiling")
    ordered = _ordered(request.id)
    wanted = request.payable - ordered if amount is None else amount
    rules.refuse_over_payable(request.payable, ordered, wanted)
    order = PaymentOrder(
        reference=references.new_reference(_programme_code(grant), _today().year, "P"),
        request_id=request.id,
        grant_id=grant.id,
        payee_id=grant.coordinator_id,
        bank_account_id=_confirmed_account(grant.coordinator_id).id,
        amount=wanted,
        due_on=request.due_on,
        state=OrderState.PREPARED.value,
        prepared_by=_person(actor),
    )
    db.session.add(order)
    _sign(actor, order, Step.PREPARED)
    assert _ordered(request.id) <= request.payable, "orders never exceed what is payable"
    return _order_summary(order)


@act("payment_order.change", needs=Permission.PAYMENT_ORDER_PREPARE, scope=scope_of_order)
def change(actor: Actor, order_id: UUID, *, amount: Money, reason: str, version: int | None = None) -> OrderSummary:
    """Change the amount, or take over the account that is confirmed now: every signature is void, the order is prepared anew."""
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say what changed; verifier and authoriser will read it."})
    request = locked(PaymentRequest, order.request_id)
    assert request.payable is not None, "a request with an order says what is payable"
    faults.point("ceiling")
    rules.refuse_over_payable(request.payable, _ordered(request.id) - order.amount, amount)
    ORDER.move(order, "change")
    acts.reason(reason.strip())
    _void_signatures(order, reason.strip())
    order.amount, order.bank_account_id = amount, _confirmed_account(order.payee_id).id
    order.prepared_by, order.verified_by, order.authorised_by = _person(actor), None, None
    db.session.flush()
    _sign(actor, order, Step.PREPARED)
    return _order_summary(order)


@act("payment_order.verify", needs=Permission.PAYMENT_ORDER_VERIFY, scope=scope_of_order)
def verify(actor: Actor, order_id: UUID, *, note: str = "", version: int | None = None) -> OrderSummary:
    """Verify a prepared order against its evidence, as another person than the initiator."""
    order = _approving(actor, order_id, Step.VERIFIED, version)
    ORDER.move(order, "verify")
    order.verified_by = actor.user_id
    _sign(actor, order, Step.VERIFIED, note)
    return _order_summary(order)


@act("payment_order.authorise", needs=Permission.PAYMENT_ORDER_AUTHORISE, scope=scope_of_order)
def authorise(actor: Actor, order_id: UUID, *, note: str = "", version: int | None = None) -> OrderSummary:
    """Authorise a verified order, as another person than initiator and verifier."""
    demand_fresh(actor)
    order = _approving(actor, order_id, Step.AUTHORISED, version)
    ORDER.move(order, "authorise")
    order.authorised_by = actor.user_id
    _sign(actor, order, Step.AUTHORISED, note)
    return _order_summary(order)


def _approving(actor: Actor, order_id: UUID, step: Step, version: int | None) -> PaymentOrder:
    """The order under its lock, if this person may put a signature to it now."""
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    faults.point("four_eyes")
    rules.refuse_same_person(_signed(order), step, actor.user_id)
    account = _standing_account(order)
    rules.refuse_own_account((account.entered_by, account.confirmed_by), actor.user_id)
    return order


@act("payment_order.cancel", needs=Permission.PAYMENT_ORDER_CANCEL, scope=scope_of_order)
def cancel(actor: Actor, order_id: UUID, *, reason: str, version: int | None = None) -> OrderSummary:
    """Cancel an order that has not left; what it held can be ordered again."""
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why the order is cancelled."})
    ORDER.move(order, "cancel")
    acts.reason(reason.strip())
    order.cancel_reason = reason.strip()
    _void_signatures(order, reason.strip())
    return _order_summary(order)


@act("payment_order.export", needs=Permission.PAYMENT_ORDER_EXECUTE)
def export(actor: Actor, order_ids: tuple[UUID, ...], *, control_total: Money) -> BatchSummary:
    """Let authorised orders leave in one list (E7: payable becomes money in transit); a job then makes the file.

    ``control_total`` is what the accounting officer typed: it must be the sum of the orders.
    """
    demand_fresh(actor)
    if not 0 < len(set(order_ids)) <= BATCH_ORDERS_MAX:
        raise Invalid(f"Choose between 1 and {BATCH_ORDERS_MAX} orders.", {"orders": "Tick the orders to export."})
    orders = _lock_orders(actor, order_ids)
    summed = total(order.amount for order in orders)
    if summed != control_total:
        raise Invalid(
            "The control total does not match.",
            {"control_total": f"The orders ticked sum to {summed}. Compare them with your own list."},
        )
    programme_code = _programme_code(get(Grant, orders[0].grant_id))
    batch = PaymentBatch(
        reference=_batch_reference(programme_code),
        exported_at=acts.moment(),
        exported_by=actor.user_id,
        orders=len(orders),
        total=summed,
    )
    db.session.add(batch)
    for order in orders:
        _send(actor, order, batch)
    jobs.queue(
        "jobs.payments.make_batch_file",
        subject=("payment_batch", batch.id),
        unique=f"payment_batch:{batch.id}",
        batch_id=str(batch.id),
    )
    return BatchSummary(batch.id, batch.reference, len(orders), summed)


def _lock_orders(actor: Actor, order_ids: Sequence[UUID]) -> list[PaymentOrder]:
    """The orders, their grants locked in one order for everybody; each must lie in the person's scope."""
    grants = db.session.execute(
        select(Grant.call_id, Grant.id)
        .join(PaymentOrder, PaymentOrder.grant_id == Grant.id)
        .where(PaymentOrder.id.in_(order_ids))
        .distinct()
        .order_by(Grant.call_id, Grant.id)
    ).all()
    faults.point("scope")
    for _, grant_id in grants:
        if not actor.may(Permission.PAYMENT_ORDER_EXECUTE, scope_of_grant(grant_id)):
            raise NotFound
    orders = [locked(PaymentOrder, order_id) for order_id in sorted(set(order_ids))]
    return sorted(orders, key=lambda order: order.reference)


def _send(actor: Actor, order: PaymentOrder, batch: PaymentBatch) -> None:
    faults.point("four_eyes")
    rules.refuse_same_person(_signed(order), Step.EXPORTED, actor.user_id)
    _standing_account(order)
    ORDER.move(order, "export")
    order.exported_by, order.batch_id = actor.user_id, batch.id
    _sign(actor, order, Step.EXPORTED)
    grant = get(Grant, order.grant_id)
    ledger.post(
        Event.ORDER_SENT,
        source_key=f"payment_order:{order.id}:sent",
        effective_on=_today(),
        description=f"{order.reference}: sent in {batch.reference}",
        legs=legs.legs_e7(order.amount, _dims(grant, order)),
    )


@act("payment_order.execute", needs=Permission.PAYMENT_ORDER_EXECUTE, scope=scope_of_order)
def execute(actor: Actor, order_id: UUID, *, value_on: date, version: int | None = None) -> OrderSummary:
    """Mark an order as booked by the bank on its value date (E8); the request is paid when nothing of it is left."""
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    grant = get(Grant, order.grant_id)
    faults.point("four_eyes")
    rules.refuse_same_person(
        {step: person for step, person in _signed(order).items() if step is not Step.EXPORTED},
        Step.EXPORTED,
        actor.user_id,
    )
    ORDER.target(OrderState(order.state), "execute")
    assert order.batch_id is not None, "an exported order stands in a list"
    sent_on = clock.in_zone(get(PaymentBatch, order.batch_id).exported_at).date()
    rules.refuse_value_date(value_on, sent_on, _today())
    ORDER.move(order, "execute")
    order.executed_by, order.value_on = actor.user_id, value_on
    ledger.post(
        Event.ORDER_BOOKED,
        source_key=f"payment_order:{order.id}:booked",
        effective_on=value_on,
        description=f"{order.reference}: booked by the bank",
        legs=legs.legs_e8(rules.shares_of(order.amount, books.partners_open(grant.id)), _dims(grant, order)),
    )
    _settle(grant, order.request_id)
    return _order_summary(order)


def _settle(grant: Grant, request_id: UUID) -> None:
    request = locked(PaymentRequest, request_id)
    db.session.flush()
    paid = db.session.scalars(
        select(PaymentOrder.amount).where(
            PaymentOrder.request_id == request_id, PaymentOrder.state == OrderState.EXECUTED.value
        )
    ).all()
    if total(paid) == request.payable:
        REQUEST.move(request, "pay")
        _tell(grant, "payment_executed", request)


# --- Closure --------------------------------------------------------------------------------------------------------


def closure_problems(grant: Grant) -> tuple[Problem, ...]:
    """Why a grant cannot be closed yet: a report, a request or an order is open, or an account still holds money."""
    found = []
    if late := reports.unaccepted(grant.id):
        found.append(Problem("Reports", f"{late} {'report is' if late == 1 else 'reports are'} not accepted yet."))
    if grant.final_amount is None:
        found.append(Problem("Balance", "The payment of the balance is not decided yet."))
    found += legs.closure_problems("Ledger", books.of(grant_id=grant.id))
    return tuple(found)


@act("grant.close", needs=Permission.AGREEMENT_CLOSE, scope=scope_of_grant)
def close_grant(actor: Actor, grant_id: UUID, *, note: str, version: int | None = None) -> Money:
    """Close a grant whose balance is settled; what was committed and never used goes back to the call (E21).

    Returns what was given back.
    """
    demand_fresh(actor)
    grant = locked(Grant, grant_id)
    check_version(grant, version)
    GRANT.target(GrantState(grant.state), "close")
    if not note.strip():
        raise Invalid("Say on what the closure rests.", {"note": "Write what was looked at before closing."})
    problems = closure_problems(grant)
    if problems:
        raise Problems("The grant cannot be closed yet.", problems)
    acts.reason(note.strip())
    still_open = [(partner, amount) for partner, amount in books.partners_open(grant_id) if amount]
    if still_open:
        ledger.post(
            Event.DECOMMITTED,
            source_key=f"grant:{grant_id}:decommitted",
            effective_on=_today(),
            description=f"{grant.reference}: decommitted at closure",
            legs=legs.legs_e21(still_open, Dimensions(grant.fund_source_id, grant.call_id, grant_id)),
        )
    GRANT.move(grant, "close")
    grant.closed_at = acts.moment()
    return total(amount for _, amount in still_open)


def _person(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise Refused("A person must prepare an order, not the program.")
    return actor.user_id


def _ordered(request_id: UUID) -> Money:
    return total(
        db.session.scalars(
            select(PaymentOrder.amount).where(
                PaymentOrder.request_id == request_id, PaymentOrder.state != OrderState.CANCELLED.value
            )
        )
    )


def _programme_code(grant: Grant) -> str:
    return get(Programme, get(Call, grant.call_id).programme_id).code


def _batch_reference(programme_code: str) -> str:
    series = f"{programme_code}-{_today().year}-B"
    return f"{series}-{references.next_number(series):04d}"


def _confirmed_account(organisation_id: UUID) -> BankAccount:
    """The one confirmed account of the payee, locked, so that it is not replaced meanwhile."""
    account = db.session.scalars(
        select(BankAccount)
        .where(BankAccount.organisation_id == organisation_id, BankAccount.state == BankAccountState.CONFIRMED.value)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if account is None:
        raise Refused(
            "The coordinator has no confirmed bank account. It must be entered by one person and confirmed by another first."
        )
    return account


def _standing_account(order: PaymentOrder) -> BankAccount:
    """The order's account, if it is still the confirmed one: a changed account stops the order."""
    account = locked(BankAccount, order.bank_account_id)
    if account.state != BankAccountState.CONFIRMED.value:
        raise Refused(
            "The bank account of this order was replaced after it was prepared. The initiator must change the order to the new account; it is then verified and authorised again."
        )
    return account


def _signed(order: PaymentOrder) -> dict[Step, UUID]:
    found = {
        Step.PREPARED: order.prepared_by,
        Step.VERIFIED: order.verified_by,
        Step.AUTHORISED: order.authorised_by,
        Step.EXPORTED: order.exported_by,
    }
    return {step: person for step, person in found.items() if person is not None}


def _sign(actor: Actor, order: PaymentOrder, step: Step, note: str = "") -> None:
    db.session.add(
        PaymentOrderSignature(
            order_id=order.id,
            step=step.value,
            user_id=actor.user_id,
            signed_at=acts.moment(),
            amount=order.amount,
            bank_account_id=order.bank_account_id,
            note=note.strip() or None,
        )
    )


def _void_signatures(order: PaymentOrder, why: str) -> None:
    for signature in db.session.scalars(
        select(PaymentOrderSignature).where(
            PaymentOrderSignature.order_id == order.id, PaymentOrderSignature.voided_at.is_(None)
        )
    ):
        signature.voided_at, signature.voided_why = acts.moment(), why


def _order_summary(order: PaymentOrder) -> OrderSummary:
    return OrderSummary(order.id, order.reference, OrderState(order.state))


# --- The list of a batch --------------------------------------------------------------------------------------------


def scope_of_batch(batch_id: UUID) -> Scope:
    """Where the orders of a batch lie: all their grants and calls."""
    locked(PaymentBatch, batch_id)
    keys: set[tuple[str, UUID]] = set()
    for grant in db.session.scalars(
        select(Grant).join(PaymentOrder, PaymentOrder.grant_id == Grant.id).where(PaymentOrder.batch_id == batch_id)
    ):
        keys |= agreements.scope(grant).keys
    return Scope(frozenset(keys))


@act("payment_batch.make_file", needs=Permission.PAYMENT_ORDER_EXECUTE, scope=scope_of_batch)
def make_batch_file(actor: Actor, batch_id: UUID) -> BatchSummary:
    """Make the list of a batch as XLSX, once: its hash is then frozen, and a second time gives the same file."""
    batch = locked(PaymentBatch, batch_id)
    if batch.file_id is None:
        file = files.keep_bytes(
            sheet(queries.batch_view(batch)),
            name=f"{batch.reference}.xlsx",
            media_type=XLSX,
            kind="payment_batch",
            object_id=batch.id,
            role="list",
        )
        batch.file_id, batch.file_sha256 = file.id, file.sha256
    return BatchSummary(batch.id, batch.reference, batch.orders, batch.total, batch.file_sha256)


@act("payment_batch.open_file", needs=Permission.PAYMENT_ORDER_EXECUTE, scope=scope_of_batch)
def open_batch_file(actor: Actor, batch_id: UUID) -> FileView:
    """Open the list with its account numbers, on the record."""
    batch = locked(PaymentBatch, batch_id)
    acts.subject("payment_batch", batch_id)
    if batch.file_id is None:
        raise Refused("The list is still being made. Wait a moment and reload the page.")
    return files.view(batch.file_id)


def sheet(batch: BatchView) -> bytes:
    """The list as XLSX: the same bytes whenever it is made, text never a formula, amounts as numbers."""
    import xlsxwriter

    accounts = queries.account_numbers([order.id for order in batch.orders])
    written = io.BytesIO()
    book = xlsxwriter.Workbook(written, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    # Without a fixed time each file would differ.
    book.set_properties({"title": f"Payment list {batch.reference}", "created": batch.exported_at.replace(tzinfo=None)})
    bold, amount = book.add_format({"bold": True}), book.add_format({"num_format": "#,##0.00"})
    page = book.add_worksheet("Payments")
    page.write_row(0, 0, ("Order", "Beneficiary", "Account holder", "IBAN", "BIC", "Amount, EUR", "Reference"), bold)
    page.set_column(0, 6, 26)
    for line, order in enumerate(batch.orders, start=1):
        account = accounts[order.id]
        for column, text in enumerate((order.reference, order.payee, account.holder, account.iban, account.bic)):
            if text:
                page.write_string(line, column, text)
        page.write_number(line, 5, _decimal(order.amount), amount)
        page.write_string(line, 6, f"{order.reference} {order.reason}")
    end = len(batch.orders) + 2
    page.write_string(end, 0, f"{len(batch.orders)} orders, control total", bold)
    page.write_number(end, 5, _decimal(batch.total), amount)
    book.close()
    return written.getvalue()


def _decimal(amount: Money) -> Decimal:
    return Decimal(amount.cents) / 100
