"""A meeting of the panel told from its log: who is in the room, what each item saw, what of it a person may read.

Nothing here is stored beside the log. A person with a conflict is given the log without the item (:func:`readable`), so
whatever is told from it tells nothing of the item.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from grants.awards.states import VOTING, Happened, PanelRole, Turn, Vote
from grants.core.errors import Invalid, Refused

MEMBERS_MAX = 60
ITEMS_MAX = 2_000
TEXT_CHARACTERS_MAX = 2_000
MINUTES_AN_ITEM_MAX = 240
# A log is read whole. What ends a meeting, and its item, is let in beyond what it holds else.
EVENTS_MAX = 20_000
LOG_MAX = 18_000
_LETS_END = frozenset((Happened.CLOSED, Happened.CALLED_BACK, Happened.ENDED))
# How often one person comes and goes in a meeting, and within a short while; how many remarks one person writes.
COMINGS_MAX = 100
COMINGS_SOON_MAX = 10
SOON = timedelta(minutes=5)
REMARKS_MAX = 3_000
VERSION_MARKS = 10**9

CUT_OFF = "Cut off, by the word of the deputy, who leads until the chair is back."
ASSESSES = "You assess this application yourself; somebody else of the panel leads it, and the others vote on it."
ASSESSES_OTHER = (
    "You assess that application yourself, so you do not say which of the two comes first. Say that you leave: the deputy "
    "leads then, and puts them in order."
)


@dataclass(frozen=True, slots=True)
class MeetingInput:
    """What somebody who plans a meeting enters; ``members`` are those who vote beside the chair and the deputy.

    Somebody who is not chosen yet is None.
    """

    title: str
    starts_at: datetime
    quorum: int
    minutes_an_item: int
    chair: UUID | None
    deputy: UUID | None
    members: tuple[UUID, ...]
    minutes: UUID | None

    def roles(self) -> dict[UUID, PanelRole]:
        """Each person once, with what they are in the meeting."""
        found = dict.fromkeys(self.members, PanelRole.MEMBER)
        if self.deputy is not None:
            found[self.deputy] = PanelRole.DEPUTY
        if self.chair is not None:
            found[self.chair] = PanelRole.CHAIR
        return found

    def everybody(self) -> dict[UUID, PanelRole]:
        """The same, and who takes the minutes."""
        return self.roles() | ({} if self.minutes is None else {self.minutes: PanelRole.MINUTES})


def checked(values: MeetingInput) -> MeetingInput:
    """The meeting as it can be held; raises :class:`Invalid` with each thing that is wrong at its field."""
    wrong = {}
    roles = values.roles()
    if not values.title.strip():
        wrong["title"] = "Write a title, for example “Panel, first day”."
    if values.chair is None:
        wrong["chair"] = "Choose who leads the meeting."
    elif values.deputy == values.chair:
        wrong["deputy"] = "The deputy is somebody else than the chair: they lead where a conflict keeps the chair out."
    if values.minutes is None:
        wrong["minutes"] = "Choose who takes the minutes."
    elif values.minutes in roles:
        wrong["minutes"] = "Who takes the minutes has no vote. Choose somebody who is not a member of this meeting."
    # The chair votes, whoever it becomes.
    voters = len(roles) + (values.chair is None)
    if not 1 <= values.quorum <= voters:
        wrong["quorum"] = f"The quorum is from 1 to {voters}, the people of this meeting who vote."
    if len(roles) > MEMBERS_MAX:
        wrong["members"] = f"A meeting has at most {MEMBERS_MAX} people who vote; these are {len(roles)}."
    if not 1 <= values.minutes_an_item <= MINUTES_AN_ITEM_MAX:
        wrong["minutes_an_item"] = f"Write whole minutes from 1 to {MINUTES_AN_ITEM_MAX}."
    if wrong:
        raise Invalid("The meeting is not planned yet.", wrong)
    return replace(values, title=values.title.strip())


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the log."""

    number: int
    kind: Happened
    at: datetime
    by: UUID
    person: UUID | None = None
    item: UUID | None = None
    other: UUID | None = None
    proposal: int | None = None
    vote: Vote | None = None
    text: str = ""
    before: str = ""
    reason: str = ""


def readable(events: Iterable[Event], shut: Collection[UUID]) -> tuple[Event, ...]:
    """The log without everything about items that are shut to a person: not even how long they took is left.

    >>> readable((), ())
    ()
    """
    return tuple(each for each in events if each.item not in shut and each.other not in shut)


