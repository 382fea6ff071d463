"""What is on its way to payment, and what of it waits for this person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    exists,
    func,
    literal,
    select,
    true,
    tuple_,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import aliased

from grants.agreements import queries as agreements
from grants.agreements.models import BankAccount, Grant
from grants.agreements.states import IN_ADVANCE, RUNNING, BankAccountState, PaymentKind, values
from grants.calls.models import Call
from grants.core import clock
from grants.core.db import db
from grants.core.duties import Duty
from grants.core.money import Money, total
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission
from grants.core.together import Asking, ask, reader, side_by_side
from grants.payments import rules
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.bank_duties import bank_duties
from grants.payments.queries.circuit import hands_of, rule_duties
from grants.payments.queries.held import distribution_duties
from grants.payments.queries.late_interest import late_interest_duties
from grants.payments.queries.offsets import HOLDING, TAKEN_OFF
from grants.payments.queries.orders import ROWS_MAX, order_views, visible_orders
from grants.payments.queries.recovery_duties import recovery_duties
from grants.payments.queries.requests import request_views
from grants.payments.queries.reversals import reversal_duties
from grants.payments.queries.securing import securing_duties
from grants.payments.queries.stopping import stopped_words
from grants.payments.rules import (
    OrderView,
    RequestView,
)
from grants.payments.rules.evidence import ticks_of
from grants.payments.rules.hands import NEXT_STEP, Hands
from grants.payments.rules.pay_runs import ORDERS_MAX
from grants.payments.states import BEFORE_FILE, CAME_BACK, DECIDED, ON_ITS_WAY, UNDECIDED, OrderState, RequestState


@dataclass(frozen=True, slots=True)
class InboxRow:
    """One thing on its way to payment: a request or an order, what it waits for, and whether this person may do it."""

    reference: str
    request: RequestView | None
    order: OrderView | None
    due_on: date
    amount: Money
    deed: str
    yours: bool
    locked: str | None
    # Where it is yours: for whom you stand in, until when; and how many ticks it asks of you.
    acting: str = ""
    ticks: int = 0

    @property
    def thing(self) -> RequestView | OrderView:
        """The request or the order."""
        found = self.order or self.request
        assert found is not None, "a row is one of the two"
        return found

    @property
    def key(self) -> str:
        """Its place in the inbox."""
        return f"{self.due_on.isoformat()}.{self.reference}"


@dataclass(frozen=True, slots=True)
class Inbox:
    """Open requests and orders by due day, and what all of them come to."""

    rows: Rows[InboxRow]
    total: Money


@reader
def inbox(actor: Actor, page: Page) -> Asking[Inbox]:
    """What is on its way to payment and visible to this person, earliest due day first.

    A constant number of statements. Requests wait for a decision or an order, orders for the next hand of their circuit. A page
    goes on after due day and reference of the last one.
    """
    about: list[Asking[Any]] = [_lines(actor, page), ask(_summed(_open_orders(actor)))]
    (lines, requested), (ordered,) = yield from side_by_side(about)
    sums = (requested, ordered)
    return Inbox(
        cut(lines, page, key=lambda row: row.key, total=sum(int(each.many) for each in sums)),
        total(Money(int(each.open_cents)) for each in sums),
    )


def payable_orders(actor: Actor, programme_id: UUID) -> tuple[InboxRow, ...]:
    """The authorised orders of a programme, by due day, with why this person cannot pay one; as many as a file holds."""
    found = db.session.scalars(
        visible_orders(actor, select(PaymentOrder))
        .join(Call, Call.id == Grant.call_id)
        .where(PaymentOrder.state == OrderState.AUTHORISED.value, Call.programme_id == programme_id)
        .order_by(PaymentOrder.due_on, PaymentOrder.reference)
        .limit(ORDERS_MAX)
    ).all()
    hands = hands_of(actor)
    return tuple(_order_line(actor, each, hands) for each in order_views(found))


def _lines(actor: Actor, page: Page) -> Asking[tuple[list[InboxRow], Any]]:
    """Requests and orders by due day and reference, of each as many as the page may read; how many requests there are, and their sum."""
    found, orders = yield [_open_requests(actor, page), _paged(_open_orders(actor), PaymentOrder, page)]
    requests = [each for each in found if each.id is not None]
    about: list[Asking[Any]] = [
        request_views.asking(requests),
        order_views.asking(orders),
        hands_of.asking(actor),
        stopped_words.asking([*(each.id for each in requests), *(each.request_id for each in orders)]),
    ]
    asked, ordered, hands, stopped = yield from side_by_side(about)
    lines = [
        *(_request_line(actor, each, stopped.get(each.reference)) for each in asked),
        *(_order_line(actor, each, hands, stopped.get(each.request_reference)) for each in ordered),
    ]
    return sorted(lines, key=lambda row: (row.due_on, row.reference)), found[0]


def _summed(orders: Select[Any]) -> Select[Any]:
    """How many orders, and their sum, worked out by the database."""
    cents = func.coalesce(func.sum(_cents(PaymentOrder.amount)), 0)
    sums: list[Any] = [func.count().label("many"), cents.label("open_cents")]
    return orders.with_only_columns(*sums)


def _open_orders(actor: Actor) -> Select[Any]:
    """Orders on their way through the circuit, and those that came back and are not issued again."""
    again = aliased(PaymentOrder)
    issued = exists().where(again.reissue_of == PaymentOrder.id, again.state != OrderState.CANCELLED.value)
    came_back = PaymentOrder.state.in_([state.value for state in CAME_BACK])
    let_go = PaymentOrder.let_go_on.is_not(None)
    # First all states, as the index of what is on its way has them.
    return _seen(actor, select(PaymentOrder), PaymentOrder).where(
        PaymentOrder.state.in_([state.value for state in ON_ITS_WAY]), ~(came_back & (issued | let_go))
    )


def _seen(actor: Actor, statement: Select[Any], model: type[PaymentOrder] | type[PaymentRequest]) -> Select[Any]:
    """Those of the grants this person may see; whoever sees every grant is asked for none."""
    if actor.everywhere(Permission.PAYMENT_ORDER_READ) and not actor.barred("application"):
        return statement
    joined = statement.join(Grant, Grant.id == model.grant_id)
    return joined.where(agreements.visible(actor, Permission.PAYMENT_ORDER_READ))


def _open_requests(actor: Actor, page: Page) -> Select[Any]:
    """How many requests wait for a decision, or are payable and not yet wholly in orders, what they come to, and those of the page.

    One row at least, without a request where the page has none. What waits is worked out once for all of that: it takes the
    orders of every decided request.
    """
    about: list[Any] = [PaymentRequest.id, PaymentRequest.due_on, PaymentRequest.reference]
    asked = select(*about, _cents(PaymentRequest.requested).label("cents"))
    undecided = _seen(actor, asked, PaymentRequest).where(
        PaymentRequest.state.in_([state.value for state in UNDECIDED])
    )
    waits = union_all(undecided, _to_order(actor, about)).cte("waits").prefix_with("MATERIALIZED")
    sums = select(
        func.count().label("many"), func.coalesce(func.sum(waits.c.cents), 0).label("open_cents")
    ).select_from(waits)
    sums_of, on_page = sums.subquery("sums"), _paged(select(waits.c.id), waits.c, page).subquery("on_page")
    return (
        select(sums_of.c.many, sums_of.c.open_cents, *PaymentRequest.__table__.c)
        .select_from(sums_of)
        .outerjoin(on_page, true())
        .outerjoin(PaymentRequest, PaymentRequest.id == on_page.c.id)
        .order_by(PaymentRequest.due_on, PaymentRequest.reference)
    )


def _to_order(actor: Actor, about: Sequence[Any]) -> Select[Any]:
    """The decided requests of which something is left to order, and what: asked once for all of them, not of each for itself."""
    taken = [_by_request(PaymentOrder, HOLDING), *map(_by_request, TAKEN_OFF)]
    left = _cents(PaymentRequest.payable) - sum((func.coalesce(each.c.cents, 0) for each in taken), literal(0))
    statement = _seen(actor, select(*about, left.label("cents")), PaymentRequest)
    for each in taken:
        statement = statement.outerjoin(each, each.c.request_id == PaymentRequest.id)
    return statement.where(PaymentRequest.state.in_([state.value for state in DECIDED]), left > 0)


def _by_request(model: Any, where: Sequence[ColumnElement[bool]] = ()) -> Any:
    """What each decided request has of these rows, in cents."""
    decided = select(PaymentRequest.id).where(PaymentRequest.state.in_([state.value for state in DECIDED]))
    return (
        select(model.request_id, func.sum(_cents(model.amount)).label("cents"))
        .where(model.request_id.in_(decided), *where)
        .group_by(model.request_id)
        .subquery()
    )


def _cents(amount: Any) -> ColumnElement[int]:
    """As a plain number: sums come back wider than the column."""
    return type_coerce(amount, BigInteger)


def _paged(statement: Select[Any], model: Any, page: Page) -> Select[Any]:
    day, _, reference = (page.after or "").partition(".")
    try:
        key = (date.fromisoformat(day), reference)
    except ValueError:
        key = None
    if key is not None:
        statement = statement.where(tuple_(model.due_on, model.reference) > tuple_(*key))
    return statement.order_by(model.due_on, model.reference).limit(page.limit)


# What a request waits for, and who may do it; the city completes and answers on its own page.
_REQUEST_DEEDS = {
    "register": Permission.PAYMENT_REQUEST_REGISTER,
    "check": Permission.PAYMENT_REQUEST_VERIFY,
    "decide": Permission.PAYMENT_REQUEST_DECIDE,
    "lift": Permission.PAYMENT_REQUEST_SUSPEND,
    "prepare": Permission.PAYMENT_ORDER_PREPARE,
}


def _request_line(actor: Actor, found: RequestView, stopped: str | None) -> InboxRow:
    # What was approved and is stopped since waits; what is not decided is decided all the same.
    stopped = stopped if found.deed == "prepare" else None
    amount = found.requested if found.is_open else found.to_order
    permission = _REQUEST_DEEDS.get(found.deed)
    yours = permission is not None and actor.can(permission) and stopped is None
    return InboxRow(found.reference, found, None, found.due_on, amount, found.deed, yours, stopped)


_DEEDS = {
    OrderState.PREPARED: ("verify", Permission.PAYMENT_ORDER_VERIFY),
    OrderState.VERIFIED: ("authorise", Permission.PAYMENT_ORDER_AUTHORISE),
    OrderState.AUTHORISED: ("build", Permission.PAYMENT_FILE_BUILD),
    OrderState.IN_FILE: ("send", Permission.PAYMENT_FILE_SEND),
    OrderState.SENT: ("execute", Permission.PAYMENT_ORDER_EXECUTE),
    OrderState.ACKNOWLEDGED: ("execute", Permission.PAYMENT_ORDER_EXECUTE),
    OrderState.BANK_REJECTED: ("reissue", Permission.PAYMENT_ORDER_PREPARE),
    OrderState.RETURNED: ("reissue", Permission.PAYMENT_ORDER_PREPARE),
}


def _order_line(actor: Actor, found: OrderView, hands: Hands, stopped: str | None = None) -> InboxRow:
    deed, permission = _DEEDS[found.state]
    # To whoever does not take this step at all, the reason is that it comes first, and with whom it is.
    locked = rules.lock_of(found, actor.user_id, hands) if actor.can(permission) or not found.account.stands else None
    # Of what has left or lies in a file the bank says what became of it.
    locked = locked or (stopped if found.state in (*BEFORE_FILE, *CAME_BACK) else None)
    yours = actor.can(permission) and locked is None
    step = NEXT_STEP.get(found.state)
    acting = hands.standing_in(step, found.call_id) if yours and step else None
    return InboxRow(
        found.reference,
        None,
        found,
        found.due_on,
        found.amount,
        deed,
        yours,
        locked,
        acting.words if acting else "",
        len(ticks_of(step, found.kind)) if yours and step else 0,
    )


@reader
def duties(actor: Actor, at: datetime) -> Asking[tuple[Duty, ...]]:
    """What this person must do so that money is paid: decide, prepare, verify, authorise, send, book; give an account, pay back,
    reckon and decide interest."""
    kinds = []
    if actor.can(Permission.PAYMENT_ORDER_READ):
        kinds.append(_circuit_duties(actor))
    if actor.can(Permission.PAYMENT_REQUEST_SUBMIT) and actor.can(Permission.BANK_ACCOUNT_ENTER):
        kinds.append(_account_duties(actor))
    if actor.can(Permission.PAYMENT_REQUEST_SUBMIT):
        kinds += [_rejected_duties(actor), _asked_duties(actor)]
    if actor.can(Permission.LEDGER_CONFIRM_REVERSAL):
        kinds.append(reversal_duties.asking(actor))
    if actor.can(Permission.CIRCUIT_CONFIRM):
        kinds.append(rule_duties.asking(actor))
    kinds += [bank_duties.asking(actor), securing_duties.asking(actor)]
    kinds.append(distribution_duties.asking(actor, clock.in_zone(at).date()))
    kinds += [recovery_duties(actor, clock.in_zone(at).date()), late_interest_duties(actor)]
    found = yield from side_by_side(kinds)
    return tuple(duty for duties in found for duty in duties)


def _circuit_duties(actor: Actor) -> Asking[list[Duty]]:
    lines, _ = yield from _lines(actor, Page(size=ROWS_MAX))
    return [_duty(row) for row in lines[:ROWS_MAX] if row.yours]


_BUTTONS = {
    "register": ("Register", "Look at the request"),
    "check": ("Verify", "Look at the request"),
    "lift": ("Look at the answer on the suspension of", "Look at the answer"),
    "decide": ("Decide", "Look at the request"),
    "prepare": ("Prepare the order for", "Prepare the order"),
    "verify": ("Verify the order for", "Verify"),
    "authorise": ("Authorise the order for", "Authorise"),
    "build": ("Put into a payment file the order for", "Open the order"),
    "send": ("Send the payment file with the order for", "Open the order"),
    "execute": ("Mark as executed the order for", "Enter the value date"),
    "reissue": ("Issue again what came back of", "Open the order"),
}


def _duty(row: InboxRow) -> Duty:
    verb, button = _BUTTONS[row.deed]
    thing = row.thing
    endpoint = "payments.order" if row.order else "payments.request_page"
    subject = "the request of" if row.deed in {"register", "check", "decide"} else ""
    return Duty(
        " ".join(f"{verb} {subject} {thing.acronym}".split()),
        f"{thing.reason}, {row.amount}, {thing.payee}",
        button,
        endpoint,
        {"ref": row.reference},
        due_at=thing.due_at,
    )


def _rejected_duties(actor: Actor) -> Asking[list[Duty]]:
    """A request was rejected with a reason; the city may answer it and ask again while its grant has no final amount."""
    later, balance = aliased(PaymentRequest), aliased(PaymentRequest)
    balanced = (
        select(balance.id).where(balance.grant_id == Grant.id, balance.kind == PaymentKind.BALANCE.value).exists()
    )
    found = yield from ask(
        select(
            *(PaymentRequest.reference, PaymentRequest.kind, PaymentRequest.requested, PaymentRequest.decision_reason),
            *(Grant.reference, func.coalesce(Grant.acronym, Grant.title)),
        )
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(
            agreements.visible(actor, Permission.PAYMENT_REQUEST_SUBMIT),
            PaymentRequest.state == RequestState.REJECTED.value,
            # Nothing is pre-financed any more once a termination is confirmed.
            ~(PaymentRequest.kind.in_([each.value for each in IN_ADVANCE]) & agreements.is_ending()),
            # Nothing in addition once the balance is asked for.
            ~((PaymentRequest.kind == PaymentKind.ADDITIONAL.value) & balanced),
            ~select(later.id).where(later.replaces_id == PaymentRequest.id).exists(),
            Grant.state.in_(values(RUNNING)),
            Grant.final_amount.is_(None),
        )
        .order_by(PaymentRequest.reference)
        .limit(20)
    )
    return [
        Duty(
            f"Answer and ask again: {rules.WORDS[PaymentKind(kind)].lower()} of {name}",
            f"{requested} was rejected: {' '.join((reason or '').split())}",
            "Answer and ask again",
            *_where_again(kind, grant, reference),
        )
        for reference, kind, requested, reason, grant, name in found
    ]


def _where_again(kind: str, grant: str, reference: str) -> tuple[str, dict[str, str]]:
    """Where a rejected request is asked for again: additional pre-financing by a new statement of use."""
    if kind == PaymentKind.ADDITIONAL.value:
        return "payments.additional", {"ref": grant}
    return "payments.ask_again", {"ref": grant, "asked": reference}


def _asked_duties(actor: Actor) -> Asking[list[Duty]]:
    """What the programme asks of the city for a payment: to complete a request, to answer the notice of a suspension."""
    returned = PaymentRequest.state == RequestState.RETURNED.value
    stopped = PaymentRequest.suspended_on.is_not(None) & PaymentRequest.suspension_answered_at.is_(None)
    found = yield from ask(
        select(
            *(PaymentRequest.reference, PaymentRequest.kind, PaymentRequest.suspended_on),
            *(Grant.reference, func.coalesce(Grant.acronym, Grant.title)),
        )
        .join(Grant, Grant.id == PaymentRequest.grant_id)
        .where(agreements.visible(actor, Permission.PAYMENT_REQUEST_SUBMIT), returned | stopped)
        .order_by(PaymentRequest.reference)
        .limit(20)
    )
    return [
        Duty(
            f"{'Answer why the payment is suspended' if since else 'Complete the payment request'}: "
            f"{rules.WORDS[PaymentKind(kind)].lower()} of {name}",
            f"The clock of the payment stands still since {clock.long_date(since)}."
            if since
            else "The programme returned it with words; its clock starts when it is complete.",
            "Read and answer",
            "payments.answer",
            {"ref": grant, "asked": reference},
        )
        for reference, kind, since, grant, name in found
    ]


def _account_duties(actor: Actor) -> Asking[list[Duty]]:
    """Money is approved and the coordinator has no account it could be paid to."""
    confirmed = select(BankAccount.organisation_id).where(BankAccount.state == BankAccountState.CONFIRMED.value)
    proposed = select(BankAccount.organisation_id).where(BankAccount.state == BankAccountState.PROPOSED.value)
    statement = (
        select(Grant.reference, func.coalesce(Grant.acronym, Grant.title))
        .join(PaymentRequest, PaymentRequest.grant_id == Grant.id)
        .where(
            agreements.visible(actor, Permission.BANK_ACCOUNT_ENTER),
            PaymentRequest.state.in_([state.value for state in (*UNDECIDED, *DECIDED)]),
            Grant.coordinator_id.not_in(confirmed),
            Grant.coordinator_id.not_in(proposed),
        )
        .distinct()
        .order_by(Grant.reference)
        .limit(20)
    )
    return [
        Duty(
            f"Give a bank account for {name}",
            f"{reference}: a payment waits and there is no account to pay it to.",
            "Enter the account",
            "agreements.account",
            {"ref": reference},
        )
        for reference, name in (yield from ask(statement))
    ]
