"""The helpdesk on the record: who sees a ticket, whose turn it is, and that what others need becomes public."""

from __future__ import annotations

import threading
from datetime import timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select

from grants.applications import services
from grants.applications.queries import helpdesk as queries
from grants.applications.rules import DetailsInput, InviteInput
from grants.calls import services as calls
from grants.calls.queries import questions
from grants.calls.rules import CallView
from grants.calls.rules.questions import Wording
from grants.conversations.models import Conversation
from grants.conversations.rules import TicketInput
from grants.conversations.states import ConversationState, Queue
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.jobs.models import Job
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.states import Role
from grants.oversight import queries as oversight
from grants.oversight.rules import TrailFilter
from tests import actors
from tests.factories import applications as factory
from tests.factories import identity as identity_factory
from tests.factories.applications import WHILE_OPEN, again
from tests.html import check_page
from tests.statements import statements
from tests.worlds import World, Worlds


def _drafted() -> tuple[CallView, str]:
    call = factory.published_call()
    return call, factory.draft(call, actors.ana())


@pytest.fixture(scope="session")
def helped_world(worlds: Worlds) -> World[tuple[CallView, str]]:
    return worlds.of(_drafted)


@pytest.fixture
def call(helped_world: World[tuple[CallView, str]]) -> CallView:
    return helped_world.told()[0]


@pytest.fixture
def draft(helped_world: World[tuple[CallView, str]]) -> str:
    return helped_world.told()[1]


def opened(about: str, who: Actor | None = None, queue: Queue = Queue.CONTENT) -> UUID:
    with clock.at(WHILE_OPEN):
        reference = services.open_ticket(
            who or actors.ana(), TicketInput(queue, about, "The letter of mandate", "Who signs the letter of mandate?")
        )
    return one(reference)


def one(reference: str) -> UUID:
    return next(row.id for row in db.session.query(Conversation).where(Conversation.reference == reference))


def bar(person: Actor, kind: str, object_id: UUID) -> Actor:
    assert person.user_id is not None
    with arranging():
        identity_factory.bar(person.user_id, kind, object_id)
    return actors.actor(person.user_id)


def reference(ticket_id: UUID) -> str:
    return db.session.get_one(Conversation, ticket_id).reference


def is_seen(who: Actor, ticket_id: UUID) -> bool:
    try:
        return queries.ticket(who, reference(ticket_id)).row.id == ticket_id
    except NotFound:
        return False


# --- whose turn ---------------------------------------------------------------------------------------------------


def test_turns_go_between_the_person_and_the_desk(app: Flask, call: CallView) -> None:
    ticket = opened(f"call:{call.slug}")
    states = []
    with clock.at(WHILE_OPEN + timedelta(hours=30)):
        for deed in (
            lambda: services.ask_ticket_back(actors.pia(), ticket, "For which partner?"),
            lambda: services.write_ticket(actors.ana(), ticket, "For the lead."),
            lambda: services.answer_ticket(actors.pia(), ticket, "The mayor signs."),
            lambda: services.close_ticket(actors.ana(), ticket),
            lambda: services.reopen_ticket(actors.ana(), ticket),
        ):
            deed()
            states.append(queries.ticket(actors.ana(), reference(ticket)).row.state.value)
        first = queries.first_answers(actors.ingrid(), WHILE_OPEN + timedelta(hours=30))

    assert states == ["asked_back", "waiting", "answered", "closed", "waiting"]
    assert first == {Queue.CONTENT: timedelta(hours=30)}


def test_a_closed_ticket_takes_no_message_before_it_is_open_again(app: Flask, call: CallView) -> None:
    ticket = opened(f"call:{call.slug}")
    with clock.at(WHILE_OPEN):
        services.close_ticket(actors.ana(), ticket)
        with pytest.raises(Refused, match="closed"):
            services.write_ticket(actors.ana(), ticket, "One more thing.")


