"""Meetings of the panel as each person may see them: what is shut to a reader is left out before anything is told."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, literal, select, tuple_

from grants.applications.models import Application
from grants.applications.states import ApplicationState
from grants.awards.models import PanelEvent, PanelItem, PanelMeeting, PanelMember, PanelMinutes
from grants.awards.queries.ranked import live_list
from grants.awards.ranking import Ranked, score_words
from grants.awards.rules import panel as rules
from grants.awards.rules.panel import UNSEEN, Event
from grants.awards.rules.panel_pages import AgendaRow, MeetingHead, MeetingPage, MeetingRow, Pulse, Seated
from grants.awards.rules.plan import BY_RANK
from grants.awards.states import VOTING, Happened, MeetingState, PanelRole, Vote
from grants.calls import queries as calls
from grants.calls.models import Call
from grants.calls.rules import CallView
from grants.core import clock
from grants.core.db import db, locked
from grants.core.duties import every
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows, cut
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import EVERY, Asking, ask, both, reader, side_by_side
from grants.evaluation import queries as evaluation
from grants.evaluation import rules as evaluation_rules
from grants.identity.models import User


def meeting_scope(meeting_id: UUID) -> Scope:
    """A meeting lies in its call. It is locked: its log is numbered without gap."""
    return Scope.of(("call", locked(PanelMeeting, meeting_id).call_id))


def signing_scope(meeting_id: UUID) -> Scope:
    """The same for signing its minutes. The call is locked first, as by whoever decides or confirms its list by them."""
    call_id = db.session.scalar(select(PanelMeeting.call_id).where(PanelMeeting.id == meeting_id))
    if call_id is None:
        raise NotFound
    evaluation.call_scope(call_id)
    return meeting_scope(meeting_id)


def opens(actor: Actor) -> ColumnElement[bool]:
    """Meetings this person may open: those of calls where they read the panel."""
    if actor.everywhere(Permission.PANEL_READ):
        return PanelMeeting.call_id.not_in(actor.barred("call"))
    return PanelMeeting.call_id.in_(actor.places(Permission.PANEL_READ, "call") - actor.barred("call"))


@reader
def shut(actor: Actor, application_ids: Collection[UUID]) -> Asking[frozenset[UUID]]:
    """Those of these applications of which this person is shown nothing at all: undeclared, in doubt, in conflict, barred.

    And those they still score: what a panel says of an application would be in the sheet of whoever heard it.
    """
    closed, scoring = yield from both(
        evaluation.shut_for.asking(actor, application_ids), evaluation.scoring.asking(actor, application_ids)
    )
    return closed | scoring | (actor.barred("application") & frozenset(application_ids))


def meeting_id_of(actor: Actor, slug: str) -> UUID:
    """The meeting of that address; :class:`NotFound` where this person may not open it."""
    found = db.session.scalar(select(PanelMeeting.id).where(PanelMeeting.slug == slug, opens(actor)))
    if found is None:
        raise NotFound
    return found


@reader
def pulse(actor: Actor, slug: str) -> Asking[Pulse]:
    """Whether anything changed for this person: two statements at most, and one answer for all of an item that is shut."""
    rows = yield from ask(
        select(PanelMeeting.id, PanelMeeting.state, PanelMeeting.last_number, PanelItem.application_id)
        .outerjoin(PanelItem, PanelItem.id == PanelMeeting.current_id)
        .where(PanelMeeting.slug == slug, opens(actor))
    )
    if not rows:
        raise NotFound
    row = rows[0]
    closed = row.application_id is not None and bool((yield from shut.asking(actor, [row.application_id])))
    return Pulse(_beat(actor, row.id, row.state, row.last_number, closed=closed), closed)


def _beat(actor: Actor, meeting_id: UUID, state: str, last_number: int, *, closed: bool) -> str:
    """What changes whenever something changes that this person may see.

    Of an item that is shut to them it is one and the same: not that somebody votes, not that the next item is shut too.
    """
    beat = "closed" if closed else f"{state} {last_number}"
    return hashlib.sha256(f"{meeting_id} {actor.user_id} {beat}".encode()).hexdigest()[:32]


def signed_minutes() -> ColumnElement[bool]:
    """Whether the minutes of a meeting are signed by both; after that they no longer change."""
    return (
        select(PanelMinutes.id)
        .where(
            PanelMinutes.meeting_id == PanelMeeting.id,
            PanelMinutes.chair_signed_by.is_not(None),
            PanelMinutes.second_signed_by.is_not(None),
        )
        .exists()
    )


@reader
def meetings(actor: Actor, page: Page, of_call: str = "") -> Asking[Rows[MeetingRow]]:
    """The meetings this person may open, of one call where it is named, the latest first. One statement."""
    key = tuple_(PanelMeeting.starts_at, PanelMeeting.id)
    # The key of a page is an address; who may not open that meeting pages by it all the same and learns nothing.
    last = (
        select(PanelMeeting.starts_at, PanelMeeting.id).where(PanelMeeting.slug == (page.after or "")).scalar_subquery()
    )
    rows = yield from ask(
        select(
            *(PanelMeeting.slug, PanelMeeting.title, PanelMeeting.state, PanelMeeting.starts_at),
            *(Call.title.label("call_title"), Call.zone, signed_minutes().label("signed")),
        )
        .join(Call, Call.id == PanelMeeting.call_id)
        .where(opens(actor), key < last if page.after else literal(True))
        .where(Call.slug == of_call if of_call else literal(True))
        .order_by(PanelMeeting.starts_at.desc(), PanelMeeting.id.desc())
        .limit(page.limit)
    )
    found = [
        MeetingRow(row.slug, row.title, row.call_title, MeetingState(row.state), row.starts_at, row.zone, row.signed)
        for row in rows
    ]
    return cut(found, page, key=lambda row: row.slug)


# Calls named one by one where a meeting can be planned; the steps of every other call lead there too.
CALLS_NAMED_MAX = 50


@reader
def calls_to_plan(actor: Actor, of_call: str = "") -> Asking[tuple[tuple[tuple[str, str], ...], int]]:
    """Calls with applications under evaluation, for which this person plans meetings: address and title, and how many more.

    The call alone whose steps led there, where one is named.
    """
    if not actor.can(Permission.PANEL_PLAN):
        return (), 0
    where = (
        literal(True)
        if actor.everywhere(Permission.PANEL_PLAN)
        else Call.id.in_(actor.places(Permission.PANEL_PLAN, "call"))
    )
    waiting = select(Application.id).where(
        Application.call_id == Call.id, Application.state == ApplicationState.UNDER_EVALUATION.value
    )
    rows = yield from ask(
        select(Call.slug, Call.title, EVERY)
        .where(where, Call.id.not_in(actor.barred("call")), waiting.exists())
        .where(Call.slug == of_call if of_call else literal(True))
        .order_by(Call.title, Call.slug)
        .limit(CALLS_NAMED_MAX)
    )
    return tuple((row.slug, row.title) for row in rows), every(rows) - len(rows)


@dataclass(frozen=True, slots=True)
class Whole:
    """A meeting as it is, before anything is left out for a reader."""

    head: MeetingHead
    current: UUID | None
    # Item to application, reference and title, in the order of the agenda.
    items: Mapping[UUID, tuple[UUID, str, str]]
    roles: Mapping[UUID, PanelRole]
    names: Mapping[UUID, str]
    events: tuple[Event, ...]
    call: CallView
    last_number: int


@reader
def whole(meeting: ColumnElement[bool]) -> Asking[Whole]:
    """The meeting for which this condition holds, with its log; two statements. For acts, and for pages that leave out."""
    rows = yield from ask(
        select(
            *(PanelMeeting.id, PanelMeeting.slug, PanelMeeting.title, PanelMeeting.state, PanelMeeting.version),
            *(PanelMeeting.starts_at, PanelMeeting.quorum, PanelMeeting.minutes_an_item, PanelMeeting.call_id),
            *(Call.slug.label("call_slug"), Call.title.label("call_title"), Call.zone, PanelMeeting.current_id),
            PanelMeeting.last_number,
        )
        .join(Call, Call.id == PanelMeeting.call_id)
        .where(meeting)
    )
    if not rows:
        raise NotFound
    row = rows[0]
    about: list[Asking[Any]] = [
        _items(row.id), _members(row.id), events_of.asking(row.id), calls.call_views.asking({row.call_id}),
    ]  # fmt: skip
    items, members, events, call_views = yield from side_by_side(about)
    return Whole(
        MeetingHead(
            *(row.id, row.slug, row.title, MeetingState(row.state), rules.version_mark(row.id, row.version)),
            *(row.starts_at, row.quorum),
            *(row.minutes_an_item, row.call_id, row.call_slug, row.call_title, row.zone),
        ),
        row.current_id,
        {each.id: (each.application_id, each.reference, each.title) for each in items},
        {each.user_id: PanelRole(each.role) for each in members},
        {each.user_id: each.name for each in members},
        events,
        call_views[row.call_id],
        row.last_number,
    )


def _items(meeting_id: UUID) -> Asking[Sequence[Any]]:
    return (
        yield from ask(
            select(PanelItem.id, PanelItem.application_id, Application.reference, Application.title)
            .join(Application, Application.id == PanelItem.application_id)
            .where(PanelItem.meeting_id == meeting_id)
            .order_by(PanelItem.position)
            .limit(rules.ITEMS_MAX)
        )
    )


def _members(meeting_id: UUID) -> Asking[Sequence[Any]]:
    return (
        yield from ask(
            select(PanelMember.user_id, PanelMember.role, User.name)
            .join(User, User.id == PanelMember.user_id)
            .where(PanelMember.meeting_id == meeting_id)
            .order_by(User.name)
        )
    )


@reader
def events_of(meeting_id: UUID) -> Asking[tuple[Event, ...]]:
    """The log of a meeting in its order."""
    rows = yield from ask(
        select(PanelEvent)
        .where(PanelEvent.meeting_id == meeting_id)
        .order_by(PanelEvent.number)
        .limit(rules.EVENTS_MAX)
    )
    return tuple(
        Event(
            *(row.number, Happened(row.kind), row.at, row.by_id, row.person_id, row.item_id, row.other_item_id),
            *(row.proposal, Vote(row.vote) if row.vote else None, row.text, row.before, row.reason),
        )
        for row in rows
    )


@dataclass(frozen=True, slots=True)
class Clear:
    """Who of a meeting may be in the room for an item, and who of them has a voice: votes on it and leads it."""

    room: frozenset[UUID] = frozenset()
    voice: frozenset[UUID] = frozenset()


@reader
def clear_people(
    people: Collection[UUID], application_ids: Collection[UUID], must_declare: Collection[UUID]
) -> Asking[dict[UUID, Clear]]:
    """For each application those of these people to whom it opens, by the condition that opens their pages.

    Whoever still scores it is not in the room; whoever assesses it, scored already or not, has no voice.
    """
    clear, seats = yield from both(
        evaluation.clear_people.asking(people, application_ids, must_declare),
        evaluation.seated.asking(application_ids),
    )
    found = {}
    for key in application_ids:
        room = frozenset(one for one in people if (one, key) in clear and seats.get((one, key), True))
        found[key] = Clear(room, frozenset(one for one in room if (one, key) not in seats))
    return found


@reader
def meeting_page(actor: Actor, slug: str, at: datetime | None = None) -> Asking[MeetingPage]:
    """A meeting as this person sees it, in four statements however long it is."""
    found = yield from whole.asking(opens(actor) & (PanelMeeting.slug == slug))
    ids = [application_id for application_id, _, _ in found.items.values()]
    about: list[Asking[Any]] = [
        shut.asking(actor, ids), clear_people.asking(found.roles, ids, voting(found.roles)),
        evaluation.cities_of.asking(ids), evaluation.spreads.asking(ids), live_list.asking(found.call, BY_RANK),
    ]  # fmt: skip
    closed_to, clear, cities, spreads, (listed, _, _) = yield from side_by_side(about)
    ranks = {row.application_id: row for row in listed.rows}
    return _page(actor, found, closed_to, clear, _Beside(cities, spreads, ranks), at or clock.now())


def voting(roles: Mapping[UUID, PanelRole]) -> frozenset[UUID]:
    """Those of a meeting who vote, and so must have declared."""
    return frozenset(person for person, role in roles.items() if role is not PanelRole.MINUTES)


@dataclass(frozen=True, slots=True)
class _Beside:
    """What the agenda says of applications beside their titles."""

    cities: Mapping[UUID, str]
    spreads: Mapping[UUID, int]
    ranks: Mapping[UUID, Ranked]


def _page(
    actor: Actor,
    found: Whole,
    closed_to: frozenset[UUID],
    clear: Mapping[UUID, Clear],
    beside: _Beside,
    at: datetime,
) -> MeetingPage:
    hidden = frozenset(item for item, (application_id, _, _) in found.items.items() if application_id in closed_to)
    events = rules.readable(found.events, hidden)
    told = rules.courses(events, at)
    rows = tuple(
        _row(item, found, told.get(item, UNSEEN), beside, clear, partial=bool(hidden))
        for item in found.items
        if item not in hidden
    )
    current = next((row for row in rows if row.current), None)
    here, role = rules.present(found.events), found.roles.get(actor.user_id) if actor.user_id else None
    may = rules.eligible(found.roles, clear[current.application_id].voice) if current else frozenset()
    out = {stay.person for stay in current.told.out if stay.until is None} if current else set()
    known = clear[current.application_id] if current else Clear()
    leads = rules.leader(found.roles, known.voice if current else found.roles, here)
    return MeetingPage(
        found.head,
        rows,
        tuple(
            Seated(
                *(person, found.names[person], found.roles[person], person in here, person in out, person in may),
                found.roles[person] in VOTING and person in known.room - known.voice,
            )
            for person in sorted(found.roles, key=lambda one: (list(PanelRole).index(found.roles[one]), found.names[one]))
        ),
        role,
        actor.user_id in here,
        current,
        found.current in hidden,
        actor.user_id == leads and found.current not in hidden,
        actor.user_id in may and actor.user_id in here,
        bool(hidden),
        len(may),
        next((each.at for each in events if each.kind is Happened.BEGUN), None),
        actor.user_id,
        _beat(actor, found.head.id, found.head.state, found.last_number, closed=found.current in hidden),
    )  # fmt: skip


def _row(
    item: UUID, found: Whole, told: rules.Course, beside: _Beside, clear: Mapping[UUID, Clear], *, partial: bool
) -> AgendaRow:
    application_id, reference, title = found.items[item]
    ranked = beside.ranks.get(application_id)
    spread = beside.spreads.get(application_id)
    references = {key: row.reference for key, row in beside.ranks.items()}
    # Ranks would tell of what is left out: a gap is a place somebody has.
    seen = None if partial else ranked
    return AgendaRow(
        item, application_id, reference, title, beside.cities.get(application_id, ""),
        evaluation_rules.half_words(spread) if spread is not None else "",
        seen.rank if seen else None,
        score_words(ranked.score) if ranked else "",
        tuple(references[key] for key in seen.tied_with) if seen else (),
        told, item == found.current, found.head.state is MeetingState.ENDED,
        len(rules.eligible(found.roles, clear[application_id].voice)),
    )  # fmt: skip


@reader
def to_discuss(call_id: UUID) -> Asking[tuple[UUID, ...]]:
    """The applications of a call a panel looks at, in the order it looks at them by itself: spread, then rank."""
    call_views = yield from calls.call_views.asking({call_id})
    rows = yield from ask(
        select(Application.id, Application.reference)
        .where(Application.call_id == call_id, Application.state == ApplicationState.UNDER_EVALUATION.value)
        .order_by(Application.reference)
        .limit(rules.ITEMS_MAX)
    )
    ids = [row.id for row in rows]
    spreads, (listed, _, _) = yield from both(
        evaluation.spreads.asking(ids), live_list.asking(call_views[call_id], BY_RANK)
    )
    ranks = {row.application_id: row.rank for row in listed.rows}
    return rules.default_order((row.id, spreads.get(row.id, 0), ranks.get(row.id), row.reference) for row in rows)


def discussed(call_id: UUID) -> frozenset[UUID]:
    """The applications of a call that some meeting of its panel has opened."""
    return frozenset(
        db.session.scalars(
            select(PanelItem.application_id)
            .join(PanelEvent, PanelEvent.item_id == PanelItem.id)
            .join(PanelMeeting, PanelMeeting.id == PanelItem.meeting_id)
            .where(PanelMeeting.call_id == call_id, PanelEvent.kind == Happened.OPENED.value)
            .distinct()
        )
    )


def tied(call_id: UUID, application_id: UUID, other_id: UUID) -> bool:
    """Whether two applications stay tied on the list as it stands, whatever a panel said of their order so far."""
    listed, _, _ = live_list(calls.call_by_id(call_id), BY_RANK)
    return any(row.application_id == application_id and other_id in row.tied_with for row in listed.rows)


def role_in(meeting_id: UUID, user_id: UUID | None) -> PanelRole | None:
    """What somebody is in a meeting."""
    found = db.session.scalar(
        select(PanelMember.role).where(PanelMember.meeting_id == meeting_id, PanelMember.user_id == user_id)
    )
    return PanelRole(found) if found else None


def meeting_of(meeting_id: UUID) -> Whole:
    """The meeting with its log, for an act that has locked it."""
    return whole(PanelMeeting.id == meeting_id)
