"""A score sheet written field by field: what is stored, what two windows do, versions, the place, and who sees any of it."""

from __future__ import annotations

import dataclasses
import io
from datetime import timedelta
from html import unescape
from uuid import UUID

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from grants.calls.rules import Criterion, Marking
from grants.core import clock
from grants.core.audit import AuditEvent
from grants.core.db import db
from grants.core.errors import Invalid, NotAllowed, NotFound, Refused
from grants.core.jobs import Job
from grants.dossiers import offline
from grants.dossiers.merging import AnswerChanged
from grants.dossiers.rules import Answer
from grants.evaluation import queries, rules, services
from grants.evaluation.models import Assessment, AssessmentScore, AssessmentVersion, Assignment, SheetPlace
from grants.evaluation.rules import AdjustInput, Answered, ListOrder
from grants.evaluation.states import AssessmentState, Declared, Deed, SeatState
from tests.awards.test_publication import statements
from tests.evaluation.scene import CLOSED, WORDS, Browser, Scene, declares
from tests.html import check_page


def text_of(answer: TestResponse, status: int = 200) -> str:
    assert answer.status_code == status, answer.text
    check_page(answer)
    return unescape(answer.text)


def begun(scene: Scene) -> tuple[str, UUID, str, str]:
    """Somebody with a seat on the first application, and the key of its first criterion."""
    application_id = scene.application_ids[0]
    key = scene.sheet(None, None, None).marks[0].criterion
    return scene.seats(application_id)[0], application_id, scene.references[0], key


def several(scene: Scene) -> str:
    """Somebody with more than one seat."""
    return next(each for each in scene.evaluators if len(queries.assessments(scene.actor(each))) > 1)


def versions(name: str) -> list[str]:
    db.session.rollback()
    asked = select(AssessmentVersion.text).where(AssessmentVersion.field == name).order_by(AssessmentVersion.number)
    return list(db.session.scalars(asked))


# --- one field at a time ----------------------------------------------------------------------------------------


def test_a_score_and_a_text_are_stored_alone_and_what_was_not_scored_is_missing(seated: Scene) -> None:
    name, about, reference, key = begun(seated)

    saved = services.save_field(seated.actor(name), about, f"half_{key}", ("0",), 0)
    assert (saved.number, saved.other) == (1, None)
    assert f"comment_{key}" in dict(saved.missing)
    saved = services.save_field(seated.actor(name), about, f"comment_{key}", (f"  {WORDS} ",), 0)
    assert saved.missing == ()

    sheet = queries.assessment_page(seated.actor(name), reference).sheet
    assert [mark.half for mark in sheet.marks] == [0, None, None]
    assert sheet.mark(key).comment == WORDS
    assert sheet.total_half is None
    services.save_field(seated.actor(name), about, f"half_{key}", (), 1)
    assert queries.assessment_page(seated.actor(name), reference).sheet.mark(key).half is None
    assert versions(f"half_{key}") == ["0", ""]


def test_the_same_again_is_no_version_and_leaves_no_word_in_the_record(seated: Scene) -> None:
    name, about, _, key = begun(seated)
    for _ in range(2):
        services.save_field(
            seated.actor(name), about, f"comment_{key}", ("Because of Kárpátliget.",), 0 if _ == 0 else 1
        )
    services.save_field(seated.actor(name), about, f"comment_{key}", ("Because of Ærøsted.",), 1)

    assert versions(f"comment_{key}") == ["Because of Kárpátliget.", "Because of Ærøsted."]
    events = db.session.scalars(select(AuditEvent).where(AuditEvent.verb == "assessment.save_field")).all()
    assert "Kárpátliget" not in str([event.changes for event in events])
    assert db.session.scalar(select(func.count()).select_from(AssessmentScore)) == 1


