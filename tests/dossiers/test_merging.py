"""The merge of two texts: no word of anybody is lost, and what may be stored without asking is only what was seen."""

from __future__ import annotations

import doctest
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grants.dossiers import merging
from grants.dossiers.merging import Contested, Outcome, Stretch, clash_of, compared, judged, merge, redline, sittings
from grants.dossiers.rules import Answer, Choice, Definition, DossierContent, Question, QuestionKind, Section

STORY = Question("story", "Story", QuestionKind.LONG)
MONEY = Question("money", "Money", QuestionKind.MONEY)
AIMS = Question(
    "aims", "Aims", QuestionKind.MULTICHOICE, choices=tuple(Choice(value, value.upper()) for value in "abcd")
)

words = st.sampled_from(["one", "two", "three", "heat", "block", "vote", "a", "b"])
spaces = st.sampled_from([" ", "  ", "\n", "\n\n", " \n"])
texts = st.lists(st.tuples(words, spaces), max_size=12).map(
    lambda pairs: "".join(word + space for word, space in pairs).strip()
)
answers = texts.map(lambda text: Answer("story", text))


def said(text: str) -> Counter[str]:
    return Counter(text.split())


def test_the_examples_hold() -> None:
    assert doctest.testmod(merging).failed == 0


@given(texts, texts)
def test_what_one_person_changed_alone_is_the_merge(base: str, changed: str) -> None:
    assert merge(base, changed, base) == merge(base, base, changed) == merge(base, changed, changed)
    assert merge(base, changed, base).text == changed
    assert merge(base, changed, base).clean


@given(texts, texts, texts)
def test_a_merge_without_overlap_is_the_same_from_both_sides(base: str, one: str, other: str) -> None:
    here, there = merge(base, one, other), merge(base, other, one)

    assert here.overlaps == there.overlaps
    assert said(here.text) == said(there.text)
    if here.clean:
        assert here.text == there.text


@given(texts, texts, texts)
def test_every_word_either_side_added_stands_in_the_draft(base: str, one: str, other: str) -> None:
    draft = said(merge(base, one, other).text)

    for side in (one, other):
        assert said(side) - said(base) <= draft


@given(st.lists(words, min_size=3, max_size=12), st.data())
def test_edits_of_different_words_are_both_in_and_nothing_else_is_touched(text: list[str], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(text) - 2))
    second = data.draw(st.integers(first + 1, len(text) - 1))
    mine, theirs = [*text], [*text]
    mine[first], theirs[second] = "MINE", "THEIRS"
    both = [*text]
    both[first], both[second] = "MINE", "THEIRS"

    draft = merge(" ".join(text), " ".join(theirs), " ".join(mine))

    assert (draft.text, draft.clean) == (" ".join(both), True)


def test_two_ends_of_one_text_are_continued_one_after_the_other_and_counted_as_an_overlap() -> None:
    draft = merge("We start.", "We start. Marek goes on.", "We start. Irina goes on.")

    assert draft.text == "We start. Marek goes on.  Irina goes on."
    assert draft.overlaps == 1


def test_two_words_that_only_the_merge_brings_together_stay_two() -> None:
    assert merge("a\n b", "a x b", "a\ny b").text == "a x y b"


def test_a_very_long_text_is_merged_in_a_moment_line_by_line() -> None:
    base = "\n".join(f"line {number} of the text" for number in range(1_500))

    draft = merge(base, base.replace("line 3 ", "LINE 3 "), base.replace("line 900 ", "LINE 900 "))

    assert draft.clean and "LINE 3 of" in draft.text and "LINE 900 of" in draft.text


# --- what may be stored -----------------------------------------------------------------------------------------


@given(answers, answers, answers)
def test_nothing_that_was_not_seen_is_ever_overwritten(base: Answer, stored: Answer, typed: Answer) -> None:
    outcome = judged(STORY, base=base, stored=stored, typed=typed, is_shown=False)

    assert outcome is not Outcome.STORE
    # What is silently kept is what its writer did not change, or wrote alike.
    assert (outcome is Outcome.KEEP) == (typed in (base, stored))


@given(answers, answers)
def test_what_was_seen_is_replaced_and_the_same_text_twice_is_nothing_new(stored: Answer, typed: Answer) -> None:
    outcome = judged(STORY, base=stored, stored=stored, typed=typed, is_shown=True)

    assert outcome is (Outcome.KEEP if typed == stored else Outcome.STORE)


@given(answers, answers)
def test_what_was_written_without_a_known_base_is_never_kept_back_silently(stored: Answer, typed: Answer) -> None:
    outcome = judged(STORY, base=None, stored=stored, typed=typed, is_shown=False)

    assert outcome is (Outcome.KEEP if typed == stored else outcome)
    assert outcome is not Outcome.STORE


