"""Acts of a meeting of the panel: planned, led item by item, voted on by name; each is an entry of its log."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy import func, select

from grants.awards import queries
from grants.awards.models import PanelItem, PanelMeeting, PanelMember
from grants.awards.queries.panel import Clear, Whole
from grants.awards.rules import panel as rules
from grants.awards.rules.panel import MeetingInput
from grants.awards.services.panel_log import log
from grants.awards.states import MEETING, Happened, MeetingState, PanelRole, Turn, Vote
from grants.calls import queries as calls
from grants.calls.rules import CallView, literal_of
from grants.core import acts, faults
from grants.core.acts import act
from grants.core.db import check_version, db, locked
from grants.core.errors import Conflict, GrantsError, Invalid, NotAllowed, NotFound, Refused
from grants.core.permissions import Actor, Permission, Scope
from grants.evaluation.queries import call_scope
from grants.identity import queries as identity
from grants.identity import services as people

meeting_scope = queries.panel.meeting_scope


@act("panel.plan", needs=Permission.PANEL_PLAN, scope=call_scope, says="planned a meeting of the panel for {subject}")
def plan(actor: Actor, call_id: UUID, values: MeetingInput) -> str:
    """Plan a meeting of the panel of a call, with every application under evaluation on its agenda. Returns its address.

    What an earlier meeting opened comes after what none did.
    """
    values = rules.checked(values)
    call = calls.call_by_id(call_id)
    _refuse_strangers(call_id, values)
    order = rules.unheard_first(queries.panel.to_discuss(call_id), queries.panel.discussed(call_id))
    if not order:
        raise Refused("No application of this call is under evaluation. There is nothing for a panel to look at yet.")
    number = 1 + (db.session.scalar(select(func.max(PanelMeeting.number)).where(PanelMeeting.call_id == call_id)) or 0)
    meeting = PanelMeeting(
        call_id=call_id, number=number, slug=f"{call.slug}-panel-{number}", title=values.title,
        state=MeetingState.PLANNED.value, starts_at=values.starts_at, quorum=values.quorum,
        minutes_an_item=values.minutes_an_item, last_number=0,
    )  # fmt: skip
    db.session.add(meeting)
    roles = values.everybody()
    db.session.add_all(
        PanelMember(meeting_id=meeting.id, user_id=person, role=role.value) for person, role in roles.items()
    )
    db.session.add_all(
        PanelItem(meeting_id=meeting.id, application_id=application_id, position=place)
        for place, application_id in enumerate(order, 1)
    )
    _invite(meeting, call, roles)
    return meeting.slug


def _invite(meeting: PanelMeeting, call: CallView, roles: Mapping[UUID, PanelRole]) -> None:
    """Tell everybody of a new meeting when it begins, on the clock of the call."""
    people.mail(
        roles,
        "panel_planned",
        "call",
        call.id,
        meeting=meeting.title,
        call_title=call.title,
        when=literal_of(meeting.starts_at, call.zone),
        zone=call.zone,
        slug=meeting.slug,
    )


def _refuse_strangers(call_id: UUID, values: MeetingInput) -> None:
    scope = Scope.of(("call", call_id))
    may_attend = {person.id for person in identity.users_with(Permission.PANEL_ATTEND, scope)}
    may_write = {person.id for person in identity.users_with(Permission.PANEL_TAKE_MINUTES, scope)}
    wrong = {}
    if not set(values.roles()) <= may_attend:
        wrong["members"] = "Choose among the people shown: chairs and members of the panel of this call."
    if values.minutes not in may_write:
        wrong["minutes"] = "Choose among the people shown: who may take minutes."
    if wrong:
        raise Invalid("The meeting is not planned yet.", wrong)


@act("panel.order", needs=Permission.PANEL_PLAN, scope=meeting_scope, says="put the agenda of {subject} in order")
def order(actor: Actor, meeting_id: UUID, references: tuple[str, ...], version: int | None = None) -> None:
    """Put the agenda in this order; what is not named keeps its order after it, and so does what is shut to this person."""
    meeting = locked(PanelMeeting, meeting_id)
    refuse_overtaken(meeting, version)
    if MeetingState(meeting.state) is MeetingState.ENDED:
        raise Refused(
            "This meeting has ended; its agenda no longer changes. Plan another meeting for what is still to be looked at."
        )
    found = queries.panel.meeting_of(meeting_id)
    closed = queries.panel.shut(actor, [application_id for application_id, _, _ in found.items.values()])
    by_reference = {
        reference: item
        for item, (application_id, reference, _) in found.items.items()
        if application_id not in closed
    }  # fmt: skip
    unknown = [reference for reference in references if reference not in by_reference]
    if unknown:
        raise Invalid(
            "The agenda was not changed.",
            {"references": f"“{unknown[0][:40]}” is not on this agenda. Write one reference a line."},
        )
    first = [by_reference[reference] for reference in dict.fromkeys(references)]
    wanted = [*first, *(item for item in found.items if item not in first)]
    rows = {row.id: row for row in db.session.scalars(select(PanelItem).where(PanelItem.meeting_id == meeting_id))}
    for place, item in enumerate(wanted, 1):
        rows[item].position = place


# --- leading ----------------------------------------------------------------------------------------------------------


def _led(actor: Actor, meeting_id: UUID, version: int | None) -> PanelMeeting:
    """The meeting, locked, for its chair or deputy, where nobody turned a page meanwhile."""
    meeting = locked(PanelMeeting, meeting_id)
    role = queries.panel.role_in(meeting_id, actor.user_id)
    if role not in (PanelRole.CHAIR, PanelRole.DEPUTY):
        raise NotAllowed("The chair of this meeting leads it, or its deputy where a conflict keeps the chair out.")
    refuse_overtaken(meeting, version)
    return meeting


def refuse_overtaken(meeting: PanelMeeting, shown: int | None) -> None:
    """Raise :class:`Conflict` where a form was shown before something changed, by what forms carry of the version."""
    stands = shown is None or shown == rules.version_mark(meeting.id, meeting.version)
    check_version(meeting, None if stands else 0)


def leads(actor: Actor, meeting: PanelMeeting) -> PanelItem:
    """The item that is open, for who leads it; raises :class:`NotFound` for somebody to whom it is shut."""
    item, clear = _open_item(actor, meeting)
    found = queries.panel.meeting_of(meeting.id)
    _refuse_assessing(actor, clear)
    # Who leads follows from the conflicts, which passed their point, and from who is there.
    if rules.leader(found.roles, clear.voice, rules.present(found.events)) != actor.user_id:
        raise NotAllowed(
            "The chair leads this item, or the deputy where a conflict keeps the chair out or the chair is not there. "
            "Say that you are here first, if you are."
        )
    return item


def _refuse_assessing(actor: Actor, clear: Clear, words: GrantsError | None = None) -> None:
    """Whoever assesses an application hears what the panel says once their sheet is in, and has no voice."""
    faults.point("four_eyes")
    if actor.user_id in clear.room - clear.voice:
        raise words or NotAllowed(rules.ASSESSES)


def _open_item(actor: Actor, meeting: PanelMeeting) -> tuple[PanelItem, Clear]:
    """The item that is open and who stands clear of it; not found for somebody to whom it is shut."""
    if meeting.current_id is None:
        raise Refused("No item is open now. Reload the page to see what stands.")
    item = locked(PanelItem, meeting.current_id)
    if queries.panel.shut(actor, [item.application_id]):
        raise NotFound
    return item, clear_of(meeting.id, item)


def clear_of(meeting_id: UUID, item: PanelItem) -> Clear:
    """Who of a meeting stands clear of an item, and who of them has a voice on it."""
    roles = queries.panel.meeting_of(meeting_id).roles
    found = queries.panel.clear_people(tuple(roles), [item.application_id], queries.panel.voting(roles))
    return found[item.application_id]


def _present_voters(meeting_id: UUID, clear: frozenset[UUID] | None = None) -> int:
    found = queries.panel.meeting_of(meeting_id)
    here = rules.present(found.events)
    return len(here & rules.eligible(found.roles, here if clear is None else clear))


@act("panel.begin", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="opened {subject}")
def begin(actor: Actor, meeting_id: UUID, version: int | None = None) -> None:
    """Open the meeting, once enough of those who vote are there."""
    meeting = _led(actor, meeting_id, version)
    rules.refuse_few(_present_voters(meeting_id), meeting.quorum, "the meeting")
    MEETING.move(meeting, "begin")
    log(meeting, actor, Happened.BEGUN)


@act("panel.pause", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="paused {subject}")
def pause(actor: Actor, meeting_id: UUID, version: int | None = None) -> None:
    """Stop the clock of the item that is open."""
    meeting = _led(actor, meeting_id, version)
    MEETING.move(meeting, "pause")
    log(meeting, actor, Happened.PAUSED)


@act("panel.resume", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="went on with {subject}")
def resume(actor: Actor, meeting_id: UUID, version: int | None = None) -> None:
    """Go on after a pause."""
    meeting = _led(actor, meeting_id, version)
    MEETING.move(meeting, "resume")
    log(meeting, actor, Happened.RESUMED)


@act("panel.end", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="ended {subject}")
def end(actor: Actor, meeting_id: UUID, version: int | None = None) -> None:
    """Close the item that is open and end the meeting."""
    meeting = _led(actor, meeting_id, version)
    _close(actor, meeting)
    MEETING.move(meeting, "end")
    log(meeting, actor, Happened.ENDED)


@act("panel.turn", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="opened another item of {subject}")
def turn(actor: Actor, meeting_id: UUID, way: Turn, version: int | None = None) -> str:
    """Close the item that is open and open the one after or before it; everybody’s page follows.

    Returns in words what vote is left uncounted on the one that was open; empty where none is.
    """
    meeting = _led(actor, meeting_id, version)
    _refuse_not_running(meeting)
    order = tuple(queries.panel.meeting_of(meeting_id).items)
    item = rules.turned(order, meeting.current_id, way)
    if item is None:
        raise Refused("There is no item there. End the meeting, or open an item from the agenda.")
    return _open(actor, meeting, locked(PanelItem, item))


@act("panel.open_item", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="opened an item of {subject}")
def open_item(actor: Actor, meeting_id: UUID, reference: str, version: int | None = None) -> str:
    """Open an item by its reference, wherever it stands on the agenda; returns what :func:`turn` does."""
    meeting = _led(actor, meeting_id, version)
    _refuse_not_running(meeting)
    return _open(actor, meeting, item_named(actor, meeting_id, reference))


def item_named(actor: Actor, meeting_id: UUID, reference: str) -> PanelItem:
    """The item of that reference; not found where there is none, or it is shut to this person."""
    found = queries.panel.meeting_of(meeting_id)
    item = next((key for key, (_, named, _) in found.items.items() if named == reference), None)
    if item is None or queries.panel.shut(actor, [found.items[item][0]]):
        raise NotFound
    return locked(PanelItem, item)


def _refuse_not_running(meeting: PanelMeeting, what: str = "Items are opened") -> None:
    if MeetingState(meeting.state) is not MeetingState.RUNNING:
        word = MeetingState(meeting.state).words.lower()
        raise Refused(f"This meeting is {word}. {what} while it is in progress.")


def _open(actor: Actor, meeting: PanelMeeting, item: PanelItem) -> str:
    """Open an item: whoever is in conflict with it is out of the room from that moment, on the record.

    Returns in words what vote is left uncounted, to who may read the item it is on.
    """
    clear = clear_of(meeting.id, item)
    if rules.leader(queries.panel.meeting_of(meeting.id).roles, clear.voice) is None:
        raise Refused(
            "Neither the chair nor a deputy may lead the item there. Plan a meeting with another chair for it, "
            "and open another item from the agenda."
        )
    left = _close(actor, meeting)
    meeting.current_id = item.id
    log(meeting, actor, Happened.OPENED, item_id=item.id)
    _send_out(actor, meeting, item, clear.room)
    return left


def _send_out(actor: Actor, meeting: PanelMeeting, item: PanelItem, clear: frozenset[UUID]) -> None:
    """Whoever is there and does not stand clear of the item is out of the room from now, unless they are already."""
    events = queries.panel.events_of(meeting.id)
    told = rules.courses(events, acts.moment())[item.id]
    out = {stay.person for stay in told.out if stay.until is None}
    for person in sorted(rules.present(events) - clear - out, key=str):
        log(meeting, actor, Happened.STEPPED_OUT, item_id=item.id, person_id=person)


def _close(actor: Actor, meeting: PanelMeeting) -> str:
    """Close the item that is open, if one is: whoever stepped out is called back. Returns what :func:`_open` does."""
    if meeting.current_id is None:
        return ""
    item, events = locked(PanelItem, meeting.current_id), queries.panel.events_of(meeting.id)
    told = rules.courses(events, acts.moment())[meeting.current_id]
    log(meeting, actor, Happened.CLOSED, item_id=meeting.current_id)
    for stay in told.out:
        if stay.until is None:
            log(meeting, actor, Happened.CALLED_BACK, item_id=meeting.current_id, person_id=stay.person)
    meeting.current_id = None
    if told.open_proposal is None or queries.panel.shut(actor, [item.application_id]):
        return ""
    return told.open_proposal.uncounted_words


# --- who is there ---------------------------------------------------------------------------------------------------


def _attending(actor: Actor, meeting_id: UUID) -> tuple[PanelMeeting, bool]:
    """The meeting, locked, for somebody of it, and whether they are there."""
    meeting = locked(PanelMeeting, meeting_id)
    if queries.panel.role_in(meeting_id, actor.user_id) is None:
        raise NotAllowed("You are not one of the people of this meeting. Ask who planned it.")
    if MeetingState(meeting.state) is MeetingState.ENDED:
        raise Refused("This meeting has ended. Its minutes tell what was done.")
    return meeting, actor.user_id in rules.present(queries.panel.events_of(meeting_id))


def _refuse_coming_and_going(actor: Actor, meeting_id: UUID) -> None:
    rules.refuse_restless(queries.panel.events_of(meeting_id), actor.user_id, acts.moment())


def _arrive(actor: Actor, meeting_id: UUID) -> None:
    meeting, here = _attending(actor, meeting_id)
    if here:
        raise Refused("You are there already. Nothing was changed.")
    _refuse_coming_and_going(actor, meeting_id)
    log(meeting, actor, Happened.ARRIVED, person_id=actor.user_id)
    if meeting.current_id is not None:
        item = locked(PanelItem, meeting.current_id)
        if actor.user_id not in clear_of(meeting_id, item).room:
            log(meeting, actor, Happened.STEPPED_OUT, item_id=item.id, person_id=actor.user_id)


def _leave(actor: Actor, meeting_id: UUID) -> None:
    meeting, here = _attending(actor, meeting_id)
    if not here:
        raise Refused("You are not there. Nothing was changed.")
    _refuse_coming_and_going(actor, meeting_id)
    log(meeting, actor, Happened.LEFT, person_id=actor.user_id)


@act("panel.arrive", needs=Permission.PANEL_ATTEND, scope=meeting_scope, says="came to {subject}")
def arrive(actor: Actor, meeting_id: UUID) -> None:
    """Somebody who votes is there, from now."""
    _arrive(actor, meeting_id)


@act("panel.leave", needs=Permission.PANEL_ATTEND, scope=meeting_scope, says="left {subject}")
def leave(actor: Actor, meeting_id: UUID) -> None:
    """Somebody who votes leaves the meeting."""
    _leave(actor, meeting_id)


@act(
    "panel.come_to_write",
    needs=Permission.PANEL_TAKE_MINUTES,
    scope=meeting_scope,
    says="came to {subject} to take its minutes",
)
def come_to_write(actor: Actor, meeting_id: UUID) -> None:
    """The minute-taker is there, from now."""
    _arrive(actor, meeting_id)


@act(
    "panel.stop_writing",
    needs=Permission.PANEL_TAKE_MINUTES,
    scope=meeting_scope,
    says="left {subject} and its minutes",
)
def stop_writing(actor: Actor, meeting_id: UUID) -> None:
    """The minute-taker leaves the meeting."""
    _leave(actor, meeting_id)


# --- on the item that is open ---------------------------------------------------------------------------------------


@act("panel.propose", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="put a proposal to the vote in {subject}")
def propose(actor: Actor, meeting_id: UUID, text: str, version: int | None = None) -> int:
    """Put a proposal on the item that is open to the vote, once enough of those who may vote on it are there.

    Returns its number among those of its item.
    """
    meeting = locked(PanelMeeting, meeting_id)
    item = leads(actor, meeting)
    refuse_overtaken(meeting, version)
    _refuse_not_running(meeting, "Proposals are put to the vote")
    words = rules.said(text, "proposal", "Write what is proposed, for example “Recommend it for funding”.")
    events = queries.panel.events_of(meeting_id)
    told = rules.courses(events, acts.moment())[item.id]
    if told.open_proposal is not None:
        raise Refused("A proposal is being voted on. Count it first.")
    rules.refuse_few(_present_voters(meeting_id, clear_of(meeting_id, item).voice), meeting.quorum, "a vote")
    logged = 1 + sum(each.kind is Happened.PROPOSED for each in events)
    log(meeting, actor, Happened.PROPOSED, item_id=item.id, proposal=logged, text=words)
    return len(told.proposals) + 1


@act("panel.vote", needs=Permission.PANEL_ATTEND, scope=meeting_scope, says="voted in {subject}")
def vote(actor: Actor, meeting_id: UUID, number: int, cast: Vote, about: str | None = None) -> None:
    """Vote by name on the proposal that is open; a vote stands.

    ``about`` is the reference of the application it was shown with: another item that is open by now has its own numbers.
    """
    meeting = locked(PanelMeeting, meeting_id)
    item, clear = _open_item(actor, meeting)
    _refuse_not_running(meeting, "Votes are cast")
    _refuse_assessing(actor, clear)
    found = queries.panel.meeting_of(meeting_id)
    put = rules.courses(found.events, acts.moment())[item.id].open_proposal
    if put is None or put.number != number or _is_other(found, item, about):
        raise Conflict("This proposal is no longer being voted on. Your vote was not cast; look at what stands now.")
    if actor.user_id not in rules.eligible(found.roles, clear.voice) & rules.present(found.events):
        raise NotAllowed("Only members of this meeting who are there vote. Say that you are here first.")
    if put.vote_of(actor.user_id) is not None:
        raise Refused("You have voted on this already; a vote stands.")
    log(meeting, actor, Happened.VOTED, item_id=item.id, proposal=put.logged, person_id=actor.user_id, vote=cast.value)


def _is_other(found: Whole, item: PanelItem, about: str | None) -> bool:
    """Whether a form was shown with another application than that of the item that is open."""
    return about is not None and found.items[item.id][1] != about


@act("panel.count", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="counted a vote in {subject}")
def count(actor: Actor, meeting_id: UUID, number: int, about: str | None = None) -> bool:
    """Count the votes on the proposal that is open; whether it is carried. Conflicted people count nowhere."""
    meeting = locked(PanelMeeting, meeting_id)
    item = leads(actor, meeting)
    _refuse_not_running(meeting, "Votes are counted")
    found = queries.panel.meeting_of(meeting_id)
    put = rules.courses(found.events, acts.moment())[item.id].open_proposal
    if put is None or put.number != number or _is_other(found, item, about):
        raise Conflict("This proposal is not being voted on any more. Look at what stands now.")
    clear = clear_of(meeting_id, item)
    may = rules.eligible(found.roles, clear.voice)
    rules.refuse_few_votes(sum(voter in may for voter, _ in put.votes), meeting.quorum)
    _send_out(actor, meeting, item, clear.room)
    struck = " ".join(str(voter) for voter, _ in put.votes if voter not in may)
    log(meeting, actor, Happened.COUNTED, item_id=item.id, proposal=put.logged, text=str(len(may)), before=struck)
    told = rules.courses(queries.panel.events_of(meeting_id), acts.moment())[item.id]
    return next(each for each in told.proposals if each.number == number).carried


@act(
    "panel.reorder",
    needs=Permission.PANEL_LEAD,
    scope=meeting_scope,
    says="changed an order of equal scores in {subject}",
)
def reorder(actor: Actor, meeting_id: UUID, other: str, reason: str, version: int | None = None) -> None:
    """Put the application that is open before another of equal score, with the reason; whoever else may, reads both."""
    meeting = locked(PanelMeeting, meeting_id)
    item = leads(actor, meeting)
    refuse_overtaken(meeting, version)
    _refuse_not_running(meeting, "An order is changed")
    words = rules.said(reason, "reason", "Write why the order is changed.")
    second = item_named(actor, meeting_id, other.strip())
    # On its place they have no voice either, from whichever of the two items they would say it.
    no_voice = Invalid("The order was not changed.", {"other": rules.ASSESSES_OTHER})
    _refuse_assessing(actor, clear_of(meeting_id, second), no_voice)
    if not queries.panel.tied(meeting.call_id, item.application_id, second.application_id):
        raise Invalid(
            "The order was not changed.",
            {"other": "These two are not of equal score after the call’s own rules for ties. A panel orders only those that are."},
        )  # fmt: skip
    names = queries.panel.meeting_of(meeting_id).items
    ahead = f"{names[item.id][1]} before {names[second.id][1]}"
    events = queries.panel.events_of(meeting_id)
    pair = {item.id, second.id}
    stood = next(
        (each.text for each in reversed(events) if each.kind is Happened.REORDERED and {each.item, each.other} == pair), ""
    )  # fmt: skip
    acts.reason(words)
    log(
        meeting, actor, Happened.REORDERED, item_id=item.id, other_item_id=second.id, text=ahead, before=stood, reason=words
    )  # fmt: skip


@act("panel.recommend", needs=Permission.PANEL_LEAD, scope=meeting_scope, says="changed a recommendation in {subject}")
def recommend(actor: Actor, meeting_id: UUID, text: str, reason: str, version: int | None = None) -> None:
    """Change what the panel recommends to say or ask of the application that is open, with the reason."""
    meeting = locked(PanelMeeting, meeting_id)
    item = leads(actor, meeting)
    refuse_overtaken(meeting, version)
    _refuse_not_running(meeting, "A recommendation is changed")
    new = rules.said(text, "text", "Write what is recommended.")
    words = rules.said(reason, "reason", "Write why it is changed.")
    stood = rules.courses(queries.panel.events_of(meeting_id), acts.moment())[item.id].recommended
    acts.reason(words)
    log(meeting, actor, Happened.RECOMMENDED, item_id=item.id, text=new, before=stood, reason=words)
