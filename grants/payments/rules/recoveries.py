"""What may be proposed, confirmed, issued and booked of a debt, whose share of it is whose, and how it is shown. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeVar, assert_never
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, total
from grants.payments.rules.interest import InterestLine
from grants.payments.rules.offsets import OffsetView
from grants.payments.states import OWED, PAYABLE_BACK, InterestState, RecoveryOrigin, RecoveryState

# The days a city has to answer before its debt is confirmed, where nothing else is chosen; and the most it may have.
ANSWER_DAYS, ANSWER_DAYS_MAX = 30, 180

# How many days after its last day a debt is reminded of, time after time; then the authorising officer decides.
REMIND_AFTER_DAYS = (1, 15, 30)

ORIGIN_WORDS: Mapping[RecoveryOrigin, str] = {
    RecoveryOrigin.BALANCE: "More was paid than the final amount",
    RecoveryOrigin.REJECTED_COSTS: "Costs that were accepted are rejected",
    RecoveryOrigin.AUDIT: "An audit found costs that are not eligible",
}

K = TypeVar("K")


@dataclass(frozen=True, slots=True)
class RecoveryInput:
    """What is proposed: why the money is owed back; for rejected costs and audits also whose costs, and how much."""

    reason: str
    origin: RecoveryOrigin = RecoveryOrigin.BALANCE
    organisation_id: UUID | None = None
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class ReceiptInput:
    """What the accounting officer reads off the bank statement."""

    amount: Money
    value_on: date
    bank_reference: str
    # The account it came to; where the programme has one only, none is asked for.
    own_account_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Share:
    """What one partner owes of a debt, and what that follows from where the balance found it."""

    amount: Money
    accepted: Money | None = None
    received: Money | None = None


def shares_of_debt(
    amount: Money, final: Money, accepted: Mapping[K, Money], received: Mapping[K, Money]
) -> dict[K, Share]:
    """Whose share of what was paid too much is how much: the own part of the final amount, less what was paid for it.

    A partner's part of the final amount is its accepted costs over all of them; only who then stands below zero owes,
    and in that proportion, so that the shares sum to the debt to the cent.

    >>> found = shares_of_debt(
    ...     Money(30), Money(70), {"city": Money(50), "agency": Money(20)}, {"city": Money(95), "agency": Money(5)}
    ... )
    >>> {who: each.amount.cents for who, each in found.items()}
    {'city': 30, 'agency': 0}
    """
    who = list(dict.fromkeys((*accepted, *received)))
    weights = [accepted.get(each, ZERO).cents for each in who]
    own = dict(zip(who, final.split(weights if any(weights) else [1] * len(who)), strict=True))
    below = [max(received.get(each, ZERO) - own[each], ZERO).cents for each in who]
    owed = amount.split(below if any(below) else [1] + [0] * (len(who) - 1))
    return {each: Share(part, own[each], received.get(each, ZERO)) for each, part in zip(who, owed, strict=True)}


def check_proposal(given: RecoveryInput, *, most: Money | None = None) -> None:
    """Refuse a proposal without a reason, or of rejected costs above what of that partner is accepted (``most``)."""
    faults.point("ceiling")
    problems = {}
    if not given.reason.strip():
        problems["reason"] = "Say why it is owed back; the city reads it."
    if given.origin is not RecoveryOrigin.BALANCE:
        if given.amount is None or given.amount <= ZERO:
            problems["amount"] = "Enter an amount above zero."
        elif most is not None and given.amount > most:
            problems["amount"] = f"{most} of this partner's costs is accepted. Enter no more than that."
    if problems:
        raise Invalid("The recovery cannot be proposed like this.", problems)


def check_answer_days(days: int) -> None:
    """Refuse a letter that leaves the city no time to answer, or no end."""
    if not 1 <= days <= ANSWER_DAYS_MAX:
        raise Invalid(
            "The letter cannot go out like this.", {"days": f"Give the city between 1 and {ANSWER_DAYS_MAX} days."}
        )


def refuse_before_answer(state: RecoveryState, reply_until: date | None, today: date) -> None:
    """A debt is confirmed once the city answered, or its days to answer are over."""
    faults.point("clock")
    if state is RecoveryState.PRE_INFORMED and reply_until is not None and today <= reply_until:
        raise Refused(
            f"The city may answer until {clock.long_date(reply_until)}. Confirm the debt once it has, or the day after."
        )


def check_due_on(due_on: date, today: date) -> None:
    """Refuse a debit note that is due before the city could pay."""
    if due_on <= today:
        raise Invalid(
            "The debit note cannot be issued like this.",
            {"due_on": f"Enter a day after today, {clock.long_date(today)}, so that the city can pay in time."},
        )


def reminders_due(due_on: date, today: date) -> int:
    """How many reminders should have gone out by today.

    >>> [reminders_due(date(2024, 9, 15), date(2024, 9, day)) for day in (15, 16, 29, 30)]
    [0, 1, 1, 2]
    """
    late = (today - due_on).days
    return sum(1 for days in REMIND_AFTER_DAYS if late >= days)


def check_receipt(given: ReceiptInput, owed_since: date, today: date) -> None:
    """Refuse a receipt of nothing, without the bank's reference, or on a day that cannot be; more than is owed is real."""
    faults.point("ceiling")
    problems = {}
    if given.amount <= ZERO:
        problems["amount"] = "Enter an amount above zero."
    if not owed_since <= given.value_on <= today:
        problems["value_on"] = (
            f"The recovery stands since {clock.long_date(owed_since)}. Enter the day the bank booked the money, from that day to today."
        )
    if not given.bank_reference.strip():
        problems["bank_reference"] = (
            "Enter the reference on the bank statement, so that the receipt can be found again."
        )
    if problems:
        raise Invalid("The receipt cannot be booked like this.", problems)


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """Money that came back."""

    amount: Money
    value_on: date
    bank_reference: str
    booked_by: str
    above: Money = ZERO
    interest: Money = ZERO


