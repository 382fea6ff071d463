"""How a request and its decision are parted by whose costs they pay: by partner, and by category where costs are. Pure.

Every sum over the parts is the amount of the decision, to the cent: amounts are spread by largest remainder, and
nothing that is spread ever exceeds what it is spread over.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar, assert_never
from uuid import UUID

from grants.agreements.states import PaymentKind
from grants.core import faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.ledger.rules import PartKey
from grants.payments.rules.decisions import ApprovedPart, Decision

Holder = TypeVar("Holder", bound=Hashable)

# Amounts by partner and category.
Amounts = Mapping[PartKey, Money]

# Amounts by partner.
ByPartner = Mapping[UUID | None, Money]


@dataclass(frozen=True, slots=True)
class Part:
    """What is decided of the costs of one partner, and of one category where they are accepted by category.

    Each amount means what it means for the whole (:class:`grants.payments.rules.Decision`).
    """

    organisation_id: UUID
    category: str | None
    requested: Money = ZERO
    approved: Money = ZERO
    payable: Money = ZERO
    retained: Money = ZERO
    cleared: Money = ZERO
    deferred: Money = ZERO
    recoverable: Money = ZERO

    @property
    def refused(self) -> Money:
        """What was requested and is not approved."""
        return self.requested - self.approved

    @property
    def booked(self) -> Money:
        """What is booked as accepted now (interim): paid, or covered by pre-financing."""
        return self.payable + self.cleared


@dataclass(frozen=True, slots=True)
class PartLine:
    """A part as a page shows it: the partner by name, the category in the call's words, empty where there is none."""

    part: Part
    partner: str
    category: str

    @property
    def field(self) -> str:
        """The name of the field in which what is approved of it is typed."""
        return place((self.part.organisation_id, self.part.category))


@dataclass(frozen=True, slots=True)
class Partners:
    """Where the partners of a grant stand: what each may have, and what earlier decisions gave it.

    ``authorised`` is what was made payable or retained for it, ``received`` what was made payable,
    ``accepted`` what was approved of its costs.
    """

    maxima: ByPartner
    authorised: ByPartner
    received: ByPartner
    accepted: ByPartner


def within(amount: Money, held: Mapping[Holder, Money]) -> dict[Holder, Money]:
    """An amount spread over what is held, in proportion; no part is more than what it is taken from.

    >>> within(Money(5), {"city": Money(6), "agency": Money(3), "owes": Money(-1)})
    {'city': Money(cents=3, currency='EUR'), 'agency': Money(cents=2, currency='EUR')}
    """
    holders = {key: each for key, each in held.items() if each > ZERO}
    assert ZERO <= amount <= total(holders.values()), f"{amount} is not within {total(holders.values())}"
    if not amount:
        return {}
    parts = amount.split([each.cents for each in holders.values()])
    return {key: part for key, part in zip(holders, parts, strict=True) if part}


def less_cancelled(parts: Iterable[Part], amount: Money, retained: Money, of: UUID | None = None) -> tuple[Part, ...]:
    """The parts of approved pre-financing less what was cancelled unpaid, and what was retained of it where that fell away.

    ``of`` names the partner where only what falls on it was cancelled.
    """
    found = tuple(parts)
    own = [each for each in found if of is None or each.organisation_id == of]
    off = within(amount, {(each.organisation_id, each.category): each.payable for each in own})
    return tuple(
        replace(
            each,
            payable=each.payable - off.get((each.organisation_id, each.category), ZERO),
            retained=ZERO if retained and (of is None or each.organisation_id == of) else each.retained,
        )
        for each in found
    )


def refuse_above_paid(back: Money, paid: Money) -> None:
    """Refuse that more comes back of a grant than is still ``paid``: what the bank returned, nobody has to pay back."""
    faults.point("ceiling")
    if back > paid:
        raise Refused(
            f"{paid} of this grant is still paid, so {back} cannot come back of it: the bank returned the rest. "
            "Issue again what was returned, or cancel the debt."
        )


def fitted(amount: Money, wanted: Amounts, most: ByPartner) -> dict[PartKey, Money]:
    """An amount spread as it is wanted, no partner above its ``most``; what does not fit goes where there is room.

    Refused where all of them together have no room for it.
    """
    faults.point("ceiling")
    room = total(max(each, ZERO) for each in most.values())
    if amount > room:
        raise Refused(f"{room} of the commitment is open; {amount} cannot be paid. Look at the ledger of this grant.")
    spread = within(amount, wanted)
    sums = by_partner(spread)
    kept = {partner: min(each, max(most.get(partner, ZERO), ZERO)) for partner, each in sums.items()}
    found: dict[PartKey, Money] = {}
    for partner, each in kept.items():
        found |= within(each, {key: part for key, part in spread.items() if key[0] == partner})
    spare = {partner: each - kept.get(partner, ZERO) for partner, each in most.items()}
    for partner, each in within(amount - total(kept.values()), spare).items():
        found[partner, None] = found.get((partner, None), ZERO) + each
    return found


