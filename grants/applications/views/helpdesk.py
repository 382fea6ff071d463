"""Pages of the helpdesk: one's own tickets, opening one, the conversation, and the desk that answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, request

from grants.applications import services
from grants.applications.queries import helpdesk as queries
from grants.applications.queries.helpdesk import Ticket
from grants.applications.views.frame import bp
from grants.conversations import queries as conversations
from grants.conversations.forms import SayForm, TicketForm
from grants.conversations.rules import ageing, duration_words
from grants.conversations.states import ConversationState, Queue
from grants.core import clock
from grants.core.permissions import Actor, Permission
from grants.identity import queries as identity
from grants.web import paging
from grants.web.choosing import chosen
from grants.web.forms import choices
from grants.web.routing import current_actor, page, requires, see_other, signed_in

STATES = {
    ConversationState.WAITING: ("Waits for the desk", "yellow"),
    ConversationState.ASKED_BACK: ("Asked back", "blue"),
    ConversationState.ANSWERED: ("Answered", "green"),
    ConversationState.CLOSED: ("Closed", "grey"),
}
APART_WORDS = "Answers on content that one applicant alone has"
QUEUE_WORDS = {Queue.TECHNICAL: "Technical", Queue.CONTENT: "Content"}


@bp.get("/help")
@signed_in
def tickets() -> Any:
    """What one asked, and what was asked about one's applications."""
    return page("applications/tickets.html", rows=queries.own_tickets(current_actor(), paging.asked()), **_words())


@bp.get("/help/new")
@signed_in
def new_ticket() -> Any:
    form = TicketForm(data={"about": request.args.get("about", ""), "queue": request.args.get("queue")})
    return _new_page(form)


@bp.post("/help/new")
@signed_in
def open_ticket() -> Any:
    form = TicketForm()
    # The act says which one may open.
    form.about.choices = choices((each, each) for each in request.form.getlist("about") if each)
    if form.validate_on_submit():
        with form.refusals():
            reference = services.open_ticket(current_actor(), form.to_input())
            flash("The helpdesk has your question. You get a mail when it answers.", "success")
            return see_other(".ticket", ref=reference)
    return _new_page(form), 422


def _new_page(form: TicketForm) -> str:
    subjects = queries.ticket_subjects(current_actor())
    form.about.choices = choices([("", "Choose"), *subjects.offered])
    return page("applications/ticket_new.html", form=form, first_accept=subjects.first_accept)


@bp.get("/help/<ref>")
@signed_in
def ticket(ref: str) -> Any:
    """One conversation with the helpdesk, for both sides."""
    return _ticket_page(queries.ticket(current_actor(), ref), SayForm())


@bp.post("/help/<ref>")
@signed_in
def say(ref: str) -> Any:
    """Write, close or open again, for whoever asked and the team."""
    return _done(ref, {"close": _closed, "reopen": _reopened}, _written)


@bp.post("/helpdesk/<ref>")
@requires(Permission.TICKET_ANSWER)
def serve(ref: str) -> Any:
    """What the desk does with a ticket: the button says which deed."""
    deeds = {
        "ask_back": _asked_back,
        "take": _taken,
        "give_back": _given_back,
        "move": _moved,
        "close": _closed,
        "reopen": _reopened,
        "everybody": _for_everybody,
    }
    return _done(ref, deeds, _answered)


Deed = Callable[[Actor, Ticket, str], Any]


def _done(ref: str, deeds: dict[str, Deed], otherwise: Deed) -> Any:
    actor, form = current_actor(), SayForm()
    found = queries.ticket(actor, ref)
    if form.validate_on_submit():
        with form.refusals():
            deed = deeds.get(request.form.get("go", ""), otherwise)
            return deed(actor, found, form.text.data or "") or see_other(".ticket", ref=ref)
    return _ticket_page(queries.ticket(actor, ref), form), 422


def _written(actor: Actor, found: Ticket, text: str) -> None:
    services.write_ticket(actor, found.row.id, text)
    flash("Your message is with the helpdesk.", "success")


def _answered(actor: Actor, found: Ticket, text: str) -> None:
    services.answer_ticket(actor, found.row.id, text)
    flash("Whoever asked is told by mail.", "success")


def _asked_back(actor: Actor, found: Ticket, text: str) -> None:
    services.ask_ticket_back(actor, found.row.id, text)
    flash("Whoever asked is told by mail, and it is their turn.", "success")


def _plain(deed: Callable[[Actor, UUID], None], words: str) -> Deed:
    def done(actor: Actor, found: Ticket, text: str) -> None:
        del text
        deed(actor, found.row.id)
        flash(words, "success")

    return done


_taken = _plain(services.take_ticket, "You look after this ticket.")
_given_back = _plain(services.give_ticket_back, "Anybody at the desk may take it.")
_moved = _plain(services.move_ticket, "It lies in the other queue now.")
_closed = _plain(services.close_ticket, "Closed. It can be opened again.")
_reopened = _plain(services.reopen_ticket, "Open again; it waits for the desk.")


def _for_everybody(actor: Actor, found: Ticket, text: str) -> Any:
    del text
    made = services.answer_ticket_for_everybody(actor, found.row.id)
    flash("Word the question so that nothing tells who asked, and answer it for everybody.", "success")
    return see_other("calls.answer_draft", slug=found.call_slug, entry=made.entry)


def _ticket_page(found: Ticket, form: SayForm) -> str:
    actor = current_actor()
    said = conversations.messages([found.row.id])[found.row.id]
    return page(
        "applications/ticket.html",
        found=found,
        form=form,
        said=said,
        people=identity.people({each.written_by for each in said}),
        party=queries.is_party(actor, found.row),
        first_accept=found.application
        if found.row.about.kind == "application" and found.row.about.id in queries.awaiting_acceptance(actor)
        else None,
        desk=queries.is_desk(actor, found.row),
        **_words(),
    )


@bp.get("/helpdesk")
@requires(Permission.TICKET_ANSWER, Permission.AUDIT_READ)
def helpdesk() -> Any:
    """What lies at the desk: filters, ageing, and how fast first answers come."""
    actor, at = current_actor(), clock.now()
    problems: list[str] = []
    words = {each.value: word for each, word in QUEUE_WORDS.items()}
    queue = chosen("queue", "queue", {each.value: each for each in QUEUE_WORDS}, problems, words=words)
    waiting, words = ConversationState.WAITING, {each.value: said for each, (said, _) in STATES.items()}
    state = chosen("state", "state", {each.value: each for each in STATES}, problems, otherwise=waiting, words=words)
    only = {"yes": f"“{APART_WORDS}”"}
    apart = chosen("apart", "part", {"yes": "yes"}, problems, words=only, where="of this list") or ""
    if apart:
        state = None
    return page(
        "applications/helpdesk.html",
        rows=paging.Rows(())
        if problems
        else queries.desk_tickets(actor, paging.asked(), queue=queue, state=state, apart=apart),
        problems=problems,
        first=queries.first_answers(actor, at),
        queue=queue,
        state=state,
        apart_words=APART_WORDS,
        **_words(),
    )


def _words() -> dict[str, Any]:
    at = clock.now()
    return {
        "states": STATES,
        "queues": QUEUE_WORDS,
        "age": lambda row: ageing(row.waiting_since, at) if row.waiting_since else None,
        "duration": duration_words,
        "measured_days": queries.MEASURED_DAYS,
    }
