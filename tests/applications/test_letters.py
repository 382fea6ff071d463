"""Decision letters: looked at first, sent once, a refusal with two people behind it; until then the team knows nothing."""

from __future__ import annotations

import io
import threading
from contextlib import suppress
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.models import ApplicationMember, ApplicationPartner, EligibilityLetter
from grants.applications.rules import ConditionAnswer, DetailsInput
from grants.applications.states import ApplicationState, Verdict
from grants.calls.rules import CallView
from grants.core import clock, files, jobs
from grants.core.acts import arranging
from grants.core.db import db
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.jobs.models import Job
from grants.documents import services as documents
from grants.documents.services import papers
from grants.identity import queries as identity
from grants.identity import services as people
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.factories import applications as factory
from tests.factories import identity as identity_rows
from tests.factories.applications import AFTER_CLOSING, BEFORE_OPENING, WHILE_OPEN, again
from tests.shut import shuts
from tests.statements import statements
from tests.worlds import World

PASS, FAIL = Verdict.PASS, Verdict.FAIL


@pytest.fixture(autouse=True)
def officers(app: Flask) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    with clock.at(BEFORE_OPENING):
        actors.eli()
        actors.ella()


def decided(call: CallView, title: str, *, failing: bool = False) -> UUID:
    application_id = factory.submitted(call, actors.ana(), title)
    first, *rest = (ConditionAnswer(each.key, PASS) for each in call.content.conditions)
    if failing:
        first = replace(first, verdict=FAIL, reason="It overlaps with the pilot of Southport")
    with clock.at(AFTER_CLOSING):
        services.declare(actors.eli(), application_id, (first, *rest))
        if failing:
            services.confirm_refusal(actors.ella(), application_id)
    return application_id


def work_off() -> None:
    jobs.work_off(actor_of=identity.actor_for, but_not=("mail",))


def test_the_team_knows_nothing_before_its_letter_and_everything_with_it(app: Flask, call: CallView) -> None:
    application_id = decided(call, "Refused", failing=True)
    view = queries.view_by_id(application_id)
    place = f"/applications/{view.reference}"
    with clock.at(AFTER_CLOSING):
        ana = actors.client_of(app, actors.ana())
        assert ana.get(f"{place}/letter").status_code == 404
        assert ana.get(f"{place}/eligibility").status_code == 404
        for page in ("/home", place, f"{place}/history", "/applications"):
            words = text_of(ana.get(page)).lower()
            # The names of stages and of the states one may filter by say nothing of this one.
            for name in ("admissibility and eligibility", "complete and eligible", "eligible ineligible under"):
                words = words.replace(name, "")
            assert "eligible" not in words
        services.send_letter(actors.eli(), application_id)
        work_off()
        words = text_of(ana.get(place))
        assert "It is not eligible and goes no further." in words and "It overlaps" in words
        letter = text_of(ana.get(f"{place}/letter"))
        assert "It overlaps with the pilot of Southport" in letter
        assert "How you can object: A complaint may concern the procedure, not the merits." in letter
        assert "not eligible" in text_of(ana.get("/home"))
    assert queries.view_by_id(application_id).state is ApplicationState.INELIGIBLE


@shuts(
    "applications.download", "applications.letter", "applications.letter_draft_pdf", "applications.letter_pdf",
    "applications.receipt_pdf",
)  # fmt: skip
def test_a_conflict_shuts_letters_receipts_and_files(app: Flask, call: CallView) -> None:
    application_id = decided(call, "Passed")
    place = f"/applications/{queries.view_by_id(application_id).reference}"
    sha256 = files.listed("application", application_id)[0].sha256
    ella_id = actors.ella().user_id
    assert ella_id is not None
    with clock.at(AFTER_CLOSING):
        with arranging():
            identity_rows.bar(ella_id, "application", application_id)
        services.preview_letter(actors.eli(), application_id)
        work_off()
        clients = [actors.client_of(app, who()) for who in (actors.eli, actors.ella)]
        answers = []

        def asked_for(path: str) -> None:
            for client in clients:
                with client.get(f"{place}/{path}") as answer:
                    answers.append((path, answer.status_code))

        for path in ("letter", "letter/draft.pdf", "receipt/1.pdf", f"files/{sha256}"):
            asked_for(path)
        services.send_letter(actors.eli(), application_id)
        work_off()
        asked_for("letter.pdf")

    assert [status for _, status in answers] == [200, 404] * 5, answers