@dataclass(frozen=True, slots=True)
class Stay:
    """A person from then until then; still, where ``until`` is None."""

    person: UUID
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the chair put to the vote, how each voted by name, and what came of it once it was counted.

    ``number`` counts those of its item alone: pages carry it, and tell nothing of what happened to other items.
    """

    number: int
    text: str
    by: UUID
    # Its number in the log of the whole meeting.
    logged: int
    votes: tuple[tuple[UUID, Vote], ...] = ()
    counted_at: datetime | None = None
    # How many might have voted when it was counted.
    eligible: int = 0

    def count(self, vote: Vote) -> int:
        """How many voted so."""
        return sum(cast is vote for _, cast in self.votes)

    @property
    def count_words(self) -> str:
        """How it was voted, without names."""
        return (
            f"{self.count(Vote.APPROVE)} for, {self.count(Vote.REJECT)} against, {self.count(Vote.ABSTAIN)} abstained"
        )

    @property
    def carried(self) -> bool:
        """More voices for it than against it; those who abstain count for neither."""
        return self.count(Vote.APPROVE) > self.count(Vote.REJECT)

    @property
    def uncounted_words(self) -> str:
        """What is left behind where another item is opened, or the meeting ends, before it was counted."""
        cast = len(self.votes)
        voted = "nobody has voted" if not cast else f"{cast} {'has' if cast == 1 else 'have'} voted"
        return f"“{self.text}” is put to the vote and not counted: {voted}."

    def vote_of(self, person: UUID | None) -> Vote | None:
        """How a person voted; None where they did not."""
        return next((vote for voter, vote in self.votes if voter == person), None)


@dataclass(frozen=True, slots=True)
class Course:
    """What one item saw, told from the log."""

    opened_at: datetime | None = None
    closed_at: datetime | None = None
    seconds: int = 0
    out: tuple[Stay, ...] = ()
    proposals: tuple[Proposal, ...] = ()
    changes: tuple[Event, ...] = ()
    remark: str = ""

    @property
    def open_proposal(self) -> Proposal | None:
        """What is being voted on."""
        return next((each for each in self.proposals if each.counted_at is None), None)

    @property
    def decision(self) -> Proposal | None:
        """The last proposal that was carried."""
        return next((each for each in reversed(self.proposals) if each.counted_at and each.carried), None)

    @property
    def recommended(self) -> str:
        """What the panel recommends to tell the applicant, as it stands."""
        return next((each.text for each in reversed(self.changes) if each.kind is Happened.RECOMMENDED), "")


UNSEEN = Course()


@dataclass(slots=True)
class _Telling:
    """One item while its log is read."""

    opened_at: datetime | None = None
    closed_at: datetime | None = None
    since: datetime | None = None
    seconds: int = 0
    out: dict[UUID, Stay] = field(default_factory=dict)
    back: list[Stay] = field(default_factory=list)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    changes: list[Event] = field(default_factory=list)
    remark: str = ""

    def stop(self, at: datetime) -> None:
        if self.since is not None:
            self.seconds += int((at - self.since).total_seconds())
            self.since = None

    def told(self, at: datetime) -> Course:
        running = int((at - self.since).total_seconds()) if self.since else 0
        stays = sorted((*self.back, *self.out.values()), key=lambda stay: (stay.since, str(stay.person)))
        return Course(
            self.opened_at, self.closed_at, self.seconds + max(running, 0), tuple(stays),
            tuple(self.proposals[number] for number in sorted(self.proposals)), tuple(self.changes), self.remark,
        )  # fmt: skip


def courses(events: Sequence[Event], at: datetime) -> dict[UUID, Course]:
    """What each item saw until ``at``, told from the log in its order. The time of a pause is no item's."""
    told: dict[UUID, _Telling] = defaultdict(_Telling)
    current: UUID | None = None
    for event in events:
        match event.kind:
            case Happened.PAUSED | Happened.ENDED if current is not None:
                told[current].stop(event.at)
            case Happened.RESUMED if current is not None:
                told[current].since = event.at
            case _:
                if event.item is not None:
                    _tell(told[event.item], event)
        if event.kind is Happened.OPENED:
            current = event.item
        elif event.kind is Happened.CLOSED and current == event.item:
            current = None
    return {item: one.told(at) for item, one in told.items()}


