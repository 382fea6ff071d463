"""What holds a payment request: plain checks that the acts on requests and orders share, and how its clock is set."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import rules as agreeing
from grants.agreements.models import Grant
from grants.agreements.states import PaymentKind
from grants.calls.states import ClockStart, RequestPath
from grants.core import acts, clock
from grants.core.db import db, get
from grants.core.permissions import Actor
from grants.identity.rules.standing_in import refuse_tied
from grants.payments import queries, rules
from grants.payments.models import PaymentRequest, PaymentSuspension
from grants.payments.queries.circuit import hands_of
from grants.payments.rules.circuit import refuse_impersonating
from grants.payments.states import ClockEvent, RequestState
from grants.reporting.models import PeriodicReport


def open_suspension(request_id: UUID) -> PaymentSuspension | None:
    """The suspension of a request that is not lifted."""
    return db.session.scalars(
        select(PaymentSuspension)
        .where(PaymentSuspension.request_id == request_id, PaymentSuspension.until_on.is_(None))
        .execution_options(populate_existing=True)
    ).one_or_none()


def refuse_suspended(request_id: UUID) -> None:
    """Refuse whatever would decide or pay a request whose clock stands still, or of a grant that is suspended; it is locked.

    Of a decided request also where it pays costs of a beneficiary whose part is suspended.
    """
    found, request = open_suspension(request_id), get(PaymentRequest, request_id)
    rules.refuse_suspended(request.reference, found.from_on if found else None)
    held, today = agreements.holds([request.grant_id])[request.grant_id], acts.today()
    # Mostly nothing is suspended, and whose costs it pays is not asked.
    stands = any(each.stands(today) for each in held)
    agreeing.refuse_held(held, paid_costs_of(request_id) if stands else (), today)


def paid_costs_of(request_id: UUID) -> frozenset[UUID]:
    """By whose costs a decided request pays something."""
    return frozenset(each.organisation_id for each in queries.parts_kept(request_id) if each.payable)


def refuse_undecidable(actor: Actor, request: PaymentRequest, grant: Grant) -> None:
    """Refuse a decision while the clock stands still, before what the call asks for, and by whoever took a step before."""
    refuse_suspended(request.id)
    rules.refuse_before_its_path(RequestState(request.state), RequestPath(grant.request_path))
    refuse_same_hand(actor, request, "decide")


def refuse_same_hand(actor: Actor, request: PaymentRequest, step: str) -> None:
    """Whoever registered does not verify, and neither decides; nor who stands in for them, or they for."""
    refuse_impersonating(actor.on_behalf_of)
    rules.refuse_same_hand({"registered": request.registered_by, "verified": request.verified_by}, step, actor.user_id)
    steps = ((request.registered_by, request.registered_at), (request.verified_by, request.verified_at))
    taken = [(person, at) for person, at in steps if person is not None and at is not None]
    if taken:
        hands = hands_of(actor, acts.moment())
        refuse_tied(taken, hands.ties, hands.at)


def start_clock(request: PaymentRequest, event: ClockEvent, from_on: date, first_due_on: date) -> None:
    """Let the clock count from a day; a new start counts anew, whatever stopped it before."""
    request.clock_event, request.clock_from = event.value, from_on
    request.first_due_on = request.due_on = first_due_on


def opening(
    grant: Grant, kind: PaymentKind, report: PeriodicReport | None, *, again: bool = False
) -> tuple[ClockEvent | None, date | None, date]:
    """What starts the clock of a request that opens now, from which day, and its due day.

    Where only its registration starts it there is neither; the due day is then the earliest that could be.
    """
    limits, starts = agreements.time_limits_of(grant), agreements.payment_clock_of(grant).starts
    today = acts.today()
    if kind is PaymentKind.PREFINANCING:
        if again:
            return ClockEvent.AGAIN, today, rules.again_due_on(kind, today, limits)
        assert grant.in_force_at is not None, "a grant in force has the moment it came into force"
        from_on = clock.in_zone(grant.in_force_at).date()
        return ClockEvent.IN_FORCE, from_on, rules.prefinancing_due_on(from_on, grant.starts_on, limits)
    if starts is ClockStart.REGISTRATION:
        return None, None, rules.again_due_on(kind, today, limits)
    if again:
        return ClockEvent.AGAIN, today, rules.again_due_on(kind, today, limits)
    if kind is PaymentKind.ADDITIONAL:
        return ClockEvent.STATEMENT, today, rules.again_due_on(kind, today, limits)
    assert report is not None, "a settled report opens it"
    # A report that never came was settled by the programme's decision, and that starts the days.
    if starts is ClockStart.APPROVAL or report.submitted_at is None:
        assert report.decided_at is not None, "a settled report was decided"
        event, at = ClockEvent.APPROVAL, report.decided_at
    else:
        event, at = ClockEvent.RECEIPT, report.submitted_at
    from_on = clock.in_zone(at).date()
    return event, from_on, rules.report_due_on(kind, from_on, limits)
