"""Reads of the helpdesk: the own tickets, those of one's application, and what waits at the desk of a call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import aliased

from grants.applications.models import Application, ApplicationMember, ApplicationPartner
from grants.applications.queries.reach import DUTIES_MAX
from grants.applications.states import PartnerState
from grants.calls.models import Call, CallQuestion, CallQuestionSource
from grants.calls.queries.questions import desk_sees, not_barred
from grants.conversations import queries as conversations
from grants.conversations.models import Conversation
from grants.conversations.rules import ConversationRow
from grants.conversations.states import ConversationState, Queue
from grants.core.db import db, locked
from grants.core.duties import Duty
from grants.core.errors import NotFound
from grants.core.paging import Page, Rows
from grants.core.permissions import Actor, Permission, Scope
from grants.core.together import Asking, ask, both, reader
from grants.identity.models import User

QUEUES = (Queue.TECHNICAL, Queue.CONTENT)
# Over so many days the page says how fast first answers come.
MEASURED_DAYS = 90
CHOICES_MAX = 200


@dataclass(frozen=True, slots=True)
class Ticket:
    """A conversation of the helpdesk with what it is about; ``number`` is that of its answer for everybody."""

    row: ConversationRow
    call_title: str
    call_slug: str
    zone: str
    opens_at: datetime | None
    application: str | None
    opener: str
    assigned: str | None
    entry: int | None
    number: int | None

    @property
    def unequal(self) -> bool:
        """Whether one person alone was told something about the content of an open call, and the others were not."""
        return self.row.answered_apart_at is not None and self.number is None


def ticket_scope(conversation_id: UUID) -> Scope:
    """Where a ticket lies: in its call and, where it is about one, in its application; read under its lock."""
    row = locked(Conversation, conversation_id)
    return Scope.of((row.about_kind, row.about_id), ("call", row.within_id))


def is_party(actor: Actor, row: ConversationRow) -> bool:
    """Whether somebody writes in a ticket: whoever opened it, and who writes in the application it is about.

    A ticket about an application is its team's: whoever is of the team no more has no part in it, though they opened it.
    """
    if row.about.kind != "application":
        return row.opened_by == actor.user_id
    has_say = Permission.APPLICATION_READ if row.opened_by == actor.user_id else Permission.APPLICATION_EDIT
    return row.about.id in actor.places(has_say, "application")


def is_desk(actor: Actor, row: ConversationRow) -> bool:
    """Whether somebody is at the desk this ticket comes to."""
    return actor.may(Permission.TICKET_ANSWER, Scope.of((row.about.kind, row.about.id), ("call", row.about.within_id)))


def _of_helpdesk() -> ColumnElement[bool]:
    return Conversation.queue.in_([queue.value for queue in QUEUES])


def _own(actor: Actor) -> ColumnElement[bool]:
    """One's own about calls, and those of the applications one reads as a member of the team, as long as one is."""
    about_application = Conversation.about_kind == "application"
    own = and_(Conversation.opened_by == actor.user_id, ~about_application)
    team = actor.places(Permission.APPLICATION_READ, "application")
    return or_(own, and_(about_application, Conversation.about_id.in_(team))) if team else own


def _desk(actor: Actor) -> ColumnElement[bool]:
    """Those of the desks this person is at; an auditor reads them all."""
    found: list[ColumnElement[bool]] = [
        and_(true(), *desk_sees(actor, each))
        for each in (Permission.TICKET_ANSWER, Permission.AUDIT_READ)
        if actor.can(each)
    ]
    return or_(false(), *found)


def _tickets() -> Any:
    opener, assigned = aliased(User), aliased(User)
    return (
        select(
            Conversation,
            Call.title.label("call_title"),
            Call.slug,
            Call.zone,
            Call.opens_at,
            Application.reference.label("application"),
            opener.name.label("opener"),
            assigned.name.label("assigned"),
            CallQuestion.entry,
            CallQuestion.number,
        )
        .join(Call, Call.id == Conversation.within_id)
        .join(opener, opener.id == Conversation.opened_by)
        .outerjoin(Application, Application.id == Conversation.about_id)
        .outerjoin(assigned, assigned.id == Conversation.assigned_to)
        .outerjoin(CallQuestionSource, CallQuestionSource.conversation_id == Conversation.id)
        .outerjoin(CallQuestion, CallQuestion.id == CallQuestionSource.question_id)
        .where(_of_helpdesk())
    )


def _ticket(found: Any) -> Ticket:
    return Ticket(
        row=conversations.row_of(found),
        call_title=found.call_title,
        call_slug=found.slug,
        zone=found.zone,
        opens_at=found.opens_at,
        application=found.application,
        opener=found.opener,
        assigned=found.assigned,
        entry=found.entry,
        number=found.number,
    )