def test_a_letter_is_sent_once_frozen_and_printed_as_it_was_frozen(app: Flask, call: CallView) -> None:
    application_id = decided(call, "Passed")
    with clock.at(AFTER_CLOSING):
        services.write_letter(actors.eli(), application_id, "We look forward to the Łódź part.")
        shown = queries.letter(actors.eli(), queries.view_by_id(application_id))
        services.send_letter(actors.eli(), application_id, shown.text.sha256.hex())
        for deed in (
            lambda: services.send_letter(actors.ella(), application_id),
            lambda: services.write_letter(actors.eli(), application_id, "Another"),
        ):
            with pytest.raises(Refused, match="A letter is sent once"):
                deed()
        work_off()
        sent = queries.letter(again(actors.ana()), queries.view_by_id(application_id))
        assert (sent.text, sent.sha256) == (shown.text, shown.text.sha256.hex())
        # The conditions are those the call names; what is asked of every form stands apart, and older letters stay as they were.
        assert len(sent.text.conditions) == len(call.content.conditions)
        assert [title for title, _ in sent.text.formal][-1] == "Every file can be opened and read"
        assert "formal" not in replace(sent.text, formal=()).to_mapping()
        with actors.client_of(app, actors.ana()).get(f"/applications/{sent.reference}/letter.pdf") as got:
            text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(got.data)).pages).split())
    assert "We look forward to the Łódź part." in text and sent.sha256[:16] in text
    assert "is eligible" in text and "Page 1 of" in text
    assert "The conditions of the call and the answers to them" in text and "Asked of the form of every" in text
    letters = db.session.query(EligibilityLetter).all()
    assert [letter.sent_by for letter in letters] == [actors.eli().user_id]


def test_a_letter_names_what_was_sent_and_not_what_was_written_since(call: CallView, sent_world: World[UUID]) -> None:
    application_id = sent_world.told()
    with clock.at(WHILE_OPEN):
        services.edit_details(again(actors.ana()), application_id, DetailsInput("Zanzibar Unsent"))
    with clock.at(AFTER_CLOSING):
        answers = tuple(ConditionAnswer(each.key, PASS) for each in call.content.conditions)
        services.declare(actors.eli(), application_id, answers)
        shown = queries.letter(actors.eli(), queries.view_by_id(application_id))
        services.send_letter(actors.eli(), application_id, shown.text.sha256.hex())
    sent = queries.letter(again(actors.ana()), queries.view_by_id(application_id))
    told = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]

    for words in (
        str(shown.text),
        str(sent.text),
        *(each for each in map(str, told) if "application_eligibility" in each),
    ):
        assert "Warm Blocks" in words and "Zanzibar" not in words
    assert any(each["template"] == "application_eligibility" for each in told)