def _tell(item: _Telling, event: Event) -> None:
    match event.kind:
        case Happened.OPENED:
            item.opened_at, item.closed_at, item.since = item.opened_at or event.at, None, event.at
        case Happened.CLOSED:
            item.stop(event.at)
            item.closed_at = event.at
        case Happened.STEPPED_OUT:
            assert event.person is not None
            item.out[event.person] = Stay(event.person, event.at)
        case Happened.CALLED_BACK:
            assert event.person is not None
            if event.person in item.out:
                item.back.append(replace(item.out.pop(event.person), until=event.at))
        case Happened.PROPOSED:
            assert event.proposal is not None
            item.proposals[event.proposal] = Proposal(len(item.proposals) + 1, event.text, event.by, event.proposal)
        case Happened.VOTED:
            assert event.proposal is not None and event.person is not None and event.vote is not None
            put = item.proposals[event.proposal]
            item.proposals[event.proposal] = replace(put, votes=(*put.votes, (event.person, event.vote)))
        case Happened.COUNTED:
            assert event.proposal is not None
            put, struck = item.proposals[event.proposal], event.before.split()
            # Somebody who declared a conflict after voting: the vote stays in the log and counts for nothing.
            kept = tuple(cast for cast in put.votes if str(cast[0]) not in struck)
            item.proposals[event.proposal] = replace(put, votes=kept, counted_at=event.at, eligible=int(event.text))
        case Happened.REORDERED | Happened.RECOMMENDED | Happened.SCORED:
            item.changes.append(event)
        case Happened.REMARKED:
            item.remark = event.text
        case _:
            raise AssertionError(f"{event.kind} is not about an item")


def version_mark(meeting_id: UUID, version: int) -> int:
    """What forms carry of the version of a meeting: another number after each change, that tells not how many there were.

    Items are turned while somebody is shut out of them: how often, they would read from a number that counts.
    """
    digest = hashlib.sha256(f"{meeting_id} version {version}".encode()).hexdigest()
    return int(digest, 16) % VERSION_MARKS


def stays(events: Iterable[Event]) -> tuple[Stay, ...]:
    """Who was there from when to when, in the order of arriving; ``until`` is None for whoever is there still."""
    here: dict[UUID, Stay] = {}
    found: list[Stay] = []
    for event in events:
        if event.kind is Happened.ARRIVED and event.person is not None:
            here[event.person] = Stay(event.person, event.at)
        elif event.kind is Happened.LEFT and event.person in here:
            found.append(replace(here.pop(event.person), until=event.at))
        elif event.kind is Happened.ENDED:
            found += [replace(stay, until=event.at) for stay in here.values()]
            here = {}
    return tuple(sorted((*found, *here.values()), key=lambda stay: (stay.since, str(stay.person))))


def present(events: Iterable[Event]) -> frozenset[UUID]:
    """Who has arrived and not left; whoever stepped out for an item counts as there, and may not vote on it."""
    return frozenset(stay.person for stay in stays(events) if stay.until is None)


def eligible(roles: Mapping[UUID, PanelRole], clear: Collection[UUID]) -> frozenset[UUID]:
    """Who may vote on an item: those of the meeting who vote and stand clear of it, in the room or not."""
    return frozenset(person for person, role in roles.items() if role in VOTING and person in clear)


def leader(
    roles: Mapping[UUID, PanelRole], clear: Collection[UUID], here: Collection[UUID] = frozenset()
) -> UUID | None:
    """Who leads an item: the chair; where a conflict keeps the chair out, or only the deputy is there, the deputy.

    None where neither may. Where neither is there it is the first of them who may.
    """
    by_role = {role: person for person, role in roles.items()}
    leading = (by_role[role] for role in (PanelRole.CHAIR, PanelRole.DEPUTY) if role in by_role)
    may = [person for person in leading if person in clear]
    return next((person for person in may if person in here), may[0] if may else None)


def who_else_signs(
    roles: Mapping[UUID, PanelRole],
    names: Mapping[UUID, str],
    clear_of_each: Iterable[frozenset[UUID]],
    instead_of: PanelRole,
) -> str:
    """In a sentence, who may sign the minutes in the place of somebody to whom an item is shut.

    >>> one, two = UUID(int=1), UUID(int=2)
    >>> roles, names = {one: PanelRole.CHAIR, two: PanelRole.DEPUTY}, {one: "Maja", two: "Jan"}
    >>> who_else_signs(roles, names, (frozenset({two}),), PanelRole.CHAIR)
    'Jan can sign instead.'
    """
    leading = (PanelRole.CHAIR, PanelRole.DEPUTY)
    whole = frozenset(roles).intersection(*clear_of_each)
    others = sorted(names[each] for each in whole if (roles[each] in leading) == (instead_of in leading))
    if others:
        return f"{' or '.join(others)} can sign instead."
    side = "the chair’s side" if instead_of in leading else "the second side"
    return f"Nobody else of this meeting can sign for {side}: plan another meeting for that item, with other people."


def refuse_few(here: int, quorum: int, what: str) -> None:
    """Raise :class:`Refused` where fewer people who may vote are there than the quorum."""
    if here < quorum:
        raise Refused(
            f"{here} of the people who may vote {'is' if here == 1 else 'are'} here; {what} needs {quorum}. "
            "Wait for the others, or plan a meeting with another quorum."
        )


