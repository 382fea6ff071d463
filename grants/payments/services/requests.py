"""Acts on payment requests: opened by the signed schedule or a report, decided by the authoriser, posted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never
from uuid import UUID

from sqlalchemy import exists, func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import (
    refuse_ahead_of_end,
    refuse_conflict,
    refuse_held,
    refuse_prefinancing,
    refuse_unpaid,
)
from grants.agreements.states import IN_ADVANCE, RUNNING, GrantState, PaymentKind
from grants.calls.models import Call
from grants.core import acts, faults
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
from grants.ledger.accounts import Account
from grants.ledger.rules import Dimensions, Event
from grants.payments import queries, rules
from grants.payments.models import FinalBasis, PaymentOrder, PaymentRequest, Recovery
from grants.payments.queries.ahead import unpaid_ahead
from grants.payments.queries.requests import limits_of
from grants.payments.rules import Decision, DecisionInput, RequestSummary
from grants.payments.rules.additional import STATED_ANEW
from grants.payments.rules.ahead import refuse_unpaid_ahead
from grants.payments.rules.finals import refuse_above
from grants.payments.services import parts
from grants.payments.services.holding import opening, refuse_same_hand, refuse_suspended, refuse_undecidable
from grants.payments.services.locks import (
    lock_grant,
    scope_of_grant,
    scope_of_report,
    scope_of_request,
)
from grants.payments.services.parts import Parted
from grants.payments.services.wanting import refuse_unguaranteed, refuse_wanting, want_certificates
from grants.payments.states import REQUEST, UNDECIDED, RequestState
from grants.programmes.models import Programme
from grants.reporting import queries as reports
from grants.reporting.models import PeriodicReport
from grants.reporting.states import SETTLED, ReportKind, ReportState


@act(
    "payment_request.open_prefinancing",
    needs=Permission.PAYMENT_REQUEST_OPEN,
    scope=scope_of_grant,
    says="opened payment request {subject} for pre-financing",
)
def open_prefinancing(actor: Actor, grant_id: UUID) -> RequestSummary | None:
    """The signed schedule opens the request for pre-financing; None where the call has none, or it was opened already.

    The program does it by itself, and no person holds the right: what opens it is the agreement in force.
    """
    grant = lock_grant(grant_id)
    _refuse_not_in_force(grant)
    if not grant.prefinancing or _was_opened(grant_id, PaymentKind.PREFINANCING):
        return None
    refuse_prefinancing(grant)
    return open_request(grant, PaymentKind.PREFINANCING, None, grant.prefinancing)


@act(
    "payment_request.open_for_report",
    needs=Permission.PAYMENT_REQUEST_OPEN,
    scope=scope_of_report,
    says="opened payment request {subject} for a settled report",
)
def open_for_report(actor: Actor, report_id: UUID) -> RequestSummary | None:
    """An accepted interim report opens the request for its costs; the last report to be settled opens the balance.

    A rejected report counts as settled with nothing accepted. Returns the first request opened, if any.
    """
    report = locked(PeriodicReport, report_id)
    grant = lock_grant(report.grant_id)
    _refuse_not_in_force(grant)
    if ReportState(report.state) not in SETTLED:
        raise Refused("A payment is requested by a settled report; this one is neither accepted nor rejected yet.")
    made = [_open_interim(grant, report), _open_balance(grant)]
    return next((each for each in made if each is not None), None)


def _open_interim(grant: Grant, report: PeriodicReport) -> RequestSummary | None:
    if report.kind == ReportKind.FINAL.value or report.accepted_total is None or _request_of_report(report.id):
        return None
    return open_request(grant, PaymentKind.INTERIM, report, report.accepted_total)


def _open_balance(grant: Grant) -> RequestSummary | None:
    """The balance, once every report is settled (the guard of E11); its amount may be nothing."""
    final = db.session.scalars(
        select(PeriodicReport).where(
            PeriodicReport.grant_id == grant.id,
            PeriodicReport.kind == ReportKind.FINAL.value,
            PeriodicReport.state != ReportState.DROPPED.value,
        )
    ).one_or_none()
    if final is None or reports.unsettled(grant.id) or _was_opened(grant.id, PaymentKind.BALANCE):
        return None
    made = open_request(grant, PaymentKind.BALANCE, final, final_amount(grant))
    want_certificates(grant)
    return made


@act(
    "payment_request.submit",
    needs=Permission.PAYMENT_REQUEST_SUBMIT,
    scope=scope_of_request,
    says="asked again for payment {subject}",
)
def ask_again(actor: Actor, request_id: UUID, *, reply: str, version: int | None = None) -> RequestSummary:
    """The coordinator asks anew for what was rejected, with an answer to the reason; the rejected request stays as it is."""
    earlier = locked(PaymentRequest, request_id)
    check_version(earlier, version)
    grant = lock_grant(earlier.grant_id)
    _refuse_not_in_force(grant)
    if RequestState(earlier.state) is not RequestState.REJECTED:
        raise Refused("Only a rejected request can be asked for again; this one is not rejected.")
    later = db.session.scalar(select(PaymentRequest.reference).where(PaymentRequest.replaces_id == earlier.id))
    if later is not None:
        raise Refused(f"It was asked for again already, as {later}.")
    _refuse_after_final(grant)
    if earlier.kind == PaymentKind.PREFINANCING.value:
        refuse_prefinancing(grant)
    if not reply.strip():
        raise Invalid(
            "The answer is missing.", {"reply": "Answer the reason of the rejection; the programme reads it."}
        )
    kind = PaymentKind(earlier.kind)
    report = get(PeriodicReport, earlier.report_id) if earlier.report_id else None
    acts.reason(reply.strip())
    made = open_request(grant, kind, report, _asked_now(grant, kind, report), replaces=earlier, reply=reply.strip())
    renew_balance(grant)
    return made


def _asked_now(grant: Grant, kind: PaymentKind, report: PeriodicReport | None) -> Money:
    match kind:
        case PaymentKind.PREFINANCING:
            return grant.prefinancing
        case PaymentKind.ADDITIONAL:
            raise Refused(STATED_ANEW)
        case PaymentKind.INTERIM:
            assert report is not None and report.accepted_total is not None, "an accepted report asks for it"
            return report.accepted_total
        case PaymentKind.BALANCE:
            return final_amount(grant)
        case PaymentKind.LATE_INTEREST:
            raise Refused("Interest is decided where it was reckoned, and is not asked for again.")
        case _:
            assert_never(kind)


def open_request(
    grant: Grant,
    kind: PaymentKind,
    report: PeriodicReport | None,
    requested: Money,
    *,
    replaces: PaymentRequest | None = None,
    reply: str | None = None,
) -> RequestSummary:
    number = 1 + (
        db.session.scalar(select(func.count()).select_from(PaymentRequest).where(PaymentRequest.grant_id == grant.id))
        or 0
    )
    event, counted_from, due_on = opening(grant, kind, report, again=replaces is not None)
    request = PaymentRequest(
        grant_id=grant.id,
        number=number,
        reference=f"{grant.reference}-{number}",
        kind=kind.value,
        report_id=report.id if report else None,
        requested=requested,
        submitted_at=acts.moment(),
        clock_event=event.value if event else None,
        clock_from=counted_from,
        first_due_on=due_on,
        due_on=due_on,
        state=RequestState.SUBMITTED.value,
        replaces_id=replaces.id if replaces else None,
        reply=reply,
    )
    db.session.add(request)
    db.session.flush()
    return request_summary(request)


def final_amount(grant: Grant) -> Money:
    """The least of everything that bounds it: what an open request asks for counts until it is decided."""
    return queries.final_limits(grant.id).final


def renew_balance(grant: Grant) -> None:
    """A balance that waits for its decision asks for what now counts."""
    balance = db.session.scalars(
        select(PaymentRequest).where(
            PaymentRequest.grant_id == grant.id,
            PaymentRequest.kind == PaymentKind.BALANCE.value,
            PaymentRequest.state.in_([state.value for state in UNDECIDED]),
        )
    ).one_or_none()
    if balance is not None and balance.requested != (now := final_amount(grant)):
        balance.requested = now
        if RequestState(balance.state) is RequestState.VERIFIED:
            REQUEST.move(balance, "renew")
            balance.verified_at = balance.verified_by = None


def _refuse_not_in_force(grant: Grant) -> None:
    if GrantState(grant.state) not in RUNNING:
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
    refuse_conflict(actor, grant.id)
    _refuse_not_in_force(grant)
    refuse_undecidable(actor, request, grant)
    kind = PaymentKind(request.kind)
    rules.check_decision(request.requested, given, kind)
    _refuse_after_final(grant)
    if kind in IN_ADVANCE:
        refuse_prefinancing(grant)
    if kind is PaymentKind.BALANCE:
        _refuse_open_before_balance(grant, request)
        refuse_wanting(grant)
    if kind in IN_ADVANCE:
        refuse_unguaranteed(actor, grant, given.approved)
    faults.point("ceiling")
    stands = books.of(grant_id=grant.id)
    parted = parts.decided(request, given, stands, limits_of(grant))
    decision = parted.decision
    if kind is PaymentKind.BALANCE:
        refuse_unpaid_ahead(unpaid_ahead(grant.id), decision.recoverable, stands[Account.PREFINANCING])
        _keep_basis(request, decision.approved)
    paid = frozenset(each.organisation_id for each in parted.parts if each.approved)
    refuse_held(grant, paid)
    refuse_unpaid(grant, paid)
    if kind in IN_ADVANCE:
        refuse_ahead_of_end(grant, paid)
    REQUEST.move(request, "approve" if given.approved == request.requested else "approve_in_part")
    _keep(request, decision, actor, given.reason)
    parts.keep(request, parted.parts)
    _post(grant, request, kind, parted)
    if not decision.payable:
        db.session.flush()
        REQUEST.move(request, "clear")
    db.session.flush()
    renew_balance(grant)
    tell(grant, "payment_decided", request)
    return request_summary(request)


@act(
    "payment_request.reject",
    needs=Permission.PAYMENT_REQUEST_DECIDE,
    scope=scope_of_request,
    says="rejected payment request {subject}",
)
def reject(actor: Actor, request_id: UUID, *, reason: str, version: int | None = None) -> RequestSummary:
    """Reject a request with a reason the coordinator will read; nothing is posted."""
    demand_fresh(actor)
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    refuse_conflict(actor, request.grant_id)
    refuse_suspended(request.id)
    refuse_same_hand(actor, request, "decide")
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why; the coordinator will read it and may reply."})
    acts.reason(reason.strip())
    REQUEST.move(request, "reject")
    request.decided_at, request.decided_by, request.decision_reason = acts.moment(), actor.user_id, reason.strip()
    db.session.flush()
    grant = get(Grant, request.grant_id)
    renew_balance(grant)
    tell(grant, "payment_decided", request)
    return request_summary(request)


def _refuse_after_final(grant: Grant) -> None:
    if grant.final_amount is not None:
        raise Refused(
            f"The final amount of this grant is decided: {grant.final_amount}. Nothing more is requested or paid on top of it."
        )


def _refuse_open_before_balance(grant: Grant, request: PaymentRequest) -> None:
    """The guard of E11: every report is settled, every accepted one has opened its request, and every request is decided."""
    if late := reports.unsettled(grant.id):
        raise Refused(
            f"{_reports_words(late)} not settled yet. The balance fixes the final amount of the grant: accept or reject what is open first."
        )
    unopened = db.session.scalars(
        select(PeriodicReport.number)
        .where(
            PeriodicReport.grant_id == grant.id,
            PeriodicReport.kind == ReportKind.INTERIM.value,
            PeriodicReport.state == ReportState.ACCEPTED.value,
            ~exists().where(PaymentRequest.report_id == PeriodicReport.id),
        )
        .order_by(PeriodicReport.number)
    ).all()
    if unopened:
        raise Refused(
            f"{_reports_words(unopened)} accepted, and the payment request is not opened yet. That takes a moment; try again then."
        )
    undecided = db.session.scalars(
        select(PaymentRequest.reference)
        .where(
            PaymentRequest.grant_id == grant.id,
            PaymentRequest.state.in_([state.value for state in UNDECIDED]),
            PaymentRequest.id != request.id,
        )
        .order_by(PaymentRequest.number)
    ).all()
    if undecided:
        raise Refused(f"Decide {', '.join(undecided)} first: the balance settles everything before it.")


def _keep_basis(request: PaymentRequest, final: Money) -> None:
    """Refuse a final amount above one of its limits, and freeze all of them as they stand."""
    limits = queries.final_limits(request.grant_id)
    refuse_above(limits, final)
    db.session.add(
        FinalBasis(
            grant_id=request.grant_id,
            request_id=request.id,
            form=limits.funding.form.value,
            no_profit=limits.funding.no_profit.value,
            maximum=limits.maximum,
            accepted=limits.accepted,
            eligible=limits.eligible,
            contribution=limits.contribution,
            certificate_from=limits.funding.certificate_from,
            certified=limits.certified,
            receipts=limits.receipts,
            without_profit=limits.without_profit,
            final=limits.final,
        )
    )


def _keep(request: PaymentRequest, decision: Decision, actor: Actor, reason: str) -> None:
    request.decided_at, request.decided_by = acts.moment(), actor.user_id
    request.decision_reason = reason.strip() or None
    if reason.strip():
        acts.reason(reason.strip())
    request.approved, request.payable, request.retained = decision.approved, decision.payable, decision.retained
    request.cleared, request.deferred, request.recoverable = decision.cleared, decision.deferred, decision.recoverable
    request.refused = request.requested - decision.approved


def _post(grant: Grant, request: PaymentRequest, kind: PaymentKind, parted: Parted) -> None:
    dims = dims_of(grant, request)
    match kind:
        case PaymentKind.PREFINANCING | PaymentKind.ADDITIONAL:
            _book(
                Event.PREFINANCING_AUTHORISED,
                request,
                f"{rules.WORDS[kind].lower()} authorised",
                legs.legs_e6(parted.amounts("approved"), dims, retention=parted.amounts("retained")),
            )
        case PaymentKind.INTERIM:
            if parted.decision.booked:
                _book(
                    Event.INTERIM_AUTHORISED,
                    request,
                    "interim payment authorised",
                    legs.legs_e10(
                        parted.amounts("booked"),
                        dims,
                        cash=parted.amounts("payable"),
                        cleared=parts.cleared_of(grant.id, parted),
                    ),
                )
        case PaymentKind.BALANCE:
            _post_balance(grant, request, parted, dims)
        case PaymentKind.LATE_INTEREST:
            raise Refused("Interest is decided where it was reckoned, not as a request.")


def _post_balance(grant: Grant, request: PaymentRequest, parted: Parted, dims: Dimensions) -> None:
    steps = rules.final_steps(books.of(grant_id=grant.id), parted.decision.approved)
    spread = parts.settled(grant.id, parted)
    if steps.increase:
        _book(
            Event.FINAL_ABOVE,
            request,
            "final amount above accepted so far",
            legs.legs_e11_parts(spread.change, dims, cleared=spread.cleared, payable=spread.owed),
        )
    elif spread.change:
        # Below, or the same in all and other than so far by whose costs it is: a correcting entry either way.
        _book(
            Event.FINAL_BELOW,
            request,
            "final amount below accepted so far" if steps.decrease else "final amount parted anew",
            legs.legs_e11b(spread.taken_back, dims, reopened=spread.reopened),
        )
    if steps.retention:
        _book(
            Event.RETENTION_RELEASED,
            request,
            "retention released",
            legs.legs_e12_parts(spread.retention, dims, absorbed=spread.absorbed, released=spread.released),
        )
    grant.final_amount = parted.decision.approved


def _book(event: Event, request: PaymentRequest, words: str, lines: legs.Legs) -> None:
    ledger.post(
        event,
        source_key=f"payment_request:{request.id}:{event.value}",
        effective_on=acts.today(),
        description=f"{request.reference}: {words}",
        legs=lines,
    )


def dims_of(
    grant: Grant, document: PaymentRequest | PaymentOrder | Recovery, *, own_account_id: UUID | None = None
) -> Dimensions:
    """What a leg of this document is about; the account of the programme falls away on every leg but the bank's."""
    return Dimensions(
        own_account_id=own_account_id,
        fund_source_id=grant.fund_source_id,
        call_id=grant.call_id,
        grant_id=grant.id,
        organisation_id=grant.coordinator_id,
        document_id=document.id,
    )


