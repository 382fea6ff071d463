"""Acts that stop the clock of a payment with a notice, answer it, and let it go on."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import func, select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import acts, clock, files
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, Refused
from grants.core.files import Incoming
from grants.core.money import total
from grants.core.permissions import Actor, Permission
from grants.identity.policy import Role
from grants.identity.rules import demand_fresh
from grants.identity.services import refuse_tied_to
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentOrderSignature, PaymentRequest, PaymentSuspension
from grants.payments.queries.offsets import set_off_of
from grants.payments.rules import ANSWER_FILES, RequestSummary
from grants.payments.services.holding import open_suspension
from grants.payments.services.locks import scope_of_request
from grants.payments.services.registering import in_hand, in_office
from grants.payments.services.requests import request_summary, tell, tell_staff
from grants.payments.states import DECIDED, NOT_LEFT, OrderState, RequestState, Step, SuspensionReason


@act(
    "payment_request.suspend",
    needs=Permission.PAYMENT_REQUEST_SUSPEND,
    scope=scope_of_request,
    says="suspended the payment of request {subject}",
)
def suspend(
    actor: Actor, request_id: UUID, *, reason: SuspensionReason, notice: str, version: int | None = None
) -> RequestSummary:
    """Stop the clock of a payment from today by a notice to the coordinator; nothing of it is decided or leaves meanwhile."""
    demand_fresh(actor)
    request, grant = in_office(actor, request_id, version)
    rules.check_suspension(RequestState(request.state), request.clock_from, request.suspended_on, notice)
    if RequestState(request.state) in DECIDED and not _left_to_leave(request):
        raise Refused("Everything of this payment has left for the bank already; there is nothing to hold back.")
    acts.reason(notice.strip())
    db.session.add(
        PaymentSuspension(
            request_id=request.id,
            number=1 + _count(request.id),
            reason=reason.value,
            notice=notice.strip(),
            notified_at=acts.moment(),
            suspended_by=actor.user_id,
            duty=_duty(actor, grant).value,
            from_on=acts.today(),
        )
    )
    request.suspended_on, request.suspension_answered_at = acts.today(), None
    tell(grant, "payment_suspended", request, notice=notice.strip(), reason=rules.REASON_WORDS[reason])
    return request_summary(request)


@act(
    "payment_request.answer_suspension",
    needs=Permission.PAYMENT_REQUEST_SUBMIT,
    scope=scope_of_request,
    says="answered the suspension of payment request {subject}",
)
def answer_suspension(
    actor: Actor, request_id: UUID, *, answer: str, incoming: Incoming | None = None, version: int | None = None
) -> RequestSummary:
    """The coordinator answers the notice, once, with words and a file; the clock stands still until the programme lifts it."""
    request, grant = in_hand(request_id, version)
    row = open_suspension(request.id)
    if row is None:
        raise Refused("The payment of this request is not suspended; there is nothing to answer.")
    if row.answered_at is not None:
        raise Refused("This suspension was answered already. The programme looks at the answer next.")
    if not answer.strip():
        raise Invalid("The answer is missing.", {"answer": "Answer the notice; the programme reads it."})
    row.answer, row.answered_at, row.answered_by = answer.strip(), acts.moment(), actor.user_id
    if incoming is not None:
        files.keep(incoming, kind=ANSWER_FILES, object_id=row.id, role="answer")
    request.suspension_answered_at = acts.moment()
    tell_staff(grant, Permission.PAYMENT_REQUEST_SUSPEND, "payment_answered", request, answer=answer.strip())
    return request_summary(request)


@act(
    "payment_request.lift",
    needs=Permission.PAYMENT_REQUEST_SUSPEND,
    scope=scope_of_request,
    says="lifted the suspension of payment request {subject}",
)
def lift(actor: Actor, request_id: UUID, *, reason: str, version: int | None = None) -> RequestSummary:
    """Let the clock go on from today: the days it stood still are added, on the orders that have not left too.

    By whoever stopped it, or by another person with the same duty or the one above, who did not initiate the payment.
    """
    demand_fresh(actor)
    request, grant = in_office(actor, request_id, version)
    row = open_suspension(request.id)
    if row is None:
        raise Refused("The payment of this request is not suspended.")
    _refuse_lifting(actor, request, grant, row)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why the clock goes on; the coordinator reads it."})
    acts.reason(reason.strip())
    row.until_on, row.lifted_at, row.lifted_by, row.lift_reason = (
        acts.today(),
        acts.moment(),
        actor.user_id,
        reason.strip(),
    )
    db.session.flush()
    assert request.clock_from is not None, "only a clock that runs is stopped"
    request.due_on = rules.due_on(request.clock_from, request.first_due_on, _stretches(request.id))
    for order in _waiting_orders(request.id):
        order.due_on = request.due_on
    request.suspended_on = request.suspension_answered_at = None
    days = (row.until_on - row.from_on).days
    tell(
        grant,
        "payment_resumed",
        request,
        reason=reason.strip(),
        days=rules.days_words(days),
        due_on=clock.long_date(request.due_on),
    )
    return request_summary(request)


def _duty(actor: Actor, grant: Grant) -> Role:
    """The duty by which this person stops a clock or lets it go on; the highest they have here."""
    decides = actor.may(Permission.PAYMENT_REQUEST_DECIDE, agreements.scope(grant))
    return Role.AUTHORISING_OFFICER if decides else Role.FINANCE_INITIATOR


def _refuse_lifting(actor: Actor, request: PaymentRequest, grant: Grant, row: PaymentSuspension) -> None:
    orders = (
        select(PaymentOrder.prepared_by, PaymentOrderSignature.signed_at)
        .join(
            PaymentOrderSignature,
            (PaymentOrderSignature.order_id == PaymentOrder.id)
            & (PaymentOrderSignature.step == Step.PREPARED.value)
            & PaymentOrderSignature.voided_at.is_(None),
            isouter=True,
        )
        .where(PaymentOrder.request_id == request.id, PaymentOrder.state != OrderState.CANCELLED.value)
    )
    initiated = [(request.registered_by, request.registered_at), *((who, at) for who, at in db.session.execute(orders))]
    rules.refuse_lifting(
        actor.user_id,
        suspended_by=row.suspended_by,
        set_by_authoriser=Role(row.duty) is Role.AUTHORISING_OFFICER,
        is_authoriser=_duty(actor, grant) is Role.AUTHORISING_OFFICER,
        initiators={person for person, _ in initiated},
    )
    if actor.user_id != row.suspended_by:
        refuse_tied_to(actor.user_id, *initiated)


def _stretches(request_id: UUID) -> list[rules.Stretch]:
    found = db.session.execute(
        select(PaymentSuspension.from_on, PaymentSuspension.until_on)
        .where(PaymentSuspension.request_id == request_id)
        .order_by(PaymentSuspension.number)
    )
    return [rules.Stretch(from_on, until_on) for from_on, until_on in found]


def _count(request_id: UUID) -> int:
    statement = select(func.count()).select_from(PaymentSuspension).where(PaymentSuspension.request_id == request_id)
    return db.session.scalar(statement) or 0


def _left_to_leave(request: PaymentRequest) -> bool:
    """Whether something of a decided request has not left for the bank."""
    waiting = [OrderState.CANCELLED.value, *(state.value for state in NOT_LEFT)]
    gone = db.session.scalars(
        select(PaymentOrder.amount).where(PaymentOrder.request_id == request.id, PaymentOrder.state.not_in(waiting))
    )
    assert request.payable is not None, "a decided request says what is payable"
    return total(gone) + set_off_of(request.id) < request.payable


def _waiting_orders(request_id: UUID) -> list[PaymentOrder]:
    return list(
        db.session.scalars(
            select(PaymentOrder)
            .where(
                PaymentOrder.request_id == request_id,
                PaymentOrder.state.in_([state.value for state in NOT_LEFT]),
            )
            .order_by(PaymentOrder.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