def test_whoever_asked_is_told_by_mail_and_so_is_whoever_looks_after_it(app: Flask, call: CallView) -> None:
    ticket = opened(f"call:{call.slug}")
    with clock.at(WHILE_OPEN):
        services.take_ticket(actors.pia(), ticket)
        services.answer_ticket(actors.pia(), ticket, "The mayor signs.")
        services.write_ticket(actors.ana(), ticket, "Thank you. And the seal?")
        services.give_ticket_back(actors.pia(), ticket)
        services.write_ticket(actors.ana(), ticket, "Or no seal?")
        jobs.work_off(actor_of=identity.actor_for)

    told = {(mail.template, mail.to.name) for mail in identity.mails(actors.ada()).items if mail.to}
    assert told == {("ticket_answered", "Ana Kowalska"), ("ticket_written", "Pia Officer")}


# --- who sees what ------------------------------------------------------------------------------------------------


def test_a_ticket_of_somebody_who_left_the_desk_is_anybodys_again(app: Flask, call: CallView) -> None:
    ticket = opened(f"call:{call.slug}")
    with clock.at(WHILE_OPEN):
        pia = actors.pia()
        services.take_ticket(pia, ticket)
        services.write_ticket(again(actors.ana()), ticket, "One more thing.")
        assert queries.ticket(again(pia), reference(ticket)).assigned == pia.name
        assert pia.user_id is not None
        people.disable_user(actors.ada(), pia.user_id, reason="Left the programme.")

        services.write_ticket(again(actors.ana()), ticket, "Is anybody there?")

    assert queries.ticket(again(actors.ana()), reference(ticket)).assigned is None
    told = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    assert [each["user_id"] for each in told if each["template"] == "ticket_written"] == [str(pia.user_id)]


def test_the_team_reads_a_ticket_about_its_application_and_others_do_not(app: Flask, draft: str) -> None:
    ticket = opened(f"application:{draft}")
    about = queries.ticket(again(actors.ana()), reference(ticket)).row.about
    carla = actors.give(actors.person("Carla Reader"), Role.APPLICATION_READER, "application", about.id)

    assert is_seen(carla, ticket) and is_seen(actors.ingrid(), ticket) and is_seen(actors.nuria(), ticket)
    assert not any(is_seen(who(), ticket) for who in (actors.marek, actors.eva, actors.eli, actors.ada, actors.otto))
    with clock.at(WHILE_OPEN), pytest.raises(NotFound):
        services.write_ticket(carla, ticket, "A reader has no say.")


def test_an_officer_of_another_call_reads_nothing_of_this_desk(app: Flask, call: CallView) -> None:
    ticket = opened(f"call:{call.slug}")
    elsewhere = actors.give(actors.person("Else Where"), Role.PROJECT_OFFICER, "call", UUID(int=7))
    here = actors.give(actors.person("Hier Here"), Role.PROJECT_OFFICER, "call", call.id)

    assert not is_seen(elsewhere, ticket) and is_seen(here, ticket)
    assert queries.desk_tickets(elsewhere, Page(), queue=None, state=None).items == ()
    with clock.at(WHILE_OPEN), pytest.raises(NotFound):
        services.answer_ticket(elsewhere, ticket, "The mayor signs.")


@pytest.mark.parametrize("kind", ["application", "call"])
def test_whoever_has_a_conflict_reaches_the_ticket_by_no_route(
    app: Flask, call: CallView, draft: str, kind: str
) -> None:
    ticket = opened(f"application:{draft}")
    name = reference(ticket)
    about = queries.ticket(actors.ingrid(), name).row.about
    with clock.at(WHILE_OPEN):
        entry = services.answer_ticket_for_everybody(actors.ingrid(), ticket).entry

    ingrid = bar(actors.ingrid(), kind, about.id if kind == "application" else call.id)

    assert not is_seen(ingrid, ticket)
    assert queries.desk_tickets(ingrid, Page(), queue=None, state=None).items == ()
    for deed in (services.answer_ticket, services.ask_ticket_back):
        with clock.at(WHILE_OPEN), pytest.raises(NotFound):
            deed(ingrid, ticket, "The mayor signs.")
    for plain in (services.take_ticket, services.move_ticket, services.close_ticket, services.reopen_ticket):
        with clock.at(WHILE_OPEN), pytest.raises(NotFound):
            plain(ingrid, ticket)
    ana = bar(actors.ana(), kind, about.id if kind == "application" else call.id)
    assert not is_seen(ana, ticket) and queries.own_tickets(ana, Page()).items == ()
    client = actors.client_of(app, ingrid)
    assert client.get(f"/help/{name}").status_code == 404
    assert "letter of mandate" not in client.get("/helpdesk?state=all").text
    assert client.get(f"/calls/{call.slug}/questions/drafts/{entry}").status_code == 404


