"""A call as a file again: what is written reads back as the same values, whatever kind of question or rule it holds."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grants.calls import rules, services
from grants.calls.rules import FIELDS, NOT_FOUND
from grants.core.errors import Problems
from grants.core.file_types import FileType
from grants.core.money import Money
from grants.dossiers.rules import AskedIf, Choice, Column, Definition, Question, QuestionKind, Section, Translation
from tests.calls import scene

NAMES = ("call_2022", "call_2023", "call_2024", "twin_2023", "twin_2024", "ect_2024")


def again(file: rules.CallFile) -> rules.CallFile:
    return rules.read_call_file(rules.call_file(file.fields, file.deadlines, file.documents, file.zone))


@pytest.mark.parametrize("name", NAMES)
def test_each_of_the_six_calls_reads_back_as_it_was_written(name: str) -> None:
    file = rules.read_call_file((services.DATA / f"{name}.yaml").read_text(encoding="utf-8"))

    read = again(file)

    assert {path: found for path, found in read.fields.items() if found != file.fields[path]} == {}
    assert (read.deadlines, read.documents, read.zone, read.notes) == (file.deadlines, file.documents, file.zone, ())


@pytest.mark.parametrize("name", NAMES)
def test_what_the_template_filled_is_left_out_and_comes_back_with_its_label(name: str) -> None:
    template = services.template("horizon-like")
    file = rules.read_call_file((services.DATA / f"{name}.yaml").read_text(encoding="utf-8"))
    pays = rules.kind_of(file.fields).value == "support"
    full, _ = rules.filled(file.fields, template, pays=pays)

    read = rules.read_call_file(rules.call_file(full, file.deadlines, file.documents, file.zone))

    assert {
        path: (found, full[path])
        for path, found in rules.filled(read.fields, template, pays=pays)[0].items()
        if found.value != full[path].value
    } == {}
    assert read.fields and not any(found.from_template for found in read.fields.values())


@pytest.mark.parametrize("path", [path for path, found in services.template("horizon-like").items()])
def test_every_value_of_the_template_goes_through_a_form_and_back(path: str) -> None:
    value = services.template("horizon-like")[path].value

    assert rules.read_value(path, rules.to_yaml({"value": rules.tree_of(FIELDS[path], value)})) == value


def words(most: int = 40) -> st.SearchStrategy[str]:
    letters = st.characters(
        codec="utf-8", exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp"], exclude_characters="\ufeff\ufffe\uffff"
    )
    return st.text(
        st.one_of(letters, st.sampled_from("Łódź: -#'\"{}[]&*!|>%@`yesNO0123456789")), min_size=1, max_size=most
    ).filter(lambda text: text == text.strip() and bool(text))


def questions(kind: QuestionKind) -> st.SearchStrategy[Question]:
    """Questions of a kind; a text is limited in words or in characters, never in both."""
    in_words = st.builds(dict, words_max=st.one_of(st.none(), st.integers(1, 900)))
    in_characters = st.builds(dict, characters_max=st.integers(1, 9000))
    limited = st.one_of(in_words, in_characters)
    return st.tuples(_questions(kind), limited).map(lambda pair: replace(pair[0], **pair[1]))


def _questions(kind: QuestionKind) -> st.SearchStrategy[Question]:
    picks = kind in (QuestionKind.CHOICE, QuestionKind.MULTICHOICE)
    return st.builds(
        Question,
        key=st.just(f"a_{kind.value}"),
        label=words(),
        kind=st.just(kind),
        hint=st.one_of(st.just(""), words()),
        required=st.booleans(),
        choices=st.lists(st.builds(Choice, words(), words()), min_size=1, max_size=3).map(tuple)
        if picks
        else st.just(()),
        criterion=st.one_of(st.none(), words(10)),
        guidance=st.lists(words(), max_size=2).map(tuple),
        example=st.one_of(st.just(""), words()),
        columns=st.lists(
            st.builds(
                Column, words(8), words(), st.sampled_from([QuestionKind.SHORT, QuestionKind.DATE]), st.booleans()
            ),
            max_size=3,
        ).map(tuple)
        if kind is QuestionKind.TABLE
        else st.just(()),
        rows_max=st.one_of(st.none(), st.integers(1, 50)),
        picks_max=st.one_of(st.none(), st.integers(1, 9)),
        file_types=st.lists(st.sampled_from(FileType), max_size=2, unique=True).map(tuple),
        megabytes_max=st.one_of(st.none(), st.integers(1, 9)),
        pages_max=st.one_of(st.none(), st.integers(1, 9)),
        asked_if=st.one_of(st.none(), st.builds(AskedIf, words(9), st.lists(words(9), max_size=2).map(tuple))),
        translations=st.lists(st.builds(Translation, st.sampled_from(["pl", "sv"]), words(), words()), max_size=2).map(
            tuple
        ),
    )


# A question of every kind takes long to make up on a busy machine, which is no fault of what is tested.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.tuples(*(questions(kind) for kind in QuestionKind)))
def test_every_kind_of_question_reads_back_as_it_was_written(asked: tuple[Question, ...]) -> None:
    section = Section("one", "One", "Step", "Intro", asked)
    value = Definition((section,))
    path = "application_form.sections"

    assert rules.read_value(path, rules.to_yaml({"value": rules.tree_of(FIELDS[path], value)})) == value


@given(st.integers(1, 10**12), st.integers(0, 100_000))
def test_amounts_and_percentages_read_back_exactly(cents: int, thousandths: int) -> None:
    total, rate = "budget.total", "funding_rate_percent"
    percent = 1 + Fraction(thousandths, 1000) * Fraction(99, 100)

    assert rules.read_value(total, rules.to_yaml({"value": rules.tree_of(FIELDS[total], Money(cents))})) == Money(cents)
    assert rules.read_value(rate, rules.to_yaml({"value": rules.tree_of(FIELDS[rate], percent)})) == percent


def test_a_value_that_cannot_be_read_names_its_field() -> None:
    with pytest.raises(Problems) as refused:
        rules.read_value("milestones", "value:\n- {key: one, title: One, month: 999}\n")

    assert [problem.place for problem in refused.value.found] == ["value[0].month"]


def test_a_value_nobody_found_keeps_its_note() -> None:
    file = rules.read_call_file(scene.CALL_2022)

    assert again(file).fields["submission.language"] == file.fields["submission.language"]
    assert file.fields["submission.language"].value is NOT_FOUND.value
