"""Acts on payment orders before they leave: prepared, changed, verified, authorised, cancelled by people kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements import rules as agreeing
from grants.agreements.models import BankAccount, Grant
from grants.agreements.services import refuse_conflict, refuse_held
from grants.agreements.states import BankAccountState, PaymentKind
from grants.core import acts, clock, faults, references
from grants.core.acts import act
from grants.core.db import check_version, db, get, locked
from grants.core.errors import Invalid, Refused
from grants.core.money import Money, total
from grants.core.permissions import Actor, Permission
from grants.identity.rules import demand_fresh
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentOrderSignature, PaymentRequest
from grants.payments.queries.left import paid_before, told_as_left
from grants.payments.queries.offsets import HOLDING, set_off_of
from grants.payments.rules import OrderSummary
from grants.payments.rules.circuit import refuse_impersonating
from grants.payments.rules.evidence import seen
from grants.payments.rules.hands import Hands
from grants.payments.rules.returns import refuse_paid_before, refuse_reissue
from grants.payments.services.elsewhere import refuse_authorising_elsewhere
from grants.payments.services.hands import refuse_account_hand, refuse_hands, refuse_too_much, sign, standing_in
from grants.payments.services.holding import paid_costs_of, refuse_suspended
from grants.payments.services.locks import lock_grant, scope_of_order, scope_of_request
from grants.payments.services.requests import programme_code
from grants.payments.services.stopping import refuse_ahead
from grants.payments.states import DECIDED, ORDER, OrderState, RequestState, Step


@act(
    "payment_order.prepare",
    needs=Permission.PAYMENT_ORDER_PREPARE,
    scope=scope_of_request,
    says="prepared payment order {subject}",
)
def prepare(actor: Actor, request_id: UUID, *, amount: Money | None = None, version: int | None = None) -> OrderSummary:
    """Prepare an order for what is left of a decided request, or for part of it, to the coordinator's confirmed account."""
    request = locked(PaymentRequest, request_id)
    check_version(request, version)
    grant = lock_grant(request.grant_id)
    refuse_conflict(actor, grant.id)
    if RequestState(request.state) not in DECIDED:
        raise Refused("An order needs an approved request with something left to pay.")
    refuse_held(grant, paid_costs_of(request.id))
    refuse_ahead(grant, request.id)
    assert request.payable is not None, "a decided request says what is payable"
    faults.point("ceiling")
    ordered = _ordered(request.id)
    wanted = request.payable - ordered if amount is None else amount
    rules.refuse_over_payable(request.payable, ordered, wanted)
    account = confirmed_account(grant.coordinator_id)
    _refuse_useless_account(request.id, account)
    order = PaymentOrder(
        reference=references.new_reference(programme_code(grant), acts.today().year, "P"),
        request_id=request.id,
        grant_id=grant.id,
        payee_id=grant.coordinator_id,
        bank_account_id=account.id,
        amount=wanted,
        due_on=request.due_on,
        state=OrderState.PREPARED.value,
        prepared_by=person_of(actor),
    )
    db.session.add(order)
    sign(actor, order, Step.PREPARED, acting=standing_in(actor, Step.PREPARED, grant.id))
    assert _ordered(request.id) <= request.payable, "orders never exceed what is payable"
    return order_summary(order)


@act(
    "payment_order.change",
    needs=Permission.PAYMENT_ORDER_PREPARE,
    scope=scope_of_order,
    says="changed payment order {subject}",
)
def change(actor: Actor, order_id: UUID, *, amount: Money, reason: str, version: int | None = None) -> OrderSummary:
    """Change the amount, or take over the account that is confirmed now: every signature is void, the order is prepared anew."""
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    refuse_conflict(actor, order.grant_id)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say what changed; verifier and authoriser will read it."})
    request = locked(PaymentRequest, order.request_id)
    assert request.payable is not None, "a request with an order says what is payable"
    faults.point("ceiling")
    if order.reissue_of is None:
        rules.refuse_over_payable(request.payable, _ordered(request.id) - order.amount, amount)
    else:
        refuse_other_amount(order, amount)
    ORDER.move(order, "change")
    acts.reason(reason.strip())
    _void_signatures(order, reason.strip())
    order.amount, order.bank_account_id = amount, confirmed_account(order.payee_id).id
    order.prepared_by, order.verified_by, order.authorised_by = person_of(actor), None, None
    db.session.flush()
    sign(actor, order, Step.PREPARED, acting=standing_in(actor, Step.PREPARED, order.grant_id))
    return order_summary(order)


