"""Additional pre-financing: what the city states to have used of the first, what it may ask for then, and when. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction

from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money, Rounding
from grants.dossiers.rules import clean_text
from grants.payments.states import DECIDED, UNDECIDED, RequestState

# Why a rejected request is not asked for again like others.
STATED_ANEW = (
    "State anew what was used: that asks again for additional pre-financing. The page “Additional pre-financing” of this grant "
    "is for it."
)
# What the coordinator declares with its statement.
DECLARATION = "The amount stated was spent on the action by that day, agrees with the accounts of the beneficiaries, and its records are kept."


def missing(paid: Money, threshold: int, used: Money) -> Money:
    """What is missing to so many per cent of what was paid; of a cent in part nothing is missing.

    >>> missing(Money(210_000_00), 70, Money(120_000_00)).cents
    2700000
    >>> missing(Money(210_000_00), 70, Money(150_000_00)).cents
    0
    """
    return max(paid.share(Fraction(threshold, 100), rounding=Rounding.DOWN) - used, ZERO)


@dataclass(frozen=True, slots=True)
class UseInput:
    """What the city states: how much it used of what it was paid in advance, by the end of which day, and on what."""

    used: Money
    used_until: date
    words: str


@dataclass(frozen=True, slots=True)
class UseView:
    """A statement of use: what was stated of the pre-financing ``earlier``, of which ``paid`` was paid."""

    request: str
    earlier: str
    used: Money
    paid: Money
    threshold: int
    used_until: date
    words: str
    stated_at: datetime
    stated_by: str

    @property
    def missing(self) -> Money:
        """What is missing to the threshold."""
        return missing(self.paid, self.threshold, self.used)

    def asked(self, agreed: Money) -> Money:
        """What may be asked for: what was agreed, less what is missing; never below nought."""
        return max(agreed - self.missing, ZERO)

    @property
    def sentence(self) -> str:
        """What was used of what, as one sentence without its full stop."""
        return f"{self.used} of {self.paid} was used by {clock.long_date(self.used_until)}"


@dataclass(frozen=True, slots=True)
class Asking:
    """Where a grant stands for additional pre-financing.

    ``agreed`` and ``threshold`` are what its agreement says. ``first`` is its newest request for pre-financing, ``paid`` what
    of it was paid and not cancelled; ``open_one`` the additional one that was asked for and not rejected; ``room`` what is left
    below the ceiling before the balance.
    """

    agreed: Money
    threshold: int | None
    running: bool
    ends_on: date | None
    final: Money | None
    first: tuple[str, RequestState] | None
    paid: Money
    open_one: str | None
    balance: str | None
    room: Money


def refuse_additional(found: Asking) -> None:
    """Refuse to ask where the agreement has none, the first is not paid, it was asked for already, or the grant is at its end."""
    faults.point("ceiling")
    if not found.agreed or found.threshold is None:
        raise Refused(
            "The agreement of this grant has no additional pre-financing. More in advance takes an amendment."
        )
    if not found.running:
        raise Refused("Payments need an agreement in force: signed by both sides and not closed.")
    if found.ends_on is not None:
        raise Refused(
            f"The termination of this grant on {clock.long_date(found.ends_on)} is confirmed, so nothing more of it is "
            "pre-financed. What the pilot cost until then is reported and paid."
        )
    if found.open_one is not None:
        raise Refused(f"It was asked for already, as {found.open_one}. It is paid once.")
    if found.final is not None or found.balance is not None:
        raise Refused(
            "The balance of this grant is asked for: it pays what is due, and nothing is paid in advance any more."
        )
    _refuse_unpaid(found)
    if not found.room:
        raise Refused(
            "As much is paid and kept back as may be before the balance: nothing is left below the ceiling. Report the costs; what "
            "is due above it is paid with the balance."
        )


def _refuse_unpaid(found: Asking) -> None:
    """Only of what was paid something can have been used."""
    if found.first is None:
        raise Refused("The pre-financing is not asked for yet. Once it is paid, state what was used of it.")
    reference, state = found.first
    if state in (*UNDECIDED, *DECIDED):
        raise Refused(f"The pre-financing {reference} is not wholly paid yet. Once it is, state what was used of it.")
    if state is not RequestState.PAID or not found.paid:
        raise Refused(
            f"Nothing was paid of the pre-financing {reference}, so nothing of it was used. Report the costs instead."
        )


def check_use(given: UseInput, found: Asking, paid_on: date | None, today: date) -> Money:
    """What is asked for by this statement; refused where it cannot be, or where nothing would be left to ask for."""
    faults.point("ceiling")
    problems = {}
    if given.used < ZERO or given.used > found.paid:
        problems["used"] = (
            f"{found.paid} was paid in advance. Enter from nought to that; what was spent above it is reported as costs."
        )
    if given.used_until > today:
        problems["used_until"] = "That day is to come. Enter a day up to which the money is spent already."
    elif paid_on is not None and given.used_until < paid_on:
        problems["used_until"] = (
            f"The pre-financing was paid on {clock.long_date(paid_on)}. Enter that day or a later one."
        )
    if not clean_text(given.words).strip():
        problems["words"] = "Say on what it was used; the programme reads it."
    if problems:
        raise Invalid("The statement of use is not complete.", problems)
    assert found.threshold is not None, "refused before"
    less = missing(found.paid, found.threshold, given.used)
    if less >= found.agreed:
        raise Refused(
            f"With {given.used} used, {less} is missing to {found.threshold}\N{NO-BREAK SPACE}% of the pre-financing, so nothing is left of "
            f"the additional {found.agreed}. Ask when more is used."
        )
    return found.agreed - less