def tell(grant: Grant, template: str, request: PaymentRequest, **words: str) -> None:
    """Write to whoever may ask for payments of the grant."""
    tell_staff(grant, Permission.PAYMENT_REQUEST_SUBMIT, template, request, **words)


def tell_staff(grant: Grant, permission: Permission, template: str, request: PaymentRequest, **words: str) -> None:
    """Write to whoever holds a permission where the grant lies."""
    readers = identity.users_with(permission, agreements.scope(grant))
    people.mail(
        [each.id for each in readers],
        template,
        "grant",
        grant.id,
        reference=grant.reference,
        request=request.reference,
        state=RequestState(request.state).value,
        **words,
    )


def _reports_words(numbers: Sequence[int]) -> str:
    """``Report 1 is`` or ``Reports 1, 2 are``, to begin a sentence."""
    spelled = ", ".join(str(number) for number in numbers)
    return f"Report {spelled} is" if len(numbers) == 1 else f"Reports {spelled} are"


def _was_opened(grant_id: UUID, kind: PaymentKind) -> bool:
    """Whether a request of this kind was made before; a rejected one is asked for again by the coordinator."""
    return bool(
        db.session.scalar(
            select(exists().where(PaymentRequest.grant_id == grant_id, PaymentRequest.kind == kind.value))
        )
    )


def _request_of_report(report_id: UUID) -> bool:
    return bool(db.session.scalar(select(exists().where(PaymentRequest.report_id == report_id))))


def request_summary(request: PaymentRequest) -> RequestSummary:
    return RequestSummary(request.id, request.reference, RequestState(request.state))


def programme_code(grant: Grant) -> str:
    """The code that begins the references of its programme."""
    return get(Programme, get(Call, grant.call_id).programme_id).code
