"""Every kind of question goes round: builder and call file, form and autosave, document and workbook, and back."""

from __future__ import annotations

import pytest

from grants.dossiers import rules
from grants.dossiers.rules import Answer, QuestionKind
from tests.applications.round_trip import CASES, Case, Trip, Typed, gone_round, words_of
from tests.worlds import World, Worlds

KINDS = [pytest.param(kind, id=kind.value) for kind in QuestionKind]
STEPS = {"form": "form", "autosave": "autosave", "docx": "document", "xlsx": "workbook"}


@pytest.fixture(scope="session")
def round_world(worlds: Worlds) -> World[Trip]:
    return worlds.of(gone_round)


@pytest.fixture(scope="session")
def trip(round_world: World[Trip]) -> Trip:
    return round_world.told()


def cases(kind: QuestionKind) -> dict[str, Case]:
    found = {key: case for key, case in CASES.items() if case.kind is kind}
    assert found, f"no case for {kind}"
    return found


def wanted(trip: Trip, key: str, *steps: str) -> Answer:
    """What stands after these steps: the last answer that was given."""
    question = trip.built.question(key)
    assert question is not None
    given: Typed = ()
    for step in steps:
        given = getattr(CASES[key], STEPS[step]) or given
    return rules.tidy(question, rules.read_typed(question, given))


@pytest.mark.parametrize("kind", KINDS)
def test_a_question_of_the_builder_comes_back_from_its_call_file(trip: Trip, kind: QuestionKind) -> None:
    for key, case in cases(kind).items():
        question = trip.built.question(key)
        assert question is not None and question.kind is kind
        assert question.label == case.asked["label"]
        assert trip.again.question(key) == question
    assert trip.again == trip.built


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_typed_in_the_form_or_saved_while_typing_is_the_one_that_stands(
    trip: Trip, kind: QuestionKind
) -> None:
    assert trip.said["form"] == "303"
    for key in cases(kind):
        if kind is QuestionKind.FILE:
            continue
        assert trip.stood["form"][key] == wanted(trip, key, "form"), key
        assert not trip.said.get(f"autosave {key}"), key
        assert trip.stood["autosave"][key] == wanted(trip, key, "form", "autosave"), key


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("file", ["docx", "xlsx"])
def test_a_file_that_nobody_changed_says_nothing_new(trip: Trip, kind: QuestionKind, file: str) -> None:
    assert not trip.differed[file] & set(cases(kind))
    assert trip.said[file] == ""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("file", "steps"), [("docx", ("docx",)), ("xlsx", ("docx", "xlsx"))])
def test_what_is_typed_into_a_file_is_the_whole_difference_and_then_stands(
    trip: Trip, kind: QuestionKind, file: str, steps: tuple[str, ...]
) -> None:
    assert trip.said[f"changed {file}"] == ""
    for key, case in cases(kind).items():
        is_typed = bool(getattr(case, STEPS[file]))
        assert (key in trip.differed[f"changed {file}"]) is is_typed, key
        assert trip.stood[file][key] == wanted(trip, key, "form", "autosave", *steps) or kind is QuestionKind.FILE, key


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_stands_in_its_field_and_on_the_page_to_print(trip: Trip, kind: QuestionKind) -> None:
    for key in cases(kind):
        if kind is QuestionKind.FILE:
            continue
        question, answer = trip.built.question(key), wanted(trip, key, "form")
        assert question is not None
        confirmed = {"yes": "y"} if kind is QuestionKind.CONFIRMATION else {}
        typed = "\n".join(confirmed.get(value, value) for value in rules.as_typed(question, answer))
        assert trip.shown[f"field {key}"].strip() == typed.strip(), key
        shown = rules.shown(question, answer)
        # Only a long text knows bold and lists.
        words = shown.replace("**", "").split() if kind is QuestionKind.LONG else shown.split()
        marks = {"-", "1.", "2."} if kind is QuestionKind.LONG else set()
        assert all(word in trip.shown[key] for word in words if word not in marks), key
    assert "Plan „ä“.pdf" in trip.shown["pdf"]


def test_a_document_tells_limits_guidance_conditions_and_what_was_answered_before(trip: Trip) -> None:
    empty, own = words_of(trip.files["empty"]), words_of(trip.files["docx"])

    assert "Why (your answer to “Heat or “water”?”)?" in empty
    assert "Why Water: 100 %, #1?" in own and "As said: 007" in own
    for said in ("Up to 9 characters.", "What evaluators look for: A: b, c", "Up to 3 rows.", "A file: attach it"):
        assert said in empty and said in own
    assert "Asked only if your answer to “Heat or “water”?” is “Heat” or “Water: 100 %, #1”." in empty
    assert "Größe „äöü“? Ja: nein" in " ".join(trip.shown["page"].split()).replace("Größe „äöü“?Ja", "Größe „äöü“? Ja")
    assert "What evaluators look for" in trip.shown["page"] and "Line “two”" in trip.shown["page"]
