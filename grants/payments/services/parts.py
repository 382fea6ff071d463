"""A decision by whose costs it pays: its parts are kept, and the ledger books them partner by partner.

What an order sends and the bank books is parted as the request it pays: by the costs that are paid, never by what of
the commitment happens to be open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from grants.agreements.models import Grant
from grants.agreements.states import GrantState, PaymentKind
from grants.core import faults
from grants.core.db import db, get
from grants.core.money import ZERO, Money, total
from grants.ledger import queries as books
from grants.ledger.accounts import Account
from grants.ledger.rules import Balances, Dimensions, Legs, PartKey, legs_e8_parts, legs_e15, legs_e15_across
from grants.ledger.rules.values import Share
from grants.payments import queries, rules
from grants.payments.models import PaymentOrder, PaymentRequest, PaymentRequestPart, Recovery, RecoveryShare
from grants.payments.queries.offsets import set_off_parts
from grants.payments.queries.several import Stands, stands_of
from grants.payments.rules import Amounts, Decision, DecisionInput, Limits, Part


@dataclass(frozen=True, slots=True)
class Parted:
    """A decision with its parts."""

    decision: Decision
    parts: tuple[Part, ...]

    def amounts(self, name: str) -> dict[PartKey, Money]:
        """One of its amounts by partner and category."""
        found = {(each.organisation_id, each.category): getattr(each, name) for each in self.parts}
        return {key: amount for key, amount in found.items() if amount}


def decided(request: PaymentRequest, given: DecisionInput, found: Balances, limits: Limits) -> Parted:
    """What the decision gives, as a whole and of each part; refused where a partner would have more than its maximum."""
    faults.point("ceiling")
    kind, basis = PaymentKind(request.kind), queries.basis_of(request)
    approved = rules.approved_of(basis.requested, given.approved, given.parts)
    if basis.by_costs:
        rules.refuse_over_partner(kind, approved, basis.partners, basis.names)
    cash = rules.cash_max(kind, approved, basis.partners)
    decision = rules.decide(kind, found, limits, given.approved, cash_max=cash)
    return Parted(decision, rules.parts_of(kind, decision, basis.requested, approved, basis.partners))


def keep(request: PaymentRequest, parts: tuple[Part, ...]) -> None:
    """Keep the parts of a decision; the database holds their sums to the amounts of the request."""
    for part in parts:
        db.session.add(
            PaymentRequestPart(
                request_id=request.id,
                organisation_id=part.organisation_id,
                category=part.category,
                requested=part.requested,
                approved=part.approved,
                refused=part.refused,
                payable=part.payable,
                retained=part.retained,
                cleared=part.cleared,
                deferred=part.deferred,
                recoverable=part.recoverable,
            )
        )


def settled(grant_id: UUID, parted: Parted) -> rules.Settlement:
    """What the balance books of each part, from what the books hold of the grant."""
    return rules.settlement(
        parted.parts,
        accepted=queries.standing(grant_id, Account.GRANT_COSTS),
        outstanding=queries.standing(grant_id, Account.PREFINANCING),
        retention=queries.standing(grant_id, Account.RETENTION),
    )


def cleared_of(grant_id: UUID, parted: Parted) -> dict[PartKey, Money]:
    """Whose open pre-financing covers what a decision clears: that of those who hold it, the own first."""
    held = queries.standing(grant_id, Account.PREFINANCING)
    wanted = rules.by_partner(parted.amounts("cleared"))
    return rules.held_by(parted.decision.cleared, held, wanted)


def sent(orders: Sequence[PaymentOrder]) -> dict[UUID, Amounts]:
    """The parts of what each of these orders sends (E7): of each part of its request what earlier orders left of it.

    Orders of one request that leave together take one after the other, as if each had left alone. The number of statements
    does not grow with the orders.
    """
    found: dict[UUID, Amounts] = {}
    left: dict[UUID, dict[PartKey, Money]] = {}
    stands = _stands(orders)
    wanted: dict[UUID, Money] = {}
    for order in orders:
        wanted[order.request_id] = wanted.get(order.request_id, ZERO) + order.amount
    for order in orders:
        if order.request_id not in left:
            # What came back waits to be issued again, and is left to no other order.
            accounts = (Account.IN_TRANSIT, Account.CONSUMED, Account.RETURNED)
            left[order.request_id] = _left(order, wanted[order.request_id], stands, *accounts)
        of_parts = left[order.request_id]
        found[order.id] = rules.within(order.amount, of_parts)
        for key, amount in found[order.id].items():
            of_parts[key] -= amount
    return found


def _stands(orders: Sequence[PaymentOrder]) -> Stands:
    return stands_of({order.request_id for order in orders}, {order.grant_id for order in orders})


def legs_booked(orders: Sequence[tuple[PaymentOrder, Dimensions]]) -> list[Legs]:
    """The legs of E8 of each order: what of each part was in transit is paid, and consumes the commitment of whose costs these
    are.

    Of what was sent as a whole, before parts were kept, the request says whose it is. Each of a grant of its own: the next
    of one consumes what this one leaves. The number of statements does not grow with the orders.
    """
    stands = _stands([order for order, _ in orders])
    return [_legs_booked(order, dims, stands) for order, dims in orders]


def _legs_booked(order: PaymentOrder, dims: Dimensions, stands: Stands) -> Legs:
    faults.point("ceiling")
    in_transit = stands.moved_for(order.request_id, Account.IN_TRANSIT).get(order.id, {})
    kept = stands.kept.get(order.request_id, ())
    known: dict[PartKey, Money] = {(part.organisation_id, part.category): part.payable for part in kept}
    wanted: Amounts = in_transit
    if not all(amount <= known.get(key, ZERO) for key, amount in in_transit.items()):
        wanted = rules.within(order.amount, _left(order, order.amount, stands, Account.CONSUMED, Account.RETURNED))
    consumed = rules.fitted(order.amount, wanted, stands.open.get(order.grant_id, {}))
    return legs_e8_parts(consumed, dims, in_transit=in_transit)


def reopened(
    recovery: Recovery, *, owed: Money, received: Money, due: Mapping[UUID | None, Money] | None = None
) -> list[Share]:
    """Whose commitment opens again when money comes back (E14): that of whose share it is, as far as it was consumed.

    What is ``owed`` is owed by the partners in proportion to their shares; without shares, of what was consumed. What is
    still ``due`` to them counts as consumed where it pays the debt. Of a closed grant none opens: nothing more is spent of it.
    """
    if get(Grant, recovery.grant_id).state == GrantState.CLOSED.value:
        return []
    most = dict(books.partners_consumed(recovery.grant_id))
    for partner, amount in (due or {}).items():
        most[partner] = most.get(partner, ZERO) + max(amount, ZERO)
    consumed = tuple(most.items())
    rules.refuse_above_paid(received, _paid(most))
    too_much = _owed_by(recovery)
    if total(too_much.values()) != recovery.amount:
        return list(rules.shares_of(received, consumed))
    # What earlier receipts took of each, as if they had come at once: a cent may lie otherwise, the sum never does.
    before = rules.within(recovery.amount - owed, too_much)
    left = {key: amount - before.get(key, ZERO) for key, amount in too_much.items()}
    return list(rules.by_partner(rules.fitted(received, left, dict(consumed))).items())


def comes_back(recovery: Recovery, received: Money) -> bool:
    """Whether so much of a debt can be paid back: not where the bank returned what was paid; of a closed grant always."""
    if get(Grant, recovery.grant_id).state == GrantState.CLOSED.value:
        return True
    return received <= _paid(dict(books.partners_consumed(recovery.grant_id)))


def _paid(consumed: Mapping[UUID | None, Money]) -> Money:
    return total(max(each, ZERO) for each in consumed.values())


def _owed_by(recovery: Recovery) -> dict[PartKey, Money]:
    """Whose share of a debt is how much; of what was established before shares were kept, as its balance parted it."""
    kept = db.session.scalars(select(RecoveryShare).where(RecoveryShare.recovery_id == recovery.id)).all()
    if kept or recovery.request_id is None:
        return {(share.organisation_id, None): share.amount for share in kept if share.amount}
    return {
        (part.organisation_id, None): part.recoverable
        for part in queries.parts_kept(recovery.request_id)
        if part.recoverable
    }


def payable_left(request: PaymentRequest) -> dict[PartKey, Money]:
    """What the books hold as payable of each part of a request and no order holds: what may be set off."""
    kept = queries.parts_kept(request.id)
    left: dict[PartKey, Money] = {(part.organisation_id, part.category): part.payable for part in kept if part.payable}
    for key, amount in set_off_parts(request.id).items():
        left[key] = left.get(key, ZERO) - amount
    for account in (Account.IN_TRANSIT, Account.CONSUMED, Account.RETURNED):
        for moved in queries.moved_for(request.id, account).values():
            for key, amount in moved.items():
                left[key] = left.get(key, ZERO) - amount
    return left


def legs_set_off(
    request: PaymentRequest,
    dims: Dimensions,
    debt: Recovery,
    owes: Dimensions,
    amount: Money,
    *,
    owed: Money,
    returned: Sequence[tuple[Amounts, Dimensions]] = (),
) -> Legs:
    """The legs of E15: of each part of the request what is set off; across grants as if it had been paid and paid back.

    ``returned`` is what came back and is let go: it is payable again with what no order holds.
    """
    held = payable_left(request)
    for of_order, _ in returned:
        for key, each in of_order.items():
            held[key] = held.get(key, ZERO) + each
    fits = total(each for each in held.values() if each > ZERO) >= amount
    # What was decided before parts were kept, or sent as a whole, is set off as a whole.
    taken: dict[PartKey, Money] = rules.within(amount, held) if fits else {(dims.organisation_id, None): amount}
    if request.grant_id == debt.grant_id:
        if fits:
            return _legs_within(held, dims, debt, owes, amount, owed=owed, returned=returned)
        return legs_e15(taken, dims, debt=owes, returned=returned)
    consumed = rules.fitted(amount, taken, queries.open_of(request.grant_id))
    return legs_e15_across(
        taken,
        dims,
        debtor=owes,
        consumed=consumed,
        reopened=reopened(debt, owed=owed, received=amount),
        returned=returned,
    )


def _legs_within(
    held: Amounts,
    dims: Dimensions,
    debt: Recovery,
    owes: Dimensions,
    amount: Money,
    *,
    owed: Money,
    returned: Sequence[tuple[Amounts, Dimensions]],
) -> Legs:
    """The legs of E15 within a grant: first what is due to who owes, of whose commitment nothing moves.

    What is taken of others counts as paid to them and paid back by who owes.
    """
    due = rules.by_partner({key: each for key, each in held.items() if each > ZERO})
    back = dict(reopened(debt, owed=owed, received=amount, due=due))
    taken = rules.held_by(amount, held, back)
    net = {
        partner: each - back.get(partner, ZERO)
        for partner, each in (dict.fromkeys(back, ZERO) | rules.by_partner(taken)).items()
    }
    paid: dict[PartKey, Money] = {(partner, None): each for partner, each in net.items() if each > ZERO}
    return legs_e15(
        taken,
        dims,
        debt=owes,
        consumed=rules.fitted(total(paid.values()), paid, queries.open_of(debt.grant_id)),
        reopened=[(partner, -each) for partner, each in net.items() if each < ZERO],
        returned=returned,
    )


def _left(order: PaymentOrder, wanted: Money, stands: Stands, *accounts: Account) -> dict[PartKey, Money]:
    """What is payable of each part of a request, less what these accounts hold of its orders; as agreed without parts.

    Where that is less than ``wanted``, earlier orders were booked as wholes: what is payable then.
    """
    parts = stands.kept.get(order.request_id, ())
    if not parts:
        return {(partner, None): amount for partner, amount in stands.open.get(order.grant_id, {}).items()}
    left: dict[PartKey, Money] = {(part.organisation_id, part.category): part.payable for part in parts}
    for account in accounts:
        for moved in stands.moved_for(order.request_id, account).values():
            for key, amount in moved.items():
                if key in left:
                    left[key] -= amount
    for key, amount in stands.set_off.get(order.request_id, {}).items():
        if key in left:
            left[key] -= amount
    if total(amount for amount in left.values() if amount > ZERO) < wanted:
        # Earlier orders were booked as wholes: what they left is not known part by part.
        return {(part.organisation_id, part.category): part.payable for part in parts}
    return left
