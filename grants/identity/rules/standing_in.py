"""Who stands in for whom in a role of the payment circuit, from when until when. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from grants.core import clock, faults
from grants.core.errors import Invalid, Refused
from grants.identity.states import Role

# The kind under which the written appointment is kept.
APPOINTMENTS = "stand_in"


class StandInStanding(StrEnum):
    """Where a stand-in is in its time."""

    WAITING = "waiting"
    PLANNED = "planned"
    HOLDS = "holds"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class StandInInput:
    """Whose role is stood in for (that very role, in its place), by whom, from when until when, and why."""

    role_id: UUID
    user_id: UUID
    starts_at: datetime
    ends_before: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class StandIn:
    """One stand-in, whoever confirmed it or not yet."""

    id: UUID
    user_id: UUID
    name: str
    for_id: UUID
    for_name: str
    role: Role
    kind: str
    object_id: UUID | None
    starts_at: datetime
    ends_before: datetime
    reason: str
    assigned_by: UUID
    confirmed_by: UUID | None
    confirmed_at: datetime | None
    # The written appointment.
    file_name: str
    sha256: str

    @property
    def from_at(self) -> datetime | None:
        """From when it holds; None while it is not confirmed."""
        return max(self.starts_at, self.confirmed_at) if self.confirmed_at else None

    def holds(self, at: datetime) -> bool:
        """Whether it holds at a moment."""
        return self.from_at is not None and self.from_at <= at < self.ends_before

    def standing(self, at: datetime) -> StandInStanding:
        """Where it is in its time at a moment."""
        if at >= self.ends_before:
            return StandInStanding.ENDED
        if self.from_at is None:
            return StandInStanding.WAITING
        return StandInStanding.HOLDS if self.holds(at) else StandInStanding.PLANNED

    @property
    def words(self) -> str:
        """For whom, and until when."""
        return f"for {self.for_name} until {clock.long_date(self.last_day)}"

    @property
    def last_day(self) -> date:
        """Its last day, in Brussels."""
        return clock.in_zone(self.ends_before - timedelta(microseconds=1)).date()


def check_stand_in(given: StandInInput, *, holder_id: UUID, actor_id: UUID | None, now: datetime) -> None:
    """A stand-in is another person than the holder, appointed by a third, for a time that is not over, with a reason."""
    faults.point("four_eyes")
    if given.user_id == holder_id:
        raise Refused("Nobody stands in for themselves. Name another person.")
    if actor_id in {None, holder_id}:
        raise Refused("You cannot appoint who stands in for yourself. Ask another administrator.")
    if not given.reason.strip():
        raise Invalid("The reason is missing.", {"reason": "Say why somebody stands in."})
    if given.ends_before <= max(given.starts_at, now):
        raise Invalid(
            "The time cannot be right.", {"last_day": "Choose a last day that is not over, from the first day on."}
        )


@dataclass(frozen=True, slots=True)
class Tie:
    """Two people who count as one for a time: one stands in for the other. ``other`` is the one that is not asked about."""

    other: UUID
    name: str
    stands_in: bool
    starts_at: datetime
    ends_before: datetime

    def holds(self, at: datetime) -> bool:
        """Whether they count as one at a moment."""
        return self.starts_at <= at < self.ends_before

    @property
    def how(self) -> str:
        """Who stands in for whom, told to the person that is asked about."""
        return "you stand in for them" if self.stands_in else "they stand in for you"


def ties_among(stand_ins: Iterable[StandIn], user_id: UUID | None) -> tuple[Tie, ...]:
    """With whom this person counts as one, and when; what nobody confirmed ties nobody."""
    return tuple(
        Tie(
            *((each.for_id, each.for_name) if each.user_id == user_id else (each.user_id, each.name)),
            stands_in=each.user_id == user_id,
            starts_at=each.from_at,
            ends_before=each.ends_before,
        )
        for each in stand_ins
        if each.from_at is not None
    )


def tied_by(taken: Iterable[tuple[UUID | None, datetime | None]], ties: Iterable[Tie], at: datetime) -> Tie | None:
    """What makes one person of who asks and of somebody who took one of these steps, then or now; None where nothing does."""
    ties = tuple(ties)
    for person, taken_at in taken:
        for tie in ties:
            if tie.other == person and (tie.holds(at) or (taken_at is not None and tie.holds(taken_at))):
                return tie
    return None


def refuse_tied(taken: Iterable[tuple[UUID | None, datetime | None]], ties: Iterable[Tie], at: datetime) -> None:
    """A stand-in and the person stood in for never both take a step that takes two people, whatever else allows it.

    ``taken`` are who took the steps before and when; it counts whether one stood in for the other then, or does now.
    """
    faults.point("four_eyes")
    tie = tied_by(taken, ties, at)
    if tie is not None:
        raise Refused(
            f"{tie.name} took a step of this before, and {tie.how}: the two of you count as one person. Ask a colleague."
        )
