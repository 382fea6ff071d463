"""Reads of payment requests: one, or many as frozen values, and what approving one would do."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import and_, literal, or_, select, union_all

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.rules import GrantView
from grants.agreements.states import PaymentKind
from grants.core import clock, files
from grants.core.db import db
from grants.core.errors import NotFound
from grants.core.money import ZERO, Money
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, alone, ask, both, reader, side_by_side
from grants.identity import queries as identity
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.payments import rules
from grants.payments.models import (
    PaymentCancellation,
    PaymentOrder,
    PaymentRequest,
    PaymentReturn,
    PaymentSuspension,
    PaymentVerification,
)
from grants.payments.queries.ahead import unpaid_ahead
from grants.payments.queries.finals import final_kept, final_limits
from grants.payments.queries.offsets import HOLDING, TAKEN_OFF
from grants.payments.queries.parts import basis_of, parts_kept
from grants.payments.rules import (
    ANSWER_FILES,
    AnswerFile,
    Decision,
    DueBasis,
    History,
    Limits,
    MoneyPosition,
    PartLine,
    ReportEvidence,
    RequestView,
    ReturnView,
    Standing,
    SuspensionView,
    VerificationView,
)
from grants.payments.rules.ahead import refuse_unpaid_ahead
from grants.payments.rules.finals import FinalLimits
from grants.payments.states import ClockEvent, OrderState, RequestState, SuspensionReason
from grants.reporting.models import PeriodicReport
from grants.reporting.states import ReportState


def request_id_of(actor: Actor, reference: str) -> UUID:
    """The id behind a request's reference; raises :class:`NotFound` where the person may not know it."""
    return request_row(actor, reference, Permission.PAYMENT_ORDER_READ).id


def request(actor: Actor, reference: str) -> RequestView:
    """One request for the people of the circuit, in a constant number of statements; raises :class:`NotFound`."""
    return request_views([request_row(actor, reference, Permission.PAYMENT_ORDER_READ)])[0]