def test_what_is_on_no_scale_and_what_is_no_field_is_refused(seated: Scene) -> None:
    name, about, _, key = begun(seated)
    for wrong in ("11", "-1", "4.5", "good"):
        with pytest.raises(Invalid) as caught:
            services.save_field(seated.actor(name), about, f"half_{key}", (wrong,), 0)
        assert "choose a score from 0 to 5 in half points" in str(caught.value.problems)
    with pytest.raises(NotFound):
        services.save_field(seated.actor(name), about, "half_beauty", ("4",), 0)
    with pytest.raises(Invalid, match=r"Nothing was saved yet"):
        services.save_field(seated.actor(name), about, "remark", ("x" * 20_001,), 0)
    assert db.session.scalar(select(func.count()).select_from(Assessment)) == 0


def test_a_save_costs_six_statements(seated: Scene) -> None:
    name, about, _, key = begun(seated)
    services.save_field(seated.actor(name), about, f"half_{key}", ("6",), 0)
    actor = seated.actor(name)
    with statements() as sent:
        services.save_field(actor, about, f"half_{key}", ("7",), 1)
    assert len(sent) <= 6, "\n".join(sent)


# --- two windows ------------------------------------------------------------------------------------------------


def test_two_windows_never_overwrite_each_other_unseen(seated: Scene, browser: Browser) -> None:
    name, about, reference, key = begun(seated)
    field = f"comment_{key}"
    services.save_field(seated.actor(name), about, field, ("One two three",), 0)
    services.save_field(seated.actor(name), about, field, ("One deux three",), 1)

    with pytest.raises(AnswerChanged):
        services.save_field(seated.actor(name), about, field, ("One zwei three",), 1)
    # What was not changed here is no competitor: it is told what stands.
    assert services.save_field(seated.actor(name), about, field, ("One two three",), 1).other == ("One deux three",)

    sent = browser.post(name, f"/assessments/{reference}/fields/{field}", value="One zwei three", number="1")
    assert sent.status_code == 409
    told = sent.get_json()
    assert (told["number"], told["stored"], told["overlaps"], told["own"]) == (2, ["One deux three"], 1, True)
    assert told["merged"] == ["One deux zwei three"] and "in another window of yours" in told["problem"]

    # The whole form by its button: only that field stands in the way, and both are shown.
    first = {f"number_{each}": "0" for each in ("remark", f"half_{key}")}
    sent = browser.post(
        name, f"/assessments/{reference}", go="save", remark="Mine", **{field: "One zwei three", f"number_{field}": "1"}, **first
    )  # fmt: skip
    text = text_of(sent, 409)
    assert "One zwei three" in text and "The text your other window saved" in text and "One deux three" in text
    assert queries.assessment_page(seated.actor(name), reference).sheet.remark == ""


def test_a_form_sent_after_its_fields_saved_themselves_is_not_stale(seated: Scene, browser: Browser) -> None:
    name, about, reference, key = begun(seated)
    text_of(browser.get(name, f"/assessments/{reference}"))
    services.save_field(seated.actor(name), about, f"half_{key}", ("6",), 0)

    sent = browser.post(
        name, f"/assessments/{reference}", go="save", version="0", remark="A thought.",
        **{f"half_{key}": "6", f"number_half_{key}": "1", "number_remark": "0", f"number_comment_{key}": "0"},
    )  # fmt: skip

    assert sent.status_code == 303
    assert queries.assessment_page(seated.actor(name), reference).sheet.remark == "A thought."


# --- versions ---------------------------------------------------------------------------------------------------


def test_versions_are_read_and_restored_while_it_is_a_draft_and_locked_afterwards(
    seated: Scene, browser: Browser
) -> None:
    name, about, reference, key = begun(seated)
    field, page = f"half_{key}", f"/assessments/{reference}/history/half_{key}"
    for number, half in enumerate(("4", "9")):
        services.save_field(seated.actor(name), about, field, (half,), number)
    text = text_of(browser.get(name, page))
    assert "Version 2, the one that stands" in text and "Restore version 1" in text

    assert browser.post(name, page, version="1", shown="2").status_code == 303
    assert queries.assessment_page(seated.actor(name), reference).sheet.mark(key).half == 4
    assert "look again" in text_of(browser.post(name, page, version="2", shown="1"), 409)

    seated.assess(about, 8, 8, 8)
    seated.agree(about, 8, 8, 8)
    text = text_of(browser.get(name, page))
    assert "The consensus is agreed; assessments of this application no longer change." in text
    assert "Restore version" not in text
    with pytest.raises(Refused, match="The consensus is agreed"):
        services.save_field(seated.actor(name), about, field, ("5",), 4)