@dataclass(frozen=True, slots=True)
class ShareView:
    """One partner's share of a debt."""

    partner: str
    share: Share


@dataclass(frozen=True, slots=True)
class StepView:
    """One step a recovery has taken: what, by whom and when, and the words that went with it."""

    title: str
    by: str
    at: datetime
    words: str = ""


@dataclass(frozen=True, slots=True)
class RecoveryView:
    """One recovery with its steps, its shares and what came back."""

    id: UUID
    version: int
    number: int
    reference: str
    state: RecoveryState
    origin: RecoveryOrigin
    grant_id: UUID
    grant_reference: str
    acronym: str
    payee: str
    request_reference: str | None
    amount: Money
    reason: str
    reply_until: date | None
    due_on: date | None
    steps: tuple[StepView, ...]
    shares: tuple[ShareView, ...]
    receipts: tuple[ReceiptView, ...]
    offsets: tuple[OffsetView, ...]
    interest: tuple[InterestLine, ...]
    interest_waived: Money
    waived: Money | None
    has_waiver: bool
    reminders: int
    reminded_at: datetime | None
    proposed_by_id: UUID | None
    confirmed_by_id: UUID | None

    @property
    def received(self) -> Money:
        """What came back so far."""
        return total(each.amount for each in self.receipts)

    @property
    def set_off(self) -> Money:
        """What was set off against payments so far."""
        return total(each.amount for each in self.offsets)

    @property
    def owed(self) -> Money:
        """What is still owed; nothing before it is confirmed, nor once it is cancelled."""
        if self.state not in OWED:
            return ZERO
        return self.amount - self.received - self.set_off - (self.waived or ZERO)

    @property
    def interest_due(self) -> Money:
        """The interest that was confirmed."""
        return total(each.amount for each in self.interest if each.state is InterestState.CONFIRMED)

    @property
    def interest_open(self) -> Money:
        """What of it is neither paid nor waived."""
        return self.interest_due - total(each.interest for each in self.receipts) - self.interest_waived

    @property
    def interest_waits(self) -> bool:
        """Whether interest was reckoned that nobody confirmed or refused."""
        return any(each.state is InterestState.PROPOSED for each in self.interest)

    @property
    def to_reckon(self) -> bool:
        """Whether something was paid after the last day that bears no interest yet."""
        if self.due_on is None:
            return False
        late = sum(1 for each in self.receipts if each.amount and each.value_on > self.due_on)
        late += sum(1 for each in self.offsets if each.offset_on > self.due_on)
        return late > len(self.interest)

    @property
    def is_payable(self) -> bool:
        """Whether its debit note is out and something of it is open."""
        return self.state in PAYABLE_BACK

    @property
    def due_at(self) -> datetime | None:
        """The last moment of its due day."""
        return clock.end_of_day(self.due_on) if self.due_on else None

    @property
    def origin_words(self) -> str:
        """What it rests on, as a sentence without its full stop."""
        return ORIGIN_WORDS[self.origin]

    @property
    def next(self) -> str:
        """Where it stands and what comes next, as a sentence."""
        return recovery_next(self.state)


def recovery_next(state: RecoveryState) -> str:
    """Where a recovery stands and what comes next, as a sentence."""
    match state:
        case RecoveryState.PROPOSED:
            return "It is proposed; the initiator tells the city next."
        case RecoveryState.PRE_INFORMED:
            return "The city was told and may answer; then the authorising officer confirms the debt."
        case RecoveryState.OBSERVED:
            return "The city answered; the authorising officer weighs it and confirms or cancels the debt next."
        case RecoveryState.CONFIRMED:
            return "The debt is confirmed; the accounting officer issues the debit note next."
        case RecoveryState.ISSUED:
            return "The city pays it back; the accounting officer books what comes in."
        case RecoveryState.PART_PAID:
            return "Part of it came back; the city pays the rest, and the accounting officer books what comes in."
        case RecoveryState.PAID:
            return "It is paid back; nothing more is to be done."
        case RecoveryState.WAIVED:
            return "What was left of it is waived; nothing more is to be done."
        case RecoveryState.CANCELLED:
            return "It is cancelled; nothing is owed of it."
        case _:
            assert_never(state)


@dataclass(frozen=True, slots=True)
class RecoverySummary:
    """What an act on a recovery answers."""

    id: UUID
    reference: str
    state: RecoveryState
    owed: Money
    number: int = 0
