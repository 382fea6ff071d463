"""Questions and answers of a call: asked by one, answered for everybody, and nothing public tells who asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID
from xml.etree import ElementTree

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from grants.calls import services
from grants.calls.models import CallQuestion, CallQuestionVersion
from grants.calls.queries import questions as queries
from grants.calls.rules import CallView, DeadlineInput
from grants.calls.rules import questions as rules
from grants.calls.rules.questions import Asker, AskInput, Wording, telling_words
from grants.calls.services import extend_deadline
from grants.conversations.rules import ageing
from grants.core import clock, jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotFound, Refused
from grants.core.paging import Page
from grants.core.permissions import Actor
from grants.identity import queries as identity
from tests import actors
from tests.calls.scene import SMALL, published
from tests.factories import applications as factory
from tests.factories import identity as identity_factory
from tests.html import check_page
from tests.statements import statements
from tests.worlds import World, Worlds

OPEN = datetime(2027, 2, 1, 9, tzinfo=UTC)
# 15 March 2027, 17:00 in Brussels, less a week.
LAST = datetime(2027, 3, 8, 16, tzinfo=UTC)
ADDRESS = "/calls/small-towns-try-out-2027"
ANSWER = "Yes. A region may take part as a partner; a municipality leads."


def _call() -> UUID:
    return published(SMALL).id


@pytest.fixture(scope="session")
def asking_world(worlds: Worlds) -> World[UUID]:
    return worlds.of(_call)


@pytest.fixture
def call_id(asking_world: World[UUID]) -> UUID:
    return asking_world.told()


def ask(call_id: UUID, text: str = "May a region of Northbridge lead?", who: Actor | None = None) -> str:
    with clock.at(OPEN):
        return services.ask_question(who or actors.ana(), call_id, AskInput(text))


def answered(call_id: UUID, *asked: str, question: str = "May a region lead?", answer: str = ANSWER) -> int:
    with clock.at(OPEN + timedelta(days=1)):
        draft = services.draft_answer(actors.ingrid(), call_id, asked)
        done = services.publish_answer(actors.ingrid(), draft.id, Wording(question, answer))
    assert done.number is not None
    return done.number


def page_of(client: FlaskClient, path: str = "/questions", *, at: datetime = OPEN) -> str:
    with clock.at(at):
        answer = client.get(ADDRESS + path)
    assert answer.status_code == 200, answer.text
    return " ".join(" ".join(check_page(answer).itertext()).split())


def letters() -> list[tuple[str, str]]:
    return [(mail.template, mail.to.name if mail.to else "") for mail in identity.mails(actors.ada()).items]


# --- rules --------------------------------------------------------------------------------------------------------


def view(call_id: UUID) -> CallView:
    from grants.calls.queries import call_by_id

    return call_by_id(call_id)


def test_questions_are_taken_until_a_week_before_the_deadline_and_not_at_that_very_moment(
    app: Flask, call_id: UUID
) -> None:
    call = view(call_id)

    assert rules.questions_close_at(call) == LAST
    assert rules.takes_questions(call, LAST - timedelta(microseconds=1))
    assert not rules.takes_questions(call, LAST)


def test_a_call_may_say_until_when_and_a_later_deadline_moves_what_it_does_not_say(app: Flask, call_id: UUID) -> None:
    with clock.at(OPEN):
        extend_deadline(
            actors.ingrid(), call_id, DeadlineInput(datetime(2027, 4, 15, 17), "Many asked.", "A month more.")
        )
    assert rules.questions_close_at(view(call_id)) == datetime(2027, 4, 8, 15, tzinfo=UTC)

    said = SMALL.replace("SMALL-2027", "OTHER").replace("dates:\n", 'dates:\n  questions_until: "2027-03-01 12:00"\n')
    assert rules.questions_close_at(view(published(said).id)) == datetime(2027, 3, 1, 11, tzinfo=UTC)


@given(st.text(alphabet="abc xyzÀé .,", max_size=40), st.text(alphabet="abc xyzÀé .,", max_size=40))
def test_a_name_of_the_asker_anywhere_in_a_text_is_found(before: str, after: str) -> None:
    asker = Asker("Żaneta Kowalska", "z@example.org", ("Municipality of Northbridge",))

    for name in ("kowalska", "ZANETA", "Northbridge", "z@example.org"):
        assert telling_words(f"{before} {name} {after}", asker)
    assert telling_words("May a municipality lead?", asker) == ()


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("Ana Voß", "May Mrs Voss lead?", "Voß"),
        ("Ida Bæk", "Does mr baek sign?", "Bæk"),
        # A sign of its own, with no letter made of both.
        ("Jan Ru\u032fdnaw", "Is Rudnaw a city?", "Ru\u032fdnaw"),
    ],
)
def test_a_name_is_found_whatever_letters_it_is_written_with_and_told_as_it_is_known(
    name: str, text: str, said: str
) -> None:
    assert telling_words(text, Asker(name, "z@example.org", ())) == (said,)


def test_what_waits_for_a_week_is_red() -> None:
    colours = [ageing(OPEN, OPEN + timedelta(days=days)).colour for days in (0, 2, 3, 6, 7)]

    assert colours == ["grey", "grey", "yellow", "yellow", "red"]


# --- asking -------------------------------------------------------------------------------------------------------


def test_a_question_after_the_last_moment_is_refused_with_that_moment(app: Flask, call_id: UUID) -> None:
    with clock.at(LAST), pytest.raises(Refused, match="taken until 8 March 2027, 17:00 CET"):
        services.ask_question(actors.ana(), call_id, AskInput("Too late?"))


def test_one_person_has_at_most_ten_questions_waiting(app: Flask, call_id: UUID) -> None:
    for number in range(rules.WAITING_MAX):
        ask(call_id, f"Question {number}?")

    with pytest.raises(Refused, match="10 of your questions"):
        ask(call_id, "One more?")
    assert ask(call_id, "Another person’s?", actors.marek())


def test_a_question_names_a_section_of_the_form_or_none(app: Flask, call_id: UUID) -> None:
    with clock.at(OPEN), pytest.raises(Invalid):
        services.ask_question(actors.ana(), call_id, AskInput("Which?", "no_such_section"))


# --- answering for everybody --------------------------------------------------------------------------------------


def test_numbers_are_given_in_order_and_for_good(app: Flask, call_id: UUID) -> None:
    assert [answered(call_id), answered(call_id), answered(call_id)] == [1, 2, 3]

    with pytest.raises(DBAPIError, match="call_question_version"), arranging():
        db.session.scalars(select(CallQuestionVersion)).first().answer = "Other words"  # type: ignore[union-attr]  # there are three
        db.session.flush()


def test_similar_questions_are_answered_once_and_each_asker_finds_the_number(app: Flask, call_id: UUID) -> None:
    first, second = ask(call_id), ask(call_id, "Can regions be in the lead?", actors.marek())

    number = answered(call_id, first, second)

    for who in (actors.ana(), actors.marek()):
        (own,) = queries.own_questions(who, call_id)
        assert (own.number, own.status) == (number, "Answered as Q1")
    assert queries.asked(actors.ingrid(), call_id, Page()).items == ()


def test_a_question_taken_by_somebody_else_meanwhile_is_a_clash(app: Flask, call_id: UUID) -> None:
    asked = ask(call_id)
    with clock.at(OPEN):
        services.draft_answer(actors.ingrid(), call_id, (asked,))
        with pytest.raises(Conflict):
            services.draft_answer(actors.ingrid(), call_id, (asked,))


def test_nothing_that_names_the_asker_is_published_until_somebody_looked(app: Flask, call_id: UUID) -> None:
    asked = ask(call_id)
    with clock.at(OPEN):
        draft = services.draft_answer(actors.ingrid(), call_id, (asked,))
        with pytest.raises(Invalid) as refused:
            services.publish_answer(actors.ingrid(), draft.id, Wording(draft.question, ANSWER))
        assert "“Northbridge”" in refused.value.problems["question"]

        done = services.publish_answer(actors.ingrid(), draft.id, Wording(draft.question, ANSWER, sure=True))
    assert done.number == 1


def test_the_reason_of_a_correction_does_not_name_the_asker_either(app: Flask, call_id: UUID) -> None:
    answered(call_id, ask(call_id))
    row = db.session.scalars(select(CallQuestion)).one()
    note, changed = "Mrs Kowalska misread it.", Wording("May a region lead?", "No.")
    with clock.at(OPEN + timedelta(days=2)):
        with pytest.raises(Invalid) as refused:
            services.correct_answer(actors.ingrid(), row.id, changed, note)
        assert "“Kowalska”" in refused.value.problems["note"]

        services.correct_answer(actors.ingrid(), row.id, replace(changed, sure=True), note)


def test_a_draft_given_up_lets_its_askers_wait_again(app: Flask, call_id: UUID) -> None:
    asked = ask(call_id)
    with clock.at(OPEN):
        draft = services.draft_answer(actors.ingrid(), call_id, (asked,))
        services.save_draft(actors.ingrid(), draft.id, Wording("Half a", ""))
        services.discard_answer(actors.ingrid(), draft.id)

    assert [row.reference for row in queries.asked(actors.ingrid(), call_id, Page()).items] == [asked]


def test_a_correction_is_a_new_version_with_its_reason_and_the_earlier_one_stays(app: Flask, call_id: UUID) -> None:
    answered(call_id)
    row = db.session.scalars(select(CallQuestion)).one()
    with clock.at(OPEN + timedelta(days=2)):
        with pytest.raises(Invalid):
            services.correct_answer(actors.ingrid(), row.id, Wording("May a region lead?", "No."), " ")
        with pytest.raises(Refused, match="Nothing differs"):
            services.correct_answer(actors.ingrid(), row.id, Wording("May a region lead?", ANSWER), "Why not")
        services.correct_answer(actors.ingrid(), row.id, Wording("May a region lead?", "No."), "The rule was misread.")

    words = page_of(app.test_client())
    assert "Q1. May a region lead?" in words and "The rule was misread." in words
    assert "Version 1" in words and "a municipality leads" in words


def test_a_question_set_aside_is_told_to_its_asker_alone(app: Flask, client: FlaskClient, call_id: UUID) -> None:
    asked = ask(call_id)
    with clock.at(OPEN):
        services.set_question_aside(actors.ingrid(), call_id, asked, "It is answered as Q7.")
        jobs.work_off(actor_of=identity.actor_for)

    (own,) = queries.own_questions(actors.ana(), call_id)
    assert (own.status, own.reason) == ("Not answered in public", "It is answered as Q7.")
    assert "Q7" not in page_of(client)
    assert [template for template, _ in letters()] == ["question_set_aside"]


def test_one_mail_tells_askers_and_everybody_with_a_draft_of_all_that_is_new(app: Flask) -> None:
    call = factory.published_call()
    factory.draft(call, actors.ana())
    with clock.at(factory.WHILE_OPEN):
        asked = services.ask_question(actors.marek(), call.id, AskInput("May a region lead?"))
        for sources in ((asked,), ()):
            draft = services.draft_answer(actors.ingrid(), call.id, sources)
            services.publish_answer(actors.ingrid(), draft.id, Wording("May a region lead?", "Yes."))
        jobs.work_off(actor_of=identity.actor_for)
    with clock.at(factory.WHILE_OPEN + timedelta(hours=1)):
        jobs.work_off(actor_of=identity.actor_for)

    told = [to for template, to in letters() if template == "answers_published"]
    assert len(told) == 2, "one mail each, however many answers"
    assert services.tell_answers(actors.ingrid(), call.id) == 0


# --- who sees what ------------------------------------------------------------------------------------------------


def test_everybody_reads_the_answer_and_nobody_but_the_programme_who_asked(
    app: Flask, client: FlaskClient, call_id: UUID
) -> None:
    answered(call_id, ask(call_id))

    with clock.at(OPEN):
        ana, *others = (actors.client_of(app, who()) for who in (actors.ana, actors.marek, actors.eva))
    for reader in (client, *others):
        words = page_of(reader)
        assert "Q1. May a region lead?" in words and "2 February 2027" in words
        assert "Kowalska" not in words and "Northbridge" not in words
    assert "What you asked" in page_of(ana)


def test_who_is_kept_from_the_call_reads_nothing_of_its_desk_and_asks_nothing(app: Flask, call_id: UUID) -> None:
    asked = ask(call_id)
    ingrid = actors.ingrid()
    with arranging():
        identity_factory.bar(ingrid.user_id, "call", call_id)
    ingrid = actors.ingrid()

    assert queries.asked(ingrid, call_id, Page()).items == ()
    for deed in (
        lambda: queries.drafts(ingrid, call_id),
        lambda: queries.asked_one(ingrid, call_id, asked),
        lambda: services.draft_answer(ingrid, call_id, (asked,)),
        lambda: services.ask_question(ingrid, call_id, AskInput("May I?")),
    ):
        with clock.at(OPEN), pytest.raises(NotFound):
            deed()
    for path in ("/questions", "/questions/desk", f"/questions/desk/{asked}"):
        assert actors.client_of(app, ingrid).get(ADDRESS + path).status_code == 404


def test_the_page_costs_as_many_statements_with_three_answers_as_with_one(app: Flask, call_id: UUID) -> None:
    client, counts = app.test_client(), []
    for _ in range(2):
        answered(call_id)
        answered(call_id)
        with statements() as seen:
            page_of(client)
        counts.append(len(seen))

    assert counts[0] == counts[1] <= 8


# --- pages without JavaScript -------------------------------------------------------------------------------------


def test_from_the_form_to_the_published_answer_without_a_script(app: Flask, client: FlaskClient, call_id: UUID) -> None:
    with clock.at(OPEN):
        ana, ingrid = actors.client_of(app, actors.ana()), actors.client_of(app, actors.ingrid())
        assert "No question is answered yet" in page_of(client)
        assert ana.post(f"{ADDRESS}/questions/ask", data={"text": " "}).status_code == 422
        asked = ana.post(f"{ADDRESS}/questions/ask", data={"text": "May a region lead?", "section": ""})
        assert asked.status_code == 303
        assert "Waits for an answer" in page_of(ana)

        assert "Ana Kowalska" in page_of(ingrid, "/questions/desk")
        (row,) = queries.asked(actors.ingrid(), call_id, Page()).items
        assert "May a region lead?" in page_of(ingrid, f"/questions/desk/{row.reference}")
        taken = ingrid.post(f"{ADDRESS}/questions/desk", data={"asked": [row.reference], "into": ""})
        assert taken.location.endswith("/questions/drafts/1")
        sent = {"question": "May a region lead?", "answer": "", "go": "publish", "version": "1", "session": ""}
        lacking = ingrid.post(f"{ADDRESS}/questions/drafts/1", data=sent)
        assert lacking.status_code == 422 and "Write the answer." in lacking.text
        assert ingrid.post(f"{ADDRESS}/questions/drafts/1", data=sent | {"answer": "Yes."}).status_code == 303
        stale = ingrid.post(f"{ADDRESS}/questions/drafts/1", data=sent | {"go": "save"})
        assert stale.status_code == 409 and "May a region lead?" in stale.text

    assert "Q1. May a region lead?" in page_of(client)
    assert "1 question is answered for everybody" in page_of(client, "")
    assert "No question fits" in page_of(client, "/questions?q=tramway")
    over = page_of(client, at=LAST)
    assert "They were taken until 8 March 2027, 17:00" in over and "What was answered stays here." in over
    nothing = page_of(client, "/questions?q=tramway", at=LAST)
    assert "Questions were taken until" in page_of(client, "", at=LAST) and "stays here" not in nothing
    with clock.at(LAST):
        ana = actors.client_of(app, actors.ana())
        asking = ana.get(f"{ADDRESS}/questions/ask")
        late = ana.post(f"{ADDRESS}/questions/ask", data={"text": "Is it too late?", "section": ""})
    for page in (asking, late):
        words = " ".join("".join(check_page(page).itertext()).split())
        assert "They were taken until 8 March 2027, 17:00" in words and "Send the question" not in page.text
        assert 'href="/help/new">helpdesk</a>' in page.text
    assert late.status_code == 422 and "Is it too late?" in late.text


def test_the_feed_has_an_entry_for_each_answer_and_survives_odd_letters(
    app: Flask, client: FlaskClient, call_id: UUID
) -> None:
    answered(call_id, answer="Yes & no <maybe> \x0b.")

    feed = ElementTree.fromstring(client.get(f"{ADDRESS}/questions.atom").data)

    (entry,) = feed.findall("{http://www.w3.org/2005/Atom}entry")
    assert entry.findtext("{http://www.w3.org/2005/Atom}title") == "Q1: May a region lead?"


def test_questions_are_added_to_no_draft_of_an_endless_number(app: Flask, call_id: UUID) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(OPEN):
        asked = ask(call_id)
        desk = actors.client_of(app, actors.ingrid())

        answers = [
            desk.post(f"/calls/{view(call_id).slug}/questions/desk", data={"asked": asked, "into": into})
            for into in ("2147483648", "9" * 5_000)
        ]

    assert [answer.status_code for answer in answers] == [404, 404]