def test_no_route_of_the_sheet_shows_another_persons_words(seated: Scene, browser: Browser) -> None:
    name, about, reference, key = begun(seated)
    colleague = seated.seats(about)[1]
    services.submit(seated.actor(colleague), about, seated.sheet(9, 9, 9, words=f"Secret {WORDS}", remark="Secret too"))
    services.save_field(seated.actor(name), about, f"half_{key}", ("4",), 0)

    pages = [f"/assessments/{reference}", "/assessments", "/assessments/send", f"/assessments/{reference}/offline"]
    pages += [f"/assessments/{reference}/history/{field}" for field in (f"half_{key}", f"comment_{key}", "remark")]
    for each in pages:
        text = text_of(browser.get(name, each))
        assert "Secret" not in text and "4.5 once" not in text, each
    for form in ("form.docx", "form.xlsx"):
        answer = browser.get(name, f"/assessments/{reference}/{form}")
        assert answer.status_code == 200
        definition = queries.form_of(queries.assessment_page(seated.actor(name), reference))
        read = (
            offline.read(answer.data, definition)
            if form == "form.docx"
            else offline.read_sheet(answer.data, definition)
        )
        assert "Secret" not in str(read)
    outsider = next(each for each in seated.evaluators if each not in seated.seats(about))
    for each in (
        pages[0],
        pages[3],
        pages[4],
        f"/assessments/{reference}/form.docx",
        f"/assessments/{reference}/leave",
    ):
        assert browser.get(outsider, each).status_code == 404, each
    for each in ("place", f"fields/half_{key}"):
        assert browser.post(outsider, f"/assessments/{reference}/{each}", value="1", number="0").status_code == 404


# --- the place, the pace, what comes next -----------------------------------------------------------------------


def test_the_place_is_kept_by_the_server_and_open_time_counts_as_work(seated: Scene, browser: Browser) -> None:
    name, about, reference, key = begun(seated)
    address, at = f"/assessments/{reference}/place", CLOSED
    for minutes in range(4):
        with clock.at(at + timedelta(minutes=minutes)):
            sent = browser.post(
                name, address, answer="answer-x", answer_offset="120", field=f"half_{key}", field_offset="-7"
            )
            assert sent.status_code == 200
    with clock.at(at + timedelta(minutes=20)):
        browser.post(name, address, answer="answer-x", answer_offset="many", field="", field_offset="3")

    shown = queries.assessment_page(seated.actor(name), reference)
    assert (shown.place.answer, shown.place.answer_offset, shown.place.field_offset) == ("answer-x", 0, 3)
    assert db.session.scalar(select(SheetPlace.seconds)) == 180
    assert shown.pace is None
    services.submit(seated.actor(name), about, seated.sheet(8, 8, 8))
    assert queries.assessment_page(seated.actor(name), reference).pace == 3
    assert "about 3 minutes each at your pace" in text_of(browser.get(name, "/assessments"))