def test_an_answer_for_everybody_is_not_there_for_whoever_is_barred_from_what_it_answers(
    app: Flask, call: CallView, draft: str
) -> None:
    ticket = opened(f"application:{draft}")
    about = queries.ticket(actors.ingrid(), reference(ticket)).row.about
    wording, before = Wording("Who signs?", "The mayor signs."), actors.ingrid()
    with clock.at(WHILE_OPEN):
        made = services.answer_ticket_for_everybody(actors.ingrid(), ticket)
        plain = opened(f"call:{call.slug}", actors.marek())
        other = services.answer_ticket_for_everybody(actors.ingrid(), plain)

    ingrid = bar(actors.ingrid(), "application", about.id)

    assert [each.entry for each in questions.drafts(ingrid, call.id)] == [other.entry]
    for deed in (
        lambda: questions.draft_by_entry(ingrid, call.id, made.entry),
        lambda: calls.save_draft(ingrid, made.id, wording),
        lambda: calls.draft_answer(ingrid, call.id, (), made.entry),
        lambda: calls.discard_answer(ingrid, made.id),
        lambda: calls.publish_answer(ingrid, made.id, wording),
    ):
        with clock.at(WHILE_OPEN), pytest.raises(NotFound):
            deed()
    with clock.at(WHILE_OPEN):
        calls.publish_answer(ingrid, other.id, wording)
        calls.publish_answer(before, made.id, wording)
        with pytest.raises(NotFound):
            calls.correct_answer(ingrid, made.id, Wording("Who signs?", "A deputy."), "It was wrong.")


def test_no_answer_for_everybody_names_the_application_it_was_asked_about(
    app: Flask, call: CallView, draft: str
) -> None:
    ingrid, marek = actors.ingrid(), actors.marek()
    application_id = queries.ticket(ingrid, reference(opened(f"application:{draft}"))).row.about.id
    with clock.at(WHILE_OPEN):
        lead = again(actors.ana())
        services.edit_details(lead, application_id, DetailsInput("Warm Blocks", "WABLO"))
        services.invite(
            lead,
            application_id,
            InviteInput("marek.nowak@example.eu", "Marek Nowak", organisation_id=next(iter(marek.organisation_ids))),
        )
        made = services.answer_ticket_for_everybody(ingrid, opened(f"application:{draft}"))
        (partner,) = identity.organisations(marek.organisation_ids).values()
        for name in (draft.lower(), "warm blocks", "Wablo", partner.name):
            with pytest.raises(Invalid) as refused:
                calls.publish_answer(ingrid, made.id, Wording("Who signs?", f"In {name}, the mayor."))
            assert "may tell who asked" in refused.value.problems["answer"]

        calls.publish_answer(ingrid, made.id, Wording("Who signs?", "The mayor of a warm town signs."))


