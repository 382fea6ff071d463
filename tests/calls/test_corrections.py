"""A published call that changes: the table of changes, what is only wording, corrigenda and their versions, the pages."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, select

from grants.calls import queries, rules, services
from grants.calls.models import Call, CallVersion, CallWorkingCopy
from grants.calls.rules import (
    NOT_FOUND,
    CallSummary,
    Change,
    ChangeKind,
    ConflictRules,
    CorrigendumInput,
    DeadlineDecision,
    DeadlineInput,
    Sourced,
    VersionKind,
)
from grants.calls.states import Confidence
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import Conflict, Invalid, NotAllowed, NotFound, Problems, Refused
from grants.core.jobs.models import Job
from grants.core.money import euros
from grants.dossiers.rules import Definition, Question, QuestionKind
from grants.identity.policy import Role
from tests import actors
from tests.applications.pages import send, text_of
from tests.calls import scene

FORM = "application_form.sections"
KEPT = CorrigendumInput("A limit was too low.", None, "Five weeks are left.")
Fields = dict[str, Sourced]


def fields() -> Fields:
    """A call with everything filled in, as values alone."""
    file = rules.read_call_file(scene.CALL_2022)
    found, _ = rules.filled(file.fields, services.template("horizon-like"), pays=True)
    return dict(found)


def with_value(before: Mapping[str, Sourced], path: str, value: object) -> Fields:
    return {**before, path: Sourced(value, Confidence.STATED)}


def with_question(before: Mapping[str, Sourced], **changed: object) -> Fields:
    """The first question of the form, changed."""
    form: Definition = before[FORM].value
    first = form.sections[0]
    questions = (replace(first.questions[0], **changed), *first.questions[1:])
    return with_value(before, FORM, Definition((replace(first, questions=questions), *form.sections[1:])))


@pytest.fixture(scope="module")
def whole(request: pytest.FixtureRequest) -> Fields:
    return fields()


# --- the table ------------------------------------------------------------------------------------------------------


def test_the_same_values_have_no_changes(whole: Fields) -> None:
    surer = {path: replace(found, note="Seen again.") for path, found in whole.items()}

    assert rules.changes(whole, surer) == ()


def test_a_limit_is_told_by_its_question_with_before_and_after(whole: Fields) -> None:
    question = whole[FORM].value.sections[0].questions[0]
    (change,) = rules.changes(whole, with_question(whole, words_max=123))

    assert change == Change(
        FORM,
        f"Question 1.1 “{question.label}”, most words",
        ChangeKind.CHANGED,
        str(question.words_max),
        "123",
        leaf="words_max",
        section=whole[FORM].value.sections[0].key,
        question=question.key,
    )


def test_questions_and_criteria_are_compared_entry_by_entry(whole: Fields) -> None:
    form: Definition = whole[FORM].value
    first = form.sections[0]
    new = Question("heat_plan", "Is there a heat plan?", QuestionKind.SHORT, words_max=50)
    after = with_value(
        whole, FORM, Definition((replace(first, questions=(*first.questions[1:], new)), *form.sections[1:]))
    )
    criteria = whole["evaluation.criteria"].value
    after = with_value(after, "evaluation.criteria", (*criteria[:-1], replace(criteria[-1], question="How well?")))
    found = rules.changes(whole, after)

    assert [(change.kind, change.question) for change in found if change.path == FORM] == [
        (ChangeKind.REMOVED, first.questions[0].key),
        (ChangeKind.ADDED, "heat_plan"),
    ]
    (criterion,) = (change for change in found if change.path == "evaluation.criteria")
    assert (criterion.what, criterion.after) == (f"Award criteria: “{criteria[-1].name}”, question", "How well?")


def test_money_and_lists_are_told_in_words(whole: Fields) -> None:
    after = with_value(with_value(whole, "budget.total", euros(31_000_000)), "evaluation.tie_break", ())
    said = {change.path: (change.what, change.before, change.after) for change in rules.changes(whole, after)}

    assert said["budget.total"] == ("Money for the whole call", str(euros(32_000_000)), str(euros(31_000_000)))
    assert said["evaluation.tie_break"][2] == "None"


def test_an_amount_inside_a_list_is_told_as_money(whole: Fields) -> None:
    bands = whole["grant_bands_eur"].value
    after = with_value(whole, "grant_bands_eur", (*bands[:-1], replace(bands[-1], amount=euros(1_400_000))))
    (change,) = rules.changes(whole, after)

    assert (change.before, change.after) == (str(bands[-1].amount), str(euros(1_400_000)))


def test_entries_that_only_change_places_are_one_line(whole: Fields) -> None:
    categories = whole["budget_categories"].value
    (change,) = rules.changes(whole, with_value(whole, "budget_categories", categories[::-1]))

    assert (change.kind, change.what) == (ChangeKind.MOVED, "Budget categories: order")


# --- wording only ---------------------------------------------------------------------------------------------------


def wording(before: str, after: str, *, leaf: str = "hint", path: str = FORM) -> str | None:
    return rules.wording_problem(Change(path, "Question 1.1", ChangeKind.CHANGED, before, after, leaf=leaf))


LONG = "Say how the citty will reach the people who live in the district, and who helps with it in each of the years."


def test_a_slip_of_the_pen_is_wording() -> None:
    assert wording(LONG, LONG.replace("citty", "city")) is None
    assert wording("Open Call for Pilot Citys", "Open Call for Pilot Cities", leaf="", path="call.title") is None


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("At most five pages.", "At most 5 pages.", "changes a number."),
        ("You may send a letter.", "You must send a letter.", "changes a word that binds"),
        ("It is for cities.", "It is not for cities.", "changes a word that binds"),
        (
            LONG,
            LONG.replace(
                "people who live in the district", "firms, schools, shops, farms of your own wider quiet region"
            ),
            "words",
        ),
    ],
)
def test_what_says_something_else_is_no_wording(before: str, after: str, why: str) -> None:
    assert why in (wording(before, after) or "")


@pytest.mark.parametrize("leaf", ["words_max", "kind", "required", "choices", "criterion", "asked_if.answers", "order"])
def test_limits_kinds_and_choices_are_never_wording(leaf: str) -> None:
    assert "by a corrigendum" in (wording("one", "two", leaf=leaf) or "")


@pytest.mark.parametrize("path", ["budget.total", "eligibility.criteria", "evaluation.weights", "dates.pilots_start"])
def test_money_conditions_weights_and_dates_are_never_wording(path: str) -> None:
    assert "by a corrigendum" in (wording("Citys", "Cities", leaf="label", path=path) or "")


def test_a_text_that_appears_or_goes_is_no_wording(whole: Fields) -> None:
    found = rules.changes(whole, with_question(whole, example="A street in which the buses run."))

    assert [problem.message.partition(";")[0] for problem in rules.correction_problems(found)] == [
        "appears or goes away as a whole"
    ]


# --- acts -----------------------------------------------------------------------------------------------------------


def limit(call: CallSummary, words: int = 123, *, at: datetime = scene.WHILE_OPEN) -> None:
    """In the working copy, another limit of the first question."""
    edit(call, with_question(standing(call), words_max=words), at=at)


def standing(call: CallSummary) -> Fields:
    return dict(rules.from_json(get(Call, call.id).content))


def edit(call: CallSummary, after: Fields, path: str = FORM, *, at: datetime = scene.WHILE_OPEN) -> None:
    text = rules.to_yaml({"value": rules.tree_of(rules.FIELDS[path], after[path].value)})
    with clock.at(at):
        services.edit_copy(actors.ingrid(), call.id, path, text)


def publish(call: CallSummary, given: CorrigendumInput = KEPT, *, at: datetime = scene.WHILE_OPEN) -> CallSummary:
    with clock.at(at):
        return services.publish_corrigendum(actors.ingrid(), call.id, given)


def first_limit(call: CallSummary) -> int | None:
    return queries.call_by_id(call.id).content.definition.sections[0].questions[0].words_max


def test_publication_keeps_the_first_version_whole(app: Flask) -> None:
    call = scene.published()
    row = db.session.scalars(select(CallVersion).where(CallVersion.call_id == call.id)).one()

    assert (row.number, row.correction, row.kind) == (1, 0, VersionKind.PUBLISHED.value)
    assert row.content == get(Call, call.id).content
    assert queries.call_by_id(call.id).version_number == 1


def test_the_working_copy_changes_nothing_that_is_public(app: Flask) -> None:
    call = scene.published()
    before = queries.call_by_id(call.id).content
    limit(call)

    assert queries.call_by_id(call.id).content == before
    copy = queries.working_copy(actors.ingrid(), call.slug, scene.WHILE_OPEN)
    assert [change.leaf for change in copy.changes] == ["words_max"]


def test_a_corrigendum_is_a_new_version_with_its_table_and_its_reason(app: Flask) -> None:
    call = scene.published()
    old = first_limit(call)
    limit(call)
    done = publish(call)

    assert done.notes == ("Version 2 of the call is public. Open drafts are being moved to it.",)
    assert first_limit(call) == 123
    version = queries.public_record(call.id).versions[0]
    assert (version.number, version.kind, version.reason) == (2, VersionKind.CORRIGENDUM, "A limit was too low.")
    assert (version.deadline, version.deadline_reason) == (DeadlineDecision.KEPT, "Five weeks are left.")
    assert [(change.before, change.after) for change in version.changes] == [(str(old), "123")]
    assert queries.content_of_version(call.id, 1).definition.sections[0].questions[0].words_max == old
    assert db.session.scalar(select(func.count()).select_from(CallWorkingCopy)) == 0
    job = db.session.scalars(select(Job).where(Job.name == services.CORRIGENDUM_JOB)).one()
    assert job.args == {"call_id": str(call.id), "number": 2}

    # What is a conflict decides who may judge: with it goes the look, in the same act.
    looks = select(Job).where(Job.name == services.LOOK_JOB)
    assert db.session.scalars(looks).all() == []
    path = "evaluation.conflict_rules"
    edit(call, with_value(standing(call), path, ConflictRules(same_city=True)), path)
    assert "looks for conflicts again" in publish(call).notes[1]
    assert [job.subject_id for job in db.session.scalars(looks)] == [call.id]


def test_a_corrigendum_needs_a_reason_and_a_decision_on_the_deadline(app: Flask) -> None:
    call = scene.published()
    limit(call)
    with pytest.raises(Invalid) as refused:
        publish(call, CorrigendumInput("", None, " "))

    assert set(refused.value.problems) == {"reason", "kept_reason"}
    assert queries.call_by_id(call.id).version_number == 1


def test_a_corrigendum_may_move_the_deadline_with_it(app: Flask) -> None:
    call = scene.published()
    limit(call)
    later = DeadlineInput(datetime(2022, 11, 22, 12), "A week more to adapt.", "A week more to adapt.")
    publish(call, replace(KEPT, deadline=later))

    found = queries.call_by_id(call.id)
    assert found.closes_at == datetime(2022, 11, 22, 11, tzinfo=UTC)
    version = queries.public_record(call.id).versions[0]
    assert (version.deadline, version.deadline_reason) == (DeadlineDecision.MOVED, "A week more to adapt.")


def test_a_deadline_moved_to_an_earlier_time_publishes_nothing(app: Flask) -> None:
    call = scene.published()
    limit(call)
    earlier = DeadlineInput(datetime(2022, 11, 1, 12), "Sooner.", "Sooner.")
    with pytest.raises(Invalid):
        publish(call, replace(KEPT, deadline=earlier))

    assert queries.call_by_id(call.id).version_number == 1


def test_nothing_changes_after_the_deadline(app: Flask) -> None:
    call = scene.published()
    limit(call)
    closes_at = queries.call_by_id(call.id).closes_at
    assert closes_at is not None

    for act in (lambda: limit(call, 200, at=closes_at), lambda: publish(call, at=closes_at)):
        with pytest.raises(Refused, match="What it asked stands"):
            act()


def test_a_draft_has_no_corrigendum(app: Flask) -> None:
    call = scene.filled()
    with pytest.raises(Refused, match="only a published call"):
        edit(call, with_question(standing(call), words_max=1), at=scene.BEFORE)


def test_what_a_call_is_and_a_past_opening_do_not_change(app: Flask) -> None:
    call = scene.published()
    after = with_value(standing(call), "dates.opens_time", "11:00")
    edit(call, after, "dates.opens_time")
    edit(call, with_value(after, "call.year", 2023), "call.year")
    with pytest.raises(Problems) as refused:
        publish(call)

    assert [problem.place for problem in refused.value.found] == ["Year", "Opening hour"]


def test_a_corrigendum_that_contradicts_itself_is_refused(app: Flask) -> None:
    call = scene.published()
    edit(call, with_value(standing(call), "budget.total", euros(1_000)), "budget.total")
    with pytest.raises(Problems, match="was not published"):
        publish(call)


def test_a_stale_form_publishes_nothing_of_another_copy(app: Flask) -> None:
    call = scene.published()
    limit(call)
    seen = queries.call_by_id(call.id).version
    publish(call)
    limit(call, 77)
    with pytest.raises(Conflict), clock.at(scene.WHILE_OPEN):
        services.publish_corrigendum(actors.ingrid(), call.id, KEPT, version=seen)


def test_only_who_may_publish_publishes_a_corrigendum(app: Flask) -> None:
    call = scene.published()
    limit(call)
    with pytest.raises(NotAllowed), clock.at(scene.WHILE_OPEN):
        services.publish_corrigendum(actors.otto(), call.id, KEPT)


def test_corrected_wording_is_public_at_once_and_moves_nobody(app: Flask) -> None:
    call = scene.published()
    question = queries.call_by_id(call.id).content.definition.sections[0].questions[0]
    edit(call, with_question(standing(call), label=f"{question.label} "[:-2] + " ?"))
    with clock.at(scene.WHILE_OPEN):
        services.correct_wording(actors.ingrid(), call.id)

    version = queries.public_record(call.id).versions[0]
    assert (version.number, version.correction, version.reason) == (1, 1, "Wording corrected: question 1.1.")
    assert queries.call_by_id(call.id).version_number == 1
    assert db.session.scalar(select(func.count()).select_from(Job).where(Job.name == services.CORRIGENDUM_JOB)) == 0


def test_a_limit_is_never_published_as_wording(app: Flask) -> None:
    call = scene.published()
    limit(call)
    with pytest.raises(Problems) as refused, clock.at(scene.WHILE_OPEN):
        services.correct_wording(actors.ingrid(), call.id)

    assert "by a corrigendum" in refused.value.found[0].message
    assert first_limit(call) != 123


def test_nothing_is_published_where_nothing_differs(app: Flask) -> None:
    call = scene.published()
    limit(call)
    with clock.at(scene.WHILE_OPEN):
        services.discard_copy(actors.ingrid(), call.id)
    with pytest.raises(Refused, match="Nothing differs"):
        publish(call)


def test_a_file_of_the_same_call_becomes_the_working_copy(app: Flask) -> None:
    call = scene.published()
    text = queries.file_text(actors.ingrid(), call.slug).replace("Mission", "mission", 1)
    file = rules.read_call_file(text)
    assert file.fields["call.title"].value
    with clock.at(scene.WHILE_OPEN):
        services.replace_copy(actors.ingrid(), call.id, text)
        copy = queries.working_copy(actors.ingrid(), call.slug, scene.WHILE_OPEN)

    assert len(copy.changes) <= 1
    assert copy.fields[FORM].from_template
    other = text.replace(str(file.value("call.id")), "ANOTHER-CALL")
    with pytest.raises(Problems, match="Nothing was taken over"), clock.at(scene.WHILE_OPEN):
        services.replace_copy(actors.ingrid(), call.id, other)


def test_no_value_that_is_missing_counts_as_a_change() -> None:
    assert rules.changes({}, {"budget.total": NOT_FOUND}) == ()


# --- pages, without a script ----------------------------------------------------------------------------------------


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()
    return actors.client_of(app, actors.ingrid())


def test_a_manager_changes_a_part_and_publishes_what_everybody_then_reads(app: Flask, manager: FlaskClient) -> None:
    call = scene.published()
    at = f"/calls/{call.slug}/corrigendum"
    with clock.at(scene.WHILE_OPEN):
        assert "Nothing differs from it yet." in text_of(manager.get(at))
        send(manager, f"{at}/parts/budget.total", value="33000000")
        page = text_of(manager.get(at))
        assert "Money for the whole call EUR 32 000 000.00 EUR 33 000 000.00" in page
        assert "Why it is more than corrected wording" in page
        assert "33 000 000" not in text_of(app.test_client().get(f"/calls/{call.slug}"))
        refused = send(manager, f"{at}/publish", page=at, reason="More money.", decision="kept", fold="")
        assert "Say why the time that is left is enough" in text_of(refused)
        moved = {"decision": "moved", "fold": "", "moved_reason": "Enough.", "day": "1 October 2022", "time": "17:00"}
        early = send(manager, f"{at}/publish", page=at, reason="More money.", **moved)
        # Once on top of the form, once beside its field.
        assert early.text.count("A deadline only moves to a later time.") == 2
        send(manager, f"{at}/publish",
            page=at,
            reason="The city council of the parent grant added money.",
             decision="kept", fold="", kept_reason="It asks nothing new.")  # fmt: skip
        public = text_of(app.test_client().get(f"/calls/{call.slug}"))

    assert "Version 2, 10 October 2022: what changed" in public
    assert "The city council of the parent grant added money. Deadline kept. It asks nothing new." in public
    assert "Money for the whole call EUR 32 000 000.00 EUR 33 000 000.00" in public


def test_wording_is_previewed_and_corrected_with_a_note_on_the_public_page(app: Flask, manager: FlaskClient) -> None:
    call = scene.published()
    at = f"/calls/{call.slug}/corrigendum"
    title = queries.call_by_id(call.id).title
    with clock.at(scene.WHILE_OPEN):
        send(manager, f"{at}/parts/call.title", value=f"{title} again")
        send(manager, f"{at}/discard", page=at)
        question = f"{at}/parts/application_form.sections/0/questions/0"
        send(manager, question, **{"value.label": "A label that nobody has seen yet"})
        preview = text_of(manager.get(f"{at}/preview"))
        assert "Changed A label that nobody has seen yet" in preview and "begin a dry run" not in preview
        assert "nobody has seen" not in text_of(manager.get(f"/calls/{call.slug}/preview"))
        send(manager, f"{at}/parts/application_form.sections/0", deed="down:0")
        assert "Moved" not in text_of(manager.get(f"{at}/preview")), "only what went to another section"
        assert actors.client_of(app, actors.ana()).get(f"{at}/preview").status_code == 403
        send(manager, f"{at}/discard", page=at)
        send(manager, f"{at}/parts/call.title", value=f"{title} again")
        assert "Correct the wording at once" in text_of(manager.get(at))
        send(manager, f"{at}/wording", page=at, note="")
        public = text_of(app.test_client().get(f"/calls/{call.slug}"))

    assert "10 October 2022: wording corrected: title." in public
    assert f"{title} again" in public


def test_a_file_is_brought_in_and_the_copy_is_discarded(app: Flask, manager: FlaskClient) -> None:
    call = scene.published()
    at = f"/calls/{call.slug}/corrigendum"
    text = queries.file_text(actors.ingrid(), call.slug).replace("32000000", "30000000")
    with clock.at(scene.WHILE_OPEN):
        wrong = send(manager, f"{at}/file", text="schema_version: 1\ncall: {id: X, title: Other}")
        assert "Choose its own file." in text_of(wrong)
        upload = {"file": (io.BytesIO(text.encode()), "call.yaml")}
        send(manager, f"{at}/file", **upload)
        assert "EUR 30 000 000.00" in text_of(manager.get(at))
        send(manager, f"{at}/discard", page=at)
        assert "Nothing differs from it yet." in text_of(manager.get(at))


def test_the_pages_of_a_closed_call_offer_no_change_that_would_be_refused(app: Flask, manager: FlaskClient) -> None:
    call = scene.published()
    limit(call)
    at = f"/calls/{call.slug}/corrigendum"
    with clock.at(scene.AFTER):
        page = manager.get(at)
        forms = [manager.get(f"{at}/{part}").location for part in ("file", "parts/budget.total", f"parts/{FORM}/0")]

    assert "nothing of it changes any more. What was prepared below was never published." in text_of(page)
    assert "/corrigendum/parts/" not in page.text and "/corrigendum/publish" not in page.text
    assert "Discard the working copy" in page.text and "Open the call again with a later deadline" in page.text
    assert forms == [at] * 3, "an address kept from before leads to the page that says why"


def test_a_draft_has_no_page_for_changes(app: Flask, manager: FlaskClient) -> None:
    call = scene.filled()
    with clock.at(scene.BEFORE):
        assert manager.get(f"/calls/{call.slug}/corrigendum").status_code == 404


def test_a_manager_of_another_call_reads_nothing_of_a_working_copy(app: Flask) -> None:
    call = scene.published()
    first = f"parts/{FORM}/0"

    with clock.at(scene.WHILE_OPEN):
        elsewhere = actors.give(actors.person("Else Where"), Role.PROGRAMME_MANAGER, "call", UUID(int=7))
        here = actors.give(actors.person("Hier Here"), Role.PROGRAMME_MANAGER, "call", call.id)
        theirs, ours = actors.client_of(app, elsewhere), actors.client_of(app, here)
        for page in ("", "/preview", "/parts/budget.total", f"/{first}", f"/{first}/questions/0", f"/{first}/take-out"):
            at = f"/calls/{call.slug}/corrigendum{page}"
            assert (theirs.get(at).status_code, ours.get(at).status_code) == (404, 200), at
    with pytest.raises(NotFound):
        queries.working_copy(elsewhere, call.slug, scene.WHILE_OPEN)
