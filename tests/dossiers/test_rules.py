"""Rules of documents: words counted as people count them, every problem with its limit and its way out."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.core.errors import Problem
from grants.core.file_types import FileType
from grants.core.money import Money
from grants.dossiers import rules
from grants.dossiers.rules import (
    Answer,
    Choice,
    Definition,
    DossierContent,
    Mark,
    Question,
    QuestionKind,
    Section,
    SectionState,
)

SUMMARY = Question("summary", "Summary", QuestionKind.LONG, words_max=5)
OWN = Question("own_money", "Own contribution", QuestionKind.MONEY)
LEVERS = Question("levers", "Levers", QuestionKind.MULTICHOICE, choices=(Choice("a", "Finance"), Choice("b", "Law")))
KIND = Question("kind", "Kind", QuestionKind.CHOICE, choices=(Choice("x", "One city"), Choice("y", "Several")))
HONOUR = Question("honour", "Declaration of honour", QuestionKind.CONFIRMATION)
START = Question("start", "Start", QuestionKind.DATE, required=False)
PEOPLE = Question("people", "People reached", QuestionKind.NUMBER, required=False)
LETTER = Question("letter", "Letter of support", QuestionKind.FILE, required=False)
SECTION = Section(
    "plan", "Plan", "1. What you will do", "", (SUMMARY, OWN, LEVERS, KIND, HONOUR, START, PEOPLE, LETTER)
)
DEFINITION = Definition((SECTION,))
GOOD = (
    Answer("summary", "Warm blocks for all"),
    Answer("own_money", "1.250,50"),
    Answer("levers", picked=("a",)),
    Answer("kind", picked=("x",)),
    Answer("honour", picked=("yes",)),
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("one", 1),
        ("  one\ttwo\r\nthree ", 3),
        ("net-zero by 2030", 3),
        ("Ținta orașului: −61 % căldură", 4),
        ("\u2022 first\n\u2022 second\n\u2013 third", 3),
        ("a \u2013 b \u2014 c", 3),
        ("one\u00a0two\u2009three\u202ffour", 4),
        ("one\u2028two\x0bthree", 3),
        ("ze\u200bro", 1),
        ("soft\u00adhyphen", 1),
        ("\ufeffstart", 1),
        ("1 234,50", 2),
        ("Łódź’s l’été", 2),
        ("… ! ? ***", 0),
    ],
)
def test_words_are_counted_as_a_person_counts_them(text: str, words: int) -> None:
    assert rules.count_words(text) == words


@given(st.text())
@settings(max_examples=200)
def test_cleaning_is_done_once_and_changes_no_count(text: str) -> None:
    cleaned = rules.clean_text(text)

    assert rules.clean_text(cleaned) == cleaned
    assert rules.count_words(cleaned) == rules.count_words(text)
    assert "\x00" not in cleaned and "\r" not in cleaned


@given(
    st.lists(st.sampled_from(["warm", "net-zero", "Łódź", "2030", "61%"])),
    st.sampled_from([" ", "\n", "\u00a0", "\t \r\n"]),
)
@settings(max_examples=100)
def test_words_pasted_with_any_white_space_are_counted_alike(words: list[str], between: str) -> None:
    assert rules.count_words(between.join(words)) == len(words)


def test_a_good_document_has_no_problem() -> None:
    assert rules.section_problems(DEFINITION.sections[0], {each.question: each for each in GOOD}) == ()


def test_every_required_question_left_empty_is_a_problem_that_names_its_field() -> None:
    found = rules.section_problems(DEFINITION.sections[0], {})

    assert [problem.place for problem in found] == [
        "plan#answer-summary",
        "plan#answer-own_money",
        "plan#answer-levers",
        "plan#answer-kind",
        "plan#answer-honour",
    ]
    assert found[0].message == "“Summary” has no answer yet. Write one."
    assert found[2].message == "“Levers” has nothing chosen yet. Choose at least one."


def test_too_many_words_name_the_value_the_limit_and_the_cut() -> None:
    sentence = rules.question_problem(SUMMARY, Answer("summary", "one two three four five six seven"))

    assert sentence == "“Summary” has 7 words; the limit is 5. Cut 2 words."


def test_a_limit_in_characters_counts_a_line_end_as_one() -> None:
    acronym = Question("acronym", "Acronym", QuestionKind.SHORT, characters_max=3)

    assert rules.question_problem(acronym, Answer("acronym", "a\r\nb")) is None
    assert (
        rules.question_problem(acronym, Answer("acronym", "LC3x"))
        == "“Acronym” has 4 characters; the limit is 3. Cut 1."
    )


@pytest.mark.parametrize("text", ["1.0000", "NaN", "Infinity", "1e6", "twelve", "１２"])
def test_an_amount_or_number_that_cannot_be_read_is_a_problem_not_a_loss(text: str) -> None:
    assert rules.question_problem(OWN, Answer("own_money", text)) is not None
    if text != "1.0000":
        assert rules.question_problem(PEOPLE, Answer("people", text)) is not None


@pytest.mark.parametrize(
    ("text", "read"), [("1 234,5", "1234.5"), ("12.50", "12.50"), ("-3", "-3"), ("\u22123", "-3"), ("007", "007")]
)
def test_numbers_are_read_in_european_spellings(text: str, read: str) -> None:
    assert rules.read_number(text) == read


def test_picks_that_were_never_offered_are_left_out() -> None:
    assert rules.tidy(LEVERS, Answer("levers", picked=("b", "zz", "a"))).picked == ("a", "b")
    assert rules.tidy(KIND, Answer("kind", picked=("x", "y"))).picked == ("x",)
    assert rules.tidy(HONOUR, Answer("honour", picked=("no",))).picked == ()


def test_the_state_of_a_section_is_derived() -> None:
    good = {answer.question: answer for answer in GOOD}

    assert rules.section_state(SECTION, {}, Mark.OPEN) is SectionState.NOT_STARTED
    assert rules.section_state(SECTION, {"summary": GOOD[0]}, Mark.OPEN) is SectionState.IN_PROGRESS
    assert rules.section_state(SECTION, {"summary": GOOD[0]}, Mark.COMPLETE) is SectionState.NEEDS_A_FIX
    assert rules.section_state(SECTION, good, Mark.COMPLETE) is SectionState.COMPLETED


def test_what_a_browser_sends_and_the_answer_are_two_ways_to_say_one_thing() -> None:
    for question, values in ((SUMMARY, ("words",)), (LEVERS, ("a", "b")), (SUMMARY, ("",)), (LEVERS, ())):
        assert rules.as_typed(question, rules.read_typed(question, values)) == values


def test_answers_are_shown_with_labels_and_one_spelling() -> None:
    assert rules.shown(LEVERS, Answer("levers", picked=("a", "b"))) == "Finance; Law"
    assert rules.shown(OWN, Answer("own_money", "1.250,50")) == str(Money(125050))
    assert rules.shown(OWN, Answer("own_money", "abc")) == "abc"
    assert rules.shown(START, Answer("start", "1.5.2027")) == "1 May 2027"


def test_a_snapshot_round_trips_and_leaves_out_empty_answers() -> None:
    content = DossierContent(DEFINITION, (*GOOD, Answer("start", "")))

    stored = rules.to_mapping(content)

    assert rules.from_mapping(stored) == DossierContent(DEFINITION, GOOD)
    assert rules.to_mapping(rules.from_mapping(stored)) == stored


def test_questions_that_wait_for_each_other_in_a_circle_are_named_once() -> None:
    waiting = [
        Question(key, key, QuestionKind.SHORT, asked_if=rules.AskedIf(on)) for key, on in ("ab", "bc", "ca", "da", "ee")
    ]
    found = rules.definition_problems(Definition((Section("s", "S", "1. S", "", tuple(waiting)),)))

    assert [(each.place, each.message.partition(":")[0]) for each in found] == [
        (
            "sections.s.a.asked_if",
            "is asked only if “b” is answered, and that only if “c” is answered, and that only if “a” is answered",
        ),
        ("sections.s.e.asked_if", "is asked only if it is answered itself, so it never is. Take the condition out."),
        (
            "sections.s.d.asked_if",
            "depends on “a”, which itself is asked only sometimes. Depend on one that always is.",
        ),
    ]


def test_faults_of_a_definition_are_named_with_their_place() -> None:
    twice = Definition((Section("plan", "A", questions=(SUMMARY,)), Section("plan", "B", questions=(SUMMARY,))))
    bad = Definition((Section("Plan X", "A", questions=(Question("k", "K", QuestionKind.CHOICE, words_max=0),)),))

    short = Question("s", "S", QuestionKind.SHORT, megabytes_max=3)
    pages = Question("f", "F", QuestionKind.FILE, pages_max=3, file_types=(FileType.PDF, FileType.DOCX))
    both = Question("b", "B", QuestionKind.LONG, words_max=9, characters_max=9)
    files = Definition((Section("files", "Files", questions=(short, pages, both)),))

    assert [problem.message for problem in rules.definition_problems(files)] == [
        "limits types, megabytes or pages, but is no file. Take the limits out.",
        "limits pages, which are counted in PDFs only: with it, pdf is the one type.",
        "is limited in words and in characters; a text has one limit. Empty one of the two.",
    ]
    assert rules.definition_problems(DEFINITION) == ()
    assert Problem("sections", "uses the key “plan” more than once. Give each its own.") in rules.definition_problems(
        twice
    )
    assert [problem.place for problem in rules.definition_problems(bad)] == [
        "sections.Plan X",
        "sections.Plan X.k.choices",
        "sections.Plan X.k",
    ]


def test_paragraphs_keep_what_was_pasted() -> None:
    assert rules.paragraphs("one\ntwo\n\n \nthree\n") == (("one", "two"), ("three",))
    assert rules.paragraphs(" \n ") == ()


def test_beside_a_limit_in_words_stands_one_in_characters_and_one_in_lines() -> None:
    question = Question("a", "Summary", QuestionKind.LONG, words_max=100)
    cases = {
        "x" * 2_200: None,
        "x"
        * 2_201: "“Summary” has 2201 characters; the limit is 100 words of together at most 2200 characters. Cut 1.",
        "x " * 101: "“Summary” has 101 words; the limit is 100. Cut 1 word.",
        "a\n" * 1_999 + "a": "“Summary” has 2000 words; the limit is 100. Cut 1900 words.",
        "a" + "\n" * 2_000 + "a": "“Summary” has 2001 lines; the limit is 2000. Take out empty lines.",
    }

    assert {text: rules.question_problem(question, Answer("a", text)) for text in cases} == cases


@pytest.mark.parametrize("code", [*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x2060, 0xFEFF, 0x85, 0x9B])
def test_signs_that_turn_or_hide_are_not_kept_in_long_texts(code: int) -> None:
    assert rules.clean_text(f"a{chr(code)}b").replace("\n", "") == "ab"


def test_marks_that_languages_are_written_with_are_kept() -> None:
    text = "\u05d0\u200f \u0645\u06cc\u200c\u062e \u0915\u094d\u200d\u0937 a\u200eb"

    assert rules.clean_text(text) == text


def test_the_markup_knows_paragraphs_lists_and_bold_and_nothing_else() -> None:
    found = rules.paragraphs(
        "Our **warm** homes:\n- one **two**\n\u2022 three\n\n1. first\n2) second\n\n<b>x</b> ** y ** -5"
    )

    assert [block.kind.value for block in found] == ["paragraph", "bullets", "numbers", "paragraph"]
    assert [[[(run.text, run.bold) for run in row] for row in block.rows] for block in found] == [
        [[("Our ", False), ("warm", True), (" homes:", False)]],
        [[("one ", False), ("two", True)], [("three", False)]],
        [[("first", False)], [("second", False)]],
        [[("<b>x</b> ** y ** -5", False)]],
    ]


@given(st.text(alphabet="ab *-1.\n<&", max_size=200))
def test_the_markup_loses_no_letter(text: str) -> None:
    shown = "".join(run.text for block in rules.paragraphs(text) for row in block.rows for run in row)
    letters = [letter for letter in text if letter in "ab<&"]

    assert [letter for letter in shown if letter in "ab<&"] == letters