def test_two_tickets_taken_for_everybody_at_one_moment_become_two_drafts(app: Flask, call: CallView) -> None:
    tickets = [opened(f"call:{call.slug}") for _ in range(6)]
    ingrid, start, told = actors.ingrid(), threading.Barrier(len(tickets)), []

    def take(ticket: UUID) -> None:
        with app.app_context(), clock.at(WHILE_OPEN):
            start.wait()
            try:
                told.append(services.answer_ticket_for_everybody(ingrid, ticket).entry)
            except Conflict as error:
                told.append(str(error))

    threads = [threading.Thread(target=take, args=(ticket,)) for ticket in tickets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(told) == [1, 2, 3, 4, 5, 6]


def test_the_record_tells_a_barred_auditor_nothing_of_the_ticket(app: Flask, draft: str) -> None:
    ticket = opened(f"application:{draft}")
    about = queries.ticket(actors.ingrid(), reference(ticket)).row.about
    asked = TrailFilter(thing="ticket")
    before = oversight.record(actors.nuria(), asked, Page())[0]

    nuria = bar(actors.nuria(), "application", about.id)

    assert [line.verb for line in before] == ["ticket.open"]
    assert oversight.record(nuria, asked, Page())[0] == ()


def test_nobody_opens_a_ticket_about_what_is_not_theirs(app: Flask, draft: str) -> None:
    for about in (f"application:{draft}", "call:none", "", "application:"):
        with clock.at(WHILE_OPEN), pytest.raises(Invalid):
            services.open_ticket(actors.marek(), TicketInput(Queue.CONTENT, about, "Subject", "Text"))


def test_who_was_only_invited_has_no_say_in_a_ticket_and_who_was_taken_out_reads_none(
    app: Flask, call: CallView, draft: str
) -> None:
    marek = actors.marek()
    (southport,) = marek.organisation_ids
    theirs, of_call = opened(f"application:{draft}"), opened(f"call:{call.slug}", marek)
    about = queries.ticket(again(actors.ana()), reference(theirs)).row.about
    given = TicketInput(Queue.CONTENT, f"application:{draft}", "Ours", "Who signs?")
    with clock.at(WHILE_OPEN):
        services.invite(again(actors.ana()), about.id, InviteInput("marek.nowak@example.eu", "Marek Nowak", southport))
        for deed in (
            lambda: services.write_ticket(again(marek), theirs, "Not in yet."),
            lambda: services.close_ticket(again(marek), theirs),
            lambda: services.reopen_ticket(again(marek), theirs),
            lambda: services.open_ticket(again(marek), given),
        ):
            with pytest.raises(Refused, match="Accept the invitation of"):
                deed()
        # What cannot be sent is not offered; the page says what to do instead.
        asking = actors.client_of(app, again(marek))
        form, read = asking.get("/help/new").text, asking.get(f"/help/{reference(theirs)}").text
        assert (
            f'value="application:{draft}"' not in form and f"You can ask about {draft} after you have accepted." in form
        )
        assert "You can write here after you have accepted" in read and "Send to the helpdesk" not in read
        services.accept_invitation(again(marek), about.id, southport)
        services.write_ticket(again(marek), theirs, "Now I am.")
        mine = one(services.open_ticket(again(marek), given))
        services.ask_ticket_back(actors.pia(), mine, "Of which city?")
        services.open_ticket(again(marek), given)
        assert f'value="application:{draft}"' in asking.get("/help/new").text
        assert "Answer the helpdesk about" not in actors.client_of(app, again(actors.ana())).get("/home").text
        assert queries.waiting_of(again(marek)) == 2

        services.remove_partner(again(actors.ana()), about.id, southport)
        out = again(marek)
        assert [is_seen(out, each) for each in (theirs, mine, of_call)] == [False, False, True]
        assert [each.row.id for each in queries.own_tickets(out, Page()).items] == [of_call]
        assert "Ours" not in actors.client_of(app, out).get("/home").text
        # What they left behind is the lead's to answer, and does not count to their limit.
        assert "Answer the helpdesk about “Ours”" in actors.client_of(app, again(actors.ana())).get("/home").text
        assert queries.waiting_of(out) == 1
        for ticket in (theirs, mine):
            with pytest.raises(NotFound):
                services.write_ticket(out, ticket, "And now?")
        services.write_ticket(out, of_call, "This one is mine.")
        services.answer_ticket(actors.pia(), mine, "The mayor signs.")

    told = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    assert [each["user_id"] for each in told if each["template"] == "ticket_answered"] == [str(actors.ana().user_id)]


# --- equal treatment ----------------------------------------------------------------------------------------------


def test_an_answer_on_content_to_one_person_after_the_opening_is_flagged_until_all_can_read_it(
    app: Flask, call: CallView
) -> None:
    ticket = opened(f"call:{call.slug}")
    name = reference(ticket)
    with clock.at(WHILE_OPEN):
        services.answer_ticket(actors.ingrid(), ticket, "The mayor signs.")
        assert queries.ticket(actors.ingrid(), name).unequal
        assert len(queries.desk_tickets(actors.ingrid(), Page(), queue=None, state=None, apart="yes").items) == 1

        made = services.answer_ticket_for_everybody(actors.ingrid(), ticket)
        with pytest.raises(Refused):
            services.answer_ticket_for_everybody(actors.ingrid(), ticket)
        calls.publish_answer(actors.ingrid(), made.id, Wording("Who signs the letter of mandate?", "The mayor."))
        found = queries.ticket(actors.ana(), name)

    assert (found.number, found.unequal, found.row.state) == (1, False, ConversationState.ANSWERED)
    assert queries.desk_tickets(actors.ingrid(), Page(), queue=None, state=None, apart="yes").items == ()


def test_a_technical_answer_or_one_before_the_opening_is_not_flagged(app: Flask, call: CallView) -> None:
    technical, early = opened(f"call:{call.slug}", queue=Queue.TECHNICAL), opened(f"call:{call.slug}")
    with clock.at(WHILE_OPEN):
        services.answer_ticket(actors.ingrid(), technical, "Try another browser.")
        with pytest.raises(Refused, match="technical matter"):
            services.answer_ticket_for_everybody(actors.ingrid(), technical)
    with clock.at(factory.BEFORE_OPENING + timedelta(days=1)):
        services.answer_ticket(actors.ingrid(), early, "The mayor signs.")

    assert not queries.ticket(actors.ingrid(), reference(technical)).unequal
    assert not queries.ticket(actors.ingrid(), reference(early)).unequal


# --- pages without JavaScript -------------------------------------------------------------------------------------


def test_a_ticket_from_the_form_to_the_answer_without_a_script(app: Flask, call: CallView) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(WHILE_OPEN):
        ana, pia = actors.client_of(app, actors.ana()), actors.client_of(app, actors.pia())
        lacking = ana.post("/help/new", data={"about": f"call:{call.slug}", "title": "Mandate", "text": "Who signs?"})
        assert lacking.status_code == 422 and "Who signs?" in lacking.text
        check_page(lacking)
        sent = {"queue": "technical", "about": f"call:{call.slug}", "title": "Mandate", "text": "Who signs?"}
        address = ana.post("/help/new", data=sent).location
        assert "Mandate" in ana.get("/help").text

        assert "Waits since today" in pia.get("/helpdesk").text
        desk = address.replace("/help/", "/helpdesk/")
        assert pia.post(desk, data={"text": " ", "go": "answer"}).status_code == 422
        for go in ("take", "move", "answer"):
            assert pia.post(desk, data={"text": "The mayor signs.", "go": go}).status_code == 303
        page = ana.get(address)
        assert "The helpdesk" in page.text and "The mayor signs." in page.text and "Pia" not in page.text
        check_page(page)
        check_page(pia.get(address))
        assert ana.post(desk, data={"text": "I answer myself", "go": "answer"}).status_code == 403
        assert ana.post(address, data={"go": "close", "text": ""}).status_code == 303


def test_the_desk_costs_as_many_statements_with_five_tickets_as_with_one(app: Flask, call: CallView) -> None:
    with clock.at(WHILE_OPEN):
        client = actors.client_of(app, actors.ingrid())
    counts = []
    for number in (1, 4):
        for _ in range(number):
            opened(f"call:{call.slug}")
        with clock.at(WHILE_OPEN), statements() as seen:
            assert client.get("/helpdesk").status_code == 200
        counts.append(len(seen))

    assert counts[0] == counts[1] <= 8


def test_a_page_after_a_ticket_of_somebody_else_is_the_page_after_none(app: Flask, call: CallView) -> None:
    mine = opened(f"call:{call.slug}")
    theirs = reference(opened(f"call:{call.slug}", actors.marek()))

    def after(who: Actor, key: str) -> list[UUID]:
        return [row.row.id for row in queries.own_tickets(who, Page(after=key)).items]

    assert after(again(actors.ana()), theirs) == after(again(actors.ana()), "PCP-1999-T-0001") == []
    desk = queries.desk_tickets(actors.pia(), Page(after=theirs), queue=None, state=None)
    assert [row.row.id for row in desk.items] == [mine]


def test_a_page_of_what_waits_goes_on_after_a_ticket_that_was_answered_meanwhile(app: Flask, call: CallView) -> None:
    first, second = opened(f"call:{call.slug}"), opened(f"call:{call.slug}")
    with clock.at(WHILE_OPEN):
        pia = actors.pia()
        services.answer_ticket(pia, first, "The mayor signs.")
    waiting = queries.desk_tickets(pia, Page(after=reference(first)), queue=None, state=ConversationState.WAITING)

    assert [row.row.id for row in waiting.items] == [second]
