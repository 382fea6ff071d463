"""Dossiers on a real database: saved in any state, never overwritten unseen, every earlier answer kept."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from grants.core import clock
from grants.core.acts import act
from grants.core.db import db
from grants.core.errors import Invalid, NotFound
from grants.core.permissions import EVERYWHERE, Actor, Permission
from grants.dossiers import queries, services
from grants.dossiers.models import DossierAnswerVersion
from grants.dossiers.rules import (
    Answer,
    Definition,
    Mark,
    Question,
    QuestionKind,
    Section,
    SectionChanged,
    SectionState,
)

pytestmark = pytest.mark.usefixtures("app")

PLAN = Section(
    "plan",
    "Plan",
    questions=(
        Question("summary", "Summary", QuestionKind.LONG, words_max=5),
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
def save(actor: Actor, dossier_id: UUID, section: str, answers: tuple[Answer, ...], version: int | None) -> int:
    return services.save_section(dossier_id, section, answers, version)


@act("test_dossier.mark", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def mark(actor: Actor, dossier_id: UUID, section: str, how: Mark) -> int:
    return services.mark_section(dossier_id, section, how)


@act("test_dossier.attach", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def attach(actor: Actor, dossier_id: UUID, question: str, file_id: UUID) -> None:
    services.attach_files(dossier_id, question, (file_id,))


@act("test_dossier.copy", needs=Permission.APPLICATION_EDIT, says="did a thing of the tests")
def copy(actor: Actor, source: UUID, target: UUID) -> None:
    services.copy_answers(source, target)


def test_an_empty_dossier_has_every_section_and_can_be_saved_half_written() -> None:
    made = create(IRINA)
    version = queries.dossier(made).section("plan").version

    save(IRINA, made, "plan", (Answer("summary", ""), Answer("money", "not yet known")), version)

    section = queries.dossier(made).section("plan")
    assert [s.key for s in queries.dossier(made).sections] == ["plan", "files"]
    assert section.answers["money"].text == "not yet known"
    assert section.state is SectionState.IN_PROGRESS
    assert [problem.place for problem in section.problems] == ["plan#answer-summary", "plan#answer-money"]


def test_a_stale_save_is_refused_and_changes_nothing() -> None:
    made = create(IRINA)
    shown = queries.dossier(made).section("plan").version
    save(IRINA, made, "plan", (Answer("summary", "Irina was first"),), shown)

    with pytest.raises(SectionChanged):
        save(MAREK, made, "plan", (Answer("summary", "Marek was second"),), shown)

    db.session.rollback()
    section = queries.dossier(made).section("plan")
    assert section.answers["summary"].text == "Irina was first"
    assert section.saved_by == IRINA.user_id


def test_saving_twice_at_one_moment_still_makes_a_new_version() -> None:
    made = create(IRINA)
    first = queries.dossier(made).section("plan").version

    with clock.at(datetime(2022, 11, 1, 12, tzinfo=UTC)):
        second = save(IRINA, made, "plan", (), first)
        third = save(IRINA, made, "plan", (), second)

    assert (second, third) == (first + 1, first + 2)


def test_saving_one_section_leaves_the_other_version_alone() -> None:
    made = create(IRINA)
    files = queries.dossier(made).section("files").version

    save(IRINA, made, "plan", (Answer("summary", "words"),), None)

    assert queries.dossier(made).section("files").version == files


def test_every_earlier_answer_is_kept_newest_first() -> None:
    made = create(IRINA)
    for text in ("one", "one", "one two", ""):
        save(IRINA, made, "plan", (Answer("summary", text),), None)

    assert [(v.number, v.shown, v.words) for v in queries.history(made, "summary")] == [
        (3, "", 0),
        (2, "one two", 2),
        (1, "one", 1),
    ]
    assert db.session.scalar(select(func.count()).select_from(DossierAnswerVersion)) == 3
    with pytest.raises(NotFound):
        queries.history(made, "elsewhere")


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


def test_answers_are_copied_to_questions_both_documents_have() -> None:
    first, second = create(IRINA), create(IRINA)
    save(IRINA, first, "plan", (Answer("summary", "words"),), None)

    copy(IRINA, first, second)

    assert queries.dossier(second).section("plan").answers["summary"].text == "words"
