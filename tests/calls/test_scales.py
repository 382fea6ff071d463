"""Scales and the rule of the score in a call: as a file, in the builder, on the page, in the change table."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st

from grants.calls import queries, rules
from grants.calls.rules import FIELDS, Criterion, Marking, Scale, Scoring, Sourced
from grants.calls.states import CommentRule, Confidence, ScoreMethod, ThresholdBasis, WeightsCount
from grants.core import clock
from grants.core.errors import Problems
from tests import actors
from tests.applications.pages import send, text_of
from tests.calls import scene
from tests.calls.test_call_files import changed

LISTED = Scale(20, 1, (), (0, 6, 14, 20), ((0, "Absent"), (20, "Outstanding")))
MEAN = Scoring(
    ScoreMethod.MEAN_PER_CRITERION, WeightsCount.SCORE, ThresholdBasis.SCORE, 60, CommentRule.EXTREMES, 12, 2
)


def read(path: str, text: str) -> object:
    return rules.read_value(path, f"value: {text}")


def told(path: str, text: str) -> list[str]:
    with pytest.raises(Problems) as refused:
        read(path, text)
    return [problem.message for problem in refused.value.found]


SCALE, SCORING = "evaluation.scale", "evaluation.scoring"


def test_a_scale_is_a_highest_mark_with_a_step_or_a_list_of_marks() -> None:
    assert read(SCALE, "{max: 5, step: 0.5}") == Scale(10, 1)
    assert read(SCALE, "{marks: [10, 0, 3, 7], anchors: {0: Absent, 10: Outstanding}}") == LISTED
    assert read(SCALE, "{marks: [0, 3], anchors: [Less, More]}") == Scale(6, 1, (), (0, 6), ((0, "Less"), (6, "More")))
    assert read(SCALE, "{max: 10, step: 2.5, anchors: {2.5: Little}}") == Scale(20, 5, (), (), ((5, "Little"),))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{step: 1}", "is missing."),
        ("{max: 5, marks: [0, 3]}", "Keep one of the two ways."),
        ("{marks: [3]}", "must be two or more, each once."),
        ("{marks: [0, 3, 3]}", "must be two or more, each once."),
        ("{marks: [0, 2.2]}", "points come in halves"),
        ("{marks: [0, 101]}", "a mark is at most 100 points"),
        ("{marks: [0, 3], anchors: [One]}", "have 1 entries for 2 marks"),
        ("{marks: [0, 3], anchors: {4: Four}}", "name 4, which is no mark of this scale: 0 or 3."),
        ("{max: 5, step: 1, anchors: {x: What}}", "write a mark such as 3 or 3.5 before its words"),
    ],
)
def test_a_scale_that_cannot_be_is_refused_in_words(text: str, words: str) -> None:
    assert any(words in each for each in told(SCALE, text))


@st.composite
def scales(draw: st.DrawFn) -> Scale:
    words = st.text(st.sampled_from("abc:é = "), min_size=1, max_size=9).map(str.strip).filter(bool)
    if draw(st.booleans()):
        marks = tuple(sorted(draw(st.sets(st.integers(0, 200), min_size=2, max_size=8))))
        step = 1
    else:
        step = draw(st.integers(1, 20))
        marks = ()
    most = marks[-1] if marks else step * draw(st.integers(1, 200 // step))
    scale = Scale(most, step, (), marks)
    named = draw(st.dictionaries(st.sampled_from(scale.marks), words, max_size=4))
    if not marks and draw(st.booleans()):
        return replace(scale, anchors=tuple(draw(st.lists(words, max_size=3))))
    return replace(scale, named=tuple(sorted(named.items())))


@settings(max_examples=60, deadline=None)
@given(scales())
def test_every_scale_reads_back_as_it_was_written(scale: Scale) -> None:
    assert rules.read_value(SCALE, rules.to_yaml({"value": rules.tree_of(FIELDS[SCALE], scale)})) == scale


@settings(max_examples=40, deadline=None)
@given(
    st.builds(
        Scoring,
        st.sampled_from(ScoreMethod),
        st.sampled_from(WeightsCount),
        st.sampled_from(ThresholdBasis),
        st.integers(0, 200),
        st.sampled_from(CommentRule),
        st.integers(1, 500),
        st.integers(0, 9),
    )
)  # fmt: skip
def test_every_rule_of_the_score_reads_back_as_it_was_written(scoring: Scoring) -> None:
    assert rules.read_value(SCORING, rules.to_yaml({"value": rules.tree_of(FIELDS[SCORING], scoring)})) == scoring
    assert rules.from_json(rules.to_json({SCORING: Sourced(scoring, Confidence.STATED)}))[SCORING].value == scoring


def test_a_call_that_says_nothing_is_scored_as_it_always_was() -> None:
    content = rules.content_of({})

    assert content.scoring == Scoring() and content.scoring.comment_words == 30
    assert read(SCORING, "{}") == Scoring()


# --- what the marks mean -----------------------------------------------------------------------------------------------


def marking(scale: Scale = LISTED, scoring: Scoring = MEAN) -> Marking:
    first = Criterion("a", "A", "?", Fraction(3, 2), 6)
    return Marking((first, Criterion("b", "B", "?", max_half=14)), scale, scoring)


def test_the_most_follows_the_scale_the_criterion_and_the_weights() -> None:
    found = marking()

    assert [found.marks(one) for one in found.criteria] == [(0, 6, 14, 20), (0, 6, 14)]
    assert (found.total_max_half, found.score_max) == (34, 22)


@pytest.mark.parametrize(
    ("rule", "demanded", "hints"),
    [
        (CommentRule.ALWAYS, {"a": [0, 6, 14, 20], "b": [0, 6, 14]}, ("At least 12 words with every score.",) * 2),
        (CommentRule.NEVER, {"a": [], "b": []}, ("", "")),
        (
            CommentRule.EXTREMES,
            {"a": [0, 20], "b": [0, 14]},
            ("At least 12 words with 0 and with 10.", "At least 12 words with 0 and with 7."),
        ),
        (
            CommentRule.BELOW_THRESHOLD,
            {"a": [0], "b": []},
            ("At least 12 words where the score is below 3.", ""),
        ),
    ],
)
def test_a_comment_is_demanded_exactly_where_the_rule_says(
    rule: CommentRule, demanded: dict[str, list[int]], hints: tuple[str, str]
) -> None:
    found = marking(scoring=replace(MEAN, comment=rule))

    assert {
        one.key: [half for half in found.marks(one) if found.words_demanded(one, half)] for one in found.criteria
    } == demanded
    assert tuple(found.comment_hint(one) for one in found.criteria) == hints


# --- publication ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "place"),
    [
        ({"scale": Scale(10, 4)}, "Scale"),
        ({"scale": LISTED, "thresholds": rules.Thresholds(total_half=61)}, "Thresholds"),
        ({"scoring": replace(MEAN, evaluators_least=4)}, "How the score is made"),
        ({"criteria": (Criterion("excellence", "E", "?", max_half=9),), "scale": LISTED}, "Award criteria"),
        ({"thresholds": rules.Thresholds(each_half=9), "criteria": (Criterion("excellence", "E", "?", max_half=8),)}, "Thresholds"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_keeps_a_call_back(values: dict[str, object], place: str) -> None:
    assert place in changed(**{f"evaluation__{name}": value for name, value in values.items()})


def test_a_listed_scale_with_its_rule_of_the_score_is_complete() -> None:
    thresholds = rules.Thresholds(total_half=60)

    assert changed(evaluation__scale=LISTED, evaluation__scoring=MEAN, evaluation__thresholds=thresholds) == []


def test_a_change_table_says_what_changed_of_scale_and_score() -> None:
    before = {SCALE: Sourced(Scale(), Confidence.STATED), SCORING: Sourced(Scoring(), Confidence.STATED)}
    after = {SCALE: Sourced(Scale(20, 2), Confidence.STATED), SCORING: Sourced(MEAN, Confidence.STATED)}

    found = {change.what: (change.before, change.after) for change in rules.changes(before, after)}

    assert found["Scale, highest mark"] == ("5", "10")
    assert found["Scale, step between marks"] == ("0.5", "1")
    assert found["How the score is made, method"] == ("consensus", "mean per criterion")
    assert found["How the score is made, panel may move a score by"] == ("", "30")
    assert found["How the score is made, comment demanded"] == ("below threshold", "extremes")


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(app: Flask) -> FlaskClient:
    with clock.at(scene.BEFORE):
        actors.ingrid()
    return actors.client_of(app, actors.ingrid())


def test_a_listed_scale_and_its_rule_are_built_in_the_browser_and_stand_on_the_page(manager: FlaskClient) -> None:
    slug = scene.filled(scene.SMALL).slug
    at = f"/calls/{slug}/build"
    assert "Or the marks one by one" in text_of(manager.get(f"{at}/{SCALE}"))

    wrong = send(manager, f"{at}/{SCALE}", **{"value.max": "5", "value.marks": "0\n3"})
    assert "Keep one of the two ways." in text_of(wrong)
    send(
        manager, f"{at}/{SCALE}",
        **{"value.max": "", "value.step": "", "value.marks": "0\n3\n7\n10", "value.anchors": "0 = Absent\n10 = Outstanding"},
    )  # fmt: skip
    send(
        manager, f"{at}/{SCORING}",
        **{
            "value.method": "mean_per_criterion", "value.weights_count_for": "score", "value.total_threshold_on": "score",
            "value.board_shift_max": "30", "value.comment": "extremes", "value.comment_words": "12",
            "value.evaluators_least": "2",
        },
    )  # fmt: skip

    values = queries.values(actors.ingrid(), slug)
    assert (values[SCALE].value, values[SCORING].value) == (LISTED, MEAN)
    assert "10 = Outstanding" in text_of(manager.get(f"{at}/{SCALE}"))
    page = text_of(manager.get(f"/calls/{slug}"))
    for words in (
        "Each criterion gets one of the marks 0, 3, 7 or 10.",
        "The score is the mean of the assessments, criterion by criterion. The weighted sum is the score.",
        "The panel may move a score by up to 30 points up or down, with its reason.",
        "The lowest and the highest mark need a comment of at least 12 words.",
        "Outstanding",
    ):
        assert words in page
