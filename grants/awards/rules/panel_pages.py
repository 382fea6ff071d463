"""What the pages of a meeting show; everything in them was read through :func:`grants.awards.rules.panel.readable`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from grants.awards.rules.minutes import MinutesText
from grants.awards.rules.panel import Course
from grants.awards.states import MeetingState, PanelRole

# So many of what was not reached are named before a meeting ends; the agenda below names all.
NAMED_MOST = 5

# Where a quorum cannot be met: what keeps people out, and what helps.
WAY_OUT = (
    "A conflict, an assessment of their own or a declaration they have not made keeps the others out. Whoever has not "
    "declared yet can; else it takes another meeting, with other people or a lower quorum."
)


@dataclass(frozen=True, slots=True)
class MeetingHead:
    """What every page of a meeting says about it."""

    id: UUID
    slug: str
    title: str
    state: MeetingState
    # What forms carry of it: see ``version_mark``.
    version: int
    starts_at: datetime
    quorum: int
    minutes_an_item: int
    call_id: UUID
    call_slug: str
    call_title: str
    zone: str


@dataclass(frozen=True, slots=True)
class Seated:
    """Somebody of the meeting as the others see them."""

    user_id: UUID
    name: str
    role: PanelRole
    here: bool
    # Out of the room for the item that is open.
    out: bool
    # Clear of the item that is open, and with a vote on it.
    eligible: bool
    # Has assessed the application that is open, and so has no voice on it.
    assessed: bool = False


@dataclass(frozen=True, slots=True)
class AgendaRow:
    """One application on the agenda of a reader who may read it."""

    item_id: UUID
    application_id: UUID
    reference: str
    title: str
    cities: str
    spread: str
    rank: int | None
    score: str
    tied: tuple[str, ...]
    told: Course
    current: bool
    # The meeting has ended: nothing is to come any more.
    over: bool = False
    # So many of the meeting may vote on it, in the room or not.
    eligible: int = 0

    @property
    def state(self) -> str:
        """In a word."""
        if self.current:
            return "Open now"
        if self.told.opened_at is None:
            return "Not reached" if self.over else "To come"
        if self.told.open_proposal is not None:
            return "Vote not counted" if self.over else "Vote open"
        return "Decided" if self.told.decision else "Discussed"


@dataclass(frozen=True, slots=True)
class MeetingPage:
    """A meeting as one person sees it: items that are shut to them are nowhere in it."""

    head: MeetingHead
    rows: tuple[AgendaRow, ...]
    people: tuple[Seated, ...]
    # What the reader is in the meeting; None for who only reads.
    role: PanelRole | None
    here: bool
    # The item that is open, where the reader may see it.
    current: AgendaRow | None
    # An item is open and it is shut to the reader.
    closed: bool
    leads: bool
    votes: bool
    # Whether some items are shut to the reader.
    partial: bool
    eligible: int
    began_at: datetime | None
    # Who reads, None where that is nobody of the meeting.
    reader: UUID | None = None
    # What a page in the room compares with what it asks for every two seconds.
    beat: str = ""

    @property
    def unsettled(self) -> tuple[str, ...]:
        """What would stay as it is if the meeting ended now, of all that the reader may read."""
        votes = [
            f"{row.title}: {row.told.open_proposal.uncounted_words}" for row in self.rows if row.told.open_proposal
        ]
        names = [row.title for row in self.rows if row.told.opened_at is None]
        if names:
            count, more = len(names), len(names) - NAMED_MOST
            named = ", ".join(names[:NAMED_MOST]) + (f" and {more} more" if more > 0 else "")
            votes.append(f"{count} {'application is' if count == 1 else 'applications are'} not reached: {named}.")
        return tuple(votes)

    @property
    def few_words(self) -> str:
        """Why no vote is possible on the item that is open, however many come; empty where one is."""
        if self.current is None or self.eligible >= self.head.quorum:
            return ""
        return (
            f"No vote is possible on this item: {self.eligible} of this meeting may vote on it, and the quorum is "
            f"{self.head.quorum}. {WAY_OUT}"
        )

    @property
    def beyond_words(self) -> str:
        """Which items no vote is possible on as things stand, and what helps; empty where there is none."""
        names = [f"{row.title} ({row.eligible})" for row in self.beyond_vote]
        more = f" and {len(names) - NAMED_MOST} more" if len(names) > NAMED_MOST else ""
        return (
            f"Fewer people of this meeting may vote on them than its quorum of {self.head.quorum}: "
            f"{', '.join(names[:NAMED_MOST])}{more}. {WAY_OUT}"
            if names
            else ""
        )

    @property
    def beyond_vote(self) -> tuple[AgendaRow, ...]:
        """What no vote is possible on as things stand, although everybody of the meeting were there."""
        if self.head.state is MeetingState.ENDED:
            return ()
        return tuple(row for row in self.rows if row.eligible < self.head.quorum)

    @property
    def takes_minutes(self) -> bool:
        """Whether the reader writes the remarks."""
        return self.role is PanelRole.MINUTES

    def _is_here(self, role: PanelRole) -> bool:
        return any(each.here for each in self.people if each.role is role)

    @property
    def turns(self) -> bool:
        """Whether the reader turns the pages: the chair, and the deputy where they lead or the chair is not there.

        An item that is shut to whoever is left to turn them is still closed, and the next one opened.
        """
        match self.role:
            case PanelRole.CHAIR:
                return not self.closed or not self._is_here(PanelRole.DEPUTY)
            case PanelRole.DEPUTY:
                return self.leads or not self._is_here(PanelRole.CHAIR)
            case _:
                return False

    @property
    def may_stand_in(self) -> bool:
        """Whether the reader is the deputy who can say that the chair was cut off."""
        goes_on = self.head.state in (MeetingState.RUNNING, MeetingState.PAUSED)
        return goes_on and self.role is PanelRole.DEPUTY and self.here and not self.turns

    @property
    def no_vote(self) -> str:
        """Why somebody who votes in this meeting has no vote on the item that is open; nothing where they have one."""
        own = next((each for each in self.people if each.user_id == self.reader), None)
        if own is None or self.current is None:
            return ""
        if own.assessed:
            return (
                "You assessed this application yourself. You hear what the panel says of it, and have no vote on it; "
                "nor do you lead it. Your own scores count in its assessment."
            )
        if own.eligible and not own.here:
            return "You have a vote on this item once you have said that you are here."
        return "You take the minutes; you have no vote." if self.takes_minutes else ""


@dataclass(frozen=True, slots=True)
class MeetingRow:
    """One meeting in the list."""

    slug: str
    title: str
    call_title: str
    state: MeetingState
    starts_at: datetime
    zone: str
    # Whether its minutes have both signatures.
    signed: bool = False


@dataclass(frozen=True, slots=True)
class MinutesView:
    """A version of the minutes as one person reads it."""

    id: UUID
    number: int
    text: MinutesText
    sha256: str
    left_out: bool
    file_role: str
    frozen_by: str
    frozen_at: datetime
    chair: tuple[str, datetime] | None
    second: tuple[str, datetime] | None
    synthetic: bool

    @property
    def signed(self) -> bool:
        """Whether both have signed."""
        return self.chair is not None and self.second is not None


@dataclass(frozen=True, slots=True)
class Pulse:
    """What a page in the room asks for every two seconds: whether anything it shows has changed."""

    beat: str
    closed: bool