@reader
def ticket(actor: Actor, reference: str) -> Asking[Ticket]:
    """One ticket this person may read; raises :class:`NotFound` for every other."""
    rows = yield from ask(
        _tickets().where(Conversation.reference == reference, or_(_own(actor), _desk(actor)), *not_barred(actor))
    )
    if not rows:
        raise NotFound
    return _ticket(rows[0])


def own_tickets(actor: Actor, page: Page) -> Rows[Ticket]:
    """What this person asked, and what was asked about their applications, the newest first; one statement."""
    return _listed([_own(actor), *not_barred(actor)], page, oldest_first=False)


def desk_tickets(
    actor: Actor, page: Page, *, queue: Queue | None, state: ConversationState | None, apart: str = ""
) -> Rows[Ticket]:
    """What lies at the desks of this person: of one queue and state, the oldest first where it waits; one statement."""
    conditions = seen = [_desk(actor), *not_barred(actor)]
    if queue is not None:
        conditions = [*conditions, Conversation.queue == queue.value]
    if state is not None:
        conditions = [*conditions, Conversation.state == state.value]
    if apart:
        public = (
            select(CallQuestionSource.conversation_id)
            .join(CallQuestion, CallQuestion.id == CallQuestionSource.question_id)
            .where(CallQuestion.number.is_not(None))
        )
        conditions = [*conditions, Conversation.answered_apart_at.is_not(None), Conversation.id.not_in(public)]
    return _listed(conditions, page, oldest_first=state is ConversationState.WAITING, seen=seen)


def _listed(
    conditions: Sequence[ColumnElement[bool]],
    page: Page,
    *,
    oldest_first: bool,
    seen: Sequence[ColumnElement[bool]] | None = None,
) -> Rows[Ticket]:
    return conversations.page_of(
        _tickets(), [_of_helpdesk(), *conditions], page, oldest_first=oldest_first, made=_ticket,
        key=lambda each: each.row.reference, seen=None if seen is None else [_of_helpdesk(), *seen],
    )  # fmt: skip


def first_answers(actor: Actor, at: datetime) -> dict[Queue, timedelta]:
    """How fast the desks of this person first answered of late, by queue; one statement."""
    return conversations.first_answer_times(
        _of_helpdesk(), _desk(actor), *not_barred(actor), since=at - timedelta(days=MEASURED_DAYS)
    )


def waiting_of(actor: Actor) -> int:
    """How many tickets of one person wait; what they asked in a team they left is that team's, and does not count."""
    mine = (Conversation.opened_by == actor.user_id, Conversation.state == ConversationState.WAITING.value)
    return db.session.scalar(select(func.count()).where(_of_helpdesk(), *mine, _own(actor))) or 0


def awaiting_acceptance(actor: Actor) -> frozenset[UUID]:
    """The applications this person was asked to take part in and has not accepted: they read them, and ask nothing yet."""
    spoken = and_(
        ApplicationPartner.application_id == Application.id, ApplicationPartner.contact_user_id == actor.user_id
    )
    accepted = ApplicationPartner.state == PartnerState.ACCEPTED.value
    asked = ApplicationPartner.state.in_((PartnerState.INVITED.value, PartnerState.WAITING.value))
    joins = and_(
        ApplicationMember.application_id == Application.id,
        ApplicationMember.user_id == actor.user_id,
        ApplicationMember.joined_at.is_(None),
    )
    found = select(Application.id).where(
        Application.id.in_(actor.places(Permission.APPLICATION_READ, "application")),
        ~exists().where(spoken, accepted),
        or_(exists().where(joins), exists().where(spoken, asked)),
    )
    return frozenset(db.session.scalars(found))


@dataclass(frozen=True, slots=True)
class Subjects:
    """What a person may open a ticket about, and the applications (reference and title) whose invitation they accept first."""

    offered: tuple[tuple[str, str], ...]
    first_accept: tuple[tuple[str, str], ...]


def ticket_subjects(actor: Actor) -> Subjects:
    """What the form offers: own applications, then public calls; three statements."""
    barred = {thing for _, thing in actor.barred_from()}
    asked = awaiting_acceptance(actor)
    own = db.session.execute(
        select(Application.id, Application.reference, Application.title)
        .where(
            Application.id.in_(actor.places(Permission.APPLICATION_READ, "application") - barred),
            Application.call_id.not_in(barred),
        )
        .order_by(Application.reference.desc())
        .limit(CHOICES_MAX)
    ).all()
    calls = db.session.execute(
        select(Call.slug, Call.title)
        .where(Call.published_at.is_not(None), Call.id.not_in(barred))
        .order_by(Call.published_at.desc(), Call.id)
        .limit(CHOICES_MAX)
    )
    mine = [row for row in own if row.id not in asked]
    return Subjects(
        (
            *((f"application:{row.reference}", f"My application {row.reference}, {row.title}") for row in mine),
            *((f"call:{row.slug}", f"The call “{row.title}”") for row in calls),
        ),
        tuple((row.reference, row.title) for row in own if row.id in asked),
    )


