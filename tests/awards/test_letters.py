"""Letters of decision: looked at with real data, prepared by one person, sent by another, each once; until then nobody knows."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from flask import Flask
from pypdf import PdfReader
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from grants.agreements import services as agreements
from grants.applications import queries as applications
from grants.applications.models import Application
from grants.applications.rules import DetailsInput, ListFilter
from grants.applications.services import edit_details, submit
from grants.applications.states import ApplicationState
from grants.awards import queries, services
from grants.awards.models import DecisionLetter, LetterLeftOut, LetterMailing, LetterText, SelectionItem
from grants.awards.queries import letters_work
from grants.awards.rules import DecisionInput, Override, Plan, ScenarioInput, kept_out_words
from grants.awards.rules.letter_words import HOUSE_TEXTS, below_words, checked_text, filled, places_of
from grants.awards.rules.letters import DecisionText, Hindrance, LettersPage
from grants.awards.states import LetterState, MailingState, Outcome
from grants.calls import queries as calls
from grants.calls import services as call_acts
from grants.calls.models import Call
from grants.calls.rules import ResultsInput, SelectionRules
from grants.cities.rules import COUNTRIES
from grants.core import clock, files, jobs
from grants.core.acts import arranging
from grants.core.audit import AuditEvent
from grants.core.db import db, get
from grants.core.duties import Duty
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Refused
from grants.core.files import StoredFile
from grants.core.jobs import Job
from grants.core.permissions import Permission
from grants.documents import services as documents
from grants.evaluation.models import Consensus
from grants.identity.models import User
from grants.identity.queries import actor_for
from tests import actors
from tests.awards.publishing import publish, tell_all
from tests.awards.test_views import text_of
from tests.evaluation.scene import CLOSED, Browser, Scene
from tests.factories import identity as people
from tests.html import check_page
from tests.no_route import DECIDES, JUDGES, freely, read_by, seen_of
from tests.nothing_there import NOTHING_THERE, OF_ITS_TEAM, OPENED_BY_A_DECISION
from tests.shut import shuts
from tests.statements import statements
from tests.worlds import World

letters = services.letters


@pytest.fixture
def decided(scene: Scene, decided_world: World[None]) -> Scene:
    return scene


def shown_to(scene: Scene, name: str = "manager") -> LettersPage:
    page: LettersPage = queries.letters.letters_page(scene.actor(name), scene.slug)
    return page


def prepare(scene: Scene, name: str = "manager") -> UUID:
    letters.prepare(scene.actor(name), scene.call_id, shown_to(scene, name).shown_hash)
    mailing = shown_to(scene, name).open_mailing
    assert mailing is not None
    return mailing.id


def work_off() -> None:
    jobs.work_off(actor_of=actor_for, but_not=("mail",))


def sent(scene: Scene) -> None:
    letters.confirm_mailing(scene.actor("officer"), prepare(scene))
    work_off()


def rows(scene: Scene) -> dict[str, LetterState | None]:
    return {row.title: row.state for row in shown_to(scene).rows}


def mails() -> int:
    db.session.rollback()
    return db.session.scalar(select(func.count()).where(Job.args["template"].astext == "decision_letter")) or 0


def letters_duties(scene: Scene) -> list[Duty]:
    return list(queries.duties(scene.actor("manager"), clock.now()))


def disable(user_id: UUID) -> None:
    with arranging():
        get(User, user_id).disabled_at = clock.now()


# ---------------------------------------------------------------------------------------------- the words


def test_every_place_of_every_house_text_exists_and_is_filled() -> None:
    for outcome, text in HOUSE_TEXTS.items():
        assert checked_text(outcome, text) == text
        values = dict.fromkeys(places_of(outcome), "told")
        paragraphs, empty = filled(text, values)
        assert empty == () and not any("{" in each for each in paragraphs)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Dear {leed}", "There is no place {leed} in this letter. There are: {application}, "),
        ("At place {reserve_place}", "There is no place {reserve_place}"),
        ("Dear {lead", "A brace stands alone"),
        (
            "{{nobody}} {foo} {{",
            "There is no place {nobody} and no place {foo} in this letter. There are: {application}, ",
        ),
        ("{{nobody}} {foo} {{", " A brace stands alone. Write a place as {application}, with both braces."),
        ("  ", "Write the words of the letter"),
        ("word " * 1_001, "The letter has 1001 words; the limit is 1000. Cut 1."),
    ],
)
def test_words_that_cannot_be_sent_are_refused_with_the_way_out(text: str, words: str) -> None:
    with pytest.raises(Invalid) as refused:
        checked_text(Outcome.SELECTED, text)
    assert words in refused.value.problems["text"]


def test_what_is_put_in_is_never_read_for_places_again() -> None:
    assert filled("Of {lead}: {application}", {"lead": "{amount}", "application": "A"}) == (("Of {amount}: A",), ())
    # Lines of a paragraph flow together, items of a list stay apart.
    assert filled("Dear\nall,\n\n- one\n- two", {})[0] == ("Dear all,", "- one\n- two")


def test_words_are_kept_in_versions_and_a_second_tab_is_told(decided: Scene) -> None:
    manager = decided.actor("manager")
    assert letters.write_text(manager, decided.call_id, Outcome.RESERVE, "You wait, {lead}.", 0) == 1
    with pytest.raises(Conflict, match="Somebody wrote other words"):
        letters.write_text(decided.actor("manager"), decided.call_id, Outcome.RESERVE, "Mine, {lead}.", 0)
    assert (
        letters.write_text(decided.actor("manager"), decided.call_id, Outcome.RESERVE, "Place {reserve_place}.", 1) == 2
    )
    assert db.session.scalars(select(LetterText.number).order_by(LetterText.number)).all() == [1, 2]
    second = shown_to(decided).rows[2]
    assert second.text is not None and second.text.paragraphs == ("Place 1.",)


# ---------------------------------------------------------------------------------------------- looked at first


def test_each_letter_is_looked_at_with_the_data_of_its_applicant(decided: Scene) -> None:
    first, second, third = shown_to(decided).rows

    assert [row.outcome for row in (first, second, third)] == [Outcome.SELECTED, Outcome.SELECTED, Outcome.RESERVE]
    assert first.text is not None and second.text is not None
    told = " ".join(first.text.paragraphs)
    assert first.title in told and str(first.amount) in told and "No condition is attached." in told
    assert first.lead in told and "{" not in told
    assert "by “Ask the helpdesk” on the page of your application. The call names no last day for it." in told
    assert first.text.report.text == "We agree."
    assert all(row.score and row.comment for row in first.text.report.rows)
    assert not shown_to(decided).blocked
    # It is a letter: to somebody by name and place, on a matter, with who stands under it.
    letterhead = first.text.letterhead
    assert letterhead is not None
    at, town = decided.application_ids.index(first.application_id), first.lead.rpartition(" ")[2]
    assert letterhead.recipient == (
        first.lead, f"For the attention of Lead of {town}", town, COUNTRIES[("GR", "DK", "HU")[at]],
    )  # fmt: skip
    assert (letterhead.salutation, letterhead.sender[0]) == (f"Dear Lead of {town},", first.text.programme)
    assert first.reference in letterhead.subject and letterhead.signature[-1] == first.text.programme
    assert first.text.outcome_told == f"selected, recommended amount {first.amount}"
    # Whose account works no more is not written to by name.
    disable(decided.leads[at])
    unnamed = shown_to(decided).rows[0].text
    assert unnamed is not None and unnamed.letterhead is not None
    assert (unnamed.letterhead.recipient[:2], unnamed.letterhead.salutation) == ((first.lead, town), "Dear applicant,")


def test_exceptions_stop_every_letter_until_mended_or_left_out_by_name(decided: Scene) -> None:
    disable(decided.leads[0])
    with arranging():
        consensus = db.session.scalars(
            select(Consensus).where(Consensus.application_id == decided.application_ids[1])
        ).one()
        consensus.state, consensus.agreed_at, consensus.proposed_at = "draft", None, None
    found = {row.application_id: [each.kind for each in row.exceptions] for row in shown_to(decided).rows}
    assert found == {
        decided.application_ids[0]: [Hindrance.NO_RECIPIENT],
        decided.application_ids[1]: [Hindrance.NO_CONSENSUS],
        decided.application_ids[2]: [],
    }
    with pytest.raises(Refused, match="leave the letter out by name with a reason"):
        prepare(decided)

    with pytest.raises(Invalid):
        services.leaving_out.leave_out(decided.actor("manager"), decided.application_ids[0], " ")
    for number in (0, 1):
        services.leaving_out.leave_out(decided.actor("manager"), decided.application_ids[number], "Told by telephone.")
    prepare(decided)
    assert [row.application_id for row in shown_to(decided).rows if row.state] == [decided.application_ids[2]]
    assert [row.left_out for row in shown_to(decided).left_out] == ["Told by telephone."] * 2


def test_a_place_with_nothing_to_say_is_an_exception(decided: Scene) -> None:
    letters.write_text(decided.actor("manager"), decided.call_id, Outcome.NOT_FUNDED, "{score}", 0)
    letters.write_text(decided.actor("manager"), decided.call_id, Outcome.SELECTED, "{complaints}", 0)
    kinds = {each.kind for row in shown_to(decided).rows for each in row.exceptions}
    assert kinds <= {Hindrance.EMPTY_PLACE}
    # Marks are feedback: none reaches an applicant before the results are public, not even as a reason.
    letters.write_text(decided.actor("manager"), decided.call_id, Outcome.SELECTED, "{score}", 1)
    words = {each.words for row in shown_to(decided).rows for each in row.exceptions}
    assert words == {
        "No score is told before the results are public. Take {score} out of the text, or publish them first."
    }
    criteria = calls.call_by_id(decided.call_id).content.criteria
    low = {one.key: (one.threshold_half or 1) - 1 for one in criteria[:1]}
    assert below_words(criteria, low) == f"It does not reach the threshold for {criteria[0].name}."
    assert below_words(criteria, {}) == "It does not reach the threshold for the score as a whole."


def test_what_was_taken_in_again_waits_again(decided: Scene) -> None:
    services.leaving_out.leave_out(decided.actor("manager"), decided.application_ids[0], "Told by telephone.")
    with pytest.raises(Refused, match="left out already"):
        services.leaving_out.leave_out(decided.actor("manager"), decided.application_ids[0], "Twice.")
    services.leaving_out.take_in(decided.actor("manager"), decided.application_ids[0])
    assert len(shown_to(decided).waiting) == 3


def test_what_changed_after_it_was_looked_at_is_not_prepared(decided: Scene) -> None:
    stale = shown_to(decided).shown_hash
    letters.write_text(decided.actor("manager"), decided.call_id, Outcome.RESERVE, "You wait, {lead}.", 0)
    with pytest.raises(Conflict, match="changed after you looked"):
        letters.prepare(decided.actor("manager"), decided.call_id, stale)


# ---------------------------------------------------------------------------------------------- two people, once


def test_a_second_person_sends_or_returns(browser: Browser, decided: Scene) -> None:
    mailing_id = prepare(decided)
    with pytest.raises(NotAllowed):
        letters.confirm_mailing(decided.actor("manager"), mailing_id)
    with pytest.raises(Refused, match="waits for a second person"):
        letters.write_text(decided.actor("manager"), decided.call_id, Outcome.RESERVE, "New, {lead}.", 0)
    with pytest.raises(Invalid):
        letters.return_mailing(decided.actor("officer"), mailing_id, "")
    letters.return_mailing(decided.actor("officer"), mailing_id, "Name the date.")
    # Who prepares them again reads why first, at home too.
    (duty,) = [each for each in letters_duties(decided) if each.endpoint == "awards.letters"]
    assert duty.what.startswith("Prepare again the letters of")
    assert duty.why.startswith("They were returned: Name the date. Mend what is asked for;")
    back = browser.get("manager", f"/calls/{decided.slug}/decision/letters").text
    assert back.index("Name the date.") < back.index("Prepare these letters")
    assert (mails(), shown_to(decided).mailings[0].state) == (0, MailingState.RETURNED)

    sent(decided)
    assert set(rows(decided).values()) == {LetterState.SENT}
    assert mails() == 3


def test_each_letter_is_sent_once_kept_with_its_hash_and_printed(app: Flask, decided: Scene) -> None:
    sent(decided)
    row = db.session.scalars(
        select(DecisionLetter).where(DecisionLetter.application_id == decided.application_ids[0])
    ).one()
    assert row.sent_content is not None and row.sent_sha256 is not None
    text = DecisionText.from_mapping(row.sent_content)
    assert (text.sha256, text.dated("").sha256) == (row.sent_sha256, row.sha256)
    assert text.sent_on == "20 November 2022"
    letter_id = row.id
    # A worker that was killed after the act runs the job again.
    assert letters.send_letter(decided.actor("officer"), letter_id) == "was sent"
    letters.note_failure(decided.actor("officer"), letter_id, "Too late to fail.")
    assert get(DecisionLetter, letter_id).state == LetterState.SENT
    work_off()
    again = documents.print_decision_letter(decided.actor("officer"), letter_id)
    assert [file.role for file in again] == [queries.letters.LETTER_ROLE, queries.letters.REPORT_ROLE]
    assert mails() == 3

    lead = actor_for(decided.leads[0], fresh=True)
    file = letters.download_letter(lead, decided.application_ids[0], queries.letters.LETTER_ROLE)
    words = " ".join(
        " ".join(page.extract_text() for page in PdfReader(io.BytesIO(files.path(file).read_bytes())).pages).split()
    )
    assert text.lead in words and text.letter_sha256.hex()[:16] in words and "Page 1 of" in words
    assert text.letterhead is not None
    for line in (
        *text.letterhead.recipient,
        text.letterhead.subject,
        text.letterhead.salutation,
        "20 November 2022",
        "Yours faithfully,",
    ):
        assert line in words
    assert words.index("Yours faithfully,") < words.index("Annex: evaluation summary report")
    # The hash over the marks would give them away: it stands on the report only, beside the letter's own.
    assert row.sent_sha256.hex()[:16] not in words
    told = PdfReader(io.BytesIO(files.path(again[1]).read_bytes())).pages[0].extract_text().replace("\n", "")
    assert row.sent_sha256.hex() in told and text.letter_sha256.hex() in told


def test_a_letter_that_fails_keeps_its_reason_and_is_sent_again(browser: Browser, decided: Scene) -> None:
    mailing_id = prepare(decided)
    disable(decided.leads[0])
    letters.confirm_mailing(decided.actor("officer"), mailing_id)
    work_off()
    failed = next(row for row in shown_to(decided).rows if row.state is LetterState.FAILED)
    assert failed.application_id == decided.application_ids[0]
    assert "Nobody of its team has an account that works" in failed.failure and failed.letter_id is not None
    assert mails() == 2

    with arranging():
        get(User, decided.leads[0]).disabled_at = None
    with pytest.raises(Conflict):
        letters.send_again(decided.actor("officer"), failed.letter_id, failed.version - 1)
    # As the list of letters has it, with all that stands in the form of that row.
    place = f"/calls/{decided.slug}/decision/letters"
    found = re.search(rf'action="({place}/[^"/]+/send-again)".*?</form>', browser.get("officer", place).text, re.DOTALL)
    assert found is not None and found[1] == f"{place}/{decided.references[0]}/send-again"
    fields = re.findall(r'name="(\w+)" value="([^"]*)"', found[0])
    assert len(fields) == len(dict(fields))
    assert browser.post("officer", found[1], **dict(fields)).status_code == 303
    # No mail leaves here, so none is on its way.
    said = text_of(browser.get("officer", place))
    assert (
        f"The letter of {decided.references[0]} is written to its team again. Kept here: no mail server is set" in said
    )
    assert "is on its way" not in said
    work_off()
    assert mails() == 3
    with pytest.raises(Refused, match="within the last hour"):
        letters.send_again(decided.actor("officer"), failed.letter_id)
    with clock.at(clock.now() + timedelta(hours=2)):
        letters.send_again(decided.actor("officer"), failed.letter_id)
    assert mails() == 4 and set(rows(decided).values()) == {LetterState.SENT}


@pytest.mark.usefixtures("short_pages")
def test_sent_is_said_only_of_what_left_and_the_list_goes_on_by_key(browser: Browser, decided: Scene) -> None:
    place = f"/calls/{decided.slug}/decision/letters"
    services.leaving_out.leave_out(decided.actor("manager"), decided.application_ids[1], "Told by telephone.")
    prepare(decided)
    waits = re.search(rf'action="{place}/confirm".*?</form>', browser.get("officer", place).text, re.DOTALL)
    assert waits is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', waits[0]))
    assert browser.post("officer", f"{place}/confirm", **fields).status_code == 303
    told = text_of(browser.get("officer", place))
    assert "2 letters are written to their teams" in told and "on the way, one by one" not in told
    assert "Kept here: no mail server is set, so no mail leaves." in told and "SMTP_URL" in told
    work_off()
    first, second, third = shown_to(decided).rows
    assert {row.standing for row in (first, second)} == {("Mail on the way", "blue")}
    jobs.work_off(actor_of=actor_for)
    # No mail server is set here, so nothing left.
    pages = [browser.get("officer", f"{place}?{query}") for query in ("size=2", f"size=2&after={second.reference}")]
    for answer in pages:
        check_page(answer)
    assert pages[0].text.count(">Kept here<") == 2 and ">Sent<" not in pages[0].text
    assert "letters on the pages of their teams" in pages[0].text and "teams told" not in pages[0].text
    assert "2 letters stand on the pages of their teams; the mails about them are kept here." in pages[0].text
    assert "Still missing: 1 left out and not told otherwise. 2 are not acknowledged yet." in pages[0].text
    assert "2 of 3 shown" in pages[0].text and 'rel="next"' in pages[0].text and third.title not in pages[0].text
    assert third.title in pages[1].text and first.title not in pages[1].text and "1 of 3 shown" in pages[1].text
    # The page of the decision says the same, and not that all is done.
    decision = browser.get("officer", f"/calls/{decided.slug}/decision").text
    assert "2 of 3 on their pages, of 2 no mail left, as no mail server is set, 1 left out by name" in decision
    assert ">Kept here<" in decision and "2 of 3 told" not in decision
    missing = browser.get("officer", f"{place}?missing=yes").text
    assert third.title in missing and first.title not in missing and "Show all 3" in missing
    assert f"Lead of {first.lead.rpartition(' ')[2]}: Kept here: no mail server is set" in (
        browser.get("officer", f"{place}/{first.reference}").text
    )
    # Of one that a server took, one that it refused, and one that was acknowledged.
    with arranging():
        mail = db.session.scalars(select(Job).where(Job.args["template"].astext == "decision_letter")).first()
        assert mail is not None
        mail.result = {"message_id": "<1@example.eu>"}
    assert sorted(row.standing[0] for row in shown_to(decided).rows) == ["Kept here", "Left out", "Sent"]
    services.leaving_out.told_otherwise(decided.actor("manager"), decided.application_ids[1])
    # Its history names the outcome, and only the one of this letter.
    decided.people |= {"lead": decided.leads[0], "last": decided.leads[1]}
    for name, number, told in (("lead", 0, "selected, recommended amount"), ("last", 1, "reserve")):
        for reader in (name, "manager"):
            history = browser.get(reader, f"/applications/{decided.references[number]}/history").text
            assert history.count("Outcome told: ") == 1 and f"Outcome told: {told}" in history


def test_a_letter_that_failed_is_left_out_by_name_and_prepared_anew(decided: Scene, browser: Browser) -> None:
    mailing_id, first, officer = prepare(decided), decided.application_ids[0], decided.actor("officer")
    disable(decided.leads[0])
    letters.confirm_mailing(officer, mailing_id)
    work_off()

    def tasks() -> list[str]:
        found = [duty.what for duty in queries.duties(officer, clock.now())]
        return [what for what in found if what.startswith("Mend and send again decision letters of")]

    failed = next(row for row in shown_to(decided).rows if row.state is LetterState.FAILED)
    assert failed.letter_id is not None
    # One that was left out before leaving out dropped it is not sent either.
    manager = decided.actor("manager").user_id
    assert manager is not None
    with arranging():
        db.session.add(
            LetterLeftOut(application_id=first, reason="Visited.", left_out_by=manager, left_out_at=clock.now())
        )
    with pytest.raises(Refused, match="Take it in again first"):
        letters.send_again(officer, failed.letter_id)
    assert ([row.left_out for row in shown_to(decided).left_out], tasks()) == (["Visited."], [])
    services.leaving_out.take_in(decided.actor("manager"), first)
    assert (len(tasks()), queries.after_decision(officer, decided.slug).words) == (1, "2 of 3 told, 1 failed")
    # What tells an outcome that is no longer the one of its application is nobody's to mend.
    for state, waiting in ((ApplicationState.RESERVE, 0), (ApplicationState.SELECTED, 1)):
        with arranging():
            get(Application, first).state = state.value
        assert len(tasks()) == waiting

    here = f"/calls/{decided.slug}/decision/letters/{failed.reference}"
    preview = browser.get("manager", here)
    check_page(preview)
    assert "Taken in again, a new letter is prepared in its place." in preview.text
    # What was confirmed is what leaves: whoever sends it again reads of which day its words are, and the words hold later too.
    assert "Its words are of" in preview.text and "What two people stood behind is what leaves" in preview.text
    assert (
        "no date was set when this letter was prepared" in preview.text
        and "The results are public by now" not in preview.text
    )
    with arranging():
        get(Call, decided.call_id).results_public_at = clock.now()
    told = browser.get("manager", here)
    assert "The results are public by now: where the letter says from when" in told.text
    with arranging():
        get(Call, decided.call_id).results_public_at = None
    assert browser.post("manager", f"{here}/leave-out", reason="Told by telephone.").status_code == 303
    assert ([row.left_out for row in shown_to(decided).left_out], tasks()) == (["Told by telephone."], [])
    assert queries.after_decision(officer, decided.slug).words == "2 of 3 told, 1 left out by name"
    late = browser.post("officer", f"{here}/send-again", version=str(failed.version))
    assert (late.status_code, "it was left out or returned" in late.text) == (409, True)
    with pytest.raises(Refused, match="A new one is prepared"):
        letters.send_again(officer, failed.letter_id)

    with arranging():
        get(User, decided.leads[0]).disabled_at = None
    services.leaving_out.take_in(decided.actor("manager"), first)
    assert [row.application_id for row in shown_to(decided).waiting] == [first]
    sent(decided)
    assert set(rows(decided).values()) == {LetterState.SENT} and mails() == 3


def test_a_letter_whose_job_was_given_up_leaves_under_somebody_else(decided: Scene) -> None:
    letters.confirm_mailing(decided.actor("officer"), prepare(decided))
    waiting = next(row for row in shown_to(decided).rows if row.state is LetterState.QUEUED)
    assert waiting.letter_id is not None
    with pytest.raises(Refused, match="on its way already"):
        letters.send_again(decided.actor("officer"), waiting.letter_id)
    job = jobs.latest(("application", waiting.application_id), letters.SEND_JOB)
    assert job is not None
    jobs.cancel(actors.ada(), job.id, "Stopped by the administrator.")
    letters.send_again(decided.actor("officer"), waiting.letter_id)
    work_off()
    assert set(rows(decided).values()) == {LetterState.SENT} and mails() == 3


def test_a_limit_of_duties_counts_own_calls_and_the_rest_is_told(
    decided: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    mailing_id, title = prepare(decided), shown_to(decided).title
    others = [call_acts.copy_call(decided.actor("manager"), decided.call_id, name, 2031).id for name in ("A", "B")]
    with arranging():
        row = get(LetterMailing, mailing_id)
        every = {each.key: getattr(row, each.key) for each in LetterMailing.__table__.columns if each.key != "id"}
        db.session.add_all(LetterMailing(**(every | {"call_id": call_id})) for call_id in others)
    officer = replace(decided.actor("officer"), bars=frozenset({("call", others[0])}))
    monkeypatch.setattr(letters_work, "DUTIES_MAX", 1)
    duties = [each.what for each in queries.duties(officer, clock.now()) if each.what.startswith("Send or return")]
    assert duties == ["Send or return the decision letters of B", "Send or return decision letters: 1 more call"]
    monkeypatch.setattr(letters_work, "DUTIES_MAX", 2)
    duties = [each.what for each in queries.duties(officer, clock.now()) if each.what.startswith("Send or return")]
    assert duties[1:] == [f"Send or return the decision letters of {title}"]


def test_the_record_says_who_prepared_who_sent_and_to_whom(decided: Scene) -> None:
    sent(decided)
    found = db.session.execute(
        select(AuditEvent.verb, AuditEvent.user_id).where(AuditEvent.verb.like("letter%")).distinct()
    ).all()
    assert {verb: actor for verb, actor in found if verb != "letter.print"} == {
        "letter_mailing.prepare": decided.people["manager"],
        "letter_mailing.confirm": decided.people["officer"],
        "letter.send": decided.people["officer"],
    }


# ---------------------------------------------------------------------------------------------- conflicts


def test_a_conflicted_officer_neither_sees_nor_prepares_nor_sends_that_letter(app: Flask, decided: Scene) -> None:
    application_id, reference = decided.application_ids[1], decided.references[1]
    with arranging():
        people.bar(decided.people["manager"], "application", application_id)
    shown = shown_to(decided)
    assert (shown.hidden, [row.application_id for row in shown.rows]) == (
        1,
        [each for each in (row.application_id for row in shown.rows) if each != application_id],
    )
    with pytest.raises(NotFound):
        queries.letters.row_of(shown, reference)
    mailing_id = prepare(decided)
    prepared = db.session.scalars(select(DecisionLetter.application_id)).all()
    assert application_id not in prepared and len(prepared) == 2
    with pytest.raises(NotFound):
        services.leaving_out.leave_out(decided.actor("manager"), application_id, "Mine.")
    with arranging():
        people.bar(decided.people["officer"], "application", decided.application_ids[0])
    with pytest.raises(Refused, match="conflict of interest"):
        letters.confirm_mailing(decided.actor("officer"), mailing_id)
    # The chair is free of conflict, and sends them.
    letters.confirm_mailing(decided.actor("chair"), mailing_id)


def test_a_conflict_that_comes_while_letters_are_on_their_way_stops_that_one(decided: Scene) -> None:
    letters.confirm_mailing(decided.actor("officer"), prepare(decided))
    with arranging():
        people.bar(decided.people["officer"], "application", decided.application_ids[0])
    work_off()
    states = {row.application_id: row.state for row in shown_to(decided).rows}
    assert states[decided.application_ids[0]] is LetterState.FAILED
    assert list(states.values()).count(LetterState.SENT) == 2


def test_no_route_tells_a_conflicted_person_of_an_application_whose_letter_is_on_its_way(
    app: Flask, decided: Scene
) -> None:
    prepare(decided)
    tell_all(decided)
    agreements.prepare(decided.actor("manager"), decided.application_ids[0], starts_on=CLOSED.date())

    # That all others lead somewhere tests/awards/test_no_route.py shows.
    open_here = NOTHING_THERE[OPENED_BY_A_DECISION]
    seen = seen_of(app, decided.application_ids[0], DECIDES, leads=open_here | {"awards.letters"})

    assert seen.kept == {}
    assert any("/decision/letters" in address for address in seen.free)
    assert open_here - seen.answered == frozenset()


# ---------------------------------------------------------------------------------------------- its team


def test_no_page_of_a_team_tells_its_outcome_before_its_letter(app: Flask, decided: Scene) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    lead, ref = Browser(app, decided), decided.references[0]
    decided.people["lead"] = decided.leads[0]
    own = f"/applications/{ref}"
    pages = (
        "/",
        "/home",
        "/applications",
        "/applications.csv",
        own,
        f"{own}/submitted",
        f"{own}/history",
        f"{own}/complaint",
    )
    told = re.compile("elected for|is selected|reserve list|is reserved|>Selected<|,selected,")

    for path in pages:
        assert told.search(lead.get("lead", path).text) is None, path
    assert ref in lead.get("lead", "/applications?state=under_evaluation").text
    assert ref not in lead.get("lead", "/applications?state=selected").text
    for path in ("result", "decision-letter"):
        assert lead.get("lead", f"{own}/{path}").status_code == 404, path
    assert "Selected" in lead.get("manager", own).text

    # Nor does a number, to one who has an office in another call, or in this one.
    for call_id in (uuid4(), decided.call_id):
        lead_actor = decided.actor("lead")
        granted = lead_actor.granted | {(Permission.APPLICATION_READ.value, ("call", call_id))}
        both = replace(lead_actor, granted=granted, bars=frozenset())
        numbers = {state.value: tally.number for state, tally in applications.counts(both, ListFilter()).items()}
        others = {"selected": 1, "reserve": 1} if call_id == decided.call_id else {}
        assert numbers == {"under_evaluation": 1} | others
        assert {row.state.value: row.number for row in applications.standing(both, ListFilter())} == numbers

    # No refusal tells it either: of an old tab that saves by itself, or of a form that is sent once more.
    decided.people["last"] = decided.leads[2]
    for name, number, state in (("lead", 0, "selected"), ("last", 2, "not_funded"), ("last", 2, "reserve")):
        with arranging():
            application = get(Application, decided.application_ids[number])
            application.state = state
        place = f"/applications/{decided.references[number]}"
        for path, data in (
            ("sections/plan/answers/what", {"value": "More."}),
            ("budget/cells", {"cells": "[]"}),
            ("withdraw", {"reason": "We stop."}),
        ):
            answer = lead.post(name, f"{place}/{path}", **data)
            assert answer.status_code == 422 and "is under evaluation; it cannot" in answer.text, (path, state)
        with pytest.raises(Refused, match="is under evaluation; it cannot be changed"):
            submit(decided.actor(name), application.id)
        with pytest.raises(Refused, match="is under evaluation; it cannot be changed"):
            edit_details(decided.actor(name), application.id, DetailsInput("Other", "", ""))

    with pytest.raises(IntegrityError, match="untold_is_decided"), arranging():
        get(Application, decided.application_ids[0]).state = ApplicationState.IN_PREPARATION.value

    sent(decided)
    assert ref in lead.get("lead", "/applications?state=selected").text
    assert told.search(lead.get("lead", own).text) is not None


@shuts("awards.letter_paper")
def test_the_team_reads_letter_before_and_report_after_publication_only(app: Flask, decided: Scene) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    lead = Browser(app, decided)
    place = f"/applications/{decided.references[0]}"
    decided.people["lead"] = decided.leads[0]
    for path in ("decision-letter", "decision-letter.pdf", "evaluation-summary-report.pdf"):
        assert lead.get("lead", f"{place}/{path}").status_code == 404
    sent(decided)
    # One that was printed when a letter still named the hash over its report.
    with arranging():
        second = select(DecisionLetter.id).where(DecisionLetter.application_id == decided.application_ids[1])
        for file in db.session.scalars(select(StoredFile).where(StoredFile.object_id == second.scalar_subquery())):
            if file.role == queries.letters.LETTER_ROLE:
                file.role = queries.letters.LETTER_WITH_REPORTS_HASH_ROLE
    # The page of the application leads to the letter as long as the result says no more.
    own = lead.get("lead", place).text
    assert f'"{place}/decision-letter"' in own and f"{place}/result" not in own
    answer = lead.get("lead", f"{place}/decision-letter")
    check_page(answer)
    assert answer.status_code == 200 and "is selected" in answer.text
    content = queries.letters.sent_letter(decided.actor("lead"), decided.references[0], clock.now())[1].text
    # Marks are few and the rest is known: a hash over them is found by trying. The letter's own says nothing of them.
    assert content.sha256.hex() not in answer.text and content.letter_sha256.hex() in answer.text
    unmarked = replace(content, report=replace(content.report, rows=(), total="", score=""))
    assert unmarked.letter_sha256 == content.letter_sha256 and unmarked.sha256 != content.sha256
    # Not one field of the report: no score, no agreed word.
    for word in ("We agree.", "because because", "4.5", "Official scores"):
        assert word not in answer.text
    with lead.get("lead", f"{place}/decision-letter.pdf") as got:
        assert got.status_code == 200
    assert lead.get("lead", f"{place}/evaluation-summary-report.pdf").status_code == 404
    decided.people["other"] = decided.leads[1]
    assert lead.get("other", f"{place}/decision-letter").status_code == 404
    held = f"/applications/{decided.references[1]}/decision-letter"
    assert "handed out with its report" in lead.get("other", held).text
    assert lead.get("other", f"{held}.pdf").status_code == 404

    # One whose bytes were damaged on the disk is handed to nobody; printed anew, both are, and what was made first is kept.
    (row,) = [each for each in shown_to(decided).rows if each.reference == decided.references[0]]
    assert row.letter_id is not None
    first = files.listed(queries.letters.LETTER_FILES, row.letter_id, queries.letters.LETTER_ROLE)[0]
    files.path(first).chmod(0o600)
    files.path(first).write_bytes(b"%PDF-damaged")
    assert lead.get("lead", f"{place}/decision-letter.pdf").status_code >= 400
    for ref in decided.references[:2]:
        again = f"/calls/{decided.slug}/decision/letters/{ref}"
        assert lead.post("manager", f"{again}/print-again", reason="Torn").status_code == 403
        assert lead.post("officer", f"{again}/print-again", reason=" ").status_code == 422
        assert lead.post("officer", f"{again}/print-again", reason="The PDF cannot be opened.").status_code == 303
        twice = lead.post("officer", f"{again}/print-again", reason="Once more")
        assert twice.status_code == 422 and "being made already" in twice.text and "Once more" in twice.text
    work_off()
    with lead.get("lead", f"{place}/decision-letter.pdf") as got, lead.get("other", f"{held}.pdf") as other:
        assert (got.status_code, other.status_code) == (200, 200)
    made = documents.print_decision_letter_anew(decided.actor("officer"), row.letter_id)
    assert [paper.version_no for paper in queries.letters.papers(row.letter_id)] == [3, 2, 1, 3, 2, 1]
    # The words are those that were sent, so the same bytes come of them.
    assert {paper.sha256 for paper in queries.letters.papers(row.letter_id)} == {paper.sha256 for paper in made}
    preview = f"/calls/{decided.slug}/decision/letters/{decided.references[0]}"
    before = lead.get("officer", preview).text
    # Who prepared it opens what was sent, by its own bytes alone; its team has other ways.
    paper = f"{preview}/papers/{queries.letters.papers(row.letter_id)[0].sha256}"
    assert paper in before
    with lead.get("manager", paper) as got:
        assert got.status_code == 200 and got.data.startswith(b"%PDF")
    assert lead.get("manager", f"{preview}/papers/{'0' * 64}").status_code == 404
    assert lead.get("lead", paper).status_code == 403
    with arranging():
        people.bar(decided.people["chair"], "application", decided.application_ids[0])
    assert lead.get("chair", paper).status_code == 404
    assert "version 2" in before and "can be read by the team once the results are public." in before

    # The history goes on to the letter, for its team and for the programme.
    for name in ("lead", "manager"):
        assert "told the decision on" in lead.get(name, f"{place}/history").text
    publish(decided, ResultsInput())
    assert "can be read by the team: the results are public." in lead.get("officer", preview).text
    own = lead.get("lead", place).text
    assert f"{place}/result" in own and f'"{place}/decision-letter"' in own
    with lead.get("other", f"{held}.pdf") as got:
        assert got.status_code == 200
    assert content.sha256.hex() in lead.get("lead", f"{place}/decision-letter").text
    with lead.get("lead", f"{place}/evaluation-summary-report.pdf") as got:
        words = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(got.data)).pages).split())
    assert "We agree." in words and "Official scores" in words
    for name in decided.evaluators:
        assert decided.actor(name).name not in words

    # All of it opens to the team, and nothing to whoever judges or decides, whatever roles they have.
    of_its_team = frozenset(each for each in NOTHING_THERE[OF_ITS_TEAM] if each.startswith("awards."))
    team = read_by(app, decided.actor("other"), decided.application_ids[1], only=of_its_team)
    others = freely(app, decided.application_ids[1], JUDGES | DECIDES, only=of_its_team)
    assert (of_its_team - team.answered, others.answered) == (frozenset(), frozenset())


def test_the_team_acknowledges_and_the_programme_sees_it(app: Flask, decided: Scene) -> None:
    sent(decided)
    row = shown_to(decided).rows[0]
    assert row.letter_id is not None
    number = decided.application_ids.index(row.application_id)
    with pytest.raises(NotFound):
        letters.acknowledge(actor_for(decided.leads[(number + 1) % 3], fresh=True), row.letter_id)
    with pytest.raises(NotFound):
        letters.acknowledge(decided.actor("manager"), row.letter_id)
    lead = actor_for(decided.leads[number], fresh=True)
    assert letters.acknowledge(lead, row.letter_id, row.version)
    # A second press in an old tab asks nothing more of anybody.
    assert not letters.acknowledge(lead, row.letter_id, row.version)
    assert shown_to(decided).rows[0].acknowledged_by.startswith("Lead of")


# ---------------------------------------------------------------------------------------------- the pages


def test_the_pages_show_what_is_in_the_way_and_keep_what_was_typed(browser: Browser, decided: Scene) -> None:
    disable(decided.leads[0])
    place = f"/calls/{decided.slug}/decision"
    shown = browser.get("manager", f"{place}/letters")
    check_page(shown)
    assert "1 letter cannot be sent as it stands" in shown.text and "Prepare these letters" not in shown.text
    answer = browser.post("manager", f"{place}/texts/selected", text="Dear {leed}", version="0")
    assert answer.status_code == 422 and "Dear {leed}" in answer.text and "There is no place {leed}" in answer.text
    assert "{reserve_place}" not in answer.text and "{lead}" in answer.text
    # “Back” leads to words that were refused, never to the letters of others, which may be shut by then.
    assert answer.headers["Cache-Control"] == "private, no-cache"
    answer = browser.post("manager", f"{place}/texts/reserve", text="{{nobody}}", version="0", go="show")
    assert (
        answer.status_code == 422
        and "There is no place {nobody}" in answer.text
        and "A brace stands alone." in answer.text
    )
    answer = browser.post(
        "manager", f"{place}/texts/reserve", text="Place {reserve_place}. {score}", version="0", go="show"
    )
    check_page(answer)
    assert answer.status_code == 200 and "Place 1." in answer.text and "Place {reserve_place}. {score}" in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "No score is told before the results are public." in answer.text
    assert {one.number for one in shown_to(decided).texts} == {0}
    reference = decided.references[0]
    answer = browser.post("manager", f"{place}/letters/{reference}/leave-out", reason="Told by telephone.")
    assert answer.status_code == 303
    shown = browser.get("manager", f"{place}/letters")
    assert "Prepare these letters" in shown.text and "Told by telephone." in shown.text
    words = "For **{application}**:\n\n- one\n- two"
    for outcome in ("selected", "reserve"):
        assert browser.post("manager", f"{place}/texts/{outcome}", text=words, version="0").status_code == 303
    preview = browser.get("manager", f"{place}/letters/{decided.references[2]}")
    check_page(preview)
    assert "<strong>" in preview.text and "<li>two</li>" in preview.text and "**" not in preview.text
    assert "We agree." in preview.text and "As it would be sent." in preview.text
    answer = browser.post("manager", f"{place}/letters", shown=shown_to(decided).shown_hash)
    assert answer.status_code == 303
    text = browser.get("manager", f"{place}/texts/selected")
    check_page(text)
    assert "1 of 2 letters with this outcome is prepared or sent and keeps its words." in text.text
    second = browser.get("officer", f"{place}/letters")
    check_page(second)
    assert "Send the letters" in second.text
    assert browser.get("eva1", f"{place}/letters").status_code in (403, 404)


# ---------------------------------------------------------------------------------------------- what they cost


@pytest.mark.parametrize(
    "path",
    ["decision", "decision/letters", "decision/letters/PCP-2022-A-0101", "decision/texts/reserve", "decision/names"],
)
def test_a_page_of_letters_asks_little_however_many_there_are(browser: Browser, decided: Scene, path: str) -> None:
    browser.get("manager", f"/calls/{decided.slug}/{path}")
    prepare(decided)
    with statements() as asked:
        assert browser.get("manager", f"/calls/{decided.slug}/{path}").status_code == 200
    assert len(asked) <= 8


def test_the_letter_of_a_team_asks_little(browser: Browser, decided: Scene) -> None:
    sent(decided)
    decided.people["lead"] = decided.leads[0]
    browser.get("lead", f"/applications/{decided.references[0]}/decision-letter")
    with statements() as asked:
        assert browser.get("lead", f"/applications/{decided.references[0]}/decision-letter").status_code == 200
    assert len(asked) <= 8


# ---------------------------------------------------------------------------------------------- why it is not selected


def _one_country_more(scene: Scene) -> None:
    """Chosen is a scenario that holds what is left for a third country; published is none of it."""
    dear = scene.references[shown_first(scene)]
    plan = Plan(
        SelectionRules(countries_min=2, reserve_max=5), reason="Few countries.",
        overrides=(Override(scene.references[1], rank=1, reason="The only island."),),
        exclusive=((scene.references[1], dear),),
    )  # fmt: skip
    manager = scene.actor("manager")
    number = services.save_scenario(manager, scene.call_id, ScenarioInput("One country more", plan))
    saved = queries.scenario_of(scene.call_id, number)
    shown = queries.ranking_page(manager, scene.slug, plan=saved.plan)
    services.decide(manager, scene.call_id, DecisionInput(shown.list_hash, "As chosen.", scenario=number))
    services.confirm(scene.actor("chair"), queries.selection_of(manager, scene.slug, 1).id)


def shown_first(scene: Scene) -> int:
    """Which of the three has the best score."""
    best = queries.ranking_page(scene.actor("manager"), scene.slug).rows[0]
    return scene.application_ids.index(best.application_id)


def test_a_letter_gives_the_rule_that_kept_its_application_out_and_what_departs_from_the_published_ones(
    evaluated: Scene,
) -> None:
    first = shown_first(evaluated)
    _one_country_more(evaluated)

    item = db.session.scalars(
        select(SelectionItem).where(SelectionItem.application_id == evaluated.application_ids[first])
    ).one()
    assert item.rule_words == f"Not selected: it excludes {evaluated.references[1]}, which is selected."
    row = next(row for row in shown_to(evaluated).rows if row.application_id == item.application_id)
    assert row.text is not None
    told = row.text.paragraphs[0]
    # It names nobody else, and why another was moved is not for it.
    assert "reached every threshold. Not selected: it excludes another application, which is selected." in told
    assert (
        "The list departs from the published rules." in told
        and "another application is moved to place 1." in told.lower()
    )
    assert "Least number of countries: 2 instead of no limit." in told
    # The reason is free text, in which others may be named.
    assert "Few countries" not in told
    assert "the budget did not reach it" not in told and "island" not in told
    assert evaluated.references[1] not in told and told.count("reserve list at place 1") == 1

    tell_all(evaluated)
    publish(evaluated, ResultsInput(datetime(2023, 3, 1, 9)))
    evaluated.people["lead"] = evaluated.leads[first]
    with clock.at(datetime(2023, 3, 2, 9, tzinfo=UTC)):
        read = queries.result(evaluated.actor("lead"), evaluated.references[first], clock.now())
    assert read.kept_out and read.kept_out in told


def test_where_only_the_money_is_short_the_letter_says_that(decided: Scene) -> None:
    third = shown_to(decided).rows[2]
    assert third.text is not None
    assert (
        "reached every threshold. Not selected: the budget did not reach it. It stands on the"
        in third.text.paragraphs[0]
    )


@pytest.mark.parametrize(
    "words",
    [
        "Not selected: asks for EUR 1.00 more than is left of the budget.",
        "Not selected: asks for EUR 1.00 more than is left of the strand “Small”.",
        "Not selected: GR has its 2 of one country already.",
        "Not selected: what is left is held for at least 4 countries.",
        "Not selected: it stands below the line.",
        "Moved to place 3: Too thin. Not selected: it stands below the line.",
    ],
)
def test_the_words_of_the_list_are_those_of_the_letter(words: str) -> None:
    assert kept_out_words(words, (), "P-2026-A-0001") == words


def test_a_lot_that_was_lost_is_told_with_what_the_money_did() -> None:
    drawn = "Drawn by lot: place 3 of 3 at the line."
    assert kept_out_words(drawn, (), "P-2026-A-0001") == f"{drawn} Not selected: the budget did not reach it."


def test_words_that_tell_no_reason_of_the_decision_say_so_where_they_are_written_and_before_they_are_sent(
    browser: Browser, decided: Scene
) -> None:
    place = f"/calls/{decided.slug}/decision"
    row = next(each for each in shown_to(decided).rows if each.outcome is not Outcome.SELECTED)
    told = next(each for each in shown_to(decided).texts if each.outcome is row.outcome)
    words, lacks = f"{place}/texts/{row.outcome.value}", "so no applicant reads in it why the decision is so"
    pages = (words, f"{place}/letters", f"{place}/letters/{row.reference}")
    for path in pages:
        assert lacks not in text_of(browser.get("manager", path)), path
    bare = {"text": "Not this time, {lead}.", "version": str(told.number)}

    tried = text_of(browser.post("manager", words, go="show", **bare))
    assert lacks in tried and "Nothing is kept yet." in tried
    assert browser.post("manager", words, go="keep", **bare).status_code == 303

    for path in pages:
        answer = browser.get("manager", path)
        check_page(answer)
        assert lacks in text_of(answer), path
    prepare(decided)
    assert lacks in text_of(browser.get("officer", f"{place}/letters"))