def test_save_and_next_goes_to_the_one_with_fewest_left_and_skipped_ones_come_back(
    seated: Scene, browser: Browser
) -> None:
    name = several(seated)
    rows = queries.assessments(seated.actor(name))
    first, *_, last = rows
    key = seated.sheet(None, None, None).marks[0].criterion
    services.save_field(seated.actor(name), last.application_id, f"half_{key}", ("6",), 0)
    if len(rows) > 2:
        assert queries.assessment_page(seated.actor(name), first.reference).next_reference == last.reference

    sent = browser.post(name, f"/assessments/{last.reference}", go="skip", **{f"half_{key}": "6"})
    assert sent.status_code == 303 and last.reference not in sent.headers["Location"]
    assert "Skipped for now" in text_of(browser.get(name, "/assessments"))
    open_now = queries.assessments(seated.actor(name))
    assert rules.next_of(open_now) != last.reference
    for row in open_now:
        if row.reference != last.reference:
            services.submit(seated.actor(name), row.application_id, seated.sheet(8, 8, 8))
    assert rules.next_of(queries.assessments(seated.actor(name))) == last.reference
    # Whoever is back at it has not skipped it any more.
    browser.post(name, f"/assessments/{last.reference}/place", answer="", field="")
    assert "Skipped for now" not in text_of(browser.get(name, "/assessments"))


def test_the_own_list_is_ordered_and_costs_the_same_for_one_and_for_many(seated: Scene, browser: Browser) -> None:
    name = several(seated)
    actor = seated.actor(name)
    rows = queries.assessments(actor)
    key = seated.sheet(None, None, None).marks[0].criterion
    services.save_field(actor, rows[-1].application_id, f"half_{key}", ("6",), 0)
    rows = queries.assessments(seated.actor(name))
    assert rules.in_order(rows, ListOrder.LEFT)[0].reference == rows[-1].reference
    # Of a longer sheet a smaller share is left, though as many scores.
    longer = dataclasses.replace(rows[0], criteria=2 * rows[0].criteria)
    assert rules.in_order((*rows[1:-1], longer), ListOrder.LEFT)[0] is longer
    assert rules.in_order(rows, ListOrder.DUE)[0].reference == rows[0].reference
    # Sheets of a call in which nothing is open any more stand apart, and count in no progress; alone, they are all there is.
    before = dataclasses.replace(rows[0], call_slug="before", submitted_at=CLOSED, state=AssessmentState.SUBMITTED)
    assert rules.of_now((*rows, before)) == (rows, (before,))
    assert rules.of_now((before,)) == ((before,), ())
    for order in ListOrder:
        shown = rules.in_order(rows, order)
        assert rules.own_work(shown).next == shown[0].reference
        text = text_of(browser.get(name, f"/assessments?order={order.value}"))
        assert "Your scores: 3 once." in text
    one = next((each for each in seated.evaluators if len(queries.assessments(seated.actor(each))) == 1), None)
    counts = set()
    for each in filter(None, (name, one)):
        actor = seated.actor(each)
        with statements() as sent:
            queries.assessments_and_undeclared(actor)
        counts.add(len(sent))
    assert counts == {2}


def test_a_pattern_counts_only_what_was_scored() -> None:
    criterion = Criterion("c", "Quality", "")
    pattern = rules.Pattern(criterion, (0, 1, 2, 3), (1, 0, 0, 3))
    assert (pattern.given, pattern.words) == (4, "0 once, 1.5 3 times")
    assert rules.patterns_of((), Marking((criterion,)))[0].words == "none yet"


# --- several at once, on paper, given back ----------------------------------------------------------------------


def test_finished_sheets_are_read_once_more_and_sent_together(seated: Scene, browser: Browser) -> None:
    name = several(seated)
    first, second, *_ = queries.assessments(seated.actor(name))
    services.save(seated.actor(name), first.application_id, seated.sheet(8, 8, 8, remark="Read me"))
    services.save(seated.actor(name), second.application_id, seated.sheet(8, None, 8))
    text = text_of(browser.get(name, "/assessments/send"))
    assert "Read me" in text and "Not finished" in text and f"send_{second.reference}" not in text

    assert "Nothing was ticked" in text_of(browser.post(name, "/assessments/send"), 422)
    stale = browser.post(
        name, "/assessments/send", **{f"send_{first.reference}": "99", f"send_{second.reference}": "1"}
    )
    text = text_of(stale, 422)
    assert f"{first.reference} was not submitted." in text and f"{second.reference} was not submitted." in text

    version = queries.drafts(seated.actor(name))[0].sheet.version
    sent = browser.post(name, "/assessments/send", **{f"send_{first.reference}": str(version)})
    assert sent.status_code == 303
    assert "1 assessment is submitted." in text_of(browser.get(name, sent.headers["Location"]))
    assert queries.assessment_page(seated.actor(name), first.reference).sheet.submitted_at is not None