def ticket_place(actor: Actor, about: str) -> tuple[str, UUID, UUID] | None:
    """(kind, id, call) of what such a ticket would be about, where this person may open one."""
    kind, _, name = about.partition(":")
    barred = {thing for _, thing in actor.barred_from()}
    if kind == "call":
        found = db.session.scalar(select(Call.id).where(Call.slug == name, Call.published_at.is_not(None)))
        return None if found is None or found in barred else ("call", found, found)
    row = db.session.execute(
        select(Application.id, Application.call_id).where(
            Application.reference == name,
            Application.id.in_(actor.places(Permission.APPLICATION_READ, "application") - barred),
            Application.call_id.not_in(barred),
        )
    ).one_or_none()
    return None if kind != "application" or row is None else ("application", row.id, row.call_id)


# --- what must be done --------------------------------------------------------------------------------------------


def desk_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """Tickets and questions that wait at the desks of this person; one statement."""
    del at
    waits = Conversation.state == ConversationState.WAITING.value
    may_help, may_answer = actor.can(Permission.TICKET_ANSWER), actor.can(Permission.QUESTION_ANSWER)
    at_help = desk_sees(actor, Permission.TICKET_ANSWER) if may_help else [false()]
    at_questions = desk_sees(actor, Permission.QUESTION_ANSWER) if may_answer else [false()]
    taken = exists().where(CallQuestionSource.conversation_id == Conversation.id)
    tickets, questions = yield from both(
        ask(select(func.count().label("waiting")).where(waits, _of_helpdesk(), *at_help)),
        ask(
            select(Call.slug, Call.title, func.count().label("waiting"))
            .join(Conversation, Conversation.within_id == Call.id)
            .where(waits, Conversation.queue == Queue.PUBLIC.value, ~taken, *at_questions)
            .group_by(Call.slug, Call.title)
            .order_by(func.min(Conversation.waiting_since), Call.slug)
            .limit(DUTIES_MAX)
        ),
    )
    return [*_tickets_wait(tickets[0].waiting), *(_questions_wait(row) for row in questions)]


def _tickets_wait(number: int) -> list[Duty]:
    if not number:
        return []
    what = f"Answer {number} {'ticket' if number == 1 else 'tickets'} of the helpdesk"
    return [Duty(what, "Somebody waits for help.", "Open the helpdesk", "applications.helpdesk")]


def _questions_wait(row: Any) -> Duty:
    asked = f"{row.waiting} {'question' if row.waiting == 1 else 'questions'}"
    return Duty(
        f"Answer {asked} about “{row.title}”",
        "Everybody reads the answer before the deadline.",
        "See what waits",
        "calls.question_desk",
        {"slug": row.slug},
    )


def asked_back_duties(actor: Actor, at: datetime) -> Asking[list[Duty]]:
    """What the helpdesk asked this person back; and, of an application they lead, whoever asked and is of it no more."""
    del at
    mine: ColumnElement[bool] = Conversation.opened_by == actor.user_id
    if led := actor.places(Permission.APPLICATION_SUBMIT, "application"):
        inherited = and_(Conversation.about_kind == "application", Conversation.about_id.in_(led), _opener_left())
        mine = or_(mine, inherited)
    rows = yield from ask(
        select(Conversation.reference, Conversation.title)
        .where(
            _of_helpdesk(),
            mine,
            _own(actor),
            Conversation.state == ConversationState.ASKED_BACK.value,
            *not_barred(actor),
        )
        .order_by(Conversation.reference)
        .limit(DUTIES_MAX)
    )
    return [
        Duty(
            f"Answer the helpdesk about “{row.title}”",
            "It needs to know more before it can help.",
            "Read and answer",
            "applications.ticket",
            {"ref": row.reference},
        )
        for row in rows
    ]


def _opener_left() -> ColumnElement[bool]:
    """Whether whoever opened a ticket about an application has no part in it any more, or no working account."""
    speaks = exists().where(
        ApplicationPartner.application_id == Conversation.about_id,
        ApplicationPartner.contact_user_id == Conversation.opened_by,
        ApplicationPartner.state != PartnerState.DECLINED.value,
    )
    belongs = exists().where(
        ApplicationMember.application_id == Conversation.about_id, ApplicationMember.user_id == Conversation.opened_by
    )
    gone = exists().where(User.id == Conversation.opened_by, User.disabled_at.is_not(None))
    return or_(gone, and_(~speaks, ~belongs))
