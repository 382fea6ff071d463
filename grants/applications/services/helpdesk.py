"""Acts of the helpdesk: a ticket is opened, answered, asked back, closed, opened again, or answered for everybody."""

from __future__ import annotations

from uuid import UUID

from grants.applications.queries import helpdesk as queries
from grants.applications.queries.reach import is_team
from grants.applications.queries.whole import view_by_id
from grants.applications.services.drafting import refuse_before_acceptance
from grants.calls import queries as calls
from grants.calls.rules.questions import DraftView
from grants.calls.services import take_as_source
from grants.conversations import queries as conversation_reads
from grants.conversations import services as conversations
from grants.conversations.rules import About, ConversationRow, TicketInput
from grants.conversations.states import ConversationState, Queue
from grants.core import acts, references
from grants.core.acts import act
from grants.core.errors import Invalid, NotFound, Refused
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.identity import services as people

# So many tickets of one person may wait at once.
WAITING_MAX = 20


@act("ticket.open", needs=Permission.TICKET_OPEN, says="asked the helpdesk about {subject}")
def open_ticket(actor: Actor, given: TicketInput) -> str:
    """Ask the desk of a call for help, about the call or an application one works on; returns the reference."""
    assert actor.user_id is not None, "the route asks for a person"
    if given.queue not in queries.QUEUES:
        raise Invalid("Choose what you need help with.", {"queue": "Choose what you need help with."})
    place = queries.ticket_place(actor, given.about)
    if place is None:
        sentence = "Choose a call, or an application you work on."
        raise Invalid(sentence, {"about": sentence})
    if queries.waiting_of(actor) >= WAITING_MAX:
        raise Refused(f"{WAITING_MAX} of your tickets wait for an answer. Write in one of them, or wait.")
    kind, about_id, call_id = place
    if kind == "application":
        refuse_before_acceptance(actor, about_id)
    if not given.title.strip():
        raise Invalid("Write a subject.", {"title": "Write a subject."})
    call = calls.call_by_id(call_id)
    reference = references.new_reference(call.programme.code, call.year, "Q")
    opened = conversations.open_one(
        reference,
        given.queue,
        About(kind, about_id, call_id),
        opened_by=actor.user_id,
        text=given.text,
        title=given.title,
    )
    return opened.reference


@act(
    "ticket.write",
    needs=Permission.TICKET_OPEN,
    scope=queries.ticket_scope,
    says="wrote to the helpdesk about {subject}",
)
def write_ticket(actor: Actor, conversation_id: UUID, text: str) -> None:
    """Whoever has the question, or writes in the application it is about, says more."""
    row = _row(conversation_id)
    _refuse_strangers(actor, row)
    assert actor.user_id is not None, "a party is a person"
    conversations.write(conversation_id, actor.user_id, text)
    if row.assigned_to is None or row.assigned_to == actor.user_id:
        return
    if _is_at_desk(row.assigned_to, row):
        _tell(row, row.assigned_to, "ticket_written", actor.name)
    else:
        # Whoever looked after it is at the desk no more: it is anybody's again.
        conversations.assign(conversation_id, None)


@act("ticket.close", needs=Permission.TICKET_OPEN, scope=queries.ticket_scope, says="closed a ticket about {subject}")
def close_ticket(actor: Actor, conversation_id: UUID) -> None:
    """It is settled, say who asked or the desk."""
    row = _row(conversation_id)
    _refuse_strangers(actor, row, desk=queries.is_desk(actor, row))
    conversations.close(conversation_id)


@act(
    "ticket.reopen",
    needs=Permission.TICKET_OPEN,
    scope=queries.ticket_scope,
    says="opened a ticket about {subject} again",
)
def reopen_ticket(actor: Actor, conversation_id: UUID) -> None:
    """It is not settled after all."""
    row = _row(conversation_id)
    _refuse_strangers(actor, row, desk=queries.is_desk(actor, row))
    conversations.reopen(conversation_id)


@act("ticket.take", needs=Permission.TICKET_ANSWER, scope=queries.ticket_scope, says="took a ticket about {subject}")
def take_ticket(actor: Actor, conversation_id: UUID) -> None:
    """Say that one looks after it oneself."""
    _of_helpdesk(_row(conversation_id))
    conversations.assign(conversation_id, actor.user_id)


@act(
    "ticket.give_back",
    needs=Permission.TICKET_ANSWER,
    scope=queries.ticket_scope,
    says="gave a ticket about {subject} back to the desk",
)
def give_ticket_back(actor: Actor, conversation_id: UUID) -> None:
    """Anybody at the desk may take it."""
    _of_helpdesk(_row(conversation_id))
    conversations.assign(conversation_id, None)