@pytest.mark.parametrize("kind", ["docx", "xlsx"])
def test_the_form_goes_out_and_comes_back_with_its_difference(seated: Scene, browser: Browser, kind: str) -> None:
    name, about, reference, key = begun(seated)
    services.save_field(seated.actor(name), about, f"comment_{key}", ("What stood before.",), 0)
    shown = queries.assessment_page(seated.actor(name), reference)
    definition = queries.form_of(shown)
    filled = rules.answers_of(seated.sheet(7, 0, None, words="Written on the train.").marks, "And this.")
    make = offline.written if kind == "docx" else None
    data = make("x", (), definition, filled) if make else offline.written_sheet("x", definition, filled)

    page = f"/assessments/{reference}/offline"
    text = text_of(browser.post(name, page, file=(io.BytesIO(data), f"mine.{kind}")))
    assert "What “mine." in text and "Written" in text and f"take_half_{key}" in text
    assert queries.assessment_page(seated.actor(name), reference).sheet.mark(key).half is None

    services.save_field(seated.actor(name), about, f"comment_{key}", ("Changed since.",), 1)
    taken = {
        f"take_half_{key}": "y", f"value_half_{key}": "7", f"number_half_{key}": "0",
        f"take_comment_{key}": "y", f"value_comment_{key}": "Written on the train.", f"number_comment_{key}": "1",
    }  # fmt: skip
    sent = browser.post(name, f"{page}/accept", **taken)
    assert sent.status_code == 303
    assert "was changed meanwhile and is left as it is" in text_of(browser.get(name, sent.headers["Location"]))
    sheet = queries.assessment_page(seated.actor(name), reference).sheet
    assert (sheet.mark(key).half, sheet.mark(key).comment) == (7, "Changed since.")


def test_faults_of_a_filled_form_are_named_by_their_place(seated: Scene, browser: Browser) -> None:
    name, _, reference, key = begun(seated)
    definition = queries.form_of(queries.assessment_page(seated.actor(name), reference))
    odd = {f"half_{key}": Answer(f"half_{key}", picked=("quite good",))}
    for kind, data in (
        ("docx", offline.written("x", (), definition, odd)),
        ("xlsx", offline.written_sheet("x", definition, odd)),
    ):
        text = text_of(browser.post(name, f"/assessments/{reference}/offline", file=(io.BytesIO(data), f"mine.{kind}")))
        assert (
            "1. Excellence and ambition, “Score for Excellence and ambition”: “quite good” is none of the answers"
            in text
        )
    sent = browser.post(name, f"/assessments/{reference}/offline", file=(io.BytesIO(b"no file"), "x.docx"))
    assert "x.docx" in text_of(sent, 422)

    # A workbook with several faults: each by its cell, and what is right beside them can be taken over; nothing is stored yet.
    book = load_workbook(io.BytesIO(browser.get(name, f"/assessments/{reference}/form.xlsx").data))
    lines = book.worksheets[0]
    assert "At least 30 words where the score is below 3." in str(lines["C3"].value)
    for cell, value in (("D2", 9), ("D3", "=A1"), ("D4", "2,5"), ("D5", "Too short."), ("D6", 4.0), ("D7", None)):
        lines[cell].value = value
    made = io.BytesIO()
    book.save(made)
    text = text_of(
        browser.post(name, f"/assessments/{reference}/offline", file=(io.BytesIO(made.getvalue()), "mine.xlsx"))
    )
    for said in (
        "Cell D2: 1. Excellence and ambition, “Score for Excellence and ambition”: “9” is none of the answers offered.",
        "Cell D3, “Why this score for Excellence and ambition”: a formula is not read. Write its result.",
        "Cell D5: Impact and learning has 2.5, below the threshold of 3: say why in at least 30 words; there are 2.",
    ):
        assert said in text
    assert [each in text for each in ('name="take_half_impact"', f'name="take_half_{key}"')] == [True, False]
    assert all(mark.half is None for mark in queries.assessment_page(seated.actor(name), reference).sheet.marks)


