"""What a coordinator holds for its partners, what of it it may report as passed on, and who may confirm that. Pure.

For each partner what is held is what payments brought of its share less what was passed on. Where more was passed on than
came (a payment came back after the partner had its money), nothing is held until the rest came again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from grants.calls.rules import PassingOn
from grants.calls.states import PassedOnBy
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.core.money import ZERO, Money
from grants.payments.states import DistributionState

PROOFS = "distribution"

# As many reports of a grant as its page reads, newest first.
REPORTS_SHOWN_MAX = 200


@dataclass(frozen=True, slots=True)
class PartnerStand:
    """Where one partner stands in the books: its share of what was paid, and what the memo accounts have of it."""

    paid: Money = ZERO
    held: Money = ZERO
    passed_on: Money = ZERO

    @property
    def right(self) -> Money:
        """What the coordinator should hold for it: never below zero.

        >>> PartnerStand(Money(70), Money(0), Money(100)).right
        Money(cents=0, currency='EUR')
        """
        return max(self.paid - self.passed_on, ZERO)

    @property
    def off(self) -> Money:
        """By how much the memo accounts are behind (above zero) or ahead (below) of that."""
        return self.right - self.held

    def and_paid(self, amount: Money) -> PartnerStand:
        """After a payment that brought ``amount`` for it, or after one that came back, below zero."""
        return replace(self, paid=self.paid + amount)

    @property
    def levelled(self) -> PartnerStand:
        """With the memo accounts as they should be."""
        return replace(self, held=self.right)


@dataclass(frozen=True, slots=True)
class Brought:
    """What one payment brought for a partner, and on which day."""

    amount: Money
    on: date


def held_since(brought: Iterable[Brought], gone: Money) -> date | None:
    """The day since which something is held: what was passed on is taken from what came first.

    >>> held_since([Brought(Money(5), date(2024, 5, 1)), Brought(Money(5), date(2024, 6, 1))], Money(5))
    datetime.date(2024, 6, 1)
    """
    for each in sorted(brought, key=lambda one: one.on):
        if each.amount > gone:
            return each.on
        gone -= each.amount
    return None


@dataclass(frozen=True, slots=True)
class PartnerBalance:
    """What a partner was to receive of the payments so far, and where it is."""

    organisation_id: UUID
    name: str
    received: Money
    passed_on: Money
    # Reported by the coordinator and confirmed by nobody yet.
    waiting: Money
    since: date | None
    due_on: date | None
    waived: Money = ZERO
    # What the payments brought, day by day, less what went back; it sums to what was received.
    brought: tuple[Brought, ...] = ()

    @property
    def held(self) -> Money:
        """What the coordinator still holds for it, in the books."""
        return max(self.received - self.passed_on, ZERO)

    @property
    def to_report(self) -> Money:
        """What is held and not reported as passed on."""
        return max(self.held - self.waiting, ZERO)

    @property
    def blocks(self) -> Money:
        """What stands against the closure: held, and above what was waived."""
        return self.held if self.held > self.waived else ZERO

    def is_overdue(self, today: date) -> bool:
        """Whether the days of the agreement are over and something is held."""
        return bool(self.held) and self.due_on is not None and self.due_on < today

    def late_words(self, today: date) -> str:
        """How late it is, or until when it is in time; empty where nothing is held or no number of days is set."""
        if not self.held or self.due_on is None:
            return ""
        late = (today - self.due_on).days
        if late <= 0:
            return f"to be passed on by {clock.long_date(self.due_on)}"
        return f"overdue since {clock.long_date(self.due_on)}, {late} day{'' if late == 1 else 's'}"


def balance_of(
    organisation_id: UUID,
    name: str,
    brought: Sequence[Brought],
    passed_on: Money,
    waiting: Money,
    terms: PassingOn,
    waived: Money = ZERO,
) -> PartnerBalance:
    """The balance of one partner; the day of the event is not counted, so ``days`` after it are the last one in time."""
    received = sum((each.amount for each in brought), ZERO)
    since = held_since(brought, passed_on) if received > passed_on else None
    due = since + timedelta(days=terms.days) if since is not None and terms.days is not None else None
    return PartnerBalance(organisation_id, name, received, passed_on, waiting, since, due, waived, tuple(brought))


@dataclass(frozen=True, slots=True)
class PassedOnInput:
    """What the coordinator says it passed on: to whom, how much, on which day, and how its bank calls the transfer."""

    organisation_id: UUID
    amount: Money
    paid_on: date
    transfer: str


def check_passed_on(
    given: PassedOnInput, held_for: Mapping[UUID, PartnerBalance], in_force_on: date, today: date
) -> None:
    """Refuse a report of more than is held for the partner, or on a day that cannot be."""
    faults.point("ceiling")
    problems = {}
    found = held_for.get(given.organisation_id)
    if found is None:
        problems["organisation_id"] = "Choose a partner of this grant."
    elif given.amount <= ZERO:
        problems["amount"] = "Enter an amount above zero."
    elif given.amount > found.to_report:
        waits = f", and {found.waiting} of it is reported already and waits for an answer" if found.waiting else ""
        problems["amount"] = (
            f"{found.held} is held for {found.name}{waits}. Enter at most {found.to_report}; what was paid beyond the share of "
            "a partner is not passed on out of this grant."
        )
    if not in_force_on <= given.paid_on <= today:
        problems["paid_on"] = (
            f"Enter the day your bank booked the transfer, from {clock.long_date(in_force_on)}, when the grant entered into "
            f"force, to today, {clock.long_date(today)}."
        )
    if not given.transfer.strip():
        problems["transfer"] = "Enter how your bank calls the transfer, so that the partner finds it."
    if problems:
        raise Invalid("This cannot be reported like this.", problems)


class Side(StrEnum):
    """For whom what was reported is confirmed or refused."""

    PARTNER = "partner"
    PROGRAMME = "programme"


@dataclass(frozen=True, slots=True)
class Confirmer:
    """Who wants to confirm or refuse: whose they are, and whether they act for the coordinator.

    ``own`` are the beneficiaries the person speaks for, None for somebody of the programme.
    """

    user_id: UUID | None
    own: frozenset[UUID] | None
    for_coordinator: bool


NOT_BY_REPORTER = "You reported this, so another side confirms it: the partner that received the money."
NOT_BY_COORDINATOR = (
    "You act for the coordinator in this grant, so you cannot confirm what it passed on. Somebody of the partner does."
)
NOT_BY_OFFICER = "The agreement lets only the partner confirm what it received. Ask {partner} to look at it."
NOT_OF_PARTNER = "This money went to {partner}; only {partner} can say whether it came."


def why_not_confirmed(
    who: Confirmer, reported_by: UUID, partner_id: UUID, partner: str, confirmed_by: PassedOnBy
) -> tuple[Side, str]:
    """For which side this person would speak, and why they may not (empty: they may)."""
    side = Side.PROGRAMME if who.own is None else Side.PARTNER
    if who.user_id == reported_by:
        return side, NOT_BY_REPORTER
    if who.for_coordinator:
        return side, NOT_BY_COORDINATOR
    if side is Side.PROGRAMME and confirmed_by is PassedOnBy.PARTNER:
        return side, NOT_BY_OFFICER.format(partner=partner)
    if who.own is not None and partner_id not in who.own:
        return side, NOT_OF_PARTNER.format(partner=partner)
    return side, ""


def refuse_confirmer(
    who: Confirmer, reported_by: UUID, partner_id: UUID, partner: str, confirmed_by: PassedOnBy
) -> Side:
    """Raise :class:`Refused` with the reason unless this person may say whether the money came; returns for which side."""
    faults.point("four_eyes")
    side, why = why_not_confirmed(who, reported_by, partner_id, partner, confirmed_by)
    if why:
        raise Refused(why)
    return side


@dataclass(frozen=True, slots=True)
class ProofFile:
    """A file that shows a transfer."""

    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class DistributionView:
    """One transfer as it was reported and answered."""

    id: UUID
    version: int
    number: int
    reference: str
    organisation_id: UUID
    partner: str
    amount: Money
    paid_on: date
    transfer: str
    state: DistributionState
    reported_by_id: UUID
    reported_by: str
    reported_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    decided_for: str | None
    decide_reason: str | None
    proofs: tuple[ProofFile, ...]

    @property
    def is_open(self) -> bool:
        """Whether it waits for an answer."""
        return self.state is DistributionState.REPORTED


@dataclass(frozen=True, slots=True)
class WaiverView:
    """That what was held for a partner need not be shown passed on before the closure."""

    partner: str
    amount: Money
    reason: str
    waived_by: str
    waived_at: datetime


def closure_words(balances: Collection[PartnerBalance], waiting: int) -> tuple[str, ...]:
    """What of the distribution stands against the closure of a grant, in sentences."""
    found = [
        f"The coordinator still holds {each.held} for {each.name}. It passes it on and the partner confirms it, or an "
        "authorising officer waives it with a reason."
        for each in balances
        if each.blocks
    ]
    if waiting:
        several = "reports wait" if waiting > 1 else "report waits"
        found.append(f"{waiting} {several} for an answer whether the partner received the money.")
    return tuple(found)


def distribution_next(state: DistributionState) -> str:
    """What comes next, for whoever reads the page."""
    return {
        DistributionState.REPORTED: "It waits for the partner to say whether the money came.",
        DistributionState.CONFIRMED: "The partner has it; the books say so.",
        DistributionState.REFUSED: "It was refused. The coordinator reports it anew with what was asked for.",
        DistributionState.WITHDRAWN: "The coordinator took it back. It is reported anew if it was paid.",
    }[state]