@act(
    "payment_order.verify",
    needs=Permission.PAYMENT_ORDER_VERIFY,
    scope=scope_of_order,
    says="verified payment order {subject}",
)
def verify(
    actor: Actor, order_id: UUID, *, evidence: Sequence[str], note: str = "", version: int | None = None
) -> OrderSummary:
    """Verify a prepared order against its evidence, as another person than its circuit keeps apart from the verifier.

    ``evidence`` are the codes ticked by hand; their sentences are kept with the signature.
    """
    demand_fresh(actor)
    order, hands, _ = _approving(actor, order_id, Step.VERIFIED, version)
    looked_at = seen(Step.VERIFIED, _kind(order), evidence)
    ORDER.move(order, "verify")
    order.verified_by = actor.user_id
    acting = hands.standing_in(Step.VERIFIED, get(Grant, order.grant_id).call_id)
    sign(actor, order, Step.VERIFIED, note, evidence=looked_at, acting=acting)
    return order_summary(order)


@act(
    "payment_order.authorise",
    needs=Permission.PAYMENT_ORDER_AUTHORISE,
    scope=scope_of_order,
    says="authorised payment order {subject}",
)
def authorise(
    actor: Actor, order_id: UUID, *, evidence: Sequence[str], note: str = "", version: int | None = None
) -> OrderSummary:
    """Authorise a verified order within one's limit, as another person than its circuit keeps apart from the authoriser."""
    demand_fresh(actor)
    order, hands, account = _approving(actor, order_id, Step.AUTHORISED, version)
    refuse_waiting_account(order, account)
    looked_at = seen(Step.AUTHORISED, _kind(order), evidence)
    refuse_too_much(actor, order, hands, account)
    ORDER.move(order, "authorise")
    order.authorised_by = actor.user_id
    acting = hands.standing_in(Step.AUTHORISED, get(Grant, order.grant_id).call_id)
    sign(actor, order, Step.AUTHORISED, note, evidence=looked_at, acting=acting)
    return order_summary(order)


def _kind(order: PaymentOrder) -> PaymentKind:
    return PaymentKind(get(PaymentRequest, order.request_id).kind)


def _approving(
    actor: Actor, order_id: UUID, step: Step, version: int | None
) -> tuple[PaymentOrder, Hands, BankAccount]:
    """The order under its lock, if this person may put a signature to it now."""
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    refuse_conflict(actor, order.grant_id)
    hands = refuse_hands(actor, [order], step)
    account = standing_account(order)
    refuse_account_hand(actor, account, hands)
    if step is Step.AUTHORISED:
        refuse_left_before([order])
        refuse_suspended(order.request_id)
        refuse_ahead(get(Grant, order.grant_id), order.request_id)
        refuse_authorising_elsewhere(order)
    return order, hands, account


@act(
    "payment_order.cancel",
    needs=Permission.PAYMENT_ORDER_CANCEL,
    scope=scope_of_order,
    says="cancelled payment order {subject}",
)
def cancel(actor: Actor, order_id: UUID, *, reason: str, version: int | None = None) -> OrderSummary:
    """Cancel an order that has not left; what it held can be ordered again."""
    order = locked(PaymentOrder, order_id)
    check_version(order, version)
    refuse_conflict(actor, order.grant_id)
    refuse_impersonating(actor.on_behalf_of)
    if not reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why the order is cancelled."})
    ORDER.move(order, "cancel")
    acts.reason(reason.strip())
    order.cancel_reason = reason.strip()
    _void_signatures(order, reason.strip())
    return order_summary(order)


