"""Whose absence stops a payment that is due soon: read for `grants doctor`, person by person as the acts would ask them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import select

from grants.agreements import queries as agreements
from grants.agreements.models import Grant
from grants.core import clock
from grants.core.db import db
from grants.core.errors import NotFound, Refused
from grants.core.permissions import Actor, Scope
from grants.identity import queries as identity
from grants.payments.models import PaymentOrder, PaymentRequest
from grants.payments.queries.circuit import STEP_OF, hands_of
from grants.payments.queries.orders import order_views
from grants.payments.rules.absences import Waiting, warnings
from grants.payments.rules.authority import above_limit
from grants.payments.rules.circuit import (
    DEFAULT_CIRCUIT,
    refuse_own_account,
    refuse_sending_to_own_account,
    refuse_tied_account,
)
from grants.payments.rules.hands import Hands, refuse_hand
from grants.payments.rules.showing import OrderView
from grants.payments.states import BEFORE_FILE, DECIDED, OrderState, Step

# What is due within so many days is looked at, the earliest first, and so many at most.
DAYS_AHEAD = 30
LOOKED_AT_MAX = 100
STEPS_LEFT = {
    OrderState.PREPARED: (Step.VERIFIED, Step.AUTHORISED, Step.SENT),
    OrderState.VERIFIED: (Step.AUTHORISED, Step.SENT),
    OrderState.AUTHORISED: (Step.SENT,),
    OrderState.IN_FILE: (Step.SENT,),
}


@dataclass(frozen=True, slots=True)
class _Person:
    """One person as they will be on a day: their rights, what is known of their hands, and whom a conflict keeps them from."""

    actor: Actor
    hands: Hands
    conflicts: frozenset[UUID]


def absences(at: datetime) -> tuple[str, ...]:
    """A sentence for each cause by which a payment due in the next thirty days stops, or would if somebody were away."""
    orders = _orders(at)
    requests = _requests(at)
    grants = {
        row.id: row
        for row in db.session.scalars(
            select(Grant).where(Grant.id.in_({each.grant_id for each in orders} | {row.grant_id for row in requests}))
        )
    }
    known: dict[date, dict[UUID, _Person]] = {}
    waiting = []
    for due_on, reference, grant_id, order in [
        *((each.due_on, each.reference, each.grant_id, each) for each in orders),
        *((row.due_on, row.reference, row.grant_id, None) for row in requests),
    ]:
        day = max(due_on, clock.in_zone(at).date())
        if day not in known:
            known[day] = _people(max(at, clock.end_of_day(day)), grants)
        people = known[day]
        waiting.append(_waiting(reference, due_on, agreements.scope(grants[grant_id]), grant_id, order, people))
    names = {user_id: each.actor.name for people in known.values() for user_id, each in people.items()}
    return warnings(waiting, names)


def _orders(at: datetime) -> tuple[OrderView, ...]:
    until = clock.add_days(clock.in_zone(at).date(), DAYS_AHEAD)
    rows = db.session.scalars(
        select(PaymentOrder)
        .where(
            PaymentOrder.state.in_([state.value for state in (*BEFORE_FILE, OrderState.IN_FILE)]),
            PaymentOrder.due_on <= until,
        )
        .order_by(PaymentOrder.due_on, PaymentOrder.reference)
        .limit(LOOKED_AT_MAX)
    ).all()
    return order_views(rows)


def _requests(at: datetime) -> list[PaymentRequest]:
    """Decided requests of which nothing was ordered yet."""
    until = clock.add_days(clock.in_zone(at).date(), DAYS_AHEAD)
    live = select(PaymentOrder.id).where(
        PaymentOrder.request_id == PaymentRequest.id, PaymentOrder.state != OrderState.CANCELLED.value
    )
    return list(
        db.session.scalars(
            select(PaymentRequest)
            .where(
                PaymentRequest.state.in_([state.value for state in DECIDED]),
                PaymentRequest.due_on <= until,
                ~live.exists(),
            )
            .order_by(PaymentRequest.due_on, PaymentRequest.reference)
            .limit(LOOKED_AT_MAX)
        )
    )


def _people(at: datetime, grants: Collection[UUID]) -> dict[UUID, _Person]:
    """Everybody who holds a role of the circuit at a moment."""
    found = {}
    for user_id in {each.user_id for each in identity.circuit_roles(at=at)}:
        try:
            actor = identity.actor_for(user_id, at=at)
        except NotFound:
            continue
        # What was authorised today counts today alone; the limits of one order count on any day.
        found[user_id] = _Person(actor, hands_of(actor, at), agreements.conflicts_among(actor, grants))
    return found


def _waiting(
    reference: str,
    due_on: date,
    scope: Scope,
    grant_id: UUID,
    order: OrderView | None,
    people: dict[UUID, _Person],
) -> Waiting:
    steps = STEPS_LEFT[order.state] if order else tuple(Step)
    left = {
        step: tuple(user_id for user_id, each in people.items() if _could(each, step, scope, grant_id, order))
        for step in steps
    }
    held = frozenset(step for step in steps for each in people.values() if each.actor.can(STEP_OF[step]))
    prepared_at = order.prepared_at if order else None
    hands = next((each.hands for each in people.values()), None)
    circuit = hands.circuit_of(prepared_at) if hands else DEFAULT_CIRCUIT
    tied = frozenset(
        frozenset({user_id, tie.other})
        for user_id, each in people.items()
        for tie in each.hands.ties
        if tie.holds(each.hands.at)
    )
    return Waiting(reference, due_on, circuit, left, held, tied)


def _could(person: _Person, step: Step, scope: Scope, grant_id: UUID, order: OrderView | None) -> bool:
    """Whether this person could take a step, as the act would ask."""
    actor = person.actor
    if not actor.may(STEP_OF[step], scope) or grant_id in person.conflicts:
        return False
    return order is None or _not_refused(person, step, order)


def _not_refused(person: _Person, step: Step, order: OrderView) -> bool:
    account, user_id = order.account, person.actor.user_id
    try:
        refuse_hand(
            order.signed,
            signatures=[(each.user_id, each.signed_at) for each in order.standing],
            prepared_at=order.prepared_at,
            step=step,
            user_id=user_id,
            hands=person.hands,
        )
        if step is Step.SENT:
            refuse_sending_to_own_account(account.entered_by, user_id, order.reference)
            refuse_tied_account(account.made[:1], person.hands.ties, person.hands.at)
        else:
            refuse_own_account((account.entered_by, account.confirmed_by), user_id)
            refuse_tied_account(account.made, person.hands.ties, person.hands.at)
    except Refused:
        return False
    return step is not Step.AUTHORISED or above_limit(order.amount, person.hands.limits(user_id, order.call_id)) is None
