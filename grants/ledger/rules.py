"""Pure double entry: legs, the legs of each event E1 to E24, balance, mirror images, and the invariants over balances.

Amounts are whole cents. Builders take what was decided and return the legs to post; they check
that the parts belong together, not whether the decision is allowed: ceilings and floors are
guarded where the rows are locked.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from itertools import pairwise
from uuid import UUID

from grants.core.errors import Problem
from grants.core.money import ZERO, Money, total
from grants.ledger.accounts import CHART, Account, Floor, Ledger, Side


class Event(StrEnum):
    """What happened; each has its own builder of legs below."""

    BUDGET_SET = "E1"
    RESERVED = "E2"
    RESERVE_RELEASED = "E3"
    COMMITTED = "E4"
    SIGNED = "E5"
    PREFINANCING_AUTHORISED = "E6"
    ORDER_SENT = "E7"
    ORDER_BOOKED = "E8"
    ORDER_REJECTED = "E9a"
    PAYMENT_RETURNED = "E9b"
    ORDER_REISSUED = "E9c"
    INTERIM_AUTHORISED = "E10"
    FINAL_ABOVE = "E11"
    FINAL_BELOW = "E11b"
    RETENTION_RELEASED = "E12"
    RECOVERY_ORDERED = "E13"
    RECOVERY_RECEIVED = "E14"
    OFFSET = "E15"
    WAIVED = "E16"
    LATE_INTEREST = "E17"
    RECOVERY_INTEREST = "E18"
    AMENDED = "E19"
    TRANSFERRED = "E20"
    DECOMMITTED = "E21"
    RECEIPT_UNIDENTIFIED = "E22"
    DISTRIBUTED = "E23"
    REVERSED = "E24"

    @property
    def label(self) -> str:
        """The event in words, for pages and exports."""
        return _TITLES[self]


_TITLES: Mapping[Event, str] = {
    Event.BUDGET_SET: "Call budget set",
    Event.RESERVED: "Reserved by selection decision",
    Event.RESERVE_RELEASED: "Reserve released",
    Event.COMMITTED: "Budgetary commitment",
    Event.SIGNED: "Grant agreement signed",
    Event.PREFINANCING_AUTHORISED: "Pre-financing authorised",
    Event.ORDER_SENT: "Payment order sent",
    Event.ORDER_BOOKED: "Payment booked by the bank",
    Event.ORDER_REJECTED: "Payment rejected by the bank",
    Event.PAYMENT_RETURNED: "Payment returned by the bank",
    Event.ORDER_REISSUED: "Payment order issued again",
    Event.INTERIM_AUTHORISED: "Interim payment authorised",
    Event.FINAL_ABOVE: "Final amount above accepted so far",
    Event.FINAL_BELOW: "Final amount below accepted so far",
    Event.RETENTION_RELEASED: "Retention released",
    Event.RECOVERY_ORDERED: "Recovery order",
    Event.RECOVERY_RECEIVED: "Recovery received",
    Event.OFFSET: "Offset against a payment due",
    Event.WAIVED: "Debt waived",
    Event.LATE_INTEREST: "Late-payment interest",
    Event.RECOVERY_INTEREST: "Interest on late recovery",
    Event.AMENDED: "Grant amended",
    Event.TRANSFERRED: "Transfer between partners",
    Event.DECOMMITTED: "Decommitted at closure",
    Event.RECEIPT_UNIDENTIFIED: "Unidentified receipt",
    Event.DISTRIBUTED: "Distribution by the coordinator",
    Event.REVERSED: "Reversal",
}


@dataclass(frozen=True, slots=True)
class Dimensions:
    """What a leg is about: ids without foreign keys, since the ledger knows no grants."""

    fund_source_id: UUID | None = None
    call_id: UUID | None = None
    grant_id: UUID | None = None
    organisation_id: UUID | None = None
    category: str | None = None
    period: str | None = None
    document_id: UUID | None = None

    def of(self, organisation_id: UUID | None) -> Dimensions:
        """The same dimensions for one organisation."""
        return Dimensions(
            self.fund_source_id,
            self.call_id,
            self.grant_id,
            organisation_id,
            self.category,
            self.period,
            self.document_id,
        )


NO_DIMENSIONS = Dimensions()
DIMENSIONS = tuple(field.name for field in fields(Dimensions))


@dataclass(frozen=True, slots=True)
class Leg:
    """One line of an entry: an account, a side, an amount above zero, and what it is about."""

    account: Account
    side: Side
    amount: Money
    dims: Dimensions = NO_DIMENSIONS

    def __post_init__(self) -> None:
        if self.amount <= ZERO:
            raise ValueError(f"A leg on {self.account} has {self.amount}; it must be above zero.")

    @property
    def debit_cents(self) -> int:
        """The cents on the debit side, or zero."""
        return self.amount.cents if self.side is Side.DEBIT else 0

    @property
    def credit_cents(self) -> int:
        """The cents on the credit side, or zero."""
        return self.amount.cents if self.side is Side.CREDIT else 0

    @property
    def grows(self) -> bool:
        """Whether this leg raises the balance of its account."""
        return self.side is self.account.normal_side


# A partner and its part of an amount.
Share = tuple[UUID | None, Money]
Legs = tuple[Leg, ...]
# A leg to be, which falls away when its amount is zero; Dr and Cr as bookkeepers write them.
Line = tuple[Side, Account, Money, Dimensions]
DR, CR = Side.DEBIT, Side.CREDIT


@dataclass(frozen=True, slots=True)
class AsOf:
    """A moment of the books: what was recorded before an instant, and took effect up to a day (that day included)."""

    recorded_before: datetime | None = None
    effective_to: date | None = None


NOW = AsOf()


class Unbalanced(ValueError):
    """A programmer's error: the legs of an entry do not balance."""