def refuse_other_amount(order: PaymentOrder, amount: Money) -> None:
    """What came back is issued again whole; and the account it changes to is not the one that was of no use."""
    assert order.reissue_of is not None, "asked for what is issued again"
    earlier = get(PaymentOrder, order.reissue_of)
    if amount != order.amount:
        raise Refused(
            f"{earlier.reference} came back whole, so it is issued again for {order.amount} and no other amount."
        )
    refuse_same_account(earlier, confirmed_account(order.payee_id).id, issued_as=None)


def refuse_same_account(earlier: PaymentOrder, account_id: UUID, *, issued_as: str | None) -> None:
    """Whether an order that came back may be issued again to this account."""
    refuse_reissue(
        earlier.reference,
        OrderState(earlier.state),
        earlier.bank_reason or "",
        same_account=account_id == earlier.bank_account_id,
        issued_as=issued_as,
    )


def refuse_left_before(orders: Sequence[PaymentOrder], *, itself: bool = False) -> None:
    """Refuse what issues again an order that was paid after all, or that a line of the bank says was.

    ``itself`` where these are the orders that came back, not those that issue them again.
    """
    faults.point("matching")
    ids = [order.id for order in orders if order.reissue_of is not None]
    found = list(paid_before(ids).values()) if ids else []
    found += told_as_left([order.id for order in orders]).values() if itself else []
    for left in found:
        refuse_paid_before(left.reference, left.line)


def refuse_let_go(came_back: PaymentOrder) -> None:
    """What was let go after it came back is paid by this order to nobody any more."""
    faults.point("ceiling")
    if came_back.let_go_on is not None:
        raise Refused(
            f"{came_back.reference} came back and was let go: what it was to pay was cancelled unpaid or set off, and what is left "
            "of that is ordered anew. Where the bank paid it all the same, ask it for the money back."
        )


def _refuse_useless_account(request_id: UUID, account: BankAccount) -> None:
    """What is left of payments that came back goes to another account where the bank said that theirs is of no use."""
    let_go = select(PaymentOrder).where(PaymentOrder.request_id == request_id, PaymentOrder.let_go_on.is_not(None))
    for earlier in db.session.scalars(let_go.order_by(PaymentOrder.reference)):
        refuse_same_account(earlier, account.id, issued_as=None)


def person_of(actor: Actor) -> UUID:
    if actor.user_id is None:
        raise Refused("A person must prepare an order, not the program.")
    refuse_impersonating(actor.on_behalf_of)
    return actor.user_id


def _ordered(request_id: UUID) -> Money:
    """What of a request is in orders, or set off against a debt: an order is over what both leave."""
    return set_off_of(request_id) + total(
        db.session.scalars(select(PaymentOrder.amount).where(PaymentOrder.request_id == request_id, *HOLDING))
    )


def confirmed_account(organisation_id: UUID) -> BankAccount:
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


def standing_account(order: PaymentOrder) -> BankAccount:
    """The order's account, if it is still the confirmed one: a changed account stops the order."""
    account = locked(BankAccount, order.bank_account_id)
    if account.state != BankAccountState.CONFIRMED.value:
        raise Refused(
            "The bank account of this order was replaced after it was prepared. The initiator must change the order to the new account; it is then verified and authorised again."
        )
    return account


def refuse_waiting_account(order: PaymentOrder, account: BankAccount) -> None:
    """An account confirmed only just is not paid to before its waiting time is over."""
    assert account.confirmed_at is not None, "what stands was confirmed"
    call_id = get(Grant, order.grant_id).call_id
    laid_down = agreements.waiting_rules([call_id]).get(call_id, ())
    rule = agreeing.rule_on(laid_down, clock.in_zone(account.confirmed_at).date())
    agreeing.refuse_waiting(agreeing.payable_from(account.confirmed_at, rule), acts.today())


def _void_signatures(order: PaymentOrder, why: str) -> None:
    for signature in db.session.scalars(
        select(PaymentOrderSignature).where(
            PaymentOrderSignature.order_id == order.id, PaymentOrderSignature.voided_at.is_(None)
        )
    ):
        signature.voided_at, signature.voided_why = acts.moment(), why


def order_summary(order: PaymentOrder) -> OrderSummary:
    return OrderSummary(order.id, order.reference, OrderState(order.state))