def capped(wanted: Amounts, most: ByPartner) -> dict[PartKey, Money]:
    """What of each partner's own fits under its ``most``; what does not fit is nobody's.

    >>> capped({("agency", "A"): Money(6), ("agency", "B"): Money(2), ("city", "A"): Money(1)}, {"agency": Money(4), "city": Money(9)})
    {('agency', 'A'): Money(cents=3, currency='EUR'), ('agency', 'B'): Money(cents=1, currency='EUR'), ('city', 'A'): Money(cents=1, currency='EUR')}
    """
    found: dict[PartKey, Money] = {}
    for partner, each in by_partner(wanted).items():
        own = {key: amount for key, amount in wanted.items() if key[0] == partner}
        found |= within(min(each, max(most.get(partner, ZERO), ZERO)), own)
    return found


def held_by(amount: Money, held: Amounts, wanted: ByPartner) -> dict[PartKey, Money]:
    """An amount taken from what is held: of each partner first what it wants of its own, the rest from all who hold more."""
    found: dict[PartKey, Money] = {}
    for partner, own in wanted.items():
        mine = {key: each for key, each in held.items() if key[0] == partner and each > ZERO}
        found |= within(min(own, total(mine.values())), mine)
    for key, each in within(amount - total(found.values()), _less(held, found)).items():
        found[key] = found.get(key, ZERO) + each
    return found


def by_partner(amounts: Amounts) -> dict[UUID | None, Money]:
    """The sums of each partner."""
    found: dict[UUID | None, Money] = {}
    for (partner, _), amount in amounts.items():
        found[partner] = found.get(partner, ZERO) + amount
    return found


def approved_of(requested: Amounts, approved: Money, chosen: Iterable[ApprovedPart]) -> dict[PartKey, Money]:
    """What is approved of each part: as chosen, part by part, or a cut spread over all of them."""
    given = {(each.organisation_id, each.category): each.approved for each in chosen}
    if not given:
        return within(approved, requested)
    for key, amount in given.items():
        most = requested.get(key, ZERO)
        if not ZERO <= amount <= most:
            raise Invalid(
                "A part is approved above what is requested of it.",
                {place(key): f"{most} is requested of this part. Enter an amount from zero to that."},
            )
    if total(given.values()) != approved:
        raise Invalid(
            "The parts do not add up to the amount approved.",
            {"approved": f"The parts add up to {total(given.values())}. Enter that, or change the parts."},
        )
    return {key: amount for key, amount in given.items() if amount}


def place(key: PartKey) -> str:
    """The field of the decision form in which what is approved of this part is typed."""
    return f"part-{key[0]}-{key[1] or ''}"


def refuse_over_partner(kind: PaymentKind, approved: Amounts, partners: Partners, names: Mapping[UUID, str]) -> None:
    """Refuse what takes a partner above its own maximum, although the grant as a whole has room (I10).

    A partner's costs are accepted, and its pre-financing authorised, up to its maximum; the final
    amount is the whole and counts by itself.
    """
    faults.point("ceiling")
    earlier: ByPartner = {
        PaymentKind.PREFINANCING: partners.authorised,
        PaymentKind.ADDITIONAL: partners.authorised,
        PaymentKind.INTERIM: partners.accepted,
        PaymentKind.BALANCE: {},
        PaymentKind.LATE_INTEREST: {},
    }[kind]
    for partner, amount in by_partner(approved).items():
        maximum, before = partners.maxima.get(partner, ZERO), earlier.get(partner, ZERO)
        if before + amount > maximum:
            name = names.get(partner, "A partner") if partner else "A partner"
            raise Refused(
                f"{name} may have {maximum} at most, and {before + amount} would be approved for it: {before + amount - maximum} "
                "too much. Approve less of its costs."
            )


def cash_max(kind: PaymentKind, approved: Amounts, partners: Partners) -> Money | None:
    """What may be paid now for these costs under the partners' own maxima; None where that sets no limit."""
    return total(_cash(approved, partners).values()) if kind is PaymentKind.INTERIM else None


def _cash(approved: Amounts, partners: Partners) -> dict[UUID | None, Money]:
    """What each partner may be paid now: its approved costs, up to what its maximum leaves."""
    return {
        partner: min(amount, max(partners.maxima.get(partner, ZERO) - partners.authorised.get(partner, ZERO), ZERO))
        for partner, amount in by_partner(approved).items()
    }


