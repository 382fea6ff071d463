"""Questions of the desk beside a submission: asked, answered once, extended, withdrawn; the submission never changes."""

from __future__ import annotations

import io
from datetime import date, timedelta
from uuid import UUID

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import FileStorage

from grants.applications import queries, services
from grants.applications.models import Clarification, Submission
from grants.applications.rules import ClarificationInput, ConditionAnswer, DeskShow
from grants.applications.states import Verdict
from grants.calls.rules import CallView
from grants.core import clock, files, jobs
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, Refused
from grants.core.paging import Page
from grants.identity import queries as identity
from tests import actors
from tests.applications.pages import send, text_of
from tests.clamd import EICAR, clamd
from tests.factories.applications import AFTER_CLOSING, BEFORE_OPENING, PDF, again
from tests.worlds import World

DUE = date(2022, 11, 26)


@pytest.fixture(autouse=True)
def officers(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(BEFORE_OPENING):
        actors.eli()


@pytest.fixture
def sent(app: Flask, sent_world: World[UUID]) -> UUID:
    return sent_world.told()


def asked(call: CallView, application_id: UUID, due_on: date | None = None) -> UUID:
    given = ClarificationInput("Which streets?", (call.content.conditions[0].key,), (), due_on)
    with clock.at(AFTER_CLOSING):
        services.ask_clarification(actors.eli(), application_id, given)
    return db.session.scalars(select(Clarification.id).order_by(Clarification.number.desc())).first()  # type: ignore[return-value]  # one was made


def frozen(application_id: UUID) -> tuple[object, ...]:
    row = db.session.scalars(select(Submission).where(Submission.application_id == application_id)).one()
    return row.version, row.content, row.sha256, queries.submitted_content(application_id)


def test_a_question_is_due_by_the_call_s_days_and_mailed_and_the_answer_leaves_the_submission_as_it_was(
    call: CallView, sent: UUID
) -> None:
    before = frozen(sent)
    key = asked(call, sent)
    ana = again(actors.ana())
    with clock.at(AFTER_CLOSING + timedelta(days=1)):
        view = queries.view_by_id(sent)
        (shown,) = queries.clarifications(ana, view)
        assert clock.in_zone(shown.due_at, call.zone).date() == DUE and shown.asked_by == ""
        services.draft_clarification(ana, key, "The harbour")
        factory_file = io.BytesIO(PDF)
        services.attach_to_clarification(ana, key, files.receive(FileStorage(factory_file, filename="map.pdf")))
        (staff,) = queries.clarifications(actors.eli(), view)
        assert (staff.draft, staff.files, staff.asked_by) == ("", (), "Eli Desk")
        digest = services.answer_clarification(ana, key, "The harbour only")

        (staff,) = queries.clarifications(actors.eli(), view)
        assert (staff.answer, staff.answer_sha256, [file.name for file in staff.files]) == (
            "The harbour only", digest, ["map.pdf"],
        )  # fmt: skip
        for deed in (
            lambda: services.answer_clarification(ana, key, "Another"),
            lambda: services.draft_clarification(ana, key, "Another"),
            lambda: services.withdraw_clarification(actors.eli(), key, "Too late"),
        ):
            with pytest.raises(Refused, match="was sent"):
                deed()
    assert frozen(sent) == before


def test_a_late_answer_is_refused_by_the_server_s_clock_kept_as_a_draft_and_more_time_lets_it_in(
    call: CallView, sent: UUID
) -> None:
    key, ana = asked(call, sent), again(actors.ana())
    due = clock.end_of_day(DUE, call.zone)
    with clock.at(due):
        services.draft_clarification(ana, key, "The harbour")
        with pytest.raises(Refused, match="reached the server"):
            services.answer_clarification(ana, key, "The harbour")
        for day, reason in (
            (None, "They asked"),
            (DUE, "They asked"),
            (date(2022, 12, 1), " "),
            (date(2023, 6, 1), "x"),
        ):
            with pytest.raises(Invalid):
                services.extend_clarification(actors.eli(), key, day, reason)
        services.extend_clarification(actors.eli(), key, date(2022, 12, 1), "They asked")
        services.answer_clarification(ana, key, "The harbour")
    (shown,) = queries.clarifications(ana, queries.view_by_id(sent))
    assert (shown.answer, shown.extension_reason, shown.first_due_at) == ("The harbour", "They asked", due)


def test_an_answer_takes_no_file_along_that_lies_in_quarantine(app: Flask, call: CallView, sent: UUID) -> None:
    key, ana = asked(call, sent), again(actors.ana())
    with clamd() as found, clock.at(AFTER_CLOSING + timedelta(hours=1)):
        app.config["VIRUS_SCANNER"] = found.address
        harmful = FileStorage(io.BytesIO(PDF + b"\n%" + EICAR), filename="map.pdf")
        file = services.attach_to_clarification(ana, key, files.receive(harmful))
        jobs.work_off(actor_of=identity.actor_for, but_not=("mail",))
        try:
            with pytest.raises(Refused, match=r"“map\.pdf” holds a virus .* attach a clean copy"):
                services.answer_clarification(ana, key, "The harbour")
            services.remove_from_clarification(ana, key, file.id)
            services.answer_clarification(ana, key, "The harbour")
        finally:
            app.config["VIRUS_SCANNER"] = ""


def test_no_verdict_while_an_answer_may_still_come_but_after_its_time_or_its_withdrawal(
    call: CallView, sent: UUID
) -> None:
    key = asked(call, sent)
    passed = tuple(ConditionAnswer(each.key, Verdict.PASS) for each in call.content.conditions)
    with clock.at(AFTER_CLOSING):
        with pytest.raises(Refused, match="waits for its answer"):
            services.declare(actors.eli(), sent, passed)
        rows, counts = queries.desk_list(actors.eli(), call, DeskShow.CLARIFYING, Page())
        assert len(rows.items) == 1 and counts[DeskShow.TO_CHECK].number == 0
        with pytest.raises(Invalid):
            services.withdraw_clarification(actors.eli(), key, " ")
        services.withdraw_clarification(actors.eli(), key, "Found it in the file")
        assert services.declare(actors.eli(), sent, passed) is Verdict.PASS


def test_a_question_needs_words_something_it_is_about_and_a_day_ahead(call: CallView, sent: UUID) -> None:
    with clock.at(AFTER_CLOSING), pytest.raises(Invalid) as told:
        services.ask_clarification(
            actors.eli(), sent, ClarificationInput(" ", ("nothing",), ("nothing",), date(2022, 11, 1))
        )
    assert set(told.value.problems) == {"text", "conditions", "due_on"}


def test_only_the_lead_sends_and_only_the_desk_asks(call: CallView, sent: UUID) -> None:
    key = asked(call, sent)
    given = ClarificationInput("Why?", (call.content.conditions[0].key,), (), None)
    with clock.at(AFTER_CLOSING):
        for person in (actors.ana(), actors.ingrid()):
            with pytest.raises(NotAllowed):
                services.ask_clarification(person, sent, given)
        with pytest.raises(NotAllowed):
            services.answer_clarification(actors.eli(), key, "Mine")
        with pytest.raises(Conflict):
            services.draft_clarification(again(actors.ana()), key, "Mine", 7)


def test_question_and_answer_go_over_the_pages_without_a_script(app: Flask, call: CallView, sent: UUID) -> None:
    view = queries.view_by_id(sent)
    place, asking = f"/applications/{view.reference}/clarifications", view.call.content.conditions[0].key
    with clock.at(AFTER_CLOSING):
        eli, ana = actors.client_of(app, actors.eli()), actors.client_of(app, actors.ana())
        wrong = send(eli, place, text="Which streets?", due_on="1 November 2022")
        assert wrong.status_code == 422 and "is not ahead" in text_of(wrong) and "Which streets?" in text_of(wrong)
        assert send(eli, place, text="Which streets?", conditions=[asking], due_on="").status_code == 303
        assert "Answer the programme on" in text_of(ana.get("/home"))
        assert "The programme asked you for a clarification" in text_of(ana.get(f"/applications/{view.reference}"))

        saved = send(
            ana, f"{place}/answer", page=place, answer="The harbour", go="save", file=(io.BytesIO(PDF), "map.pdf")
        )
        assert saved.status_code == 303
        assert "The harbour" not in text_of(eli.get(place)) and "map.pdf" in text_of(ana.get(place))
        none = send(ana, f"{place}/answer", page=place, answer=" ", go="send")
        assert none.status_code == 422 and "Write an answer" in text_of(none)
        assert send(ana, f"{place}/answer", page=place, answer="The harbour", go="send").status_code == 303
        for reader, page in ((eli, place), (eli, f"/applications/{view.reference}/eligibility"), (ana, f"/applications/{view.reference}/print"), (eli, f"/applications/{view.reference}")):  # fmt: skip
            words = text_of(reader.get(page))
            assert "Which streets?" in words and "The harbour" in words
        (shown,) = queries.clarifications(actors.eli(), view)
        file = shown.files[0].sha256
        with eli.get(f"/applications/{view.reference}/files/{file}") as got:
            assert got.data == PDF
        assert queries.shared_clarifications(sent) == ()
        assert send(eli, f"{place}/share", page=place).status_code == 303
        assert [each.answer for each in queries.shared_clarifications(sent)] == ["The harbour"]
        assert actors.client_of(app, actors.marek()).get(place).status_code in (403, 404)