def refuse_unbalanced(legs: Sequence[Leg]) -> None:
    """Raise :class:`Unbalanced` unless there are two legs or more and each ledger balances by itself (I1)."""
    if len(legs) < 2:
        raise Unbalanced(f"An entry has at least two legs, not {len(legs)}.")
    for ledger, difference in differences(legs).items():
        if difference:
            raise Unbalanced(f"The {ledger} ledger of this entry is off by {Money(difference)}.")


def differences(legs: Iterable[Leg]) -> dict[Ledger, int]:
    """Debit less credit in cents for each ledger touched; all zero when balanced."""
    result: dict[Ledger, int] = defaultdict(int)
    for leg in legs:
        result[leg.account.ledger] += leg.debit_cents - leg.credit_cents
    return dict(result)


def mirrored(legs: Iterable[Leg]) -> Legs:
    """The mirror image of an entry (E24): every leg on its other side."""
    return tuple(Leg(leg.account, leg.side.other, leg.amount, leg.dims) for leg in legs)


def digest(legs: Iterable[Leg]) -> str:
    """SHA-256 over the legs in order; the entry carries it, so that the audit chain covers its legs too."""
    return hashlib.sha256("\n".join(_spelled(leg) for leg in legs).encode()).hexdigest()


def _spelled(leg: Leg) -> str:
    dims = [getattr(leg.dims, name) for name in DIMENSIONS]
    return "|".join([leg.account, leg.side, str(leg.amount.cents), *("" if value is None else str(value) for value in dims)])  # fmt: skip


def reference(number: int, effective_on: date) -> str:
    """``E-2024-0412``: what people call an entry.

    >>> reference(412, date(2024, 5, 17))
    'E-2024-0412'
    """
    return f"E-{effective_on.year}-{number:04d}"


def number_of(ref: str) -> int | None:
    """The entry number in a reference, or None where it is not one."""
    parts = ref.split("-")
    if len(parts) == 3 and parts[0] == "E" and parts[1].isdecimal() and parts[2].isdecimal() and len(parts[2]) < 19:
        return int(parts[2])
    return None


# --- The budget of a call -------------------------------------------------------------------------------------------


def legs_e1(amount: Money, dims: Dimensions) -> Legs:
    """The call's budget is set, or raised by ``amount``."""
    return _entry((DR, Account.AVAILABLE, amount, dims), (CR, Account.BUDGET_AUTHORISED, amount, dims))


def legs_e1_lowered(amount: Money, dims: Dimensions) -> Legs:
    """The call's budget is lowered by ``amount``, which must be free."""
    return _entry((DR, Account.BUDGET_AUTHORISED, amount, dims), (CR, Account.AVAILABLE, amount, dims))


def legs_e2(amount: Money, dims: Dimensions) -> Legs:
    """The selection decision reserves ``amount``."""
    return _entry((DR, Account.RESERVED, amount, dims), (CR, Account.AVAILABLE, amount, dims))


