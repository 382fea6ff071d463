"""A call that changes under open drafts: they follow it without losing a word, what was sent stands as it was asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from grants.applications import queries, services
from grants.applications.rules import AnswerInput, BudgetInput, CommentInput, ConditionAnswer, Page
from grants.applications.states import Verdict
from grants.budgets.rules import Category, Cell
from grants.calls import queries as calls
from grants.calls import rules as call_rules
from grants.calls import services as call_acts
from grants.calls.models import Call
from grants.calls.rules import CallView, CorrigendumInput
from grants.core import clock
from grants.core.db import db, get
from grants.core.errors import NotAllowed
from grants.core.jobs.models import Job
from grants.core.money import ZERO, euros
from grants.dossiers import rules as dossier_rules
from grants.dossiers.merging import AnswerChanged
from grants.dossiers.rules import Answer, Choice, Column, Definition, Question, QuestionKind, Section
from jobs import calls as job_functions
from tests import actors
from tests.applications.pages import forms, post, send, text_of
from tests.factories.applications import AFTER_CLOSING, WHILE_OPEN, again, attach, draft, submitted
from tests.html import check_page
from tests.statements import statements
from tests.worlds import World, Worlds

FORM = "application_form.sections"
KEPT = CorrigendumInput("Cities asked for it.", None, "Six weeks are left.")
Change = Callable[[Definition], Definition]


def change(call: CallView, form: Change | None = None, **values: object) -> None:
    """Publish a corrigendum: the form changed, or other parts by their path with dots as two underscores."""
    stored = call_rules.from_json(get(Call, call.id).content)
    wanted = {path.replace("__", "."): value for path, value in values.items()}
    if form is not None:
        wanted[FORM] = form(stored[FORM].value)
    with clock.at(WHILE_OPEN):
        for path, value in wanted.items():
            text = call_rules.to_yaml({"value": call_rules.tree_of(call_rules.FIELDS[path], value)})
            call_acts.edit_copy(actors.ingrid(), call.id, path, text)
        call_acts.publish_corrigendum(actors.ingrid(), call.id, KEPT)


def move(application_id: object) -> int:
    assert isinstance(application_id, type(actors.ana().user_id))
    with clock.at(WHILE_OPEN):
        return services.move_to_version(actors.ingrid(), application_id)


def first(form: Definition) -> Section:
    return form.sections[0]


def with_first(form: Definition, *questions: Question) -> Definition:
    return Definition((replace(first(form), questions=questions), *form.sections[1:]))


def without_first_question(form: Definition) -> Definition:
    new = Question("heat_plan", "Is there a heat plan?", QuestionKind.SHORT, words_max=50)
    return with_first(form, *first(form).questions[1:], new)


def write(reference: str, section: str, question: str, *values: str) -> None:
    person = again(actors.ana())
    view = queries.view(person, reference)
    with clock.at(WHILE_OPEN):
        services.save_answer(person, view.id, section, AnswerInput(question, values, 0))


@pytest.fixture(scope="session")
def written_world(worlds: Worlds, called_world: World[CallView]) -> World[str]:
    """A draft whose first question is answered."""

    def answered() -> str:
        call = called_world.told()
        reference = draft(call, actors.ana())
        section = first(call.content.definition)
        write(reference, section.key, section.questions[0].key, "We know every boiler.")
        return reference

    return worlds.of(answered, like=called_world)


@pytest.fixture
def written(call: CallView, written_world: World[str]) -> tuple[CallView, str, Section]:
    return call, written_world.told(), first(call.content.definition)


def place(reference: str) -> queries.Workplace:
    return queries.workplace(again(actors.ana()), reference)


# --- the move -------------------------------------------------------------------------------------------------------


def test_a_draft_answers_the_version_that_was_public_when_it_was_begun(call: CallView) -> None:
    change(call, without_first_question)
    reference = draft(call, actors.ana())
    view = queries.view(again(actors.ana()), reference)

    assert (view.call_version, view.call_version_read, view.changes_unread) == (2, 2, False)


def test_a_new_question_appears_and_a_text_no_longer_asked_is_kept(written: tuple[CallView, str, Section]) -> None:
    call, reference, section = written
    change(call, without_first_question)
    move(place(reference).application.id)

    found = place(reference)
    assert found.application.call_version == 2
    assert [item.question.key for item in found.dossier.sections[0].questions][-1] == "heat_plan"
    (kept,) = found.set_aside
    assert (kept.label, kept.text, kept.is_gone) == (section.questions[0].label, "We know every boiler.", True)


def test_words_typed_on_an_older_page_for_what_is_not_asked_any_more_come_back_to_be_copied(
    app: Flask, written: tuple[CallView, str, Section]
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    call, reference, section = written
    gone, stays = (f"answer_{question.key}" for question in section.questions[:2])
    path, ana = f"/applications/{reference}/sections/{section.key}", actors.client_of(app, actors.ana())
    with clock.at(WHILE_OPEN):
        older = dict(forms(check_page(ana.get(path))))[""]
        assert gone in older and stays in older
    change(call, without_first_question)
    move(place(reference).application.id)

    with clock.at(WHILE_OPEN):
        asked = ana.post(f"{path}/answers/{section.questions[0].key}", data={"value": "By script", "number": "1"})
        unchanged = post(ana, path, older, **{stays: "No word was lost here"})
        answer = post(
            ana, path, {**older, "act_key": ["another"]}, **{gone: "Typed too late", stays: "No word was lost here"}
        )
        elsewhere = post(ana, f"/applications/{reference}/sections/no_more", older, **{gone: "A whole section"})
        check_page(answer)
        check_page(elsewhere)

    assert asked.status_code == 404 and "the call changed" in asked.json["problem"]
    assert unchanged.status_code == 303
    assert answer.status_code == 409 and "Typed too late</textarea>" in answer.text
    assert place(reference).dossier.sections[0].questions[0].answer.text == "No word was lost here"
    assert elsewhere.status_code == 409 and "A whole section</textarea>" in elsewhere.text


def test_a_question_that_comes_back_has_its_text_again(written: tuple[CallView, str, Section]) -> None:
    call, reference, section = written
    change(call, without_first_question)
    move(place(reference).application.id)
    change(call, lambda form: with_first(form, section.questions[0], *first(form).questions))
    move(place(reference).application.id)

    assert place(reference).dossier.sections[0].questions[0].answer.text == "We know every boiler."


def test_a_shorter_limit_applies_to_the_text_that_stands(written: tuple[CallView, str, Section]) -> None:
    call, reference, section = written
    question = section.questions[0]
    change(call, lambda form: with_first(form, replace(question, words_max=2), *section.questions[1:]))
    move(place(reference).application.id)

    item = place(reference).dossier.sections[0].questions[0]
    assert item.answer.text == "We know every boiler."
    assert "has 4 words; the limit is 2" in (item.problem or "")
    assert place(reference).set_aside == ()


def test_another_kind_keeps_the_old_text_beside(written: tuple[CallView, str, Section]) -> None:
    call, reference, section = written
    picked = replace(
        section.questions[0],
        kind=QuestionKind.CHOICE,
        words_max=None,
        choices=(Choice("yes", "Yes"), Choice("no", "No")),
    )
    change(call, lambda form: with_first(form, picked, *section.questions[1:]))
    move(place(reference).application.id)

    found = place(reference)
    assert found.dossier.sections[0].questions[0].answer.empty
    assert [(each.text, each.is_gone) for each in found.set_aside] == [("We know every boiler.", False)]
    assert found.set_aside_in(found.dossier.sections[0].section) == found.set_aside


def test_a_question_in_another_section_takes_its_answer_with_it(written: tuple[CallView, str, Section]) -> None:
    call, reference, section = written
    moved = section.questions[0]

    def elsewhere(form: Definition) -> Definition:
        rest = with_first(form, *section.questions[1:])
        last = rest.sections[-1]
        return Definition((*rest.sections[:-1], replace(last, questions=(*last.questions, moved))))

    change(call, elsewhere)
    move(place(reference).application.id)
    home = place(reference).dossier.sections[-1]
    item = home.questions[-1]
    assert (item.question.key, item.answer.text) == (moved.key, "We know every boiler.")
    with pytest.raises(AnswerChanged):
        write(reference, home.key, moved.key, "A form of before the move overwrites nothing.")


def test_moving_twice_changes_nothing_more(written: tuple[CallView, str, Section]) -> None:
    call, reference, _ = written
    change(call, without_first_question)
    application_id = place(reference).application.id
    move(application_id)
    before = db.session.scalar(select(Job.number).order_by(Job.number.desc()).limit(1))

    assert move(application_id) == 2
    assert db.session.scalar(select(Job.number).order_by(Job.number.desc()).limit(1)) == before


def test_a_draft_after_the_deadline_of_writing_is_left_alone(written: tuple[CallView, str, Section]) -> None:
    call, reference, _ = written
    change(call, without_first_question)
    view = place(reference).application
    with clock.at(WHILE_OPEN):
        services.withdraw(again(actors.ana()), view.id, "No council decision.")

    assert move(view.id) == 1


def test_amounts_of_a_category_that_is_gone_stay_with_a_named_problem(written: tuple[CallView, str, Section]) -> None:
    call, reference, _ = written
    view, categories = place(reference).application, call.content.budget_rules.categories
    with clock.at(WHILE_OPEN):
        services.save_budget(
            again(actors.ana()), view.id, BudgetInput((Cell(view.coordinator_id, "A", euros(70_000)),), None)
        )
    renamed = (Category("Z", "All staff", hint="People."), *categories[1:])
    change(call, budget_categories=renamed)
    move(view.id)

    found = place(reference)
    (apart,) = found.budget.dropped
    assert (apart.where, apart.amount) == (categories[0].label, euros(70_000))
    assert found.budget.totals.total == ZERO
    assert any("which this call does not have any more" in i.message for i in found.issues if i.page is Page.BUDGET)

    with clock.at(WHILE_OPEN):
        assert services.clear_dropped(again(actors.ana()), view.id) == euros(70_000)
    assert place(reference).budget.dropped == ()


def test_comments_and_files_of_a_question_that_is_gone_can_still_be_reached(
    app: Flask, written: tuple[CallView, str, Section]
) -> None:
    call, reference, section = written
    person, view = again(actors.ana()), place(reference).application
    with clock.at(WHILE_OPEN):
        services.comment(person, view.id, section.key, section.questions[0].key, CommentInput("Is it every boiler?"))
    photo = Question("photo", "A photo of the street", QuestionKind.FILE, required=False)
    change(call, lambda form: with_first(form, *section.questions, photo))
    move(view.id)
    with clock.at(WHILE_OPEN):
        attach(view.id, person, "question_photo", "street.pdf")
    change(call, lambda form: with_first(form, *section.questions[1:]))
    move(view.id)

    (file,) = place(reference).files
    client, at = actors.client_of(app, actors.ana()), f"/applications/{reference}"
    with clock.at(WHILE_OPEN):
        comments = text_of(client.get(f"{at}/sections/{section.key}/comments"))
        assert "street.pdf" in text_of(client.get(f"{at}/files"))
        services.remove_file(person, view.id, file.id)
    assert "A question that is not asked any more" in comments
    assert "Is it every boiler?" in comments
    assert place(reference).files == ()


# --- who is told ----------------------------------------------------------------------------------------------------


def test_every_open_draft_is_moved_by_a_job_of_its_own(app: Flask, written: tuple[CallView, str, Section]) -> None:
    call, reference, _ = written
    change(call, without_first_question)
    with clock.at(WHILE_OPEN):
        assert services.spread_corrigendum(actors.ingrid(), call.id, 2) == 1
        home = text_of(actors.client_of(app, actors.ingrid()).get("/home"))
    assert f"You had open drafts moved to a new version of call {call.reference}" in home
    job = db.session.scalars(select(Job).where(Job.name == "jobs.calls.move_draft")).one()

    assert job.args == {"application_id": str(place(reference).application.id)}
    assert callable(job_functions.move_draft) and callable(job_functions.corrigendum_published)


def test_the_team_is_told_by_mail_with_what_changed(written: tuple[CallView, str, Section]) -> None:
    call, reference, section = written
    change(call, without_first_question)
    move(place(reference).application.id)
    mails = [j.args for j in db.session.scalars(select(Job).where(Job.name == "jobs.mail.send"))]
    told = [args for args in mails if args["template"] == "application_call_changed"]

    assert [args["user_id"] for args in told] == [str(actors.ana().user_id)]
    assert told[0]["context"]["sent"] == 0
    assert f"Question 1.1 “{section.questions[0].label}”: no longer asked" in told[0]["context"]["changes"]


def test_what_was_sent_stands_as_it_was_asked(call: CallView) -> None:
    application_id = submitted(call, actors.ana())
    before = queries.submitted_content(application_id)
    change(call, without_first_question)
    move(application_id)

    view = queries.view_by_id(application_id)
    assert (view.call_version, view.submission and view.submission.call_version) == (2, 1)
    assert queries.submitted_content(application_id) == before
    assert queries.workplace_of(view).changed_since_submission
    assert queries.as_answered(view.call, view.submission).content == calls.content_of_version(call.id, 1)


def test_a_new_submission_says_which_version_it_answers(call: CallView) -> None:
    reference = draft(call, actors.ana())
    section = first(call.content.definition)
    change(call, lambda form: with_first(form, *section.questions[1:]))
    view = place(reference).application
    move(view.id)

    assert place(reference).content["call"]["version"] == 2


def test_the_first_version_is_not_named_so_that_older_hashes_stand(call: CallView) -> None:
    found = place(draft(call, actors.ana()))

    assert set(found.content["call"]) == {
        "reference",
        "title",
    }


def test_only_who_publishes_moves_drafts(written: tuple[CallView, str, Section]) -> None:
    _, reference, _ = written
    with pytest.raises(NotAllowed):
        services.move_to_version(again(actors.ana()), place(reference).application.id)


# --- pages ----------------------------------------------------------------------------------------------------------


def test_the_team_sees_once_what_changed_and_marks_it_as_read(
    app: Flask, written: tuple[CallView, str, Section]
) -> None:
    call, reference, section = written
    change(call, without_first_question)
    client, at = actors.client_of(app, actors.ana()), f"/applications/{reference}"
    with clock.at(WHILE_OPEN):
        assert "answers version 1 and is being moved to version 2" in text_of(client.get(f"{at}/check"))
    move(place(reference).application.id)
    with clock.at(WHILE_OPEN):
        assert "It answers version 2 of the call, the newest." in text_of(client.get(f"{at}/check"))
        page = text_of(client.get(at))
        assert "The call changed: your draft answers version 2 now" in page
        assert "“Is there a heat plan?”: new" in page
        changes = text_of(client.get(f"{at}/changes"))
        assert f"No longer asked: your text to “{section.questions[0].label}” We know every boiler." in changes
        send(client, f"{at}/changes", page=at)
        assert "The call changed: your draft" not in text_of(client.get(at))
        assert "Version 2, 3 October 2022" in text_of(client.get(f"{at}/changes"))


def test_the_old_text_stands_beside_the_field(app: Flask, written: tuple[CallView, str, Section]) -> None:
    call, reference, section = written
    numbered = replace(section.questions[0], kind=QuestionKind.CONFIRMATION, words_max=None)
    change(call, lambda form: with_first(form, numbered, *section.questions[1:]))
    move(place(reference).application.id)
    client = actors.client_of(app, actors.ana())
    with clock.at(WHILE_OPEN):
        page = text_of(client.get(f"/applications/{reference}/sections/{section.key}"))
        listed = text_of(client.get(f"/applications/{reference}"))

    # Two things of it changed: it is told once, with both.
    assert listed.count(f"“{numbered.label}”") == 1
    assert f"“{numbered.label}”: how it is answered changed, most words taken out" in listed
    assert "The call asks this in another way now" in page
    assert "We know every boiler." in page


# --- the rule -------------------------------------------------------------------------------------------------------

KINDS = st.sampled_from(list(QuestionKind))
WORDS = st.text(alphabet="ab 1\t\n,.é", max_size=40)


def question(kind: QuestionKind, columns: tuple[str, ...]) -> Question:
    picks = kind in {QuestionKind.CHOICE, QuestionKind.MULTICHOICE}
    return Question(
        "q",
        "Q",
        kind,
        choices=tuple(Choice(each, each.upper()) for each in "ab") if picks else (),
        columns=tuple(Column(key, key) for key in columns) if kind is QuestionKind.TABLE else (),
    )


@given(before=KINDS, after=KINDS, text=WORDS, one=st.sampled_from([("x",), ("x", "y")]))
def test_a_moved_answer_either_stands_whole_or_is_set_aside(
    before: QuestionKind, after: QuestionKind, text: str, one: tuple[str, ...]
) -> None:
    old, new = question(before, one), question(after, ("y", "x"))
    picked = before in dossier_rules.PICKED_KINDS
    answer = dossier_rules.tidy(old, Answer("q", "" if picked else text, ("a",) if picked else ()))
    moved = dossier_rules.moved_answer(old, new, answer)

    assert moved == answer or dossier_rules.loses_words(old, new, answer)
    assert dossier_rules.tidy(new, moved) == moved or after is QuestionKind.FILE


def test_a_table_keeps_the_cells_of_the_columns_that_stay() -> None:
    old, new = question(QuestionKind.TABLE, ("x", "y")), question(QuestionKind.TABLE, ("y", "z"))

    assert dossier_rules.moved_answer(old, new, Answer("q", "1\t2\n3\t4")).text == "2\t\n4\t"


def test_letters_on_an_earlier_version_cost_the_same_for_one_and_for_three(call: CallView) -> None:
    sent = [submitted(call, actors.ana(), f"Roofs {number}") for number in range(3)]
    change(call, lambda form: replace(form, sections=form.sections[:-1]))
    asked = []
    for some in (sent[:1], sent[1:]):
        with clock.at(AFTER_CLOSING):
            for application_id in some:
                answers = (ConditionAnswer(each.key, Verdict.PASS) for each in call.content.conditions)
                services.declare(actors.eli(), application_id, tuple(answers))
            eli, now = actors.eli(), calls.call_by_id(call.id)
            with statements() as seen:
                letters = queries.letters_to_send(eli, now).items
        asked.append(len(seen))

    assert len(letters) == 3
    assert asked == [4, 4]
