"""The minutes of a meeting of the panel, written from its log; and the copy of somebody to whom items are shut."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from grants.awards.rules.panel import CUT_OFF, UNSEEN, Course, Event, Proposal, courses, stays
from grants.awards.states import Happened, PanelRole, Vote
from grants.core import clock, encoding
from grants.core.errors import Refused

# Beside what nobody of the meeting says: the log has it from elsewhere.
LOGGED = "Logged"


@dataclass(frozen=True, slots=True)
class MinutesStay:
    """Somebody and how long they were there, or out of the room."""

    name: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class MinutesLead:
    """From when to when the deputy led the meeting."""

    name: str
    since: datetime
    until: datetime
    cut_off: bool

    @property
    def words(self) -> str:
        """In whose place."""
        return f"in the place of the chair, who {'had been cut off' if self.cut_off else 'was not there'}"


@dataclass(frozen=True, slots=True)
class MinutesPerson:
    """Somebody of the meeting."""

    name: str
    role: str
    stays: tuple[MinutesStay, ...]


@dataclass(frozen=True, slots=True)
class MinutesVote:
    """A proposal with the votes by name."""

    text: str
    by: str
    approve: tuple[str, ...]
    reject: tuple[str, ...]
    abstain: tuple[str, ...]
    eligible: int
    counted_at: datetime | None
    carried: bool

    @property
    def words(self) -> str:
        """What came of it in one sentence."""
        if self.counted_at is None:
            return "Not counted: the item was closed before."
        cast = len(self.approve) + len(self.reject) + len(self.abstain)
        result = "Carried" if self.carried else "Not carried"
        return (
            f"{result}: {len(self.approve)} for, {len(self.reject)} against, {len(self.abstain)} abstained; "
            f"{cast} of {self.eligible} eligible voted."
        )


@dataclass(frozen=True, slots=True)
class MinutesChange:
    """A change of order or of what is recommended, with its reason."""

    words: str
    reason: str
    by: str
    at: datetime
    other_application_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class MinutesItem:
    """One application of the agenda."""

    application_id: UUID
    reference: str
    title: str
    opened_at: datetime | None
    closed_at: datetime | None
    seconds: int
    out: tuple[MinutesStay, ...]
    votes: tuple[MinutesVote, ...]
    changes: tuple[MinutesChange, ...]
    recommended: str
    remark: str
    decision: str
    # Who led this item in the place of the chair; nothing where the chair did.
    led_by: str = ""


@dataclass(frozen=True, slots=True)
class MinutesText:
    """The minutes as they are frozen. Times are moments; pages and paper write them on the clock of ``zone``."""

    title: str
    call: str
    call_reference: str
    zone: str
    quorum: int
    began_at: datetime
    ended_at: datetime
    pauses: tuple[MinutesStay, ...]
    people: tuple[MinutesPerson, ...]
    items: tuple[MinutesItem, ...]
    led: tuple[MinutesLead, ...] = ()

    @property
    def reached(self) -> tuple[MinutesItem, ...]:
        """What was opened, in the order of the agenda."""
        return tuple(item for item in self.items if item.opened_at is not None)

    @property
    def not_reached(self) -> tuple[MinutesItem, ...]:
        """What was never opened."""
        return tuple(item for item in self.items if item.opened_at is None)

    @property
    def changed_unopened(self) -> tuple[MinutesItem, ...]:
        """What was never opened, and had its score changed while the meeting sat."""
        return tuple(item for item in self.not_reached if item.changes)

    @property
    def not_reached_words(self) -> str:
        """How many were not reached, in one sentence."""
        count = len(self.not_reached)
        return f"{count} {'application was' if count == 1 else 'applications were'} not reached."

    def time_words(self, moment: datetime | None) -> str:
        """A moment on the clock of the call, with its day where the meeting took several."""
        if moment is None:
            return ""
        local, began, ended = (clock.in_zone(each, self.zone) for each in (moment, self.began_at, self.ended_at))
        day = "" if began.date() == local.date() == ended.date() else f"{clock.long_date(local.date())}, "
        return f"{day}{local:%H:%M}"

    def span_words(self, since: datetime, until: datetime | None) -> str:
        """From when to when; the day stands once where both are on it."""
        first, last = self.time_words(since), self.time_words(until)
        day, _, hours = last.rpartition(", ")
        return f"{first} to {hours if day and first.startswith(day) else last}"

    @property
    def sha256(self) -> bytes:
        """The fingerprint of the words."""
        text = json.dumps(encoding.encode(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode()).digest()


@dataclass(frozen=True, slots=True)
class Agenda:
    """What the log of a meeting is told with: names, roles, items with their applications."""

    title: str
    call: str
    call_reference: str
    zone: str
    quorum: int
    names: Mapping[UUID, str]
    roles: Mapping[UUID, PanelRole]
    # Item to application, reference and title, in the order of the agenda.
    items: Mapping[UUID, tuple[UUID, str, str]]


def written(agenda: Agenda, events: Sequence[Event]) -> MinutesText:
    """The minutes, written from what was logged and from nothing else."""
    began, ended = _moment(events, Happened.BEGUN, 0), _moment(events, Happened.ENDED, -1)
    there = stays(events)
    people = tuple(
        MinutesPerson(
            agenda.names[person],
            role.words,
            tuple(MinutesStay(agenda.names[person], stay.since, stay.until) for stay in there if stay.person == person),
        )
        for person, role in sorted(agenda.roles.items(), key=lambda pair: (list(PanelRole).index(pair[1]), agenda.names[pair[0]]))
    )  # fmt: skip
    told = courses(events, ended)
    led_by = _items_led(agenda, events)
    items = tuple(_item(agenda, item, told.get(item, UNSEEN), led_by.get(item, "")) for item in agenda.items)
    return MinutesText(
        agenda.title, agenda.call, agenda.call_reference, agenda.zone, agenda.quorum, began, ended, _pauses(events),
        people, items, _led(agenda, events, ended),
    )  # fmt: skip


def _moment(events: Sequence[Event], kind: Happened, else_at: int) -> datetime:
    """When that happened; where a log does not say it, its first or last entry does. A log without entries is no meeting."""
    if not events:
        raise Refused("The log of this meeting has no entries; there is nothing to write minutes from.")
    return next((each.at for each in events if each.kind is kind), events[else_at].at)


def _pauses(events: Sequence[Event]) -> tuple[MinutesStay, ...]:
    found: list[MinutesStay] = []
    since: datetime | None = None
    for event in events:
        if event.kind is Happened.PAUSED:
            since = event.at
        elif since is not None and event.kind in (Happened.RESUMED, Happened.ENDED):
            found.append(MinutesStay("", since, event.at))
            since = None
    return tuple(found)


def _person(agenda: Agenda, role: PanelRole) -> UUID | None:
    return next((person for person, each in agenda.roles.items() if each is role), None)


def _led(agenda: Agenda, events: Sequence[Event], ended: datetime) -> tuple[MinutesLead, ...]:
    """When the deputy was there and the chair was not, while the meeting went on."""
    chair, deputy = _person(agenda, PanelRole.CHAIR), _person(agenda, PanelRole.DEPUTY)
    if deputy is None:
        return ()
    found: list[MinutesLead] = []
    here: set[UUID | None] = set()
    since: tuple[datetime, bool] | None = None
    goes_on = False
    for event in events:
        match event.kind:
            case Happened.BEGUN:
                goes_on = True
            case Happened.ENDED:
                goes_on = False
            case Happened.ARRIVED:
                here.add(event.person)
            case Happened.LEFT:
                here.discard(event.person)
        leads = goes_on and deputy in here and chair not in here
        if leads and since is None:
            since = (event.at, event.reason == CUT_OFF)
        elif since is not None and not leads:
            found.append(MinutesLead(agenda.names[deputy], since[0], event.at, since[1]))
            since = None
    if since is not None:
        found.append(MinutesLead(agenda.names[deputy], since[0], ended, since[1]))
    return tuple(each for each in found if each.since < each.until)


# What only whoever leads an item does.
_LEADING = frozenset({Happened.PROPOSED, Happened.COUNTED, Happened.REORDERED, Happened.RECOMMENDED})


def _items_led(agenda: Agenda, events: Sequence[Event]) -> dict[UUID, str]:
    """By item who led it in the place of the chair: by the log the deputy did so, or was there when the chair stepped out."""
    chair, deputy = _person(agenda, PanelRole.CHAIR), _person(agenda, PanelRole.DEPUTY)
    if deputy is None:
        return {}
    here: set[UUID | None] = set()
    out: set[UUID | None] = set()
    found: dict[UUID, str] = {}
    for event in events:
        match event.kind:
            case Happened.ARRIVED:
                here.add(event.person)
            case Happened.LEFT:
                here.discard(event.person)
            case Happened.OPENED:
                out = set()
            case Happened.STEPPED_OUT:
                out.add(event.person)
        stands_in = event.kind is Happened.STEPPED_OUT and chair in out and deputy in here
        if event.item is None:
            continue
        if deputy in out:
            found.pop(event.item, None)
        elif stands_in or (event.kind in _LEADING and event.by == deputy):
            found[event.item] = agenda.names[deputy]
    return found


def _item(agenda: Agenda, item: UUID, told: Course, led_by: str = "") -> MinutesItem:
    application_id, reference, title = agenda.items[item]
    votes = tuple(_vote(agenda, put) for put in told.proposals)
    return MinutesItem(
        application_id, reference, title, told.opened_at, told.closed_at, told.seconds,
        tuple(MinutesStay(agenda.names[stay.person], stay.since, stay.until) for stay in told.out),
        votes, tuple(_change(agenda, each) for each in told.changes), told.recommended, told.remark,
        told.decision.text if told.decision else "", led_by,
    )  # fmt: skip


def _vote(agenda: Agenda, put: Proposal) -> MinutesVote:
    by_vote = {vote: tuple(agenda.names[who] for who, cast in put.votes if cast is vote) for vote in Vote}
    return MinutesVote(
        put.text, agenda.names[put.by], by_vote[Vote.APPROVE], by_vote[Vote.REJECT], by_vote[Vote.ABSTAIN],
        put.eligible, put.counted_at, put.carried,
    )  # fmt: skip


def _change(agenda: Agenda, event: Event) -> MinutesChange:
    if event.kind is Happened.SCORED:
        # Whoever did it need not sit in the meeting: the log says who.
        return MinutesChange(f"The score: {event.text} (before: {event.before}).", event.reason, LOGGED, event.at)
    by = agenda.names[event.by]
    if event.kind is Happened.REORDERED:
        assert event.other is not None
        words = f"Of equal score, the order is {event.text} (before: {event.before or 'not decided'})."
        return MinutesChange(words, event.reason, by, event.at, agenda.items[event.other][0])
    before = f"before: “{event.before}”" if event.before else "before: nothing"
    return MinutesChange(f"Recommended: “{event.text}” ({before}).", event.reason, by, event.at)


def scores_in(minutes: MinutesText) -> frozenset[tuple[UUID, MinutesChange]]:
    """What changed a score while the meeting sat, as its minutes say it."""
    return frozenset(
        (item.application_id, each) for item in minutes.items for each in item.changes if each.by == LOGGED
    )


def copy_for(minutes: MinutesText, shut: Collection[UUID]) -> MinutesText:
    """The minutes without the applications that are shut to a reader, and without what names them elsewhere."""
    items = tuple(
        replace(
            item, changes=tuple(each for each in item.changes if each.other_application_id not in shut)
        )
        for item in minutes.items
        if item.application_id not in shut
    )  # fmt: skip
    return replace(minutes, items=items)


def copy_role(minutes: MinutesText, shut: Collection[UUID]) -> str:
    """Under which name the file of a copy is kept: the whole, or one for each set of applications left out."""
    left_out = sorted(str(item.application_id) for item in minutes.items if item.application_id in shut)
    if not left_out:
        return "whole"
    return f"copy-{hashlib.sha256(' '.join(left_out).encode()).hexdigest()[:16]}"
