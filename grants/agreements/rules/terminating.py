"""How a grant is ended before its time: which days may be named, who confirms, and what stops from then on. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.agreements.rules.conditions import EvidenceView
from grants.agreements.rules.parties import refuse_same_person
from grants.agreements.states import (
    STANDING_TERMINATIONS,
    GrantState,
    Side,
    TerminationReason,
    TerminationState,
)
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused

# The other side has at least so long to say what speaks against it (Model Grant Agreement, article 32.3), where neither the
# call nor an agreement that is in force says otherwise.
OBJECTION_DAYS = 30


def letter_role(number: int) -> str:
    """Under which role the letter of a confirmed termination is kept."""
    return f"letter-{number}"


@dataclass(frozen=True, slots=True)
class TerminationInput:
    """A termination as typed: ``wanted_on`` is the first day on which the work is over."""

    reason: TerminationReason
    words: str
    wanted_on: date
    objections_until: date
    # Whose part is to end; None for the whole grant.
    organisation_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class TerminationView:
    """A termination with everything its pages show."""

    number: int
    state: TerminationState
    by_side: Side
    reason: TerminationReason
    words: str
    notice: EvidenceView
    wanted_on: date
    objections_until: date
    proposed_by: UUID
    proposer: str
    proposed_at: datetime
    objection: str = ""
    objector: str = ""
    objected_at: datetime | None = None
    answer: str = ""
    confirmer: str = ""
    confirmed_at: datetime | None = None
    effective_on: date | None = None
    withdrawer: str = ""
    withdraw_words: str = ""
    carried_out_at: datetime | None = None
    # Whose part ends, and how it is called; None for the whole grant.
    organisation_id: UUID | None = None
    partner: str = ""

    @property
    def whole(self) -> bool:
        """Whether the grant as a whole ends."""
        return self.organisation_id is None

    @property
    def whose(self) -> str:
        """What ends, within a sentence."""
        return f"the part of {self.partner}" if self.partner else "the whole grant"

    @property
    def stands(self) -> bool:
        """Whether it was not withdrawn."""
        return self.state in STANDING_TERMINATIONS

    @property
    def waits(self) -> bool:
        """Whether it is neither confirmed nor withdrawn."""
        return self.stands and self.state is not TerminationState.CONFIRMED

    @property
    def by(self) -> str:
        """Within a sentence."""
        return "the city" if self.by_side is Side.CITY else "the programme"

    @property
    def other(self) -> Side:
        """Who may object."""
        return Side.PROGRAMME if self.by_side is Side.CITY else Side.CITY

    def may_object(self, today: date) -> bool:
        """Whether the other side may still object: until the last day, itself included."""
        return self.state is TerminationState.PROPOSED and today <= self.objections_until

    def ripe(self, today: date) -> bool:
        """Whether it may be confirmed: the other side has spoken, or its time is over.

        Where the city ends the whole grant, the programme is the other side, and confirms for itself. A partner is heard
        about its part whoever proposed it.
        """
        by_itself = self.whole and self.by_side is Side.CITY
        return self.waits and (self.state is TerminationState.OBJECTED or by_itself or today > self.objections_until)


def standing(terminations: Sequence[TerminationView]) -> TerminationView | None:
    """The one of the whole grant that was not withdrawn, if there is one."""
    return next((each for each in terminations if each.stands and each.whole), None)


def standing_of(terminations: Sequence[TerminationView], organisation_id: UUID | None) -> TerminationView | None:
    """What keeps another termination of the same from being proposed: one that stands, of a partner until it was carried out."""
    if organisation_id is None:
        return standing(terminations)
    own = (each for each in terminations if each.organisation_id == organisation_id)
    return next((each for each in own if each.stands and each.carried_out_at is None), None)


def ending_parts(terminations: Sequence[TerminationView]) -> dict[UUID, date]:
    """Whose part is to end by a termination that is confirmed and was not carried out yet, and its first day without work."""
    return {
        each.organisation_id: each.effective_on
        for each in terminations
        if each.organisation_id is not None and each.effective_on is not None and each.carried_out_at is None
    }


def is_over(state: GrantState, effective_on: date | None, today: date) -> bool:
    """Whether the work of a grant is over by a termination, also on its day before the program has carried it out."""
    return state is GrantState.TERMINATED or (effective_on is not None and today >= effective_on)


def _day_problem(day: date, grant: tuple[date, date], today: date) -> str | None:
    """What is wrong with the first day without work; ``grant`` is its period, half-open."""
    starts_on, ends_before = grant
    if day < today:
        return "This day has passed. Enter today or a later day."
    if day <= starts_on:
        return f"The grant begins on {clock.long_date(starts_on)}. Enter a later day: one day of it is reported."
    if day >= ends_before:
        last = clock.long_date(clock.add_days(ends_before, -1))
        return f"The grant ends by itself: its last day is {last}. Enter an earlier day."
    return None


def check_proposal(
    given: TerminationInput,
    *,
    state: GrantState,
    by_side: Side,
    period: tuple[date, date],
    objection_days: int,
    today: date,
) -> None:
    """Refuse a proposal that cannot stand; raises :class:`Invalid` with a sentence for each field.

    ``objection_days`` are the calendar days the other side has at least, as the agreement in force states them.
    """
    if state is not GrantState.IN_FORCE:
        raise Refused(
            "Only a grant in force is terminated. One that is not signed yet is dropped or declined; one that ended is closed."
        )
    heard = _heard(given.organisation_id, by_side)
    problems = {}
    if not given.words.strip():
        problems["words"] = "Say in a few sentences what happened; the other side reads it."
    if wrong := _day_problem(given.wanted_on, period, today):
        problems["wanted_on"] = wrong
    first = clock.add_days(today, objection_days)
    if given.objections_until < first:
        problems["objections_until"] = (
            f"The other side has at least {objection_days} days to object. Enter {clock.long_date(first)} or a later day."
        )
    elif heard is not None and given.wanted_on <= given.objections_until and "wanted_on" not in problems:
        problems["wanted_on"] = (
            f"The {heard} may still object on this day. Enter a day after the last one for objections."
        )
    if given.organisation_id is None and given.reason is TerminationReason.NOT_ACCEDED:
        problems["reason"] = (
            "Only a partner accedes to an agreement. Choose the partner whose part is to end, or another reason."
        )
    if problems:
        raise Invalid("The termination cannot be proposed like this.", problems)


def _heard(organisation_id: UUID | None, by_side: Side) -> str | None:
    """Who may object before anything ends; None where the other side decides anyway."""
    if organisation_id is not None:
        return "partner"
    return "city" if by_side is Side.PROGRAMME else None


def refuse_objector(found: TerminationView, side: Side, own: Collection[UUID], *, for_coordinator: bool) -> None:
    """A partner objects to the end of its own part, whoever proposed it; about everything else the other side speaks.

    Who acts for the coordinator is no partner against its own proposal: the time to be heard would be over by it.
    """
    faults.point("four_eyes")
    proposed_it = for_coordinator and found.by_side is side
    if found.organisation_id is not None and found.organisation_id in own and not proposed_it:
        return
    if side is Side.CITY and not for_coordinator:
        raise Refused(
            f"This is about {found.whose}, and you speak for another partner. The coordinator may object, and whoever it is about."
        )
    refuse_same_side(found.by_side, side)


def refuse_same_side(by_side: Side, side: Side) -> None:
    """Whoever proposed does not object: their side withdraws."""
    faults.point("four_eyes")
    if by_side is side:
        raise Refused("Your own side proposed this termination. Withdraw it instead.")


def refuse_late(found: TerminationView, today: date) -> None:
    """An objection comes while there is time for it, and before the decision."""
    faults.point("deadline")
    if found.state is TerminationState.PROPOSED and not found.may_object(today):
        raise Refused(
            f"Objections could be made until {clock.long_date(found.objections_until)}. Write to the other side instead."
        )


def check_confirmation(
    found: TerminationView,
    effective_on: date,
    answer: str,
    *,
    confirms: UUID | None,
    side: Side,
    period: tuple[date, date],
    today: date,
) -> None:
    """Refuse a confirmation by whoever proposed, by anybody of the city, before the other side had its time, or for a wrong day."""
    refuse_same_person(found.proposed_by, confirms, deed="confirming the termination")
    if side is Side.CITY:
        raise Refused("You act for the city in this grant, and the programme confirms a termination. Ask a colleague.")
    faults.point("deadline")
    if not found.ripe(today):
        raise Refused(
            f"{'The city' if found.whole else found.partner} may object until {clock.long_date(found.objections_until)}. "
            "Confirm the termination after that, or once it has objected."
        )
    problems = {}
    if wrong := _day_problem(effective_on, period, today):
        problems["effective_on"] = wrong
    elif effective_on < found.wanted_on:
        problems["effective_on"] = (
            f"{clock.long_date(found.wanted_on)} was proposed, and the other side relied on it. Enter that day or a later one."
        )
    if not answer.strip():
        problems["answer"] = (
            "Answer the objection; the other side reads it."
            if found.objection
            else "Say on what the decision rests; the other side reads it."
        )
    if problems:
        raise Invalid("The termination cannot be confirmed like this.", problems)


def refuse_prefinancing(found: TerminationView | None, *, approved: bool = False) -> None:
    """Once a grant is to end, nothing more is paid ahead of its costs, ``approved`` before or not."""
    faults.point("ceiling")
    if found is not None and found.state is TerminationState.CONFIRMED and found.effective_on is not None:
        way = (
            "Before the balance, cancel what was approved and never paid: an order of it first, then the rest on the page of its "
            "request. After the balance, what is too much is set off against it, and the rest is paid."
            if approved
            else "Reject the request; what the pilot cost until then is reported and paid."
        )
        raise Refused(
            f"The termination of this grant on {clock.long_date(found.effective_on)} is confirmed, so nothing more of it is "
            f"pre-financed. {way}"
        )