def test_a_letter_reaches_who_leads_now_and_the_whole_team_while_nobody_does(call: CallView) -> None:
    led, left = decided(call, "Led anew"), decided(call, "Left")
    with clock.at(BEFORE_OPENING):
        ada, ana = actors.ada(), actors.ana()
        follows = actors.person("Sven Successor", Role.APPLICANT, organisation_name=actors.NORTHBRIDGE)
        editor = actors.give(
            actors.person("Petra Planner", Role.APPLICANT), Role.APPLICATION_EDITOR, "application", left
        )
    with arranging():
        # As a takeover leaves it.
        leading = db.session.scalars(select(ApplicationPartner).where(ApplicationPartner.application_id == led)).first()
        assert leading is not None and editor.user_id is not None
        leading.contact_user_id = follows
        db.session.add(
            ApplicationMember(
                application_id=left, user_id=editor.user_id, invited_name="Petra", joined_at=AFTER_CLOSING
            )
        )
    with clock.at(AFTER_CLOSING):
        assert ana.user_id is not None
        people.disable_user(ada, ana.user_id, reason="Left the city.")
        for application_id in (led, left):
            services.send_letter(actors.eli(), application_id)
    mails = [job for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    told = [
        (each.subject_id, each.args["user_id"]) for each in mails if each.args["template"] == "application_eligibility"
    ]
    assert sorted(told) == sorted([(led, str(follows)), (left, str(ana.user_id)), (left, str(editor.user_id))])


def test_a_refusal_without_a_second_person_is_never_sent(call: CallView) -> None:
    other = factory.submitted(call, actors.ana(), "Alone")
    with clock.at(AFTER_CLOSING):
        first, *rest = (ConditionAnswer(each.key, PASS) for each in call.content.conditions)
        services.declare(actors.eli(), other, (replace(first, verdict=FAIL, reason="No"), *rest))
        with pytest.raises(Refused, match="no verdict yet"):
            services.send_letter(actors.eli(), other)
        with pytest.raises(NotFound):
            queries.letter(actors.eli(), queries.view_by_id(other))
    assert queries.view_by_id(other).state is ApplicationState.SUBMITTED


def test_a_page_of_letters_costs_the_same_for_one_and_for_four(call: CallView) -> None:
    asked = []
    for more in (1, 3):
        for number in range(more):
            decided(call, f"Roofs {more} {number}", failing=number == 1)
        with clock.at(AFTER_CLOSING):
            eli = actors.eli()
            with statements() as seen:
                letters = queries.letters_to_send(eli, call)
        asked.append(len(seen))

    assert (len(letters.items), letters.total, letters.next_key) == (4, 4, None)
    assert asked == [3, 3]


def test_letters_go_on_by_reference_and_the_last_page_says_so(
    app: Flask, call: CallView, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(2):
        decided(call, f"Roofs {number}")
    monkeypatch.setattr("grants.applications.queries.letters.LETTERS_MAX", 1)
    place = f"/calls/{call.slug}/letters"
    with clock.at(AFTER_CLOSING):
        eli = actors.client_of(app, actors.eli())
        (first,) = queries.letters_to_send(actors.eli(), call).items
        pages = [eli.get(place).text, *(eli.get(f"{place}?after={key}").text for key in (first.reference, "Z"))]

        # What is sent from the second page leaves the first as it is, and comes back to the second.
        assert "Only letters of this page are sent, 1 of 2" in pages[0]
        sent = send(eli, f"{place}?after={first.reference}")
        assert sent.location.endswith(f"{place}?after={first.reference}")
        work_off()
        assert [each.reference for each in queries.letters_to_send(actors.eli(), call).items] == [first.reference]
    assert ['rel="next"' in each for each in pages] == [True, False, False]
    assert "1 of 2 shown" in pages[1] and "No letter after this one" in pages[2]


def test_letters_are_looked_at_and_sent_in_one_go_and_a_changed_one_is_left_out(app: Flask, call: CallView) -> None:
    first, second, third = (decided(call, title) for title in ("One", "Two", "Three"))
    place = f"/calls/{call.slug}/letters"
    with clock.at(AFTER_CLOSING):
        eli = actors.client_of(app, actors.eli())
        hashes = {
            key: queries.letter(actors.eli(), queries.view_by_id(key)).text.sha256.hex() for key in (first, second)
        }
        assert "3 letters wait" in text_of(eli.get(place))
        ref = queries.view_by_id(second).reference
        assert send(eli, f"/applications/{ref}/letter", note="Changed since").status_code == 303
        assert "Changed since" in text_of(eli.get(place))
        nothing = send(eli, place, letter=None, act_key="k" * 30)
        assert nothing.status_code == 422 and " checked>" not in nothing.text
        sent = send(eli, place, letter=[f"{key}|{found}" for key, found in hashes.items()])
        assert sent.status_code == 303
        # While letters are on their way they are not offered again; what was left without a tick stays so.
        assert "1 letter waits" in text_of(eli.get(place)) and " checked>" in eli.get(place).text
        assert sent.location.endswith(f"left={queries.view_by_id(third).reference}")
        assert " checked>" not in eli.get(sent.location).text
        assert "(by now 2 letters: 2 not done yet)" in text_of(eli.get("/home"))
        work_off()
        page = eli.get(place)
        assert "2 letters wait" in text_of(page) and "2 of 2 letters done" in text_of(page)
        assert f"1 sent, 1 left out: Two, {ref}: The letter changed after you looked at it." in text_of(page)
        assert page.text.count(" checked>") == 1  # The one left out is looked at before it is ticked.
        home = text_of(eli.get("/home"))
        assert f"asked to send decision letters of call {call.reference} (by now 2 letters: 1 sent, 1 left out)" in home
        assert [duty.what for duty in queries.duties(actors.eli(), clock.now())] == [
            "Look at 2 decision letters and send them"
        ]
        with pytest.raises(Invalid):
            services.write_letter(actors.eli(), third, "word " * 301)
        with pytest.raises(Conflict):
            services.write_letter(actors.eli(), third, "Words", 99)
        assert actors.client_of(app, actors.ana()).get(place).status_code == 403
    states = [queries.view_by_id(each).state for each in (first, second, third)]
    assert states == [ApplicationState.ELIGIBLE, ApplicationState.SUBMITTED, ApplicationState.SUBMITTED]


def test_only_the_desk_has_a_letter_printed(call: CallView) -> None:
    application_id = decided(call, "Printed")
    with clock.at(AFTER_CLOSING):
        services.send_letter(actors.eli(), application_id)
        sent = queries.letter(again(actors.ana()), queries.view_by_id(application_id))
        assert sent.letter_id is not None
        printed = documents.print_letter(actors.eli(), sent.letter_id)
        with pytest.raises(NotAllowed):
            documents.print_letter(again(actors.ana()), sent.letter_id)
        # Nobody gets a draft of what was sent, however late its job comes.
        assert documents.print_letter_draft(actors.eli(), sent.letter_id) is None
    assert printed.name == f"decision-letter-{sent.reference}.pdf"


def test_the_pdf_of_a_letter_not_sent_is_the_letter_marked_as_a_draft(app: Flask, call: CallView) -> None:
    application_id = decided(call, "Drafted")
    ref = queries.view_by_id(application_id).reference
    page = f"/applications/{ref}/letter"
    with clock.at(AFTER_CLOSING):
        eli, ana = actors.client_of(app, actors.eli()), actors.client_of(app, again(actors.ana()))
        assert eli.get(f"{page}/draft.pdf").status_code == 404
        assert send(eli, page, to=f"{page}/draft").status_code == 303
        assert "The PDF of the draft is being made" in text_of(eli.get(page))
        work_off()

        draft = _words(eli, f"{page}/draft.pdf")
        assert "DRAFT of a decision letter, not sent" in draft and "it gets the date on which it is sent" in draft
        assert ana.get(f"{page}/draft.pdf").status_code in (403, 404)
        # Other words: the old draft is not shown for them, and goes when theirs is made.
        assert send(eli, page, note="Come to the opening.").status_code == 303
        assert "Make the PDF of the draft" in text_of(eli.get(page))
        assert eli.get(f"{page}/draft.pdf").status_code == 404
        send(eli, page, to=f"{page}/draft")
        work_off()
        draft = _words(eli, f"{page}/draft.pdf")
        assert "Come to the opening." in draft

        services.send_letter(actors.eli(), application_id)
        work_off()
        sent = _words(ana, f"{page}.pdf")
        assert eli.get(f"{page}/draft.pdf").status_code == 404
        with pytest.raises(Refused, match="A letter is sent once"):
            services.preview_letter(actors.eli(), application_id)
    told = sent.replace("Decision letter", "DRAFT of a decision letter, not sent")
    date = next(line for line in sent.splitlines() if "(Europe/Brussels)" in line)
    assert told.replace(date, "Draft: it gets the date on which it is sent") == draft


def test_two_drafts_made_at_once_are_one_file_and_the_letter_can_be_sent(
    app: Flask, call: CallView, monkeypatch: pytest.MonkeyPatch
) -> None:
    application_id = decided(call, "Twice")
    with clock.at(AFTER_CLOSING):
        services.preview_letter(actors.eli(), application_id)
        eli = actors.eli()
        letter_id = queries.letter(eli, queries.view_by_id(application_id)).letter_id
        db.session.rollback()
    assert letter_id is not None
    meeting, written = threading.Barrier(2), papers.letters.eligibility

    def after_the_other(*args: Any, **more: Any) -> bytes:
        # Both write at one moment, unless one is made to wait for the other.
        with suppress(threading.BrokenBarrierError):
            meeting.wait(0.5)
        return written(*args, **more)

    def draft() -> None:
        with app.app_context(), clock.at(AFTER_CLOSING):
            documents.print_letter_draft(eli, letter_id)
            db.session.remove()

    monkeypatch.setattr(papers.letters, "eligibility", after_the_other)
    threads = [threading.Thread(target=draft) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    (kept,) = files.listed(queries.LETTER_FILES, letter_id)
    assert kept.version_no == 1
    with clock.at(AFTER_CLOSING):
        assert services.send_letter(actors.eli(), application_id) is PASS


def _words(client: FlaskClient, address: str) -> str:
    with client.get(address) as answer:
        assert answer.mimetype == "application/pdf"
        return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.get_data())).pages)