def test_the_sheet_of_another_application_is_refused_by_both_names(seated: Scene, browser: Browser) -> None:
    name = several(seated)
    first, second, *_ = (each.reference for each in queries.assessments(seated.actor(name)))
    for kind in ("docx", "xlsx"):
        data = browser.get(name, f"/assessments/{first}/form.{kind}").data
        sent = browser.post(name, f"/assessments/{second}/offline", file=(io.BytesIO(data), f"mine.{kind}"))
        said = text_of(sent, 422)
        assert f"This file is the sheet of {first}, and here you assess {second}." in said
        assert f'href="/assessments/{first}/offline">Go to {first}' in said
        own = browser.post(name, f"/assessments/{first}/offline", file=(io.BytesIO(data), f"mine.{kind}"))
        assert "It says nothing that is not here already." in text_of(own)
        # What a colleague filled in is theirs alone, on the same application too.
        about = seated.application_ids[seated.references.index(first)]
        colleague = next(each for each in seated.seats(about) if each != name)
        theirs = browser.get(colleague, f"/assessments/{first}/form.{kind}").data
        sent = browser.post(name, f"/assessments/{first}/offline", file=(io.BytesIO(theirs), f"mine.{kind}"))
        their_name, mine = (seated.actor(each).name for each in (colleague, name))
        assert f"This file is the sheet of {their_name}, and you are {mine}. Everybody scores alone" in text_of(
            sent, 422
        )