@act(
    "ticket.move",
    needs=Permission.TICKET_ANSWER,
    scope=queries.ticket_scope,
    says="moved a ticket about {subject} to the other queue",
)
def move_ticket(actor: Actor, conversation_id: UUID) -> None:
    """What looked technical is about the content, or the other way round."""
    row = _of_helpdesk(_row(conversation_id))
    conversations.move(conversation_id, Queue.CONTENT if row.queue is Queue.TECHNICAL else Queue.TECHNICAL)


@act(
    "ticket.answer",
    needs=Permission.TICKET_ANSWER,
    scope=queries.ticket_scope,
    says="answered a ticket about {subject}",
)
def answer_ticket(actor: Actor, conversation_id: UUID, text: str) -> None:
    """Answer whoever asked. About the content of a call that has opened, the answer is marked as one to one person alone."""
    row = _of_helpdesk(_row(conversation_id))
    assert actor.user_id is not None, "the desk is a person"
    conversations.answer(conversation_id, actor.user_id, text)
    opens_at = calls.call_by_id(row.about.within_id).opens_at
    if row.queue is Queue.CONTENT and opens_at is not None and opens_at <= acts.moment():
        conversations.note_answered_apart(conversation_id)
    if row.assigned_to is None:
        conversations.assign(conversation_id, actor.user_id)
    _tell(row, _asker(row), "ticket_answered", "The helpdesk")


@act(
    "ticket.ask_back",
    needs=Permission.TICKET_ANSWER,
    scope=queries.ticket_scope,
    says="asked back about a ticket about {subject}",
)
def ask_ticket_back(actor: Actor, conversation_id: UUID, text: str) -> None:
    """Ask whoever asked for what is missing; it is their turn then."""
    row = _of_helpdesk(_row(conversation_id))
    assert actor.user_id is not None, "the desk is a person"
    conversations.ask_back(conversation_id, actor.user_id, text)
    if row.assigned_to is None:
        conversations.assign(conversation_id, actor.user_id)
    _tell(row, _asker(row), "ticket_asked_back", "The helpdesk")


@act(
    "ticket.answer_for_everybody",
    needs=Permission.QUESTION_ANSWER,
    scope=queries.ticket_scope,
    says="began an answer for everybody from a ticket",
)
def answer_ticket_for_everybody(actor: Actor, conversation_id: UUID) -> DraftView:
    """What others need to know too becomes a draft among the questions of the call, in one step (equal treatment)."""
    row = _of_helpdesk(_row(conversation_id))
    if row.queue is not Queue.CONTENT:
        raise Refused("A technical matter is no question about the call. Move it to the queue for content first.")
    return take_as_source(actor, row.about.within_id, conversation_id)


def _row(conversation_id: UUID) -> ConversationRow:
    (row,) = conversation_reads.of_ids([conversation_id])
    return row


def _of_helpdesk(row: ConversationRow) -> ConversationRow:
    if row.queue not in queries.QUEUES:
        raise NotFound
    return row


def _refuse_strangers(actor: Actor, row: ConversationRow, *, desk: bool = False) -> None:
    """Only the parties of a ticket have a say in it; for everybody else it is not there.

    Who was invited to the application it is about has one after having agreed to take part; raises :class:`Refused`.
    """
    _of_helpdesk(row)
    if not (queries.is_party(actor, row) or desk):
        raise NotFound
    if row.about.kind == "application" and not desk:
        refuse_before_acceptance(actor, row.about.id)


def _asker(row: ConversationRow) -> UUID:
    """Who is told of an answer: whoever asked; and for them, once they are of the application's team no more, its lead."""
    if row.about.kind != "application" or _is_of_team(row.opened_by, row.about.id):
        return row.opened_by
    return view_by_id(row.about.id).coordinator.contact_id or row.opened_by


def _is_at_desk(user_id: UUID, row: ConversationRow) -> bool:
    try:
        return queries.is_desk(identity.actor_for(user_id), row)
    except NotFound:  # The account is disabled.
        return False


def _is_of_team(user_id: UUID, application_id: UUID) -> bool:
    try:
        return is_team(identity.actor_for(user_id), application_id)
    except NotFound:  # The account is disabled.
        return False


def _tell(row: ConversationRow, user_id: UUID, template: str, who: str) -> None:
    people.mail(
        [user_id],
        template,
        row.about.kind,
        row.about.id,
        reference=row.reference,
        subject=row.title,
        who=who,
        open=row.state is not ConversationState.CLOSED,
    )
