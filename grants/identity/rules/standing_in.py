"""Who stands in for whom in a role of the payment circuit, from when until when. Pure."""

from __future__ import annotations

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