def test_an_evaluator_gives_a_seat_back_and_the_manager_is_told(seated: Scene, browser: Browser) -> None:
    name, about, reference, _ = begun(seated)
    services.save(seated.actor(name), about, seated.sheet(8, 8, 8))
    page = f"/assessments/{reference}/leave"
    assert "Choose why you give it back." in text_of(browser.post(name, page, reason="Ill"), 422)

    sent = browser.post(name, page, why="unavailable", reason="I am ill until March")

    assert sent.status_code == 303
    assert name not in seated.seats(about)
    assert browser.get(name, f"/assessments/{reference}").status_code in (403, 404)
    seat = db.session.scalars(select(Assignment).where(Assignment.state == SeatState.VOIDED.value)).one()
    assert seat.void_reason == "Given back: I am ill until March"
    assert db.session.scalar(select(func.count()).select_from(AssessmentVersion)) > 0
    mails = [job.args for job in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    assert [m["user_id"] for m in mails if m["template"] == "assignment_given_back"] == [str(seated.people["manager"])]


def test_a_conflict_noticed_late_is_declared_and_nothing_else(seated: Scene, browser: Browser) -> None:
    name, about, reference, _ = begun(seated)
    sent = browser.post(name, f"/assessments/{reference}/leave", why="conflict", reason="We are cousins")
    assert sent.status_code == 303 and name not in seated.seats(about)
    assert queries.declaration_of(seated.people[name], about)[0] is Declared.CONFLICT


def test_a_seat_is_handed_over_in_one_deed_and_starts_empty(seated: Scene, browser: Browser) -> None:
    name, about, reference, key = begun(seated)
    services.save(seated.actor(name), about, seated.sheet(8, 8, 8, words=f"Mine {WORDS}"))
    free = next(each for each in seated.evaluators if each not in seated.seats(about))
    handles = {member.user_id: member.handle for member in queries.pool(seated.call_id)}
    page = f"/calls/{seated.slug}/assignments/{reference}/adjust"
    assert "starts with an empty sheet" in text_of(browser.get("manager", page))
    assert browser.get(name, page).status_code == 403

    leaver, taker = handles[seated.people[name]], handles[seated.people[free]]
    sent = browser.post("manager", page, deed="move", leaving=leaver, taking=taker, reason="Ill until March")

    assert sent.status_code == 303
    assert free in seated.seats(about) and name not in seated.seats(about)
    # The letter to whoever had the seat tells nobody’s name.
    letters = [
        args for args in db.session.scalars(select(Job.args)) if args.get("template") == "assignment_handed_over"
    ]
    assert [args["user_id"] for args in letters] == [str(seated.people[name])]
    assert "Eva Evaluator" not in str(letters)
    shown = queries.assessment_page(seated.actor(free), reference)
    assert shown.sheet.saved_at is None and shown.sheet.mark(key).half is None
    assert "Mine" not in browser.get(free, f"/assessments/{reference}").text
    # Nobody takes a seat they already had.
    with pytest.raises(Refused, match="has or had a seat"):
        services.adjust(seated.actor("manager"), about, AdjustInput(Deed.MOVE, taker, leaver, "Back again"))
    assert free in seated.seats(about)


def test_nobody_leaves_or_hands_over_once_the_consensus_is_agreed(seated: Scene) -> None:
    name, about, _, _ = begun(seated)
    seated.assess(about, 8, 8, 8)
    seated.agree(about, 8, 8, 8)
    handles = {member.user_id: member.handle for member in queries.pool(seated.call_id)}
    leaver, other = (handles[seated.people[each]] for each in (name, seated.seats(about)[1]))
    with pytest.raises(Refused, match="The consensus is agreed"):
        services.recuse(seated.actor(name), about, "Ill")
    with pytest.raises(Refused, match="The consensus is agreed"):
        services.adjust(seated.actor("manager"), about, AdjustInput(Deed.MOVE, leaver, other, "Ill"))
    declares(seated.actor(name), seated.call_id, (Answered(about, Declared.CONFLICT, "A cousin"),))
    # Whoever had this seat alone has no permission to score any more.
    with pytest.raises((NotFound, NotAllowed)):
        services.save_field(seated.actor(name), about, "remark", ("late",), 1)


def test_the_page_of_a_sheet_costs_the_same_whatever_was_written(seated: Scene, browser: Browser) -> None:
    name, about, reference, key = begun(seated)
    page, counts = f"/assessments/{reference}", []
    browser.get(name, page)
    for number in range(3):
        with statements() as sent:
            text_of(browser.get(name, page))
        counts.append(len(sent))
        services.save_field(seated.actor(name), about, f"half_{key}", (str(number),), number)
        browser.get(name, page)
    assert len(set(counts)) == 1 and counts[0] <= 8, counts
    with statements() as sent:
        assert browser.post(name, f"{page}/fields/half_{key}", value="9", number="3").status_code == 200
    assert len(sent) <= 8, "\n".join(sent)


def test_every_page_of_an_evaluator_takes_at_most_eight_statements(seated: Scene, browser: Browser) -> None:
    name, about, reference, key = begun(seated)
    services.save_field(seated.actor(name), about, f"half_{key}", ("4",), 0)
    handles = {member.user_id: member.handle for member in queries.pool(seated.call_id)}
    pages = [
        *(
            (name, f"/assessments/{reference}/{each}")
            for each in (f"history/half_{key}", "offline", "leave", "form.docx")
        ),
        *((name, f"/assessments{each}") for each in ("", "/send", "/pack")),
        ("manager", f"/calls/{seated.slug}/assignments/{reference}/adjust?leaving={handles[seated.people[name]]}"),
        ("manager", f"/calls/{seated.slug}/assignments/file"),
    ]
    for who, page in pages:
        browser.get(who, page)
        with statements() as sent:
            assert browser.get(who, page).status_code == 200
        assert len(sent) <= 8, (page, len(sent))
