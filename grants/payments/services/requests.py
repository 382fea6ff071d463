"""Acts on payment requests: opened by the signed schedule or a report, decided by the authoriser, posted."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.states import GrantState, PaymentKind
from grants.calls.models import Call
from grants.core import acts, clock, faults
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import Money
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.rules import demand_fresh
from grants.ledger import queries as books
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Dimensions, Event
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.rules import Decision, DecisionInput, RequestSummary
from grants.payments.services.locks import lock_grant, scope_of_grant, scope_of_report, scope_of_request
from grants.payments.states import REQUEST, RequestState
from grants.programmes.models import Programme
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportKind, ReportState


@act(
    "payment_request.open_prefinancing",
    needs=Permission.AGREEMENT_READ,
    scope=scope_of_grant,
    says="opened payment request {subject} for pre-financing",
)
def open_prefinancing(actor: Actor, grant_id: UUID) -> RequestSummary | None:
    """The signed schedule opens the request for pre-financing; None where the call has none, or it is open already.

    Opening moves no money, so it takes no right of its own: what opens it is the agreement in force.
    """
    grant = lock_grant(grant_id)
    _refuse_not_in_force(grant)
    if not grant.prefinancing or _request_of(grant_id, PaymentKind.PREFINANCING) is not None:
        return None
    assert grant.in_force_at is not None, "a grant in force has the moment it came into force"
    due_on = rules.prefinancing_due_on(
        clock.in_zone(grant.in_force_at).date(), grant.starts_on, agreements.time_limits_of(grant)
    )
    return _open(grant, PaymentKind.PREFINANCING, None, grant.prefinancing, due_on)


@act(
    "payment_request.open_for_report",
    needs=Permission.AGREEMENT_READ,
    scope=scope_of_report,
    says="opened payment request {subject} for an accepted report",
)
def open_for_report(actor: Actor, report_id: UUID) -> RequestSummary | None:
    """An accepted report opens its request: an interim one for its costs, the final one for the balance."""
    report = locked(PeriodicReport, report_id)
    grant = lock_grant(report.grant_id)
    _refuse_not_in_force(grant)
    if report.state != ReportState.ACCEPTED.value or report.submitted_at is None or report.accepted_total is None:
        raise Refused("A payment is requested by an accepted report; this one is not accepted.")
    if db.session.scalar(select(PaymentRequest.id).where(PaymentRequest.report_id == report_id)) is not None:
        return None
    kind = PaymentKind.BALANCE if report.kind == ReportKind.FINAL.value else PaymentKind.INTERIM
    due_on = rules.report_due_on(kind, clock.in_zone(report.submitted_at).date(), agreements.time_limits_of(grant))
    asked = _final_amount(grant) if kind is PaymentKind.BALANCE else report.accepted_total
    return _open(grant, kind, report, asked, due_on)


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
    return rules.final_amount(limits_of(grant), [amount for amount in accepted if amount is not None])


def _refuse_not_in_force(grant: Grant) -> None:
    if grant.state != GrantState.IN_FORCE.value:
        raise Refused("Payments need an agreement in force: signed by both sides and not closed.")


@act(
    "payment_request.decide",
    needs=Permission.PAYMENT_REQUEST_DECIDE,
    scope=scope_of_request,
    says="decided payment request {subject}",
)
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
    decision = rules.decide(kind, books.of(grant_id=grant.id), limits_of(grant), given.approved)
    REQUEST.move(request, "approve" if given.approved == request.requested else "approve_in_part")
    _keep(request, decision, actor, given.reason)
    _post(grant, request, kind, decision)
    if not decision.payable:
        db.session.flush()
        REQUEST.move(request, "clear")
    tell(grant, "payment_decided", request)
    return _request_summary(request)


@act(
    "payment_request.reject",
    needs=Permission.PAYMENT_REQUEST_DECIDE,
    scope=scope_of_request,
    says="rejected payment request {subject}",
)
def reject(actor: Actor, request_id: UUID, *, reason: str, version: int | None = None) -> RequestSummary:
    """Reject a request with a reason the coordinator will read; nothing is posted."""
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why; the coordinator will read it and may reply."})
    acts.reason(reason.strip())
    REQUEST.move(request, "reject")
    request.decided_at, request.decided_by, request.decision_reason = acts.moment(), actor.user_id, reason.strip()
    tell(get(Grant, request.grant_id), "payment_decided", request)
    return _request_summary(request)


def limits_of(grant: Grant) -> rules.Limits:
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
    dims = dims_of(grant, request)
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
        effective_on=today(),
        description=f"{request.reference}: {words}",
        legs=lines,
    )


def dims_of(grant: Grant, document: PaymentRequest | PaymentOrder) -> Dimensions:
    return Dimensions(
        fund_source_id=grant.fund_source_id,
        call_id=grant.call_id,
        grant_id=grant.id,
        organisation_id=grant.coordinator_id,
        document_id=document.id,
    )


def today() -> date:
    return clock.in_zone(acts.moment()).date()


def tell(grant: Grant, template: str, request: PaymentRequest) -> None:
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


def programme_code(grant: Grant) -> str:
    """The code that begins the references of its programme."""
    return get(Programme, get(Call, grant.call_id).programme_id).code