def parts_of(
    kind: PaymentKind, decision: Decision, requested: Amounts, approved: Amounts, partners: Partners
) -> tuple[Part, ...]:
    """A decision by partner and category; each of its amounts is the sum of its parts."""
    match kind:
        case PaymentKind.PREFINANCING | PaymentKind.ADDITIONAL:
            spread = _prefinancing(decision, approved)
        case PaymentKind.INTERIM:
            spread = _interim(decision, approved, partners)
        case PaymentKind.BALANCE:
            spread = _balance(decision, approved, partners)
        case PaymentKind.LATE_INTEREST:
            # One part, the coordinator's: it is nobody's costs.
            spread = {"payable": dict(approved)}
        case _:
            assert_never(kind)
    keys = dict.fromkeys((*requested, *(key for amounts in spread.values() for key in amounts)))
    parts = tuple(
        Part(
            partner,
            category,
            requested.get((partner, category), ZERO),
            approved.get((partner, category), ZERO),
            **{name: amounts.get((partner, category), ZERO) for name, amounts in spread.items()},
        )
        for partner, category in keys
        if partner is not None
    )
    for name in ("approved", "payable", "retained", "cleared", "deferred", "recoverable"):
        assert total(getattr(each, name) for each in parts) == getattr(decision, name), f"{name} lost a cent"
    return parts


def _prefinancing(decision: Decision, approved: Amounts) -> dict[str, dict[PartKey, Money]]:
    retained = within(decision.retained, approved)
    return {"payable": _less(approved, retained), "retained": retained}


def _interim(decision: Decision, approved: Amounts, partners: Partners) -> dict[str, dict[PartKey, Money]]:
    payable: dict[PartKey, Money] = {}
    for partner, amount in within(decision.payable, _cash(approved, partners)).items():
        payable |= within(amount, {key: each for key, each in approved.items() if key[0] == partner})
    rest = _less(approved, payable)
    cleared = within(decision.cleared, rest)
    return {"payable": payable, "cleared": cleared, "deferred": _less(rest, cleared)}


def _balance(decision: Decision, approved: Amounts, partners: Partners) -> dict[str, dict[PartKey, Money]]:
    """What each partner is owed is its final amount less what was paid for it; who had too much owes in that proportion.

    Only one of the two is ever above zero for the whole; a debt is the partner's and of no category.
    """
    final = by_partner(approved)
    due = {
        partner: final.get(partner, ZERO) - partners.received.get(partner, ZERO)
        for partner in (*final, *(each for each in partners.received if each not in final))
    }
    payable: dict[PartKey, Money] = {}
    for partner, amount in within(decision.payable, due).items():
        payable |= within(amount, {key: each for key, each in approved.items() if key[0] == partner})
    owed = within(decision.recoverable, {partner: -each for partner, each in due.items()})
    return {"payable": payable, "recoverable": {(partner, None): amount for partner, amount in owed.items()}}


def _less(amounts: Amounts, taken: Amounts) -> dict[PartKey, Money]:
    rest = {key: amount - taken.get(key, ZERO) for key, amount in amounts.items()}
    return {key: amount for key, amount in rest.items() if amount}


@dataclass(frozen=True, slots=True)
class Settlement:
    """What the balance books, by partner and category: the amounts of E11 or E11b, and of E12.

    ``change`` is what is accepted of each part above what was accepted of it so far; below, it is negative.
    """

    change: dict[PartKey, Money]
    cleared: dict[PartKey, Money]
    reopened: dict[PartKey, Money]
    retention: dict[PartKey, Money]
    owed: dict[PartKey, Money]
    absorbed: dict[PartKey, Money]
    released: dict[PartKey, Money]

    @property
    def taken_back(self) -> dict[PartKey, Money]:
        """The change the other way round, where less is accepted in all."""
        return {key: -amount for key, amount in self.change.items()}


def settlement(parts: Iterable[Part], *, accepted: Amounts, outstanding: Amounts, retention: Amounts) -> Settlement:
    """How the balance goes into the books, from what they hold of accepted costs, open pre-financing and retention.

    A partner's costs may be covered by what another had in advance: the advance is the consortium's.
    """
    found = tuple(parts)
    final: dict[PartKey, Money] = {(each.organisation_id, each.category): each.approved for each in found}
    change = {key: final.get(key, ZERO) - accepted.get(key, ZERO) for key in dict.fromkeys((*final, *accepted))}
    change = {key: amount for key, amount in change.items() if amount}
    net = total(change.values())
    open_, kept = total(outstanding.values()), total(retention.values())
    cleared = within(min(max(net, ZERO), open_), outstanding)
    reopened = within(max(-net, ZERO), {key: -amount for key, amount in change.items()})
    after = dict(_less(outstanding, cleared))
    for key, amount in reopened.items():
        after[key] = after.get(key, ZERO) + amount
    absorbed = within(min(kept, total(after.values())), after)
    payable: dict[PartKey, Money] = {
        (each.organisation_id, each.category): each.payable for each in found if each.payable
    }
    released = within(kept - total(absorbed.values()), payable)
    return Settlement(change, cleared, reopened, dict(retention), _less(payable, released), absorbed, released)
