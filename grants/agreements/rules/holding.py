"""When a grant, or the part of one beneficiary, is suspended, and what stands still meanwhile. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from grants.agreements.rules.conditions import EvidenceView
from grants.agreements.states import RUNNING, GrantState, HoldReason
from grants.core import clock, faults
from grants.core.errors import Invalid, Refused


@dataclass(frozen=True, slots=True)
class HoldInput:
    """A suspension as typed; of the whole grant where no beneficiary is named."""

    organisation_id: UUID | None
    reason: HoldReason
    words: str
    from_on: date


@dataclass(frozen=True, slots=True)
class HoldView:
    """A suspension with everything its pages show. ``name`` is the beneficiary's, empty for the whole grant."""

    number: int
    organisation_id: UUID | None
    name: str
    of_coordinator: bool
    reason: HoldReason
    words: str
    from_on: date
    held_by: str
    held_at: datetime
    notice: EvidenceView
    lifted_on: date | None = None
    lifted_by: str = ""
    lift_words: str = ""

    @property
    def whose(self) -> str:
        """Within a sentence."""
        return f"the part of {self.name}" if self.name else "the grant"

    def stands(self, on: date) -> bool:
        """Whether it holds on a day: from its first day, and until it is lifted."""
        return self.from_on <= on and (self.lifted_on is None or on < self.lifted_on)

    @property
    def stops_all(self) -> bool:
        """Whether nothing at all is paid meanwhile: the coordinator receives every payment."""
        return self.organisation_id is None or self.of_coordinator

    @property
    def sentence(self) -> str:
        """That it holds, as whoever is stopped by it reads it."""
        return f"T{self.whose[1:]} is suspended since {clock.long_date(self.from_on)}"


def held_back(holds: Iterable[HoldView], on: date) -> HoldView | None:
    """The suspension that stops everything of a grant on a day, if one does; the earliest of several."""
    return next(
        (each for each in sorted(holds, key=lambda one: one.from_on) if each.stops_all and each.stands(on)), None
    )


def held_part(holds: Iterable[HoldView], organisation_ids: Collection[UUID], on: date) -> HoldView | None:
    """The suspension that stops the part of one of these beneficiaries on a day, if one does."""
    return next((each for each in holds if each.organisation_id in organisation_ids and each.stands(on)), None)


def refuse_held(holds: Sequence[HoldView], organisation_ids: Collection[UUID], on: date) -> None:
    """Nothing is decided, ordered or paid of what is suspended. ``organisation_ids`` are those whose costs it would pay."""
    faults.point("clock")
    if found := held_back(holds, on):
        raise Refused(
            f"{found.sentence}, so none of its payments is decided, ordered or sent. Lift the suspension first, on the page "
            "of the suspensions of this grant."
        )
    if found := held_part(holds, organisation_ids, on):
        raise Refused(
            f"{found.sentence}, and this would pay costs of it. Lift the suspension first, or approve nothing of its costs."
        )


def check_hold(
    given: HoldInput, *, state: GrantState, in_force_on: date | None, open_for: Iterable[UUID | None]
) -> None:
    """Refuse a suspension that cannot stand; raises :class:`Invalid` with a sentence for each field."""
    if state not in RUNNING or in_force_on is None:
        raise Refused(
            "Only a grant in force, or terminated and not settled, is suspended: signed by both sides and not closed."
        )
    problems = {}
    if not given.words.strip():
        problems["words"] = "Say what happened and what has to be mended; the city reads it."
    if given.from_on < in_force_on:
        problems["from_on"] = (
            f"The agreement is in force from {clock.long_date(in_force_on)}. Enter that day or a later one."
        )
    if given.organisation_id in set(open_for):
        problems["whose"] = "This is suspended already. Lift that suspension first, or choose another part."
    if problems:
        raise Invalid("The suspension cannot stand like this.", problems)
