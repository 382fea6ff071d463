"""Who may put a hand to an order: the checks that every step of the circuit shares, read under the locks of its act."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import BankAccount, Grant
from grants.core import acts, faults
from grants.core.db import db, get
from grants.core.errors import Refused
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.identity.rules.standing_in import tied_by
from grants.identity.services import refuse_tied_to
from grants.payments import rules
from grants.payments.models import (
    AuthorityLimit,
    LateInterest,
    PaymentOrder,
    PaymentOrderSignature,
    RecoveryInterest,
)
from grants.payments.queries.circuit import circuits, hands_of
from grants.payments.rules.authority import refuse_above_limit, who_can
from grants.payments.rules.circuit import (
    Circuit,
    circuit_at,
    is_kept_apart,
    refuse_impersonating,
    refuse_sending_to_own_account,
    refuse_tied_account,
)
from grants.payments.rules.hands import Acting, Hands, refuse_hand
from grants.payments.states import Step


def refuse_hands(actor: Actor, orders: Sequence[PaymentOrder], step: Step) -> Hands:
    """Refuse a step of these orders by whoever the circuit of one keeps apart from those who signed it.

    The number of statements does not grow with the orders. Returns what is known of the person.
    """
    faults.point("four_eyes")
    refuse_impersonating(actor.on_behalf_of)
    hands = hands_of(actor, acts.moment())
    given = _signatures([order.id for order in orders])
    for order in orders:
        standing = given[order.id]
        people = {one: person for one, person in signed(order).items() if one is not step}
        refuse_hand(
            people,
            signatures=[(person, at) for one, person, at in standing if one is not step],
            prepared_at=max((at for one, _, at in standing if one is Step.PREPARED), default=None),
            step=step,
            user_id=actor.user_id,
            hands=hands,
        )
    if step is Step.SENT:
        _refuse_own_entries(actor, orders, hands)
    return hands


def refuse_account_hand(actor: Actor, account: BankAccount, hands: Hands) -> None:
    """Nobody approves an order to an account they entered or confirmed, nor somebody who counts as one with who did."""
    made = ((account.entered_by, account.entered_at), (account.confirmed_by, account.confirmed_at))
    rules.refuse_own_account([person for person, _ in made], actor.user_id)
    refuse_tied_account(made, hands.ties, hands.at)


def refuse_too_much(actor: Actor, order: PaymentOrder, hands: Hands, account: BankAccount) -> None:
    """Nobody authorises above their limit, or above that of who they stand in for."""
    faults.point("ceiling")
    call_id = get(Grant, order.grant_id).call_id
    used = hands.limits(actor.user_id, call_id)
    if not used:
        return
    # Two orders authorised at once by one person are counted one after the other.
    people = [each.limit.user_id for each in used]
    lines = select(AuthorityLimit.id).where(AuthorityLimit.user_id.in_(people)).order_by(AuthorityLimit.id)
    db.session.scalars(lines.with_for_update()).all()
    used = hands_of(actor, acts.moment()).limits(actor.user_id, call_id)
    others = (actor.user_id, *signed(order).values(), account.entered_by, account.confirmed_by)
    refuse_above_limit(order.amount, used, who_can(order.amount, hands.authorisers, call_id, others))


def standing_in(actor: Actor, step: Step, grant_id: UUID) -> Acting | None:
    """The role of somebody else by which this person takes a step; None where it is their own."""
    return hands_of(actor, acts.moment()).standing_in(step, get(Grant, grant_id).call_id)


def sign(
    actor: Actor,
    order: PaymentOrder,
    step: Step,
    note: str = "",
    *,
    evidence: Sequence[str] = (),
    acting: Acting | None = None,
) -> None:
    """Put a signature to an order as it stands: who, when, in whose role, and what was ticked."""
    db.session.add(
        PaymentOrderSignature(
            order_id=order.id,
            step=step.value,
            user_id=actor.user_id,
            signed_at=acts.moment(),
            amount=order.amount,
            bank_account_id=order.bank_account_id,
            note=note.strip() or None,
            stand_in_for=acting.for_id if acting else None,
            evidence=list(evidence) or None,
        )
    )


def signed(order: PaymentOrder) -> dict[Step, UUID]:
    """Who took which step so far."""
    found = {
        Step.PREPARED: order.prepared_by,
        Step.VERIFIED: order.verified_by,
        Step.AUTHORISED: order.authorised_by,
        Step.SENT: order.sent_by,
    }
    return {step: person for step, person in found.items() if person is not None}


def _signatures(order_ids: Sequence[UUID]) -> dict[UUID, list[tuple[Step, UUID, datetime]]]:
    """The signatures that count, by order."""
    rows = db.session.execute(
        select(
            PaymentOrderSignature.order_id,
            PaymentOrderSignature.step,
            PaymentOrderSignature.user_id,
            PaymentOrderSignature.signed_at,
        ).where(PaymentOrderSignature.order_id.in_(order_ids), PaymentOrderSignature.voided_at.is_(None))
    )
    found: dict[UUID, list[tuple[Step, UUID, datetime]]] = defaultdict(list)
    for order_id, step, user_id, signed_at in rows:
        found[order_id].append((Step(step), user_id, signed_at))
    return found


@dataclass(frozen=True, slots=True)
class _Given:
    """What was signed of an order before it was sent, and the circuit that keeps apart who signed."""

    order: PaymentOrder
    circuit: Circuit
    signatures: tuple[tuple[UUID, datetime], ...]

    @property
    def people(self) -> dict[Step, UUID]:
        return {step: person for step, person in signed(self.order).items() if step is not Step.SENT}


def _given(orders: Iterable[PaymentOrder]) -> list[_Given]:
    """The same of several orders, in two statements however many there are."""
    several = list(orders)
    if not several:
        return []
    known, at = circuits(), acts.moment()
    signatures = _signatures([order.id for order in several])
    found = []
    for order in several:
        standing = signatures[order.id]
        prepared_at = max((when for step, _, when in standing if step is Step.PREPARED), default=at)
        before = tuple((person, when) for step, person, when in standing if step is not Step.SENT)
        found.append(_Given(order, circuit_at(known, prepared_at), before))
    return found


def kept_apart(user_id: UUID | None, orders: Iterable[PaymentOrder]) -> set[UUID]:
    """The orders of which this person does not say what the bank did: their circuit keeps apart a step the person took, or
    who took one counts as one with them.
    """
    ties, at = identity.ties_of(user_id), acts.moment()
    return {
        each.order.id
        for each in _given(orders)
        if is_kept_apart(each.people, Step.SENT, user_id, each.circuit) or tied_by(each.signatures, ties, at)
    }


def refuse_signers(user_id: UUID | None, orders: Sequence[PaymentOrder]) -> None:
    """The same for one deed: refused with who must be somebody else."""
    faults.point("four_eyes")
    given = _given(orders)
    for each in given:
        rules.refuse_same_person(each.people, Step.SENT, user_id, each.circuit)
    refuse_tied_to(user_id, *itertools.chain.from_iterable(each.signatures for each in given))


def _refuse_own_entries(actor: Actor, orders: Sequence[PaymentOrder], hands: Hands) -> None:
    """Nobody sends money to an account they entered, nor to one of somebody they count as one with."""
    accounts = {order.bank_account_id for order in orders}
    asked = select(BankAccount.id, BankAccount.entered_by, BankAccount.entered_at).where(BankAccount.id.in_(accounts))
    entered: dict[UUID, tuple[UUID, datetime]] = {each: (person, at) for each, person, at in db.session.execute(asked)}
    for order in orders:
        refuse_sending_to_own_account(entered[order.bank_account_id][0], actor.user_id, order.reference)
    refuse_tied_account(entered.values(), hands.ties, hands.at)


def refuse_own_reckoning(
    actor: Actor, found: Sequence[RecoveryInterest] | Sequence[LateInterest], *, nothing: str
) -> None:
    """Refuse who reckoned one of these interests, or is tied to who did, to decide on them; ``nothing`` where none waits."""
    if not found:
        raise Refused(nothing)
    faults.point("four_eyes")
    if actor.user_id in {each.booked_by for each in found}:
        raise Refused("You reckoned this interest, so somebody else must decide on it. Ask a colleague.")
    refuse_tied_to(actor.user_id, *((each.booked_by, each.booked_at) for each in found))