def refuse_few_votes(cast: int, quorum: int) -> None:
    """Raise :class:`Refused` where fewer of those who may vote have voted than the quorum."""
    if cast == 0:
        raise Refused("Nobody who may vote has voted yet.")
    if cast < quorum:
        raise Refused(
            f"{cast} of the people who may vote {'has' if cast == 1 else 'have'} voted; a vote is counted from {quorum}. "
            "Wait for the others: whoever is for neither side abstains."
        )


def refuse_full_log(last_number: int, kind: Happened) -> None:
    """Raise :class:`Refused` where a log holds as much as can be read whole; a meeting still ends."""
    if last_number >= LOG_MAX and kind not in _LETS_END:
        raise Refused(
            f"The log of this meeting has {LOG_MAX:,} entries, as many as it holds. "
            "End the meeting, and plan another one for what is left."
        )


def refuse_restless(events: Sequence[Event], person: UUID | None, at: datetime) -> None:
    """Raise :class:`Refused` where one person has come and gone too often in a meeting, or in a short while."""
    # What a deputy says of a chair who was cut off is counted with the deputy’s own.
    moves = [each.at for each in events if each.kind in (Happened.ARRIVED, Happened.LEFT) and each.by == person]
    if len(moves) >= COMINGS_MAX:
        raise Refused(
            f"You have come and gone {len(moves)} times, as often as a meeting records. What stands now stays; "
            "tell the minute-taker when you come or leave."
        )
    if sum(at - each < SOON for each in moves) >= COMINGS_SOON_MAX:
        minutes = int(SOON.total_seconds() // 60)
        raise Refused(f"You came and went {COMINGS_SOON_MAX} times within {minutes} minutes. Wait a little.")


def refuse_many_remarks(events: Sequence[Event], person: UUID | None) -> None:
    """Raise :class:`Refused` where one person has written as many remarks as a meeting takes."""
    if sum(each.kind is Happened.REMARKED and each.by == person for each in events) >= REMARKS_MAX:
        raise Refused(f"You have written {REMARKS_MAX:,} remarks, as many as a meeting takes from one person.")


def turned(order: Sequence[UUID], current: UUID | None, turn: Turn) -> UUID | None:
    """The item after or before the one that is open; the first where none is open; None at either end.

    >>> one, two = UUID(int=1), UUID(int=2)
    >>> turned((one, two), one, Turn.NEXT) == two, turned((one, two), two, Turn.NEXT), turned((one, two), None, Turn.NEXT) == one
    (True, None, True)
    """
    if current not in order:
        return order[0] if order and turn is Turn.NEXT else None
    at = order.index(current) + (1 if turn is Turn.NEXT else -1)
    return order[at] if 0 <= at < len(order) else None


def said(text: str, field_name: str, missing: str) -> str:
    """What somebody wrote, tidied; raises :class:`Invalid` at its field where it is empty or too long."""
    text = text.strip()
    if not text:
        raise Invalid("Nothing was done yet.", {field_name: missing})
    if len(text) > TEXT_CHARACTERS_MAX:
        over = len(text) - TEXT_CHARACTERS_MAX
        raise Invalid(
            "Nothing was done yet.",
            {
                field_name: f"This has {len(text):,} characters; the limit is {TEXT_CHARACTERS_MAX:,}. Shorten it by {over:,}."
            },
        )
    return text


def default_order(found: Iterable[tuple[UUID, int, int | None, str]]) -> tuple[UUID, ...]:
    """Applications as a panel looks at them: widest disagreement first, then by rank, those without a rank last.

    Each comes with its spread in half points, its rank and its reference.
    """
    rows = sorted(found, key=lambda row: (-row[1], row[2] is None, row[2] or 0, row[3]))
    return tuple(row[0] for row in rows)


def unheard_first(order: Sequence[UUID], heard: Collection[UUID]) -> tuple[UUID, ...]:
    """The agenda of a further meeting: what no meeting has opened yet comes first, otherwise in its order.

    >>> one, two, three = (UUID(int=number) for number in range(3))
    >>> unheard_first((one, two, three), {one}) == (two, three, one)
    True
    """
    return tuple(sorted(order, key=lambda each: each in heard))


def continued(title: str) -> str:
    """What a meeting is called that goes on where another ended.

    >>> continued("Panel, first day"), continued("Panel, first day, continued")
    ('Panel, first day, continued', 'Panel, first day, continued')
    """
    return f"{title.removesuffix(', continued')}, continued"


def clock_words(seconds: int) -> str:
    """A length of time as a clock shows it.

    >>> clock_words(754), clock_words(3_600)
    ('12:34', '60:00')
    """
    return f"{seconds // 60}:{seconds % 60:02d}"


def over_words(seconds: int, minutes: int) -> str:
    """By how much an item took longer than planned; nothing while it did not.

    >>> over_words(754, 10), over_words(600, 10)
    ('2:34 over', '')
    """
    return f"{clock_words(seconds - 60 * minutes)} over" if seconds > 60 * minutes else ""
