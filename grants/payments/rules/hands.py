"""Who may take which step of an order, and whether those who did were the people its circuit asks for. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from grants.agreements.rules import waiting_words
from grants.core.errors import Problem, Refused
from grants.identity.rules.standing_in import Tie, refuse_tied
from grants.payments.rules.authority import Authoriser, Used, above_limit, who_can
from grants.payments.rules.circuit import (
    ALL_PAIRS,
    Circuit,
    circuit_at,
    refuse_own_account,
    refuse_same_person,
    refuse_sending_to_own_account,
    refuse_tied_account,
)
from grants.payments.rules.showing import BatchView, OrderView
from grants.payments.rules.standing import refuse_suspended
from grants.payments.states import (
    OrderState,
    Step,
)

NEXT_STEP: Mapping[OrderState, Step] = {
    OrderState.PREPARED: Step.VERIFIED,
    OrderState.VERIFIED: Step.AUTHORISED,
    OrderState.AUTHORISED: Step.SENT,
    OrderState.IN_FILE: Step.SENT,
}


@dataclass(frozen=True, slots=True)
class Acting:
    """A role somebody holds now: in one call or (None) in every one; for whom, and until when, where it is not their own."""

    step: Step
    call_id: UUID | None
    for_id: UUID | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Hands:
    """What is known of one person before they take a step of an order: circuits, who counts as one with them, limits."""

    at: datetime
    circuits: tuple[Circuit, ...] = ()
    ties: tuple[Tie, ...] = ()
    # Their own limit, and those of the people they stand in for, by person.
    used: Mapping[UUID, Used] = field(default_factory=dict)
    authorisers: tuple[Authoriser, ...] = ()
    roles: tuple[Acting, ...] = ()

    def circuit_of(self, prepared_at: datetime | None) -> Circuit:
        """The circuit of an order prepared then; of what has no initiator any more, the one that holds now."""
        return circuit_at(self.circuits, prepared_at or self.at)

    def standing_in(self, step: Step, call_id: UUID) -> Acting | None:
        """The role of somebody else by which this step would be taken; None where it is their own."""
        held = [each for each in self.roles if each.step is step and each.call_id in {None, call_id}]
        if any(each.for_id is None for each in held):
            return None
        return next(iter(held), None)

    def limits(self, user_id: UUID | None, call_id: UUID) -> tuple[Used, ...]:
        """The limits that bind an authorisation: their own, and that of whoever they stand in for."""
        acting = self.standing_in(Step.AUTHORISED, call_id)
        people = (user_id, acting.for_id if acting else None)
        return tuple(self.used[person] for person in people if person is not None and person in self.used)


def refuse_hand(
    signed: Mapping[Step, UUID],
    *,
    signatures: Iterable[tuple[UUID, datetime]],
    prepared_at: datetime | None,
    step: Step,
    user_id: UUID | None,
    hands: Hands,
) -> None:
    """Refuse a step of an order by whoever the circuit keeps apart from those who signed, themselves or who they stand in for."""
    refuse_same_person(signed, step, user_id, hands.circuit_of(prepared_at))
    refuse_tied(signatures, hands.ties, hands.at)


def lock_of(order: OrderView, user_id: UUID | None, hands: Hands) -> str | None:
    """Why this person cannot take the next step of an order, or None; the act checks it again."""
    step = NEXT_STEP.get(order.state)
    if step is None:
        return None
    if not order.account.stands:
        return "The bank account was replaced. The initiator must choose the new one."
    if order.account.waits_until is not None and step is not Step.VERIFIED:
        return waiting_words(order.account.waits_until)
    try:
        refuse_hand(
            order.signed,
            signatures=[(each.user_id, each.signed_at) for each in order.standing],
            prepared_at=order.prepared_at,
            step=step,
            user_id=user_id,
            hands=hands,
        )
        if step in {Step.VERIFIED, Step.AUTHORISED}:
            refuse_own_account((order.account.entered_by, order.account.confirmed_by), user_id)
            refuse_tied_account(order.account.made, hands.ties, hands.at)
        if step is Step.SENT:
            refuse_sending_to_own_account(order.account.entered_by, user_id, order.reference)
            refuse_tied_account(order.account.made[:1], hands.ties, hands.at)
        if step is not Step.VERIFIED:
            refuse_suspended(order.request_reference, order.suspended_on)
    except Refused as refusal:
        return str(refusal)
    return _above(order, user_id, hands) if step is Step.AUTHORISED else None


def locks_of(batch: BatchView, user_id: UUID | None, hands: Hands) -> tuple[str, ...]:
    """Why this person cannot send a file, a sentence for each order of it that keeps them out."""
    found = ((each.reference, lock_of(each, user_id, hands)) for each in batch.orders)
    return tuple(f"{reference}: {why}" for reference, why in found if why)


def _above(order: OrderView, user_id: UUID | None, hands: Hands) -> str | None:
    why = above_limit(order.amount, hands.limits(user_id, order.call_id))
    if why is None:
        return None
    others = (user_id, *order.signed.values(), order.account.entered_by, order.account.confirmed_by)
    return f"{why} {who_can(order.amount, hands.authorisers, order.call_id, others)}"


def circuit_problems(order: OrderView, circuits: Iterable[Circuit] = ()) -> tuple[Problem, ...]:
    """I15 for one order: its people differ as its circuit says, each is among its standing signatures, and none approved an
    own account."""
    found = []
    apart = circuit_at(circuits, order.prepared_at).apart if order.prepared_at else ALL_PAIRS
    signed = order.signed.items()
    if any(
        one == two and frozenset({step, other}) in apart
        for step, one in signed
        for other, two in signed
        if step < other
    ):
        found.append("I15: one person took two steps of the circuit.")
    if {each.step: each.user_id for each in order.standing} != order.signed and order.state is not OrderState.CANCELLED:
        found.append("I15: its people are not those of its signatures.")
    if any(each.amount != order.amount for each in order.standing):
        found.append("I12: a signature was given for another amount.")
    own = {order.account.entered_by, order.account.confirmed_by} & {order.verified_by, order.authorised_by}
    if own - {None}:
        found.append("I15: somebody approved a payment to an account he or she entered or confirmed.")
    return tuple(Problem(order.reference, sentence) for sentence in found)
