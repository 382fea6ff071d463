"""Interest the programme owes for a payment that came late: what it is made of, and when none is owed (F6). Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

from grants.core import clock
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money
from grants.payments.rules.interest import DAY_COUNT, MARGIN, margin_problem
from grants.payments.states import InterestState
from grants.rates.rules.converting import DAY_COUNTS

# What agreements say where nothing else is written: up to this it is owed only if it is asked for within two months.
MINIMUM = Money(200_00)
MONTHS_TO_ASK = 2


class PublicRule(StrEnum):
    """What the agreement says of interest where every beneficiary is a public body."""

    NONE_TO_PUBLIC = "none_to_public"
    OWED_TO_ALL = "owed_to_all"


PUBLIC_WORDS: Mapping[PublicRule, str] = {
    PublicRule.NONE_TO_PUBLIC: "None is owed where every beneficiary is a public body",
    PublicRule.OWED_TO_ALL: "It is owed to public bodies too",
}


class NothingOwed(StrEnum):
    """Why nothing is owed for a payment that came late."""

    PUBLIC = "public"
    SMALL = "small"


NOTHING_WORDS: Mapping[NothingOwed, str] = {
    NothingOwed.PUBLIC: "Every beneficiary is a public body, and the agreement owes those no interest",
    NothingOwed.SMALL: "It is no more than the smallest amount, and was not asked for within two months of the payment",
}


@dataclass(frozen=True, slots=True)
class LateInterestInput:
    """What the agreement says of interest for late payment, and when the city asked for it, if it did."""

    public_rule: PublicRule
    margin: Decimal = MARGIN
    day_count: int = DAY_COUNT
    minimum: Money = MINIMUM
    asked_on: date | None = None


@dataclass(frozen=True, slots=True)
class LateInterestLine:
    """Interest for one payment that came late, as it was reckoned, with who did and who decided."""

    order_reference: str
    state: InterestState
    principal: Money
    due_on: date
    paid_on: date
    days: int
    reference_on: date
    reference: Decimal
    table_number: int
    margin: Decimal
    day_count: int
    reckoned: Money
    minimum: Money
    public_rule: PublicRule
    asked_on: date | None
    nothing: NothingOwed | None
    amount: Money
    booked_by: str
    decided_by: str | None
    refuse_reason: str | None
    paying: str | None

    @property
    def rate(self) -> Decimal:
        """Per cent a year."""
        return self.reference + self.margin

    @property
    def formula(self) -> str:
        """How it was reckoned, in one line."""
        return (
            f"{self.principal} x ({self.reference:f} % + {self.margin:f} points) x {self.days} / {self.day_count} days, "
            f"from the day after {clock.long_date(self.due_on)} to {clock.long_date(self.paid_on)}; "
            f"reference rate since {clock.long_date(self.reference_on)}, table {self.table_number}"
        )

    @property
    def words(self) -> str:
        """What came of it."""
        if self.nothing is not None:
            return f"Nothing is owed. {NOTHING_WORDS[self.nothing]}"
        match self.state:
            case InterestState.PROPOSED:
                return "Waits for another person"
            case InterestState.REFUSED:
                return f"Refused: {self.refuse_reason}"
            case InterestState.CONFIRMED:
                return "Owed"
            case _:
                assert_never(self.state)


def months_later(day: date, months: int) -> date:
    """The same day so many months on, the last of its month where there is none.

    >>> months_later(date(2023, 12, 31), 2)
    datetime.date(2024, 2, 29)
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def nothing_owed(given: LateInterestInput, reckoned: Money, paid_on: date, *, all_public: bool) -> NothingOwed | None:
    """Why nothing of what was reckoned is owed; None where it is.

    >>> small = LateInterestInput(PublicRule.OWED_TO_ALL, asked_on=date(2024, 4, 1))
    >>> nothing_owed(small, Money(200_00), date(2024, 1, 31), all_public=True)
    <NothingOwed.SMALL: 'small'>
    >>> nothing_owed(small, Money(200_01), date(2024, 1, 31), all_public=True) is None
    True
    """
    if all_public and given.public_rule is PublicRule.NONE_TO_PUBLIC:
        return NothingOwed.PUBLIC
    in_time = given.asked_on is not None and given.asked_on <= months_later(paid_on, MONTHS_TO_ASK)
    return NothingOwed.SMALL if reckoned <= given.minimum and not in_time else None


def refuse_small_too_early(nothing: NothingOwed | None, paid_on: date, today: date) -> None:
    """Refuse to decide that a small amount is not owed while the city may still ask for it: it could never be reckoned again.

    >>> refuse_small_too_early(NothingOwed.SMALL, date(2024, 1, 31), date(2024, 4, 1))
    """
    last = months_later(paid_on, MONTHS_TO_ASK)
    if nothing is NothingOwed.SMALL and today <= last:
        raise Refused(
            f"It is no more than the smallest amount, and the city may ask for it until {clock.long_date(last)}. Confirm it after "
            "that day; where the city asks before, refuse it and have it reckoned with the day on which it asked."
        )


def check_late_interest(given: LateInterestInput, *, today: date, paid_on: date | None) -> None:
    """Refuse numbers that no agreement has, and a day of asking that cannot be."""
    problems = {}
    if words := margin_problem(given.margin):
        problems["margin"] = words
    if given.day_count not in DAY_COUNTS:
        problems["day_count"] = "A year is reckoned with 365 or 360 days."
    if given.minimum < ZERO:
        problems["minimum"] = "Enter the amount of the agreement, 0 where it names none."
    if given.asked_on is not None and given.asked_on > today:
        problems["asked_on"] = f"Enter the day on which the city asked, {clock.long_date(today)} at the latest."
    elif given.asked_on is not None and paid_on is not None and given.asked_on < paid_on:
        problems["asked_on"] = f"It was paid on {clock.long_date(paid_on)}; interest is asked for from then on."
    if problems:
        raise Invalid("The interest cannot be reckoned like this.", problems)
