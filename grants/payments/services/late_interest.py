"""Interest the programme owes for payments it made late: reckoned by one person, decided by another, paid by itself (E17)."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.agreements.services import refuse_conflict
from grants.agreements.states import ENDED, GrantState, PaymentKind
from grants.core import acts, clock
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Refused
from grants.core.money import ZERO, Money, total
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.ledger import rules as legs
from grants.ledger import services as ledger
from grants.ledger.rules import Event
from grants.payments.models import LateInterest, PaymentRequest, PaymentRequestPart
from grants.payments.queries.late_interest import LateOrder, late_orders, partners_public
from grants.payments.rules.days import days_of
from grants.payments.rules.late_interest import (
    LateInterestInput,
    NothingOwed,
    check_late_interest,
    nothing_owed,
    refuse_small_too_early,
)
from grants.payments.services.locks import lock_grant, scope_of_request
from grants.payments.services.reckoning import decide, grow_stale, numbers_of, reckon, to_decide, why_refused
from grants.payments.services.requests import dims_of, tell
from grants.payments.states import REQUEST, ClockEvent, RequestState
from grants.rates.rules.converting import InterestAsked


@act(
    "payment_request.book_interest",
    needs=Permission.INTEREST_BOOK,
    scope=scope_of_request,
    says="reckoned the interest we owe for the late payment {subject}",
)
def book_late_interest(
    actor: Actor, request_id: UUID, given: LateInterestInput, *, version: int | None = None
) -> Money:
    """Reckon what is owed for all of a request that was paid late; another person decides. Returns what would be owed.

    The suspended days are in the due day already, so they bear none. Where nothing is owed, by the rule on public bodies
    or for being small, that is kept with every number and decided too.
    """
    request, grant = _in_office(actor, request_id, version)
    late = late_orders(request.id)
    check_late_interest(given, today=acts.today(), paid_on=max((each.paid_on for each in late), default=None))
    if not late:
        raise Refused("Nothing of this request was paid after its due day that bears no interest yet.")
    all_public = not partners_public(grant.id)[1]
    found = [_reckoned(actor, request, each, given, all_public=all_public) for each in late]
    db.session.add_all(found)
    grow_stale(request)
    return total(each.amount for each in found)


def _reckoned(
    actor: Actor, request: PaymentRequest, late: LateOrder, given: LateInterestInput, *, all_public: bool
) -> LateInterest:
    asked = InterestAsked(late.amount, late.due_on, late.paid_on, given.margin, given.day_count)
    made, table_number = reckon(asked, rate_on=late.rate_on)
    nothing = nothing_owed(given, made.amount + late.before, late.paid_on, all_public=all_public)
    return LateInterest(
        request_id=request.id,
        order_id=late.id,
        reckoned=made.amount,
        minimum=given.minimum,
        public_rule=given.public_rule.value,
        asked_on=given.asked_on,
        nothing=nothing.value if nothing else None,
        amount=ZERO if nothing else made.amount,
        **numbers_of(actor, asked, made, table_number),
    )


@act(
    "payment_request.confirm_interest",
    needs=Permission.INTEREST_CONFIRM,
    scope=scope_of_request,
    says="confirmed the interest we owe for the late payment {subject}",
)
def confirm_late_interest(actor: Actor, request_id: UUID, *, version: int | None = None) -> Money:
    """Confirm what somebody else reckoned (E17): what is owed is paid by a request of its own. Returns its sum."""
    demand_fresh(actor)
    request, grant = _in_office(actor, request_id, version)
    found = _to_decide(actor, request)
    for each in found:
        refuse_small_too_early(NothingOwed(each.nothing) if each.nothing else None, each.paid_on, acts.today())
        paying = _paying(actor, grant, each.amount, request) if each.amount else None
        each.paying_id = paying.id if paying else None
        decide(actor, each, "confirm")
        if paying is not None:
            ledger.post(
                Event.LATE_INTEREST,
                source_key=f"late_interest:{each.id}:owed",
                effective_on=acts.today(),
                description=f"{paying.reference}: interest for {request.reference}, which was paid late",
                legs=legs.legs_e17_owed(each.amount, dims_of(grant, paying)),
            )
    due = total(each.amount for each in found)
    if due:
        tell(grant, "late_interest_owed", request, amount=str(due))
    return due


def _paying(actor: Actor, grant: Grant, amount: Money, late: PaymentRequest) -> PaymentRequest:
    """The request that pays it, approved by who confirms it: outside the maximum, and the coordinator's."""
    number = 1 + (
        db.session.scalar(select(func.count()).select_from(PaymentRequest).where(PaymentRequest.grant_id == grant.id))
        or 0
    )
    today = acts.today()
    due_on = clock.add_days(today, days_of(PaymentKind.LATE_INTEREST, agreements.time_limits_of(grant)))
    request = PaymentRequest(
        grant_id=grant.id,
        number=number,
        reference=f"{grant.reference}-{number}",
        kind=PaymentKind.LATE_INTEREST.value,
        requested=amount,
        submitted_at=acts.moment(),
        clock_event=ClockEvent.INTEREST.value,
        clock_from=today,
        first_due_on=due_on,
        due_on=due_on,
        state=RequestState.SUBMITTED.value,
    )
    db.session.add(request)
    REQUEST.move(request, "approve")
    request.decided_at, request.decided_by = acts.moment(), actor.user_id
    request.decision_reason = f"Interest on {late.reference}, which was paid late."
    request.approved = request.payable = amount
    request.retained = request.cleared = request.deferred = request.recoverable = request.refused = ZERO
    db.session.flush()
    nothing = dict.fromkeys(("refused", "retained", "cleared", "deferred", "recoverable"), ZERO)
    db.session.add(
        PaymentRequestPart(
            request_id=request.id,
            organisation_id=grant.coordinator_id,
            requested=amount,
            approved=amount,
            payable=amount,
            **nothing,
        )
    )
    db.session.flush()
    return request


@act(
    "payment_request.refuse_interest",
    needs=Permission.INTEREST_CONFIRM,
    scope=scope_of_request,
    says="refused the interest reckoned for the late payment {subject}",
)
def refuse_late_interest(actor: Actor, request_id: UUID, *, reason: str, version: int | None = None) -> None:
    """Refuse what somebody else reckoned, with the reason; it can be reckoned anew."""
    request, _ = _in_office(actor, request_id, version)
    said = why_refused(reason)
    for each in _to_decide(actor, request):
        decide(actor, each, "refuse")
        each.refuse_reason = said
    grow_stale(request)


def _to_decide(actor: Actor, request: PaymentRequest) -> list[LateInterest]:
    nothing = "No interest on this payment waits to be decided."
    return to_decide(actor, LateInterest, LateInterest.request_id == request.id, nothing=nothing)


def _in_office(actor: Actor, request_id: UUID, version: int | None) -> tuple[PaymentRequest, Grant]:
    request = locked(PaymentRequest, request_id)
    grant = lock_grant(request.grant_id)
    refuse_conflict(actor, grant.id)
    check_version(request, version)
    acts.subject("payment_request", request.id)
    if request.kind == PaymentKind.LATE_INTEREST.value:
        raise Refused("Interest bears no interest.")
    if GrantState(grant.state) in ENDED:
        raise Refused("This grant is closed: interest is reckoned and decided before the closure.")
    return get(PaymentRequest, request.id), grant
