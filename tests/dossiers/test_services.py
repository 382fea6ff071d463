"""Dossiers on a real database: saved in any state, never overwritten unseen, every earlier answer kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from grants.core import clock
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.dossiers import queries, services
from grants.dossiers.merging import UNSEEN, AnswerChanged, AnswerSaved, SectionSaved, Shown, clash_of
from grants.dossiers.models import DossierAnswerVersion
from grants.dossiers.rules import (
    Answer,
    Definition,
    Mark,
    Question,
    QuestionKind,
    Section,
    SectionState,
)

pytestmark = pytest.mark.usefixtures("app")

SUMMARY = Question("summary", "Summary", QuestionKind.LONG, words_max=5)
PLAN = Section(
    "plan",
    "Plan",
    questions=(
        SUMMARY,
        Question("money", "Own money", QuestionKind.MONEY),
    ),
)
FILES = Section("files", "Files", questions=(Question("letter", "Letter", QuestionKind.FILE),))
DEFINITION = Definition((PLAN, FILES))

IRINA = Actor(uuid4(), "Irina", frozenset({(Permission.APPLICATION_EDIT.value, EVERYWHERE)}))
MAREK = Actor(uuid4(), "Marek", frozenset({(Permission.APPLICATION_EDIT.value, EVERYWHERE)}))


@act("test_dossier.create", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def create(actor: Actor) -> UUID:
    return services.create("note", uuid4(), DEFINITION)


@act("test_dossier.save", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def save(
    actor: Actor, dossier_id: UUID, section: str, answers: tuple[Answer, ...], shown: tuple[Shown, ...] | None
) -> SectionSaved:
    return services.save_section(dossier_id, section, answers, shown)


@act("test_dossier.save_answer", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def save_one(actor: Actor, dossier_id: UUID, question: str, text: str, number: int) -> AnswerSaved:
    return services.save_answer(dossier_id, "plan", question, (text,), number)


@act("test_dossier.mark", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def mark(actor: Actor, dossier_id: UUID, section: str, how: Mark) -> int:
    return services.mark_section(dossier_id, section, how)


@act("test_dossier.attach", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def attach(actor: Actor, dossier_id: UUID, question: str, file_id: UUID) -> None:
    services.attach_files(dossier_id, question, (file_id,))


def test_an_empty_dossier_has_every_section_and_can_be_saved_half_written() -> None:
    made = create(IRINA)
    unwritten = (Shown("summary", 0), Shown("money", 0))

    save(IRINA, made, "plan", (Answer("summary", ""), Answer("money", "not yet known")), unwritten)

    section = queries.dossier(made).section("plan")
    assert [s.key for s in queries.dossier(made).sections] == ["plan", "files"]
    assert section.answers["money"].text == "not yet known"
    assert section.state is SectionState.IN_PROGRESS
    assert [problem.place for problem in section.problems] == ["plan#answer-summary", "plan#answer-money"]


def test_what_somebody_else_changed_comes_back_and_everything_else_is_stored() -> None:
    made = create(IRINA)
    unwritten = (Shown("summary", 0), Shown("money", 0))
    save(IRINA, made, "plan", (Answer("summary", "Irina was first"), Answer("money", "")), unwritten)

    saved = save(MAREK, made, "plan", (Answer("summary", "Marek was second"), Answer("money", "5")), unwritten)

    (contested,) = saved.contested
    assert (contested.question, contested.number, contested.saved_by) == ("summary", 1, IRINA.user_id)
    assert [each.text for each in (contested.base, contested.stored, contested.typed)] == [
        "", "Irina was first", "Marek was second",
    ]  # fmt: skip
    section = queries.dossier(made).section("plan")
    assert section.answers["summary"].text == "Irina was first"
    assert section.answers["money"].text == "5"
    assert section.saved_by == MAREK.user_id


def test_two_who_write_in_different_fields_of_a_section_never_clash() -> None:
    made = create(IRINA)
    save(IRINA, made, "plan", (Answer("summary", "one"), Answer("money", "1")), None)
    shown = (Shown("summary", 1), Shown("money", 1))

    first = save(IRINA, made, "plan", (Answer("summary", "one two"), Answer("money", "1")), shown)
    second = save(MAREK, made, "plan", (Answer("summary", "one"), Answer("money", "2")), shown)

    assert (first.contested, second.contested) == ((), ())
    answers = queries.dossier(made).section("plan").answers
    assert (answers["summary"].text, answers["money"].text) == ("one two", "2")


def test_what_nobody_was_shown_is_contested_and_never_overwritten() -> None:
    made = create(IRINA)
    save(IRINA, made, "plan", (Answer("summary", "stands"),), None)

    for shown in ((), (Shown("summary", UNSEEN),), (Shown("summary", 99),), (Shown("summary", 0),)):
        assert save(MAREK, made, "plan", (Answer("summary", "other"),), shown).contested

    assert queries.dossier(made).section("plan").answers["summary"].text == "stands"


def test_one_answer_is_saved_in_any_state_and_the_same_text_again_is_nothing_new() -> None:
    made = create(IRINA)

    first = save_one(IRINA, made, "money", "not yet known", 0)
    again = save_one(IRINA, made, "money", "not yet known ", 0)

    assert (first.number, again.number, again.other) == (1, 1, None)
    assert first.problem is not None and first.section is SectionState.IN_PROGRESS
    assert db.session.scalar(select(func.count()).select_from(DossierAnswerVersion)) == 1
    with pytest.raises(NotFound):
        save_one(IRINA, made, "nothing", "x", 0)


def test_one_answer_changed_meanwhile_is_told_with_both_texts() -> None:
    made = create(IRINA)
    save_one(IRINA, made, "summary", "one two", 0)
    save_one(MAREK, made, "summary", "one two three", 1)

    with pytest.raises(AnswerChanged) as told:
        save_one(IRINA, made, "summary", "zero one two", 1)

    db.session.rollback()
    clash = clash_of(told.value.question, told.value.contested)
    assert clash.draft is not None and (clash.draft.text, clash.draft.clean) == ("zero one two three", True)
    assert queries.dossier(made).section("plan").answers["summary"].text == "one two three"


def test_who_changed_nothing_hears_what_stands_now() -> None:
    made = create(IRINA)
    save_one(IRINA, made, "summary", "one", 0)
    save_one(MAREK, made, "summary", "one two", 1)

    kept = save_one(IRINA, made, "summary", "one", 1)

    assert (kept.number, kept.other, kept.saved_by) == (2, ("one two",), MAREK.user_id)


def test_saving_what_stands_makes_nobody_its_last_writer() -> None:
    made = create(IRINA)
    save(IRINA, made, "plan", (Answer("summary", "one"),), None)

    save(MAREK, made, "plan", (Answer("summary", "one"),), (Shown("summary", 1),))

    assert queries.dossier(made).section("plan").saved_by == IRINA.user_id


def test_saving_one_section_leaves_the_other_version_alone() -> None:
    made = create(IRINA)
    files = queries.dossier(made).section("files").version

    save(IRINA, made, "plan", (Answer("summary", "words"),), None)

    assert queries.dossier(made).section("files").version == files


def test_every_earlier_answer_is_kept_newest_first_those_of_one_sitting_together() -> None:
    made = create(IRINA)
    start = datetime(2022, 11, 6, 13, 30, tzinfo=UTC)
    for minutes, person, text in (
        (0, IRINA, "one"),
        (1, IRINA, "one two"),
        (2, MAREK, "two"),
        (3, IRINA, ""),
        (20, IRINA, "x"),
    ):
        with clock.at(start + timedelta(minutes=minutes)):
            save(person, made, "plan", (Answer("summary", text),), None)

    history = queries.history(made, SUMMARY)

    assert [[v.number for v in sitting.versions] for sitting in history.sittings] == [[5], [4], [3], [2, 1]]
    assert [sitting.newest.shown for sitting in history.sittings] == ["x", "", "two", "one two"]
    assert [(p.kind.value, p.text) for p in history.sittings[2].pieces] == [("removed", "one "), ("same", "two")]
    assert history.before is None
    assert queries.version_of(made, SUMMARY, 2).answer == Answer("summary", "one two")
    with pytest.raises(NotFound):
        queries.version_of(made, SUMMARY, 6)


def test_a_long_history_goes_on_where_the_page_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grants.dossiers.queries.versions.VERSIONS_SHOWN_MAX", 2)
    made = create(IRINA)
    for text in "abcde":
        save(IRINA, made, "plan", (Answer("summary", text),), None)

    pages, before = [], None
    for _ in range(3):
        history = queries.history(made, SUMMARY, before=before)
        pages.append([version.shown for sitting in history.sittings for version in sitting.versions])
        before = history.before

    assert (pages, before) == ([["e", "d"], ["c", "b"], ["a"]], None)


def test_what_was_pasted_is_stored_without_what_a_database_cannot_hold() -> None:
    made = create(IRINA)

    save(IRINA, made, "plan", (Answer("summary", "a\x00b\r\nc \u200b"),), None)

    assert queries.dossier(made).section("plan").answers["summary"].text == "ab\nc"


def test_a_flood_of_text_is_refused_by_its_field() -> None:
    made = create(IRINA)

    with pytest.raises(Invalid) as refused:
        save(IRINA, made, "plan", (Answer("summary", "x" * 100_001),), None)

    assert list(refused.value.problems) == ["summary"]


def test_answers_to_questions_of_another_section_are_not_stored() -> None:
    made = create(IRINA)

    save(IRINA, made, "files", (Answer("summary", "smuggled"), Answer("invented", "x")), None)

    assert queries.dossier(made).section("plan").answers["summary"].empty


def test_a_section_is_marked_and_opened_again() -> None:
    made = create(IRINA)
    save(IRINA, made, "plan", (Answer("summary", "good"), Answer("money", "5")), None)

    mark(IRINA, made, "plan", Mark.COMPLETE)
    assert queries.dossier(made).section("plan").state is SectionState.COMPLETED
    assert queries.dossier(made).completed == 1
    assert queries.progress([made])[made].completed == 1
    save(IRINA, made, "plan", (Answer("summary", "good"), Answer("money", "much")), None)
    mark(IRINA, made, "plan", Mark.COMPLETE)
    assert queries.dossier(made).completed == queries.progress([made])[made].completed == 0

    mark(IRINA, made, "plan", Mark.OPEN)
    assert queries.dossier(made).section("plan").state is SectionState.IN_PROGRESS


def test_a_file_answers_its_question_and_makes_no_form_stale() -> None:
    made, file_id = create(IRINA), uuid4()
    version = queries.dossier(made).section("files").version

    attach(IRINA, made, "letter", file_id)

    section = queries.dossier(made).section("files")
    assert section.answers["letter"].picked == (str(file_id),)
    assert section.version == version
    with pytest.raises(NotFound):
        attach(IRINA, made, "summary", file_id)


def test_the_frozen_content_is_the_same_however_it_came_about() -> None:
    first, second = create(IRINA), create(IRINA)
    save(IRINA, first, "plan", (Answer("money", "5"), Answer("summary", "words")), None)
    save(MAREK, second, "plan", (Answer("summary", "other"),), None)
    save(MAREK, second, "plan", (Answer("summary", "words"), Answer("money", "5")), None)

    assert queries.content(first) == queries.content(second)


def test_a_question_that_asks_for_a_file_is_answered_by_a_file_alone() -> None:
    dossier_id = create(IRINA)

    save(IRINA, dossier_id, "files", (Answer("letter", picked=(str(uuid4()),)),), None)

    assert queries.dossier(dossier_id).section("files").answers["letter"].empty