def contested(question: Question, base: Answer, stored: Answer, typed: Answer) -> Contested:
    return Contested(question.key, 2, base, stored, typed, datetime(2022, 11, 6, 13, 31, tzinfo=UTC), uuid4())


def test_amounts_are_offered_one_or_the_other_never_mixed() -> None:
    clash = clash_of(MONEY, contested(MONEY, Answer("money", "10"), Answer("money", "12"), Answer("money", "13")))

    assert (clash.draft, clash.merged, clash.merged_paragraphs) == (None, None, ())
    assert judged(
        MONEY, base=Answer("money", "10"), stored=Answer("money", "12"), typed=Answer("money", "13"), is_shown=False
    ) is Outcome.CONFLICT  # fmt: skip


def test_ticks_of_both_are_merged_one_by_one() -> None:
    base, stored, typed = (Answer("aims", picked=tuple(picked)) for picked in ("ab", "abc", "bd"))

    clash = clash_of(AIMS, contested(AIMS, base, stored, typed))

    assert clash.merged == Answer("aims", picked=("b", "c", "d"))
    assert clash.merged_paragraphs == (("B; C; D",),)


# --- the history ------------------------------------------------------------------------------------------------


@given(texts, texts)
def test_a_comparison_holds_both_texts_whole(before: str, after: str) -> None:
    pieces = compared(before, after)

    assert "".join(p.text for p in pieces if p.kind is not Stretch.ADDED) == before
    assert "".join(p.text for p in pieces if p.kind is not Stretch.REMOVED) == after


@given(texts, texts)
def test_a_redline_without_its_insertions_is_the_old_document_and_without_its_deletions_the_new(
    before: str, after: str
) -> None:
    form = Definition((Section("first", "First", questions=(STORY,)), Section("second", "Second", questions=(AIMS,))))
    old = DossierContent(form, (Answer("story", before), Answer("aims", picked=("a", "b"))))
    new = DossierContent(form, (Answer("story", after), Answer("aims", picked=("a", "b"))))

    story, aims = redline(old, new)

    assert "".join(p.text for p in story.pieces if p.kind is not Stretch.ADDED) == before
    assert "".join(p.text for p in story.pieces if p.kind is not Stretch.REMOVED) == after
    assert story.is_kept == (before == after)
    assert aims.is_kept and (aims.section.key, aims.question.key) == ("second", "aims")


def test_a_redline_names_a_question_only_one_document_asks_and_leaves_files_out() -> None:
    plan = Question("plan", "Plan", QuestionKind.FILE)
    old = DossierContent(Definition((Section("s", "S", questions=(STORY, plan)),)), (Answer("story", "Insulate"),))
    new = DossierContent(Definition((Section("s", "S", questions=(AIMS,)),)), (Answer("aims", picked=("c",)),))

    found = [(each.question.key, [(p.kind, p.text) for p in each.pieces]) for each in redline(old, new)]

    assert found == [("aims", [(Stretch.ADDED, "C")]), ("story", [(Stretch.REMOVED, "Insulate")])]


IRINA, MAREK = uuid4(), uuid4()
saves = st.lists(st.tuples(st.sampled_from([IRINA, MAREK]), st.integers(0, 300)), max_size=30).map(
    lambda found: tuple(
        (person, datetime(2022, 11, 6, tzinfo=UTC) + timedelta(seconds=sum(gap for _, gap in found[: place + 1])))
        for place, (person, _) in enumerate(found)
    )
)


@given(saves)
def test_a_sitting_is_of_one_person_and_shorter_than_ten_minutes(found: tuple[tuple[object, datetime], ...]) -> None:
    made = sittings(found)  # type: ignore[arg-type]  # ids are ids

    assert [place for start, end in made for place in range(start, end)] == list(range(len(found)))
    for start, end in made:
        assert len({person for person, _ in found[start:end]}) == 1
        assert found[end - 1][1] - found[start][1] < timedelta(minutes=10)
    for (start, end), (following, _) in pairwise(made):
        assert end == following
        assert found[start][0] != found[end][0] or found[end][1] - found[start][1] >= timedelta(minutes=10)


@pytest.mark.parametrize("between", [" ", "\n"])
def test_two_words_said_over_and_over_are_compared_in_no_time(between: str) -> None:
    # The same chance each time.
    chance = Random(1)
    before, after = (between.join(chance.choices("ab", k=1_400)) for _ in range(2))
    started = time.monotonic()

    pieces = merging.compared(f"First {before}", f"First {after}")

    assert time.monotonic() - started < 2
    assert [piece.kind.value for piece in pieces][:1] == ["same"]
    assert "".join(p.text for p in pieces if p.kind.value != "added") == f"First {before}"