def request_row(actor: Actor, reference: str, permission: Permission) -> PaymentRequest:
    found = db.session.scalars(
        select(PaymentRequest)
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(PaymentRequest.reference == reference, agreements.visible(actor, permission))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """What approving the whole of a request would pay, retain and clear, by whose costs; of a balance what bounds it."""

    position: MoneyPosition
    decision: Decision
    parts: tuple[PartLine, ...]
    limits: FinalLimits | None = None


def forecast(row: RequestView) -> Outcome:
    """Where the grant stands now, and what approving the whole request would do.

    Raises :class:`Refused` with the rule where the whole cannot be approved.
    """
    about: list[Asking[Any]] = [
        by_id.asking(Grant, {row.grant_id}),
        books.of.asking(grant_id=row.grant_id),
        basis_of.asking(row),
    ]
    if row.kind is PaymentKind.BALANCE:
        about.append(final_limits.asking(row.grant_id))
    grants, found, basis, *bounds = alone(side_by_side(about))
    kind, limits = row.kind, limits_of(grants[row.grant_id])
    cash = rules.cash_max(kind, basis.requested, basis.partners)
    decision = rules.decide(kind, found, limits, row.requested, cash_max=cash)
    if row.kind is PaymentKind.BALANCE and decision.recoverable:
        refuse_unpaid_ahead(unpaid_ahead(row.grant_id), decision.recoverable, found[Account.PREFINANCING])
    parts = rules.parts_of(kind, decision, basis.requested, basis.requested, basis.partners)
    return Outcome(rules.position(found, limits), decision, basis.lines(parts), bounds[0] if bounds else None)


def parts_decided(found: RequestView) -> tuple[tuple[PartLine, ...], FinalLimits | None]:
    """What was decided of a request that its reader may see, by whose costs it pays, and what bounded a final amount.

    Empty and None where that was not kept yet.
    """
    about: list[Asking[Any]] = [parts_kept.asking(found.id), basis_of.asking(found), final_kept.asking(found.id)]
    parts, basis, limits = alone(side_by_side(about))
    return basis.lines(parts), limits


def limits_of(grant: Grant) -> Limits:
    """What the agreement allows."""
    return Limits(grant.maximum, grant.interim_ceiling, grant.prefinancing, grant.retention, grant.additional)


def allowed_by(grant: GrantView) -> Limits:
    """The same of a grant that was read for a page."""
    found = grant.limits
    return Limits(grant.maximum, found.interim_ceiling, found.prefinancing, found.retention, found.additional)


@reader
def request_views(rows: Sequence[PaymentRequest]) -> Asking[tuple[RequestView, ...]]:
    """Requests as frozen values, in two statements however many there are."""
    if not rows:
        return ()
    about: list[Asking[Any]] = [
        by_id.asking(Grant, {row.grant_id for row in rows}),
        by_id.asking(PeriodicReport, {row.report_id for row in rows if row.report_id}),
        identity.people.asking(
            {who for row in rows for who in (row.decided_by, row.registered_by, row.verified_by) if who}
        ),
        order_sums.asking({row.id for row in rows}),
        _replacing(rows),
    ]
    grants, reports, people, sums, replacing = yield from side_by_side(about)
    names = yield from identity.organisations.asking({grant.coordinator_id for grant in grants.values()})
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
            evidence=evidence_of(reports.get(row.report_id) if row.report_id else None),
            requested=row.requested,
            submitted_at=row.submitted_at,
            due_on=row.due_on,
            due_basis=_due_basis(row, grants[row.grant_id]),
            standing=_standing(row, grants[row.grant_id]),
            registered_at=row.registered_at,
            registered_by=people[row.registered_by].name if row.registered_by else None,
            verified_at=row.verified_at,
            verified_by=people[row.verified_by].name if row.verified_by else None,
            decided_at=row.decided_at,
            decided_by=people[row.decided_by].name if row.decided_by else None,
            decision_reason=row.decision_reason,
            decision=_decision(row),
            ordered=sums[row.id].ordered,
            executed=sums[row.id].executed,
            set_off=sums[row.id].set_off,
            cancelled=sums[row.id].cancelled,
            reply=row.reply,
            replaces=replacing.earlier.get(row.id),
            replaced_by=replacing.later.get(row.id),
            guarantee_asked=grants[row.grant_id].guarantee_asked,
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class _Replacing:
    """References by id: of the rejected request that one replaces, and of the one that replaces it."""

    earlier: dict[UUID, str]
    later: dict[UUID, str]


def _replacing(rows: Sequence[PaymentRequest]) -> Asking[_Replacing]:
    ids = [row.id for row in rows]
    wanted = {row.replaces_id: row.id for row in rows if row.replaces_id}
    found = _Replacing({}, {})
    statement = select(PaymentRequest.id, PaymentRequest.replaces_id, PaymentRequest.reference)
    asked = statement.where(or_(PaymentRequest.id.in_(wanted), PaymentRequest.replaces_id.in_(ids)))
    for request_id, replaces_id, reference in (yield from ask(asked)):
        if request_id in wanted:
            found.earlier[wanted[request_id]] = reference
        if replaces_id in ids:
            found.later[replaces_id] = reference
    return found


def _due_basis(row: PaymentRequest, grant: Grant) -> DueBasis:
    return DueBasis(
        PaymentKind(row.kind),
        agreements.time_limits_of(grant),
        grant.time_limits_on,
        row.clock_from,
        grant.starts_on,
        ClockEvent(row.clock_event) if row.clock_event else None,
    )


def _standing(row: PaymentRequest, grant: Grant) -> Standing:
    return Standing(
        agreements.payment_clock_of(grant),
        row.clock_from,
        row.first_due_on,
        row.due_on,
        row.suspended_on,
        row.suspension_answered_at is not None,
    )


@reader
def history(request_ids: Collection[UUID]) -> Asking[dict[UUID, History]]:
    """Everything that stopped, returned and verified these requests, with the files of the answers, oldest first."""
    ids = list(request_ids)
    kinds = (PaymentSuspension, PaymentReturn, PaymentVerification)
    answered = [select(kind.id).where(kind.request_id.in_(ids)) for kind in (PaymentSuspension, PaymentReturn)]
    about: list[Asking[Any]] = [
        *(ask(select(kind).where(kind.request_id.in_(ids)).order_by(kind.number)) for kind in kinds),
        *(files.listed_in.asking(ANSWER_FILES, each) for each in answered),
    ]
    suspensions, returns, verifications, *kept = yield from side_by_side(about)
    rows = [*suspensions, *returns, *verifications]
    names = ("suspended_by", "answered_by", "lifted_by", "returned_by", "verified_by")
    people = yield from identity.people.asking(
        {who for row in rows for name in names if (who := getattr(row, name, None))}
    )
    by_answer: dict[UUID, list[AnswerFile]] = {}
    for file in (file for files_of in kept for file in files_of):
        by_answer.setdefault(file.object_id, []).append(AnswerFile(file.name, file.sha256))

    def name(who: UUID | None) -> str | None:
        return people[who].name if who else None

    return {
        request_id: History(
            tuple(
                SuspensionView(
                    row.id, row.number, SuspensionReason(row.reason), row.notice, row.from_on, row.notified_at,
                    people[row.suspended_by].name, row.answer, row.answered_at, name(row.answered_by), row.until_on,
                    name(row.lifted_by), row.lift_reason, tuple(by_answer.get(row.id, ())),
                )
                for row in suspensions if row.request_id == request_id
            ),
            tuple(
                ReturnView(
                    row.id, row.number, row.words, row.returned_at, people[row.returned_by].name, row.answer,
                    row.answered_at, name(row.answered_by), tuple(by_answer.get(row.id, ())),
                )
                for row in returns if row.request_id == request_id
            ),
            tuple(
                VerificationView(row.verified_at, people[row.verified_by].name, tuple(row.evidence), row.note)
                for row in verifications if row.request_id == request_id
            ),
        )
        for request_id in ids
    }  # fmt: skip


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
        row.refused or ZERO,
    )