def legs_e3(amount: Money, dims: Dimensions) -> Legs:
    """A reserve is released: the city declined, or preparation failed."""
    return _entry((DR, Account.AVAILABLE, amount, dims), (CR, Account.RESERVED, amount, dims))


def legs_e4(amount: Money, dims: Dimensions) -> Legs:
    """The budgetary commitment, before anything is signed."""
    return _entry((DR, Account.COMMITTED, amount, dims), (CR, Account.RESERVED, amount, dims))


def legs_e5(maxima: Sequence[Share], dims: Dimensions) -> Legs:
    """The agreement is signed: the open legal commitment of each partner, out of the budgetary commitment."""
    return _entry(
        *((DR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in maxima),
        (CR, Account.COMMITTED, _sum(maxima), dims),
    )


def legs_e19(raised: Sequence[Share], dims: Dimensions) -> Legs:
    """An amendment raises the maxima of partners."""
    return _entry(
        *((DR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in raised),
        (CR, Account.AVAILABLE, _sum(raised), dims),
    )


def legs_e19_lowered(lowered: Sequence[Share], dims: Dimensions) -> Legs:
    """An amendment lowers the maxima of partners; never below what is consumed or in transit."""
    return _entry(
        (DR, Account.AVAILABLE, _sum(lowered), dims),
        *((CR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in lowered),
    )


def legs_e20(amount: Money, dims: Dimensions, *, giver: UUID, taker: UUID) -> Legs:
    """Part of one partner's maximum moves to another."""
    return _entry(
        (DR, Account.LEGALLY_COMMITTED, amount, dims.of(taker)),
        (CR, Account.LEGALLY_COMMITTED, amount, dims.of(giver)),
    )


def legs_e21(still_open: Sequence[Share], dims: Dimensions) -> Legs:
    """Closure: what was committed and never consumed goes back to the call."""
    return legs_e19_lowered(still_open, dims)


# --- Payments -------------------------------------------------------------------------------------------------------


def legs_e6(gross: Money, dims: Dimensions, *, retention: Money = ZERO) -> Legs:
    """Pre-financing is authorised; a retention is kept out of it.

    >>> [(leg.account.value, leg.amount.cents) for leg in legs_e6(Money(240), NO_DIMENSIONS, retention=Money(30))]
    [('1100', 240), ('2000', 210), ('2200', 30)]
    """
    return _entry(
        (DR, Account.PREFINANCING, gross, dims),
        (CR, Account.PAYABLE, gross - retention, dims),
        (CR, Account.RETENTION, retention, dims),
    )


def legs_e7(amount: Money, dims: Dimensions) -> Legs:
    """An order leaves in a file: payable becomes money in transit."""
    return _entry((DR, Account.PAYABLE, amount, dims), (CR, Account.IN_TRANSIT, amount, dims))


def legs_e8(consumed: Sequence[Share], dims: Dimensions) -> Legs:
    """The bank books an order: cash goes out, and the commitment of each partner is consumed by its share."""
    return _entry(
        (DR, Account.IN_TRANSIT, _sum(consumed), dims),
        (CR, Account.BANK, _sum(consumed), dims),
        *((DR, Account.CONSUMED, amount, dims.of(partner)) for partner, amount in consumed),
        *((CR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in consumed),
    )


def legs_e8_outside_budget(amount: Money, dims: Dimensions) -> Legs:
    """The bank books interest or charges: cash goes out, no budget is consumed."""
    return _entry((DR, Account.IN_TRANSIT, amount, dims), (CR, Account.BANK, amount, dims))


def legs_e9a(amount: Money, dims: Dimensions) -> Legs:
    """The bank rejects an order before booking it."""
    return _entry((DR, Account.IN_TRANSIT, amount, dims), (CR, Account.RETURNED, amount, dims))


def legs_e9b(returned: Sequence[Share], dims: Dimensions) -> Legs:
    """The bank returns a booked payment: cash comes back, the commitment opens again."""
    return _entry(
        (DR, Account.BANK, _sum(returned), dims),
        (CR, Account.RETURNED, _sum(returned), dims),
        *_reopened(returned, dims),
    )


def legs_e9c(amount: Money, dims: Dimensions) -> Legs:
    """A returned or rejected payment is sent again by a new order."""
    return _entry((DR, Account.RETURNED, amount, dims), (CR, Account.IN_TRANSIT, amount, dims))


def legs_e10(accepted: Money, dims: Dimensions, *, cash: Money) -> Legs:
    """An interim request is authorised: accepted costs, of which ``cash`` is payable and the rest clears pre-financing."""
    return _entry(
        (DR, Account.GRANT_COSTS, accepted, dims),
        (CR, Account.PAYABLE, cash, dims),
        (CR, Account.PREFINANCING, accepted - cash, dims),
    )


def legs_e11(increase: Money, dims: Dimensions, *, outstanding: Money) -> Legs:
    """The final amount is above what was accepted so far: it clears outstanding pre-financing first, the rest is payable."""
    cleared = min(increase, outstanding)
    return _entry(
        (DR, Account.GRANT_COSTS, increase, dims),
        (CR, Account.PREFINANCING, cleared, dims),
        (CR, Account.PAYABLE, increase - cleared, dims),
    )


def legs_e11b(decrease: Money, dims: Dimensions) -> Legs:
    """The final amount is below what was accepted so far: a correcting entry, never an edit."""
    return _entry((DR, Account.PREFINANCING, decrease, dims), (CR, Account.GRANT_COSTS, decrease, dims))


def legs_e12(retention: Money, dims: Dimensions, *, outstanding: Money) -> Legs:
    """At the balance the retention absorbs pre-financing not covered, and the rest is released."""
    absorbed = min(retention, outstanding)
    return _entry(
        (DR, Account.RETENTION, retention, dims),
        (CR, Account.PREFINANCING, absorbed, dims),
        (CR, Account.PAYABLE, retention - absorbed, dims),
    )


# --- Recovery, interest, receipts -----------------------------------------------------------------------------------


def legs_e13(amount: Money, dims: Dimensions) -> Legs:
    """A recovery order claims back pre-financing that nothing covers."""
    return _entry((DR, Account.RECOVERY_RECEIVABLE, amount, dims), (CR, Account.PREFINANCING, amount, dims))


def legs_e13_rejected_costs(amount: Money, dims: Dimensions) -> Legs:
    """A recovery order claims back costs that were accepted and are rejected later."""
    return _entry((DR, Account.RECOVERY_RECEIVABLE, amount, dims), (CR, Account.GRANT_COSTS, amount, dims))


def legs_e14(received: Money, dims: Dimensions, *, owed: Money, reopened: Sequence[Share] = ()) -> Legs:
    """Money comes back for a recovery; what is above the debt is unidentified; ``reopened`` may be spent again."""
    settled = min(received, owed)
    return _entry(
        (DR, Account.BANK, received, dims),
        (CR, Account.RECOVERY_RECEIVABLE, settled, dims),
        (CR, Account.UNIDENTIFIED, received - settled, dims),
        *_reopened(reopened, dims),
    )


def legs_e15(amount: Money, dims: Dimensions) -> Legs:
    """A debt is set off against a payment due on the same grant: no cash moves."""
    return _entry((DR, Account.PAYABLE, amount, dims), (CR, Account.RECOVERY_RECEIVABLE, amount, dims))


def legs_e15_across(amount: Money, dims: Dimensions, *, debtor: Dimensions) -> Legs:
    """A debt of another grant is set off: through an account of its own, so that each grant still balances."""
    return _entry(
        (DR, Account.PAYABLE, amount, dims),
        (CR, Account.OFFSET_BETWEEN_GRANTS, amount, dims),
        (DR, Account.OFFSET_BETWEEN_GRANTS, amount, debtor),
        (CR, Account.RECOVERY_RECEIVABLE, amount, debtor),
    )


def legs_e16(amount: Money, dims: Dimensions) -> Legs:
    """A debt is waived or written off."""
    return _entry((DR, Account.WAIVED, amount, dims), (CR, Account.RECOVERY_RECEIVABLE, amount, dims))


def legs_e17_owed(amount: Money, dims: Dimensions) -> Legs:
    """Late-payment interest is owed to the beneficiary, outside the grant's maximum."""
    return _entry((DR, Account.INTEREST_COSTS, amount, dims), (CR, Account.INTEREST_PAYABLE, amount, dims))


def legs_e17_sent(amount: Money, dims: Dimensions) -> Legs:
    """Late-payment interest leaves in a file."""
    return _entry((DR, Account.INTEREST_PAYABLE, amount, dims), (CR, Account.IN_TRANSIT, amount, dims))


def legs_e18_due(amount: Money, dims: Dimensions) -> Legs:
    """Interest on a late recovery is due to the programme."""
    return _entry((DR, Account.INTEREST_RECEIVABLE, amount, dims), (CR, Account.INTEREST_INCOME, amount, dims))


def legs_e18_received(amount: Money, dims: Dimensions) -> Legs:
    """Interest on a late recovery is received."""
    return _entry((DR, Account.BANK, amount, dims), (CR, Account.INTEREST_RECEIVABLE, amount, dims))


def legs_e22_received(amount: Money, dims: Dimensions) -> Legs:
    """Money arrives and nobody knows yet what for."""
    return _entry((DR, Account.BANK, amount, dims), (CR, Account.UNIDENTIFIED, amount, dims))


def legs_e22_identified(amount: Money, dims: Dimensions) -> Legs:
    """An unidentified receipt turns out to settle a debt; both legs carry the debtor's grant."""
    return _entry((DR, Account.UNIDENTIFIED, amount, dims), (CR, Account.RECOVERY_RECEIVABLE, amount, dims))


# --- Memo: where the money is after the coordinator has it ----------------------------------------------------------


def legs_e23_received(amount: Money, dims: Dimensions) -> Legs:
    """The coordinator holds a payment for its partners."""
    return _entry((DR, Account.HELD_BY_COORDINATOR, amount, dims), (CR, Account.MEMO_CONTRA, amount, dims))


def legs_e23_distributed(distributed: Sequence[Share], dims: Dimensions) -> Legs:
    """The coordinator has passed parts on to partners."""
    return _entry(
        *((DR, Account.DISTRIBUTED, amount, dims.of(partner)) for partner, amount in distributed),
        (CR, Account.HELD_BY_COORDINATOR, _sum(distributed), dims),
    )


def legs_e24(original: Iterable[Leg]) -> Legs:
    """The reversal of any entry."""
    return mirrored(original)


def _reopened(shares: Sequence[Share], dims: Dimensions) -> list[Line]:
    return [
        *((DR, Account.LEGALLY_COMMITTED, amount, dims.of(partner)) for partner, amount in shares),
        *((CR, Account.CONSUMED, amount, dims.of(partner)) for partner, amount in shares),
    ]


def _entry(*lines: Line) -> Legs:
    """The legs of those lines that are not zero; a negative one or an unbalanced whole is a programmer's error."""
    legs = tuple(Leg(account, side, amount, dims) for side, account, amount, dims in lines if amount)
    refuse_unbalanced(legs)
    return legs


def _sum(shares: Sequence[Share]) -> Money:
    return total(amount for _, amount in shares)


# --- Balances and invariants ----------------------------------------------------------------------------------------


def natural(account: Account, debits: int, credits: int) -> Money:
    """A balance in the account's own direction: positive on the side where it grows."""
    return Money(debits - credits if account.normal_side is Side.DEBIT else credits - debits)


@dataclass(frozen=True, slots=True)
class Balances:
    """Natural balances of every account for one call, one grant or the whole programme; absent means zero."""

    amounts: Mapping[Account, Money]

    def __getitem__(self, account: Account) -> Money:
        return self.amounts.get(account, ZERO)

    @classmethod
    def of(cls, legs: Iterable[Leg]) -> Balances:
        """The balances these legs add up to."""
        sums: dict[Account, Money] = {}
        for leg in legs:
            change = leg.amount if leg.grows else -leg.amount
            sums[leg.account] = sums.get(leg.account, ZERO) + change
        return cls(sums)

    @property
    def cash_out(self) -> Money:
        """Cash paid less cash received back."""
        return -self[Account.BANK]

    @property
    def gross_authorised(self) -> Money:
        """Everything authorised for payment and not come back: payable, in transit, returned to us, or paid."""
        return self.cash_out + self[Account.PAYABLE] + self[Account.IN_TRANSIT] + self[Account.RETURNED]

    @property
    def counted_to_ceiling(self) -> Money:
        """What counts against a payment ceiling: retained, and gross authorised net of returns (I8).

        Interest, either way, is outside the grant's maximum and does not count.
        """
        paid = self[Account.INTEREST_COSTS] - self[Account.INTEREST_PAYABLE]
        received = self[Account.INTEREST_INCOME] - self[Account.INTEREST_RECEIVABLE]
        return self.gross_authorised + self[Account.RETENTION] - paid + received


def budget_problems(place: str, found: Balances) -> tuple[Problem, ...]:
    """I3 for one call: what was authorised is available, reserved, committed, legally committed or consumed."""
    parts = (
        Account.AVAILABLE,
        Account.RESERVED,
        Account.COMMITTED,
        Account.LEGALLY_COMMITTED,
        Account.CONSUMED,
    )
    spread = total(found[account] for account in parts)
    if spread == found[Account.BUDGET_AUTHORISED]:
        return ()
    return (
        Problem(
            place,
            f"I3: authorised {found[Account.BUDGET_AUTHORISED]}, but its parts add up to {spread}.",
        ),
    )


def floor_problems(place: str, found: Balances, floor: Floor) -> tuple[Problem, ...]:
    """I3, I7 and their like: accounts that may not stand below zero within this dimension."""
    return tuple(
        Problem(place, f"{account.value} {account.label} stands at {found[account]}, below zero.")
        for account in sorted(Account)
        if CHART[account].floor is floor and found[account] < ZERO
    )


def grant_problems(place: str, found: Balances) -> tuple[Problem, ...]:
    """I6 for one grant: cash out less cash back equals what the other general accounts hold."""
    holds = total(
        found[account] if account.normal_side is Side.DEBIT else -found[account]
        for account in Account
        if account.ledger is Ledger.GENERAL and account is not Account.BANK
    )
    if holds == found.cash_out:
        return ()
    return (Problem(place, f"I6: net cash out is {found.cash_out}, but the accounts of the grant hold {holds}."),)


def commitment_problems(place: str, found: Balances, *, maximum: Money, decommitted: Money) -> tuple[Problem, ...]:
    """I4 for one grant: open and consumed commitment is the signed maximum, with amendments, less what was decommitted."""
    carried = found[Account.LEGALLY_COMMITTED] + found[Account.CONSUMED]
    if carried == maximum - decommitted:
        return ()
    return (
        Problem(
            place,
            f"I4: open and consumed commitment is {carried}; the signed maximum is {maximum}, of which {decommitted} was decommitted.",
        ),
    )


def ceiling_problems(place: str, found: Balances, *, ceiling: Money) -> tuple[Problem, ...]:
    """I8 for one grant before its balance: nothing authorised, in transit, paid or retained above the ceiling."""
    if found.counted_to_ceiling <= ceiling:
        return ()
    return (
        Problem(place, f"I8: {found.counted_to_ceiling} is authorised, paid or retained; the ceiling is {ceiling}."),
    )


def final_problems(place: str, found: Balances, *, final: Money) -> tuple[Problem, ...]:
    """I9 for one grant after its balance: nothing is accepted above or below the final amount."""
    if found[Account.GRANT_COSTS] == final:
        return ()
    words = f"I9: the final amount is {final}, but {found[Account.GRANT_COSTS]} is booked as accepted."
    return (Problem(place, words),)


def order_problems(place: str, *, paid: Money, committed: Money, awarded: Money, budget: Money) -> tuple[Problem, ...]:
    """I5: paid net of returns and recoveries <= committed <= awarded (with amendments) <= the call's budget."""
    steps = (("paid", paid), ("committed", committed), ("awarded", awarded), ("the call's budget", budget))
    return tuple(
        Problem(place, f"I5: {lower} {less} is above {upper} {more}.")
        for (lower, less), (upper, more) in pairwise(steps)
        if less > more
    )


def closure_problems(place: str, found: Balances) -> tuple[Problem, ...]:
    """Why a grant cannot be closed yet: something is still payable, on its way, retained, to be cleared or to be recovered."""
    must_be_zero = (
        Account.PAYABLE,
        Account.IN_TRANSIT,
        Account.RETURNED,
        Account.RETENTION,
        Account.PREFINANCING,
        Account.RECOVERY_RECEIVABLE,
        Account.INTEREST_RECEIVABLE,
        Account.INTEREST_PAYABLE,
    )
    return tuple(
        Problem(place, f"“{account.label}” still holds {found[account]}. Settle it before the closure.")
        for account in must_be_zero
        if found[account]
    )
