"""Acts by which a request is registered, goes back to be completed, and is verified against a check list."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import PaymentKind
from grants.calls.states import ClockStart, RequestPath
from grants.core import acts, files
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.files import FileView, Incoming
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.payments import rules
from grants.payments.models import PaymentRequest, PaymentReturn, PaymentSuspension, PaymentVerification
from grants.payments.rules import ANSWER_FILES, RequestSummary
from grants.payments.services.holding import refuse_same_hand, refuse_suspended, start_clock
from grants.payments.services.locks import lock_grant, scope_of_request
from grants.payments.services.requests import request_summary, tell, tell_staff
from grants.payments.states import REQUEST, ClockEvent


@act(
    "payment_request.register",
    needs=Permission.PAYMENT_REQUEST_REGISTER,
    scope=scope_of_request,
    says="registered payment request {subject}",
)
def register(actor: Actor, request_id: UUID, *, version: int | None = None) -> RequestSummary:
    """Register a complete request, where its call asks for that; where the call says so its days count from now."""
    request, grant = in_office(actor, request_id, version)
    if RequestPath(grant.request_path) is RequestPath.DECIDED:
        raise Refused("The call of this grant lets requests be decided as they come in; none is registered.")
    if actor.user_id is None:
        raise Refused("A person must register a request, not the program.")
    refuse_suspended(request.id)
    REQUEST.move(request, "register")
    request.registered_at, request.registered_by = acts.moment(), actor.user_id
    kind = PaymentKind(request.kind)
    if ClockStart(grant.clock_starts) is ClockStart.REGISTRATION and kind is not PaymentKind.PREFINANCING:
        limits = agreements.time_limits_of(grant)
        start_clock(request, ClockEvent.REGISTRATION, acts.today(), rules.again_due_on(kind, acts.today(), limits))
    return request_summary(request)


@act(
    "payment_request.return",
    needs=Permission.PAYMENT_REQUEST_REGISTER,
    scope=scope_of_request,
    says="returned payment request {subject} to be completed",
)
def send_back(actor: Actor, request_id: UUID, *, words: str, version: int | None = None) -> RequestSummary:
    """Return what is not complete to the coordinator with words; its clock starts when it comes back complete."""
    request, grant = in_office(actor, request_id, version)
    refuse_suspended(request.id)
    if not words.strip():
        raise Invalid("The words are missing.", {"words": "Say what is missing; the coordinator reads it."})
    REQUEST.move(request, "return")
    acts.reason(words.strip())
    request.registered_at = request.registered_by = request.clock_event = request.clock_from = None
    request.due_on = request.first_due_on
    db.session.add(
        PaymentReturn(
            request_id=request.id,
            number=_next(PaymentReturn, request.id),
            words=words.strip(),
            returned_at=acts.moment(),
            returned_by=actor.user_id,
        )
    )
    tell(grant, "payment_returned", request, words=words.strip())
    return request_summary(request)


@act(
    "payment_request.complete",
    needs=Permission.PAYMENT_REQUEST_SUBMIT,
    scope=scope_of_request,
    says="completed payment request {subject}",
)
def complete(
    actor: Actor, request_id: UUID, *, answer: str, incoming: Incoming | None = None, version: int | None = None
) -> RequestSummary:
    """The coordinator completes what came back, with words and a file; its days count anew from now."""
    request, grant = in_hand(request_id, version)
    if not answer.strip():
        raise Invalid("The answer is missing.", {"answer": "Say what was completed; the programme reads it."})
    REQUEST.move(request, "complete")
    acts.reason(answer.strip())
    row = db.session.scalars(
        select(PaymentReturn).where(PaymentReturn.request_id == request.id, PaymentReturn.answered_at.is_(None))
    ).one()
    row.answer, row.answered_at, row.answered_by = answer.strip(), acts.moment(), actor.user_id
    if incoming is not None:
        files.keep(incoming, kind=ANSWER_FILES, object_id=row.id, role="answer")
    kind = PaymentKind(request.kind)
    due_on = rules.again_due_on(kind, acts.today(), agreements.time_limits_of(grant))
    if ClockStart(grant.clock_starts) is ClockStart.REGISTRATION and kind is not PaymentKind.PREFINANCING:
        request.first_due_on = request.due_on = due_on
    else:
        start_clock(request, ClockEvent.COMPLETION, acts.today(), due_on)
    tell_staff(grant, Permission.PAYMENT_REQUEST_REGISTER, "payment_answered", request, answer=answer.strip())
    return request_summary(request)


@act(
    "payment_request.verify",
    needs=Permission.PAYMENT_REQUEST_VERIFY,
    scope=scope_of_request,
    says="verified payment request {subject}",
)
def verify_request(
    actor: Actor, request_id: UUID, *, evidence: Sequence[str], note: str = "", version: int | None = None
) -> RequestSummary:
    """Verify a registered request by its check list, where its call asks for that, as another person; the list is kept."""
    demand_fresh(actor)
    request, grant = in_office(actor, request_id, version)
    if RequestPath(grant.request_path) is not RequestPath.VERIFIED:
        raise Refused("The call of this grant lets requests be decided without a verification.")
    refuse_suspended(request.id)
    refuse_same_hand(actor, request, "verify")
    looked_at = rules.check_evidence(PaymentKind(request.kind), evidence)
    REQUEST.move(request, "verify")
    request.verified_at, request.verified_by = acts.moment(), actor.user_id
    db.session.add(
        PaymentVerification(
            request_id=request.id,
            number=_next(PaymentVerification, request.id),
            verified_at=acts.moment(),
            verified_by=actor.user_id,
            evidence=list(looked_at),
            note=note.strip() or None,
        )
    )
    return request_summary(request)


@act(
    "payment_request.open_file",
    needs=Permission.FILE_READ,
    scope=scope_of_request,
    says="opened a file of payment request {subject}",
)
def open_answer_file(actor: Actor, request_id: UUID, sha256: str) -> FileView:
    """Hand out a file that came with an answer of the coordinator, on the record."""
    acts.subject("payment_request", request_id)
    grant = get(Grant, get(PaymentRequest, request_id).grant_id)
    if not actor.may(Permission.PAYMENT_REQUEST_SUBMIT, agreements.scope(grant)):
        refuse_conflict(actor, grant.id)
    for kind in (PaymentReturn, PaymentSuspension):
        for row_id in db.session.scalars(select(kind.id).where(kind.request_id == request_id)):
            for file in files.listed(ANSWER_FILES, row_id):
                if file.sha256 == sha256:
                    return file
    raise NotFound


def in_hand(request_id: UUID, version: int | None) -> tuple[PaymentRequest, Grant]:
    """The request and its grant under their locks, for its coordinator."""
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    return request, lock_grant(request.grant_id)


def in_office(actor: Actor, request_id: UUID, version: int | None) -> tuple[PaymentRequest, Grant]:
    """The same for a person of the programme, who stands in no conflict with the grant."""
    request, grant = in_hand(request_id, version)
    refuse_conflict(actor, grant.id)
    return request, grant


def _next(kind: type[PaymentReturn] | type[PaymentVerification], request_id: UUID) -> int:
    """The number of the next return or verification of a request, which is locked."""
    found = db.session.scalar(select(func.count()).select_from(kind).where(kind.request_id == request_id))
    return 1 + (found or 0)