def evidence_of(report: PeriodicReport | None) -> ReportEvidence | None:
    """What the report that opened a payment says for it."""
    if report is None or report.decided_at is None:
        return None
    accepted = ReportState(report.state) is ReportState.ACCEPTED
    return ReportEvidence(report.number, accepted, clock.in_zone(report.decided_at).date())


@dataclass(slots=True)
class OrderSums:
    """What of a request is in live orders, was executed, was set off against debts, and was cancelled unpaid.

    What came back is ordered still, until it is let go: it is issued again.
    """

    ordered: Money = ZERO
    executed: Money = ZERO
    set_off: Money = ZERO
    cancelled: Money = ZERO


@reader
def order_sums(request_ids: Iterable[UUID]) -> Asking[dict[UUID, OrderSums]]:
    """What became of each of these requests. Two statements."""
    ids = list(request_ids)
    found = {request_id: OrderSums() for request_id in ids}
    holds = and_(*HOLDING).label("holds")
    statement = select(PaymentOrder.request_id, PaymentOrder.amount, PaymentOrder.state, holds).where(
        PaymentOrder.request_id.in_(ids), PaymentOrder.state != OrderState.CANCELLED.value
    )
    taken = (
        select(model.request_id, model.amount, literal(model is PaymentCancellation)).where(model.request_id.in_(ids))
        for model in TAKEN_OFF
    )
    orders, taken_off = yield from both(ask(statement), ask(union_all(*taken)))
    for request_id, amount, state, holds_it in orders:
        if holds_it:
            found[request_id].ordered += amount
        if state == OrderState.EXECUTED.value:
            found[request_id].executed += amount
    for request_id, amount, is_cancelled in taken_off:
        if is_cancelled:
            found[request_id].cancelled += amount
        else:
            found[request_id].set_off += amount
    return found


@reader
def by_id(model: Any, ids: Iterable[UUID]) -> Asking[dict[UUID, Any]]:
    """Rows of one table by id."""
    wanted = set(ids)
    if not wanted:
        return {}
    rows = yield from ask(select(model).where(model.id.in_(wanted)))
    return {row.id: row for row in rows}
